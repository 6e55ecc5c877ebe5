"""Cross-fitted predictions: each model predicts samples that it was not fitted on."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone

from omitrans.preprocessing import ArrayHarmonizer
from omitrans.preprocessing._columns import column_blocks
from omitrans.preprocessing.probes._fill import observed_mean
from omitrans.utils._blocks import MODEL_VALUES, rows_per_block
from omitrans.utils._even import predict_evenly
from omitrans.utils._finite import check_finite_predictions
from omitrans.utils._sklearn import safe_indexing
from omitrans.utils._wrapped import fit_with_groups, parts


class Fold(NamedTuple):
    """Predictions of one fold, for the samples that its model was not fitted on."""

    rows: np.ndarray
    predicted: np.ndarray
    """Predictions in the order of `rows`, with all probes."""
    squared_errors: np.ndarray
    """Sums over the samples when only a fraction of the probes is kept, (n_shares, n_targets)."""
    model: Any


def cross_fit(
    estimator: Any,
    X: Any,
    Y: Any,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    groups: np.ndarray | None,
    shares: Sequence[float],
    seeds: Sequence[int],
    keep_models: bool,
    n_jobs: int | None,
    verbose: int,
) -> list[Fold]:
    """Fit a clone on the training samples of each fold and predict the other samples.

    Parameters
    ----------
    estimator : estimator
        Regressor to fit.
    X, Y : array-like or DataFrame
        Source and target profiles of all samples.
    folds : sequence of (ndarray, ndarray)
        Row numbers to train on and to predict, for each fold.
    groups : ndarray of shape (n_samples,) or None
        Group of each sample, for a regressor whose `fit` takes groups.
    shares : sequence of float
        Fractions of the columns of X that are kept, one after the other. A model with an
        :class:`~omitrans.preprocessing.ArrayHarmonizer` fills the other columns; without a
        harmonizer they are set to their means over the training samples.
    seeds : sequence of int
        Seeds, one per fold, which draw the columns that are left out.
    keep_models : bool
        Whether to return the fitted clones.
    n_jobs : int or None
        Number of folds that are fitted at the same time.
    verbose : int
        Amount of progress messages of joblib.

    Returns
    -------
    list of Fold
        Results in the order of `folds`.
    """
    return Parallel(n_jobs=n_jobs, verbose=verbose)(
        delayed(_fit_fold)(
            estimator,
            X,
            Y,
            train,
            test,
            groups=None if groups is None else groups[train],
            shares=shares,
            seed=seed,
            keep_model=keep_models,
        )
        for (train, test), seed in zip(folds, seeds, strict=True)
    )


def fit_and_cross_evaluate(
    model: Any,
    X: Any,
    Y: Any,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    shares: Sequence[float],
    seeds: Sequence[int],
) -> list[Fold]:
    """Fit a model on all samples and let it predict the folds, with what both have in common.

    Parameters
    ----------
    model : estimator
        Regressor with the method `fit_cross_evaluate`, as
        :class:`~omitrans.baselines.MultiKernelRidgeRegressor` has it; it is fitted in place.
    X, Y, folds, shares, seeds
        See :func:`cross_fit`.

    Returns
    -------
    list of Fold
        Results in the order of `folds`, without models.
    """
    orders = [_column_order(seed, X) for seed in seeds]
    predicted, errors = model.fit_cross_evaluate(X, Y, folds, orders=orders, shares=shares)
    predicted = as_numbers(predicted)
    return [
        Fold(test, predicted[test], error, None)
        for (_, test), error in zip(folds, errors, strict=True)
    ]


def _column_order(seed: int, X: Any) -> np.ndarray:
    """Return the columns of X in the order in which they are kept."""
    return np.random.default_rng(seed).permutation(X.shape[1])


def _fit_fold(
    estimator: Any,
    X: Any,
    Y: Any,
    train: np.ndarray,
    test: np.ndarray,
    *,
    groups: np.ndarray | None,
    shares: Sequence[float],
    seed: int,
    keep_model: bool,
) -> Fold:
    source = safe_indexing(X, train)
    model = fit_with_groups(clone(estimator), source, safe_indexing(Y, train), groups)
    # a harmonizer knows what stands in for a column
    means = None if _harmonizers(model, X) else _column_means(source)
    del source  # most of the table
    held_out, truth = safe_indexing(X, test), as_numbers(safe_indexing(Y, test))
    predicted = check_finite_predictions(model, as_numbers(predict_evenly(model, held_out)))
    order = _column_order(seed, X)
    errors = np.empty((len(shares), truth.shape[1]))
    for i, share in enumerate(shares):
        hidden = order[round(share * len(order)) :]
        if not len(hidden):
            errors[i] = np.square(predicted - truth, dtype=np.float64).sum(axis=0)
            continue
        errors[i] = 0
        for rows, part in _without(model, held_out, hidden, means):
            difference = as_numbers(predict_evenly(model, part)) - truth[rows]
            errors[i] += np.square(difference, dtype=np.float64).sum(axis=0)
    return Fold(test, predicted, errors, model if keep_model else None)


def _without(model: Any, X: Any, hidden: np.ndarray, means: np.ndarray | None) -> Iterator[Any]:
    """Yield row numbers, and these samples without the hidden columns."""
    harmonizers = _harmonizers(model, X)
    if means is not None:
        yield from _with_means(X, hidden, means)
        return
    limits = [step.get_params() for step in harmonizers]
    for step in harmonizers:  # how much is lost is what is asked, however much it is
        step.set_params(min_coverage=0.0, warn_coverage=0.0)
    yield slice(None), X.iloc[:, np.setdiff1d(np.arange(X.shape[1]), hidden)]
    for step, params in zip(harmonizers, limits, strict=True):
        step.set_params(**params)


def _harmonizers(model: Any, X: Any) -> list[ArrayHarmonizer]:
    """Return the steps of a model that fill columns that a DataFrame lacks."""
    if not isinstance(X, pd.DataFrame):
        return []
    return [part for part in parts(model) if isinstance(part, ArrayHarmonizer)]


def _with_means(X: Any, hidden: np.ndarray, means: np.ndarray) -> Iterator[Any]:
    """Yield blocks of samples whose hidden columns hold the means, and their row numbers."""
    n_rows = rows_per_block(X.shape[1], MODEL_VALUES)
    for start in range(0, X.shape[0], n_rows):
        rows = slice(start, start + n_rows)
        part = X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]
        values = _floats(part)
        values[:, hidden] = means[hidden]
        if isinstance(X, pd.DataFrame):
            yield rows, pd.DataFrame(values, part.index, part.columns, copy=False)
        else:
            yield rows, values


def _floats(X: Any) -> np.ndarray:
    """Return a copy of X, in its dtype if that is a float of NumPy, else as float64."""
    if not isinstance(X, pd.DataFrame):
        return np.array(X, dtype=None if X.dtype.kind == "f" else np.float64)
    kinds = set(X.dtypes)
    single = kinds.pop() if len(kinds) == 1 else np.dtype(object)
    is_float = isinstance(single, np.dtype) and single.kind == "f"
    return X.to_numpy(dtype=single if is_float else np.float64, na_value=np.nan, copy=True)


def _column_means(X: Any) -> np.ndarray:
    """Return the mean of each column over its observed values; NaN if there are none."""
    return np.concatenate([observed_mean(block) for _, block in column_blocks(X)])


def as_numbers(values: Any) -> np.ndarray:
    """Return targets as an array of numbers, also for the dtypes of pandas."""
    values = np.asarray(values)
    values = values.astype(np.float64) if values.dtype == object else values
    return values.reshape(len(values), -1)
