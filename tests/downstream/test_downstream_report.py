"""Predicted expression is judged by its use, beside controls that know nothing of single genes."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from omitrans.baselines import DualRidgeRegressor
from omitrans.datasets import make_paired_omics
from omitrans.downstream import (
    DownstreamReport,
    _tasks,
    control_predictions,
    cross_validate_cox,
    downstream_report,
)
from omitrans.exceptions import (
    FeatureMismatchError,
    PatientGroupsWarning,
    SampleMismatchError,
    UnknownCategoryWarning,
)

N, N_TRAIN = 130, 60
TRAIN, TEST = slice(0, N_TRAIN), slice(N_TRAIN, N)


@pytest.fixture(scope="module", autouse=True)
def few_penalties():
    """Choose among two penalties in two folds; the tests of the Cox models choose among all."""
    quick = partial(cross_validate_cox, inner_folds=2, strengths=[10.0, 1.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_tasks, "cross_validate_cox", quick)
        yield


@pytest.fixture(scope="module")
def study():
    """Paired tables, a subtype that a few genes tell, and survival that other genes go with."""
    data = make_paired_omics(N, 120, 40, n_cancer_types=3, missing_rate=0, random_state=0)
    rng = np.random.default_rng(0)
    ids = [f"s{i}" for i in range(N)]  # those of the data name patients that repeat
    X, Y = data.X.astype(float).set_axis(ids), data.Y.astype(float).set_axis(ids)
    varies = Y.loc[:, Y.std() > 0.1]
    scores = ((varies - varies.mean()) / varies.std()).to_numpy()
    risk = scores[:, :8].mean(axis=1) * 2
    time = pd.Series(rng.exponential(1000 * np.exp(-2 * risk)) + 1, Y.index)
    event = pd.Series(rng.random(N) < 0.8, Y.index)
    classes = pd.Series(np.where(scores[:, 8:14].mean(axis=1) > 0, "B", "A"), Y.index)
    return X, Y, time, event, classes


def report(study, predictions, **options):
    X, Y, time, event, classes = study
    given = {
        "train_expression": Y[TRAIN],
        "methylation": X[TEST],
        "train_methylation": X[TRAIN],
        "time": time,
        "event": event,
        "classes": classes,
        "threshold": 0.2,
        "k": 10,
        "n_bootstrap": 30,
        "random_state": 0,
    }
    return downstream_report(predictions, Y[TEST], **given | options)


@pytest.fixture(scope="module")
def judged(study):
    Y = study[1]
    shuffled = Y[TEST].sample(frac=1, random_state=0).set_axis(Y[TEST].index)
    return report(study, {"perfect": Y[TEST], "shuffled": shuffled})


def values(judged, metric, setting="test"):
    frame = judged.frame
    found = frame[(frame["metric"] == metric) & (frame["setting"] == setting)]
    return {
        task: part.set_index("model")["value"] for task, part in found.groupby("task", sort=False)
    }


def test_measured_expression_as_prediction_finds_everything(judged):
    for metric in ("pr_auc_integral", "pr_auc_average_precision", "top_overlap", "ari", "nmi"):
        for scores in values(judged, metric).values():
            assert scores["perfect"] == pytest.approx(1)
    found = judged.judgements.set_index(["setting", "task", "model"])["better"]
    assert found.loc["test", "driving genes", "perfect"]
    assert found.loc["test", "prognosis genes", "perfect"]


def test_samples_in_another_order_are_no_better_than_a_guess(judged):
    found = judged.judgements
    shuffled = found[(found["model"] == "shuffled") & (found["setting"] == "test")]
    assert not shuffled["better"].any()


def test_measured_training_samples_lift_what_knows_nothing(judged):
    """The mean of the training samples finds nothing alone, and much in the union."""
    alone = values(judged, "pr_auc_integral")["driving genes"]
    chance = judged.frame.query("task == 'driving genes' and setting == 'test'")["chance"].iloc[0]
    assert alone["mean"] == pytest.approx(chance, abs=0.05)
    union = values(judged, "pr_auc_integral", "union")["driving genes"]
    assert union["mean"] > alone["mean"] + 0.3


def test_every_task_is_judged_in_its_settings(judged):
    place = judged.frame[["task", "setting"]].drop_duplicates().apply(tuple, axis=1)
    tasks = {"driving genes", "prognosis genes", "clusters", "survival"}
    expected = {(task, setting) for task in tasks for setting in ("test", "union")}
    assert set(place) == expected | {("classes", "test")}
    assert set(judged.controls) == {"mean", "methylation components"}


def test_a_model_that_cannot_be_judged_says_why(judged):
    """The mean is the same for all samples, which no Cox model can use."""
    frame = judged.frame
    notes = frame[(frame["model"] == "mean") & (frame["task"] == "survival")]
    alone = notes[notes["setting"] == "test"]
    assert alone["value"].isna().all() or (alone["value"] == 0.5).all()


def test_nothing_is_judged_where_measured_expression_finds_nothing(study):
    """Outcomes in a random order: there are no genes to find again."""
    order = np.random.default_rng(1).permutation(N)
    time, event = (values.iloc[order].set_axis(values.index) for values in study[2:4])
    found = report(study, {"a": study[1][TEST]}, time=time, event=event, settings="test")
    judged = found.judgements.set_index("task")
    assert not judged.loc["prognosis genes", "better"]
    assert "finds no gene" in judged.loc["prognosis genes", "note"]
    assert "finds no gene" in found.verdict


def test_nothing_is_judged_where_nearly_every_gene_is_to_be_found(study):
    found = report(study, {"a": study[1][TEST]}, threshold=0.0, settings="test", time=None,
                   event=None)  # fmt: skip
    judged = found.judgements.set_index("task")
    assert not judged.loc["driving genes", "better"]
    assert "stricter limit" in judged.loc["driving genes", "note"]


def test_samples_with_time_zero_are_left_out_and_said(study):
    time = study[2].copy()
    time.iloc[N_TRAIN] = 0
    options = {"time": time, "settings": "test"}
    with pytest.warns(UserWarning, match=r"1 samples have time 0 \(s"):
        found = report(study, {"a": study[1][TEST]}, **options).frame.set_index("task")
    assert (found.loc["prognosis genes", "n_samples"] == N - N_TRAIN - 1).all()


def test_predictions_in_another_order_are_sorted(study):
    table = study[1][TEST]
    options = {"settings": "test", "time": None, "event": None}
    sorted_, other = (report(study, {"a": each}, **options).frame for each in (table, table[::-1]))
    pd.testing.assert_frame_equal(sorted_, other)


def test_a_report_shows_its_verdict(judged):
    assert judged.verdict in repr(judged)


def test_a_task_that_cannot_be_done_says_why(study):
    event = study[3] & False
    whole = report(study, {"a": study[1][TEST]}, event=event, settings="test")
    found = whole.frame
    prognosis = found[found["task"] == "prognosis genes"]
    assert prognosis["value"].isna().all()
    assert prognosis["note"].str.contains("censored").all()
    assert "Prognosis genes (test): not done." in whole.verdict


def test_samples_without_outcome_or_class_are_left_out(study):
    _, Y, time, _, classes = study
    known = time.copy()
    known.iloc[N_TRAIN : N_TRAIN + 20] = np.nan
    labels = classes.copy()
    labels.iloc[-10:] = None
    found = report(
        study, {"a": Y[TEST]}, time=known, classes=labels, settings="test"
    ).frame.set_index("task")
    assert (found.loc["prognosis genes", "n_samples"] == N - N_TRAIN - 20).all()
    assert (found.loc["classes", "n_samples"] == N - N_TRAIN - 10).all()
    assert (found.loc["driving genes", "n_samples"] == N - N_TRAIN).all()


def test_page_holds_verdict_and_figures(judged, tmp_path):
    page = judged.to_html(tmp_path / "use.html").read_text()
    for words in (
        "Driving genes, union",
        "shuffled",
        "methylation components",
        "cannot be told from",
    ):
        assert words in page
    assert page.count("<svg") + page.count("image/svg") >= 5


def test_same_seed_gives_the_same_report(study):
    options = {"settings": "test", "time": None, "event": None}
    first, second = (report(study, {"a": study[1][TEST]}, **options).frame for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_models_predict_from_methylation(study):
    X, Y, *_ = study
    ridge = DualRidgeRegressor(alpha=1.0).fit(X[TRAIN], Y[TRAIN])
    options = {"settings": "test", "time": None, "event": None}
    of_model = report(study, {"ridge": ridge}, **options).frame
    table = pd.DataFrame(ridge.predict(X[TEST]), X[TEST].index, Y.columns)
    pd.testing.assert_frame_equal(of_model, report(study, {"ridge": table}, **options).frame)


def test_covariates_are_a_control_of_their_own(study):
    _, Y, *_ = study
    covariates = pd.DataFrame({"purity": Y.mean(axis=1), "site": ["a", None] * (N // 2)}, Y.index)
    found = report(study, {"a": Y[TEST]}, covariates=covariates, settings="test", time=None,
                   event=None)  # fmt: skip
    assert "covariates" in found.controls


# --- bad input ---


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"settings": ["both"]}, ValueError, "settings must name"),
        ({"event": None}, ValueError, "together"),
        ({"time": "negative"}, ValueError, "time"),
        ({"event": "text"}, ValueError, "event"),
        ({"methylation": None}, ValueError, "methylation is needed"),
        ({"train_expression": "test"}, SampleMismatchError, "among the training samples"),
        ({"train_expression": "fewer"}, FeatureMismatchError, "lacks 5 of 40 genes"),
    ],
)
def test_bad_arguments(study, options, error, message):
    X, Y, *_ = study
    tables = {"test": Y[TEST], "fewer": Y[TRAIN].iloc[:, 5:]}
    tables |= {"negative": -study[2], "text": study[3].map({True: "dead", False: "alive"})}
    options = {name: tables.get(v, v) if isinstance(v, str) else v for name, v in options.items()}
    model = DualRidgeRegressor().fit(X[TRAIN], Y[TRAIN])
    with pytest.raises(error, match=message):
        report(study, {"ridge": model}, **options)


def test_names_of_controls_are_taken(study):
    with pytest.raises(ValueError, match="must not be named"):
        report(study, {"mean": study[1][TEST]})


def test_nothing_to_do(study):
    Y = study[1]
    with pytest.raises(ValueError, match="There is no task"):
        downstream_report(Y[TEST], Y[TEST], train_expression=Y[TRAIN])


def classified(study, predictions=None, **options):
    """Classification alone; the rows of accuracy by model."""
    alone = {"methylation": None, "train_methylation": None, "time": None, "event": None}
    found = report(study, predictions or {"a": study[1][TEST]}, **alone | options).frame
    return found[found["metric"].isin(["accuracy", ""])].set_index("model")


def test_samples_in_another_order_are_refused(study):
    X, Y, *_ = study
    for options in (
        {"methylation": X[TEST].iloc[::-1]},
        {"train_methylation": X[TRAIN].iloc[::-1]},
        {"groups": pd.Series(0, Y[TEST].index[::-1])},
    ):
        with pytest.raises(SampleMismatchError, match="in another order"):
            report(study, {"a": Y[TEST]}, settings="test", time=None, event=None, **options)
    with pytest.raises(SampleMismatchError, match="groups holds 2 entries"):
        classified(study, groups=[0, 1])


@pytest.mark.parametrize("name", ["time", "event", "classes", "covariates", "train_expression"])
def test_samples_that_are_there_twice_are_refused(study, name):
    _, Y, time, event, classes = study
    tables = {"time": time, "event": event, "classes": classes}
    table = (tables | {"covariates": Y.iloc[:, :2], "train_expression": Y[TRAIN]})[name]
    twice = pd.concat([table, table.iloc[:1]])
    with pytest.raises(SampleMismatchError, match=f"{name} .* has 1 duplicated ids"):
        report(study, {"a": Y[TEST]}, **{name: twice})


def test_other_samples_of_training_patients_are_told(study):
    _, Y, _, _, classes = study
    ids = [f"TCGA-A1-{i:04d}-01A" for i in range(N)]
    ids[N_TRAIN] = "TCGA-A1-0000-01B"
    table = Y.set_axis(ids)
    options = {"train_expression": table[TRAIN], "classes": classes.set_axis(ids)}
    with pytest.warns(PatientGroupsWarning, match=r"1 of 70 test samples .*TCGA-A1-0000"):
        downstream_report(table[TEST], table[TEST], n_bootstrap=2, random_state=0, **options)


def test_outcomes_of_other_samples_say_so(study):
    _, Y, time, event, _ = study
    others = {"time": time.set_axis(range(N)), "event": event.set_axis(range(N))}
    options = others | {"methylation": None, "classes": None, "settings": "test"}
    notes = report(study, {"a": Y[TEST]}, **options).frame["note"]
    assert notes.str.contains("known of none of the 70 samples").all()


def test_true_and_false_may_be_classes_beside_missing_ones(study):
    classes = study[4] == "A"
    lacking = classes.drop(classes.index[[3, N_TRAIN + 2]])
    found = classified(study, classes=lacking)
    assert found.loc["a", "value"] == found.loc["measured", "value"]
    assert (found["n_samples"] == N - N_TRAIN - 1).all()


def test_classes_without_training_samples_are_told(study):
    classes = study[4].copy()
    classes.iloc[-5:] = "C"
    with pytest.warns(UnknownCategoryWarning, match=r"5 of 70 test samples .*\(C\)"):
        found = classified(study, classes=classes)
    assert (found["n_samples"] == N - N_TRAIN - 5).all()


def test_a_missing_value_of_one_model_leaves_the_others(study):
    bad = study[1][TEST].copy()
    bad.iloc[0, 0] = np.nan
    found = classified(study, {"bad": bad, "good": study[1][TEST]})
    assert "contains NaN" in found.loc["bad", "note"]
    assert found.loc["good", "value"] == found.loc["measured", "value"]


def test_without_resamples_there_are_no_intervals_and_no_winner(study):
    Y = study[1]
    options = {"time": None, "event": None, "settings": "test", "n_bootstrap": 0}
    found = report(study, {"perfect": Y[TEST]}, **options)
    assert found.frame[["lower", "upper"]].isna().all(axis=None)
    assert not found.judgements["better"].any()
    assert "perfect (1.000) has no interval to compare with the best control" in found.verdict


def test_concordance_of_a_single_fold_wins_nothing():
    frame = pd.DataFrame({"model": ["ridge", "mean"], "value": [0.9, 0.5], "lower": [np.nan, 0.5]})
    frame = frame.assign(task="survival", setting="test", metric="harrell_c", chance=0.5)
    frame = frame.assign(upper=[np.nan, 0.5], note="")
    assert not DownstreamReport(frame, ("mean",), 50, 100).judgements["better"].any()


def test_no_seed_leaves_the_global_state_alone(study):
    before = np.random.mtrand._rand.get_state()[1:3]
    classified(study, random_state=None)
    after = np.random.mtrand._rand.get_state()[1:3]
    assert before[1] == after[1]
    np.testing.assert_array_equal(before[0], after[0])


# --- controls ---


def test_controls_know_groups_and_nothing_else():
    rng = np.random.default_rng(0)
    group = pd.Series(np.repeat(["a", "b"], 40))
    expression = pd.DataFrame(rng.normal(size=(80, 6))).add_prefix("g")
    expression += np.where(group == "b", 5.0, 0.0)[:, None]
    covariates = group.to_frame("cohort")
    rows = np.r_[0:30, 40:70]
    new = np.setdiff1d(np.arange(80), rows)
    found = control_predictions(
        expression.iloc[rows],
        covariates=covariates.iloc[rows],
        new_covariates=covariates.iloc[new],
    )
    means = expression.iloc[rows].groupby(group).mean()
    np.testing.assert_allclose(
        found["covariates"], means.loc[group.iloc[new]].to_numpy(), rtol=1e-3, atol=1e-3
    )
    np.testing.assert_allclose(found["mean"], np.tile(expression.iloc[rows].mean(), (20, 1)))


def test_an_unknown_category_gets_what_is_known_of_all():
    expression = pd.DataFrame({"g": [0.0, 0.0, 4.0, 4.0]})
    covariates = pd.DataFrame({"cohort": ["a", "a", "b", "b"]})
    new = pd.DataFrame({"cohort": ["c", None]})
    found = control_predictions(expression, covariates=covariates, new_covariates=new)
    np.testing.assert_allclose(found["covariates"]["g"], 2.0, atol=0.01)


def test_controls_of_whole_numbers_are_not_rounded():
    expression = pd.DataFrame({"g": [0, 1]}, ["a", "b"])
    found = control_predictions(expression, samples=pd.Index(["c"]))
    assert found["mean"].loc["c", "g"] == 0.5
    narrow = control_predictions(expression.astype(np.float32), samples=pd.Index(["c"]))
    assert (narrow["mean"].dtypes == np.float32).all()


def test_controls_need_samples_in_one_order():
    rng = np.random.default_rng(0)
    expression = pd.DataFrame(rng.normal(size=(20, 3)), columns=list("abc"))
    tables = {
        "covariates": pd.DataFrame({"age": rng.normal(size=30)}),
        "methylation": pd.DataFrame(rng.normal(size=(30, 4))),
    }
    for name, table in tables.items():
        given = {name: table[:20], f"new_{name}": table[20:]}
        control_predictions(expression, **given, samples=table.index[20:])
        with pytest.raises(SampleMismatchError, match=f"new_{name} hold .* another order"):
            control_predictions(expression, **given, samples=table.index[:19:-1])
        with pytest.raises(SampleMismatchError, match="different samples"):
            control_predictions(expression, **given, samples=table.index[21:])


@pytest.mark.parametrize("names", [[1, 0], [10, 20]])
def test_covariates_may_be_named_by_numbers(names):
    rng = np.random.default_rng(0)
    covariates = pd.DataFrame({"age": rng.normal(size=40), "site": rng.choice(["u", "v"], 40)})
    expression = (
        covariates[["age"]].set_axis(["g"], axis=1) + (covariates[["site"]] == "u").to_numpy()
    )

    def predicted(table):
        given = {"covariates": table[:30], "new_covariates": table[30:]}
        return control_predictions(expression[:30], **given)["covariates"]

    expected = predicted(covariates)
    np.testing.assert_allclose(expected["g"], expression["g"][30:], atol=0.01)
    pd.testing.assert_frame_equal(predicted(covariates.set_axis(names, axis=1)), expected)
    pd.testing.assert_frame_equal(predicted(covariates.assign(unknown=np.nan)), expected)


def test_missing_values_are_those_of_a_named_table():
    expression = pd.DataFrame({"g": [0.0, np.nan, 2.0]})
    with pytest.raises(ValueError, match="expression contains NaN"):
        control_predictions(expression, samples=pd.Index(["c"]))


def test_covariates_must_hold_something():
    expression = pd.DataFrame({"g": [0.0, 1.0, 2.0]})
    new = pd.DataFrame({"age": [1.0]})
    with pytest.raises(ValueError, match="no value for the 3 training samples"):
        control_predictions(
            expression, covariates=pd.DataFrame({"age": [None] * 3}), new_covariates=new
        )
    with pytest.raises(ValueError, match="other values than numbers in 'age'"):
        control_predictions(
            expression,
            covariates=pd.DataFrame({"age": [1.0, 2.0, 4.0]}),
            new_covariates=new.assign(age="old"),
        )
