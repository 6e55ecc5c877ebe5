"""Which column is expression, which is a covariate, and what each becomes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector

from omitrans.covariates import CovariateEncoder
from omitrans.exceptions import FeatureMismatchError


def make(categorical=None, numeric=None, ignored=None):
    return CovariateEncoder(
        categorical_covariates=categorical, numeric_covariates=numeric, ignored_columns=ignored
    )


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
    encoder = make(**columns)
    table = encoder.fit_split(frame)
    np.testing.assert_array_equal(table.expression, frame[["TP53", "EGFR"]])
    assert table.expression.dtype == np.float32
    assert list(table.categorical[[0, 2], 0]) == ["Lung", "Liver"]
    assert np.isnan(table.categorical[1, 0])
    np.testing.assert_array_equal(table.numeric, [[30], [40], [50]])
    assert list(encoder.expression_names()) == ["TP53", "EGFR"]
    assert encoder.labels("categorical") == ["tissue"]
    again = encoder.split(frame[::-1])
    np.testing.assert_array_equal(again.expression, table.expression[::-1])


@pytest.mark.parametrize("kind", ["numeric", "ignored"])
def test_one_kind_of_column_alone(frame, kind):
    frame = frame[["TP53", "age"]]
    table = make(**{kind: ["age"]}).fit_split(frame)
    assert table.expression.shape == (3, 1)
    assert table.categorical.shape == (3, 0)


def test_arrays_have_positions(frame):
    encoder = make(categorical=[0], numeric=[2], ignored=[4])
    table = encoder.fit_split(frame.to_numpy(dtype=object))
    assert table.expression.dtype == np.float64
    assert list(encoder.expression_names()) == ["x1", "x3"]
    assert encoder.labels("numeric") == ["2"]


def test_without_covariates_the_table_is_not_copied(frame):
    values = np.ascontiguousarray(frame[["TP53", "EGFR"]])
    table = make().fit_split(values)
    assert np.shares_memory(table.expression, values)
    assert table.categorical.shape == table.numeric.shape == (3, 0)


def test_columns_of_fit_are_asked_for(frame):
    encoder = make(**COLUMNS[0])
    encoder.fit_split(frame)
    with pytest.raises(FeatureMismatchError, match="donor"):
        encoder.split(frame.drop(columns="donor"))
    with pytest.raises(FeatureMismatchError, match="same order"):
        encoder.split(frame[frame.columns[::-1]])


def test_infinite_expression(frame):
    frame.loc["s1", "EGFR"] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        make(**COLUMNS[0]).fit_split(frame)


def test_infinite_covariate(frame):
    frame["age"] = [30, np.inf, 50]
    with pytest.raises(ValueError, match="infinity"):
        make(**COLUMNS[0]).fit_split(frame)


@pytest.mark.parametrize("columns", [{}, {"categorical": ["tissue"], "numeric": ["age"]}])
def test_forgotten_columns_of_text_are_named(frame, columns):
    n, first = (1, "donor") if columns else (2, "tissue")
    with pytest.raises(ValueError, match=rf"{n} columns of text where expression .*{first}"):
        make(**columns).fit_split(frame)
