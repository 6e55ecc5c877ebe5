import json
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import BayesianRidge, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    ShuffleSplit,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline

import omitrans
from omitrans.datasets import make_paired_omics
from omitrans.exceptions import DomainShiftWarning, SampleMismatchError
from omitrans.pipelines import make_translation_pipeline
from omitrans.preprocessing import ArrayHarmonizer
from omitrans.trust import DomainShiftDetector, TrustCard, TrustedRegressor
from omitrans.trust._card import LEVELS, conformal_quantiles

FOLDS = [*KFold(5).split(np.empty(150))]


def linear_cohort(n_samples, seed, noise=0.5, n_targets=40):
    """Return X and Y whose relation never changes; the last target is noise."""
    weights = np.random.default_rng(99).standard_normal((8, n_targets))
    weights[:, -1] = 0
    rng = np.random.default_rng(seed)
    X = rng.random((n_samples, 8))
    Y = X @ weights + noise * rng.standard_normal((n_samples, n_targets))
    samples = [f"s{seed}_{i}" for i in range(n_samples)]
    probes = [f"cg{i:08d}" for i in range(8)]
    genes = [f"gene{i}" for i in range(n_targets)]
    return pd.DataFrame(X, samples, probes), pd.DataFrame(Y, samples, genes)


@pytest.fixture(scope="module", name="model")
def fitted_model():
    return TrustedRegressor(Ridge(0.1), cv=FOLDS, random_state=0).fit(*linear_cohort(150, 0))


# --- what the folds say ---


def test_r2_is_that_of_cross_validated_predictions(model):
    X, Y = linear_cohort(150, 0)
    predicted = cross_val_predict(Ridge(0.1), X, Y, cv=KFold(5))
    expected = r2_score(Y, predicted, multioutput="raw_values")
    card = model.trust_card_
    np.testing.assert_allclose(card.genes["r2"], expected)
    assert card.genes["predictable"].tolist() == (expected > 0.3).tolist()
    assert not card.genes.loc["gene39", "predictable"]
    assert (card.genes["n_samples"] == 150).all()
    slope = [np.polyfit(predicted[:, i], Y.iloc[:, i], 1)[0] for i in range(40)]
    np.testing.assert_allclose(card.genes["calibration_slope"], slope)


def test_half_width_is_a_quantile_of_the_errors(model):
    X, Y = linear_cohort(150, 0)
    errors = np.sort(np.abs(Y - cross_val_predict(Ridge(0.1), X, Y, cv=KFold(5))), axis=0)
    card = model.trust_card_
    # of rank 0.9 * 151 = 135.9 among 150
    expected = 0.1 * errors[134] + 0.9 * errors[135]
    np.testing.assert_allclose(card.half_width(0.9), expected, rtol=1e-6)
    np.testing.assert_array_equal(card.half_width(), card.genes["half_width"])
    np.testing.assert_allclose(card.half_width(0.5), (errors[74] + errors[75]) / 2, rtol=1e-6)
    # between two levels the wider one
    np.testing.assert_array_equal(card.half_width(0.895), card.half_width(0.9))
    # 0.995 * 151 > 150
    assert np.isinf(card.half_width(0.995)).all()


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_intervals_hold_what_they_promise(model, level):
    X, Y = linear_cohort(3000, 1)
    lower, upper = model.predict_interval(X, level)
    inside = (Y.ge(lower) & Y.le(upper)).to_numpy().mean()
    assert inside == pytest.approx(level, abs=0.02)


@pytest.mark.parametrize("n_samples", [10, 19, 28, 200])
def test_small_cohorts_are_covered_as_stated(n_samples):
    """Over many targets a share of `level` of new errors is below the quantile."""
    rng = np.random.default_rng(n_samples)
    quantiles = conformal_quantiles(np.abs(rng.standard_normal((n_samples, 4000))))
    for level in (0.5, 0.8, 0.9):
        inside = norm.cdf(quantiles[level == LEVELS]) * 2 - 1
        assert inside.mean() == pytest.approx(level, abs=0.015)


@pytest.mark.parametrize("level", [0, 1, -0.1, 90])
def test_impossible_levels_are_refused(model, level):
    X, _ = linear_cohort(5, 1)
    with pytest.raises(ValueError, match="intervals must be a level above 0"):
        omitrans.predict_frame(model, X, intervals=level)


