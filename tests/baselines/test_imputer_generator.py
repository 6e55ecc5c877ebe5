"""ImputerGenerator draws what the imputer knows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import KNNImputer

from omitrans import PMIImputer
from omitrans.baselines import CovariateImputer, ImputerGenerator, RidgeImputer


def correlated(n=300, seed=0, n_genes=12):
    rng = np.random.default_rng(seed)
    tissue = np.array(["liver", "lung"])[np.arange(n) % 2]
    factors = rng.normal(size=(2, n_genes))
    expression = rng.normal(size=(n, 2)) @ factors + 0.4 * rng.normal(size=(n, n_genes)) + 8
    expression[tissue == "liver", :3] += 5
    covariates = pd.DataFrame({"tissue": tissue})
    return covariates, pd.DataFrame(expression, columns=[f"g{i}" for i in range(n_genes)])


def within(expression, covariates):
    """Return the correlations of genes within tissues, above the diagonal."""
    residuals = expression - expression.groupby(covariates["tissue"].to_numpy()).transform("mean")
    return residuals.corr().to_numpy()[np.triu_indices(expression.shape[1], 1)]


@pytest.mark.parametrize("n_rounds", [0, 5])
def test_correlations_are_those_of_the_expression(n_rounds):
    covariates, expression = correlated()
    true = within(expression, covariates)
    model = ImputerGenerator(n_rounds=n_rounds, random_state=0).fit(covariates, expression)
    found = within(model.sample_y(covariates, random_state=0), covariates)
    assert np.corrcoef(found, true)[0, 1] > 0.95
    assert np.abs(found).mean() > 0.8 * np.abs(true).mean()


def test_conditions_and_variances_are_kept():
    covariates, expression = correlated()
    model = ImputerGenerator(random_state=0).fit(covariates, expression)
    drawn = model.sample_y(covariates, random_state=0)
    for tissue in ("liver", "lung"):
        rows = covariates["tissue"] == tissue
        gap = drawn[rows].mean() - expression[rows].mean()
        assert gap.abs().max() < 1.0
    assert (drawn.std() / expression.std()).between(0.7, 1.4).all()


def test_draws_stay_near_the_range_of_fit():
    covariates, expression = correlated(60)
    model = ImputerGenerator(n_rounds=40, random_state=0).fit(covariates, expression)
    drawn = model.sample_y(covariates, n_samples=5, random_state=0)
    assert (drawn >= model.range_[0]).all(axis=None)
    assert (drawn <= model.range_[1]).all(axis=None)


def test_error_is_measured_on_samples_that_were_not_fitted():
    """The nearest neighbour of a sample of fit is the sample itself, with an error of zero."""
    covariates, expression = correlated(60)
    imputer = CovariateImputer(KNNImputer(n_neighbors=1))
    model = ImputerGenerator(imputer, random_state=0).fit(covariates, expression)
    assert (model.residual_sd_ > 0.2).all()


def test_the_error_falls_with_the_number_of_known_genes():
    model = ImputerGenerator(random_state=0).fit(*correlated())
    assert list(model.n_known_) == [0, 1, 2, 4, 8, 6]
    errors = model.residual_sd_.mean(axis=1)
    assert (np.diff(errors[:4]) < 0).all()
    assert errors[5] < errors[2]


def test_networks_draw_a_row_alike_to_the_last_bit():
    covariates, expression = correlated(60)
    imputer = PMIImputer(hidden_layer_sizes=(16,), max_epochs=3, random_state=0)
    model = ImputerGenerator(imputer, n_rounds=2, random_state=0).fit(covariates, expression)
    whole = model.sample_y(covariates, random_state=0)
    alone = model.sample_y(covariates.head(1), random_state=0)
    np.testing.assert_array_equal(alone, whole.head(1))


def test_parameters_of_the_given_imputer_stay():
    covariates, expression = correlated(40)
    imputer = CovariateImputer(RidgeImputer(alpha=1.0))
    ImputerGenerator(imputer, random_state=0).fit(covariates, expression)
    assert imputer.categorical_covariates is None
    assert not hasattr(imputer, "imputer_")


def test_an_imputer_without_covariates_is_refused():
    with pytest.raises(ValueError, match=r"RidgeImputer takes no covariates.*CovariateImputer"):
        ImputerGenerator(RidgeImputer(), random_state=0).fit(*correlated(20))


def test_a_covariate_with_the_name_of_a_gene_is_refused():
    covariates, expression = correlated(20)
    with pytest.raises(ValueError, match="names of genes"):
        ImputerGenerator(random_state=0).fit(covariates.assign(g3=1.0), expression)


def test_a_category_of_one_sample_gives_no_warning():
    covariates, expression = correlated(60)
    covariates["tissue"] = np.where(
        np.arange(60) % 4 == 0, [f"only {i}" for i in range(60)], "liver"
    )
    ImputerGenerator(n_rounds=0, random_state=0).fit(covariates, expression)
