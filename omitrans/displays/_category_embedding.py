"""Map of what an imputer has learned about the categories of a covariate, in two dimensions."""

from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import check_method, distinct_colors, get_axes, label_map, lay_out


class CategoryEmbeddingDisplay:
    """Map of the learned vectors of a covariate's categories (Figure 3 of the PMI paper).

    Categories with a similar effect on expression, such as the tissues of the brain, should lie
    close together. With few samples per category the map says little.

    Parameters
    ----------
    places : DataFrame of shape (n_categories, 2)
        Coordinates of the categories, indexed by category.
    families : array-like of shape (n_categories,), default=None
        Family of each category; families differ in colour.
    method : {"pca", "tsne", "umap"}, default="pca"
        Method that computed the coordinates, for the axis labels.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    omitrans.PMIImputer.category_embedding : Returns the learned vectors.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    Frontiers in Genetics 12, 2021, Figure 3.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.displays import CategoryEmbeddingDisplay
    >>> vectors = pd.DataFrame([[0.1, 0.0, 0.3], [0.2, 0.0, 0.3], [-0.9, 0.4, 0.0]])
    >>> vectors.index = ["Cortex", "Cerebellum", "Liver"]
    >>> display = CategoryEmbeddingDisplay.from_embedding(
    ...     vectors, families={"Cortex": "brain", "Cerebellum": "brain", "Liver": "liver"}
    ... )
    >>> display.places.shape
    (3, 2)
    """

    def __init__(self, places: pd.DataFrame, *, families: Any = None, method: str = "pca") -> None:
        self.places = places
        self.families = families
        self.method = method

    @classmethod
    def from_embedding(
        cls,
        embedding: pd.DataFrame,
        *,
        families: Any = None,
        method: str = "pca",
        random_state: Any = None,
        ax: Any = None,
    ) -> "CategoryEmbeddingDisplay":
        """Compute a map of the vectors of categories and draw it.

        Parameters
        ----------
        embedding : DataFrame of shape (n_categories, n_dimensions)
            One vector per category, as the method ``category_embedding`` of an imputer returns
            them.
        families : dict or Series, default=None
            Family of each category; families differ in colour.
        method : {"pca", "tsne", "umap"}, default="pca"
            Method that computes the map. "umap", as in the paper, needs the package umap-learn.
        random_state : int, RandomState instance or None, default=None
            Seed of the random numbers of the map.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        CategoryEmbeddingDisplay
            The display.

        Raises
        ------
        MissingDependencyError
            If `method` is "umap" and umap-learn is absent.
        ValueError
            If there are fewer than three categories, one has no family, or the method is unknown.
        """
        check_method(method)
        if len(embedding) < 3:
            raise ValueError(f"A map needs at least 3 categories; found {len(embedding)}.")
        if families is not None:
            families = pd.Series(families).reindex(embedding.index)
            if families.isna().any():
                lacking = list(families.index[families.isna()])
                raise ValueError(f"families has no entry for {lacking}. Give every category one.")
            families = families.to_numpy()
        places = lay_out(embedding.to_numpy(), method, random_state)
        display = cls(pd.DataFrame(places, embedding.index), families=families, method=method)
        return display.plot(ax)

    @classmethod
    def from_imputer(
        cls, imputer: Any, covariate: Any = None, **options: Any
    ) -> "CategoryEmbeddingDisplay":
        """Compute a map of what a fitted imputer has learned about a covariate and draw it.

        Parameters
        ----------
        imputer : PMIImputer or GAINImputer
            Fitted imputer with a categorical covariate.
        covariate : str or int, default=None
            Covariate whose categories are drawn; may be None if there is only one.
        **options
            Further parameters of :meth:`from_embedding`.

        Returns
        -------
        CategoryEmbeddingDisplay
            The display.
        """
        return cls.from_embedding(imputer.category_embedding(covariate), **options)

    def plot(self, ax: Any = None) -> "CategoryEmbeddingDisplay":
        """Draw one named point per category.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        CategoryEmbeddingDisplay
            The display itself.
        """
        ax = get_axes(ax, figsize=(7.2, 5.2))
        families = [""] * len(self.places) if self.families is None else list(self.families)
        known = sorted(set(families))
        for family, color in zip(known, distinct_colors(len(known)), strict=True):
            rows = np.array([name == family for name in families])
            ax.scatter(*self.places.to_numpy()[rows].T, s=26, color=color, label=family)
        for name, place in zip(self.places.index, self.places.to_numpy(), strict=True):
            ax.annotate(
                str(name), place, xytext=(4, 3), textcoords="offset points", fontsize="x-small"
            )
        if self.families is not None:
            ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="small")
        ax.margins(x=0.15)
        label_map(ax, self.method)
        self.ax_, self.figure_ = ax, ax.figure
        return self
