"""``omitrans fit`` and ``omitrans info``: from tables to a model file, and what it holds."""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

import omitrans
from omitrans.cli.__main__ import main
from omitrans.datasets import make_paired_omics

QUICK = ["--model", "ridge", "--cv", "2"]


@pytest.fixture(scope="module")
def cohort():
    return make_paired_omics(40, 60, 8, missing_rate=0, repeat_fraction=0.2, random_state=0)


@pytest.fixture
def files(cohort, tmp_path):
    """Tables in two formats and orientations; each holds a sample that the other lacks."""
    X, Y = tmp_path / "betas.csv.gz", tmp_path / "expression.tsv"
    cohort.X.iloc[1:].T.to_csv(X)
    cohort.Y.iloc[:-1].to_csv(Y, sep="\t")
    return str(X), str(Y)


def call(*arguments):
    return main(list(map(str, arguments)))


def fit(files, output, *options):
    return call("fit", *files, "-o", output, *QUICK, *options)


def test_model_and_summary(files, cohort, tmp_path, capsys):
    assert fit(files, tmp_path / "model.omitrans", "--groups", "tcga") == 0
    printed = capsys.readouterr()
    assert "38 samples are in both tables (of 39 and 39)" in printed.err
    assert re.search(r"samples +38\n", printed.out)
    assert re.search(r"predictable genes +\d of 8", printed.out)
    model = omitrans.load(tmp_path / "model.omitrans")
    predicted = omitrans.predict_frame(model, cohort.X)
    assert list(predicted.columns) == list(cohort.Y.columns)
    assert np.isfinite(predicted.to_numpy()).all()


