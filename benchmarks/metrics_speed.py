"""Time and memory of reconstruction_report against the same numbers from scikit-learn.

Run: python benchmarks/metrics_speed.py --samples 1800 --genes 60000
"""

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import sklearn
from sklearn.metrics import (
    mean_absolute_error,
    mean_squared_error,
    median_absolute_error,
    r2_score,
)

from omitrans.metrics import reconstruction_report


def scikit_learn_report(Y_true: np.ndarray, Y_pred: np.ndarray) -> dict[str, float]:
    """Return the nine numbers as scikit-learn computes them; its samples are columns here."""
    by_sample = {"y_true": Y_true.T, "y_pred": Y_pred.T, "multioutput": "raw_values"}
    mse = mean_squared_error(**by_sample)
    r2_features = r2_score(Y_true, Y_pred, multioutput="raw_values")
    above = r2_features > 0.3
    return {
        "mse": mse.mean(),
        "rmse": np.sqrt(mse).mean(),
        "mean_ae": mean_absolute_error(**by_sample).mean(),
        "median_ae": median_absolute_error(**by_sample).mean(),
        "mean_r2_per_sample": r2_score(**by_sample).mean(),
        "mean_r2_per_feature": r2_features.mean(),
        "median_r2_per_feature": np.median(r2_features),
        "n_r2_per_feature_above": float(above.sum()),
        "fraction_r2_per_feature_above": above.mean(),
    }


def simulate(n_samples: int, n_genes: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return real and predicted log2(FPKM + 1) values."""
    rng = np.random.default_rng(0)
    level = rng.gamma(1.0, 1.5, n_genes).astype(dtype)
    Y_true = rng.standard_normal((n_samples, n_genes), dtype=np.float32).astype(dtype, copy=False)
    Y_true += level
    Y_pred = rng.standard_normal((n_samples, n_genes), dtype=np.float32).astype(dtype, copy=False)
    Y_pred *= 0.5
    Y_pred += Y_true
    return Y_true, Y_pred


def measure(
    function: Callable[..., dict[str, float]], *tables: np.ndarray, repeats: int
) -> tuple[dict[str, float], float, float]:
    """Return the result, the best seconds, and the peak of extra memory in MiB."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function(*tables)
        seconds.append(time.perf_counter() - start)
    tracemalloc.start()
    function(*tables)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, min(seconds), peak / 2**20


def main() -> None:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1800)
    parser.add_argument("--genes", type=int, default=60_000)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()

    tables = simulate(options.samples, options.genes, options.dtype)
    print(
        f"{options.samples:,} samples x {options.genes:,} genes, {options.dtype}, "
        f"{tables[0].nbytes / 2**20:.0f} MiB a table; "
        f"numpy {np.__version__}, scikit-learn {sklearn.__version__}, "
        f"Python {sys.version.split()[0]}"
    )
    print(f"{'':14s}{'seconds':>10s}{'peak extra MiB':>18s}")
    ours, seconds, peak = measure(reconstruction_report, *tables, repeats=options.repeats)
    print(f"{'omitrans':14s}{seconds:10.2f}{peak:18.1f}")
    # float64, as scikit-learn accumulates in the dtype it is given; the copies are counted
    theirs, seconds, peak = measure(
        lambda *arrays: scikit_learn_report(*(array.astype(np.float64) for array in arrays)),
        *tables,
        repeats=1,
    )
    print(f"{'scikit-learn':14s}{seconds:10.2f}{peak:18.1f}")
    worst = max(abs(ours[key] - theirs[key]) / max(abs(theirs[key]), 1e-300) for key in theirs)
    print(f"largest relative difference of the nine numbers: {worst:.1e}")


if __name__ == "__main__":
    main()
