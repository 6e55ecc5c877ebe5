import numpy as np
import pandas as pd
import pytest
from scipy import stats

from omitrans.downstream import prognosis_genes
from omitrans.exceptions import SampleMismatchError

GENES = [f"g{i}" for i in range(1, 7)]
MODELS = {
    "plain": {},
    "strata": {"strata": "site"},
    "covariates": {"covariates": ["age", "sex"]},
    "both": {"strata": "site", "covariates": ["age", "sex"]},
}
TESTS = ["wald", "score", "lr"]


# --- agreement ---


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("when", ["time", "fine"])
def test_agrees_with_coxph_of_r(reference, samples, ties, model, when):
    options = {name: samples[columns] for name, columns in MODELS[model].items()}
    values = reference("coxph").query("ties == @ties and model == @model and time == @when")
    values = values.set_index("gene")
    for test in TESTS:
        ours = prognosis_genes(
            samples[GENES], samples[when], samples["event"], ties=ties, test=test, **options
        )
        np.testing.assert_allclose(ours["coef"], values["coef"], rtol=1e-8)
        np.testing.assert_allclose(ours["se"], values["se"], rtol=1e-6)
        np.testing.assert_allclose(ours["z"] ** 2, values[test], rtol=1e-6)
        np.testing.assert_allclose(ours["p"], stats.chi2.sf(values[test], 1), rtol=1e-6)
        assert (np.sign(ours["z"]) == np.sign(values["coef"])).all()
        assert (ours["status"] == "ok").all()


def test_agrees_with_lifelines(cohort):
    lifelines = pytest.importorskip("lifelines")
    expression, time, event = cohort
    ours = prognosis_genes(expression, time.round().clip(1), event)
    for gene in ["gene0", "gene1"]:
        table = pd.DataFrame({"x": expression[gene], "time": time.round().clip(1), "event": event})
        theirs = (
            lifelines.CoxPHFitter()
            .fit(table, "time", "event", fit_options={"precision": 1e-12, "r_precision": 1e-16})
            .summary.loc["x"]
        )
        row = ours.loc[gene]
        np.testing.assert_allclose(row["coef"], theirs["coef"], rtol=1e-7)
        np.testing.assert_allclose(row["hazard_ratio"], theirs["exp(coef)"], rtol=1e-7)
        np.testing.assert_allclose(row["lower"], theirs["exp(coef) lower 95%"], rtol=1e-7)
        np.testing.assert_allclose(row["upper"], theirs["exp(coef) upper 95%"], rtol=1e-7)
        np.testing.assert_allclose(row["p"], theirs["p"], rtol=1e-6)


def test_q_values_are_those_of_benjamini_and_hochberg(cohort):
    expression, time, event = cohort
    expression["gene7"] = 1.0
    genes = prognosis_genes(expression, time, event)
    known = genes.drop(index="gene7")
    np.testing.assert_allclose(known["q"], stats.false_discovery_control(known["p"]))
    assert np.isnan(genes.loc["gene7", "q"])
    assert (known.index[known["q"] < 0.01] == ["gene0"]).all()


# --- properties ---


@pytest.mark.parametrize("model", ["plain", "both"])
def test_gene_alone_gets_the_same_row(samples, model):
    options = {name: samples[columns] for name, columns in MODELS[model].items()}
    options["test"] = "lr"
    outcome = samples["time"], samples["event"]
    together = prognosis_genes(samples[GENES], *outcome, **options).drop(columns="q")
    for gene in GENES:
        alone = prognosis_genes(samples[[gene]], *outcome, **options).drop(columns="q")
        pd.testing.assert_frame_equal(alone, together.loc[[gene]], rtol=1e-9)


@pytest.mark.parametrize("model", ["plain", "both"])
def test_order_of_samples_does_not_matter(samples, model):
    def fit(table):
        options = {name: table[columns] for name, columns in MODELS[model].items()}
        return prognosis_genes(table[GENES], table["time"], table["event"], **options)

    shuffled = samples.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(fit(shuffled), fit(samples), rtol=1e-9)


def test_unit_of_time_does_not_matter(cohort):
    expression, time, event = cohort
    pd.testing.assert_frame_equal(
        prognosis_genes(expression, time * 1e6, event), prognosis_genes(expression, time, event)
    )


