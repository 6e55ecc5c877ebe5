import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from omitrans.downstream import cross_validate_cox
from omitrans.exceptions import PatientGroupsWarning, SampleMismatchError
from omitrans.metrics import concordance_index, uno_concordance_index
from omitrans.solvers._cox_ridge import Directions, cox_loglik, cox_ridge_path
from omitrans.solvers._risk_sets import RiskSets

VARIABLES = ["g1", "g2", "g3", "g6", "age", "sex"]
SMALL = {"folds": 3, "inner_folds": 3, "strengths": [100.0, 3.0, 0.3], "random_state": 0}


def risk_sets(samples, ties="efron"):
    return RiskSets.of(samples["time"].to_numpy(float), samples["event"].to_numpy(bool), None, ties)


# --- the solver ---


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_ridge_agrees_with_coxph_of_r(reference, samples, ties):
    values = samples[VARIABLES].to_numpy(float)
    penalties = np.array([20, 0.5])
    path = cox_ridge_path(values - values.mean(axis=0), risk_sets(samples, ties), penalties)
    values_of_r = reference("coxph_ridge").query("ties == @ties").set_index("theta")
    for penalty, ours in zip(penalties, path.T, strict=True):
        table = values_of_r.loc[penalty]
        np.testing.assert_allclose(ours, table["coef"], rtol=1e-8)


def test_ridge_agrees_with_lifelines(samples):
    lifelines = pytest.importorskip("lifelines")
    values = samples[["g1", "g2"]].to_numpy()
    values = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    table = pd.DataFrame(values).assign(time=samples["time"], event=samples["event"])
    table.columns = table.columns.astype(str)
    theirs = lifelines.CoxPHFitter(penalizer=0.1).fit(table, "time", "event").params_
    ours = cox_ridge_path(values, risk_sets(samples), np.array([0.1 * len(values)]))
    np.testing.assert_allclose(ours[:, 0], theirs, rtol=1e-3)


@pytest.mark.parametrize("n_genes", [5, 200], ids=["few genes", "more genes than samples"])
def test_rotation_loses_nothing(samples, n_genes):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(90, n_genes)) * rng.exponential(size=n_genes) + 5
    values[:, 0] = 3.0  # constant
    sets = risk_sets(samples)
    penalties = np.array([30.0, 2.0])
    standard = (values - values.mean(axis=0)) / np.where(np.arange(n_genes), values.std(axis=0), 1)
    directions = Directions.of(values)
    assert directions.scores.shape[1] <= min(89, n_genes - 1)
    np.testing.assert_allclose(
        directions.scores @ cox_ridge_path(directions.scores, sets, penalties),
        standard @ cox_ridge_path(standard, sets, penalties),
        atol=1e-8,
    )
    np.testing.assert_allclose(directions.rotate(values), directions.scores, atol=1e-9)


def test_path_does_not_depend_on_where_it_starts(samples):
    values = samples[VARIABLES].to_numpy(float)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    sets = risk_sets(samples)
    path = cox_ridge_path(values, sets, np.array([1e4, 10, 1e-3]))
    alone = cox_ridge_path(values, sets, np.array([1e-3]))
    np.testing.assert_allclose(path[:, [2]], alone, atol=1e-9)


def test_weak_penalty_of_separated_samples_is_finite():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 39))
    sets = RiskSets.of(rng.exponential(size=40), np.ones(40, dtype=bool))
    path = cox_ridge_path(values, sets, np.array([1.0, 1e-4]))
    assert np.isfinite(path).all()
    assert (np.diff(cox_loglik(sets, values @ path)) > 0).all()


# --- nested cross-validation ---


def test_signal_is_found_and_results_belong_together(cohort):
    expression, time, event = cohort
    result = cross_validate_cox(expression, time, event, **SMALL)
    assert result.risk.index.equals(expression.index)
    assert result.scores.loc["harrell", "mean"] > 0.6
    assert (result.scores["lower"] < result.scores["mean"]).all()
    assert list(result.folds["n_test"]) == [40, 40, 40]
    assert result.folds["n_events"].sum() == event.sum()
    assert np.ptp(result.folds["n_events"]) <= 1
    for number, row in result.folds.iterrows():
        test = result.fold_of_sample == number
        outcome = time[test], event[test], result.risk[test]
        assert row["harrell"] == concordance_index(*outcome)
        past = {"train_time": time[~test], "train_event": event[~test]}
        assert row["uno"] == uno_concordance_index(*outcome, **past)
    np.testing.assert_allclose(result.folds["harrell"].mean(), result.scores["mean"]["harrell"])


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_huge_and_tiny_units_lose_nothing(cohort, unit):
    expression, time, event = cohort
    expected, found = (
        cross_validate_cox(table, time, event, **SMALL).scores
        for table in (expression, expression * unit)
    )
    pd.testing.assert_frame_equal(found, expected, rtol=1e-6)


