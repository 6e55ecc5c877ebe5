"""The Gaussian generators recover what the expression was made of."""

import numpy as np
import pandas as pd
import pytest

from omitrans.baselines import GaussianCopulaGenerator, GaussianGenerator
from omitrans.exceptions import UnknownCategoryError

N_GENES = 40


def simulated(n=600, seed=0, n_genes=N_GENES, rank=2):
    """Return covariates, expression, and its true means, factors and noise."""
    rng = np.random.default_rng(seed)
    tissue = rng.integers(3, size=n)
    sex, age = rng.integers(2, size=n), rng.normal(50, 10, size=n)
    of_tissue, of_sex = rng.normal(size=(3, n_genes)) * 2, rng.normal(size=(2, n_genes))
    of_age = rng.normal(size=n_genes) * 0.05
    means = of_tissue[tissue] + of_sex[sex] + np.outer(age - 50, of_age) + 5
    factors = rng.normal(size=(rank, n_genes))
    noise = 0.5 * rng.normal(size=(n, n_genes))
    expression = means + rng.normal(size=(n, rank)) @ factors + noise
    covariates = pd.DataFrame(
        {"tissue": np.array(["a", "b", "c"])[tissue], "sex": np.array(["F", "M"])[sex], "age": age}
    )
    genes = [f"g{i}" for i in range(n_genes)]
    return covariates, pd.DataFrame(expression, columns=genes), means, factors


def many(model, row, n=4000):
    """Return draws under the covariates of one row."""
    return model.sample_y(row, n_samples=n, random_state=0).to_numpy()


@pytest.mark.slow
def test_means_are_recovered():
    covariates, expression, means, _ = simulated()
    model = GaussianGenerator(random_state=0).fit(covariates, expression)
    for i in range(3):
        found = many(model, covariates.iloc[[i]]).mean(axis=0)
        assert np.sqrt(np.mean((found - means[i]) ** 2)) < 0.25


@pytest.mark.slow
def test_rank_and_covariance_are_recovered():
    covariates, expression, _, factors = simulated()
    model = GaussianGenerator(random_state=0).fit(covariates, expression)
    assert model.rank_ == 2
    found = np.cov(many(model, covariates.iloc[[0]]), rowvar=False)
    true = factors.T @ factors + 0.25 * np.eye(N_GENES)
    assert np.corrcoef(found.ravel(), true.ravel())[0, 1] > 0.97
    np.testing.assert_allclose(np.diag(found), np.diag(true), rtol=0.25)


def test_no_factors_where_genes_are_independent():
    rng = np.random.default_rng(0)
    covariates = pd.DataFrame({"tissue": ["a", "b"] * 100})
    model = GaussianGenerator(random_state=0).fit(covariates, rng.normal(size=(200, 30)))
    assert model.rank_ == 0


@pytest.mark.slow
def test_a_combination_not_met_gets_the_additive_mean():
    covariates, expression, means, _ = simulated()
    hidden = (covariates["tissue"] == "c") & (covariates["sex"] == "M")
    model = GaussianGenerator(random_state=0).fit(covariates[~hidden], expression[~hidden])
    found = many(model, covariates[hidden].head(1)).mean(axis=0)
    assert np.sqrt(np.mean((found - means[hidden][0]) ** 2)) < 0.35


@pytest.mark.slow
def test_an_interaction_is_learned_from_its_cell():
    covariates, expression, _, _ = simulated()
    cell = (covariates["tissue"] == "c") & (covariates["sex"] == "M")
    shifted = expression + 6.0 * cell.to_numpy()[:, None]
    model = GaussianGenerator(random_state=0).fit(covariates, shifted)
    found = many(model, covariates[cell].head(1)).mean(axis=0).mean()
    assert abs(found - shifted[cell].to_numpy().mean()) < 0.5


