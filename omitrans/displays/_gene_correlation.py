"""Correlations between genes in real and in generated expression, with their dendrograms."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import dendrogram, linkage
from scipy.spatial.distance import squareform

from omitrans.displays._style import get_panels, named
from omitrans.exceptions import FeatureMismatchError
from omitrans.utils._validation import _some

MAX_GENES = 60  # more cannot be read


class GeneCorrelationDisplay:
    """Correlation matrices and dendrograms of several tables (Figure 2 of the paper).

    All matrices have the genes in the order of the first table's dendrogram, so that they can be
    compared square by square.

    Parameters
    ----------
    correlations : dict of str to DataFrame of shape (n_genes, n_genes)
        Correlations between the same genes in each table, by the name of the table.

    Attributes
    ----------
    ax_ : list of matplotlib Axes
        Axes of the matrices, of the dendrograms, and of the colour scale.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    omitrans.metrics.s_dist : Compares the correlations of all genes in one number.
    omitrans.metrics.s_dend : Compares the dendrograms.

    References
    ----------
    R. Viñas et al., "Adversarial generation of gene expression data",
    Bioinformatics 2021, Figure 2.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.displays import GeneCorrelationDisplay
    >>> rng = np.random.default_rng(0)
    >>> real = pd.DataFrame(rng.normal(size=(30, 4)), columns=["TP53", "EGFR", "MYC", "KRAS"])
    >>> display = GeneCorrelationDisplay.from_tables({"real": real, "generated": real + 1})
    >>> list(display.correlations)
    ['real', 'generated']
    """

    def __init__(self, correlations: dict[str, pd.DataFrame]) -> None:
        self.correlations = correlations

    @classmethod
    def from_tables(
        cls,
        tables: dict[str, pd.DataFrame],
        *,
        genes: Sequence[str] | None = None,
        names: Any = None,
        ax: Any = None,
    ) -> "GeneCorrelationDisplay":
        """Compute the correlations of some genes in each table and draw them.

        Parameters
        ----------
        tables : dict of str to DataFrame of shape (n_samples, n_genes)
            Expression by the name of the table, such as "real" and "generated".
        genes : sequence of str, default=None
            Genes to draw. None takes the genes of the first table; there may be 60 at most.
        names : Series or dict, default=None
            Names of genes by their ids, such as gene symbols, to draw instead of the ids.
        ax : array-like of matplotlib Axes, default=None
            Two axes for each table; None draws a new figure.

        Returns
        -------
        GeneCorrelationDisplay
            The display.

        Raises
        ------
        FeatureMismatchError
            If a table lacks a gene.
        ValueError
            If there are fewer than 2 genes, or more than 60.
        """
        first = next(iter(tables.values()))
        genes = list(first.columns if genes is None else genes)
        if not 2 <= len(genes) <= MAX_GENES:
            raise ValueError(
                f"Between 2 and {MAX_GENES} genes can be drawn; found {len(genes)}. Name some with "
                "genes=."
            )
        correlations, labels = {}, named(genes, names)
        for name, table in tables.items():
            lacking = [gene for gene in genes if gene not in table.columns]
            if lacking:
                raise FeatureMismatchError(
                    f"The table {name!r} lacks {len(lacking)} of {len(genes)} genes "
                    f"({_some(lacking)})."
                )
            correlation = table[genes].corr()
            correlations[name] = correlation.set_axis(labels, axis=0).set_axis(labels, axis=1)
        return cls(correlations).plot(ax)

    def plot(self, ax: Any = None) -> "GeneCorrelationDisplay":
        """Draw a matrix and, below it, a dendrogram for each table.

        Parameters
        ----------
        ax : array-like of matplotlib Axes, default=None
            Two axes for each table, all matrices before all dendrograms; None draws a new figure.

        Returns
        -------
        GeneCorrelationDisplay
            The display itself.
        """
        n_tables = len(self.correlations)
        panels = get_panels(ax, 2 * n_tables, n_columns=n_tables, size=(3.4, 3.0))
        trees = [_complete_linkage(table) for table in self.correlations.values()]
        order = dendrogram(trees[0], no_plot=True)["leaves"]
        for (name, table), panel in zip(self.correlations.items(), panels, strict=False):
            image = panel.imshow(
                table.to_numpy()[np.ix_(order, order)], vmin=-1, vmax=1, cmap="RdBu_r"
            )
            labels = table.columns[order]
            panel.set_xticks(range(len(labels)), labels, rotation=90, fontsize=7)
            panel.set_yticks(range(len(labels)), labels, fontsize=7)
            panel.set(title=name, xlabel="genes")
        scale = panels[0].figure.colorbar(image, ax=panels[n_tables - 1], shrink=0.8)
        scale.set_label("correlation")
        for tree, table, panel in zip(
            trees, self.correlations.values(), panels[n_tables:], strict=True
        ):
            dendrogram(
                tree,
                ax=panel,
                labels=list(table.columns),
                color_threshold=0,
                above_threshold_color="0.3",
                leaf_rotation=90,
                leaf_font_size=7,
            )
            panel.set_ylabel("1 − correlation")
            for side in ("top", "right", "bottom"):
                panel.spines[side].set_visible(False)
        self.ax_, self.figure_ = [*panels, scale.ax], panels[0].figure
        return self


def _complete_linkage(correlation: pd.DataFrame) -> np.ndarray:
    """Return the dendrogram of genes; a gene that never changes is unlike all others."""
    distance = 1 - correlation.to_numpy(copy=True)
    np.nan_to_num(distance, copy=False, nan=1.0)
    np.fill_diagonal(distance, 0)
    return linkage(squareform(distance, checks=False), "complete")
