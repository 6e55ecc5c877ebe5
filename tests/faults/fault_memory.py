"""Read tables with less and less memory; print what became of each as one JSON object."""

import json
import os
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from fault_injector import start_child

from omitrans.cli._input import write_table
from omitrans.io import read_h5ad, read_matrix

SHAPE = 1_000, 8_000  # 32 MB of float32
STEPS = (1, 24, 48, 400)  # MiB beside what the process has


def used_bytes():
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()


def read(path):
    return read_h5ad(path) if path.suffix == ".h5ad" else read_matrix(path, samples="rows")


def attempt(path, n_mebibytes, report):
    limit = used_bytes() + (n_mebibytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        shape = read(path).shape
        said = "read" if shape == SHAPE else f"shape {shape}"
    except MemoryError as error:
        said = f"MemoryError: {error}"
    report.write_text(said, encoding="utf-8")


def write(path, n_rows):
    names = [f"cg{k:08d}" for k in range(SHAPE[1])]
    samples = [f"TCGA-{k}" for k in range(n_rows)]
    if path.suffix == ".csv":
        row = ",0.25" * SHAPE[1] + "\n"
        lines = [",".join(["id", *names]) + "\n", *(sample + row for sample in samples)]
        path.write_text("".join(lines), encoding="utf-8")
        return
    values = np.random.default_rng(0).random((n_rows, SHAPE[1]), dtype=np.float32)
    write_table(pd.DataFrame(values, samples, names), path)


def main():
    found = {}
    with TemporaryDirectory() as folder:
        for ending in sys.argv[1:]:
            path = Path(folder, f"table{ending}")
            write(path, 2)
            read(path)  # to import what it takes
            write(path, SHAPE[0])
            for step in STEPS:
                report = Path(folder, "report")
                report.unlink(missing_ok=True)
                child = start_child(attempt, path, step, report)
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                said = report.read_text(encoding="utf-8") if report.exists() else ""
                right = said == "read" or (said.startswith("MemoryError") and str(path) in said)
                found[f"{ending}, {step} MiB"] = [code, right, said]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
