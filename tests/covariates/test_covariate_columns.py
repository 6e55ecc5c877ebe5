"""Which column is expression, which is a covariate, and what each becomes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_selector

from omitrans.covariates._columns import column_labels, expression_names, split_table
from omitrans.exceptions import FeatureMismatchError


class Estimator(BaseEstimator):
    """Only keeps what is set on it."""


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "tissue": ["Lung", None, "Liver"],
            "TP53": np.array([1, np.nan, 3], dtype=np.float32),
            "age": [30, 40, 50],
            "EGFR": np.array([4, 5, 6], dtype=np.float32),
            "donor": ["d1", "d2", "d1"],
        },
        index=["s1", "s2", "s3"],
    )


COLUMNS = [
    {"categorical": ["tissue"], "numeric": ["age"], "ignored": ["donor"]},
    {"categorical": "tissue", "numeric": "age", "ignored": "donor"},
    {"categorical": [0], "numeric": 2, "ignored": [-1]},
    {"categorical": slice(0, 1), "numeric": slice(2, 3), "ignored": slice(4, 5)},
    {
        "categorical": [True, False, False, False, False],
        "numeric": make_column_selector("age"),
        "ignored": lambda X: ["donor"],
    },
]


@pytest.mark.parametrize("columns", COLUMNS)
def test_every_way_to_name_columns(frame, columns):
    estimator = Estimator()
    table = split_table(estimator, frame, reset=True, **columns)
    np.testing.assert_array_equal(table.expression, frame[["TP53", "EGFR"]])
    assert table.expression.dtype == np.float32
    assert list(table.categorical[[0, 2], 0]) == ["Lung", "Liver"]
    assert np.isnan(table.categorical[1, 0])
    np.testing.assert_array_equal(table.numeric, [[30], [40], [50]])
    assert list(expression_names(estimator)) == ["TP53", "EGFR"]
    assert column_labels(estimator, "categorical") == ["tissue"]
    again = split_table(estimator, frame[::-1], reset=False)
    np.testing.assert_array_equal(again.expression, table.expression[::-1])


@pytest.mark.parametrize("kind", ["numeric", "ignored"])
def test_one_kind_of_column_alone(frame, kind):
    frame = frame[["TP53", "age"]]
    table = split_table(Estimator(), frame, reset=True, **{kind: ["age"]})
    assert table.expression.shape == (3, 1)
    assert table.categorical.shape == (3, 0)


def test_arrays_have_positions(frame):
    estimator = Estimator()
    options = {"categorical": [0], "numeric": [2], "ignored": [4]}
    table = split_table(estimator, frame.to_numpy(dtype=object), reset=True, **options)
    assert table.expression.dtype == np.float64
    assert list(expression_names(estimator)) == ["x1", "x3"]
    assert column_labels(estimator, "numeric") == ["2"]


def test_without_covariates_the_table_is_not_copied(frame):
    values = np.ascontiguousarray(frame[["TP53", "EGFR"]])
    table = split_table(Estimator(), values, reset=True)
    assert np.shares_memory(table.expression, values)
    assert table.categorical.shape == table.numeric.shape == (3, 0)


def test_columns_of_fit_are_asked_for(frame):
    estimator = Estimator()
    split_table(estimator, frame, reset=True, **COLUMNS[0])
    with pytest.raises(FeatureMismatchError, match="donor"):
        split_table(estimator, frame.drop(columns="donor"), reset=False)
    with pytest.raises(FeatureMismatchError, match="same order"):
        split_table(estimator, frame[frame.columns[::-1]], reset=False)


def test_infinite_expression(frame):
    frame.loc["s1", "EGFR"] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        split_table(Estimator(), frame, reset=True, **COLUMNS[0])


def test_infinite_covariate(frame):
    frame["age"] = [30, np.inf, 50]
    with pytest.raises(ValueError, match="infinity"):
        split_table(Estimator(), frame, reset=True, **COLUMNS[0])


@pytest.mark.parametrize("columns", [{}, {"categorical": ["tissue"], "numeric": ["age"]}])
def test_forgotten_columns_of_text_are_named(frame, columns):
    n, first = (1, "donor") if columns else (2, "tissue")
    with pytest.raises(ValueError, match=rf"{n} columns of text where expression .*{first}"):
        split_table(Estimator(), frame, reset=True, **columns)
