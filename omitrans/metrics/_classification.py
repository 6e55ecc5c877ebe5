"""Scores of predicted classes, with weights of samples for a bootstrap."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from omitrans.utils._callers import user_level
from omitrans.utils._validation import _some

SCORES = ("accuracy", "precision", "recall", "f1", "auc")


def classification_scores(
    y_true: Any, y_pred: Any, y_score: Any = None, labels: Any = None
) -> dict[str, float]:
    """Compute the five scores of Table 3 of the OmiTrans paper.

    Precision, recall and F1 are means over the classes that `y_true` holds, each with the same
    weight. The AUC is the one of Hand and Till: the mean over all pairs of these classes of the
    chance that the scores of a class rank a sample of this class above one of the other. Neither
    depends on the frequency of classes. A class without a sample in `y_true` has no recall and no
    AUC, and is left out with a warning; predictions of it are errors all the same.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True classes.
    y_pred : array-like of shape (n_samples,)
        Predicted classes.
    y_score : array-like or DataFrame of shape (n_samples, n_classes) or (n_samples,), default=None
        Probability or score of each class, higher for more likely classes. One column is that of
        the second of two classes. None leaves the AUC out (NaN).
    labels : array-like of shape (n_classes,), default=None
        All classes, in the order of the columns of `y_score`, such as ``classifier.classes_``. None
        takes the columns of a DataFrame, or else all classes of `y_true` and `y_pred`, sorted.

    Returns
    -------
    dict of str to float
        ``accuracy``, ``precision``, ``recall``, ``f1`` and ``auc``, from 0 to 1. The AUC is NaN
        where `y_true` holds one class only.

    Raises
    ------
    ValueError
        If the lengths differ, if labels are missing, if `y_true` or `y_pred` hold a class that
        `labels` lacks, or if `y_score` has another number of columns or holds NaN.

    Warns
    -----
    UndefinedMetricWarning
        If a class of `labels` has no sample in `y_true`.

    See Also
    --------
    omitrans.downstream.evaluate_classifier : These scores with intervals, for several models.

    References
    ----------
    D. J. Hand and R. J. Till, "A simple generalisation of the area under the ROC curve for multiple
    class classification problems", Machine Learning 45, 2001.

    Examples
    --------
    >>> from omitrans.metrics import classification_scores
    >>> y_true, y_pred = ["BRCA", "LIHC", "LIHC", "LUAD"], ["BRCA", "LIHC", "LUAD", "LUAD"]
    >>> y_score = [[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]
    >>> scores = classification_scores(y_true, y_pred, y_score)
    >>> {name: round(value, 3) for name, value in scores.items()}
    {'accuracy': 0.75, 'precision': 0.833, 'recall': 0.833, 'f1': 0.778, 'auc': 1.0}
    """
    scored = scored_classes(y_true, y_pred, y_score, labels)
    if len(scored.absent):
        warnings.warn(
            f"{len(scored.absent)} of {len(scored.labels)} classes have no sample in y_true "
            f"({_some(scored.absent)}): macro averages and AUC are over the others.",
            UndefinedMetricWarning,
            stacklevel=user_level(),
        )
    return scored.scores()


def scored_classes(y_true: Any, y_pred: Any, y_score: Any, labels: Any) -> "ScoredClasses":
    """Check the arguments of :func:`classification_scores`, and return what computes the scores."""
    truth, predicted = (_labels_of(y, name) for y, name in ((y_true, "y_true"), (y_pred, "y_pred")))
    check_consistent_length(truth, predicted)
    if labels is None and isinstance(y_score, pd.DataFrame):
        labels = y_score.columns
    if labels is None:
        labels = np.unique(np.concatenate([truth, predicted]))
    index = pd.Index(np.asarray(labels))
    if not index.is_unique:
        raise ValueError(
            f"labels names {_some(index[index.duplicated()].unique())} twice. Name each class once."
        )
    scores = None if y_score is None else _score_table(y_score, index, len(truth))
    return ScoredClasses(
        _codes(index, truth, "y_true"), _codes(index, predicted, "y_pred"), scores, index.to_numpy()
    )


def _labels_of(y: Any, name: str) -> np.ndarray:
    values = column_or_1d(y, dtype=None)
    missing = np.asarray(pd.isna(values))
    if missing.any():
        raise ValueError(
            f"{name} lacks the class of {missing.sum()} of {len(values)} samples. Leave these "
            "samples out."
        )
    if not len(values):
        raise ValueError(f"{name} holds no samples. Give one at least.")
    return values


def _codes(labels: pd.Index, y: np.ndarray, name: str) -> np.ndarray:
    codes = labels.get_indexer(pd.Index(y))
    unknown = pd.unique(y[codes < 0])
    if len(unknown):
        raise ValueError(
            f"{name} holds {len(unknown)} classes that labels lacks ({_some(unknown)}); labels are "
            f"{_some(labels)}. Leave their samples out, or train on samples of them."
        )
    return codes


def _score_table(y_score: Any, labels: pd.Index, n_samples: int) -> np.ndarray:
    """Return one column of scores for each label."""
    values = check_array(y_score, ensure_2d=False, input_name="y_score", dtype=np.float64)
    if values.ndim == 1 and len(labels) == 2:
        values = np.column_stack([-values, values])
    if values.shape != (n_samples, len(labels)):
        raise ValueError(
            f"y_score has the shape {values.shape} for {n_samples} samples and {len(labels)} "
            "classes. Give one column per class, and labels=classifier.classes_ in their order."
        )
    return values


class ScoredClasses:
    """Predicted classes and what is needed to score them with any weights of samples.

    Parameters
    ----------
    truth, predicted : ndarray of int of shape (n_samples,)
        Numbers of the true and the predicted classes.
    scores : ndarray of shape (n_samples, n_classes) or None
        Score of each class; None leaves the AUC out.
    labels : ndarray of shape (n_classes,)
        The classes.
    """

    def __init__(
        self,
        truth: np.ndarray,
        predicted: np.ndarray,
        scores: np.ndarray | None,
        labels: np.ndarray,
    ) -> None:
        self.truth, self.predicted, self.labels = truth, predicted, labels
        self.members = np.eye(len(labels))[truth]
        self.ranked = None
        if scores is not None:
            self.ranked = [self._rank(k, scores) for k in range(len(labels))]

    def _rank(self, k: int, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return samples in the order of a score, and where those of its class stand in it."""
        column = scores[:, k]
        order = np.argsort(column, kind="stable")
        own = column[self.truth == k]
        in_order = column[order]
        left, right = np.searchsorted(in_order, own), np.searchsorted(in_order, own, side="right")
        return order, left, right

    @property
    def absent(self) -> np.ndarray:
        """Classes without a true sample."""
        return self.labels[self.members.sum(axis=0) == 0]

    def scores(self, weights: np.ndarray | None = None) -> dict[str, float]:
        """Return the scores, with each sample counted as often as its weight says."""
        weights = np.ones(len(self.truth)) if weights is None else weights
        n = len(self.labels)
        confusion = np.zeros((n, n))
        np.add.at(confusion, (self.truth, self.predicted), weights)
        right, of_truth = np.diag(confusion), confusion.sum(axis=1)
        here = of_truth > 0
        of_predicted = confusion.sum(axis=0)
        precision = np.divide(right, of_predicted, out=np.zeros(n), where=of_predicted > 0)[here]
        recall = (right[here]) / of_truth[here]
        both = precision + recall
        f1 = np.divide(2 * precision * recall, both, out=np.zeros(len(both)), where=both > 0)
        values = (
            right.sum() / weights.sum(),
            precision.mean(),
            recall.mean(),
            f1.mean(),
            self._area(weights, here),
        )
        return {name: float(value) for name, value in zip(SCORES, values, strict=True)}

    def _area(self, weights: np.ndarray, here: np.ndarray) -> float:
        """Return the mean AUC over pairs of the classes that have samples."""
        if self.ranked is None or here.sum() < 2:
            return np.nan
        weighted = self.members * weights[:, np.newaxis]
        totals = weighted.sum(axis=0)
        areas = np.zeros((len(here), len(here)))
        for k in np.flatnonzero(here):
            order, left, right = self.ranked[k]
            below = np.zeros((len(order) + 1, len(here)))
            np.cumsum(weighted[order], axis=0, out=below[1:])
            ranks = (below[left] + below[right]) / 2  # ties count half
            areas[k] = weights[self.truth == k] @ ranks / totals[k]
        areas = areas[:, here][here] / totals[here]
        pairs = np.triu_indices(int(here.sum()), 1)
        return float(((areas + areas.T) / 2)[pairs].mean())
