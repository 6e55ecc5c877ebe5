"""The share that networks earn beside a backbone, on samples that neither was trained on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from omitrans.utils._blocks import row_blocks

_PRIOR_WEIGHT = 3.0  # a target counts as much as the pooled share where it moves thrice the mean
_TARGETS_A_BLOCK = 1024


class FoldSums(NamedTuple):
    """Sums over the held-out samples of one fold, for each target.

    With ``d`` the distance from the backbone to the network, and ``r`` that from the backbone to
    the truth, both in standard deviations of the target: sums of ``d * r`` and of ``d * d``.
    """

    towards: np.ndarray
    moved: np.ndarray

    @property
    def share(self) -> float:
        """Share of the network, one for all targets, with the lowest squared error in the fold."""
        return _ratio(float(self.towards.sum()), float(self.moved.sum()))


def target_deviations(target: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each target; infinity for targets that are constant.

    Parameters
    ----------
    target : ndarray of shape (n_samples, n_targets)
        The targets.

    Returns
    -------
    ndarray of shape (n_targets,)
        Standard deviations in float64.
    """
    deviations = np.empty(target.shape[1])
    for columns in gen_batches(target.shape[1], _TARGETS_A_BLOCK):
        block = target[:, columns].astype(np.float64)
        constant = block.min(axis=0) == block.max(axis=0)
        deviations[columns] = np.where(constant, np.inf, block.std(axis=0))
    deviations[deviations == 0] = np.inf  # the square of the deviation is below all numbers
    return deviations


def fold_sums(
    target: np.ndarray, backbone: np.ndarray, network: np.ndarray, deviations: np.ndarray
) -> FoldSums:
    """Compare the predictions of held-out samples with the truth.

    Parameters
    ----------
    target, backbone, network : ndarray of shape (n_samples, n_targets)
        True values, and the predictions of both models, which did not see these samples.
    deviations : ndarray of shape (n_targets,)
        Standard deviations of the targets, as :func:`target_deviations` returns them.

    Returns
    -------
    FoldSums
        The sums.
    """
    towards, moved = np.zeros(len(deviations)), np.zeros(len(deviations))
    for rows in row_blocks(len(target), len(deviations)):
        base = backbone[rows].astype(np.float64)
        step = (network[rows] - base) / deviations
        towards += (step * ((target[rows] - base) / deviations)).sum(axis=0)
        moved += (step * step).sum(axis=0)
    return FoldSums(towards, moved)


def earned_shares(folds: Sequence[FoldSums]) -> np.ndarray:
    """Return the share of the networks in the prediction of each target.

    The share is that with the lowest squared error on the held-out samples. One share for all
    targets is shrunk towards 0 as far as folds disagree about it; the share of each target is drawn
    towards it, the more, the less the networks move the predictions of the target.

    Parameters
    ----------
    folds : sequence of FoldSums
        Sums of each fold.

    Returns
    -------
    ndarray of shape (n_targets,)
        Shares between 0 and 1. All are 0 if the one share for all targets is.
    """
    towards = np.sum([fold.towards for fold in folds], axis=0)
    moved = np.sum([fold.moved for fold in folds], axis=0)
    pooled = _agreed_share([fold.share for fold in folds], FoldSums(towards, moved).share)
    prior = _PRIOR_WEIGHT * moved.mean()
    if pooled == 0 or not np.isfinite(prior):
        return np.zeros(len(moved))
    shares = np.clip((towards + prior * pooled) / (moved + prior), 0.0, 1.0)
    return np.where(moved > 0, shares, 0.0)  # constant targets do not move


def _agreed_share(by_fold: list[float], pooled: float) -> float:
    """Shrink the share of all folds by the variance of its estimate, which the folds show."""
    if pooled <= 0 or not np.isfinite(pooled):
        return 0.0
    variance = np.var(by_fold, ddof=1) / len(by_fold) if len(by_fold) > 1 else 0.0
    return float(np.clip(pooled * max(0.0, 1.0 - variance / pooled**2), 0.0, 1.0))


def _ratio(towards: float, moved: float) -> float:
    return towards / moved if moved > 0 else 0.0
