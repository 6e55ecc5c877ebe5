"""Time of the fingerprint of training tables, against a plain hash and an epoch of training.

The fingerprint names the checkpoint of a training and the finished folds of a comparison, and reads
every value once. It runs in turn with ``hashlib.blake2b`` over the same bytes on one thread; ratios
are medians over the turns. The epoch is one of the published network over the same samples.

    python benchmarks/fingerprint.py --gigabytes 2 --output benchmarks/results/fingerprint.csv
"""

import argparse
import hashlib
import time
from pathlib import Path

import numpy as np
import pandas as pd

from omitrans import OmiTransRegressor
from omitrans.utils._fingerprint import fingerprint

LAYOUTS = {
    "rows together": np.ascontiguousarray,
    "columns together": np.asfortranarray,
    "frame": pd.DataFrame,
}


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def epoch_seconds(table):
    """Return the time of one epoch of the paper's network from the table to a third of it."""
    model = OmiTransRegressor.from_preset(
        "paper-fc", max_epochs=2, decay_epochs=0, batch_size=64, precision="float32", device="cpu"
    )
    n_targets = table.shape[1] // 3
    model.fit(table, table[:, :n_targets])
    return float(model.history_["seconds"].min())


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--columns", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epoch-samples", type=int, default=256, help="samples of the epoch")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    n_rows = int(args.gigabytes * 1e9 / 4 / args.columns)
    table = np.random.default_rng(0).random((n_rows, args.columns), dtype=np.float32)
    epoch = epoch_seconds(table[: args.epoch_samples]) / args.epoch_samples * n_rows
    size = table.nbytes / 1e9
    rows = []
    for layout, make in LAYOUTS.items():
        made = make(table)
        turns = [
            (
                seconds(lambda made=made: fingerprint(made)),
                seconds(lambda: hashlib.blake2b(table).digest()),
            )
            for _ in range(args.repeats)
        ]
        own, plain = np.median(turns, axis=0)
        rows.append(
            {
                "layout": layout,
                "gigabytes": size,
                "fingerprint_s_per_gb": own / size,
                "blake2b_s_per_gb": plain / size,
                "fingerprint_over_blake2b": float(np.median([a / b for a, b in turns])),
                "fingerprint_over_epoch": own / epoch,
            }
        )
    found = pd.DataFrame(rows)
    print(found.to_string(index=False, float_format="{:.3g}".format))
    if args.output:
        found.to_csv(args.output, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
