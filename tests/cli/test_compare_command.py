"""``omitrans compare`` on files."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from omitrans.cli.__main__ import main
from omitrans.datasets import make_paired_omics


@pytest.fixture(scope="module")
def cohort():
    return make_paired_omics(40, 60, 8, missing_rate=0, repeat_fraction=0.2, random_state=0)


@pytest.fixture
def files(cohort, tmp_path):
    """Tables in two formats; each holds a sample that the other lacks."""
    X, Y = tmp_path / "betas.csv.gz", tmp_path / "expression.tsv"
    cohort.X.iloc[1:].to_csv(X)
    cohort.Y.iloc[:-1].to_csv(Y, sep="\t")
    return str(X), str(Y)


def call(*arguments):
    return main(["compare", *map(str, arguments)])


def test_table_files_and_report(files, cohort, tmp_path, capsys):
    code = call(
        *files,
        *("--models", "mean", "ridge", "--cv", 3, "--groups", "tcga"),
        *("--output", tmp_path / "results.csv", "--html", tmp_path / "report.html"),
    )
    printed = capsys.readouterr()
    assert code == 0
    assert "38 samples are in both tables (of 39 and 39)" in printed.err
    lines = printed.out.splitlines()
    assert [line.split()[0] for line in lines[-4:-2]] == ["mean", "ridge"]
    written = [tmp_path / "results.csv", tmp_path / "report.html"]
    assert lines[-2:] == [f"Written to {path}." for path in written]
    results = pd.read_csv(tmp_path / "results.csv")
    assert set(results["model"]) == {"mean", "ridge"}
    assert results["fold"].nunique() == 3
    assert "<!DOCTYPE html>" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_json_alone_goes_to_the_output(files, capsys):
    assert call(*files, "--models", "mean", "tobmi", "--cv", 2, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert list(summary) == ["mean", "tobmi"]
    assert summary["tobmi"]["mse"] > 0


def test_tables_the_other_way_round_and_parquet(cohort, tmp_path, capsys):
    cohort.X.T.to_parquet(tmp_path / "X.parquet")
    cohort.Y.T.to_csv(tmp_path / "Y.tsv.gz", sep="\t")
    arguments = [tmp_path / "X.parquet", tmp_path / "Y.tsv.gz", "--models", "mean", "--json"]
    assert call(*arguments, "--features-as-rows", "--cv", 2) == 0
    assert "60 source and 8 target features" in capsys.readouterr().err


def test_finished_folds_are_kept(files, tmp_path):
    arguments = [*files, "--models", "ridge", "--cv", 2, "--cache-dir", tmp_path / "cache"]
    assert call(*arguments) == 0
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert call(*arguments) == 0
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert before == after
    assert len(before) == 2


def test_groups_from_a_file(files, cohort, tmp_path, capsys):
    groups = pd.Series(np.arange(40) // 10, index=cohort.X.index, name="batch")
    groups.to_csv(tmp_path / "groups.csv")
    arguments = [*files, "--models", "mean", "--cv", 4, "--groups", tmp_path / "groups.csv"]
    assert call(*arguments) == 0
    groups[:5].to_csv(tmp_path / "groups.csv")
    assert call(*arguments) == 1
    assert "lacks 34 samples" in capsys.readouterr().err


def test_patients_are_kept_together_unless_told_otherwise(files, cohort, tmp_path, capsys):
    n_patients = cohort.X.index[1:-1].str[:12].nunique()
    results = {}
    for groups in ("auto", "tcga", "none"):
        path = tmp_path / f"{groups}.csv"
        options = ("--models", "ridge", "--cv", 4, "--groups", groups, "--output", path)
        assert call(*files, *options) == 0
        said = capsys.readouterr().err
        assert (f"38 samples come from {n_patients} patients" in said) == (groups == "auto")
        results[groups] = pd.read_csv(path).query("metric == 'mse'")["value"].tolist()
    assert results["auto"] == results["tcga"] != results["none"]


def test_unknown_models_end_with_2_and_the_known_ones(files, capsys):
    assert call(*files, "--models", "mean", "omitrans-paper") == 2
    said = capsys.readouterr().err
    assert "omitrans-paper" in said
    assert "kernel-ridge" in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X.set_axis([f"other{i}" for i in range(len(X))]), "share no samples"),
        (lambda X: X.assign(note="text"), "note.*'text' is no number"),
        (lambda X: pd.concat([X, X.iloc[:1]]), "twice"),
        (lambda X: X.iloc[:, :0], "columns"),
        (lambda X: X.set_axis(X.index + "-11R"), "must be written alike in both"),
    ],
)
def test_unusable_tables(cohort, files, tmp_path, capsys, change, message):
    change(cohort.X).to_csv(tmp_path / "odd.csv")
    assert call(tmp_path / "odd.csv", files[1]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("omitrans compare: error: ")
    assert re.search(message, line)


def test_unusable_files(files, tmp_path, capsys):
    (tmp_path / "table.xlsx").write_bytes(b"PK\x03\x04 a sheet")
    (tmp_path / "broken.csv.gz").write_bytes(b"\x1f\x8b\x08\x00 no gzip")
    for name, message in (
        ("absent.csv", "absent.csv"),
        ("table.xlsx", "table.xlsx"),
        ("broken.csv.gz", "broken.csv.gz"),
    ):
        assert call(tmp_path / name, files[1]) == 1
        assert message in capsys.readouterr().err


def test_more_folds_than_samples(files, capsys):
    assert call(*files, "--models", "mean", "--cv", 100) == 1
    assert "100" in capsys.readouterr().err