def test_the_curve_falls_with_coverage_and_is_what_new_samples_show(model):
    card = model.trust_card_
    assert card.coverage_curve.index.tolist() == [1.0, 0.9, 0.8, 0.7, 0.5, 0.3]
    np.testing.assert_allclose(card.coverage_curve.loc[1.0], card.genes["r2"])
    median = card.coverage_curve.median(axis=1)
    assert (median.diff().dropna() <= 0).all()
    X, Y = linear_cohort(2000, 2)
    rng = np.random.default_rng(0)
    hidden = rng.permuted(np.tile(np.arange(8), (2000, 1)), axis=1)[:, :4]  # half of the probes
    table = X.copy()
    np.put_along_axis(table.values, hidden, linear_cohort(150, 0)[0].to_numpy().mean(), axis=1)
    seen = r2_score(Y, model.predict(table), multioutput="raw_values")
    assert np.median(seen) == pytest.approx(median[0.5], abs=0.08)


def test_expected_r2_is_interpolated(model):
    card = model.trust_card_
    curve = card.coverage_curve
    np.testing.assert_allclose(card.expected_r2(0.5), curve.loc[0.5])
    np.testing.assert_allclose(card.expected_r2(0.6), (curve.loc[0.5] + curve.loc[0.7]) / 2)
    np.testing.assert_allclose(card.expected_r2(1.0), curve.loc[1.0])
    np.testing.assert_allclose(card.expected_r2(0.0), curve.loc[0.3])
    assert card.expected_r2(0.6).index.equals(curve.columns)


def test_summary_is_plain_data(model):
    summary = json.loads(json.dumps(model.trust_card_.summary(), allow_nan=False))
    assert (summary["n_samples"], summary["n_targets"]) == (150, 40)
    assert summary["n_predictable"] == model.trust_card_.genes["predictable"].sum()
    assert "targets predictable, median R²" in repr(model.trust_card_)


def test_patients_stay_together():
    X, Y = linear_cohort(60, 3, noise=3.0)
    # every sample three times: folds that split them would see what they predict
    X, Y = (table.loc[table.index.repeat(3)].reset_index(drop=True) for table in (X, Y))
    patients = np.repeat(np.arange(60), 3)
    nearest = make_pipeline(ArrayHarmonizer(), Ridge(1e-6))
    apart = TrustedRegressor(nearest, cv=GroupKFold(5), random_state=0).fit(X, Y, groups=patients)
    by_number = TrustedRegressor(nearest, random_state=0).fit(X, Y, groups=patients)
    assert by_number.trust_card_.genes["r2"].median() < 0.2
    assert apart.trust_card_.genes["r2"].median() < 0.2
    folds = [*GroupKFold(5).split(X, groups=patients)]
    again = TrustedRegressor(nearest, cv=folds, random_state=0).fit(X, Y)
    np.testing.assert_allclose(again.trust_card_.genes["r2"], apart.trust_card_.genes["r2"])


# --- standard deviations ---


def test_an_ensemble_disagrees_more_far_from_the_data():
    X, Y = linear_cohort(40, 4)
    model = TrustedRegressor(Ridge(0.1), ensemble=True, random_state=0).fit(X, Y)
    predicted, near = model.predict(X, return_std=True)
    np.testing.assert_array_equal(predicted, model.predict(X))
    _, far = model.predict(X + 3, return_std=True)
    assert near.shape == Y.shape
    assert far.mean() > 2 * near.mean()


def test_the_regressors_own_deviation_is_used():
    X, Y = linear_cohort(40, 4)
    model = TrustedRegressor(BayesianRidge(), random_state=0).fit(X, Y["gene0"])
    expected = BayesianRidge().fit(X, Y["gene0"]).predict(X, return_std=True)
    for found, wanted in zip(model.predict(X, return_std=True), expected, strict=True):
        np.testing.assert_allclose(found, wanted)


def test_without_any_deviation_the_cure_is_named(model):
    with pytest.raises(ValueError, match=r"Ridge gives no standard deviation.*ensemble=True"):
        model.predict(linear_cohort(3, 1)[0], return_std=True)


# --- the alarm ---


def test_odd_samples_are_flagged_and_predicted_all_the_same(model):
    X, _ = linear_cohort(20, 5)
    X.iloc[3] += 3
    report = model.shift_report(X)
    assert report.index.equals(X.index)
    assert report["shifted"].iloc[3]
    assert report["shifted"].sum() <= 3
    with pytest.warns(DomainShiftWarning, match="unlike those"):
        predicted = omitrans.predict_frame(model, X)
    np.testing.assert_array_equal(predicted, model.predict(X))


