"""Load thousands of damaged model files: each must be refused, or load within its means.

The files are the stored ones of every class, newly fitted models of every class, and one with a
value of every kind that a file can hold. Each is changed at random: raw (flipped bits, truncation,
moved blocks), or inside, with its checksums computed anew (absurd numbers, other types, keys that
are absent or doubled, arrays of another shape). A process of its own loads each file, and describes
it as ``omitrans info`` does, under a limit of time and of memory. These are faults: any exception
but ModelFileError, more memory than twice the file and 64 MiB, more than 10 s, a crash, a control
character in the output, a file or process that the loaded file touches.

    python benchmarks/mutate_models.py --seed 0 --count 5000

The same seed makes the same files; ``--only N`` repeats one, ``--keep DIR`` keeps those at fault.
"""

import argparse
import contextlib
import copy
import ctypes
import gc
import hashlib
import io
import json
import multiprocessing
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import safetensors.numpy
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import Bunch

import omitrans
from omitrans.exceptions import OmiTransError

ROOT = Path(__file__).parents[1]
MIB = 1 << 20
SECONDS, ALLOWED, CEILING = 10, 64 * MIB, 768 * MIB
TOUCHING = {"os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect"}
FINE = ("refused", "identical", "other values")
NUMBERS = (0, -1, 1, 0.5, 1e308, -1e308, 10**6, 10**9, -(10**9), 2**31, 2**63, 10**12, 10**18)
ODD = (*NUMBERS, 10**30, True, None, "", "text", "\x1b[31mred", "\u202e\u009b", [], {}, [[]])


# --- what is changed ---


class Parts(NamedTuple):
    """The content of a model file."""

    document: dict[str, Any]
    arrays: dict[str, np.ndarray]


def every_value() -> BaseEstimator:
    """Return an estimator that holds a value of every kind that a model file can hold."""
    frame = pd.DataFrame(
        {"a": [1.5, 2.5, np.nan], "b": [1, 2, 3], "c": ["x", "y", "z"], "d": [True, False, True]},
        index=pd.Index(["s1", "s2", "s3"], name="sample"),
    )
    frame["e"] = pd.Categorical(["u", "v", "u"])
    frame["f"] = pd.array([1, None, 3], dtype="Int64")
    frame["g"] = pd.array(["p", None, "q"], dtype="string")
    matrix = sparse.random(5, 4, 0.5, random_state=0, format="csr")
    generators = (kind(0) for kind in (np.random.PCG64, np.random.Philox, np.random.SFC64))
    values = [
        range(5), slice(1, 7, 2), {1, 2}, frozenset("ab"), {1: "x", (2, 3): 4.5}, Bunch(a=1, b="c"),
        np.arange(6.0).reshape(2, 3), np.asfortranarray(np.ones((3, 2), dtype=np.float32)),
        np.array([1 + 2j]), np.array(["gene1", "gene20"]), np.array([b"ab"]),
        np.array(["2020-01-01"], dtype="M8[D]"), np.array([[1, "a"], [None, (1, 2)]], dtype=object),
        np.float32(1.5), np.int8(3), np.str_("x"), np.dtype("f4"), float("inf"), pd.NA, pd.NaT,
        matrix, matrix.tocsc(), sparse.coo_array(matrix), frame, frame["a"],
        pd.DataFrame(np.ones((4, 3))), pd.RangeIndex(7), pd.Index([1.5, 2.5]),
        pd.DatetimeIndex(["2020-01-01"]), pd.CategoricalIndex(["a", "b"]), float, np.float64,
        np.log1p, np.random.RandomState(0), *map(np.random.Generator, generators),
    ]  # fmt: skip
    return FunctionTransformer(np.log1p, kw_args={f"v{i}": value for i, value in enumerate(values)})


def stored_files() -> dict[str, bytes]:
    """Return the stored model files, and one with every value."""
    files = sorted((ROOT / "tests" / "reference").glob("**/*.omitrans"))
    return {file.stem: file.read_bytes() for file in files} | {"every value": saved(every_value())}


def new_files() -> dict[str, bytes]:
    """Return model files of newly fitted models of every class."""
    sys.path.append(str(ROOT))
    from omitrans.covariates import CovariateEncoder
    from omitrans.pipelines import make_translation_pipeline
    from tests.reference.make_models_format1 import models, tables

    data = tables()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted: dict[str, Any] = {name: model for name, (model, _) in models(data).items()}
        pipeline = make_translation_pipeline(omitrans.TDimputeRegressor(n_hidden=3, max_epochs=1))
        fitted["TranslationPipeline"] = pipeline.fit(data["X"], data["Y"])
        encoder = CovariateEncoder(categorical_covariates=["tissue"], encoding="one-hot")
        fitted["CovariateEncoder"] = encoder.fit(data["tissues"])
    return {f"new {name}": saved(model) for name, model in fitted.items()}


