"""What the figures of an audit draw: a few correlations, and a map of the samples."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from omitrans.generation._tables import AuditTables

_MAX_GENES = 18
_MAX_SAMPLES = 1000
_MAX_COVARIATES = 3
_MAX_LEVELS = 12  # a legend of more has no room


class AuditSketch(NamedTuple):
    """Small tables for the figures of a report.

    Attributes
    ----------
    correlations : dict of str to DataFrame of shape (n_genes, n_genes)
        Correlations between the most variable genes, in real test samples and in synthetic ones.
    places : ndarray of shape (n_samples, 2)
        The first two principal components of real test samples and of synthetic ones.
    labels : DataFrame of shape (n_samples, n_covariates + 1)
        Covariates with few levels of these samples, and their ``origin``, "real" or "generated".
    """

    correlations: dict[str, pd.DataFrame]
    places: np.ndarray
    labels: pd.DataFrame


def sketch(tables: AuditTables, spread: pd.Series, seed: int) -> AuditSketch | None:
    """Compute what the figures draw.

    Parameters
    ----------
    tables : AuditTables
        The tables.
    spread : Series
        Variance of each gene in the training samples.
    seed : int
        Seed of the choice of samples, if there are many.

    Returns
    -------
    AuditSketch or None
        The tables; None if fewer than two genes vary.
    """
    genes = spread.loc[tables.genes].nlargest(_MAX_GENES).index
    if len(genes) < 2:
        return None
    parts = {"real test samples": tables.test, "synthetic samples": tables.synthetic}
    columns = pd.Index(tables.genes).get_indexer(genes)
    correlations = {
        name: pd.DataFrame(part[0][:, columns], columns=genes.astype(str)).corr()
        for name, part in parts.items()
    }
    few = [name for name, levels in tables.test.labels.items() if levels.nunique() <= _MAX_LEVELS]
    random = np.random.default_rng(seed)
    values, labels = [], []
    for origin, part in zip(("real", "generated"), parts.values(), strict=True):
        rows = random.permutation(len(part.values))[:_MAX_SAMPLES]
        values.append(part[0][rows])
        labels.append(part.labels[few[:_MAX_COVARIATES]].iloc[rows].assign(origin=origin))
    places = PCA(2, random_state=seed).fit_transform(np.concatenate(values))
    return AuditSketch(correlations, places, pd.concat(labels, ignore_index=True))
