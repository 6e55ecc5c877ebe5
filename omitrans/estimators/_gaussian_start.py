"""Fit the Gaussian model from which a generator of expression starts."""

from typing import Any

import numpy as np
import torch

from omitrans.baselines._gaussian_generator import folds_of_conditions
from omitrans.engine import PairedRows, WassersteinNet
from omitrans.solvers._cell_means import additive_design, choose_strengths, fit_cell_means
from omitrans.solvers._class_covariance import (
    FEWEST,
    Residuals,
    choose_class_prior,
    fit_classes,
    held_out_residuals,
    mix,
)
from omitrans.solvers._low_rank_covariance import LowRankCovariance, fit_low_rank

SEED = 0  # of the folds and of random projections
START_SIZES = ("n_factors", "n_cells", "n_classes", "n_class_factors")
MAX_CLASS_FACTORS = 16  # each class has its own, so they take much memory


def start_sizes(covariates: np.ndarray, n_categorical: int, n_factors: int) -> dict[str, int]:
    """Return how large the Gaussian model may be.

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
    dict of str to int
        Numbers of factors, of combinations of categories, of classes with a covariance of their
        own, and of the factors of these, by the names of `START_SIZES`.
    """
    n_factors = min(n_factors, len(covariates) // 2)
    counts = np.empty(0, dtype=int)
    if n_categorical:
        counts = np.unique(covariates[:, :n_categorical], axis=0, return_counts=True)[1]
    n_classes = int(np.count_nonzero(counts >= FEWEST)) if len(counts) > 1 else 0
    n_own = min(MAX_CLASS_FACTORS, n_factors, int(counts.max()) - 1) if n_classes else 0
    return dict(zip(START_SIZES, (n_factors, len(counts), n_classes, n_own), strict=True))


def start_from_gaussian(groups: Any, net: WassersteinNet, rows: PairedRows) -> None:
    """Fit a Gaussian model to the training rows, and copy it into the network of a net.

    The means are those of :class:`~omitrans.baselines.GaussianGenerator`, and so is the choice of
    how far classes have covariances of their own. The covariances keep as many factors as the
    network has, and are those of the training rows: what a smaller rank or a correction for fitted
    means would change is left to the training.

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
    shared = fit_low_rank(residuals, rank, n_free=len(residuals), seed=SEED)
    own: dict[str, Any] = {}
    if len(network.classes):
        strengths = {"penalty": penalty, "prior": prior}
        parts = (held_out_residuals(design, codes, profiles, strengths, fold) for fold in folds)
        class_prior = choose_class_prior(parts, rank, seed=SEED)
        if np.isfinite(class_prior):
            own = _own_covariances(network, Residuals(codes, residuals), shared, class_prior)
    coef = np.asarray(means.coef, dtype=np.float64)
    offset = means.offset - means.centre @ coef
    ends = np.cumsum([n + 1 for n in levels])
    parts_of_coef = np.split(coef, ends) if levels else [coef]
    tensors = {
        "offset": offset,
        "slopes": parts_of_coef[-1],
        "cells": means.cells,
        "cell_effects": means.effects,
        "factors": shared.factors,
        "deviation": shared.deviation,
    }
    network.copy_model(
        levels=[torch.as_tensor(part) for part in parts_of_coef[: len(levels)]],
        **{name: torch.as_tensor(np.asarray(values)) for name, values in tensors.items()},
        **own,
    )
    net.restart_average()


def _own_covariances(
    network: Any, residuals: Residuals, shared: LowRankCovariance, class_prior: float
) -> dict[str, Any]:
    """Return what the network is to know of the covariances of classes."""
    n_factors = network.class_factors.shape[1]
    classes, counts, covariances = fit_classes(residuals, n_factors, share_free=1.0, seed=SEED)
    shares = counts / (counts + class_prior)
    mixed = [mix(own, shared, share) for own, share in zip(covariances, shares, strict=True)]
    return {
        "classes": torch.as_tensor(classes),
        "class_shares": torch.as_tensor(shares),
        "class_factors": [torch.as_tensor(own.factors) for own in covariances],
        "class_deviation": torch.as_tensor(np.array([each.deviation for each in mixed])),
    }