def saved(model: Any) -> bytes:
    """Return a model file as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.omitrans")
        omitrans.save(model, path)
        return path.read_bytes()


def opened(content: bytes) -> Parts:
    """Return the parts of a model file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        arrays = safetensors.numpy.load(archive.read("arrays.safetensors"))
        return Parts(json.loads(archive.read("model.json")), arrays)


def sealed(text: bytes, arrays: bytes) -> bytes:
    """Return a model file with right checksums."""
    members = {"model.json": text, "arrays.safetensors": arrays}
    sums = "".join(f"{hashlib.sha256(part).hexdigest()}  {n}\n" for n, part in members.items())
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in {**members, "SHA256SUMS": sums.encode()}.items():
            archive.writestr(name, part)
    return file.getvalue()


# --- how it is changed ---


def change_raw(content: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """Damage the bytes of a file."""
    data = bytearray(content)
    kind = str(rng.choice(["bits", "truncated", "swapped", "zeros", "inserted", "removed"]))
    a, b = sorted(int(i) for i in rng.integers(0, len(data), 2))
    if kind == "bits":
        for at in rng.integers(0, len(data), rng.integers(1, 9)):
            data[at] ^= 1 << int(rng.integers(8))
    elif kind == "truncated":
        del data[a:]
    elif kind == "swapped":
        size = int(rng.integers(1, 200))
        data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]
    elif kind == "zeros":
        data[a : a + 64] = bytes(len(data[a : a + 64]))
    elif kind == "inserted":
        data[a:a] = rng.bytes(int(rng.integers(1, 64)))
    else:
        del data[a : a + int(rng.integers(1, 64))]
    return f"raw: {kind}", bytes(data)


def change_inside(parts: Parts, rng: np.random.Generator) -> tuple[str, bytes]:
    """Change the document or the arrays, and compute the checksums anew."""
    document, arrays = copy.deepcopy(parts.document), dict(parts.arrays)
    kinds = []
    for _ in range(int(rng.choice([1, 1, 1, 2, 4]))):
        if arrays and rng.random() < 0.25:
            kinds.append(change_array(arrays, rng))
        else:
            kinds.append(change_document(document, rng))
    text = json.dumps(document)  # NaN and Infinity too, which are no JSON
    text = re.sub(r'"deep (\w*) (\d+)"', nested, text.replace("twice\\u0000", ""))
    return f"inside: {kinds[0]}", sealed(text.encode(), safetensors.numpy.save(arrays))


