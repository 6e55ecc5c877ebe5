"""Fit the Gaussian model from which a generator of expression starts."""

from typing import Any

import numpy as np
import torch

from omitrans.baselines._gaussian_generator import folds_of_conditions
from omitrans.engine import PairedRows, WassersteinNet
from omitrans.solvers._cell_means import additive_design, choose_strengths, fit_cell_means
from omitrans.solvers._low_rank_covariance import fit_low_rank

SEED = 0  # of the folds and of random projections


def start_sizes(covariates: np.ndarray, n_categorical: int, n_factors: int) -> tuple[int, int]:
    """Return the numbers of factors and of combinations that the Gaussian model may have.

    Parameters
    ----------
    covariates : ndarray of shape (n_samples, n_covariates)
        Encoded covariates of all samples. The categorical covariates come first.
    n_categorical : int
        Number of categorical covariates.
    n_factors : int
        Largest number of factors.

    Returns
    -------
    n_factors, n_cells : int
        The numbers.
    """
    cells = np.unique(covariates[:, :n_categorical], axis=0)
    return min(n_factors, len(covariates) // 2), len(cells) if n_categorical else 0


def start_from_gaussian(groups: Any, net: WassersteinNet, rows: PairedRows) -> None:
    """Fit a Gaussian model to the training rows, and copy it into the network of a net.

    The means are those of :class:`~omitrans.baselines.GaussianGenerator`. The covariance keeps as
    many factors as the network has, and is that of the training rows: what a smaller rank or a
    correction for fitted means would change is left to the training.

    Parameters
    ----------
    groups : array-like of shape (n_samples,) or None
        Group of each row of the tables, for cross-validation.
    net : WassersteinNet
        A net whose network is a :class:`~omitrans.networks.wasserstein.GaussianStartMLP`.
    rows : PairedRows
        The training rows: encoded covariates, and profiles.
    """
    network: Any = net.module_
    device = network.offset.device
    covariates = rows.X[rows.rows].cpu().numpy().astype(np.float64)
    profiles = net.target_scaling_(rows.Y[rows.rows].to(device)).cpu().numpy()
    levels = [len(vectors) - 1 for vectors in network.levels]
    codes = covariates[:, : len(levels)].astype(np.int64)
    design = additive_design(codes, covariates[:, len(levels) :], levels)
    own_groups = None if groups is None else np.asarray(groups)[rows.rows.cpu().numpy()]
    folds = folds_of_conditions(codes, own_groups, SEED)
    penalty, prior = choose_strengths(design, codes, profiles, folds)
    means, residuals, _ = fit_cell_means(design, codes, profiles, penalty=penalty, prior=prior)
    rank = min(len(network.factors), len(residuals) - 1)
    factors, deviation = fit_low_rank(residuals, rank, n_free=len(residuals), seed=SEED)
    coef = np.asarray(means.coef, dtype=np.float64)
    offset = means.offset - means.centre @ coef
    ends = np.cumsum([n + 1 for n in levels])
    parts = np.split(coef, ends) if levels else [coef]
    tensors = {
        "offset": offset,
        "slopes": parts[-1],
        "cells": means.cells,
        "cell_effects": means.effects,
        "factors": factors,
        "deviation": deviation,
    }
    network.copy_model(
        levels=[torch.as_tensor(part) for part in parts[: len(levels)]],
        **{name: torch.as_tensor(np.asarray(values)) for name, values in tensors.items()},
    )
    net.restart_average()