def test_json_alone_goes_to_the_output(files, tmp_path, capsys):
    assert fit(files, tmp_path / "model.omitrans", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n_samples"], result["n_probes"], result["n_genes"]) == (38, 60, 8)
    assert 0 <= result["n_predictable"] <= 8
    assert result["median_r2"] < 1


def test_without_a_trust_card(files, tmp_path, capsys):
    assert fit(files, tmp_path / "model.omitrans", "--no-trust") == 0
    assert "predictable" not in capsys.readouterr().out
    assert not hasattr(omitrans.load(tmp_path / "model.omitrans"), "trust_card_")


def test_the_fast_model_is_the_backbone_alone(files, tmp_path):
    path = tmp_path / "model.omitrans"
    assert fit(files, path, "--no-trust", "--model", "omitrans-fast", "--groups", "tcga") == 0
    regressor = omitrans.load(path)[-1]
    assert isinstance(regressor, omitrans.OmiTransRegressor)
    assert regressor.networks_ == []


@pytest.mark.parametrize("command", ["fit", "compare"])
def test_help_names_models_for_a_first_look(command, capsys):
    assert main([command, "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "For a first look take omitrans-fast or multi-kernel-ridge" in said


def test_groups_serve_without_a_trust_card_too(files, tmp_path, capsys):
    options = ("--no-trust", "--model", "pls", "--groups", "tcga", "--json")
    assert fit(files, tmp_path / "model.omitrans", *options) == 0
    assert json.loads(capsys.readouterr().out)["n_groups"] > 0


def test_patients_are_kept_together_unless_told_otherwise(files, cohort, tmp_path, capsys):
    n_patients = cohort.X.index[1:-1].str[:12].nunique()
    path = tmp_path / "model.omitrans"
    assert fit(files, path, "--json") == 0
    printed = capsys.readouterr()
    assert f"warning: The 38 samples come from {n_patients} patients" in printed.err
    assert printed.err.count("come from") == 1
    assert "--groups none" in printed.err
    assert json.loads(printed.out)["n_groups"] == n_patients
    assert call("info", path) == 0
    assert f"2 folds, samples of {n_patients} groups kept together" in capsys.readouterr().out
    assert fit(files, path, "--groups", "none", "--json") == 0
    printed = capsys.readouterr()
    assert "warning" not in printed.err
    assert json.loads(printed.out)["n_groups"] is None
    assert call("info", path) == 0
    assert re.search(r"2 folds\n", capsys.readouterr().out)


def test_the_same_seed_gives_the_same_model(files, cohort, tmp_path):
    predictions = []
    for name in ("a.omitrans", "b.omitrans"):
        assert fit(files, tmp_path / name, "--seed", 7, "--no-trust") == 0
        predictions.append(omitrans.predict_frame(omitrans.load(tmp_path / name), cohort.X))
    pd.testing.assert_frame_equal(*predictions)


def test_annotations(files, cohort, tmp_path, capsys):
    probes = cohort.probes[["probe_id", "gene_symbol", "chromosome", "position"]]
    probes = probes.assign(gene_symbol=".", end=probes["position"] + 1)
    probes = probes[["probe_id", "gene_symbol", "chromosome", "position", "end"]]
    probes.columns = ["#id", "gene", "chrom", "chromStart", "chromEnd"]
    probes.to_csv(tmp_path / "probes.tsv", sep="\t", index=False)
    genes = cohort.genes[["gene_id", "gene_symbol", "chromosome", "start", "end"]]
    genes.columns = ["id", "gene", "chrom", "chromStart", "chromEnd"]
    genes.to_csv(tmp_path / "genes.probeMap", sep="\t", index=False)
    annotations = [
        *("--probe-annotation", tmp_path / "probes.tsv"),
        *("--gene-annotation", tmp_path / "genes.probeMap"),
    ]
    assert fit(files, tmp_path / "model.omitrans", "--no-trust", *annotations) == 0
    assert "does not say 'on_epic'" in capsys.readouterr().err
    predicted = omitrans.predict_frame(omitrans.load(tmp_path / "model.omitrans"), cohort.X)
    assert list(predicted.columns) == list(cohort.Y.columns)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--groups", "absent.csv"], "absent.csv"),
        (["--groups", "gtex"], "GTEX"),
        (["--groups", "damaged.csv.gz"], "damaged.csv.gz"),
        (["--groups", "empty.csv"], "empty.csv"),
        (["--groups", "one.csv"], "two columns"),
        (["--groups", "three.csv"], "two columns, sample and group; it holds 3"),
        (["--groups", "TCGA"], "none of auto, none, tcga, target, gtex, nor a file"),
        (["--gene-annotation", "absent.csv"], "absent.csv"),
        (["--probe-annotation", "absent.csv"], "absent.csv"),
        (["--cv", 99], "99"),
    ],
)
def test_unusable_options(files, tmp_path, options, message, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("damaged.csv.gz").write_bytes(gzip.compress(b"sample,group\n" * 999)[:-9])
    Path("empty.csv").touch()
    Path("one.csv").write_text("sample\nTCGA-AA\n")
    Path("three.csv").write_text("sample,beta,group\nTCGA-AA,0.5,1\n")
    assert fit(files, tmp_path / "model.omitrans", *options) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("omitrans fit: error: ")
    assert message in line
    assert not (tmp_path / "model.omitrans").exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("folder", "it is a folder"),
        ("no/model.omitrans", "does not exist"),
        ("betas.csv.gz", "read"),
    ],
)
def test_places_that_cannot_be_written_are_refused_before_the_work(
    files, tmp_path, output, message, capsys
):
    (tmp_path / "folder").mkdir()
    assert fit(files, tmp_path / output) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Training" not in said


def test_m_values_are_refused_as_betas(files, cohort, tmp_path, capsys):
    (cohort.X * 10 - 5).to_csv(tmp_path / "m.csv")
    assert fit((tmp_path / "m.csv", files[1]), tmp_path / "model.omitrans") == 1
    assert "M-values" in capsys.readouterr().err
    assert not (tmp_path / "model.omitrans").exists()
    options = ["--source-unit", "none", "--no-trust"]
    assert fit((tmp_path / "m.csv", files[1]), tmp_path / "model.omitrans", *options) == 0


