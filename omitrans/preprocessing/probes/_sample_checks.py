"""Checks that a sample holds enough probes of a model, in the unit of the training values."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.exceptions import LowCoverageError, LowCoverageWarning
from omitrans.utils._validation import check_beta_values

_SHOWN = 3


class CoverageLimits(NamedTuple):
    """Fractions of observed probes below which a sample causes a warning, or is refused."""

    warn: float
    refuse: float


def coverage_report(
    coverage: np.ndarray, samples: Any, n_probes: int, limits: CoverageLimits, *, platform: Any
) -> pd.DataFrame:
    """Return the platform, coverage and status of each sample."""
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
    """Raise an error for samples of too low coverage, and warn about samples of low coverage."""
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


def learn_unit(limits: np.ndarray, unit: str | None) -> str | None:
    """Return the unit of the training values; "auto" treats values in [0, 1] as betas."""
    if unit == "auto":
        unit = "beta" if limits[0] >= 0 and limits[1] <= 1 else None
    if unit == "beta":
        check_beta_values(limits)
    return unit


def check_unit(limits: np.ndarray, unit: str | None, training: np.ndarray) -> None:
    """Raise an error if the values of a new table do not have the unit of the training values.

    Parameters
    ----------
    limits : ndarray of shape (2,)
        Smallest and largest value of the table.
    unit : {"beta"} or None
        Unit of the training values; None if it is not known.
    training : ndarray of shape (2,)
        Smallest and largest training value.
    """
    if unit == "beta":
        check_beta_values(limits)
    elif training[0] < -1 and limits[0] >= 0 and limits[1] <= 1:
        raise ValueError(
            f"The values of X lie in [{limits[0]:.3g}, {limits[1]:.3g}] and look like betas, but "
            f"the training samples held values from {training[0]:.3g} to {training[1]:.3g}, such "
            "as M-values. Convert them with omitrans.preprocessing.beta_to_m."
        )


def _worst(samples: Any, coverage: np.ndarray, chosen: np.ndarray) -> str:
    """Return the chosen samples of lowest coverage as text for a message."""
    worst = np.argsort(np.where(chosen, coverage, np.inf), kind="stable")
    shown = worst[: min(_SHOWN, int(chosen.sum()))]
    more = ", ..." if chosen.sum() > _SHOWN else ""
    return ", ".join(f"{samples[i]} ({coverage[i]:.1%})" for i in shown) + more
