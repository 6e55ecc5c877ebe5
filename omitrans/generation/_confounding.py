"""Find out whether a covariate that is to be changed goes together with another covariate."""

import warnings

import numpy as np
import pandas as pd

from omitrans.exceptions import ConfoundedChangeWarning
from omitrans.utils._callers import user_level
from omitrans.utils._validation import holds_numbers

STRONG = 0.5  # association from which on two covariates count as confounded
SAMPLES_PER_LEVEL = 4  # a column with fewer names samples rather than groups them


def warn_of_confounding(
    covariates: pd.DataFrame, column: str, chosen: np.ndarray, held: list[str]
) -> None:
    """Warn of the covariates that go together with the changed one.

    Parameters
    ----------
    covariates : DataFrame of shape (n_samples, n_columns)
        Covariates of the samples that have either level.
    column : str
        The covariate that is changed.
    chosen : ndarray of bool of shape (n_samples,)
        True for the samples that have the second level.
    held : list of str
        Covariates within whose levels the contrast is taken.

    Warns
    -----
    ConfoundedChangeWarning
        If the levels of another covariate tell the changed covariate, in whole or in part.
    """
    for name in covariates.columns.drop([column, *held]):
        values = covariates[name]
        if holds_numbers(values):
            share = _explained_by_level(values.to_numpy(float, na_value=np.nan), chosen)
            if share > STRONG:
                _warn(
                    f"{column!r} goes together with {name!r}, whose mean differs between the two "
                    f"levels (R² = {share:.2f}). Compare samples of like {name!r}."
                )
            continue
        counts = pd.crosstab(values.astype(object).where(values.notna(), "missing"), chosen)
        if counts.shape[1] < 2 or len(values) < SAMPLES_PER_LEVEL * len(counts):
            continue
        both = (counts > 0).all(axis=1)
        if not both.any():
            _warn(
                f"{column!r} cannot be told from {name!r}: no level of {name!r} holds samples of "
                f"both levels ({_listed(counts)}). What the ranking shows may be due to either. "
                "Add samples of both levels from one of them."
            )
        elif (association := cramers_v(counts.to_numpy())) >= STRONG:
            _warn(
                f"{column!r} goes together with {name!r} (Cramér's V = {association:.2f}; "
                f"{_listed(counts)}). Take the contrast within its levels: within={name!r}."
            )


def cramers_v(counts: np.ndarray) -> float:
    """Return the bias-corrected Cramér's V of a table of counts.

    Parameters
    ----------
    counts : ndarray of int of shape (n_rows, n_columns)
        Number of samples for each pair of levels.

    Returns
    -------
    float
        Association between 0 and 1.

    References
    ----------
    W. Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", Journal of the Korean
    Statistical Society 42, 2013.
    """
    n = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi2 = np.sum((counts - expected) ** 2 / expected) / n
    r, c = counts.shape
    phi2 = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    r, c = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    return float(np.sqrt(phi2 / max(min(r, c) - 1, 1e-12)))


def _explained_by_level(values: np.ndarray, chosen: np.ndarray) -> float:
    """Return the share of the variance of a numeric covariate that lies between the two levels."""
    known = ~np.isnan(values)
    values, chosen = values[known], chosen[known]
    if len(values) < 3 or chosen.all() or not chosen.any() or np.ptp(values) == 0:
        return 0.0
    return float(np.corrcoef(values, chosen)[0, 1] ** 2)


def _listed(counts: pd.DataFrame) -> str:
    parts = [f"{level}: {row[False]} and {row[True]}" for level, row in counts.iterrows()]
    return "samples per level " + ", ".join(parts[:4]) + (", ..." if len(parts) > 4 else "")


def _warn(message: str) -> None:
    warnings.warn(message, ConfoundedChangeWarning, stacklevel=user_level())
