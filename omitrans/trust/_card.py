"""Trust card: what cross-validation says about the predictions of a model."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.metrics import r2_per_feature
from omitrans.trust._cross_fit import Fold, as_numbers


class CardTables(NamedTuple):
    """Tables from which a :class:`~omitrans.trust.TrustCard` is made."""

    genes: pd.DataFrame
    error_quantiles: np.ndarray
    coverage_curve: pd.DataFrame


def card_tables(
    Y: Any, folds: Sequence[Fold], *, shares: Sequence[float], names: np.ndarray, min_r2: float
) -> CardTables:
    """Return the cross-validated accuracy of each target.

    Parameters
    ----------
    Y : array-like, DataFrame or Series
        Real values of the targets.
    folds : sequence of Fold
        Folds with their predictions; each sample is in exactly one fold.
    shares : sequence of float
        Fractions of the probes for which the squared errors of the folds were summed; the first is
        1.
    names : ndarray of str
        Names of the targets.
    min_r2 : float
        R² above which a target is called predictable.

    Returns
    -------
    CardTables
        Tables of the trust card.
    """
    truth = as_numbers(Y)
    predicted = np.empty_like(folds[0].predicted, shape=truth.shape)
    for fold in folds:
        predicted[fold.rows] = fold.predicted
    spread = np.square(truth - truth.mean(axis=0, dtype=np.float64)).sum(axis=0)
    squared_errors = np.sum([fold.squared_errors for fold in folds], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = np.where(spread > 0, 1 - squared_errors / spread, np.nan)
    # of a target that never varied nothing is known, however well it is predicted
    r2 = np.where(spread > 0, np.asarray(r2_per_feature(truth, predicted)), np.nan)
    curve[0] = r2
    quantiles = conformal_quantiles(np.abs(truth - predicted))
    genes = pd.DataFrame(
        {
            "r2": r2,
            "n_samples": len(truth),
            "calibration_slope": _slopes(truth, predicted),
            "half_width": quantiles[int(np.searchsorted(LEVELS, STATED_LEVEL - 1e-9))],
            "predictable": r2 > min_r2,
        },
        index=pd.Index(names, name="target"),
    )
    return CardTables(
        genes, quantiles, pd.DataFrame(curve, pd.Index(shares, name="coverage"), names)
    )


def _slopes(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the slope of real on predicted values for each target; NaN if constant."""
    centred = predicted - predicted.mean(axis=0, dtype=np.float64)
    covariance = (centred * (truth - truth.mean(axis=0, dtype=np.float64))).sum(axis=0)
    spread = np.square(centred).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, covariance / spread, np.nan)


# errors are kept as their quantiles at these levels; a level between two takes the higher one
LEVELS = np.array(
    [*np.arange(5, 50, 5) / 100, *np.arange(50, 100) / 100, 0.995, 0.999], dtype=np.float64
)
STATED_LEVEL = 0.9
_ROUNDING = 1e-9