def test_covariates_without_effect_are_shrunk_away():
    rng = np.random.default_rng(1)
    covariates = pd.DataFrame({"lab": [f"lab{i % 20}" for i in range(100)]})
    model = GaussianGenerator(random_state=0).fit(covariates, rng.normal(size=(100, 50)))
    drawn = model.sample_y(pd.DataFrame({"lab": [f"lab{i}" for i in range(20)]}), 300, 0)
    means = drawn.groupby("sample_id").mean()
    assert means.to_numpy().std() < 0.15  # the means of five samples vary by 0.45


def test_variances_are_kept_with_a_combination_for_nearly_every_sample():
    rng = np.random.default_rng(2)
    covariates = pd.DataFrame({"a": rng.integers(8, size=80), "b": rng.integers(8, size=80)})
    expression = pd.DataFrame(rng.normal(size=(80, 200)))
    expression.columns = expression.columns.map("g{}".format)
    model = GaussianGenerator(random_state=0).fit(covariates.astype(str), expression)
    drawn = model.sample_y(covariates.astype(str), 10, random_state=0)
    assert 0.85 < (drawn.std() / expression.std()).median() < 1.15


def test_groups_are_held_out_together():
    """Replicates of one condition look alike, and tell nothing of the other conditions."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 4)
    of_group = rng.normal(size=(40, 30))
    expression = of_group[group] + 0.1 * rng.normal(size=(160, 30))
    covariates = pd.DataFrame({"batch": (group % 20).astype(str)})
    alone = GaussianGenerator(random_state=0).fit(covariates, expression, groups=None)
    together = GaussianGenerator(random_state=0).fit(covariates, expression, groups=group)
    strength = [min(model.penalty_, model.cell_prior_) for model in (alone, together)]
    assert strength[0] < strength[1]


@pytest.mark.slow
def test_classes_may_have_their_own_covariance():
    rng = np.random.default_rng(0)
    n = 800
    second = np.arange(n) % 2 == 1
    sign = np.where(second, -1.0, 1.0)
    hidden = rng.normal(size=n)
    expression = np.column_stack([hidden, sign * hidden]) + 0.3 * rng.normal(size=(n, 2))
    covariates = pd.DataFrame({"tissue": np.where(second, "b", "a")})
    tissues = pd.DataFrame({"tissue": ["a", "b"]})
    found = {}
    for prior in (np.inf, "auto"):
        model = GaussianGenerator(rank=1, class_prior=prior, random_state=0)
        drawn = model.fit(covariates, expression).sample_y(tissues, 3000, random_state=0)
        found[prior] = [
            drawn.xs(i, level="sample_id").corr().iloc[0, 1] for i in range(len(tissues))
        ]
    assert np.abs(found[np.inf]).max() < 0.2
    assert found["auto"][0] > 0.7
    assert found["auto"][1] < -0.7


@pytest.mark.slow
def test_a_tiny_class_keeps_the_shared_covariance():
    covariates, expression, _, factors = simulated()
    covariates.loc[:2, "tissue"] = "rare"
    model = GaussianGenerator(class_prior=20.0, random_state=0).fit(covariates, expression)
    row = covariates.head(1)
    found = np.cov(many(model, row), rowvar=False)
    true = factors.T @ factors + 0.25 * np.eye(N_GENES)
    assert np.corrcoef(found.ravel(), true.ravel())[0, 1] > 0.85


def test_one_covariance_is_kept_where_classes_do_not_differ():
    covariates, expression, *_ = simulated()
    assert GaussianGenerator(random_state=0).fit(covariates, expression).class_prior_ >= 20


def test_memory_does_not_hold_genes_by_genes():
    rng = np.random.default_rng(0)
    covariates = pd.DataFrame({"tissue": ["a", "b"] * 10})
    expression = rng.random((20, 60_000), dtype=np.float32)
    model = GaussianGenerator(rank=3, random_state=0).fit(covariates, expression)
    assert model.factors_.shape == (3, 60_000)  # the square would take 14 GB


@pytest.mark.parametrize("rank", [-1, 1.5, "many"])
def test_a_wrong_rank_is_named(rank):
    covariates, expression, _, _ = simulated(20)
    with pytest.raises(ValueError, match="'rank' parameter"):
        GaussianGenerator(rank=rank, random_state=0).fit(covariates, expression)


# --- copula ---


def skewed(n=500, seed=0):
    """Return covariates and expression that is never negative, often zero and skewed."""
    covariates, expression, _, _ = simulated(n, seed)
    values = np.exp(0.5 * (expression - expression.mean()) / expression.std())
    return covariates, values.where(values > values.quantile(0.3), 0.0)


def test_copula_keeps_the_distribution_of_each_gene():
    covariates, expression = skewed()
    model = GaussianCopulaGenerator(random_state=0).fit(covariates, expression)
    drawn = model.sample_y(covariates, n_samples=4, random_state=0)
    assert (drawn.to_numpy() >= 0).all()
    assert (drawn.max() <= expression.max()).all()
    for level in (0.2, 0.5, 0.9):
        np.testing.assert_allclose(drawn.quantile(level), expression.quantile(level), atol=0.15)
    assert np.abs((drawn == 0).mean() - 0.3).max() < 0.08
    plain = GaussianGenerator(random_state=0).fit(covariates, expression)
    assert (plain.sample_y(covariates, random_state=0).to_numpy() < 0).any()


def test_copula_keeps_rank_correlations_and_conditions():
    covariates, expression = skewed()
    model = GaussianCopulaGenerator(random_state=0).fit(covariates, expression)
    drawn = model.sample_y(covariates, random_state=0)
    upper = np.triu_indices(N_GENES, 1)
    found, true = (t.corr(method="spearman").to_numpy()[upper] for t in (drawn, expression))
    assert np.corrcoef(found, true)[0, 1] > 0.95
    means = [t.groupby(covariates["tissue"]).mean().to_numpy() for t in (drawn, expression)]
    assert np.corrcoef(means[0].ravel(), means[1].ravel())[0, 1] > 0.95


def test_copula_is_blind_to_the_scale_of_a_gene():
    """Only ranks enter, so any rising function of a gene gives that function of the draws."""
    covariates, expression, _, _ = simulated(200)
    first = GaussianCopulaGenerator(random_state=0).fit(covariates, expression)
    second = GaussianCopulaGenerator(random_state=0).fit(covariates, expression.apply(np.exp))
    drawn = first.sample_y(covariates, random_state=0)
    other = second.sample_y(covariates, random_state=0)
    ranks = drawn.rank().to_numpy(), other.rank().to_numpy()
    np.testing.assert_array_equal(*ranks)


def test_copula_of_many_samples_keeps_few_quantiles():
    rng = np.random.default_rng(0)
    covariates = pd.DataFrame({"tissue": ["a", "b"] * 1500})
    expression = rng.exponential(size=(3000, 2))
    model = GaussianCopulaGenerator(random_state=0).fit(covariates, expression)
    assert model.quantiles_.shape == (1001, 2)
    np.testing.assert_array_equal(model.quantiles_[[0, -1]], [expression.min(0), expression.max(0)])
    drawn = model.sample_y(covariates, random_state=0)
    assert abs(np.median(drawn) - np.log(2)) < 0.06


def test_swapped_tables_are_recognised():
    covariates, expression, *_ = simulated(20)
    with pytest.raises(ValueError, match=r"holds text .* exchange them if they are swapped"):
        GaussianGenerator().fit(expression, covariates)


def test_numbers_in_columns_of_objects_are_taken():
    covariates, expression, *_ = simulated(20)
    model = GaussianGenerator(random_state=0)
    drawn = model.fit(covariates, expression.astype(object)).sample_y(covariates, random_state=0)
    expected = model.fit(covariates, expression).sample_y(covariates, random_state=0)
    np.testing.assert_array_equal(drawn, expected)


def test_levels_with_commas_can_be_told_apart():
    covariates, expression, *_ = simulated(20)
    model = GaussianGenerator(random_state=0).fit(covariates, expression)
    with pytest.raises(UnknownCategoryError, match=r"'tissue' holds the level 'd, e', .*'a', 'b'"):
        model.sample_y(covariates.assign(tissue="d, e"))
