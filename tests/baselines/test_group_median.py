"""Medians of groups against pandas."""

import numpy as np
import pandas as pd
import pytest

from omitrans.baselines import GroupMedianImputer
from omitrans.datasets import hide_values, make_expression
from omitrans.exceptions import FeatureMismatchError, UnknownCategoryWarning

NAN = float("nan")
COVARIATES = ["tissue", "sex", "cohort", "age"]


@pytest.fixture(scope="module")
def holes():
    X = make_expression(n_samples=120, n_genes=25, n_tissues=4, random_state=0).X
    return hide_values(X, 0.3, exclude=COVARIATES, random_state=0)[0]


@pytest.mark.parametrize("group", ["tissue", ["tissue", "sex"], ["tissue"]])
def test_medians_are_those_of_pandas(holes, group):
    columns = [group] if isinstance(group, str) else group
    rest = [name for name in COVARIATES if name not in columns]
    filled = GroupMedianImputer(group, ignored_columns=rest).fit_transform(holes)
    genes = holes.drop(columns=COVARIATES)
    medians = genes.groupby([holes[name] for name in columns]).transform("median")
    # where a gene has no value in a group, the median of all
    expected = genes.fillna(medians).fillna(genes.median())
    np.testing.assert_allclose(filled, expected, rtol=1e-6)


def test_without_group(holes):
    genes = holes.drop(columns=COVARIATES)
    filled = GroupMedianImputer().fit_transform(genes)
    np.testing.assert_allclose(filled, genes.fillna(genes.median()), rtol=1e-6)


def test_medians_come_from_fit_and_not_from_new_samples():
    X = pd.DataFrame({"tissue": ["a", "a", "b"], "g": [1.0, 3.0, 5.0]})
    new = pd.DataFrame({"tissue": ["a", "a", "a"], "g": [100.0, 100.0, NAN]})
    filled = GroupMedianImputer("tissue").fit(X).transform(new)
    np.testing.assert_array_equal(filled[:, 0], [100.0, 100.0, 2.0])


def test_what_a_group_lacks_comes_from_all_samples():
    X = pd.DataFrame({"tissue": ["a", "a", "b", None], "g": [1.0, 3.0, NAN, 9.0]})
    imputer = GroupMedianImputer("tissue").fit(X)
    assert imputer.groups_ == ["a", "b"]
    new = pd.DataFrame({"tissue": ["b", None, "a"], "g": [NAN] * 3})
    np.testing.assert_array_equal(imputer.transform(new)[:, 0], [3.0, 3.0, 2.0])


def test_unknown_groups_are_named():
    X = pd.DataFrame({"tissue": ["a", "a", "b"], "g": [1.0, 3.0, 8.0]})
    imputer = GroupMedianImputer("tissue").fit(X)
    new = pd.DataFrame({"tissue": ["c", "a"], "g": [NAN, NAN]})
    with pytest.warns(UnknownCategoryWarning, match=r"tissue holds 1 groups .* \(c\)"):
        filled = imputer.transform(new)
    np.testing.assert_array_equal(filled[:, 0], [3.0, 2.0])


def test_a_combination_with_a_missing_part_is_no_group():
    X = pd.DataFrame({"tissue": ["a", "a", "a"], "sex": ["f", "f", None], "g": [1.0, 3.0, 8.0]})
    imputer = GroupMedianImputer(["tissue", "sex"]).fit(X)
    assert imputer.groups_ == [("a", "f")]
    new = pd.DataFrame({"tissue": ["a", "a"], "sex": [None, "f"], "g": [NAN, NAN]})
    np.testing.assert_array_equal(imputer.transform(new)[:, 0], [3.0, 2.0])


def test_group_of_an_array_by_position():
    X = np.array([[0.0, 1.0], [0.0, 3.0], [1.0, 8.0], [1.0, NAN]])
    filled = GroupMedianImputer(0).fit_transform(X)
    np.testing.assert_array_equal(filled[:, 0], [1.0, 3.0, 8.0, 8.0])


def test_absent_group(holes):
    with pytest.raises(FeatureMismatchError, match="'organ' names columns that X does not have"):
        GroupMedianImputer("organ").fit(holes)
