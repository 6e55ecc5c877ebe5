"""Predict with names: what goes in with sample ids comes out with sample and target names."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from omitrans.annotation import check_locations

__all__ = ["predict_frame"]


def predict_frame(model: Any, X: Any, *, target_names: Iterable[Any] | None = None) -> pd.DataFrame:
    """Predict, and label the prediction with sample and target names.

    Parameters
    ----------
    model : fitted estimator
        An estimator of this package or any scikit-learn regressor, also as the last step of a
        :class:`~sklearn.pipeline.Pipeline`, tuned by a search, or inside a
        :class:`~sklearn.compose.TransformedTargetRegressor`.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Source profiles with the columns seen in fit. The index of a frame is kept.
    target_names : iterable of length n_targets, default=None
        Names of the predicted columns, for models that do not know them: scikit-learn's own keep
        no target names.

    Returns
    -------
    DataFrame of shape (n_samples, n_targets)
        What ``model.predict(X)`` gives, in its dtype: a row a sample, a column a target.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        If the target names are unknown, or their number is not that of the targets.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import Ridge
    >>> from omitrans import predict_frame
    >>> X = pd.DataFrame({"cg01": [0.1, 0.9, 0.5]}, index=["s1", "s2", "s3"])
    >>> Y = pd.DataFrame({"geneA": [1.0, 3.0, 2.0], "geneB": [0.0, 0.0, 0.0]}, index=X.index)
    >>> predict_frame(Ridge(alpha=0.0).fit(X, Y), X, target_names=Y.columns).round(2)
        geneA  geneB
    s1    1.0    0.0
    s2    3.0    0.0
    s3    2.0    0.0
    """
    check_is_fitted(model)
    names = pd.Index(_known_target_names(model) if target_names is None else target_names)
    predicted = np.asarray(model.predict(X))
    predicted = predicted.reshape(len(predicted), -1)
    if len(names) != predicted.shape[1]:
        raise ValueError(
            f"The model predicts {predicted.shape[1]} targets, but there are {len(names)} target "
            "names. Give one for each column of the Y of fit: target_names=Y.columns."
        )
    index = X.index if isinstance(X, pd.DataFrame) else None
    return pd.DataFrame(predicted, index=index, columns=names)


def _known_target_names(model: Any) -> Any:
    """Return the target names that a fitted model remembers, or raise."""
    if hasattr(model, "target_names_"):
        return model.target_names_
    if hasattr(model, "best_estimator_"):
        return _known_target_names(model.best_estimator_)
    if isinstance(model, Pipeline):
        return _known_target_names(model[-1])
    if isinstance(model, TransformedTargetRegressor):
        # its regressor sees Y without names, so only the transformer can know them
        names = _described_columns(model.transformer_)
        if names is not None:
            return names
    raise ValueError(
        f"{type(model).__name__} does not keep the names of its targets. "
        "Give the columns of the Y of fit: target_names=Y.columns."
    )


def _described_columns(transformer: Any) -> Any:
    """Return the names of the columns a transformer was fitted on, None if it has none."""
    if isinstance(transformer, Pipeline):
        return _described_columns(transformer[0])
    if hasattr(transformer, "feature_names_in_"):
        return transformer.feature_names_in_
    annotation = getattr(transformer, "annotation", None)
    return None if annotation is None else check_locations(annotation).index
