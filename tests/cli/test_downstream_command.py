"""``omitrans downstream``: what predicted expression is good for, from files."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

import omitrans
from omitrans.baselines import DualRidgeRegressor
from omitrans.cli.__main__ import main
from omitrans.cli._clinical import read_clinical
from omitrans.datasets import make_paired_omics
from omitrans.downstream import downstream_report, prognosis_genes
from omitrans.exceptions import OmiTransError

N, N_TRAIN, N_GENES = 90, 50, 12


@pytest.fixture(scope="module")
def study():
    """Methylation, expression, and a clinical table; the ridge knows the first 50 samples."""
    data = make_paired_omics(N, 40, N_GENES, n_cancer_types=2, missing_rate=0, random_state=0)
    score = data.Y.rank().mean(axis=1)
    clinical = pd.DataFrame(
        {
            "OS.time": data.samples["survival_time"],
            "OS": np.where(data.samples["event"], "1:DECEASED", "0:LIVING"),
            "subtype": np.where(score > score.median(), "A", "B"),
            "age": data.samples["age"],
        },
        index=data.Y.index,
    )
    model = DualRidgeRegressor().fit(data.X[:N_TRAIN], data.Y[:N_TRAIN])
    return data.X, data.Y, clinical, model


@pytest.fixture
def files(study, tmp_path):
    """Write the study to files: the tables of the test samples differ in samples and genes."""
    X, Y, clinical, model = study
    predicted = pd.DataFrame(model.predict(X), X.index, Y.columns)[N_TRAIN:]
    Y[N_TRAIN:].T.to_csv(tmp_path / "measured.tsv.gz", sep="\t")
    predicted[1:].iloc[::-1].assign(ENSG99999999999=0.0).to_csv(tmp_path / "ridge.csv")
    Y[:N_TRAIN].to_csv(tmp_path / "train.csv")
    X[N_TRAIN:-1].to_csv(tmp_path / "methylation.csv")
    X[:N_TRAIN].to_csv(tmp_path / "train_methylation.csv")
    clinical.to_csv(tmp_path / "clinical.csv")
    omitrans.save(model, tmp_path / "model.omitrans")
    return tmp_path


SMALL = ("--top", 5, "--threshold", 0.2, "--setting", "test")


def call(files, *options, predicted=("--predicted", "ridge.csv")):
    given = ["downstream", files / "measured.tsv.gz", "--train-expression", files / "train.csv"]
    for option in (*predicted, *options):
        is_file = isinstance(option, str) and (files / option).is_file()
        given.append(files / option if is_file else option)
    return main(list(map(str, given)))


METHYLATION = ("--methylation", "methylation.csv")
CLASSES = ("--clinical", "clinical.csv", "--classes", "subtype")
SURVIVAL = ("--clinical", "clinical.csv", "--time", "OS.time", "--event", "OS")


@pytest.mark.filterwarnings("ignore::omitrans.exceptions.PatientGroupsWarning")
def test_tables_json_and_page_hold_what_the_library_finds(study, files, capsys):
    pytest.importorskip("matplotlib")
    options = ("--train-methylation", "train_methylation.csv", "--covariate", "age")
    options += ("--seed", 3, "--alpha", 0.1, *SMALL)
    outputs = ("-o", files / "use.csv", "--html", files / "use.html", "--json")
    assert call(files, *METHYLATION, *CLASSES, *options, *outputs) == 0

    X, Y, clinical, model = study
    test = Y.index[N_TRAIN + 1 : -1]
    report = downstream_report(
        {"ridge": pd.DataFrame(model.predict(X), X.index, Y.columns).loc[test]},
        Y.loc[test],
        train_expression=Y[:N_TRAIN],
        methylation=X.loc[test],
        train_methylation=X[:N_TRAIN],
        covariates=clinical[["age"]].astype(float),
        classes=clinical["subtype"],
        settings="test",
        threshold=0.2,
        alpha=0.1,
        k=5,
        random_state=3,
    )
    said = capsys.readouterr()
    assert "38 test samples are in all of 3 tables (of 40, 39, 39)." in said.err
    assert f"{N_GENES} of {N_GENES} genes are judged." in said.err
    found = pd.read_csv(files / "use.csv", keep_default_na=True)
    assert set(found["task"]) == {"driving genes", "classes"}
    expected = report.frame.assign(metric=report.frame["metric"].replace("", np.nan))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)
    result = json.loads(said.out)
    assert result["verdict"] == report.verdict
    assert result["controls"] == ["mean", "covariates", "methylation components"]
    assert (result["n_test"], result["n_train"]) == (38, N_TRAIN)
    judgements = report.judgements
    assert [each["task"] for each in result["judgements"]] == list(judgements["task"])
    assert [each["better"] for each in result["judgements"]] == list(judgements["better"])
    assert result["output"] == str(files / "use.csv")
    assert "Driving genes" in (files / "use.html").read_text(encoding="utf-8")


def test_survival_is_judged_by_the_samples_whose_outcome_is_known(study, files):
    _, Y, clinical, _ = study
    clinical = clinical.copy()
    clinical.iloc[N_TRAIN + 2, 0] = 0  # no time
    clinical.iloc[N_TRAIN + 3, 1] = "[Not Available]"
    clinical.drop(clinical.index[-1]).to_csv(files / "clinical.csv")
    options = ("--clusters", 3, "--alpha", 0.2, *SMALL)
    assert call(files, *SURVIVAL, *options, "-o", files / "use.csv") == 0
    found = pd.read_csv(files / "use.csv").set_index("task")
    assert set(found.index) == {"prognosis genes", "clusters", "survival"}
    kept = [i for i in range(N_TRAIN + 1, N - 1) if i - N_TRAIN not in (2, 3)]
    time = clinical["OS.time"].iloc[kept]
    event = clinical["OS"].iloc[kept] == "1:DECEASED"
    genes = prognosis_genes(Y.iloc[kept].astype(float), time, event)
    scored = found[found["value"].notna()]
    assert (scored["n_samples"] == len(kept)).all()
    assert (scored.loc["survival", "n_positive"] == event.sum()).all()
    assert (scored.loc["prognosis genes", "n_positive"] == (genes["p"] < 0.2).sum()).all()


def test_one_file_may_hold_methylation_of_all_samples(study, files, capsys):
    study[0].to_csv(files / "all.csv")
    options = ("--methylation", "all.csv", "--train-methylation", "all.csv", *SMALL, "--json")
    assert call(files, *options) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n_test"], result["n_train"]) == (39, N_TRAIN)
    assert "methylation components" in result["controls"]


def test_models_predict_what_their_predictions_hold(files, capsys):
    options = ("--predicted", f"table={files / 'ridge.csv'}", *METHYLATION, *SMALL, "--json")
    assert call(files, *options, predicted=("--model", f"file={files / 'model.omitrans'}")) == 0
    first, second = json.loads(capsys.readouterr().out)["judgements"]
    assert {first["model"], second["model"]} == {"table", "file"}
    assert first["value"] == pytest.approx(second["value"])


def test_verdict_in_words_and_what_could_not_be_done(files, study, capsys):
    clinical = study[2].assign(OS="alive")
    clinical.T.to_csv(files / "clinical.csv")  # samples are columns
    options = ("--classes", "subtype", *SMALL, "-o", files / "use.csv")
    assert call(files, *SURVIVAL, *options) == 0
    said = capsys.readouterr()
    assert "Classes (test), AUC: ridge" in said.out
    assert "Prognosis genes (test): not done. None of the 39 samples has an event" in said.out
    assert said.out.endswith(f"Written to {files / 'use.csv'}.\n")
    assert "describe 39 of 39 test samples and 50 of 50 training samples" in said.err


def test_union_joins_training_samples(files):
    """Without --setting, both settings are judged."""
    assert call(files, *METHYLATION, "--train-methylation", "train_methylation.csv",
                "-o", files / "use.csv", "--top", 5, "--threshold", 0.2) == 0  # fmt: skip
    found = pd.read_csv(files / "use.csv").groupby("setting")["n_samples"].max()
    assert found.to_dict() == {"test": 38, "union": 38 + N_TRAIN}


# --- clinical tables ---


def events_of(files, values):
    """Return how the program reads the events of a table."""
    ids = [f"s{i}" for i in range(len(values))]
    pd.DataFrame({"status": values}, ids).to_csv(files / "status.csv")
    return read_clinical(files / "status.csv", event="status")["event"].tolist()


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        (["0", "1"], [0, 1]),
        ([0.0, 1.0], [0, 1]),
        (["FALSE", "true"], [0, 1]),
        (["Alive", "DEAD"], [0, 1]),
        (["LIVING", "Deceased"], [0, 1]),
        (["0:LIVING", "1:DECEASED"], [0, 1]),
        (["0:DiseaseFree", "1:Recurred/Progressed"], [0, 1]),
        (["no", "yes"], [0, 1]),
    ],
)
def test_events_are_understood_however_they_are_written(tmp_path, values, seen):
    unknown = ["[Not Available]", "Not Reported", "", None]
    assert events_of(tmp_path, values) == seen
    found = events_of(tmp_path, [*map(str, values), *unknown])
    assert found[:2] == seen
    assert np.isnan(found[2:]).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "2"], "holds '2', which .* If 1 means censored and 2 means dead"),
        (["dead", "relapse", "lost"], "column 'status' of '.*status.csv' holds 'lost', 'relapse'"),
        (["0.5", "1"], "holds '0.5'"),
    ],
)
def test_other_events_are_refused(tmp_path, values, message):
    with pytest.raises(OmiTransError, match=message):
        events_of(tmp_path, values)


def test_files_of_cbioportal_are_read_below_their_comments(tmp_path):
    path = tmp_path / "data_clinical.txt"
    path.write_text(
        "#Sample\tMonths\tStatus, overall\n#Id\tSurvival\tStatus\n#STRING\tNUMBER\tSTRING\n"
        "#1\t1\t1\n"
        "SAMPLE_ID\tOS_MONTHS\tOS_STATUS\nTCGA-01\t12.5\t1:DECEASED\nTCGA-02\t0\t0:LIVING\n"
        "TCGA-03\t[Not Available]\t0:LIVING\n"
    )
    found = read_clinical(path, time="OS_MONTHS", event="OS_STATUS")
    assert found["time"].dropna().to_dict() == {"TCGA-01": 12.5}  # no risk set begins before 0
    assert found["event"].to_dict() == {"TCGA-01": 1, "TCGA-02": 0, "TCGA-03": 0}


# --- errors ---


def refused(files, capsys, *options, **more):
    code = call(files, *options, **more)
    said = capsys.readouterr().err
    assert code in (1, 2), said
    return " ".join(said.replace("│", " ").split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "There is no task"),
        (("--time", "OS.time", "--clinical", "clinical.csv"), "Give --time and --event together"),
        (("--classes", "subtype"), "--classes needs --clinical"),
        ((*METHYLATION, "--clinical", "clinical.csv"), "Say what to read from --clinical"),
        (("--train-methylation", "train_methylation.csv"), "needs --methylation"),
        (("--model", "model.omitrans", *CLASSES), "--model needs --methylation"),
    ],
)
def test_options_that_need_others(files, capsys, options, message):
    assert message in refused(files, capsys, *options)


def test_predictions_are_asked_for(files, capsys):
    assert "--predicted or --model" in refused(files, capsys, *METHYLATION, predicted=())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("mean={}", "the name 'mean' is that of measured expression or of a control"),
        ("ridge={}", "the name 'ridge' is given twice"),
        ("={}", "must be NAME=FILE"),
        ("other={}x", "there is no file"),
    ],
)
def test_names_of_predictions(files, capsys, given, message):
    second = ("--predicted", given.format(files / "ridge.csv"))
    assert message in refused(files, capsys, *second, *METHYLATION)


def test_targets_are_checked_before_the_work(files, capsys):
    outputs = ("-o", files / "absent" / "use.csv")
    said = refused(files, capsys, *METHYLATION, *outputs)
    assert "does not exist" in said
    assert "Reading" not in said
    outputs = ("-o", files / "use.html", "--html", files / "use.html")
    assert "name the same file" in refused(files, capsys, *METHYLATION, *outputs)
    assert "is read and would be replaced" in refused(
        files, capsys, *METHYLATION, "-o", files / "ridge.csv"
    )


def test_columns_of_the_clinical_table(files, study, capsys):
    options = ("--clinical", "clinical.csv", "--classes", "stage")
    said = refused(files, capsys, *options)
    assert "has no column 'stage'; its columns are OS.time, OS, subtype, age" in said
    study[2].assign(**{"OS.time": -3}).to_csv(files / "clinical.csv")
    assert "column 'OS.time'" in refused(files, capsys, *SURVIVAL)
    study[2].assign(**{"OS.time": "long"}).to_csv(files / "clinical.csv")
    assert "holds 'long', which is no number" in refused(files, capsys, *SURVIVAL)
    study[2].assign(subtype=None).to_csv(files / "clinical.csv")
    assert "'subtype'" in refused(files, capsys, *CLASSES)


def test_ids_of_patients_are_not_those_of_samples(files, study, capsys):
    clinical = study[2].groupby(study[2].index.str[:12]).first()
    clinical.to_csv(files / "clinical.csv")
    said = refused(files, capsys, *CLASSES)
    assert "describes no test sample" in said
    assert clinical.index[0] in said
    assert study[1].index[N_TRAIN + 1] in said


def test_tables_that_share_nothing_name_their_ids(files, study, capsys):
    X, Y, *_ = study
    X[:N_TRAIN].to_csv(files / "methylation.csv")
    said = refused(files, capsys, *METHYLATION)
    assert "measured.tsv.gz' and " in said
    assert f"such as {Y.index[N_TRAIN + 1]}" in said
    assert f"such as {X.index[0]}" in said
    Y.add_prefix("other_").to_csv(files / "train.csv")
    said = refused(files, capsys, *CLASSES, "--samples", "rows", predicted=(
        "--predicted", "ridge.csv"))  # fmt: skip
    assert "share no" in said


def test_training_samples_are_no_test_samples(files, study, capsys):
    study[1].to_csv(files / "train.csv")
    said = refused(files, capsys, *METHYLATION)
    assert "38 test samples of" in said
    assert "--train-expression" in said


def test_features_with_missing_values_are_left_out(files, study, capsys):
    X = study[0][N_TRAIN:].copy()
    X.iloc[3, :5] = np.nan
    X.to_csv(files / "methylation.csv")
    assert call(files, *METHYLATION, *SMALL) == 0
    assert "Left out: 5 of 40 features of" in capsys.readouterr().err
    X.iloc[3] = np.nan
    X.to_csv(files / "methylation.csv")
    assert "all 40 features" in refused(files, capsys, *METHYLATION)
    predicted = study[1][N_TRAIN:].copy()
    predicted.iloc[5, 2] = np.nan
    predicted.to_csv(files / "ridge.csv")
    said = refused(files, capsys, *CLASSES)
    assert "hold missing values in 1 of 12 genes" in said


def test_models_that_cannot_predict_are_named(files, study, capsys):
    study[0].add_suffix("9").iloc[N_TRAIN:].to_csv(files / "methylation.csv")
    said = refused(files, capsys, *METHYLATION, predicted=("--model", "model.omitrans"))
    assert "model.omitrans' cannot predict" in said
    omitrans.save(PCA(2).fit(study[0]), files / "model.omitrans")
    said = refused(files, capsys, *METHYLATION, predicted=("--model", "model.omitrans"))
    assert "holds PCA, which does not predict" in said
