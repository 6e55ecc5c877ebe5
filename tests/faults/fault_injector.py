"""Kill writers at every step, fill their disk, and run several at once; report what was damaged.

Run as a program, this file loads the package once and forks a child for each fault, which is a
hundred times faster than a new interpreter. It prints one JSON object: what was tried, and what
failed. `fault_writers.py` lists the writers.
"""

import argparse
import json
import os
import resource
import shutil
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
    child = start_child(function, *arguments)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def start_child(function, *arguments):
    """Run a function in a child, which ends with what it returns, or with 99 after an error."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = function(*arguments) or 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


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
        named = str(target)
        try:
            said = writer.write(target, 1)
        except OSError as error:
            named, said = error.filename, str(error)
        if said is None:
            return 0
        assert named == str(target), said
        assert str(target) in said, said
        assert "MiB are free" in said, said
        return FULL

    return forked(run)


def check(writer, target, versions):
    """Raise an error unless the file is one of the versions, whole, and its mode is the old one."""
    found = writer.read(target)
    assert found in versions, f"{target.name} holds version {found}"
    mode = stat.S_IMODE(target.stat().st_mode)
    assert mode == MODE, f"{target.name} has the mode {mode:o}"


def others(writer, target):
    """Return the files that do not belong in the folder."""
    known = {target.name, *writer.beside}
    return sorted(path.name for path in target.parent.iterdir() if path.name not in known)


class Campaign:
    """Faults that were tried on one writer, and those that did damage."""

    def __init__(self, writer, folder):
        self.writer = writer
        self.before = folder / "before"
        self.before.mkdir()
        self.target = folder / "work" / writer.name
        target = self.before / writer.name
        writer.prepare(self.before)
        writer.write(target, 1)  # here, so that children need not import
        writer.write(target, 0)
        assert writer.read(target) == 0
        target.chmod(MODE)
        self.size = target.stat().st_size
        self.tried = Counter()
        self.failed = []

    def note(self, fault, place, wrong):
        self.tried[f"{self.writer.name}: {fault}"] += 1
        if wrong:
            self.failed.append(f"{self.writer.name}, {fault} {place}: {wrong}")

    def start(self):
        """Put version 0 into the folder, and nothing else."""
        shutil.rmtree(self.target.parent, ignore_errors=True)
        shutil.copytree(self.before, self.target.parent)

    def steps(self):
        """Return the numbers of the calls that a write makes."""
        self.start()
        report = self.before.with_name("steps")

        def run():
            kill_at(-1, self.target.parent, report)
            self.writer.write(self.target, 1)

        assert forked(run) == 0
        return range(1, int(report.read_text()) + 1)

    def run(self, fault, place):
        """Try one fault on a writer whose file exists."""
        writer, target = self.writer, self.target
        self.start()
        code = FAULTS[fault](writer, target, place)
        wrong = ["wrong error"] if code == 99 else []
        left = others(writer, target)
        if left and code in (0, FULL, 99):
            wrong.append(f"left {left}")

        def judge():
            check(writer, target, (0, 1))
            assert writer.write(target, 1) is None
            check(writer, target, (1,))

        if forked(judge):
            wrong.append("the file is damaged, or the next write fails")
        if left := others(writer, target):
            wrong.append(f"the next write left {left}")
        self.note(fault, place, wrong)

    def together(self, n_writers, n_times):
        """Let several processes write one file at once."""
        writer, target = self.writer, self.target
        self.start()

        def run():
            for _ in range(n_times):
                assert writer.write(target, 1) is None

        children = [start_child(run) for _ in range(n_writers)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        wrong = [f"exit codes {codes}"] if any(codes) else []
        if forked(check, writer, target, (1,)):
            wrong.append("damaged")
        if left := others(writer, target):
            wrong.append(f"left {left}")
        self.note("together", n_writers, wrong)


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


def campaign(writer, n_places):
    """Try all faults on a writer, at `n_places` places each; None means at all."""
    with TemporaryDirectory() as folder:
        found = Campaign(writer, Path(os.path.realpath(folder)))
        for step in sampled(found.steps(), n_places):
            found.run("killed at step", step)
        sizes = sampled(range(0, found.size, max(1, found.size // 20)), n_places or 8)
        for place in sizes:
            found.run("killed at byte", place)
        for place in sizes[: max(2, len(sizes) // 2)]:
            found.run("full at byte", place)
        found.together(3, 5 if n_places else 20)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--places", type=int, default=None)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    from fault_writers import WRITERS

    writers = [writer for writer in WRITERS if not options.only or writer.name in options.only]
    tried, failed = {}, []
    for writer in writers:
        found = campaign(writer, options.places)
        tried |= found.tried
        failed += found.failed
    json.dump({"tried": tried, "failed": failed}, sys.stdout)


if __name__ == "__main__":
    main()
