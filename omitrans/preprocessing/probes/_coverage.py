"""How much of what a model reads a sample holds, and what follows from it."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.exceptions import LowCoverageError, LowCoverageWarning
from omitrans.preprocessing._columns import column_blocks

_SHOWN = 3


class CoverageLimits(NamedTuple):
    """Shares of observed probes below which a sample draws a warning, or is refused."""

    warn: float
    refuse: float


def blocks_of(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the values of a table in blocks that take little memory."""
    return (block for _, block in column_blocks(values))


def coverage_of(blocks: Iterable[np.ndarray], n_probes: int) -> np.ndarray:
    """Return the share of observed values of each sample, from blocks of its probes."""
    observed = [(~np.isnan(block)).sum(axis=1) for block in blocks]
    return np.sum(observed, axis=0) / n_probes


def coverage_report(
    coverage: np.ndarray, samples: Any, n_probes: int, limits: CoverageLimits, *, platform: Any
) -> pd.DataFrame:
    """Return what is observed of each sample, and what becomes of it."""
    status = np.select(
        [coverage < limits.refuse, coverage < limits.warn], ["refused", "low"], default="ok"
    )
    counts = np.rint(coverage * n_probes).astype(int)
    return pd.DataFrame(
        {"platform": platform, "n_probes": counts, "coverage": coverage, "status": status},
        index=samples,
    )


def judge_coverage(
    coverage: np.ndarray, samples: Any, n_probes: int, limits: CoverageLimits
) -> None:
    """Refuse samples of too low coverage, warn of low ones."""
    samples = np.arange(len(coverage)) if samples is None else samples
    refused = coverage < limits.refuse
    if refused.any():
        raise LowCoverageError(
            f"{refused.sum()} of {len(coverage)} samples hold less than "
            f"min_coverage={limits.refuse} of the model's {n_probes} probes: "
            f"{_worst(samples, coverage, refused)}. Leave them out (the harmonizer's report(X) "
            "lists them), or lower min_coverage."
        )
    low = coverage < limits.warn
    if low.any():
        warnings.warn(
            f"{low.sum()} of {len(coverage)} samples hold less than "
            f"warn_coverage={limits.warn} of the model's {n_probes} probes: "
            f"{_worst(samples, coverage, low)}. Missing ones are filled from the training samples.",
            LowCoverageWarning,
            stacklevel=6,
        )


def _worst(samples: Any, coverage: np.ndarray, chosen: np.ndarray) -> str:
    """Return the chosen samples of lowest coverage, readable in a message."""
    worst = np.argsort(np.where(chosen, coverage, np.inf), kind="stable")
    shown = worst[: min(_SHOWN, int(chosen.sum()))]
    more = ", ..." if chosen.sum() > _SHOWN else ""
    return ", ".join(f"{samples[i]} ({coverage[i]:.1%})" for i in shown) + more
