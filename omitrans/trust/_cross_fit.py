"""Predictions of samples by models that have not seen them, with all probes and with fewer."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from omitrans.preprocessing import ArrayHarmonizer
from omitrans.utils._sklearn import safe_indexing

_BLOCK_ELEMENTS = 2**24


class Fold(NamedTuple):
    """One fold: what a model predicts for the samples it was not fitted to."""

    rows: np.ndarray
    predicted: np.ndarray
    """In the order of `rows`, with all probes."""
    squared_errors: np.ndarray
    """Sums over the samples, of shape (n_shares, n_targets): with a share of the probes only."""
    model: Any


def cross_fit(
    estimator: Any,
    X: Any,
    Y: Any,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    shares: Sequence[float],
    seeds: Sequence[int],
    keep_models: bool,
    n_jobs: int | None,
    verbose: int,
) -> list[Fold]:
    """Fit a clone on each fold's training samples and predict the others.

    Parameters
    ----------
    estimator : estimator
        A regressor.
    X, Y : array-like or DataFrame
        Source and target of all samples.
    folds : sequence of (ndarray, ndarray)
        Rows to train on and to predict.
    shares : sequence of float
        Shares of the columns of X that are left, one after the other. A pipeline with an
        :class:`~omitrans.preprocessing.ArrayHarmonizer` fills the others; without one they are set
        to their means over the training samples.
    seeds : sequence of int
        One a fold; draws the columns.
    keep_models : bool
        Whether to return the fitted clones.
    n_jobs : int or None
        Folds at once.
    verbose : int
        As joblib's.

    Returns
    -------
    list of Fold
        In the order of `folds`.
    """
    return Parallel(n_jobs=n_jobs, verbose=verbose)(
        delayed(_fit_fold)(estimator, X, Y, train, test, shares, seed, keep_models)
        for (train, test), seed in zip(folds, seeds, strict=True)
    )


def _fit_fold(
    estimator: Any,
    X: Any,
    Y: Any,
    train: np.ndarray,
    test: np.ndarray,
    shares: Sequence[float],
    seed: int,
    keep_model: bool,
) -> Fold:
    source, target = safe_indexing(X, train), safe_indexing(Y, train)
    model = clone(estimator).fit(source, target)
    held_out, truth = safe_indexing(X, test), _table(safe_indexing(Y, test))
    predicted = _table(model.predict(held_out))
    means = _column_means(source)
    order = np.random.default_rng(seed).permutation(len(means))
    errors = np.empty((len(shares), truth.shape[1]))
    for i, share in enumerate(shares):
        hidden = order[round(share * len(means)) :]
        if not len(hidden):
            errors[i] = np.square(predicted - truth, dtype=np.float64).sum(axis=0)
            continue
        errors[i] = 0
        for rows, part in _without(model, held_out, hidden, means):
            errors[i] += np.square(_table(model.predict(part)) - truth[rows]).sum(axis=0)
    return Fold(test, predicted, errors, model if keep_model else None)


def _without(model: Any, X: Any, hidden: np.ndarray, means: np.ndarray) -> Iterator[Any]:
    """Yield rows, and the samples there as they would be without the hidden columns."""
    harmonizers = _harmonizers(model) if isinstance(X, pd.DataFrame) else []
    if not harmonizers:
        yield from _with_means(X, hidden, means)
        return
    limits = [step.get_params() for step in harmonizers]
    for step in harmonizers:  # how much is lost is what is asked, however much it is
        step.set_params(min_coverage=0.0, warn_coverage=0.0)
    yield slice(None), X.iloc[:, np.setdiff1d(np.arange(X.shape[1]), hidden)]
    for step, params in zip(harmonizers, limits, strict=True):
        step.set_params(**params)


def _harmonizers(model: Any) -> list[ArrayHarmonizer]:
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    return [step for step in steps if isinstance(step, ArrayHarmonizer)]


def _with_means(X: Any, hidden: np.ndarray, means: np.ndarray) -> Iterator[Any]:
    """Yield blocks of samples whose hidden columns hold the means, and their rows."""
    n_rows = max(1, _BLOCK_ELEMENTS // X.shape[1])
    for start in range(0, X.shape[0], n_rows):
        rows = slice(start, start + n_rows)
        part = X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]
        values = np.array(part, dtype=None if _is_float(part) else np.float64)
        values[:, hidden] = means[hidden]
        if isinstance(X, pd.DataFrame):
            yield rows, pd.DataFrame(values, part.index, part.columns, copy=False)
        else:
            yield rows, values


def _is_float(X: Any) -> bool:
    kinds = set(X.dtypes) if isinstance(X, pd.DataFrame) else {X.dtype}
    return len(kinds) == 1 and kinds.pop().kind == "f"


def _column_means(X: Any) -> np.ndarray:
    """Return the mean of each column over its observed values; NaN without any."""
    values = np.asarray(X)
    parts = []
    width = max(1, _BLOCK_ELEMENTS // len(values))
    for start in range(0, values.shape[1], width):
        block = values[:, start : start + width].astype(np.float64)
        count = (~np.isnan(block)).sum(axis=0)
        with np.errstate(invalid="ignore"):
            parts.append(np.nansum(block, axis=0) / count)
    return np.concatenate(parts)


def _table(values: Any) -> np.ndarray:
    values = np.asarray(values)
    return values.reshape(len(values), -1)
