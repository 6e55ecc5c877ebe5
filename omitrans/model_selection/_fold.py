"""One model on one fold."""

import warnings
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import check_scoring

from omitrans.exceptions import TrainingInterrupted
from omitrans.metrics import reconstruction_report
from omitrans.model_selection._memory import PeakMemory
from omitrans.model_selection._outcome import COSTS, Outcome
from omitrans.utils._sklearn import safe_indexing


def evaluate_fold(
    model: Any,
    X: Any,
    Y: Any,
    train: np.ndarray,
    test: np.ndarray,
    *,
    parts: Sequence[None],
    scorers: Mapping[str, Any] | None,
    keep_prediction: bool,
) -> list[Outcome]:
    """Fit a clone of `model` on the training samples and report on the test samples.

    Parameters
    ----------
    model : estimator
        Is cloned.
    X, Y : array-like, DataFrame or Series
        All samples.
    train, test : ndarray of int
        Rows.
    parts : sequence of None
        A fold gives one outcome.
    scorers : dict or None
        Scorers beside the report.
    keep_prediction : bool
        Whether the outcome holds the prediction.

    Returns
    -------
    list of Outcome
        Numbers, or the text of the error; with the prediction under that name, if kept.
    """
    try:
        model = clone(model)
        start = perf_counter()
        with warnings.catch_warnings(), PeakMemory() as memory:
            # a training that Ctrl-C cut short is no result: the user wants the comparison to end
            warnings.simplefilter("error", TrainingInterrupted)
            model.fit(safe_indexing(X, train), safe_indexing(Y, train))
        fitted = perf_counter()
        X_test, Y_test = safe_indexing(X, test), safe_indexing(Y, test)
        prediction = np.asarray(model.predict(X_test))
        costs = (fitted - start, perf_counter() - fitted, memory.mib)
        metrics = reconstruction_report(Y_test, prediction)
        if scorers:
            metrics |= check_scoring(model, scoring=dict(scorers))(model, X_test, Y_test)
    except TrainingInterrupted:
        raise KeyboardInterrupt from None
    except Exception as error:  # whatever a model does, the other models go on
        return [Outcome({}, error=f"{type(error).__name__}: {error}")]
    metrics |= dict(zip(COSTS, costs, strict=True))
    return [Outcome(metrics, arrays={"prediction": prediction} if keep_prediction else {})]