def test_the_alarm_judges_what_the_regressor_sees():
    X, Y = linear_cohort(60, 6)
    model = make_translation_pipeline(Ridge(), min_variance=None)
    model = TrustedRegressor(model, random_state=0).fit(X, Y)
    assert isinstance(model.shift_detector_, DomainShiftDetector)
    shuffled = X[X.columns[::-1]].assign(cg99999999=0.3)
    pd.testing.assert_frame_equal(model.shift_report(shuffled), model.shift_report(X))


def test_no_detector_knows_no_shift():
    model = TrustedRegressor(detect_shift=False, random_state=0).fit(*linear_cohort(20, 6))
    with pytest.raises(ValueError, match="detect_shift=False"):
        model.shift_report(linear_cohort(3, 1)[0])


# --- frames, files, tools ---


def test_intervals_stand_beside_their_target(model):
    X, _ = linear_cohort(6, 7)
    plain = omitrans.predict_frame(model, X)
    table = omitrans.predict_frame(model, X, intervals=0.9)
    assert list(table.columns[:4]) == ["gene0", "gene0_lower", "gene0_upper", "gene1"]
    pd.testing.assert_frame_equal(table[plain.columns], plain)
    half = model.trust_card_.half_width(0.9)
    np.testing.assert_allclose(table["gene1_upper"] - table["gene1"], half["gene1"])
    np.testing.assert_allclose(table["gene1"] - table["gene1_lower"], half["gene1"])


def test_intervals_need_a_card():
    X, Y = linear_cohort(20, 8)
    with pytest.raises(ValueError, match=r"carries none.*TrustedRegressor"):
        omitrans.predict_frame(Ridge().fit(X, Y), X, target_names=Y.columns, intervals=0.9)


def test_a_search_hands_the_card_on():
    X, Y = linear_cohort(40, 9)
    search = GridSearchCV(
        TrustedRegressor(Ridge(), cv=3, random_state=0), {"estimator__alpha": [0.1, 10]}, cv=2
    )
    search.fit(X, Y)
    table = omitrans.predict_frame(search, X, intervals=0.5)
    assert table.shape == (40, 120)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_result_depends_on_the_seed_alone(model, n_jobs):
    again = TrustedRegressor(Ridge(0.1), cv=FOLDS, random_state=0, n_jobs=n_jobs)
    again.fit(*linear_cohort(150, 0))
    pd.testing.assert_frame_equal(again.trust_card_.genes, model.trust_card_.genes)
    pd.testing.assert_frame_equal(
        again.trust_card_.coverage_curve, model.trust_card_.coverage_curve
    )


def test_card_and_alarm_survive_saving(model, tmp_path):
    X, _ = linear_cohort(6, 7)
    path = tmp_path / "model.omitrans"
    omitrans.save(model, path)
    for loaded in (omitrans.load(path), pickle.loads(pickle.dumps(model))):
        pd.testing.assert_frame_equal(loaded.trust_card_.genes, model.trust_card_.genes)
        pd.testing.assert_frame_equal(loaded.shift_report(X), model.shift_report(X))
        pd.testing.assert_frame_equal(
            omitrans.predict_frame(loaded, X, intervals=0.9),
            omitrans.predict_frame(model, X, intervals=0.9),
        )


def test_inside_cross_validate():
    X, Y = linear_cohort(60, 9)
    scores = cross_validate(TrustedRegressor(Ridge(), cv=3, random_state=0), X, Y, cv=3, n_jobs=2)[
        "test_score"
    ]
    assert (scores > 0).all()


def test_gaps_of_a_pipeline_s_table_are_no_trouble():
    data = make_paired_omics(60, 200, 10, random_state=0)
    model = TrustedRegressor(make_translation_pipeline(DummyRegressor()), random_state=0)
    card = model.fit(data.X, data.Y).trust_card_
    assert isinstance(card, TrustCard)
    varies = data.Y.std() > 0
    assert np.isfinite(card.coverage_curve.loc[:, varies].to_numpy()).all()
    # a gene that is never expressed is predicted perfectly, and nothing is known of it
    assert not varies.all()
    assert card.genes["r2"][~varies].isna().all()
    assert not card.genes["predictable"][~varies].any()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"cv": ShuffleSplit(3, random_state=0)}, "must predict each of the 20 samples once"),
        ({"shares": [0.5, 1.5]}, "shares must lie between 0 and 1"),
        ({"cv": 21}, "n_splits=21"),
        ({"min_r2": 2}, "min_r2"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        TrustedRegressor(random_state=0, **params).fit(*linear_cohort(20, 1))


def test_other_samples_are_refused():
    X, Y = linear_cohort(20, 1)
    with pytest.raises(SampleMismatchError, match="another order"):
        TrustedRegressor().fit(X, Y[::-1])
