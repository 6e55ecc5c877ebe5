"""Test a classifier of real samples on predicted profiles of new samples."""

import warnings
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from omitrans.displays._downstream import MEASURED
from omitrans.exceptions import SampleMismatchError
from omitrans.metrics._classification import SCORES, ScoredClasses, scored_classes
from omitrans.metrics._tables import check_tables
from omitrans.model_selection._folds import sample_groups
from omitrans.utils._random_state import own_random_state
from omitrans.utils._sklearn import HasMethods, Interval, validate_params
from omitrans.utils._validation import check_paired_samples


@validate_params(
    {
        "classifier": [HasMethods(["fit", "predict"])],
        "measured": ["array-like"],
        "predictions": [Mapping],
        "y": ["array-like"],
        "n_bootstrap": [Interval(Integral, 2, None, closed="left")],
        "level": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def evaluate_classifier(
    classifier: Any,
    measured: Any,
    predictions: Mapping[str, Any],
    y: Any,
    *,
    groups: Any = "auto",
    n_bootstrap: int = 500,
    level: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
) -> pd.DataFrame:
    """Test a classifier on measured and on predicted profiles of the same samples.

    This is the protocol of Table 3 of the OmiTrans paper: a classifier that was trained on measured
    profiles is given the measured profiles of test samples, and what each model predicts for these
    samples. The nearer the scores of a model are to those of the measured profiles, the more of
    what tells the classes apart its predictions hold.

    Parameters
    ----------
    classifier : estimator
        Classifier that is fitted on measured profiles of other samples, such as
        :class:`~omitrans.OmiEmbedClassifier`.
    measured : array-like or DataFrame of shape (n_samples, n_features)
        Measured profiles of the test samples.
    predictions : dict of str to array-like or DataFrame of shape (n_samples, n_features)
        Predicted profiles of the same samples, by the name of the model.
    y : array-like or Series of shape (n_samples,)
        Class of each test sample.
    groups : "auto", array-like of shape (n_samples,) or None, default="auto"
        The patient of each sample, whose samples the bootstrap draws together. "auto" reads the
        patients from the index of `measured` if some have several samples.
    n_bootstrap : int, default=500
        Number of bootstrap draws of the test samples.
    level : float, default=0.95
        Level of the intervals.
    random_state : int, RandomState instance or None, default=None
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        One row per model and score, those of the measured profiles first, with the columns
        ``model`` ("measured" or a name of `predictions`), ``score`` (accuracy, precision, recall,
        f1, auc; see :func:`~omitrans.metrics.classification_scores`), ``value``, ``lower``,
        ``upper``, ``difference`` (from the measured profiles), ``difference_lower``,
        ``difference_upper``, ``n_samples`` and ``n_classes``, which counts the classes with test
        samples. All models are judged on the same draws, so that the intervals of differences are
        those of pairs.

    Raises
    ------
    NotFittedError
        If the classifier is not fitted.
    SampleMismatchError, FeatureMismatchError
        If the tables or y hold other samples or features, or in another order.
    ValueError
        If labels are missing or all the same, if the classifier does not know a class, or if a
        model is named "measured".

    See Also
    --------
    omitrans.metrics.classification_scores : The scores of one prediction.
    omitrans.displays.EmbeddingDisplay : Map of real and predicted profiles together.

    Notes
    -----
    A draw may hold no sample of a rare class; its scores are then means over the other classes. The
    intervals tell how the scores would vary with other test samples, not with another training.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from omitrans.downstream import evaluate_classifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["BRCA", "LIHC"], 50)
    >>> expression = rng.normal(size=(100, 5)) + 2.0 * (y == "LIHC")[:, None]
    >>> classifier = LogisticRegression().fit(expression[::2], y[::2])
    >>> test = expression[1::2]
    >>> predictions = {"noisy": test + rng.normal(size=test.shape), "mean": 0 * test}
    >>> frame = evaluate_classifier(classifier, test, predictions, y[1::2], random_state=0)
    >>> frame[frame["score"] == "accuracy"].set_index("model")["value"].round(2)
    model
    measured    0.98
    noisy       0.86
    mean        0.50
    Name: value, dtype: float64
    """
    check_is_fitted(classifier)
    _check_tables(measured, predictions, y)
    weights = _bootstrap_weights(sample_groups(measured, groups), len(y), n_bootstrap, random_state)
    tables = {MEASURED: measured, **predictions}
    found = {
        name: _scored(classifier, _labelled_like(measured, table), y)
        for name, table in tables.items()
    }
    values = {name: _values(scored.scores()) for name, scored in found.items()}
    draws = {
        name: np.array([_values(scored.scores(own)) for own in weights])
        for name, scored in found.items()
    }
    rows = []
    for name, scored in found.items():
        low, high = _ends(draws[name], level)
        apart = _ends(draws[name] - draws[MEASURED], level)
        rows.append(
            pd.DataFrame(
                {
                    "model": name,
                    "score": list(SCORES),
                    "value": values[name],
                    "lower": low,
                    "upper": high,
                    "difference": values[name] - values[MEASURED],
                    "difference_lower": apart[0],
                    "difference_upper": apart[1],
                    "n_samples": len(y),
                    "n_classes": len(scored.labels) - len(scored.absent),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def _ends(draws: np.ndarray, level: float) -> np.ndarray:
    """Return the ends of the interval of each column; NaN for a score that no draw has."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)


def _check_tables(measured: Any, predictions: Mapping[str, Any], y: Any) -> None:
    """Raise an error unless all tables hold the same samples and features, and y two classes."""
    if MEASURED in predictions:
        raise ValueError("predictions names a model 'measured', as the real table is called.")
    check_paired_samples(measured, y, names=("measured", "y"))
    if np.ndim(y) != 1 or not len(y) or len(y) != len(measured):
        raise SampleMismatchError(
            f"y must hold the class of each of the {len(measured)} samples of measured, of which "
            f"there is one at least; its shape is {np.shape(y)}."
        )
    labels = pd.Series(np.asarray(y, dtype=object))
    missing = int(labels.isna().sum())
    if missing:
        raise ValueError(
            f"y lacks the class of {missing} of {len(labels)} samples. Leave these samples out of "
            "y and of all tables."
        )
    if labels.nunique() < 2:
        raise ValueError(
            f"y holds one class only ({labels.iloc[0]!r}); no classifier can be judged by it. Give "
            "test samples of two classes at least."
        )
    for name, table in predictions.items():
        try:
            check_tables(measured, table)
        except ValueError as error:
            error.add_note(f"Y_true is `measured`; Y_pred is predictions[{name!r}].")
            raise


def _labelled_like(measured: Any, table: Any) -> Any:
    """Return a prediction with the labels of the measured table, if it has none of its own."""
    if not isinstance(measured, pd.DataFrame) or isinstance(table, pd.DataFrame):
        return table
    return pd.DataFrame(np.asarray(table), measured.index, measured.columns)


def _scored(classifier: Any, table: Any, y: Any) -> ScoredClasses:
    """Classify a table."""
    scores = None
    for method in ("predict_proba", "decision_function"):
        if hasattr(classifier, method):
            scores = getattr(classifier, method)(table)
            break
    return scored_classes(np.asarray(y), classifier.predict(table), scores, classifier.classes_)


def _values(scores: dict[str, float]) -> np.ndarray:
    return np.array([scores[name] for name in SCORES])


def _bootstrap_weights(groups: Any, n: int, n_draws: int, random_state: Any) -> np.ndarray:
    """Return how often each draw holds each sample; those of a group are drawn together."""
    codes = np.arange(n) if groups is None else pd.factorize(np.asarray(groups))[0]
    n_groups = codes.max() + 1
    random = own_random_state(random_state)
    drawn = random.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_draws)
    return drawn[:, codes].astype(float)
