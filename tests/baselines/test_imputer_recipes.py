"""All imputers to compare with: what they share, and what bad input gets."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone

from omitrans.baselines import CovariateImputer, make_imputers
from omitrans.datasets import hide_values, make_expression
from omitrans.exceptions import UnknownNameError

ROLES = {
    "categorical_covariates": ["tissue", "sex", "cohort"],
    "numeric_covariates": ["age"],
    "tissue": "tissue",
    "donor": "donor",
}
RECIPES = make_imputers(**ROLES, n_trees=3, random_state=0)
CHAINS = ("mice", "missforest")
every = pytest.mark.parametrize("name", list(RECIPES))
quick = pytest.mark.parametrize("name", [name for name in RECIPES if name not in CHAINS])
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def cohort():
    """Samples of few donors, so that most have blood too; a third of the values is hidden."""
    data = make_expression(n_samples=120, n_genes=25, n_tissues=4, n_donors=32, random_state=0)
    whole = data.X.assign(donor=data.samples["donor"])
    genes = list(data.expression.columns)
    others = whole.columns.difference(genes)
    holes, hidden = hide_values(whole, 0.3, exclude=others, random_state=0)
    return SimpleNamespace(whole=whole, holes=holes, hidden=hidden, genes=genes)


def recipe(name):
    imputer = clone(RECIPES[name])
    return imputer.set_params(imputer__max_iter=2) if name in CHAINS else imputer


@every
def test_fills_all_and_touches_nothing(name, cohort):
    train, new = cohort.whole[:80], cohort.holes[80:]
    filled = recipe(name).set_output(transform="pandas").fit(train).transform(new)
    assert list(filled.columns) == cohort.genes
    assert filled.index.equals(new.index)
    assert filled.notna().all().all()
    observed = new[cohort.genes].notna().to_numpy()
    np.testing.assert_array_equal(
        filled.to_numpy()[observed], new[cohort.genes].to_numpy()[observed], strict=True
    )


@every
def test_sample_alone_is_as_among_others(name, cohort):
    imputer = recipe(name).fit(cohort.whole[:80])
    new = cohort.holes[80:]
    alone = np.vstack([imputer.transform(new.iloc[[i]]) for i in range(10)])
    # chained regressions of scikit-learn round otherwise
    np.testing.assert_allclose(
        alone, imputer.transform(new)[:10], rtol=1e-5 if name == "mice" else 1e-12
    )


@quick
def test_survives_pickling(name, cohort):
    imputer = recipe(name).fit(cohort.whole)
    again = pickle.loads(pickle.dumps(imputer))
    np.testing.assert_array_equal(again.transform(cohort.holes), imputer.transform(cohort.holes))


@quick
def test_empty_samples_and_whole_ones(name, cohort):
    imputer = recipe(name).fit(cohort.whole)
    new = cohort.whole[:4].copy()
    np.testing.assert_array_equal(imputer.transform(new), new[cohort.genes].to_numpy())
    new[cohort.genes] = np.nan
    assert np.isfinite(imputer.transform(new)).all()


@quick
def test_whole_training_table_comes_back_as_it_is(name, cohort):
    filled = recipe(name).fit_transform(cohort.whole)
    np.testing.assert_array_equal(filled, cohort.whole[cohort.genes].to_numpy(), strict=True)


@quick
def test_integers(name, cohort):
    whole = cohort.whole.astype(dict.fromkeys(cohort.genes, int))
    filled = recipe(name).fit_transform(whole)
    np.testing.assert_array_equal(filled, whole[cohort.genes])
    with_holes = whole.astype(dict.fromkeys(cohort.genes, "Int64"))
    with_holes.loc[with_holes.index[3], cohort.genes[0]] = None
    filled = recipe(name).fit(whole).transform(with_holes)
    assert np.isfinite(filled).all()


@quick
def test_genes_without_values_and_infinite_ones(name, cohort):
    broken = cohort.whole.copy()
    gene = cohort.genes[2]
    broken[gene] = np.nan
    with pytest.raises(ValueError, match=f"1 of 25 genes hold no value at all .{gene}"):
        recipe(name).fit(broken)
    broken[gene] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        recipe(name).fit(broken)


@quick
def test_gene_that_new_samples_lack(name, cohort):
    imputer = recipe(name).fit(cohort.whole)
    with pytest.raises(ValueError, match=cohort.genes[2]):
        imputer.transform(cohort.whole.drop(columns=cohort.genes[2]))


@quick
def test_indicator(name, cohort):
    imputer = recipe(name).set_params(add_indicator=True).fit(cohort.holes)
    n_genes = len(cohort.genes)
    # a gene without holes in training has no indicator
    marked = [gene for gene in cohort.genes if cohort.hidden[gene].any()]
    filled = imputer.transform(cohort.holes)
    assert filled.dtype == cohort.holes[cohort.genes[0]].dtype
    np.testing.assert_array_equal(filled[:, n_genes:].astype(bool), cohort.hidden[marked])
    assert list(imputer.get_feature_names_out()) == [
        *cohort.genes,
        *(f"missingindicator_{gene}" for gene in marked),
    ]
    # nor has one that only new samples lack
    whole = recipe(name).set_params(add_indicator=True).fit(cohort.whole)
    assert whole.transform(cohort.holes).shape[1] == n_genes


def test_published_settings():
    assert [RECIPES[f"knn-{k}"].imputer.n_neighbors for k in (1, 5, 10)] == [1, 5, 10]
    assert RECIPES["mice"].imputer.max_iter == 100
    assert RECIPES["missforest"].imputer.max_iter == 10
    assert RECIPES["missforest"].imputer.estimator.n_estimators == 3
    assert RECIPES["svd"].imputer.rank == 10


def test_columns_go_where_they_belong(cohort):
    """A tissue that is no covariate is kept from those that see covariates."""
    models = make_imputers(
        ["median", "surrogate", "knn-5"],
        categorical_covariates=["sex", "cohort"],
        numeric_covariates="age",
        tissue="tissue",
        donor="donor",
    )
    assert all(
        model.fit(cohort.whole).transform(cohort.holes).shape == (120, 25)
        for model in models.values()
    )
    by_hand = CovariateImputer(
        categorical_covariates=["sex", "cohort"],
        numeric_covariates="age",
        ignored_columns=["tissue", "donor"],
    ).fit(cohort.whole)
    np.testing.assert_array_equal(
        models["knn-5"].transform(cohort.holes), by_hand.transform(cohort.holes)
    )


def test_surrogate_needs_tissue_and_donor():
    assert "surrogate" in make_imputers(tissue="tissue", donor="donor")
    assert "surrogate" not in make_imputers(tissue="tissue")
    assert "surrogate" not in make_imputers(donor="donor")
    with pytest.raises(ValueError, match="'surrogate' needs the columns of tissue and donor"):
        make_imputers(["surrogate"], tissue="tissue")


def test_unknown_name():
    with pytest.raises(UnknownNameError, match=r"No imputer is called 'knn'. Known: median"):
        make_imputers(["knn"])