def nested(match: re.Match[str]) -> str:
    """Return the nodes that a mark stands for, one inside the other."""
    tag, depth = match[1], int(match[2])
    opening, closing = (f'{{"{tag}": [', "]}") if tag else ("[", "]")
    return opening * depth + "1" + closing * depth


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every list or dict of a document with each of its keys."""
    if isinstance(node, dict | list):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            yield node, key
            yield from places(node[key])


def change_document(document: dict[str, Any], rng: np.random.Generator) -> str:
    """Change one value of a document in place, and name the change."""
    every = list(places(document))
    at_top = [(document, key) for key in document] + list(places(document.get("versions")))
    every = at_top if rng.random() < 0.05 and at_top else every
    if not every:
        return "nothing"
    node, key = every[rng.integers(len(every))]
    other, other_key = every[rng.integers(len(every))]
    changes = ["odd value", "swapped", "copied", "absent", "range", "deep", "shared", "number"]
    changes += ["doubled key", "renamed key"] if isinstance(node, dict) else ["repeated", "shorter"]
    kind = str(rng.choice(changes))
    if kind in ("doubled key", "renamed key"):
        change_key(node, key, kind, other[other_key], rng)
    elif kind == "repeated":
        node.extend([node[key]] * int(rng.choice([1, 10, 1000])))
    elif kind == "shorter":
        del node[key:]
    elif kind == "absent":
        del node[key]
    elif kind == "swapped":
        node[key], other[other_key] = copy.deepcopy((other[other_key], node[key]))
    else:
        node[key] = new_value(kind, node[key], other[other_key], rng)
    return kind


def change_key(node: Any, key: Any, kind: str, value: Any, rng: np.random.Generator) -> None:
    """Rename a key, or write it twice with two values."""
    if kind == "doubled key":
        node[f"twice\0{key}"] = copy.deepcopy(value)
    else:
        names = ["", "x", "__class__", "array", "tuple", "\x1b[2J", "shape", f"{key}_", *node]
        node[str(rng.choice(names))] = node.pop(key)


def new_value(kind: str, value: Any, other: Any, rng: np.random.Generator) -> Any:
    """Return what takes the place of a value."""
    if kind == "copied":
        return copy.deepcopy(other)
    if kind == "range":
        return {"range": [0, int(rng.choice(np.array(NUMBERS[6:], dtype=object))), 1]}
    if kind == "shared":
        return {"shared": int(rng.integers(-1, 40))}
    if kind == "deep":
        tag = rng.choice(["tuple", "list", "set", ""])
        return f"deep {tag} {rng.choice([3, 50, 200, 400, 2000, 100_000])}"
    numbers = (*NUMBERS, float("nan"), float("inf"))
    choices = numbers if kind == "number" or isinstance(value, int | float) else ODD
    return copy.deepcopy(choices[rng.integers(len(choices))])


def change_array(arrays: dict[str, np.ndarray], rng: np.random.Generator) -> str:
    """Change one array, and name the change."""
    name = str(rng.choice(list(arrays)))
    array = arrays[name]
    kind = str(
        rng.choice(["dtype", "shape", "longer", "shorter", "absent", "other name", "values"])
    )
    if kind == "dtype":
        with np.errstate(all="ignore"):
            arrays[name] = array.astype(rng.choice(["f4", "f8", "i1", "i8", "u4", "?", "f2"]))
    elif kind == "shape":
        shapes = [(-1,), (1, -1), (-1, 1), array.shape[::-1]]
        arrays[name] = array.reshape(shapes[rng.integers(len(shapes))]).copy()
        if rng.random() < 0.2:
            arrays[name] = np.empty((int(rng.choice([10**6, 10**12])), 0), dtype=array.dtype)
    elif kind == "longer":
        arrays[name] = np.repeat(array, 2, axis=0) if array.ndim else np.repeat(array, 2)
    elif kind == "shorter":
        arrays[name] = array[:-1].copy() if array.ndim else array.reshape(1)
    elif kind == "values":
        extremes = rng.choice(np.array([0, 1, -1, 127, np.nan, np.inf, 1e300, -(2.0**31)]))
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arrays[name] = np.full_like(array, extremes)
    else:
        del arrays[name]
        if kind == "other name":
            arrays[f"{name}\x1b"] = array
    return f"array: {kind}"


def make_case(sources: dict[str, bytes], seed: int, index: int) -> tuple[str, str, bytes]:
    """Return the name of the file that is changed, the kind of change, and the changed file."""
    rng = np.random.default_rng([seed, index])
    name = str(rng.choice(list(sources)))
    if rng.random() < 0.25:
        return name, *change_raw(sources[name], rng)
    return name, *change_inside(opened(sources[name]), rng)


# --- the process that loads ---


class OutOfTimeError(BaseException):
    """Raised in the process that loads when its time is over."""


def work(pipe: Any, folder: str, sources: list[bytes]) -> None:
    """Load every file that comes through the pipe, and send back what happened."""
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115
    touched: list[str] = []
    path = Path(folder, "model.omitrans")
    for content in sources:  # what is imported and cached once is not counted
        path.write_bytes(content)
        digest(omitrans.load(path), path)
        described(path)
    gc.freeze()  # nothing of these is collected again for each file
    sys.addaudithook(lambda event, args: watch(event, args, folder, touched))
    signal.signal(signal.SIGPROF, out_of_time)
    pipe.send("ready")
    while (order := pipe.recv()) is not None:
        content, describe = order
        path.write_bytes(content)
        touched.clear()
        outcome, message, taken = outcome_of(path, describe)
        pipe.send(("touches", ", ".join(touched), taken) if touched else (outcome, message, taken))


def out_of_time(*_: Any) -> None:
    """Interrupt what runs."""
    raise OutOfTimeError


def watch(event: str, args: tuple[Any, ...], folder: str, touched: list[str]) -> None:
    """Note a process that is started, or a file that is written outside the folder."""
    if event in TOUCHING:
        touched.append(event)
    if event == "open" and isinstance(args[0], str) and isinstance(args[2], int):
        writes = args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and not args[0].startswith((folder, "/proc/", "/dev/")):
            touched.append(f"writes {args[0]}")


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Limit the memory and the time of a block."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library than GNU's
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # or what was freed would hide what is taken
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (memory("VmSize") + CEILING, hard))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of the processor, which may be shared
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def memory(name: str) -> int:
    """Return a number of bytes from the status of this process."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition(f"{name}:")[2].split()[0])


def outcome_of(path: Path, describe: bool) -> tuple[str, str, float]:
    """Load one file, and describe it; return what happened, a message, and the memory it took."""
    from omitrans.exceptions import ModelFileError

    model, taken = None, 0.0
    try:
        with limited():
            before = memory("VmRSS")
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
            try:
                model = omitrans.load(path)
                outcome, message = "loaded", ""
            except ModelFileError as error:
                outcome, message = "refused", str(error)
            taken = memory("VmHWM") - before
        with limited():
            shown = described(path) if describe else None
    except OutOfTimeError:
        return "time", "", taken
    except MemoryError:
        return "memory", traceback.format_exc(limit=-3), taken
    except Exception:
        return "exception", traceback.format_exc(limit=-3), taken
    if taken > 2 * path.stat().st_size + ALLOWED:
        return "memory", f"{taken / MIB:.0f} MiB", taken
    if shown is not None:
        return "info", shown, taken
    if describe and outcome == "loaded":
        message = digest(model, path)
    return outcome, message, taken


