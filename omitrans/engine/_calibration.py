"""Rescaling and clipping of generated profiles to what the training rows show."""

import numpy as np
import torch

from omitrans.engine._data import PairedRows
from omitrans.engine._generate import generate_profiles
from omitrans.engine._scaling import FeatureScaling
from omitrans.engine._wasserstein import WassersteinNet
from omitrans.utils._blocks import MODEL_VALUES, rows_per_block

Pair = tuple[np.ndarray, np.ndarray]

N_DRAWS = 1000


def complement(rows: PairedRows) -> PairedRows:
    """Return the rows of the tables that are not among `rows`; all of them if none are left.

    Parameters
    ----------
    rows : PairedRows
        The validation rows, or all rows if none were set aside.

    Returns
    -------
    PairedRows
        The training rows.
    """
    others = torch.ones(len(rows.X), dtype=torch.bool)
    others[rows.rows] = False
    return PairedRows(rows.X, rows.Y, torch.arange(len(others))[others]) if others.any() else rows


def moment_matching(net: WassersteinNet, training: PairedRows) -> Pair:
    """Return a line for each gene that gives generated values the training mean and deviation.

    Parameters
    ----------
    net : WassersteinNet
        A trained net.
    training : PairedRows
        The training rows. Covariates of randomly chosen ones are used to generate 1,000 profiles.

    Returns
    -------
    slope, offset : ndarray of shape (n_genes,), float64
        A generated value v becomes ``slope * v + offset``.
    """
    random = np.random.default_rng(0)
    chosen = training.rows[torch.from_numpy(random.integers(len(training), size=N_DRAWS))]
    covariates = training.X[chosen.to(training.X.device)].cpu().numpy()
    net.module_.eval()
    values = generate_profiles(net, covariates, random, np.dtype(np.float32))
    generated = torch.from_numpy(values)
    moments = []
    for table, rows in ((generated, torch.arange(N_DRAWS)), (training.Y, training.rows)):
        scaling = FeatureScaling(table.shape[1], "standard")
        scaling.learn(table, rows)
        moments.append((scaling.shift.double().numpy(), scaling.scale.double().numpy()))
    (mean, sd), (wanted_mean, wanted_sd) = moments
    slope = wanted_sd / sd
    return slope, wanted_mean - slope * mean


def value_range(rows: PairedRows) -> Pair:
    """Return the smallest and the largest value of each target feature over some rows.

    Parameters
    ----------
    rows : PairedRows
        The rows.

    Returns
    -------
    low, high : ndarray of shape (n_genes,)
        The values.
    """
    blocks = rows.rows.to(rows.Y.device).split(rows_per_block(rows.Y.shape[1], MODEL_VALUES))
    low = torch.stack([rows.Y[block].amin(0) for block in blocks]).amin(0)
    high = torch.stack([rows.Y[block].amax(0) for block in blocks]).amax(0)
    return low.cpu().numpy(), high.cpu().numpy()


def calibrated(values: np.ndarray, line: Pair | None, limits: Pair | None) -> np.ndarray:
    """Rescale, then clip generated profiles, in place.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_genes)
        Generated profiles.
    line : (slope, offset) or None
        Result of :func:`moment_matching`; None does not rescale.
    limits : (low, high) or None
        Result of :func:`value_range`; None does not clip.

    Returns
    -------
    ndarray of shape (n_rows, n_genes)
        The same array.
    """
    if line is not None:
        values *= line[0].astype(values.dtype)
        values += line[1].astype(values.dtype)
    if limits is not None:
        low, high = (bound.astype(values.dtype) for bound in limits)
        np.clip(values, low, high, out=values)
    return values
