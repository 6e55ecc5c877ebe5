"""Map of real and predicted profiles together, in two dimensions."""

from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import check_method, distinct_colors, get_axes, label_map, lay_out
from omitrans.exceptions import FeatureMismatchError
from omitrans.metrics._tables import check_tables
from omitrans.utils._validation import _some

_KINDS = {"real": "o", "predicted": "x"}


class EmbeddingDisplay:
    """Map of real and predicted profiles (the paper's Figures 8 and 9).

    If a model predicts well, both profiles of a sample lie near each other and among samples of the
    same kind. The maps of t-SNE and UMAP keep neighbours, not distances. Predictions that are
    always the mean form a separate cluster. Where the samples of a cohort have no real profiles,
    :meth:`from_cohorts` shows their predictions among the real profiles of other samples.

    Parameters
    ----------
    real : ndarray of shape (n_samples, 2)
        Coordinates of the real profiles.
    predicted : ndarray of shape (n_predictions, 2)
        Coordinates of the predicted profiles.
    labels : array-like of shape (n_samples,), default=None
        Kind of each real profile, such as its cancer type; kinds differ in colour.
    method : {"tsne", "umap", "pca"}, default="tsne"
        Method that computed the coordinates, for the axis labels.
    predicted_labels : array-like of shape (n_predictions,), default=None
        Kind of each predicted profile. None takes `labels`: both are of the same samples.

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
        predicted_labels: Any = None,
    ) -> None:
        self.real = real
        self.predicted = predicted
        self.labels = labels
        self.method = method
        self.predicted_labels = predicted_labels

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
        _check_labels("labels", labels, truth)
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
    def from_cohorts(
        cls,
        Y_real: Any,
        Y_pred: Any,
        *,
        real_labels: Any = None,
        predicted_labels: Any = None,
        method: str = "tsne",
        random_state: Any = None,
        ax: Any = None,
    ) -> "EmbeddingDisplay":
        """Compute one map of real profiles and of the predictions of other samples and draw it.

        This is for a new cohort without real profiles: its predictions lie among the samples that
        the model was trained on.

        Parameters
        ----------
        Y_real : array-like or DataFrame of shape (n_samples, n_features)
            Real profiles, such as those of the training samples.
        Y_pred : array-like or DataFrame of shape (n_predictions, n_features)
            Predicted profiles of other samples. Frames are matched by the names of the columns.
        real_labels : array-like of shape (n_samples,), default=None
            Kind of each real profile; kinds differ in colour.
        predicted_labels : array-like of shape (n_predictions,), default=None
            Kind of each predicted profile; give both labels or none.
        method : {"tsne", "umap", "pca"}, default="tsne"
            Method that computes the map. "umap" needs the package umap-learn. t-SNE and UMAP start
            from the first 50 principal components.
        random_state : int, RandomState instance or None, default=None
            Seed of the random numbers of the map. None draws a new seed and does not change NumPy's
            global state.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        EmbeddingDisplay
            The display.

        Raises
        ------
        FeatureMismatchError
            If the tables have other columns.
        MissingDependencyError
            If `method` is "umap" and umap-learn is absent.
        ValueError
            If labels differ in number from the samples, only one table has labels, a table is
            empty, or the method is unknown.

        Examples
        --------
        >>> import numpy as np
        >>> from omitrans.displays import EmbeddingDisplay
        >>> rng = np.random.default_rng(0)
        >>> Y_train, Y_pred = rng.normal(size=(30, 8)), rng.normal(size=(10, 8))
        >>> display = EmbeddingDisplay.from_cohorts(
        ...     Y_train,
        ...     Y_pred,
        ...     real_labels=["BRCA", "LIHC"] * 15,
        ...     predicted_labels=["BRCA"] * 10,
        ...     method="pca",
        ... )
        >>> display.predicted.shape
        (10, 2)
        """
        check_method(method)
        _check_labels("real_labels", real_labels, Y_real)
        _check_labels("predicted_labels", predicted_labels, Y_pred)
        if (real_labels is None) != (predicted_labels is None):
            raise ValueError("Only one table has labels. Give real_labels and predicted_labels.")
        real, predicted = _same_columns(Y_real, Y_pred)
        if not len(real) or not len(predicted):
            raise ValueError(
                f"Y_real holds {len(real)} samples and Y_pred {len(predicted)}. A map needs at "
                "least 1 of each."
            )
        places = lay_out(np.concatenate([real, predicted]), method, random_state)
        return cls(
            real=places[: len(real)],
            predicted=places[len(real) :],
            labels=None if real_labels is None else np.asarray(real_labels),
            method=method,
            predicted_labels=None if predicted_labels is None else np.asarray(predicted_labels),
        ).plot(ax)

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

        Raises
        ------
        ValueError
            If lines are to join profiles of different samples.
        """
        if lines and (self.predicted_labels is not None or len(self.real) != len(self.predicted)):
            raise ValueError(
                "lines join the two profiles of a sample; these are profiles of different samples. "
                "Leave lines out."
            )
        ax = get_axes(ax, figsize=(7.2, 5.2))
        if lines:
            for ends in np.stack([self.real, self.predicted], axis=1):
                ax.plot(*ends.T, color="0.8", linewidth=0.5, zorder=1)
        kinds = self._kinds()
        levels = [None] if self.labels is None else np.unique(np.concatenate(list(kinds.values())))
        colors = distinct_colors(len(levels))
        for level, color in zip(levels, colors, strict=True):
            for kind, marker in _KINDS.items():
                rows = slice(None) if level is None else kinds[kind] == level
                points = getattr(self, kind)[rows]
                style = {"facecolors": "none"} if marker == "o" else {}
                if marker == "x":
                    style["color"] = color
                else:
                    style["edgecolors"] = color
                ax.scatter(*points.T, s=22, marker=marker, linewidths=0.9, **style)
        _add_legend(ax, list(levels), colors)
        label_map(ax, self.method)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _kinds(self) -> dict[str, np.ndarray]:
        """Return the kinds of the real and of the predicted profiles as text."""
        labels = self.labels if self.predicted_labels is None else self.predicted_labels
        return {
            "real": np.asarray(self.labels).astype(str),
            "predicted": np.asarray(labels).astype(str),
        }


def _check_labels(name: str, labels: Any, table: Any) -> None:
    """Refuse labels that are not one for each sample."""
    if labels is not None and len(labels) != len(table):
        raise ValueError(
            f"{name} holds {len(labels)} values for {len(table)} samples. Give one a sample."
        )


def _same_columns(Y_real: Any, Y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return both tables as arrays, the columns of frames in the order of the first."""
    if isinstance(Y_real, pd.DataFrame) and isinstance(Y_pred, pd.DataFrame):
        lacking = Y_real.columns.symmetric_difference(Y_pred.columns)
        if len(lacking):
            raise FeatureMismatchError(
                f"{len(lacking)} columns are in only one of Y_real and Y_pred ({_some(lacking)}). "
                "Give both the same columns."
            )
        Y_pred = Y_pred[Y_real.columns]
    real, predicted = np.asarray(Y_real), np.asarray(Y_pred)
    if real.shape[1:] != predicted.shape[1:]:
        raise FeatureMismatchError(
            f"Y_real has shape {real.shape} and Y_pred {predicted.shape}. Give both the same "
            "columns."
        )
    return real, predicted


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
