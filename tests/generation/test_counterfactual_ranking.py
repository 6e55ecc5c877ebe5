"""The counterfactual ranking finds known drivers, and says where it cannot."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import clone

from omitrans.baselines import GaussianGenerator
from omitrans.datasets import make_disease_expression
from omitrans.displays import CounterfactualRankingDisplay
from omitrans.exceptions import ConfoundedChangeWarning, FeatureMismatchError
from omitrans.generation import counterfactual_ranking

CHANGE = {"condition": ("healthy", "disease")}


@pytest.fixture(scope="module")
def data():
    return make_disease_expression(n_samples=240, n_genes=150, n_drivers=20, random_state=0)


def rank(data, generator=None, **options):
    options = {"n_refits": 4, "n_latents": 50, "random_state": 0} | options
    return counterfactual_ranking(
        generator or GaussianGenerator(random_state=0),
        data.covariates,
        CHANGE,
        y=data.expression,
        groups=data.samples["donor"],
        **options,
    )


def test_drivers_come_first_with_their_shift(data):
    ranking = rank(data, within="study", n_refits=8)
    found = ranking.head(20)
    assert found["gene"].isin(data.truth.drivers).mean() >= 0.8
    drivers = ranking[ranking["gene"].isin(data.truth.drivers)].set_index("gene")
    truth = data.truth.disease_shift[drivers.index]
    assert (np.sign(drivers["effect"]) == np.sign(truth)).all()
    assert np.corrcoef(drivers["effect"], truth)[0, 1] > 0.9
    others = ranking[~ranking["gene"].isin(data.truth.drivers)]
    assert (others["q_value"] < 0.05).mean() < 0.15
    assert (drivers["q_value"] < 0.05).mean() > 0.7


def test_a_small_effect_whose_refits_agree_by_chance_does_not_come_first():
    """Of 1,500 genes without an effect some have refits that hardly differ."""
    rng = np.random.default_rng(0)
    covariates = pd.DataFrame({"state": ["h", "t"] * 30})
    expression = pd.DataFrame(rng.normal(size=(60, 1500))).add_prefix("g")
    drivers = [f"g{i}" for i in range(10)]
    expression[drivers] += 2.0 * (covariates[["state"]] == "t").to_numpy()
    ranking = counterfactual_ranking(
        GaussianGenerator(rank=0, class_prior=np.inf, random_state=0),
        covariates,
        {"state": ("h", "t")},
        y=expression,
        n_refits=3,
        n_latents=20,
        random_state=0,
    )
    assert set(ranking["gene"].head(10)) == set(drivers)


def test_table_is_labelled_and_ordered(data):
    ranking = rank(data)
    assert list(ranking["rank"]) == list(range(1, 151))
    assert set(ranking["gene"]) == set(data.expression.columns)
    assert (ranking["low"] <= ranking["effect"]).all()
    assert (ranking["q_value"] >= ranking["p_value"] - 1e-12).all()
    strength = (ranking["effect"].abs() / ranking["se"]).replace(np.inf, 0).fillna(0)
    assert (strength.diff().dropna() <= 1e-9).all()


def test_a_fitted_generator_needs_no_expression(data):
    generator = GaussianGenerator(random_state=0).fit(data.covariates, data.expression, groups=None)
    before = generator.sample_y(data.covariates, random_state=0)
    ranking = counterfactual_ranking(
        generator, data.covariates, CHANGE, n_latents=40, random_state=0
    )
    assert ranking["p_value"].isna().all()
    assert (ranking["effect"].abs().diff().dropna() <= 0).all()
    pd.testing.assert_frame_equal(generator.sample_y(data.covariates, random_state=0), before)


@pytest.mark.slow
def test_same_seed_gives_the_same_ranking(data):
    one = rank(data)
    with parallel_config("threading"):
        two = rank(data, n_jobs=2)
    pd.testing.assert_frame_equal(one, two)
    assert not rank(data, random_state=1)["se"].equals(one["se"])


def test_ranks_by_level(data):
    ranking = rank(data, by="tissue")
    tissues = data.covariates["tissue"].unique()
    assert set(ranking["tissue"]) == set(tissues)
    assert (ranking.groupby("tissue")["rank"].max() == 150).all()


@pytest.mark.parametrize(
    ("confounding", "words"), [(1.0, "cannot be told"), (0.8, "go.* together")]
)
def test_confounded_design_is_flagged(confounding, words):
    data = make_disease_expression(200, 60, n_drivers=5, confounding=confounding, random_state=0)
    with pytest.warns(ConfoundedChangeWarning, match=f"'condition' {words}.*'study'"):
        rank(data, n_refits=0)


def test_partly_confounded_design_is_contrasted_within_levels():
    data = make_disease_expression(
        400, 150, n_drivers=20, effect=1.5, confounding=0.7, study_effect=1.0, random_state=0
    )
    ranking = rank(data, within="study")  # no warning
    assert ranking.head(20)["gene"].isin(data.truth.drivers).mean() >= 0.8


def test_sample_ids_and_donors_do_not_confound(data):
    covariates = data.samples.assign(aliquot=np.arange(len(data.samples)).astype(str))
    generator = GaussianGenerator(ignored_columns=["donor", "aliquot"], random_state=0)
    ranking = counterfactual_ranking(
        generator, covariates, CHANGE, y=data.expression, n_refits=0, groups=None, random_state=0
    )
    assert len(ranking) == 150


def test_age_that_goes_with_the_condition_is_flagged(data):
    covariates = data.covariates.copy()
    covariates["age"] = 40.0 + 20 * (covariates["condition"] == "disease")
    generator = GaussianGenerator(random_state=0).fit(covariates, data.expression, groups=None)
    with pytest.warns(ConfoundedChangeWarning, match="'condition' goes together with 'age'"):
        counterfactual_ranking(generator, covariates, CHANGE, random_state=0)


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({"state": ("a", "b")}, {}, FeatureMismatchError, "no covariate 'state'"),
        ({"condition": ("healthy", "ill")}, {}, ValueError, "No sample has 'ill' in 'condition'"),
        ({"condition": ("healthy", "healthy")}, {}, ValueError, "two different values"),
        ({"condition": "disease"}, {}, ValueError, "two different values"),
        ({}, {}, ValueError, "change must name one covariate"),
        (CHANGE, {"by": "organ"}, FeatureMismatchError, "no covariate 'organ'"),
        (CHANGE, {"within": "lab"}, FeatureMismatchError, "no covariate 'lab'"),
        (CHANGE, {"n_refits": 1}, ValueError, "n_refits=1 shows no spread"),
    ],
)
def test_bad_arguments(data, change, options, error, message):
    with pytest.raises(error, match=message):
        counterfactual_ranking(
            GaussianGenerator(random_state=0),
            data.covariates,
            change,
            y=data.expression,
            groups=None,
            **options,
        )


def test_within_needs_levels_with_both_values():
    data = make_disease_expression(100, 40, n_drivers=3, confounding=1.0, random_state=0)
    with pytest.raises(ValueError, match="No level of study holds samples of both"):
        rank(data, within="study")


def test_generator_must_use_the_changed_covariate(data):
    generator = GaussianGenerator(
        categorical_covariates=["tissue"], numeric_covariates=None, random_state=0
    )
    fitted = clone(generator).fit(data.covariates, data.expression, groups=None)
    with pytest.raises(ValueError, match="does not use the covariate 'condition'"):
        counterfactual_ranking(fitted, data.covariates, CHANGE, random_state=0)


def test_arrays_have_no_names(data):
    with pytest.raises(TypeError, match="X must be a DataFrame"):
        counterfactual_ranking(
            GaussianGenerator(random_state=0), data.covariates.to_numpy(), CHANGE
        )


def test_display_draws_levels(pyplot, data):
    ranking = rank(data, by="tissue")
    tissue = ranking["tissue"].iloc[0]
    display = CounterfactualRankingDisplay.from_ranking(
        ranking, level=tissue, n_genes=7, change=("healthy", "disease")
    )
    assert len(display.ax_.get_yticklabels()) == 7
    assert "healthy → disease" in display.ax_.get_xlabel()
    with pytest.raises(ValueError, match="level must be one of"):
        CounterfactualRankingDisplay.from_ranking(ranking, level="Brain")


# --- odd covariates ---


@pytest.fixture
def small():
    rng = np.random.default_rng(0)
    covariates = pd.DataFrame({"state": ["h", "t"] * 30, "age": rng.uniform(20, 80, 60)})
    expression = pd.DataFrame(0.1 * rng.normal(size=(60, 5))).add_prefix("g")
    expression["g1"] += 0.05 * covariates["age"]
    expression["g2"] += 2.0 * (covariates["state"] == "t")
    return covariates, expression


def rank_small(covariates, expression, change, generator=None, **options):
    options = {"n_refits": 6, "n_latents": 20, "random_state": 0} | options
    generator = generator or GaussianGenerator(random_state=0)
    return counterfactual_ranking(generator, covariates, change, y=expression, **options)


def test_numbers_may_change_to_values_that_no_sample_has(small):
    ranking = rank_small(*small, {"age": (30, 70)}).set_index("gene")
    assert ranking.loc["g1", "effect"] == pytest.approx(2.0, abs=0.2)
    assert ranking.loc["g1", "rank"] == 1


def test_numbers_beyond_the_samples_are_refused(small):
    with pytest.raises(ValueError, match="100 of 'age' must be a number between those"):
        rank_small(*small, {"age": (30, 100)})


def test_rare_values_among_many_levels_are_in_every_refit(small):
    covariates, expression = small
    covariates["state"] = ["h", "t"] * 3 + ["other"] * 54
    assert len(rank_small(covariates, expression, {"state": ("h", "t")}, n_refits=30)) == 5


def test_a_value_of_one_sample_is_warned_of(small):
    covariates, expression = small
    covariates.loc[0, "state"] = "rare"
    with pytest.warns(UserWarning, match="Only 1 samples or patients have 'rare'"):
        rank_small(covariates, expression, {"state": ("t", "rare")})


def test_a_level_that_some_refits_lack_is_ranked_by_the_others(small):
    covariates, expression = small
    covariates["tissue"] = ["rare"] + ["liver"] * 59
    ranking = rank_small(covariates, expression, {"state": ("h", "t")}, by="tissue", n_refits=12)
    assert set(ranking["tissue"]) == {"rare", "liver"}
    assert ranking["se"].notna().all()


def test_columns_without_names_and_missing_values_do(small):
    covariates, expression = small
    covariates = covariates.convert_dtypes()
    covariates.iloc[3, 0] = covariates.iloc[4, 1] = pd.NA
    named = rank_small(covariates, expression, {"state": ("h", "t")})
    numbered = rank_small(covariates.set_axis([0, 1], axis=1), expression, {0: ("h", "t")})
    pd.testing.assert_frame_equal(named, numbered)
    assert named.loc[0, "gene"] == "g2"


def test_ignored_columns_may_be_any_specifier(small):
    covariates, expression = small
    covariates["donor"] = [f"d{i // 2}" for i in range(60)]
    generators = [
        GaussianGenerator(ignored_columns=key, random_state=0)
        for key in (
            "donor",
            ["donor"],
            np.array(["donor"]),
            [2],
            slice(2, 3),
            lambda X: ["donor"],
        )
    ]
    change = {"state": ("h", "t")}
    first, *others = (rank_small(covariates, expression, change, model) for model in generators)
    for other in others:
        pd.testing.assert_frame_equal(first, other)


@pytest.mark.parametrize(
    "columns", [{"categorical_covariates": None}, {"ignored_columns": ["state"]}]
)
def test_a_change_that_an_unfitted_generator_ignores_is_refused(small, columns):
    with pytest.raises(ValueError, match="does not use the covariate 'state'"):
        rank_small(*small, {"state": ("h", "t")}, GaussianGenerator(**columns))


def test_arrays_and_taken_names_are_refused(small):
    covariates, expression = small
    with pytest.raises(TypeError, match="y must be a DataFrame"):
        rank_small(covariates, expression.to_numpy(), {"state": ("h", "t")})
    with pytest.raises(ValueError, match="Rename the covariate"):
        rank_small(covariates.assign(gene="a"), expression, {"state": ("h", "t")}, by="gene")


def test_numbers_asked_of_a_column_of_text_are_told_apart(data):
    covariates = data.covariates.assign(ph=["7.0", "5.5"] * (len(data.covariates) // 2))
    with pytest.raises(ValueError, match=r"No sample has 7.0 in 'ph'; it holds '5.5', '7.0'\."):
        counterfactual_ranking(
            GaussianGenerator(random_state=0), covariates, {"ph": (7.0, 5.5)}, y=data.expression
        )
