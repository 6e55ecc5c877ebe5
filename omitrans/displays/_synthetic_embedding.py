"""Map of real and generated samples, coloured by their covariates and by their origin."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import check_method, distinct_colors, get_panels, label_map, lay_out
from omitrans.exceptions import FeatureMismatchError
from omitrans.utils._validation import _some

ORIGIN = "origin"


class SyntheticEmbeddingDisplay:
    """Maps of real and generated samples together (Figure 4 of the paper).

    There is one panel for each covariate and one for the origin. Good samples lie among real ones
    with the same levels, and both origins are spread alike over the last panel.

    Parameters
    ----------
    places : ndarray of shape (n_samples, 2)
        Coordinates of the samples.
    labels : DataFrame of shape (n_samples, n_panels)
        The levels that colour each panel; the column ``origin`` holds "real" or "generated".
    method : {"tsne", "umap", "pca"}, default="tsne"
        Method that computed the coordinates, for the axis labels.

    Attributes
    ----------
    ax_ : list of matplotlib Axes
        Axes of the panels.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    omitrans.generation.audit_synthetic : Measures whether the two can be told apart.

    References
    ----------
    R. Viñas et al., "Adversarial generation of gene expression data",
    Bioinformatics 2021, Figure 4.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.displays import SyntheticEmbeddingDisplay
    >>> rng = np.random.default_rng(0)
    >>> covariates = pd.DataFrame({"tissue": ["lung", "liver"] * 10})
    >>> real, generated = rng.normal(size=(2, 20, 5))
    >>> display = SyntheticEmbeddingDisplay.from_tables(
    ...     real, generated, covariates, covariates, method="pca"
    ... )
    >>> list(display.labels.columns)
    ['tissue', 'origin']
    """

    def __init__(self, *, places: np.ndarray, labels: pd.DataFrame, method: str = "tsne") -> None:
        self.places = places
        self.labels = labels
        self.method = method

    @classmethod
    def from_tables(
        cls,
        real: Any,
        generated: Any,
        real_covariates: pd.DataFrame,
        generated_covariates: pd.DataFrame,
        *,
        columns: Sequence[str] | None = None,
        method: str = "tsne",
        random_state: Any = None,
        ax: Any = None,
    ) -> "SyntheticEmbeddingDisplay":
        """Compute one map of real and generated samples and draw it.

        Parameters
        ----------
        real, generated : array-like or DataFrame of shape (n_samples, n_genes)
            Expression of real and of generated samples, which may differ in number. Frames are
            matched by the names of the genes.
        real_covariates, generated_covariates : DataFrame of shape (n_samples, n_columns)
            Covariates of the samples of each table.
        columns : sequence of str, default=None
            Covariates that colour panels. None takes all categorical ones, three at most.
        method : {"tsne", "umap", "pca"}, default="tsne"
            Method that computes the map. "umap" needs the package umap-learn. t-SNE and UMAP start
            from the first 50 principal components.
        random_state : int, RandomState instance or None, default=None
            Seed of the random numbers of the map.
        ax : array-like of matplotlib Axes, default=None
            One axes for each covariate and one for the origin; None draws a new figure.

        Returns
        -------
        SyntheticEmbeddingDisplay
            The display.

        Raises
        ------
        FeatureMismatchError
            If the tables have other genes, or lack a covariate.
        MissingDependencyError
            If `method` is "umap" and umap-learn is absent.
        """
        check_method(method)
        if isinstance(real, pd.DataFrame) and isinstance(generated, pd.DataFrame):
            lacking = real.columns.difference(generated.columns)
            if len(lacking):
                raise FeatureMismatchError(
                    f"The generated samples lack {len(lacking)} of {real.shape[1]} genes "
                    f"({_some(lacking)})."
                )
            generated = generated[real.columns]
        if columns is None:
            text = real_covariates.select_dtypes(exclude="number").columns
            columns = [name for name in text if name in generated_covariates.columns][:3]
        for name in columns:
            if name not in real_covariates or name not in generated_covariates:
                raise FeatureMismatchError(
                    f"A table of covariates lacks {name!r}; the columns are "
                    f"{_some(real_covariates.columns, 8)}."
                )
        both = np.concatenate([np.asarray(real), np.asarray(generated)])
        labels = pd.concat(
            [real_covariates[list(columns)], generated_covariates[list(columns)]],
            ignore_index=True,
        )
        labels[ORIGIN] = np.repeat(["real", "generated"], [len(real), len(generated)])
        places = lay_out(both, method, random_state)
        return cls(places=places, labels=labels, method=method).plot(ax)

    def plot(self, ax: Any = None) -> "SyntheticEmbeddingDisplay":
        """Draw one panel for each covariate and one for the origin.

        Parameters
        ----------
        ax : array-like of matplotlib Axes, default=None
            One axes for each covariate and one for the origin; None draws a new figure.

        Returns
        -------
        SyntheticEmbeddingDisplay
            The display itself.
        """
        panels = get_panels(ax, self.labels.shape[1], n_columns=3, size=(4.4, 3.8))
        # in a random order no level hides the others
        order = np.random.default_rng(0).permutation(len(self.places))
        for name, panel in zip(self.labels, panels, strict=True):
            values = self.labels[name].astype(str).to_numpy()
            levels = sorted(set(values), reverse=name == ORIGIN)
            colors = dict(zip(levels, distinct_colors(len(levels)), strict=True))
            panel.scatter(*self.places[order].T, c=[colors[value] for value in values[order]], s=6)
            for level in levels:
                panel.scatter([], [], color=colors[level], s=16, label=level)
            panel.legend(
                title=name,
                fontsize=6 if len(levels) > 8 else 8,
                title_fontsize=8,
                ncols=1 + len(levels) // 14,
                loc="center left",
                bbox_to_anchor=(1, 0.5),
                frameon=False,
            )
            label_map(panel, self.method)
        self.ax_, self.figure_ = panels, panels[0].figure
        return self