def test_the_unit_of_the_expression_is_checked(files, cohort, tmp_path, capsys):
    wide = pd.concat([cohort.Y.add_prefix(f"{i}_") for i in range(8)], axis=1)
    (2**wide - 1).to_csv(tmp_path / "raw.csv")
    raw, model = (files[0], tmp_path / "raw.csv"), tmp_path / "model.omitrans"
    assert fit(raw, model, "--no-trust") == 1
    said = capsys.readouterr().err
    assert "log2(FPKM + 1)" in said
    assert "--target-unit" in said
    assert fit(raw, model, "--no-trust", "--target-unit", "FPKM") == 0
    assert fit(raw, model, "--no-trust", "--target-unit", "none") == 0
    assert call("convert", raw[1], tmp_path / "log.csv", "--to-log2", "FPKM") == 0
    assert fit((files[0], tmp_path / "log.csv"), model, "--no-trust") == 0


def test_info(files, tmp_path, capsys):
    model = tmp_path / "model.omitrans"
    assert fit(files, model) == 0
    capsys.readouterr()
    assert call("info", model) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(model)
    shown = dict(re.split(r" {2,}", line.strip(), maxsplit=1) for line in lines[1:])
    assert shown["training samples"] == "38"
    assert shown["genes"].startswith("8 in log2(FPKM + 1): ENSG")
    assert shown["predictable genes"].endswith("of 8 (R² above 0.3)")
    assert "omitrans" in shown["written by"]
    assert call("info", model, "--json") == 0
    described = json.loads(capsys.readouterr().out)
    assert described["n_features"] == 60
    assert described["bytes"] == model.stat().st_size
    assert "omitrans" in described["written_by"]


def test_info_shows_no_character_that_a_terminal_obeys(tmp_path, capsys):
    names = ["\x1b[2Jcg1", "cg\u009b31m2", "cg\u202e3", "cg\r4", "cg\udc805"]
    table = pd.DataFrame(np.eye(5), columns=pd.Index(names, dtype=object))
    model = make_pipeline(Ridge()).fit(table, np.arange(5.0))
    omitrans.save(model, tmp_path / "names.omitrans")
    assert call("info", tmp_path / "names.omitrans") == 0
    shown = capsys.readouterr().out
    assert r"\x1b[2Jcg1, cg\x9b31m2, cg\u202e3, cg\r4, cg\udc805" in shown
    assert shown.replace("\n", "").isprintable()
    assert call("info", tmp_path / "names.omitrans", "--json") == 0
    shown = capsys.readouterr().out
    assert shown.replace("\n", "").isprintable()
    assert json.loads(shown)["features"] == names


def test_info_of_a_model_that_cannot_be_described(tmp_path, capsys):
    model = make_pipeline(Ridge()).fit(np.eye(3), np.arange(3.0))
    model.steps = [(0.5, model.steps[0][1])]
    omitrans.save(model, tmp_path / "odd.omitrans")
    assert call("info", tmp_path / "odd.omitrans") == 1
    said = capsys.readouterr().err
    assert "odd.omitrans' holds a Pipeline that cannot be described" in said
    assert len(said.splitlines()) == 1


def test_info_of_what_is_no_model(tmp_path, capsys):
    (tmp_path / "text.omitrans").write_text("no model")
    for path in (tmp_path / "text.omitrans", tmp_path, tmp_path / "absent"):
        assert call("info", path, "--json") == 1
        captured = capsys.readouterr()
        assert path.name in json.loads(captured.out)["error"]
        assert len(captured.err.splitlines()) == 1


def test_what_is_absent_is_said_before_tables_are_read(files, tmp_path, capsys):
    assert fit(files, tmp_path / "model.omitrans", "--groups", "absent.csv") == 1
    assert fit(files, tmp_path / "model.omitrans", "--probe-annotation", "absent.csv") == 1
    assert "Reading" not in capsys.readouterr().err


def test_missing_expression_is_named(files, cohort, tmp_path, capsys):
    holed = cohort.Y.copy()
    holed.iloc[3, 2] = np.nan
    holed.to_csv(files[1], sep="\t")
    assert fit(files, tmp_path / "model.omitrans", "--no-trust") == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"NaN in 1 of 8 targets (first: {cohort.Y.columns[2]}) and 1 of 39 samples" in line


@pytest.mark.filterwarnings("default:Y is stated")
def test_swapped_tables_are_no_percentages(files, tmp_path, capsys):
    assert fit(files[::-1], tmp_path / "model.omitrans") == 1
    assert "are two tables swapped?" in capsys.readouterr().err
