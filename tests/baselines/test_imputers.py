"""Baseline imputers against pandas, scikit-learn and loops."""

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import KNNImputer
from sklearn.linear_model import Ridge

from omitrans.baselines import (
    CovariateImputer,
    GroupMedianImputer,
    RidgeImputer,
    SurrogateTissueImputer,
    make_imputers,
)
from omitrans.datasets import hide_values, make_expression
from omitrans.exceptions import UnknownCategoryWarning, UnknownNameError

COVARIATES = ["tissue", "sex", "cohort", "age"]


@pytest.fixture(scope="module")
def data():
    """Samples of few donors, so that most have blood too; a third of the values is hidden."""
    data = make_expression(n_samples=120, n_genes=25, n_tissues=4, n_donors=32, random_state=0)
    X = data.X.assign(donor=data.samples["donor"])
    data.whole = X
    data.holes, data.hidden = hide_values(X, 0.3, exclude=[*COVARIATES, "donor"], random_state=0)
    return data


def genes_of(frame):
    return frame.filter(like="ENSG")


# --- medians ---


def test_group_medians_are_those_of_pandas(data):
    imputer = GroupMedianImputer("tissue", ignored_columns=["sex", "cohort", "age", "donor"])
    filled = imputer.fit_transform(data.holes)
    genes = genes_of(data.holes)
    medians = genes.groupby(data.holes["tissue"]).transform("median")
    np.testing.assert_allclose(filled, genes.fillna(medians), rtol=1e-6)


def test_median_without_group(data):
    genes = genes_of(data.holes)
    filled = GroupMedianImputer().fit_transform(genes)
    np.testing.assert_allclose(filled, genes.fillna(genes.median()), rtol=1e-6)


def test_what_a_tissue_lacks_comes_from_all_samples():
    X = pd.DataFrame({"tissue": ["a", "a", "b", None], "g": [1.0, 3.0, np.nan, 9.0]})
    imputer = GroupMedianImputer("tissue").fit(X)
    new = pd.DataFrame({"tissue": ["b", None, "a"], "g": [np.nan] * 3})
    np.testing.assert_array_equal(imputer.transform(new)[:, 0], [3.0, 3.0, 2.0])
    new.loc[0, "tissue"] = "c"
    with pytest.warns(UnknownCategoryWarning, match=r"tissue holds 1 groups .* \(c\)"):
        assert imputer.transform(new)[0, 0] == 3.0


# --- surrogate ---


def test_surrogate_is_the_blood_of_the_same_donor(data):
    imputer = SurrogateTissueImputer(
        tissue="tissue", donor="donor", ignored_columns=["sex", "cohort", "age"]
    )
    filled = imputer.fit_transform(data.holes)
    genes, holes = genes_of(data.holes), data.holes
    medians = genes.groupby(holes["tissue"]).transform("median")
    n_from_blood = 0
    for i, sample in enumerate(genes.index):
        blood = genes[
            (holes["donor"] == holes["donor"].iloc[i]) & (holes["tissue"] == "Whole Blood")
        ]
        for j, gene in enumerate(genes.columns):
            expected = genes.iloc[i, j]
            if np.isnan(expected) and len(blood) and holes["tissue"].iloc[i] != "Whole Blood":
                expected = blood[gene].iloc[0]
                n_from_blood += not np.isnan(expected)
            if np.isnan(expected):
                expected = medians.loc[sample, gene]
            assert filled[i, j] == pytest.approx(expected, rel=1e-6)
    report = imputer.report(data.holes)
    assert report["n_from_surrogate"].sum() == n_from_blood > 100
    assert list(report["n_missing"]) == list(data.hidden.sum(axis=1))


def test_surrogates_are_those_of_fit(data):
    """Blood that comes along with a new sample does not count: alone it would be absent."""
    lung = data.whole["tissue"] != "Whole Blood"
    columns = {"tissue": "tissue", "donor": "donor", "ignored_columns": ["sex", "cohort", "age"]}
    few = data.whole[lung | (np.arange(len(data.whole)) < 40)]
    imputer = SurrogateTissueImputer(**columns).fit(few)
    together = imputer.transform(data.holes)
    for i in (0, 50, 119):
        np.testing.assert_array_equal(imputer.transform(data.holes.iloc[[i]])[0], together[i])


