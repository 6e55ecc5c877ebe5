"""audit_synthetic finds each fault of a generator, and stays silent on one without it."""

import numpy as np
import pandas as pd
import pytest

from omitrans.baselines import GaussianGenerator
from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.generation import audit_synthetic
from omitrans.metrics import generation_report, s_tf_tg

N_GENES = 60


def real(n, seed):
    """Return covariates and expression of samples of one population."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(99)
    tissue, factors = rng.integers(3, size=n), fixed.normal(size=(4, N_GENES))
    of_tissue = 1.5 * fixed.normal(size=(3, N_GENES))
    expression = of_tissue[tissue] + rng.normal(size=(n, 4)) @ factors
    expression += rng.normal(size=(n, N_GENES)) + 6
    index = [f"{seed}-{i}" for i in range(n)]
    covariates = pd.DataFrame(
        {"tissue": np.array(["blood", "liver", "lung"])[tissue], "age": rng.integers(20, 80, n)},
        index=index,
    )
    return covariates, pd.DataFrame(expression, index, [f"g{i}" for i in range(N_GENES)])


class Broken:
    """Classifier that must not be reached."""

    def fit(self, X, y):
        pytest.fail("the work has begun")

    predict_proba = fit


TRAIN, TEST = real(150, 0), real(100, 1)


def audit(covariates, synthetic, **options):
    options = {"classifier": "logistic", "random_state": 0, "n_seeds": 1} | options
    return audit_synthetic(TRAIN[1], TRAIN[0], TEST[1], TEST[0], synthetic, covariates, **options)


def rows(result, check, target=None):
    frame = result.frame[result.frame["check"].str.startswith(check)]
    return frame if target is None else frame[frame["target"] == target]


def poor(result, check):
    return "poor" in set(rows(result, check)["verdict"])


@pytest.fixture(scope="module")
def gaussian():
    model = GaussianGenerator(random_state=0).fit(*TRAIN)
    return audit(TEST[0], model.sample_y(TEST[0], random_state=0))


@pytest.fixture(scope="module")
def perfect():
    """The audit of further real samples."""
    return audit(*real(100, 2))


def copies(noise, share=1.0):
    """Return training samples with some noise; the rest are new samples."""
    rng = np.random.default_rng(3)
    covariates, expression = real(100, 4)
    n = int(share * 100)
    expression.iloc[:n] = TRAIN[1].iloc[:n] + noise * rng.normal(size=(n, N_GENES))
    covariates.iloc[:n] = TRAIN[0].iloc[:n]
    return covariates, expression


def test_real_samples_pass(perfect):
    assert set(perfect.frame["verdict"]) <= {"good", "fair", ""}
    assert perfect.verdict.startswith("No check gives a poor result.")


def test_a_gaussian_generator_copies_nothing(gaussian):
    assert not poor(gaussian, "memorisation")
    assert not poor(gaussian, "attribute privacy")
    assert "repeats" not in gaussian.verdict


def test_a_gaussian_generator_is_useful(gaussian):
    assert (rows(gaussian, "utility")["value"] > 0.8).all()
    assert not poor(gaussian, "utility")
    assert not poor(gaussian, "recall")


@pytest.mark.parametrize(
    "noise", [0.0, *(pytest.param(each, marks=pytest.mark.slow) for each in (0.1, 0.3))]
)
def test_copies_are_found(noise):
    result = audit(*copies(noise))
    assert poor(result, "memorisation")
    assert poor(result, "attribute privacy")
    assert "repeats training samples" in result.verdict


@pytest.mark.slow
def test_a_few_copies_among_new_samples_are_found():
    assert poor(audit(*copies(0.1, share=0.05)), "memorisation")


@pytest.mark.parametrize("spread", [0.5, pytest.param(0.0, marks=pytest.mark.slow)])
def test_draws_with_too_little_spread_are_no_copies(spread):
    covariates, expression = real(100, 2)
    means = TRAIN[1].groupby(TRAIN[0]["tissue"]).mean().loc[covariates["tissue"]].to_numpy()
    result = audit(covariates, means + spread * (expression - means))
    assert not poor(result, "memorisation")
    assert poor(result, "discrimination")


@pytest.mark.slow
def test_one_sample_copied_many_times_is_found():
    covariates, expression = real(100, 2)
    expression.iloc[:40] = TRAIN[1].iloc[[0] * 40].to_numpy()
    assert poor(audit(covariates, expression), "memorisation")


@pytest.mark.slow
def test_wrong_labels_are_not_useful():
    covariates, expression = real(100, 2)
    swapped = covariates.replace({"tissue": {"liver": "lung", "lung": "liver"}})
    result = audit(swapped, expression)
    assert poor(result, "utility")
    assert poor(result, "recall")
    assert "tissue" in result.verdict


@pytest.mark.slow
def test_other_distributions_are_told_apart():
    covariates, expression = real(100, 2)
    result = audit(covariates, expression + 1.5)
    assert poor(result, "discrimination")
    assert poor(result, "genes")
    assert rows(result, "discrimination")["low"].min() > 0.9


def test_real_samples_cannot_be_told_apart(perfect):
    found = rows(perfect, "discrimination")
    assert (found["low"] < 0.55).all()
    assert (found["value"] < 0.65).all()


@pytest.mark.slow
def test_genes_that_lost_their_correlations_cluster_otherwise(perfect):
    covariates, expression = real(100, 2)
    rng = np.random.default_rng(0)
    shuffled = expression.apply(lambda gene: rng.permutation(gene))
    assert poor(audit(covariates, shuffled), "gene clusters")
    assert not poor(perfect, "gene clusters")


# --- correlations ---


def test_the_scores_are_those_of_the_metrics(perfect):
    _, expression = real(100, 2)
    found = rows(perfect, "gene correlations").set_index("target")
    for column, table in (("value", expression), ("reference", TRAIN[1])):
        expected = generation_report(TEST[1], table)
        pd.testing.assert_series_equal(
            found[column], expected, check_names=False, check_exact=False, atol=1e-5
        )


@pytest.mark.slow
def test_genes_that_lost_their_correlations_score_less(perfect):
    covariates, expression = real(100, 2)
    rng = np.random.default_rng(0)
    shuffled = audit(covariates, expression.apply(lambda gene: rng.permutation(gene)))
    assert poor(shuffled, "gene correlations")
    assert "Genes do not correlate as in real expression (s_dist)." in shuffled.verdict
    assert not poor(perfect, "gene correlations")


@pytest.mark.slow
def test_a_network_adds_two_scores():
    network = pd.DataFrame({"regulator": ["g0"] * 8, "target": [f"g{i}" for i in range(1, 9)]})
    network["sign"] = "+"
    result = audit(*real(100, 2), network=network)
    found = rows(result, "gene correlations").set_index("target")
    assert list(found.index) == ["s_dist", "s_dend", "s_sdcc", "s_tf_tg", "s_tg_tg"]
    expected = s_tf_tg(TEST[1], real(100, 2)[1], network)
    assert found.loc["s_tf_tg", "value"] == pytest.approx(expected, abs=1e-5)
    assert found.loc["s_tf_tg", "verdict"] == "good"


def test_a_network_of_other_genes_is_refused_before_the_work():
    network = pd.DataFrame({"regulator": ["TP53"], "target": ["MDM2"]})
    with pytest.raises(ValueError, match=r"None of the 1 edges.*TP53.*g0"):
        audit(*real(40, 2), network=network, classifier=Broken())


@pytest.mark.slow
def test_edges_of_other_genes_are_counted_once():
    network = pd.DataFrame({"regulator": ["g0", "g0", "TP53"], "target": ["g1", "g2", "g3"]})
    with pytest.warns(UserWarning, match="1 of 3 edges") as said:
        audit(*real(40, 2), network=network)
    assert len(said) == 1


@pytest.mark.slow
def test_two_genes_are_judged_without_correlations():
    tables = [pair[1][["g0", "g1"]] for pair in (TRAIN, TEST, real(40, 2))]
    result = audit_synthetic(
        tables[0],
        TRAIN[0],
        tables[1],
        TEST[0],
        tables[2],
        real(40, 2)[0],
        classifier="logistic",
        random_state=0,
        n_seeds=1,
    )
    assert rows(result, "gene correlations").empty


@pytest.mark.slow
def test_a_level_without_synthetic_samples_is_named():
    covariates, expression = real(100, 2)
    kept = (covariates["tissue"] != "lung").to_numpy()
    result = audit(covariates[kept], expression[kept])
    found = rows(result, "recall").set_index("level")
    assert found.loc["lung", "value"] == 0
    assert found.loc["lung", "verdict"] == "poor"
    assert "tissue=lung" in result.verdict


@pytest.mark.slow
def test_several_draws_take_the_covariates_of_the_test_samples():
    model = GaussianGenerator(random_state=0).fit(*TRAIN)
    result = audit(None, model.sample_y(TEST[0], n_samples=2, random_state=0))
    assert result.n_samples == {"train": 150, "test": 100, "synthetic": 200}


@pytest.mark.slow
def test_a_seed_makes_the_audit_repeatable():
    covariates, expression = real(40, 2)
    first, second = audit(covariates, expression), audit(covariates, expression)
    pd.testing.assert_frame_equal(first.frame, second.frame)


@pytest.mark.slow
def test_order_of_genes_and_constant_genes_do_not_matter():
    covariates, expression = real(40, 2)
    first = audit(covariates, expression)
    train, test = TRAIN[1].assign(constant=1.0), TEST[1].assign(constant=1.0)
    turned = expression.assign(constant=2.0).iloc[:, ::-1]
    second = audit_synthetic(
        train,
        TRAIN[0],
        test,
        TEST[0],
        turned,
        covariates,
        classifier="logistic",
        random_state=0,
        n_seeds=1,
    )
    pd.testing.assert_frame_equal(first.frame, second.frame)


@pytest.mark.slow
def test_the_network_of_the_paper_learns_too():
    result = audit(*real(40, 2), classifier="mlp", n_seeds=2)
    assert (rows(result, "utility, macro AUC")["value"] > 0.9).all()


@pytest.mark.slow
def test_samples_of_one_condition_may_share_an_id(perfect):
    covariates, expression = real(100, 2)
    ids = [f"condition {i % 7}" for i in range(100)]
    result = audit(covariates.set_axis(ids), expression.set_axis(ids))
    pd.testing.assert_frame_equal(result.frame, perfect.frame)


# --- bad input ---


def test_other_genes_are_named():
    covariates, expression = real(40, 2)
    with pytest.raises(FeatureMismatchError, match=r"synthetic.*g3"):
        audit(covariates, expression.drop(columns="g3"))


def test_missing_values_are_named():
    covariates, expression = real(40, 2)
    expression.iloc[2, 3] = np.nan
    with pytest.raises(ValueError, match=r"synthetic holds NaN in 1 of 60 genes \(g3\)"):
        audit(covariates, expression)


def test_absent_covariates_are_named():
    covariates, expression = real(40, 2)
    with pytest.raises(FeatureMismatchError, match=r"synthetic lack tissue"):
        audit(covariates.drop(columns="tissue"), expression)


def test_covariates_of_other_samples_are_refused():
    covariates, expression = real(40, 2)
    with pytest.raises(SampleMismatchError, match="synthetic"):
        audit(covariates.iloc[::-1], expression)


def test_arrays_are_refused():
    covariates, expression = real(40, 2)
    with pytest.raises(TypeError, match="synthetic must be a DataFrame"):
        audit(covariates, expression.to_numpy())


def test_numbers_alone_are_no_conditions():
    covariates, expression = real(40, 2)
    with pytest.raises(ValueError, match="no categorical covariate"):
        audit_synthetic(
            TRAIN[1], TRAIN[0][["age"]], TEST[1], TEST[0][["age"]], expression, covariates[["age"]]
        )


@pytest.mark.slow
def test_few_samples_are_warned_of():
    with pytest.warns(UserWarning, match=r"Fewer than 30 samples \(synthetic 10\)"):
        audit(*real(10, 2))


# --- report ---


@pytest.mark.slow
def test_report_says_the_verdict_first(tmp_path):
    pytest.importorskip("matplotlib")
    result = audit(*copies(0.0))
    page = result.to_html(tmp_path / "audit.html", title="Mine").read_text(encoding="utf-8")
    assert "<h1>Mine</h1>" in page
    assert "repeats training samples" in page
    headings = [page.index(f"<h2>{heading}</h2>") for heading in ("Verdict", "Utility", "Recall")]
    assert headings == sorted(headings)
    assert page.count("<figure>") == 4
    assert "nan" not in page.lower().replace("nano", "")[: page.lower().index("data:image")]
