"""Kill writers at every step, fill their disk, and run several at once; report what was damaged.

Run as a program, this file loads the package once and forks a child for each fault, which is a
hundred times faster than a new interpreter. It prints one JSON object: what was tried, and what
failed. `fault_writers.py` lists the writers.
"""

import argparse
import json
import os
import resource
import signal
import stat
import sys
import traceback
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

MODE = 0o640  # not what any umask gives, so that a lost mode shows
EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.chown"}
FULL = 3  # exit code of a child whose disk was full, and that said so properly
_UNLIMITED = resource.RLIM_INFINITY


def forked(function, *arguments):
    """Run a function in a child; return its exit code, or minus the signal that killed it."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = function(*arguments) or 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_at(step, folder, report=None):
    """Kill this process before the n-th call that opens, renames, syncs ... a file in a folder."""
    seen = 0

    def count(event, arguments):
        nonlocal seen
        paths = [os.fsdecode(x) for x in arguments[:2] if isinstance(x, str | bytes | os.PathLike)]
        if event in EVENTS and any(path.startswith(str(folder)) for path in paths):
            seen += 1
            if report is not None:
                report.write_text(str(seen))
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

    fsync = os.fsync

    def counted_fsync(descriptor):
        count("open", [str(folder)])
        fsync(descriptor)

    os.fsync = counted_fsync
    sys.addaudithook(lambda event, arguments: count(event, arguments))


def count_steps(writer, folder):
    """Return how many of these calls a write makes."""
    with TemporaryDirectory() as other:
        report = Path(other, "n")

        def run():
            kill_at(-1, folder, report)
            writer.write(folder / writer.name, 1)

        assert forked(run) == 0
        return int(report.read_text())


def killed_at_step(writer, target, step):
    def run():
        kill_at(step, target.parent)
        writer.write(target, 1)

    return forked(run)


def killed_at_byte(writer, target, n_bytes):
    """Let the system kill the writer when a file grows beyond a size, in C code as well."""

    def run():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, _UNLIMITED))
        writer.write(target, 1)

    return forked(run)


def full_at_byte(writer, target, n_bytes):
    """Let writing fail when a file grows beyond a size, as on a full disk."""

    def run():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, _UNLIMITED))
        try:
            said = writer.write(target, 1)
        except OSError as error:
            assert error.filename == str(target), error
            said = str(error)
        if said is None:
            return 0
        assert str(target) in said, said
        assert "MiB are free" in said, said
        return FULL

    return forked(run)


def check(writer, target, versions):
    """Fail unless the file is one of the versions, whole, and its mode is the old one."""

    def run():
        found = writer.read(target)
        assert found in versions, f"{target.name} holds version {found}"
        mode = stat.S_IMODE(target.stat().st_mode)
        assert mode == MODE, f"{target.name} has the mode {mode:o}"

    return forked(run)


def others(target, writer):
    """Return the files that do not belong in the folder."""
    known = {target.name, *writer.beside}
    return sorted(path.name for path in target.parent.iterdir() if path.name not in known)


class Campaign:
    """Faults that were tried, and those that did damage."""

    def __init__(self):
        self.tried = Counter()
        self.failed = []

    def note(self, writer, fault, place, wrong):
        self.tried[f"{writer.name}: {fault}"] += 1
        if wrong:
            self.failed.append(f"{writer.name}, {fault} {place}: {wrong}")

    def run(self, writer, fault, place):
        """Try one fault on a writer whose file exists."""
        with TemporaryDirectory() as folder:
            target = Path(os.path.realpath(folder), writer.name)
            assert forked(writer.prepare, target.parent) == 0
            assert forked(writer.write, target, 0) == 0
            target.chmod(MODE)
            code = FAULTS[fault](writer, target, place)
            wrong = []
            if code == 99:
                wrong.append("wrong error")
            if check(writer, target, (0, 1)):
                wrong.append("file damaged or mode lost")
            if code in (0, FULL, 99) and others(target, writer):
                wrong.append(f"left {others(target, writer)}")
            if forked(writer.write, target, 1) or check(writer, target, (1,)):
                wrong.append("next write failed")
            if others(target, writer):
                wrong.append(f"the next write left {others(target, writer)}")
            self.note(writer, fault, place, wrong)

    def together(self, writer, n_writers, n_times):
        """Let several processes write one file at once."""
        with TemporaryDirectory() as folder:
            target = Path(os.path.realpath(folder), writer.name)
            assert forked(writer.prepare, target.parent) == 0
            assert forked(writer.write, target, 0) == 0
            target.chmod(MODE)

            def run():
                for _ in range(n_times):
                    assert writer.write(target, 1) is None

            def spawn():
                child = os.fork()
                if child == 0:
                    os._exit(forked(run))
                return child

            children = [spawn() for _ in range(n_writers)]
            codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
            wrong = []
            if any(codes):
                wrong.append(f"exit codes {codes}")
            if check(writer, target, (1,)) or others(target, writer):
                wrong.append(f"damaged, or left {others(target, writer)}")
            self.note(writer, "together", n_writers, wrong)


FAULTS = {
    "killed at step": killed_at_step,
    "killed at byte": killed_at_byte,
    "full at byte": full_at_byte,
}


def sampled(places, n):
    """Return about n of the places, the first and the last among them."""
    places = list(places)
    if n is None or len(places) <= n:
        return places
    return [places[k * (len(places) - 1) // (n - 1)] for k in range(n)]


def campaign(writers, n_places):
    """Try all faults on all writers, at `n_places` places each; None means at all."""
    found = Campaign()
    for writer in writers:
        with TemporaryDirectory() as folder:
            target = Path(os.path.realpath(folder), writer.name)
            assert forked(writer.prepare, target.parent) == 0
            assert forked(writer.write, target, 0) == 0
            size = target.stat().st_size
            n_steps = count_steps(writer, target.parent)
        for step in sampled(range(1, n_steps + 1), n_places):
            found.run(writer, "killed at step", step)
        n_bytes = n_places if n_places is not None else 8
        sizes = sampled(range(0, size, max(1, size // 20)), n_bytes)
        for place in sizes:
            found.run(writer, "killed at byte", place)
        for place in sizes[: max(2, len(sizes) // 2)]:
            found.run(writer, "full at byte", place)
        found.together(writer, 3, 5 if n_places is not None else 20)
    return {"tried": dict(found.tried), "failed": found.failed}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--places", type=int, default=None)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    from fault_writers import WRITERS

    writers = [writer for writer in WRITERS if not options.only or writer.name in options.only]
    print(json.dumps(campaign(writers, options.places)))


if __name__ == "__main__":
    main()
