"""Any imputer beside covariates, against a table built by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.impute import KNNImputer, SimpleImputer

from omitrans.baselines import CovariateImputer, SVDImputer
from omitrans.datasets import hide_values, make_expression
from omitrans.exceptions import FeatureMismatchError, UnknownCategoryWarning

ROLES = {
    "categorical_covariates": ["tissue"],
    "numeric_covariates": ["age"],
    "ignored_columns": ["sex", "cohort", "donor"],
}


@pytest.fixture(scope="module")
def cohort():
    """Samples of few donors, so that most have blood too; a third of the values is hidden."""
    data = make_expression(n_samples=120, n_genes=25, n_tissues=4, n_donors=32, random_state=0)
    whole = data.X.assign(donor=data.samples["donor"])
    genes = list(data.expression.columns)
    others = whole.columns.difference(genes)
    holes, hidden = hide_values(whole, 0.3, exclude=others, random_state=0)
    return SimpleNamespace(whole=whole, holes=holes, hidden=hidden, genes=genes)


def assemble(cohort, frame, train):
    """Return standardised genes, one-hot tissues and standardised age, with pandas."""
    mean, scale = train[cohort.genes].mean(), train[cohort.genes].std(ddof=0)
    genes = (frame[cohort.genes] - mean) / scale
    genes = genes.fillna(0).where(frame[cohort.genes].notna())  # constant genes are 0 / 0
    tissues = pd.get_dummies(frame["tissue"]).reindex(columns=sorted(set(train["tissue"])))
    age = (frame["age"] - train["age"].mean()) / train["age"].std(ddof=0)
    return pd.concat([genes, tissues.fillna(0).astype(float), age], axis=1).to_numpy(float)


def test_sees_standardised_genes_categories_and_numbers(cohort):
    train, new = cohort.whole[:80], cohort.holes[80:]
    filled = CovariateImputer(KNNImputer(n_neighbors=3), **ROLES).fit(train).transform(new)
    knn = KNNImputer(n_neighbors=3).fit(assemble(cohort, train, train))
    scaled = knn.transform(assemble(cohort, new, train))[:, : len(cohort.genes)]
    scale, mean = train[cohort.genes].std(ddof=0), train[cohort.genes].mean()
    expected = scaled * scale.to_numpy() + mean.to_numpy()
    np.testing.assert_allclose(filled, expected, rtol=1e-4, atol=1e-4)
    observed = new[cohort.genes].notna().to_numpy()
    np.testing.assert_array_equal(
        filled[observed], new[cohort.genes].to_numpy()[observed], strict=True
    )


def test_covariates_decide_where_nothing_is_observed(cohort):
    new = cohort.whole[:20].copy()
    new[cohort.genes] = np.nan
    imputer = CovariateImputer(KNNImputer(n_neighbors=1), **ROLES).fit(cohort.whole)
    filled = imputer.transform(new)
    for row, (_, sample) in zip(filled, new.iterrows(), strict=True):
        same = cohort.whole[cohort.whole["tissue"] == sample["tissue"]]
        nearest = same[(same["age"] == sample["age"])][cohort.genes].to_numpy()
        assert np.isclose(row, nearest, rtol=1e-4, atol=1e-4).all(axis=1).any()


def test_without_covariates_is_the_imputer_on_standardised_genes(rng):
    X = rng.normal(size=(40, 6)) * [1, 2, 3, 4, 5, 6] + 10
    X[rng.random(X.shape) < 0.2] = np.nan
    filled = CovariateImputer(SimpleImputer()).fit_transform(X)
    np.testing.assert_allclose(filled, SimpleImputer().fit_transform(X), rtol=1e-12)


def test_default_is_knn_with_five_neighbours(cohort):
    genes = cohort.holes[cohort.genes]
    np.testing.assert_array_equal(
        CovariateImputer().fit_transform(genes), CovariateImputer(KNNImputer()).fit_transform(genes)
    )


def test_fit_transform_takes_that_of_the_imputer(cohort):
    """An SVD that has not settled fills training samples as its iteration left them."""
    genes = cohort.holes[cohort.genes].to_numpy(float)
    scaled = (genes - np.nanmean(genes, axis=0)) / np.nanstd(genes, axis=0)
    with pytest.warns(sklearn.exceptions.ConvergenceWarning):
        filled = CovariateImputer(SVDImputer(3, max_iter=4, random_state=0)).fit_transform(genes)
    with pytest.warns(sklearn.exceptions.ConvergenceWarning):
        expected = SVDImputer(3, max_iter=4, random_state=0).fit_transform(scaled)
    expected = expected * np.nanstd(genes, axis=0) + np.nanmean(genes, axis=0)
    np.testing.assert_allclose(filled, expected, rtol=1e-6, atol=1e-9)


def test_unknown_category_is_all_zeros_and_a_missing_number_the_mean(cohort):
    imputer = CovariateImputer(**ROLES).fit(cohort.whole)
    new = cohort.holes[:3].assign(tissue="Spleen", age=np.nan)
    table = assemble(cohort, new, cohort.whole)
    table[:, -1] = 0.0
    assert not table[:, len(cohort.genes) :].any()
    knn = KNNImputer().fit(assemble(cohort, cohort.whole, cohort.whole))
    expected = knn.transform(table)[:, : len(cohort.genes)]
    with pytest.warns(UnknownCategoryWarning, match=r"'tissue' holds 1 categories .* \(Spleen\)"):
        scaled = imputer.expression_scaler_.transform(imputer.transform(new))
    np.testing.assert_allclose(scaled, expected, rtol=1e-3, atol=1e-4)


def test_numeric_covariate_without_values(cohort):
    with pytest.raises(ValueError, match=r"1 of numeric_covariates hold no value at all \(age\)"):
        CovariateImputer(**ROLES).fit(cohort.whole.assign(age=np.nan))


def test_missing_category_is_one_where_fit_has_met_it(cohort):
    train = cohort.whole.copy()
    train.loc[train.index[::4], "tissue"] = None
    met = CovariateImputer(**ROLES).fit(train)
    not_met = CovariateImputer(**ROLES).fit(cohort.whole)
    assert met.covariates_.category_encoder_.categories_[0].size == 5
    new = cohort.holes.assign(tissue=None)
    assert np.isfinite(met.transform(new)).all()
    assert np.isfinite(not_met.transform(new)).all()


@pytest.mark.parametrize("columns", [ROLES, {"ignored_columns": None}])
def test_frames_within_are_of_no_concern(cohort, columns):
    """scikit-learn may be told that every transformer should return frames."""
    X = cohort.holes if "categorical_covariates" in columns else cohort.holes[cohort.genes]
    expected = CovariateImputer(**columns).fit_transform(X)
    with sklearn.config_context(transform_output="pandas"):
        filled = CovariateImputer(**columns).fit_transform(X)
    assert list(filled.columns) == cohort.genes
    np.testing.assert_array_equal(filled, expected)


def test_covariate_absent_or_listed_twice(cohort):
    with pytest.raises(FeatureMismatchError, match="names columns that X does not have"):
        CovariateImputer(categorical_covariates=["organ"]).fit(cohort.whole)
    with pytest.raises(FeatureMismatchError, match="listed twice: age"):
        CovariateImputer(**{**ROLES, "ignored_columns": ["age"]}).fit(cohort.whole)


def test_imputer_is_not_changed(cohort):
    knn = KNNImputer()
    CovariateImputer(knn, **ROLES).fit(cohort.whole)
    assert not hasattr(knn, "n_features_in_")
