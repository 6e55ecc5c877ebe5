"""IDAT files: this package's reader against independent ones, in value and in time.

Every reader gets the same files: pairs of the size of the 450K, EPIC and EPIC v2 arrays, written
here with random intensities, and the pairs in `--data`. Compared are bead addresses, means,
standard deviations and bead counts. The readers are a parser of a few lines on Python's own
`struct` and `array`, and with `--methylprep-python`, the interpreter of another environment,
methylprep and pylluminator if they are installed there (the latter's parser descends from the
former).
With `--data` and `--manifest`, quantiles of the raw beta values are compared with those known for
sesameData's two HumanMethylation27 arrays.

    python benchmarks/idat_readers.py --output benchmarks/results/idat_readers.csv
    python benchmarks/idat_readers.py --data DIR --manifest FILE --methylprep-python venv/bin/python
"""

import argparse
import gzip
import resource
import struct
import subprocess
import sys
from array import array
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd

from omitrans.io import read_idat, read_idat_intensities

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "io"))
from idat_writer import SimulatedArray, idat_bytes

ARRAYS = {  # Infinium I probes, Infinium II probes, controls
    "450K": (135_476, 350_101, 850),
    "EPIC": (142_158, 723_760, 635),
    "EPICv2": (128_295, 808_760, 635),
}
LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95]
KNOWN = {
    "4207113116_A": [0.033, 0.061, 0.114, 0.529, 0.867],
    "4207113116_B": [0.029, 0.056, 0.114, 0.406, 0.824],
}
OTHER = """
import sys
from time import perf_counter
import numpy as np
name, source, target = sys.argv[1:]
start = perf_counter()
if name == "methylprep":
    from methylprep.files import IdatDataset
    from methylprep.models import Channel
    start = perf_counter()
    table = IdatDataset(source, Channel.GREEN, std_dev=True, nbeads=True).probe_means
else:
    from pylluminator.read_idat import IdatDataset
    start = perf_counter()
    table = IdatDataset(source).probes_df
seconds = perf_counter() - start
columns = {c.lower(): table[c].to_numpy() for c in table}
mean = columns.get("mean_value")
np.savez(target, address=table.index.to_numpy(), mean=mean, sd=columns["std_dev"],
         n_beads=columns.get("n_beads", columns.get("nbeads")), seconds=seconds)
"""


def read_with_struct(path):
    """Return address, mean, sd and n_beads without numpy's and without any check."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        data = file.read()
    (n_sections,) = struct.unpack_from("<i", data, 12)
    at = dict(struct.unpack_from("<Hq", data, 16 + 10 * i) for i in range(n_sections))
    (n,) = struct.unpack_from("<i", data, at[1000])
    columns = []
    for code, kind, size in ((102, "i", 4), (104, "H", 2), (103, "H", 2), (107, "B", 1)):
        columns.append(array(kind, data[at[code] : at[code] + n * size]))
    return columns


def read_with_other(python, name, path, folder):
    """Return the same from a reader in another environment, and its seconds."""
    target = Path(folder, "read.npz")
    command = [python, "-W", "ignore", "-c", OTHER, name, str(path), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{name} does not run: {done.stderr.strip().splitlines()[-1]}")
        return None
    with np.load(target) as read:
        columns = [read[key] for key in ("address", "mean", "sd", "n_beads")]
        return columns, float(read["seconds"])


def compare_files(files, python, folder):
    """Return a row for each file and reader."""
    rows, absent = [], set()
    for file in files:
        start = perf_counter()
        ours = read_idat_intensities(file)
        seconds = perf_counter() - start
        others = {"struct": (read_with_struct(file), np.nan)}
        for name in {"methylprep", "pylluminator"} - absent if python else ():
            read = read_with_other(python, name, file, folder)
            if read is None:
                absent.add(name)
            else:
                others[name] = read
        for name, (columns, other_seconds) in others.items():
            order = np.argsort(columns[0])
            same = [
                np.array_equal(mine, np.asarray(column)[order])
                for mine, column in zip(ours[:4], columns, strict=True)
            ]
            rows.append(
                {
                    "file": file.name,
                    "bead_types": len(ours.address),
                    "reader": name,
                    **dict(zip(("address", "mean", "sd", "n_beads"), same, strict=True)),
                    "our_seconds": round(seconds, 4),
                    "seconds": round(other_seconds, 4),
                }
            )
    return rows


def write_arrays(folder):
    """Write a pair of each size, with random standard deviations and bead counts."""
    arrays = {}
    rng = np.random.default_rng(0)
    for name, sizes in ARRAYS.items():
        simulated = SimulatedArray(*sizes[:2], n_controls=sizes[2])
        n = len(simulated.address)
        for colour, mean in (("Grn", simulated.green), ("Red", simulated.red)):
            sd, n_beads = rng.integers(0, 65536, n), rng.integers(0, 256, n)
            data = idat_bytes(simulated.address, mean, sd, n_beads)
            Path(folder, f"{name}_R01C01_{colour}.idat").write_bytes(data)
            packed = gzip.compress(data, compresslevel=1)
            Path(folder, f"{name}_R02C01_{colour}.idat.gz").write_bytes(packed)
        arrays[name] = simulated
    return arrays


def time_arrays(arrays, folder):
    """Print the seconds from a pair of files to beta values, plain and packed."""
    for name, simulated in arrays.items():
        for place in ("R01C01", "R02C01"):
            start = perf_counter()
            betas = read_idat(Path(folder, f"{name}_{place}"), simulated.manifest)
            seconds = perf_counter() - start
            print(f"{name} {place}: {betas.shape[1]} probes, {seconds:.2f} s to beta values")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory of the whole benchmark {peak:.2f} GiB")


def check_quantiles(data, manifest):
    """Print quantiles of raw beta values and how far they are from the known ones."""
    raw = read_idat(data, manifest, dye_bias=None, detection_p=None, min_beads=0)
    masked = read_idat(data, manifest)
    for sample, betas in raw.iterrows():
        found = betas.astype(float).quantile(LEVELS).round(3).tolist()
        known = KNOWN.get(sample)
        note = "" if known is None else f", known {known}, equal: {found == known}"
        print(f"{sample}: quantiles of raw betas {found}{note}")
        print(f"{sample}: {betas.isna().sum()} raw, {masked.loc[sample].isna().sum()} masked NaN")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of IDAT files")
    parser.add_argument("--manifest", type=Path, help="manifest of the arrays in --data")
    parser.add_argument("--methylprep-python", help="interpreter with methylprep or pylluminator")
    parser.add_argument("--output", type=Path, help="CSV file for the comparison")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        arrays = write_arrays(folder)
        files = sorted(Path(folder).glob("*.idat*"))
        if args.data:
            files += sorted(args.data.rglob("*.idat*"))
        table = pd.DataFrame(compare_files(files, args.methylprep_python, folder))
        time_arrays(arrays, folder)
    print(table.to_string(index=False))
    if args.data and args.manifest:
        check_quantiles(args.data, args.manifest)
    if args.output:
        table.to_csv(args.output, index=False)
    if not table[["address", "mean", "sd", "n_beads"]].all(axis=None):
        sys.exit("The readers do not agree.")


if __name__ == "__main__":
    main()
