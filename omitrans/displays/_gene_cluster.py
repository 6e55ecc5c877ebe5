"""Clusters of genes in real and in generated expression, and how many genes they share."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from omitrans.displays._style import get_axes
from omitrans.exceptions import FeatureMismatchError
from omitrans.solvers._gene_clusters import cluster_genes, match_clusters
from omitrans.utils._validation import _some


class GeneClusterDisplay:
    """Genes that clusters of real and of generated expression share (Figure 3 of the paper).

    Genes are clustered in each table by k-means, and the clusters are matched one to one so that
    they share as many genes as possible. Compare with the display of two tables of real samples:
    their clusters share less than all genes, too, the fewer samples there are.

    Parameters
    ----------
    shared : ndarray of int of shape (n_clusters, n_clusters)
        Number of genes that each real cluster (row) shares with each generated one (column).

    Attributes
    ----------
    share_ : float
        Share of the genes in clusters that belong together.
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    omitrans.generation.audit_synthetic : Compares this share with that of real training samples.

    References
    ----------
    R. Viñas et al., "Adversarial generation of gene expression data",
    Bioinformatics 2021, Figure 3.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.displays import GeneClusterDisplay
    >>> rng = np.random.default_rng(0)
    >>> real = pd.DataFrame(np.repeat(rng.normal(size=(30, 2)), 5, axis=1)).add_prefix("gene")
    >>> display = GeneClusterDisplay.from_tables(real, real, n_clusters=2, random_state=0)
    >>> display.shared.tolist(), display.share_
    ([[5, 0], [0, 5]], 1.0)
    """

    def __init__(self, shared: np.ndarray) -> None:
        self.shared = shared

    @classmethod
    def from_tables(
        cls,
        real: pd.DataFrame,
        generated: pd.DataFrame,
        *,
        n_clusters: int = 10,
        random_state: Any = None,
        ax: Any = None,
    ) -> "GeneClusterDisplay":
        """Cluster the genes of both tables and draw how many genes the clusters share.

        Parameters
        ----------
        real, generated : DataFrame of shape (n_samples, n_genes)
            Expression of real and of generated samples, which may differ in number. The genes may
            stand in any order.
        n_clusters : int, default=10
            Number of clusters in each table.
        random_state : int, RandomState instance or None, default=None
            Seed of k-means.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        GeneClusterDisplay
            The display.

        Raises
        ------
        FeatureMismatchError
            If the tables hold other genes.
        TypeError
            If a table is not a DataFrame.
        ValueError
            If there are more clusters than genes.
        """
        for name, table in (("real", real), ("generated", generated)):
            if not isinstance(table, pd.DataFrame):
                raise TypeError(
                    f"{name} must be a DataFrame with genes as columns; got {type(table).__name__}."
                )
        lacking = real.columns.symmetric_difference(generated.columns)
        if len(lacking):
            raise FeatureMismatchError(
                f"Both tables must hold the same genes; {len(lacking)} are in one of them only "
                f"({_some(lacking)})."
            )
        if not 2 <= n_clusters <= real.shape[1]:
            raise ValueError(
                f"n_clusters must be between 2 and the number of genes, {real.shape[1]}; got "
                f"{n_clusters}."
            )
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        first, second = (
            cluster_genes(table.to_numpy(dtype=float), n_clusters, seed)
            for table in (real, generated[real.columns])
        )
        return cls(match_clusters(first, second)).plot(ax)

    def plot(self, ax: Any = None) -> "GeneClusterDisplay":
        """Draw a row per real cluster, a column per generated one, and the numbers of genes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        GeneClusterDisplay
            The display itself.
        """
        n_clusters = len(self.shared)
        side = 1.8 + 0.42 * n_clusters
        ax = get_axes(ax, figsize=(side + 0.8, side))
        share = self.shared / np.maximum(self.shared.sum(axis=1, keepdims=True), 1)
        ax.imshow(share, vmin=0, vmax=1, cmap="Blues")
        for (i, j), count in np.ndenumerate(self.shared):
            if count:
                color = "white" if share[i, j] > 0.6 else "black"
                ax.text(j, i, count, ha="center", va="center", fontsize=7, color=color)
        self.share_ = float(np.trace(self.shared) / max(self.shared.sum(), 1))
        numbers = range(1, n_clusters + 1)
        ax.set_xticks(range(n_clusters), numbers)
        ax.set_yticks(range(n_clusters), numbers)
        ax.set(
            xlabel="cluster of generated expression",
            ylabel="cluster of real expression",
            title=f"{self.share_:.0%} of the genes are in matching clusters",
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self