def test_several_surrogates_of_a_donor_are_averaged():
    X = pd.DataFrame(
        {
            "donor": ["d"] * 3,
            "tissue": ["Whole Blood", "Whole Blood", "Lung"],
            "g": [1.0, 2.0, 9.0],
            "h": [np.nan, 4.0, 5.0],
        }
    )
    imputer = SurrogateTissueImputer(tissue="tissue", donor="donor").fit(X)
    new = pd.DataFrame({"donor": ["d"], "tissue": ["Lung"], "g": [np.nan], "h": [np.nan]})
    np.testing.assert_array_equal(imputer.transform(new), [[1.5, 4.0]])


def test_surrogate_bad_input(data):
    with pytest.raises(ValueError, match="give both columns, or neither"):
        SurrogateTissueImputer(tissue="tissue").fit(data.whole)
    options = {"tissue": "tissue", "donor": "donor", "ignored_columns": ["sex", "cohort", "age"]}
    with pytest.raises(ValueError, match="is of the surrogate tissue 'Blood'"):
        SurrogateTissueImputer(**options, surrogate="Blood").fit(data.whole)


# --- scikit-learn's with covariates ---


def test_covariates_stand_beside_standardised_genes(data):
    imputer = CovariateImputer(
        KNNImputer(n_neighbors=3),
        categorical_covariates=["tissue"],
        numeric_covariates=["age"],
        ignored_columns=["sex", "cohort", "donor"],
    )
    train, new = data.whole[:80], data.holes[80:]
    filled = imputer.fit(train).transform(new)

    def by_hand(frame):
        genes = (genes_of(frame) - genes_of(train).mean()) / genes_of(train).std(ddof=0)
        genes = genes.fillna(0).where(genes_of(frame).notna())  # constant genes are 0 / 0
        tissues = pd.get_dummies(frame["tissue"]).reindex(columns=sorted(set(train["tissue"])))
        age = (frame["age"] - train["age"].mean()) / train["age"].std(ddof=0)
        return pd.concat([genes, tissues.fillna(0).astype(float), age], axis=1).to_numpy(float)

    knn = KNNImputer(n_neighbors=3).fit(by_hand(train)).transform(by_hand(new))[:, :25]
    scale = genes_of(train).std(ddof=0).to_numpy()
    expected = knn * scale + genes_of(train).mean().to_numpy()
    np.testing.assert_allclose(filled, expected, rtol=1e-4, atol=1e-4)
    observed = genes_of(new).notna().to_numpy()
    np.testing.assert_array_equal(filled[observed], genes_of(new).to_numpy()[observed])


def test_unknown_category_and_missing_number_do_no_harm(data):
    imputer = CovariateImputer(
        categorical_covariates=["tissue"],
        numeric_covariates=["age"],
        ignored_columns=["sex", "cohort", "donor"],
    ).fit(data.whole)
    new = data.holes[:3].assign(tissue="Spleen", age=np.nan)
    assert np.isfinite(imputer.transform(new)).all()


# --- ridge ---


@pytest.mark.parametrize(("n_samples", "n_genes"), [(60, 12), (15, 40)])
def test_ridge_is_that_of_scikit_learn_for_every_pattern(n_samples, n_genes, rng):
    X = rng.normal(size=(n_samples, 3)) @ rng.normal(size=(3, n_genes))
    X += rng.normal(size=X.shape)
    new = rng.normal(size=(4, n_genes))
    new[rng.random(new.shape) < 0.5] = np.nan
    new[3] = np.where(np.isnan(new[2]), np.nan, new[3])  # one pattern twice, where 3 is observed
    new[3, ~np.isnan(new[2])] = 1.0
    filled = RidgeImputer(alpha=0.7).fit(X).transform(new)
    mean, scale = X.mean(axis=0), X.std(axis=0)
    Z = (X - mean) / scale
    for row, result in zip(new, filled, strict=True):
        missing = np.isnan(row)
        ridge = Ridge(alpha=0.7 * n_samples, fit_intercept=False).fit(Z[:, ~missing], Z[:, missing])
        z = ((row - mean) / scale)[~missing]
        expected = ridge.predict(z[None])[0] * scale[missing] + mean[missing]
        np.testing.assert_allclose(result[missing], expected, rtol=1e-8)


