"""Covariates as numbers, against scikit-learn's own way to say it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from omitrans.covariates import CovariateEncoder
from omitrans.exceptions import UnknownCategoryWarning

NAMES = {"categorical_covariates": ["tissue", "sex"], "numeric_covariates": "age"}


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    samples = [f"s{i}" for i in range(12)]
    genes = pd.DataFrame(rng.normal(size=(12, 3)), samples, ["TP53", "EGFR", "XIST"])
    return genes.assign(tissue=["Lung", "Liver", "Blood"] * 4, sex=["f", "m"] * 6, age=range(12))


def test_one_hot_is_what_a_column_transformer_gives(frame):
    ours = CovariateEncoder(**NAMES).set_output(transform="pandas").fit_transform(frame)
    theirs = ColumnTransformer(
        [
            ("genes", "passthrough", ["TP53", "EGFR", "XIST"]),
            ("categories", OneHotEncoder(sparse_output=False), ["tissue", "sex"]),
            ("numbers", StandardScaler(), ["age"]),
        ],
        verbose_feature_names_out=False,
    )
    pd.testing.assert_frame_equal(
        ours, theirs.set_output(transform="pandas").fit_transform(frame), check_dtype=False
    )


def test_codes_begin_at_one_and_zero_is_unknown(frame):
    encoder = CovariateEncoder(**NAMES, encoding="codes").fit(frame)
    assert [list(known) for known in encoder.categories_] == [
        ["Blood", "Liver", "Lung"],
        ["f", "m"],
    ]
    new = frame.head(3).assign(tissue=["Liver", "Brain", None])
    with pytest.warns(UnknownCategoryWarning, match=r"'tissue' holds 1 categories .*Brain.*1 of 3"):
        codes = encoder.transform(new)[:, 3:]
    np.testing.assert_array_equal(codes[:, :2], [[2, 1], [0, 2], [0, 1]])


def test_an_unknown_category_is_none_of_the_known(frame):
    encoder = CovariateEncoder(**NAMES).fit(frame)
    with pytest.warns(UnknownCategoryWarning) as caught:
        row = encoder.transform(frame.head(1).assign(tissue="Brain"))[0, 3:6]
    np.testing.assert_array_equal(row, 0)
    assert caught[0].filename == __file__


def test_missing_numbers_stand_at_the_mean(frame):
    encoder = CovariateEncoder(numeric_covariates="age", ignored_columns=["tissue", "sex"])
    encoder.fit(frame)
    new = frame.head(2).assign(age=[np.nan, frame["age"].mean()])
    np.testing.assert_allclose(encoder.transform(new)[:, 3], 0, atol=1e-12)


def test_without_an_encoding_the_parts_come_as_they_are(frame):
    encoder = CovariateEncoder(**NAMES, encoding=None)
    table = encoder.fit_split(frame.assign(sex=[1, "m"] * 6))  # cannot be sorted
    assert set(table.categorical[:, 1]) == {1, "m"}
    assert encoder.category_encoder_ is None


def test_a_model_that_takes_numbers_stands_behind_it(frame):
    y = frame["TP53"] + (frame["tissue"] == "Lung")
    model = make_pipeline(CovariateEncoder(**NAMES), Ridge(1e-6)).fit(frame, y)
    np.testing.assert_allclose(model.predict(frame), y, atol=1e-4)


def test_the_owner_gets_the_names_and_is_named(frame):
    class Owner(Ridge):
        """An estimator that reads a table with covariates."""

    owner, encoder = Owner(), CovariateEncoder(**NAMES)
    encoder.fit_split(frame, owner=owner)
    assert list(owner.feature_names_in_) == list(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.split(frame.drop(columns="age"), owner=owner)


def test_a_refit_on_an_array_forgets_the_names(frame):
    encoder = CovariateEncoder(numeric_covariates=[2]).fit(frame[["TP53", "EGFR", "age"]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.fit(np.arange(6.0).reshape(2, 3))
    assert list(encoder.get_feature_names_out()) == ["x0", "x1", "x2"]


@pytest.mark.parametrize("name", [np.str_("age"), np.int64(5), lambda X: np.int64(5)])
def test_numpy_names_and_positions(frame, name):
    encoder = CovariateEncoder(numeric_covariates=name, ignored_columns=["tissue", "sex"])
    assert encoder.fit(frame).labels("numeric") == ["age"]


def test_a_truth_value_names_no_column(frame):
    with pytest.raises(ValueError, match="categorical_covariates must name columns; got True"):
        CovariateEncoder(categorical_covariates=True).fit(frame)


@pytest.mark.parametrize("encoding", ["one-hot", "codes"])
def test_a_covariate_of_text_and_numbers_is_named(frame, encoding):
    frame["grade"] = [1, 2, "X"] * 4
    names = {"categorical_covariates": ["tissue", "grade"], "ignored_columns": ["sex", "age"]}
    with pytest.raises(ValueError, match="all text or all numbers; grade holds both"):
        CovariateEncoder(**names, encoding=encoding).fit(frame)


def test_the_codes_are_those_of_the_fit(frame):
    encoder = CovariateEncoder(**NAMES, encoding="codes").fit(frame)
    before = encoder.transform(frame)
    np.testing.assert_array_equal(encoder.set_params(encoding="one-hot").transform(frame), before)
