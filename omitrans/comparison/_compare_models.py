"""Comparison of several models on the same folds, in one tidy table."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.utils import indexable

from omitrans.comparison._cache import OutcomeCache
from omitrans.comparison._model_comparison import ModelComparison
from omitrans.comparison._outcome import COSTS, Outcome, PeakMemory
from omitrans.comparison._runs import (
    Run,
    carry_out,
    check_models,
    report_failures,
    report_not_stored,
)
from omitrans.metrics import reconstruction_report
from omitrans.metrics._regression import METRIC_LABELS
from omitrans.model_selection._folds import Split, check_tested_once, make_folds, sample_groups
from omitrans.utils._deprecation import renamed_argument
from omitrans.utils._sklearn import StrOptions, safe_indexing, validate_params
from omitrans.utils._validation import check_paired_samples
from omitrans.utils._wrapped import fit_with_groups


@renamed_argument("Y", "y", since="0.1", until="0.3")
@validate_params(
    {
        "models": [dict],
        "X": ["array-like"],
        "y": ["array-like"],
        "cv": ["cv_object"],
        "groups": [StrOptions({"auto"}), "array-like", None],
        "scorers": [dict, None],
        "n_jobs": [Integral, None],
        "cache_dir": [str, Path, None],
        "verbose": ["verbose"],
        "return_predictions": ["boolean"],
    },
    prefer_skip_nested_validation=False,
)
def compare_models(
    models: Mapping[str, Any],
    X: Any,
    y: Any,
    *,
    cv: Any = 5,
    groups: Any = "auto",
    scorers: Mapping[str, Any] | None = None,
    n_jobs: int | None = None,
    cache_dir: str | Path | None = None,
    verbose: int = 0,
    return_predictions: bool = False,
) -> ModelComparison:
    """Cross-validate several models on the same folds.

    Every model is cloned for every fold, so that the given models stay unchanged, and each clone
    predicts the test samples of its fold once. A model that fails in a fold is reported in a
    warning and in ``errors`` and does not stop the others.

    Parameters
    ----------
    models : dict of str to estimator
        Models by name, Pipelines included, in the order of the summary.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Source profiles with samples as rows.
    y : array-like, DataFrame or Series of shape (n_samples, n_targets) or (n_samples,)
        Target profiles with samples as rows. If X and y are both pandas objects, their indexes must
        be equal.
    cv : int, splitter or iterable of (train, test), default=5
        Cross-validation folds, drawn once for all models. An int means
        :class:`~sklearn.model_selection.KFold` in the order of the rows, or
        :class:`~sklearn.model_selection.GroupKFold` where samples are grouped.
    groups : "auto", None or array-like of shape (n_samples,), default="auto"
        Group of each sample, such as its patient; all samples of a group stay on the same side of a
        split. "auto" reads patients from the index of a DataFrame X if it holds ids of TCGA, TARGET
        or GTEx and patients have several samples. None splits without regard to groups. Models
        whose `fit` takes groups receive the groups of their training samples.
    scorers : dict of str to str or callable, default=None
        Additional scorers, in any form that scikit-learn accepts, beside the nine metrics of the
        report. Their values are kept as the scorers return them (greater is better).
    n_jobs : int, default=None
        Number of fits that run in parallel, through joblib; -1 means all cores. Within
        ``joblib.parallel_config(backend="dask")`` the fits run on that cluster.
    cache_dir : str or pathlib.Path, default=None
        Folder for finished folds. Each fold is written as soon as it is finished, and a later call
        with the same model, tables, split and package versions reads it instead of fitting again.
        An interrupted comparison thus continues where it stopped. Folds that failed are tried
        again. On a cluster all machines must be able to read and write this folder.
    verbose : int, default=0
        Whether to show a progress bar: 1 or more shows it.
    return_predictions : bool, default=False
        Whether to keep the out-of-fold predictions: one table of the size of y per model.

    Returns
    -------
    ModelComparison
        Metrics of every model and fold, with methods that summarise them.

    Raises
    ------
    SampleMismatchError
        If X, y or `groups` are indexed by different samples.
    ValueError
        If a group stands on both sides of a split, if all fits failed, or if `cache_dir` is given
        and a parameter (a lambda, an open file) cannot be recognised in a later call.

    Warns
    -----
    PatientGroupsWarning
        If samples were grouped because their ids name the same patients.

    See Also
    --------
    omitrans.metrics.reconstruction_report : The nine metrics.
    omitrans.displays.ModelComparisonDisplay : A plot of one metric.

    Notes
    -----
    ``fit_seconds``, ``predict_seconds`` and ``peak_memory_mib`` stand beside the metrics.
    ``peak_memory_mib`` is the rise of the memory of the process during the fit, read from ``/proc``
    every 10 ms, and NaN on systems without ``/proc``. It counts neither processes that the model
    starts itself nor tables that were in memory before; memory that an earlier fit left for reuse
    lowers it.

    References
    ----------
    X. Zhang and Y. Guo. OmiTrans: generative adversarial networks based omics-to-omics
    translation framework. 2021. Table 1.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.linear_model import Ridge
    >>> from omitrans.comparison import compare_models
    >>> X, Y = make_regression(n_targets=4, n_informative=5, noise=10.0, random_state=0)
    >>> comparison = compare_models({"mean": DummyRegressor(), "ridge": Ridge()}, X, Y, cv=4)
    >>> comparison.summary()["median_r2_per_feature"] > 0.3
    model
    mean     False
    ridge     True
    Name: median_r2_per_feature, dtype: bool
    """
    check_models(models, "predict")
    _check_scorer_names(scorers)
    check_paired_samples(X, y)
    X, y = indexable(X, y)
    groups = sample_groups(X, groups)
    splits = make_folds(cv, X, y, groups, each_once=False, shuffle=False)
    if return_predictions:
        check_tested_once(splits)

    options = {
        "groups": groups,
        "scorers": dict(scorers) if scorers else None,
        "keep_prediction": return_predictions,
    }
    cache = None if cache_dir is None else OutcomeCache(cache_dir, (X, y), options)
    runs = []
    for name, model in models.items():
        for fold, split in enumerate(splits):
            path = None if cache is None else cache.path(name, model, *split)
            tables = (model, X, y, *split)
            runs.append(Run(evaluate_fold, tables, options, {(name, fold): (None, path)}))
    found = carry_out(runs, n_jobs=n_jobs, verbose=verbose)
    report_not_stored(found, cache_dir)
    errors = report_failures(found, ["model", "fold"])
    metrics = [*METRIC_LABELS, *(scorers or ()), *COSTS]
    rows = [
        (name, fold, metric, outcome.metrics.get(metric, np.nan))
        for (name, fold), outcome in found.items()
        for metric in metrics
    ]
    results = pd.DataFrame(rows, columns=["model", "fold", "metric", "value"])
    predictions = {
        name: _out_of_fold(
            [found[name, fold].arrays.get("prediction") for fold in range(len(splits))], splits, y
        )
        for name in (models if return_predictions else ())
    }
    sizes = [(fold, len(train), len(test)) for fold, (train, test) in enumerate(splits)]
    return ModelComparison(
        results,
        errors,
        predictions if return_predictions else None,
        folds=pd.DataFrame(sizes, columns=["fold", "n_train", "n_test"]),
    )


def _check_scorer_names(scorers: Mapping[str, Any] | None) -> None:
    taken = [name for name in scorers or () if name in METRIC_LABELS or name in COSTS]
    if taken:
        raise ValueError(
            f"scorers holds {', '.join(taken)}, which every comparison has already. "
            "Leave them out, or give your scorers other names."
        )


def _out_of_fold(parts: list[np.ndarray | None], splits: list[Split], Y: Any) -> Any:
    """Join the test predictions of the folds to one table of the same kind as Y."""
    made = [part for part in parts if part is not None]
    dtype = np.result_type(np.float32, *made)  # room for NaN where a model predicts integers
    table = np.full(np.shape(Y), np.nan, dtype=dtype)
    for part, (_, test) in zip(parts, splits, strict=True):
        if part is not None:
            table[test] = part.reshape(table[test].shape)
    if isinstance(Y, pd.DataFrame):
        return pd.DataFrame(table, index=Y.index, columns=Y.columns)
    if isinstance(Y, pd.Series):
        return pd.Series(table, index=Y.index, name=Y.name)
    return table


def evaluate_fold(
    model: Any,
    X: Any,
    Y: Any,
    train: np.ndarray,
    test: np.ndarray,
    *,
    parts: Sequence[None],
    groups: np.ndarray | None,
    scorers: Mapping[str, Any] | None,
    keep_prediction: bool,
) -> list[Outcome]:
    """Fit a clone of `model` on the training samples and report on the test samples.

    Parameters
    ----------
    model : estimator
        Model to fit; it is cloned first.
    X, Y : array-like, DataFrame or Series
        Tables with all samples.
    train, test : ndarray of int
        Row numbers of the training and of the test samples.
    parts : sequence of None
        Sequence of length one: a fold gives one outcome.
    groups : ndarray of shape (n_samples,) or None
        Group of each sample, for models whose `fit` takes groups.
    scorers : dict or None
        Additional scorers beside the report.
    keep_prediction : bool
        Whether to keep the prediction in the outcome.

    Returns
    -------
    list of Outcome
        Metrics, or the text of the error; a prediction that is kept is the array "prediction".
    """
    try:
        model = clone(model)
        start = perf_counter()
        with PeakMemory() as memory:
            known = None if groups is None else groups[train]
            fit_with_groups(model, safe_indexing(X, train), safe_indexing(Y, train), known)
        fitted = perf_counter()
        X_test, Y_test = safe_indexing(X, test), safe_indexing(Y, test)
        prediction = np.asarray(model.predict(X_test))
        costs = (fitted - start, perf_counter() - fitted, memory.mib)
        metrics = reconstruction_report(Y_test, prediction)
        if scorers:
            metrics |= check_scoring(model, scoring=dict(scorers))(model, X_test, Y_test)
    except Exception as error:  # whatever a model does, the other models go on
        return [Outcome({}, error=f"{type(error).__name__}: {error}")]
    metrics |= dict(zip(COSTS, costs, strict=True))
    return [Outcome(metrics, arrays={"prediction": prediction} if keep_prediction else {})]
