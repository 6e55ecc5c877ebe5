"""Trivial predictors of expression, which a useful model must surpass."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import check_array

from omitrans.exceptions import FeatureMismatchError
from omitrans.utils._validation import _some, check_paired_samples, holds_numbers

MEAN, COVARIATES, COMPONENTS = "mean", "covariates", "methylation components"
"""Names of the controls."""


def control_predictions(
    expression: pd.DataFrame,
    *,
    methylation: pd.DataFrame | None = None,
    new_methylation: pd.DataFrame | None = None,
    covariates: pd.DataFrame | None = None,
    new_covariates: pd.DataFrame | None = None,
    n_components: int = 5,
    samples: pd.Index | None = None,
) -> dict[str, pd.DataFrame]:
    """Predict expression by what anyone knows without a model of single genes.

    A gene list or a classification that these predictions reach as well tells of tissue, purity or
    cohort, and not of what a model has learned about single genes.

    Parameters
    ----------
    expression : DataFrame of shape (n_train, n_genes)
        Measured expression of the training samples.
    methylation : DataFrame of shape (n_train, n_probes), default=None
        Methylation of the same samples, without missing values.
    new_methylation : DataFrame of shape (n_test, n_probes), default=None
        Methylation of the samples to predict, with the same probes.
    covariates : DataFrame of shape (n_train, n_covariates), default=None
        What is known of the training samples, such as tissue, cohort, tumour purity or age. Columns
        of text are categories, of which a missing one is one more; a missing number counts as the
        mean.
    new_covariates : DataFrame of shape (n_test, n_covariates), default=None
        The same covariates of the samples to predict.
    n_components : int, default=5
        Number of principal components of methylation.
    samples : Index, default=None
        Ids of the samples to predict. None takes those of the new tables.

    Returns
    -------
    dict of str to DataFrame of shape (n_test, n_genes)
        Predictions by the name of the control: ``mean`` (of the training samples), ``covariates``
        (linear regression on them) if they are given, and ``methylation components`` (linear
        regression on the first principal components of methylation) if methylation is given.

    Raises
    ------
    FeatureMismatchError
        If the new tables lack a probe or a covariate.
    SampleMismatchError
        If tables of the training samples, or those of the samples to predict, do not hold the same
        samples in the same order.
    ValueError
        If no samples to predict are given, if expression or methylation holds missing values, or if
        covariates hold none, or other values than numbers for new samples alone.

    Examples
    --------
    >>> from omitrans.datasets import make_paired_omics
    >>> from omitrans.downstream import control_predictions
    >>> data = make_paired_omics(60, 40, 10, missing_rate=0, random_state=0)
    >>> found = control_predictions(
    ...     data.Y[:40], methylation=data.X[:40], new_methylation=data.X[40:]
    ... )
    >>> {name: table.shape for name, table in found.items()}
    {'mean': (20, 10), 'methylation components': (20, 10)}
    """
    new_tables = {"new_covariates": new_covariates, "new_methylation": new_methylation}
    for name, table in new_tables.items():
        if table is None:
            continue
        samples = table.index if samples is None else samples
        check_paired_samples(pd.DataFrame(index=samples), table, names=("samples", name))
    if samples is None:
        raise ValueError("Give new_methylation or new_covariates of the samples to predict.")
    tables = {"expression": expression, "methylation": methylation}
    for name, table in (tables | {"new_methylation": new_methylation}).items():
        if table is not None:
            check_array(table, dtype=None, input_name=name)
    blank = np.zeros((len(samples), 1))
    mean = DummyRegressor().fit(np.zeros((len(expression), 1)), expression)
    found = {MEAN: mean.predict(blank)}
    if covariates is not None and new_covariates is not None:
        check_paired_samples(covariates, expression, names=("covariates", "expression"))
        new = _columns_of(new_covariates, covariates, "new_covariates")
        known = covariates.notna().any().to_numpy()
        if not known.any():
            raise ValueError(
                f"covariates holds no value for the {len(covariates)} training samples. Give "
                "covariates of these samples, by their ids, or leave covariates out."
            )
        numbers = [name for name in covariates.columns[known] if holds_numbers(covariates[name])]
        text = covariates.columns[known].difference(numbers, sort=False)
        _check_numbers(new, numbers)
        model = _of_covariates(len(numbers), len(text))
        model.fit(_with_text(covariates, numbers, text), expression)
        found[COVARIATES] = model.predict(_with_text(new, numbers, text))
    if methylation is not None and new_methylation is not None:
        check_paired_samples(methylation, expression, names=("methylation", "expression"))
        new = _columns_of(new_methylation, methylation, "new_methylation")
        n_components = min(n_components, len(methylation) - 1, methylation.shape[1])
        model = make_pipeline(PCA(n_components, random_state=0), LinearRegression())
        found[COMPONENTS] = model.fit(methylation, expression).predict(new)
    dtype = np.float32 if (expression.dtypes == np.float32).all() else np.float64
    return {
        name: pd.DataFrame(
            values.reshape(len(samples), -1).astype(dtype), samples, expression.columns
        )
        for name, values in found.items()
    }


def _columns_of(table: pd.DataFrame, known: pd.DataFrame, name: str) -> pd.DataFrame:
    lacking = known.columns.difference(table.columns, sort=False)
    if len(lacking):
        raise FeatureMismatchError(
            f"{name} lacks {len(lacking)} of {known.shape[1]} columns ({_some(lacking)})."
        )
    return table[known.columns]


def _of_covariates(n_numbers: int, n_text: int) -> Any:
    """Return an unfitted regression on columns of numbers and then of text.

    Its penalty only settles what is collinear.
    """
    numbers, text = np.arange(n_numbers), np.arange(n_numbers, n_numbers + n_text)
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), text),
    )
    return make_pipeline(columns, Ridge(alpha=1e-3))


def _check_numbers(table: pd.DataFrame, numbers: list[Any]) -> None:
    for name in numbers:
        if table[name].notna().any() and not holds_numbers(table[name]):
            raise ValueError(
                f"new_covariates holds other values than numbers in {name!r}, which holds numbers "
                "in covariates. Write them alike in both."
            )


def _with_text(covariates: pd.DataFrame, numbers: list[Any], text: pd.Index) -> pd.DataFrame:
    """Return columns of numbers and of text; a missing category is one of its own."""
    words = covariates[text].astype(object)
    words = words.where(words.notna(), "missing").astype(str)
    joined = pd.concat([covariates[numbers], words], axis=1)
    return joined.set_axis([f"x{i}" for i in range(joined.shape[1])], axis=1)