def test_ridge_chooses_a_penalty_that_suits(rng):
    signal = rng.normal(size=(120, 2)) @ rng.normal(size=(2, 30))
    noise = rng.normal(size=signal.shape)
    clean = RidgeImputer(random_state=0).fit(signal + 0.01 * noise)
    noisy = RidgeImputer(random_state=0).fit(0.3 * signal + noise)
    assert clean.alpha_ < noisy.alpha_


def test_ridge_learns_from_a_table_with_holes(rng):
    X = rng.normal(size=(150, 2)) @ rng.normal(size=(2, 20)) + 0.05 * rng.normal(size=(150, 20))
    holes, hidden = hide_values(X, 0.4, random_state=0)
    imputer = RidgeImputer(alpha=0.01)
    filled = imputer.fit_transform(holes)
    first_round = RidgeImputer(alpha=0.01, max_rounds=1).fit_transform(holes)
    error = ((filled - X)[hidden] ** 2).mean() / X.var()
    assert error < 0.05
    assert error < ((first_round - X)[hidden] ** 2).mean() / X.var()
    assert imputer.n_rounds_ > 1


def test_ridge_of_a_sample_alone_is_as_among_others(data):
    genes = genes_of(data.whole)
    imputer = RidgeImputer(alpha=0.1).fit(genes)
    holes = genes_of(data.holes)
    together = imputer.transform(holes)
    for i in (0, 60, 119):
        # patterns differ from sample to sample, so that each is solved on its own
        np.testing.assert_array_equal(imputer.transform(holes.iloc[[i]])[0], together[i])


# --- all of them ---


IMPUTERS = make_imputers(
    categorical_covariates=["tissue", "sex", "cohort"],
    numeric_covariates=["age"],
    tissue="tissue",
    donor="donor",
    n_trees=3,
    random_state=0,
)
quick = pytest.mark.parametrize("name", [n for n in IMPUTERS if n not in ("mice", "missforest")])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", list(IMPUTERS))
def test_every_recipe_fills_all_and_touches_nothing(name, data):
    imputer = IMPUTERS[name].set_output(transform="pandas")
    if name in ("mice", "missforest"):
        imputer.imputer.set_params(max_iter=2)
    filled = imputer.fit(data.whole[:80]).transform(data.holes[80:])
    genes = genes_of(data.holes[80:])
    assert list(filled.columns) == list(genes.columns)
    assert list(filled.index) == list(genes.index)
    assert filled.notna().all().all()
    observed = genes.notna().to_numpy()
    np.testing.assert_array_equal(filled.to_numpy()[observed], genes.to_numpy()[observed])


@quick
def test_empty_samples_and_whole_ones(name, data):
    imputer = IMPUTERS[name].set_output(transform="default").fit(data.whole)
    new = data.whole[:4].copy()
    genes = genes_of(new)
    np.testing.assert_array_equal(imputer.transform(new), genes.to_numpy())
    new[genes.columns] = np.nan
    assert np.isfinite(imputer.transform(new)).all()


@quick
def test_genes_without_values_and_infinite_ones(name, data):
    broken = data.whole.copy()
    gene = genes_of(broken).columns[2]
    broken[gene] = np.nan
    with pytest.raises(ValueError, match=f"1 of 25 genes hold no value at all .{gene}"):
        IMPUTERS[name].fit(broken)
    broken[gene] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        IMPUTERS[name].fit(broken)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@quick
def test_indicator(name, data):
    imputer = IMPUTERS[name]
    if "imputer" in imputer.get_params():
        imputer = CovariateImputer(
            imputer.imputer,
            categorical_covariates=COVARIATES[:3],
            ignored_columns=["donor", "age"],
            add_indicator=True,
        )
    else:
        imputer = type(imputer)(**{**imputer.get_params(), "add_indicator": True})
    filled = imputer.fit_transform(data.holes)
    np.testing.assert_array_equal(
        filled[:, 25:].astype(bool), data.hidden.loc[:, data.hidden.any()]
    )


def test_unknown_name():
    with pytest.raises(UnknownNameError, match=r"No imputer is called 'knn'. Known: median"):
        make_imputers(["knn"])
