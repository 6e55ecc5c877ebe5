"""``omitrans generate``, ``audit`` and ``rank``: from tables to synthetic ones and rankings."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

import omitrans
from omitrans.baselines import GaussianGenerator
from omitrans.cli.__main__ import main
from omitrans.cli.actions._rank import read_change
from omitrans.datasets import make_disease_expression

N = 120


@pytest.fixture(scope="module")
def study():
    data = make_disease_expression(N, 30, n_drivers=4, effect=2.0, n_tissues=2, random_state=0)
    ids = pd.Index([f"{i:04d}" for i in range(N)], name="sample")
    covariates = data.covariates.assign(batch=np.arange(N) % 3).set_axis(ids)
    return covariates, data.expression.set_axis(ids), data.truth


@pytest.fixture
def files(study, tmp_path):
    """Covariates in rows, expression in columns; each holds samples that the other lacks."""
    covariates, expression = tmp_path / "covariates.csv", tmp_path / "expression.tsv.gz"
    study[0].iloc[2:].to_csv(covariates)
    study[1].iloc[:-1].T.to_csv(expression, sep="\t")
    return "--covariates", covariates, "--expression", expression


def call(*arguments):
    return main(list(map(str, arguments)))


def read(path):
    return pd.read_csv(path, index_col=0, dtype={0: str}, float_precision="round_trip")


def generate(files, output, *options):
    return call(
        "generate", *files, "--model", "gaussian", "--groups", "none", "-o", output, *options
    )


# --- generate ---


@pytest.mark.parametrize("wrong", ["level", "column"])
def test_covariates_to_draw_under_are_checked_before_the_fit(files, tmp_path, capsys, wrong):
    like = read(files[1])
    if wrong == "level":
        like["tissue"] = "Brain"
    else:
        like = like.drop(columns="tissue")
    like.to_csv(tmp_path / "like.csv")
    assert generate(files, tmp_path / "x.csv", "--like", tmp_path / "like.csv") == 1
    printed = capsys.readouterr().err
    assert "Brain" in printed or "tissue" in printed
    assert "Fitting" not in printed


def test_info_names_the_covariates_of_a_generator(files, tmp_path, capsys):
    model = tmp_path / "model.omitrans"
    assert generate(files, tmp_path / "drawn.csv", "--save", model) == 0
    capsys.readouterr()
    assert call("info", model) == 0
    printed = capsys.readouterr().out
    assert "covariates" in printed
    assert "probes" not in printed


def test_drawn_tables_are_those_of_the_library(files, study, tmp_path, capsys):
    assert generate(files, tmp_path / "drawn.csv", "--categorical", "batch", "--seed", 3) == 0
    printed = capsys.readouterr()
    assert (
        "117 samples are in both tables, 30 genes. Left out: 1 with covariates and 2 with "
        "expression only." in printed.err
    )
    assert "samples drawn" in printed.out
    kept = slice(2, -1)
    covariates = study[0].iloc[kept].astype({"batch": str})
    model = GaussianGenerator(random_state=3).fit(covariates, study[1].iloc[kept], groups=None)
    drawn = read(tmp_path / "drawn.csv")
    expected = model.sample_y(covariates, random_state=3)
    assert list(drawn.index) == list(covariates.index)
    np.testing.assert_allclose(drawn.to_numpy(), expected.to_numpy(), rtol=1e-4, atol=1e-4)
    written = read(tmp_path / "drawn.covariates.csv")
    assert list(written["tissue"]) == list(covariates["tissue"])


def test_both_tables_may_be_turned(files, study, tmp_path):
    assert generate(files, tmp_path / "first.csv") == 0
    study[0].iloc[2:].T.to_csv(tmp_path / "turned.tsv", sep="\t")
    study[1].iloc[:-1].to_csv(tmp_path / "rows.csv")
    turned = ("--covariates", tmp_path / "turned.tsv", "--expression", tmp_path / "rows.csv")
    assert generate(turned, tmp_path / "second.csv") == 0
    pd.testing.assert_frame_equal(read(tmp_path / "first.csv"), read(tmp_path / "second.csv"))


def test_other_covariates_and_several_draws(files, tmp_path, capsys):
    like = tmp_path / "like.csv"
    like.write_text(
        "id,age,sex,study,condition,tissue,batch\n007,50,female,study A,disease,tissue 1,0\n"
    )
    levels = read(files[1])
    table = pd.read_csv(like, dtype=str)
    for name in ("sex", "study", "condition", "tissue"):
        table[name] = levels[name].iloc[0]
    table.to_csv(like, index=False)
    options = ("--like", like, "--draws", 3, "--json")
    assert generate(files, tmp_path / "drawn.parquet", *options) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["n_samples"], said["n_genes"], said["n_training"]) == (3, 30, 117)
    assert said["numeric"] == ["age", "batch"]
    drawn = pd.read_parquet(tmp_path / "drawn.parquet")
    assert list(drawn.index) == ["007_1", "007_2", "007_3"]
    assert drawn.nunique().max() == 3
    assert list(read(tmp_path / "drawn.covariates.csv").index) == list(drawn.index)


def test_a_saved_generator_draws_the_same(files, tmp_path):
    path = tmp_path / "model.omitrans"
    options = ("--categorical", "batch", "--ignore", "study", "--save", path)
    assert generate(files, tmp_path / "first.csv", *options) == 0
    like = ("--load", path, "--like", tmp_path / "first.covariates.csv")
    assert call("generate", *like, "-o", tmp_path / "second.csv") == 0
    pd.testing.assert_frame_equal(read(tmp_path / "first.csv"), read(tmp_path / "second.csv"))
    assert "study" not in read(tmp_path / "first.covariates.csv")


def test_levels_of_a_generator_fitted_elsewhere_are_recognised(study, tmp_path):
    covariates = pd.DataFrame({"treated": np.arange(N) % 2 == 0}, index=study[0].index)
    model = GaussianGenerator(random_state=0).fit(covariates, study[1], groups=None)
    omitrans.save(model, tmp_path / "model.omitrans")
    covariates.to_csv(tmp_path / "like.csv")
    like = ("--load", tmp_path / "model.omitrans", "--like", tmp_path / "like.csv")
    assert call("generate", *like, "-o", tmp_path / "drawn.csv") == 0
    np.testing.assert_allclose(
        read(tmp_path / "drawn.csv"), model.sample_y(covariates, random_state=0), rtol=1e-4
    )


def test_columns_of_ids_are_pointed_out(study, tmp_path, capsys):
    covariates = study[0].iloc[:30]
    covariates = covariates.assign(donor=[f"donor {i}" for i in range(30)])
    covariates.to_csv(tmp_path / "covariates.csv")
    study[1].to_csv(tmp_path / "expression.csv")
    tables = (
        *("--covariates", tmp_path / "covariates.csv"),
        *("--expression", tmp_path / "expression.csv"),
    )
    assert generate(tables, tmp_path / "drawn.csv") == 0
    assert "as many levels as samples: donor." in capsys.readouterr().err
    assert generate(tables, tmp_path / "drawn.csv", "--ignore", "donor") == 0
    assert "levels as samples" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ignore", "donor"], "has no column 'donor'"),
        (["--numeric", "tissue"], "which is no number"),
        (["--numeric", "age", "--categorical", "age"], "named as categorical and as numeric"),
        (["--output-covariates", "x.h5ad"], "Name it .csv"),
        (["--samples", "rows"], "share no samples"),
    ],
)
def test_errors_name_the_cure(files, options, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert generate(files, tmp_path / "drawn.csv", *options) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not (tmp_path / "drawn.csv").exists()


def test_a_row_of_another_length_is_named(files, tmp_path, capsys):
    files[1].write_text("id,tissue\na,lung\nb,liver,x\n")
    assert generate(files, tmp_path / "drawn.csv") == 1
    assert "the row of 'b' has 3 fields, the header 2" in capsys.readouterr().err


def test_unknown_levels_are_named(files, tmp_path, capsys):
    read(files[1]).assign(tissue="brain").to_csv(tmp_path / "like.csv")
    assert generate(files, tmp_path / "drawn.csv", "--like", tmp_path / "like.csv") == 1
    assert "'tissue' holds the level 'brain'" in capsys.readouterr().err


def test_a_missing_table_of_samples_is_refused_before_the_fit(files, tmp_path, capsys):
    assert generate(files, tmp_path / "drawn.csv", "--like", tmp_path / "absent.csv") == 1
    said = capsys.readouterr().err
    assert "Correct --like." in said
    assert "Fitting" not in said


def test_training_tables_or_a_generator_are_needed(files, tmp_path, capsys):
    assert call("generate", "-o", tmp_path / "drawn.csv") == 2
    assert call("generate", "--load", "m.omitrans", "-o", tmp_path / "drawn.csv") == 2
    assert "--load needs --like" in capsys.readouterr().err


def test_other_models_are_no_generators(study, files, tmp_path, capsys):
    omitrans.save(Ridge().fit([[0.0], [1.0]], [0.0, 1.0]), tmp_path / "model.omitrans")
    like = ("--load", tmp_path / "model.omitrans", "--like", files[1])
    assert call("generate", *like, "-o", tmp_path / "drawn.csv") == 1
    assert "holds a Ridge, which is no fitted generator" in capsys.readouterr().err


# --- audit ---


@pytest.fixture
def tables(study, tmp_path):
    """All covariates in one file, training and test expression, and the first half as synthetic."""
    covariates, expression, _ = study
    covariates.to_csv(tmp_path / "covariates.csv")
    expression.iloc[:70].to_csv(tmp_path / "train.csv")
    expression.iloc[70:].to_csv(tmp_path / "test.csv")
    expression.iloc[:50].to_csv(tmp_path / "drawn.csv")
    covariates.iloc[:50].to_csv(tmp_path / "drawn.covariates.csv")
    names = [tmp_path / f"{name}.csv" for name in ("train", "test", "drawn")]
    options = ("--covariates", tmp_path / "covariates.csv", "--classifier", "logistic")
    return "audit", *names, *options, "--covariate", "tissue"


def test_audit_finds_copies_and_writes_its_files(tables, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    outputs = ("-o", tmp_path / "audit.csv", "--html", tmp_path / "audit.html")
    assert call(*tables, *outputs) == 0
    said = capsys.readouterr().out
    assert said.startswith("The generator repeats training samples")
    assert "gene correlations" in said
    frame = pd.read_csv(tmp_path / "audit.csv")
    assert "poor" in set(frame[frame["check"].str.startswith("memorisation")]["verdict"])
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "repeats training samples" in page
    assert page.count("<figure>") == 4


@pytest.mark.slow
def test_audit_along_a_network_as_json(tables, study, tmp_path, capsys):
    genes = list(study[1].columns[study[1].std() > 0.2])
    network = pd.DataFrame({"regulator": genes[0], "target": genes[1:9]})
    network.to_csv(tmp_path / "network.tsv", sep="\t", index=False)
    outputs = ("-o", tmp_path / "audit.csv", "--network", tmp_path / "network.tsv", "--json")
    assert call(*tables, *outputs) == 0
    said = json.loads(capsys.readouterr().out)
    assert "repeats training samples" in said["verdict"]
    assert said["n_samples"] == {"train": 70, "test": 50, "synthetic": 50}
    assert said["checks"]["memorisation"]["poor"] > 0
    assert "s_tf_tg" in set(pd.read_csv(tmp_path / "audit.csv")["target"])


def test_networks_of_other_genes_and_shared_samples_are_refused(tables, tmp_path, capsys):
    (tmp_path / "network.csv").write_text("regulator,target\nTP53,MDM2\n")
    assert call(*tables, "--network", tmp_path / "network.csv") == 1
    assert "None of the 1 edges" in capsys.readouterr().err
    both = list(tables)
    both[2] = both[1]
    assert call(*both) == 1
    assert "70 samples are in TRAIN and in TEST" in capsys.readouterr().err


def test_covariates_of_the_synthetic_samples_are_asked_for(tables, tmp_path, capsys):
    (tmp_path / "drawn.covariates.csv").unlink()
    assert call(*tables) == 1
    assert "--synthetic-covariates" in capsys.readouterr().err


@pytest.mark.slow
def test_covariates_that_the_generator_ignored_are_not_checked(tables, tmp_path, capsys):
    path = tmp_path / "drawn.covariates.csv"
    read(path).drop(columns="study").to_csv(path)
    assert call(*tables[:-2], "-o", tmp_path / "audit.csv") == 0
    assert "covariates of SYNTHETIC lack them: study." in capsys.readouterr().err
    targets = set(pd.read_csv(tmp_path / "audit.csv")["target"])
    assert {"tissue", "condition"} <= targets
    assert "study" not in targets
    assert call(*tables, "--covariate", "study") == 1
    assert "has no column 'study'" in capsys.readouterr().err


@pytest.mark.slow
def test_categories_that_are_numbers_may_be_written_in_two_ways(tables, tmp_path):
    path = tmp_path / "drawn.covariates.csv"
    read(path).astype({"batch": float}).to_csv(path)
    options = ("--covariate", "batch", "-o", tmp_path / "audit.csv")
    assert call(*tables[:-2], *options) == 0
    frame = pd.read_csv(tmp_path / "audit.csv", dtype={"level": str})
    levels = frame[(frame["check"] == "samples") & (frame["target"] == "batch")]["level"]
    assert list(levels) == ["0", "1", "2"]


def test_columns_of_a_network_are_asked_for(tables, tmp_path, capsys):
    (tmp_path / "network.csv").write_text("regulator,gene_id,effect\nTP53,MDM2,+\n")
    assert call(*tables, "--network", tmp_path / "network.csv") == 1
    said = capsys.readouterr().err
    assert "has no column 'target'; its columns are regulator, gene_id, effect." in said
    assert "train.csv" not in said  # the other tables are not read first


# --- rank ---


def rank(files, *options):
    return call("rank", *files, "--model", "gaussian", "--groups", "none", *options)


CHANGE = ("--change", "condition=healthy:disease", "--within", "study")


def test_drivers_rank_first(files, study, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    outputs = ("-o", tmp_path / "ranking.csv", "--figure", tmp_path / "ranking.png")
    assert rank(files, *CHANGE, "--refits", 3, *outputs) == 0
    said = capsys.readouterr().out
    assert said.startswith("condition=healthy:disease")
    ranking = pd.read_csv(tmp_path / "ranking.csv")
    best = ranking["gene"].head(4)
    assert best.isin(study[2].drivers).sum() >= 3
    shift = study[2].disease_shift[best]
    assert (np.sign(ranking["effect"].head(4)).to_numpy() == np.sign(shift).to_numpy()).sum() >= 3
    assert best[0] in said
    assert (tmp_path / "ranking.png").stat().st_size > 1000


def test_a_loaded_generator_ranks_without_refits(files, tmp_path, capsys):
    path = tmp_path / "model.omitrans"
    assert generate(files, tmp_path / "drawn.csv", "--save", path) == 0
    capsys.readouterr()
    options = ("--load", path, *CHANGE, "--by", "tissue", "--json")
    assert call("rank", "--covariates", files[1], *options) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["n_genes"] == 60
    assert said["n_with_q_below_0.05"] is None
    assert {row["rank"] for row in said["top"]} == set(range(1, 11))


def test_numbers_can_be_changed_too(files, capsys):
    ages = sorted(read(files[1])["age"].unique())
    change = f"age={ages[0]:g}:{ages[-1]:g}"
    assert rank(files, "--change", change, "--refits", 0, "--json") == 0
    assert json.loads(capsys.readouterr().out)["change"] == change


def test_confounding_is_said(study, files, tmp_path, capsys):
    table = read(files[1])
    table["site"] = table["condition"].map({"healthy": "here", "disease": "there"})
    table.to_csv(files[1])
    assert rank(files, "--change", "condition=healthy:disease", "--refits", 0) == 0
    assert "warning: 'condition' cannot be told from 'site'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("grade=1:2", "must be COLUMN=A:B"),
        ("condition=healthy", "must name two values of 'condition'"),
        ("condition=healthy:tumour", "It holds disease, healthy"),
    ],
)
def test_changes_that_cannot_be_understood(files, change, message, capsys):
    assert rank(files, "--change", change) == 1
    assert message in capsys.readouterr().err


def test_numbers_may_change_to_values_that_no_sample_has():
    covariates = pd.DataFrame({"age": [20.5, 40.0, 80.0]})
    assert read_change("age=30:70", covariates) == ("age", (30.0, 70.0))


@pytest.mark.parametrize("change", ["dose=7.0:8.50", "dose=7:8.5"])
def test_numbers_may_be_written_as_in_the_table(files, change, capsys):
    table = read(files[1])
    table["dose"] = np.where(np.arange(len(table)) % 2, "7.0", "8.5")
    table.to_csv(files[1])
    assert rank(files, "--change", change, "--refits", 0, "--json") == 0
    assert json.loads(capsys.readouterr().out)["change"] == change


def test_long_numbers_are_told_apart(files, capsys):
    table = read(files[1])
    table["run"] = np.where(np.arange(len(table)) % 2, 20240101, 20240102)
    table.to_csv(files[1])
    assert rank(files, "--change", "run=20240101:20240102", "--refits", 0, "--json") == 0
    assert rank(files, "--change", "run=1:2") == 1
    said = capsys.readouterr().err
    assert "It holds 20240101, 20240102." in said


def test_a_wrong_change_is_refused_before_the_fit(files, capsys):
    assert rank(files, "--change", "condition=healthy:tumour") == 1
    assert "Fitting" not in capsys.readouterr().err
