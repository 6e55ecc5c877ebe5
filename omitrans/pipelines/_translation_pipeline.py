"""A Pipeline whose steps select and fill the columns of one table and copy it only once."""

import copy
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn import get_config
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if

from omitrans.preprocessing._column_steps import with_column_steps
from omitrans.utils._sklearn import fit_context


def _of_pipeline(name: str) -> Callable[[Any], bool]:
    """Return a function that tests whether a Pipeline with the same steps has a method."""
    return lambda self: hasattr(super(TranslationPipeline, self), name)


def _draws(pipeline: Any) -> bool:
    """Return whether the last step draws profiles."""
    return hasattr(pipeline.steps[-1][1], "sample_y")


class TranslationPipeline(Pipeline):
    """A :class:`sklearn.pipeline.Pipeline` that runs consecutive column steps in one pass.

    In an ordinary Pipeline, each step that aligns, drops, sorts or fills columns checks and copies
    the whole table. Here such steps only pass on which columns they select. The table is checked at
    the first of these steps, and its values are copied once, after the last. Every step learns,
    raises and returns exactly the same as in a Pipeline.

    The steps that work this way are :class:`~omitrans.preprocessing.ArrayHarmonizer`,
    :class:`~omitrans.preprocessing.ProbeFilter`,
    :class:`~omitrans.preprocessing.MissingRateFilter`,
    :class:`~omitrans.preprocessing.LocationAligner`,
    :class:`~sklearn.feature_selection.VarianceThreshold` and :class:`~sklearn.impute.SimpleImputer`
    with means or medians. Any other step gets the table.

    Parameters
    ----------
    steps : list of (str, estimator)
        Names and estimators of the steps, as for :class:`sklearn.pipeline.Pipeline`.
    transform_input : list of str or None, default=None
        Names of metadata that the steps transform, as for :class:`sklearn.pipeline.Pipeline`.
    memory : str, object with the joblib.Memory interface or None, default=None
        Cache for fitted steps. With a cache, or if metadata routing is enabled, the table is copied
        at each step, as in a Pipeline.
    verbose : bool, default=False
        Whether to print the time of each step. The time of copying counts for the last column step.

    Attributes
    ----------
    named_steps : Bunch
        Steps by name.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    make_translation_pipeline : Makes such a pipeline with the recommended steps.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from omitrans.pipelines import TranslationPipeline
    >>> from omitrans.preprocessing import LocationAligner, MissingRateFilter
    >>> X = pd.DataFrame({"cg1": [0.0, 1.0, 2.0], "cg2": [None, None, 0.5]})
    >>> model = TranslationPipeline(
    ...     [
    ...         ("filter", MissingRateFilter()),
    ...         ("aligner", LocationAligner()),
    ...         ("regressor", LinearRegression()),
    ...     ]
    ... )
    >>> model.fit(X, [1.0, 2.0, 3.0]).predict(X).round(3)
    array([1., 2., 3.])
    >>> model["filter"].get_feature_names_out()
    array(['cg1'], dtype=object)
    """

    # the steps check their own parameters
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit the steps one after the other.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.
        y : array-like or DataFrame, default=None
            Targets of the samples.
        **params : dict
            Parameters for the `fit` of steps, such as ``harmonizer__groups``.

        Returns
        -------
        TranslationPipeline
            The fitted pipeline.
        """
        self._call("fit", X, y, **params)
        return self

    @available_if(_of_pipeline("fit_transform"))
    @fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit the steps, and return the samples transformed by all steps.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.
        y : array-like or DataFrame, default=None
            Targets of the samples.
        **params : dict
            Parameters for the `fit` of steps, such as ``harmonizer__groups``.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_transformed_features)
            Transformed samples.
        """
        return self._call("fit_transform", X, y, **params)

    @available_if(_of_pipeline("transform"))
    def transform(self, X: Any, **params: Any) -> Any:
        """Return the samples transformed by all steps.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.
        **params : dict
            Parameters that steps request through metadata routing.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_transformed_features)
            Transformed samples.
        """
        return self._call("transform", X, **params)

    @available_if(_of_pipeline("predict"))
    def predict(self, X: Any, **params: Any) -> Any:
        """Transform the samples by all steps but the last, and predict with the last step.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.
        **params : dict
            Parameters for the `predict` of the last step, such as ``return_std``.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions of the last step.
        """
        return self._call("predict", X, **params)

    @available_if(_draws)
    def sample_y(
        self,
        X: Any,
        n_samples: int = 1,
        random_state: int | np.random.RandomState | None = None,
        **params: Any,
    ) -> pd.DataFrame:
        """Transform the samples by all steps but the last, and draw profiles with the last step.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            Samples as rows.
        n_samples : int, default=1
            Number of draws for each row.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.
        **params : dict
            Further parameters for the `sample_y` of the last step.

        Returns
        -------
        DataFrame of shape (n_rows * n_samples, n_targets)
            Drawn profiles, as the last step returns them, under the index of X.
        """
        seen = self[:-1].transform(X) if len(self) > 1 else X
        if isinstance(X, pd.DataFrame) and not isinstance(seen, pd.DataFrame):
            seen = pd.DataFrame(seen, index=X.index)
        return self[-1].sample_y(seen, n_samples, random_state, **params)

    @available_if(_of_pipeline("score"))
    def score(self, X: Any, y: Any = None, sample_weight: Any = None, **params: Any) -> float:
        """Transform the samples by all steps but the last, and return the score of the last step.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.
        y : array-like or DataFrame, default=None
            Targets of the samples.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.
        **params : dict
            Parameters that steps request through metadata routing.

        Returns
        -------
        float
            Score of the last step, which is R² for a regressor.
        """
        return self._call("score", X, y, sample_weight, **params)

    def _call(self, method: str, *args: Any, **params: Any) -> Any:
        """Call a method of Pipeline on steps that pass on views of the columns where possible."""
        fused = None
        alone = self.memory is None and getattr(self, "transform_input", None) is None
        if alone and not get_config()["enable_metadata_routing"]:
            fused = with_column_steps(self.steps)
        pipeline = self
        if fused is not None:
            # the steps are the same objects, and are fitted as such
            pipeline = copy.copy(self)
            pipeline.steps = fused
        return getattr(super(TranslationPipeline, pipeline), method)(*args, **params)