def test_chance_stays_chance():
    """Screening by all samples would find the noise that the test samples share."""
    rng = np.random.default_rng(5)
    expression = rng.normal(size=(150, 2000))
    time, event = rng.exponential(size=150), rng.random(150) < 0.7
    result = cross_validate_cox(expression, time, event, min_genes=10, **SMALL)
    assert 0.3 < result.scores.loc["harrell", "mean"] < 0.6
    assert (result.folds["n_genes"] < 300).all()


def test_held_out_outcomes_do_not_change_the_risk(cohort):
    expression, time, event = cohort
    folds = list(KFold(3).split(expression))
    before = cross_validate_cox(expression, time, event, **SMALL | {"folds": folds})
    test = time.index[folds[0][1]]
    time[test] = time[test].to_numpy()[::-1]
    event[test] = event[test].to_numpy()[::-1]
    after = cross_validate_cox(expression, time, event, **SMALL | {"folds": folds})
    np.testing.assert_array_equal(before.risk[test], after.risk[test])
    assert (before.risk.drop(test) != after.risk.drop(test)).all()


def test_screening(cohort):
    expression, time, event = cohort
    few = cross_validate_cox(expression, time, event, screen=1e-5, min_genes=4, **SMALL)
    assert (few.folds["n_genes"] == 4).all()
    every = cross_validate_cox(expression, time, event, screen=None, **SMALL)
    assert (every.folds["n_genes"] == 30).all()
    assert few.scores.loc["harrell", "mean"] > every.scores.loc["harrell", "mean"]


def test_strongest_penalty_wins_on_noise_and_not_on_signal(cohort):
    expression, time, event = cohort
    signal = cross_validate_cox(expression, time, event, **SMALL)
    noise = cross_validate_cox(expression.drop(columns="gene0"), time, event, **SMALL)
    assert signal.folds["strength"].mean() < noise.folds["strength"].mean()


def test_same_seed_same_result(cohort):
    first, second = (cross_validate_cox(*cohort, **SMALL) for _ in range(2))
    pd.testing.assert_series_equal(first.risk, second.risk)


def test_patients_stay_together(cohort):
    expression, time, event = cohort
    patients = np.repeat(np.arange(60), 2)
    result = cross_validate_cox(expression, time, event, groups=patients, **SMALL)
    folds = result.fold_of_sample.to_numpy().reshape(60, 2)
    assert (folds[:, 0] == folds[:, 1]).all()
    ids = [f"TCGA-AA-{p:04d}-0{s}A" for p in range(60) for s in (1, 2)]
    named = [part.set_axis(ids) for part in cohort]
    with pytest.warns(PatientGroupsWarning):
        result = cross_validate_cox(*named, **SMALL)
    folds = result.fold_of_sample.to_numpy().reshape(60, 2)
    assert (folds[:, 0] == folds[:, 1]).all()


def test_fold_without_a_comparable_pair(cohort):
    expression, time, event = cohort
    last = int(np.argmax(time))
    event.iloc[last] = False
    folds = [(np.delete(np.arange(120), [last, 0]), [last, 0])]
    event.iloc[0] = False
    folds.append(([last, 0, *range(1, 60)], np.setdiff1d(np.arange(1, 120), last)))
    result = cross_validate_cox(expression, time, event, **SMALL | {"folds": folds})
    assert np.isnan(result.folds.loc[0, ["harrell", "uno"]]).all()
    assert (result.scores["n_folds"] == 1).all()
    assert result.scores["lower"].isna().all()
    assert (result.scores["mean"] == result.folds.loc[1, ["harrell", "uno"]]).all()


# --- bad input ---


def test_too_few_samples_or_events(cohort):
    expression, time, event = cohort
    with pytest.raises(ValueError, match="None of the 120 samples has an event"):
        cross_validate_cox(expression, time, event & False)
    rare = event & False
    rare.iloc[:3] = True
    with pytest.raises(ValueError, match=r"folds=5 needs at least 5 samples with an event, .*3"):
        cross_validate_cox(expression, time, rare)
    with pytest.raises(ValueError, match="inner_folds=10 needs at least 10 samples with an event"):
        cross_validate_cox(expression, time, event.where(np.arange(120) < 12, False))
    with pytest.raises(ValueError, match="folds=5 needs"):
        cross_validate_cox(expression[:4], time[:4], event[:4])


def test_too_few_patients(cohort):
    expression, time, event = cohort
    with pytest.raises(ValueError, match="folds=5 needs at least that many groups"):
        cross_validate_cox(expression, time, event, groups=np.arange(120) % 3)


def test_bad_parameters(cohort):
    expression, time, event = cohort
    with pytest.raises(ValueError, match="strengths must hold finite numbers above 0"):
        cross_validate_cox(expression, time, event, strengths=[1.0, 0.0])
    with pytest.raises(ValueError, match="folds must be 2 or more"):
        cross_validate_cox(expression, time, event, folds=1)
    with pytest.raises(SampleMismatchError):
        cross_validate_cox(expression, time[::-1], event)
