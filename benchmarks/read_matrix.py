"""Time and memory of read_matrix against pandas.read_csv on a generated matrix of betas.

Run: python benchmarks/read_matrix.py
     python benchmarks/read_matrix.py --small
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results" / "read_matrix.csv"
READERS = ("pandas", "read_matrix", "read_matrix, filtered", "read_matrix, to .npy")
GIB, MIB = 2**30, 2**20


def generate(path: Path, n_bytes: float, n_samples: int, digits: int) -> None:
    """Write betas of about `n_bytes` as text, probes as rows; 2 % are missing."""
    rng = np.random.default_rng(0)
    texts = np.array([f"{beta:.{digits}f}" for beta in rng.beta(0.5, 0.5, 200_000)], dtype=object)
    texts[rng.random(len(texts)) < 0.02] = "NA"
    with path.open("w") as file:
        file.write(
            "\t".join(["sample", *(f"TCGA-00-{k:05d}-01A" for k in range(n_samples))]) + "\n"
        )
        probe = 0
        while file.tell() < n_bytes:
            for _ in range(50):
                row = texts[rng.integers(0, len(texts), n_samples)].tolist()
                file.write(f"cg{probe:08d}\t" + "\t".join(row) + "\n")
                probe += 1


def read(reader: str, path: Path) -> tuple[int, int]:
    """Read the file and return the shape of the result."""
    if reader == "pandas":
        import pandas as pd

        return pd.read_csv(path, sep="\t", index_col=0).shape
    from omitrans.io import read_matrix

    if reader == "read_matrix, filtered":
        return read_matrix(path, max_missing_rate=0.02, min_variance=0.01).shape
    out = path.with_suffix(".npy") if reader == "read_matrix, to .npy" else None
    return read_matrix(path, out=out).shape


def measure(reader: str, path: Path) -> None:
    """Read once and print the figures as JSON; runs in a process of its own."""
    if reader == "pandas":
        import pandas as pd  # noqa: F401
    else:
        import omitrans.io  # noqa: F401
    before = peak_bytes()
    start = time.perf_counter()
    shape = read(reader, path)
    seconds = time.perf_counter() - start
    figures = {"seconds": seconds, "before": before, "peak": peak_bytes(), "shape": shape}
    print(json.dumps(figures))


def peak_bytes() -> int:
    """Return the largest resident memory of this process so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def run(reader: str, path: Path, repeats: int) -> dict[str, float]:
    """Measure a reader in processes of its own; the best time and the largest memory count."""
    command = [sys.executable, __file__, "--measure", reader, str(path)]
    runs = [json.loads(subprocess.check_output(command)) for _ in range(repeats)]
    return {
        "seconds": min(figures["seconds"] for figures in runs),
        "peak": max(figures["peak"] for figures in runs),
        "added": max(figures["peak"] - figures["before"] for figures in runs),
    }


def main() -> None:
    """Generate the file, measure all readers, print and store the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=3.0, help="size of the text")
    parser.add_argument("--small", action="store_true", help="0.1 GB, not stored")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--digits", type=int, default=6, help="behind the decimal point")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--dir", default=None, help="where to put the file")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], Path(options.measure[1]))
        return

    n_bytes = 1e8 if options.small else options.gigabytes * 1e9
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        path = Path(folder, "betas.tsv")
        generate(path, n_bytes, options.samples, options.digits)
        size = path.stat().st_size
        figures = {reader: run(reader, path, options.repeats) for reader in READERS}
    rows = []
    for reader, figure in figures.items():
        rows.append(
            {
                "reader": reader,
                "file_gb": round(size / 1e9, 2),
                "digits": options.digits,
                "seconds": round(figure["seconds"], 2),
                "gb_per_second": round(size / 1e9 / figure["seconds"], 3),
                "peak_mib": round(figure["peak"] / MIB),
                "added_mib": round(figure["added"] / MIB),
                "times_faster": round(figures["pandas"]["seconds"] / figure["seconds"], 2),
                "part_of_peak": round(figure["peak"] / figures["pandas"]["peak"], 3),
            }
        )
        print(rows[-1])
    if not options.small:
        with RESULTS.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
