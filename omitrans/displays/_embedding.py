"""Map of real and predicted profiles together, in two dimensions."""

from typing import Any

import numpy as np

from omitrans.displays._style import check_method, distinct_colors, get_axes, label_map, lay_out
from omitrans.metrics._tables import check_tables

_KINDS = {"real": "o", "predicted": "x"}


class EmbeddingDisplay:
    """Map of real and predicted profiles of the same samples (the paper's Figures 8 and 9).

    If a model predicts well, both profiles of a sample lie near each other and among samples of the
    same kind. The maps of t-SNE and UMAP keep neighbours, not distances. Predictions that are
    always the mean form a separate cluster.

    Parameters
    ----------
    real, predicted : ndarray of shape (n_samples, 2)
        Coordinates of the real and of the predicted profiles.
    labels : array-like of shape (n_samples,), default=None
        Kind of each sample, such as its cancer type; kinds differ in colour.
    method : {"tsne", "umap", "pca"}, default="tsne"
        Method that computed the coordinates, for the axis labels.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    GenePredictionDisplay : Predicted against real values of single genes.

    References
    ----------
    The OmiTrans preprint, Figures 8 and 9.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.displays import EmbeddingDisplay
    >>> rng = np.random.default_rng(0)
    >>> types = np.repeat(["BRCA", "LIHC"], 20)
    >>> Y_true = rng.normal(size=(40, 30)) + 3.0 * (types == "LIHC")[:, None]
    >>> Y_pred = Y_true + rng.normal(size=Y_true.shape)
    >>> display = EmbeddingDisplay.from_predictions(
    ...     Y_true, Y_pred, labels=types, method="pca", random_state=0
    ... )
    >>> display.real.shape
    (40, 2)
    """

    def __init__(
        self,
        *,
        real: np.ndarray,
        predicted: np.ndarray,
        labels: Any = None,
        method: str = "tsne",
    ) -> None:
        self.real = real
        self.predicted = predicted
        self.labels = labels
        self.method = method

    @classmethod
    def from_predictions(
        cls,
        Y_true: Any,
        Y_pred: Any,
        *,
        labels: Any = None,
        method: str = "tsne",
        random_state: Any = None,
        ax: Any = None,
        **plot_options: Any,
    ) -> "EmbeddingDisplay":
        """Compute one map of real and predicted profiles and draw it.

        Parameters
        ----------
        Y_true, Y_pred : array-like or DataFrame of shape (n_samples, n_features)
            Real and predicted profiles of the same samples.
        labels : array-like or Series of shape (n_samples,), default=None
            Kind of each sample, such as its cancer type; kinds differ in colour.
        method : {"tsne", "umap", "pca"}, default="tsne"
            Method that computes the map. "umap" needs the package umap-learn. t-SNE and UMAP start
            from the first 50 principal components.
        random_state : int, RandomState instance or None, default=None
            Seed of the random numbers of the map. None draws a new seed and does not change NumPy's
            global state.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.
        **plot_options
            Further parameters of :meth:`plot`.

        Returns
        -------
        EmbeddingDisplay
            The display.

        Raises
        ------
        MissingDependencyError
            If `method` is "umap" and umap-learn is absent.
        ValueError
            If the tables differ in shape, labels in number, or the method is unknown.
        """
        truth, prediction, *_ = check_tables(Y_true, Y_pred)
        check_method(method)
        if labels is not None and len(labels) != len(truth):
            raise ValueError(
                f"labels holds {len(labels)} values for {len(truth)} samples. Give one a sample."
            )
        if len(truth) < 2:
            raise ValueError(f"A map needs at least 2 samples; found {len(truth)}.")
        both = np.concatenate([truth, prediction])
        places = lay_out(both, method, random_state)
        display = cls(
            real=places[: len(truth)],
            predicted=places[len(truth) :],
            labels=None if labels is None else np.asarray(labels),
            method=method,
        )
        return display.plot(ax, **plot_options)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, Y: Any, *, ax: Any = None, **options: Any
    ) -> "EmbeddingDisplay":
        """Predict, compute one map of real and predicted profiles and draw it.

        Parameters
        ----------
        estimator : estimator
            Fitted model, or a fitted Pipeline that ends in one.
        X : array-like or DataFrame of shape (n_samples, n_source_features)
            Source profiles of samples that the model was not fitted on.
        Y : array-like or DataFrame of shape (n_samples, n_features)
            Real profiles of the same samples.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.
        **options
            Further parameters of :meth:`from_predictions`.

        Returns
        -------
        EmbeddingDisplay
            The display.
        """
        return cls.from_predictions(Y, estimator.predict(X), ax=ax, **options)

    def plot(self, ax: Any = None, *, lines: bool = False) -> "EmbeddingDisplay":
        """Draw circles for real and crosses for predicted profiles.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.
        lines : bool, default=False
            Whether to join the two profiles of a sample by a thin line.

        Returns
        -------
        EmbeddingDisplay
            The display itself.
        """
        ax = get_axes(ax, figsize=(7.2, 5.2))
        if lines:
            for ends in np.stack([self.real, self.predicted], axis=1):
                ax.plot(*ends.T, color="0.8", linewidth=0.5, zorder=1)
        groups = [(None, np.ones(len(self.real), dtype=bool))]
        if self.labels is not None:
            labels = np.asarray(self.labels).astype(str)
            groups = [(label, labels == label) for label in np.unique(labels)]
        colors = distinct_colors(len(groups))
        for (_, rows), color in zip(groups, colors, strict=True):
            for kind, marker in _KINDS.items():
                points = getattr(self, kind)[rows]
                style = {"facecolors": "none"} if marker == "o" else {}
                if marker == "x":
                    style["color"] = color
                else:
                    style["edgecolors"] = color
                ax.scatter(*points.T, s=22, marker=marker, linewidths=0.9, **style)
        _add_legend(ax, [label for label, _ in groups], colors)
        label_map(ax, self.method)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _add_legend(ax: Any, labels: list[str | None], colors: list[Any]) -> None:
    """Add a legend of the shapes, and of the colours if there are labels, beside the map."""
    from matplotlib.lines import Line2D

    entries = [
        Line2D([], [], marker=marker, color="0.3", linestyle="none", fillstyle="none", label=kind)
        for kind, marker in _KINDS.items()
    ]
    entries += [
        Line2D([], [], marker="s", color=color, linestyle="none", label=label)
        for label, color in zip(labels, colors, strict=True)
        if label is not None
    ]
    ax.legend(
        handles=entries,
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        ncols=1 + len(entries) // 20,
        fontsize="small",
    )