def described(path: Path) -> str | None:
    """Describe a file as ``omitrans info`` does; return what is wrong with that, or None."""
    from omitrans.cli.actions._info import run

    for as_json in (False, True):
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                run(SimpleNamespace(model_file=path, json=as_json))
        except (OmiTransError, OSError, ValueError):
            continue  # the command prints one line
        except Exception:
            return traceback.format_exc(limit=-3)
        if not out.getvalue().replace("\n", "").isprintable():
            return f"prints {out.getvalue()!r:.300}"
    return None


def digest(model: Any, path: Path) -> str:
    """Return a digest of all that a model holds."""
    again = path.with_suffix(".again")
    try:
        omitrans.save(model, again)
        parts = opened(again.read_bytes())
    except Exception as error:  # a value that no model holds
        return f"cannot be saved: {type(error).__name__}"
    finally:
        again.unlink(missing_ok=True)
    text = json.dumps([parts.document["model"], sorted(parts.arrays)], sort_keys=True).encode()
    return hashlib.sha256(text + safetensors.numpy.save(parts.arrays)).hexdigest()


# --- the process that watches ---


class Loader:
    """Process that loads files, which is replaced when it crashes or hangs."""

    def __init__(self, sources: dict[str, bytes]) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(prefix="mutate-")
        self._sources = list(sources.values())
        self._start()

    def _start(self) -> None:
        self._pipe, there = self._context.Pipe()
        os.environ["TMPDIR"] = self._folder.name
        args = (there, self._folder.name, self._sources)
        self._process = self._context.Process(target=work, args=args, daemon=True)
        self._process.start()
        there.close()
        self._pipe.recv()

    def load(self, content: bytes, *, describe: bool = True) -> tuple[str, str, float]:
        """Load a file, and describe it; return the outcome, a message, and the memory taken."""
        self._pipe.send((content, describe))
        try:
            if self._pipe.poll(10 * SECONDS):
                return self._pipe.recv()
            outcome = "time", "does not return", 0.0
        except EOFError:
            self._process.join(SECONDS)
            outcome = "crash", f"exit code {self._process.exitcode}", 0.0
        self._process.kill()
        self._start()
        return outcome

    def close(self) -> None:
        """End the process."""
        self._pipe.send(None)
        self._process.join(SECONDS)
        self._process.kill()
        self._folder.cleanup()


class Report(NamedTuple):
    """What a run found: outcomes by kind of change, faults, and the most memory in bytes."""

    counts: Counter
    faults: list[str]
    most_memory: float


def run(sources: dict[str, bytes], seed: int, indices: range, keep: Path | None = None) -> Report:
    """Load changed files; return the outcomes."""
    counts: Counter = Counter()
    faults, most = [], 0.0
    loader = Loader(sources)
    try:
        whole = {name: loader.load(content)[1] for name, content in sources.items()}
        for index in indices:
            name, kind, content = make_case(sources, seed, index)
            outcome, message, taken = loader.load(content)
            if outcome == "loaded":
                outcome = "identical" if message == whole[name] else "other values"
            counts[kind, outcome] += 1
            most = max(most, taken)
            if outcome not in FINE:
                faults.append(f"--only {index} ({name}; {kind}): {outcome}\n{message}")
                if keep is not None:
                    (keep / f"{seed}-{index}.omitrans").write_bytes(content)
    finally:
        loader.close()
    return Report(counts, faults, most)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--only", type=int, help="load the file of this number alone")
    parser.add_argument("--keep", type=Path, help="folder for the files at fault")
    options = parser.parse_args()
    start = time.perf_counter()
    only = options.only
    indices = range(options.count) if only is None else range(only, only + 1)
    report = run(stored_files() | new_files(), options.seed, indices, options.keep)
    rows = [(kind, outcome, n) for (kind, outcome), n in sorted(report.counts.items())]
    frame = pd.DataFrame(rows, columns=["change", "outcome", "n"])
    table = frame.pivot_table(index="change", columns="outcome", values="n", fill_value=0).astype(
        int
    )
    print(table.to_string())
    print(table.sum().to_string())
    print(f"{len(indices):,} files, {len(report.faults)} faults, at most "
          f"{report.most_memory / MIB:.1f} MiB, {time.perf_counter() - start:.0f} s")  # fmt: skip
    print("\n".join(report.faults[:40]))
    sys.exit(bool(report.faults))


if __name__ == "__main__":
    main()