class TrustCard:
    """Table of how well a model predicts each target, measured by cross-validation.

    :class:`TrustedRegressor` makes the card from predictions for samples that were not used to fit
    the predicting model.

    Parameters
    ----------
    genes : DataFrame
        One row per target, with the columns ``r2`` (cross-validated; NaN where the target never
        varied), ``n_samples``, ``calibration_slope`` (the slope of the real on the predicted
        values; 1 is right, and below 1 the predictions are too extreme), ``half_width`` (half the
        width of the 90 % interval, in the unit of the target) and ``predictable``.
    error_quantiles : ndarray of shape (n_levels, n_targets)
        Quantiles of the absolute error of each target, at a fixed list of levels.
    coverage_curve : DataFrame
        R² of each target (column) when only a fraction of the probes (index, descending) is
        observed and the other probes are filled from the training samples.
    facts : dict
        Size of the cohort, units, and how the folds were made. ``n_groups`` is the number of
        groups, such as patients, whose samples were held out together, or None if samples were not
        grouped.

    See Also
    --------
    TrustedRegressor : Makes the trust card.
    omitrans.predict_frame : Computes intervals from the trust card.
    """

    def __init__(
        self,
        genes: pd.DataFrame,
        error_quantiles: np.ndarray,
        coverage_curve: pd.DataFrame,
        facts: dict[str, Any],
    ) -> None:
        self.genes = genes
        self.error_quantiles = error_quantiles
        self.coverage_curve = coverage_curve
        self.facts = facts

    def half_width(self, level: float = STATED_LEVEL) -> pd.Series:
        """Return half the width of the prediction interval of each target.

        Parameters
        ----------
        level : float, default=0.9
            Fraction of new samples of the same kind whose real value the interval should hold.

        Returns
        -------
        Series
            Half widths in the unit of the target; infinite where there are too few samples for the
            level.

        Raises
        ------
        ValueError
            If the level is not above 0 and at most 0.999.

        Notes
        -----
        The half width is conformal: it is the error of rank ``level * (n + 1)`` among the n
        cross-validated errors, interpolated linearly between two ranks. This assumes that new
        samples are of the same kind as the training cohort, but nothing about the distribution of
        the errors. A target that never varied in training, such as a gene that is not expressed
        there, has an interval of width 0: its `r2` is NaN, and it is not predictable.
        """
        if not isinstance(level, Real) or not 0 < level <= LEVELS[-1]:
            raise ValueError(
                f"intervals must be a level above 0 and at most {LEVELS[-1]}, such as 0.9 for 90 % "
                f"intervals; got {level!r}."
            )
        # rounding: 0.57 is a level, and not one below 0.5700000000000001
        row = int(np.searchsorted(LEVELS, level - _ROUNDING))
        return pd.Series(self.error_quantiles[row], index=self.genes.index, name="half_width")

    def expected_r2(self, coverage: float) -> pd.Series:
        """Return the expected R² of each target when only a fraction of the probes is observed.

        Parameters
        ----------
        coverage : float
            Fraction of observed probes, as :meth:`omitrans.preprocessing.ArrayHarmonizer.report`
            returns it.

        Returns
        -------
        Series
            Expected R², interpolated in :attr:`coverage_curve`; below its last fraction, the value
            there.

        Raises
        ------
        ValueError
            If the fraction is not between 0 and 1.
        """
        if not 0 <= coverage <= 1:
            raise ValueError(f"coverage is a share between 0 and 1, such as 0.8; got {coverage!r}.")
        shares = self.coverage_curve.index.to_numpy(dtype=float)[::-1]
        curve = self.coverage_curve.to_numpy()[::-1]
        place = float(np.interp(coverage, shares, np.arange(len(shares))))
        low, weight = int(place), place % 1
        values = curve[low] if not weight else (1 - weight) * curve[low] + weight * curve[low + 1]
        return pd.Series(values, index=self.coverage_curve.columns, name="expected_r2")

    def summary(self) -> dict[str, Any]:
        """Return the facts and the main numbers as plain data.

        Returns
        -------
        dict
            Facts and numbers in types that JSON can hold.
        """
        r2 = self.genes["r2"]
        curve = self.coverage_curve.median(axis=1)
        return self.facts | {
            "n_targets": len(self.genes),
            "n_predictable": int(self.genes["predictable"].sum()),
            "median_r2": _plain(r2.median()),
            "mean_r2": _plain(r2.mean()),
            "median_half_width_90": _plain(self.genes["half_width"].median()),
            "median_r2_by_coverage": {f"{share:g}": _plain(r2) for share, r2 in curve.items()},
        }

    def __repr__(self) -> str:
        return (
            f"<TrustCard: {int(self.genes['predictable'].sum())} of {len(self.genes)} targets "
            f"predictable, median R² {self.genes['r2'].median():.3f}, "
            f"{self.facts.get('n_samples', '?')} samples>"
        )


def conformal_quantiles(errors: np.ndarray) -> np.ndarray:
    """Return quantiles of absolute errors for finite samples, at the kept levels.

    Parameters
    ----------
    errors : ndarray of shape (n_samples, n_targets)
        Absolute errors; the array is sorted in place.

    Returns
    -------
    ndarray of shape (n_levels, n_targets), float32
        Quantiles; infinite at levels for which there are too few samples.
    """
    errors.sort(axis=0)
    quantiles = np.full((len(LEVELS), errors.shape[1]), np.inf, dtype=np.float32)
    for row, rank in enumerate(LEVELS * (len(errors) + 1)):
        if rank > len(errors) + _ROUNDING:
            break
        # between two ranks: the next one alone would hold too much of a small cohort
        low, weight = int(rank + _ROUNDING), max(rank - int(rank + _ROUNDING), 0.0)
        high = min(low, len(errors) - 1)
        quantiles[row] = (1 - weight) * errors[max(low - 1, 0)] + weight * errors[high]
    return quantiles


def _plain(number: float) -> float | None:
    """Return a float that JSON can hold; None if the number is not finite."""
    return float(number) if np.isfinite(number) else None
