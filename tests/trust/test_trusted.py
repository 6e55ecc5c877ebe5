import inspect
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import NotFittedError
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
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import omitrans
from omitrans.datasets import make_paired_omics
from omitrans.exceptions import DomainShiftWarning, SampleMismatchError
from omitrans.pipelines import AlignedTargetRegressor, make_translation_pipeline
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


@pytest.mark.parametrize("level", [0, 1, -0.1, 90, "0.9"])
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
    values = X.to_numpy(copy=True)
    np.put_along_axis(values, hidden, linear_cohort(150, 0)[0].to_numpy().mean(), axis=1)
    table = pd.DataFrame(values, X.index, X.columns)
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
    card = model.fit(data.X, data.Y, groups=data.samples["patient"]).trust_card_
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
        ({"cv": ShuffleSplit(3, random_state=0)}, "must hold each of the 20 samples out once"),
        ({"shares": [0.5, 1.5]}, "shares must lie between 0 and 1"),
        ({"cv": 21}, "cv=21 needs at least 21 samples"),
        ({"min_r2": 2}, "min_r2"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        TrustedRegressor(random_state=0, **params).fit(*linear_cohort(20, 1))


def test_targets_under_their_former_name():
    X, Y = linear_cohort(20, 1)
    model = TrustedRegressor(detect_shift=False, random_state=0)
    expected = model.fit(X=X, y=Y).predict(X)
    with pytest.warns(FutureWarning, match=r"TrustedRegressor.fit: .*'Y' was renamed to 'y'"):
        found = model.fit(X, Y=Y).predict(X)
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(TypeError, match="'y' twice"):
        model.fit(X, Y, Y=Y)
    assert list(inspect.signature(model.fit).parameters) == ["X", "y", "groups"]


def test_other_samples_are_refused():
    X, Y = linear_cohort(20, 1)
    with pytest.raises(SampleMismatchError, match="another order"):
        TrustedRegressor().fit(X, Y[::-1])


def test_missing_targets_are_named_before_the_work():
    X, Y = linear_cohort(30, 0)
    Y.iloc[4, 7] = np.nan
    with pytest.raises(ValueError, match=r"NaN in 1 of 40 targets \(first: gene7\) and 1 of 30"):
        TrustedRegressor().fit(X, Y)


def test_samples_without_a_group_are_refused():
    X, Y = linear_cohort(30, 0)
    for missing in (None, np.nan):
        with pytest.raises(ValueError, match="2 of 30 samples have no group"):
            TrustedRegressor().fit(X, Y, groups=[missing] * 2 + ["a"] * 28)


def test_a_search_inside_is_looked_through():
    X, Y = linear_cohort(60, 0)
    X = X.mask(np.random.default_rng(0).random(X.shape) < 0.05)
    harmonizer = ArrayHarmonizer(missing="components", min_coverage=0, warn_coverage=0)
    pipeline = make_translation_pipeline(Ridge(), harmonizer=harmonizer)
    search = GridSearchCV(pipeline, {"harmonizer__missing": ["components"]}, cv=2)
    plain = TrustedRegressor(pipeline, random_state=0).fit(X, Y)
    found = TrustedRegressor(search, random_state=0).fit(X, Y)
    pd.testing.assert_frame_equal(
        found.trust_card_.coverage_curve, plain.trust_card_.coverage_curve
    )
    pd.testing.assert_frame_equal(found.shift_report(X), plain.shift_report(X))
    pd.testing.assert_frame_equal(
        omitrans.predict_frame(found, X, intervals=0.9),
        omitrans.predict_frame(plain, X, intervals=0.9),
    )


@pytest.mark.parametrize(
    "wrap", [make_pipeline, TransformedTargetRegressor, AlignedTargetRegressor]
)
def test_a_wrapped_pipeline_is_looked_through(wrap):
    X, Y = linear_cohort(60, 0)
    harmonizer = ArrayHarmonizer(missing="components", min_coverage=0, warn_coverage=0)
    pipeline = make_translation_pipeline(Ridge(), harmonizer=harmonizer)
    plain = TrustedRegressor(pipeline, random_state=0).fit(X, Y)
    wrapped = TrustedRegressor(wrap(pipeline), random_state=0).fit(X, Y)
    new = X.iloc[:, ::-2]  # as of another array
    predicted, shift = wrapped.predict_with_shift(new)
    np.testing.assert_allclose(predicted, plain.predict(new))
    pd.testing.assert_frame_equal(shift, plain.shift_report(new))


def test_predictions_pass_the_whole_wrapper():
    X, Y = linear_cohort(60, 0)
    doubling = FunctionTransformer(lambda y: 2 * y, inverse_func=lambda y: y / 2)
    pipeline = make_pipeline(StandardScaler(), Ridge())
    wrapped = TransformedTargetRegressor(pipeline, transformer=doubling)
    model = TrustedRegressor(wrapped, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(model.predict_with_shift(X)[0], model.predict(X))


def test_gaps_that_the_alarm_cannot_read_are_told_before_the_folds():
    X, Y = linear_cohort(30, 0, n_targets=2)
    X.iloc[3, 4] = np.nan
    regressor = MultiOutputRegressor(HistGradientBoostingRegressor(max_iter=2, random_state=0))
    with pytest.raises(ValueError, match=r"NaN, which this regressor reads.*detect_shift=False"):
        TrustedRegressor(regressor, random_state=0).fit(X, Y)
    model = TrustedRegressor(regressor, detect_shift=False, cv=2, random_state=0).fit(X, Y)
    assert np.isfinite(model.predict(X)).all()


def test_editing_a_card_leaves_the_model_as_it_is(model):
    card, before = model.trust_card_, model.trust_card_.genes
    card.genes["r2"] = 99.0
    card.coverage_curve[:] = 99.0
    pd.testing.assert_frame_equal(model.trust_card_.genes, before)
    assert model.trust_card_.expected_r2(1.0).max() <= 1


def test_an_unfitted_model_has_no_card():
    assert not hasattr(TrustedRegressor(), "trust_card_")
    with pytest.raises(NotFittedError):
        TrustedRegressor().trust_card_  # noqa: B018


@pytest.mark.parametrize("coverage", [80, -0.1, np.nan])
def test_coverage_is_a_share(model, coverage):
    with pytest.raises(ValueError, match="share between 0 and 1"):
        model.trust_card_.expected_r2(coverage)


def test_a_target_named_as_a_limit_of_another_is_refused():
    X, Y = linear_cohort(30, 0, n_targets=2)
    model = TrustedRegressor(random_state=0).fit(X, Y.set_axis(["A", "A_lower"], axis=1))
    assert list(omitrans.predict_frame(model, X)) == ["A", "A_lower"]
    with pytest.raises(ValueError, match=r"duplicated ids \(A_lower\)"):
        omitrans.predict_frame(model, X, intervals=0.9)


def test_infinite_intervals_are_told():
    X, Y = linear_cohort(8, 0)
    model = TrustedRegressor(Ridge(), random_state=0).fit(X, Y)
    with pytest.warns(UserWarning, match=r"8 training samples are too few.* at most 0\.889"):
        wide = omitrans.predict_frame(model, X, intervals=0.9)
    assert np.isinf(wide["gene0_upper"]).all()
    assert np.isfinite(omitrans.predict_frame(model, X, intervals=0.85).to_numpy()).all()


@pytest.mark.parametrize("dtype", ["Float64", object, "float32"])
def test_the_card_is_the_same_whatever_holds_the_numbers(dtype):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.random((40, 30)), columns=[f"cg{i:08d}" for i in range(30)])
    Y = pd.DataFrame(X.to_numpy()[:, :3] + 0.1 * rng.random((40, 3)), columns=["a", "b", "c"])
    cards = [
        TrustedRegressor(random_state=0, detect_shift=False).fit(X.astype(kind), Y.astype(kind))
        for kind in ("float64", dtype)
    ]
    expected, found = (card.trust_card_ for card in cards)
    np.testing.assert_allclose(found.genes["r2"], expected.genes["r2"], atol=1e-4)
    np.testing.assert_allclose(found.coverage_curve, expected.coverage_curve, atol=1e-4)


def test_a_pipeline_may_fill_gaps_of_nullable_columns():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.random((40, 30)), columns=[f"cg{i:08d}" for i in range(30)])
    Y = pd.DataFrame(X.to_numpy()[:, :3], columns=["a", "b", "c"])
    X = X.mask(X < 0.02)
    harmonizer = ArrayHarmonizer(warn_coverage=0, min_coverage=0)
    model = TrustedRegressor(make_pipeline(harmonizer, Ridge()), random_state=0)
    expected, found = (clone(model).fit(table, Y).trust_card_ for table in (X, X.astype("Float64")))
    pd.testing.assert_frame_equal(found.genes, expected.genes)
    pd.testing.assert_frame_equal(found.coverage_curve, expected.coverage_curve)