def test_unit_of_the_gene_only_scales(cohort):
    expression, time, event = cohort
    genes = prognosis_genes(expression, time, event)
    scaled = prognosis_genes(expression * 1e-6 + 7, time, event)
    np.testing.assert_allclose(scaled["coef"] * 1e-6, genes["coef"], rtol=1e-6)
    np.testing.assert_allclose(scaled["p"], genes["p"], rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_huge_and_tiny_units_lose_nothing(cohort, unit):
    expression, time, event = cohort
    age = expression[["gene0"]].set_axis(["age"], axis=1)
    genes = prognosis_genes(expression, time, event, covariates=age)
    scaled = prognosis_genes(expression * unit, time, event, covariates=age * unit)
    pd.testing.assert_frame_equal(
        scaled[["z", "p", "q", "status"]], genes[["z", "p", "q", "status"]], rtol=1e-6
    )


def test_float32_is_computed_in_float64(cohort):
    expression, time, event = cohort
    narrow = expression.astype(np.float32)
    pd.testing.assert_frame_equal(
        prognosis_genes(narrow, time, event),
        prognosis_genes(narrow.astype(np.float64), time, event),
    )


def test_blocks_do_not_show(cohort, monkeypatch):
    expression, time, event = cohort
    together = prognosis_genes(expression, time, event)
    monkeypatch.setattr("omitrans.solvers._cox.BLOCK_VALUES", 1)
    pd.testing.assert_frame_equal(prognosis_genes(expression, time, event), together, rtol=1e-9)


def test_categories_become_indicators(cohort):
    expression, time, event = cohort
    grade = pd.Series(np.resize(["a", "b", "c"], 120), expression.index)
    indicators = np.column_stack([grade == "b", grade == "c"]).astype(float)
    pd.testing.assert_frame_equal(
        prognosis_genes(expression, time, event, covariates=grade.to_frame("grade")),
        prognosis_genes(expression, time, event, covariates=indicators),
    )


def test_arrays_are_enough(cohort):
    expression, time, event = cohort
    genes = prognosis_genes(expression.to_numpy(), list(time), list(event))
    assert list(genes.index) == list(range(30))
    assert genes.index.name == "gene"


# --- genes that have no estimate ---


def separated(expression, time, event):
    """Return the table with a gene that is the higher, the earlier the event."""
    return expression.assign(gene1=-time.rank() + 1000 * event)


NUMBERS = ["coef", "hazard_ratio", "se", "lower", "upper"]


@pytest.mark.parametrize("sign", [1, -1])
def test_separated_gene_is_reported(cohort, sign):
    expression, time, event = cohort
    expression = sign * separated(*cohort)
    wald = prognosis_genes(expression, time, event).loc["gene1"]
    assert wald["status"] == "separated"
    assert wald[[*NUMBERS, "z", "p", "q"]].isna().all()
    for test in ("score", "lr"):
        row = prognosis_genes(expression, time, event, test=test).loc["gene1"]
        assert row["p"] < 1e-10
        assert np.sign(row["z"]) == sign
        assert row[NUMBERS].isna().all()


def test_separated_beside_covariates(cohort):
    expression, time, event = cohort
    expression = separated(*cohort)
    genes = prognosis_genes(
        expression, time, event, covariates=expression[["gene2"]].to_numpy(), test="lr"
    )
    assert genes.loc["gene1", "status"] == "separated"
    assert genes.loc["gene1", NUMBERS].isna().all()
    assert genes.loc["gene1", "p"] < 1e-10
    assert genes.loc["gene2", "status"] == "collinear"
    assert (genes["status"].drop(["gene1", "gene2"]) == "ok").all()


def test_constant_gene(cohort):
    expression, time, event = cohort
    expression["gene3"] = 2.5
    expression["gene4"] = 1.0
    early = time.index[:3]
    time[early], event[early] = 0.01, False
    expression.loc[early, "gene4"] = 5.0  # differs only where no risk set reaches
    genes = prognosis_genes(expression, time, event)
    assert list(genes.index[genes["status"] == "constant"]) == ["gene3", "gene4"]
    assert genes.loc["gene3", [*NUMBERS, "z", "p", "q"]].isna().all()
    assert genes.drop(["gene3", "gene4"]).notna().all(axis=None)


def test_gene_that_is_constant_among_the_events(cohort):
    """It has an estimate if others at risk lie on both sides, and is separated if not."""
    expression, time, event = cohort
    expression["gene3"] = expression["gene3"].where(~event, 0.0)
    expression["gene4"] = expression["gene4"].abs().where(~event, 0.0)
    genes = prognosis_genes(expression, time, event)
    assert genes.loc["gene3", "status"] == "ok"
    assert np.isfinite(genes.loc["gene3", "coef"])
    assert genes.loc["gene4", "status"] == "separated"


def test_gene_that_is_constant_in_each_stratum(cohort):
    expression, time, event = cohort
    site = pd.Series(np.resize([1.0, 2.0], 120), expression.index)
    genes = prognosis_genes(expression.assign(gene5=site), time, event, strata=site)
    assert genes.loc["gene5", "status"] == "constant"


def test_one_event(cohort):
    expression, time, event = cohort
    one = pd.Series(False, event.index)
    one[time.sort_values().index[5]] = True
    genes = prognosis_genes(expression, time, one)
    assert (genes["n_events"] == 1).all()
    assert set(genes["status"]) <= {"ok", "separated"}
    assert genes.loc[genes["status"] == "ok", "se"].gt(0).all()


def test_outlier_does_not_overflow(cohort):
    expression, time, event = cohort
    expression.iloc[4, 6] = 1e9
    row = prognosis_genes(expression, time, event).loc["gene6"]
    assert row["status"] == "ok"
    assert np.isfinite(row["coef"])


# --- bad input ---


def test_all_censored(cohort):
    expression, time, event = cohort
    with pytest.raises(ValueError, match="None of the 120 samples has an event"):
        prognosis_genes(expression, time, event & False)


@pytest.mark.parametrize("bad", [0.0, -3.0, np.nan, np.inf])
def test_bad_time(cohort, bad):
    expression, time, event = cohort
    time.iloc[3] = bad
    with pytest.raises(ValueError, match=f"found 1 of 120 .*first: {bad:g} in row 3"):
        prognosis_genes(expression, time, event)


def test_status_of_r(cohort):
    expression, time, event = cohort
    with pytest.raises(ValueError, match="event = status == 2"):
        prognosis_genes(expression, time, event.astype(int) + 1)


def test_missing_event(cohort):
    expression, time, event = cohort
    event = event.astype(object)
    event.iloc[7] = None
    with pytest.raises(ValueError, match=r"1 other values \(first: nan in row 7\)"):
        prognosis_genes(expression, time, event)


def test_times_in_words(cohort):
    expression, time, event = cohort
    with pytest.raises(ValueError, match="time must hold numbers"):
        prognosis_genes(expression, time.astype(str) + " days", event)


@pytest.mark.parametrize("name", ["time", "event", "strata", "covariates"])
def test_other_samples(cohort, name):
    expression, time, event = cohort
    parts = {"time": time, "event": event, "strata": event, "covariates": time.to_frame()}
    parts[name] = parts[name].iloc[::-1]
    with pytest.raises(SampleMismatchError, match=name):
        prognosis_genes(expression, **parts)
    parts[name] = parts[name].to_numpy()[:-1]
    with pytest.raises(SampleMismatchError, match=rf"{name} 119"):
        prognosis_genes(expression, **parts)


def test_missing_expression(cohort):
    expression, time, event = cohort
    expression.iloc[0, 0] = np.nan
    with pytest.raises(ValueError, match="expression contains NaN"):
        prognosis_genes(expression, time, event)


def test_covariates_without_a_model(cohort):
    expression, time, event = cohort
    age = expression["gene2"].to_numpy()
    with pytest.raises(ValueError, match="covariates are collinear"):
        prognosis_genes(expression, time, event, covariates=np.column_stack([age, 2 * age + 1]))
    with pytest.raises(ValueError, match="covariates alone is separated"):
        prognosis_genes(expression, time, event, covariates=pd.DataFrame({"dead": event}))


def test_missing_covariate_or_stratum(cohort):
    expression, time, event = cohort
    age = expression["gene2"].to_frame("age").copy()
    age.iloc[0] = np.nan
    with pytest.raises(ValueError, match=r"1 missing values .first column: 'age'"):
        prognosis_genes(expression, time, event, covariates=age)
    with pytest.raises(ValueError, match="strata is missing for 1 samples"):
        prognosis_genes(expression, time, event, strata=age["age"])
