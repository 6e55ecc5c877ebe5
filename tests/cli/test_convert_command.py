"""``omitrans convert``: formats, units, orientation, filters."""

import errno
import json
import re

import numpy as np
import pandas as pd
import pytest

from omitrans.cli.__main__ import main
from omitrans.preprocessing import beta_to_m

ENDINGS = [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".h5ad"]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    values = rng.uniform(0.05, 0.95, size=(6, 8)).astype("float32")
    values[:4, 0] = np.nan
    values[:, 1] = 0.5
    return pd.DataFrame(
        values,
        index=[f"TCGA-AA-000{i}-01A" for i in range(6)],
        columns=[f"cg0000000{i}" for i in range(8)],
    )


@pytest.fixture
def source(table, tmp_path):
    table.to_csv(tmp_path / "betas.csv")
    return tmp_path / "betas.csv"


def call(*arguments):
    return main(["convert", *map(str, arguments)])


def read(path):
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, index_col=0, sep="\t" if ".tsv" in path.name else ",")


def same(table, expected):
    pd.testing.assert_frame_equal(
        table, expected, check_dtype=False, check_names=False, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("ending", ENDINGS)
def test_there_and_back(source, table, tmp_path, ending, capsys):
    if ending == ".h5ad":
        pytest.importorskip("anndata")
    between = tmp_path / f"between{ending}"
    assert call(source, between) == 0
    assert re.search(r"features +8\n", capsys.readouterr().out)
    assert call(between, tmp_path / "back.csv") == 0
    same(read(tmp_path / "back.csv"), table)


def test_features_as_rows_are_turned(source, table, tmp_path):
    table.T.to_csv(tmp_path / "turned.tsv", sep="\t")
    assert call(tmp_path / "turned.tsv", tmp_path / "auto.csv") == 0
    same(read(tmp_path / "auto.csv"), table)
    assert call(tmp_path / "turned.tsv", tmp_path / "told.csv", "--samples", "columns") == 0
    same(read(tmp_path / "told.csv"), table)


def test_transpose_writes_samples_as_columns(source, table, tmp_path):
    assert call(source, tmp_path / "out.tsv", "--transpose") == 0
    same(read(tmp_path / "out.tsv"), table.T)


def test_units_there_and_back(source, table, tmp_path):
    assert call(source, tmp_path / "m.parquet", "--beta-to-m") == 0
    same(read(tmp_path / "m.parquet"), beta_to_m(table))
    assert call(tmp_path / "m.parquet", tmp_path / "beta.csv", "--m-to-beta") == 0
    same(read(tmp_path / "beta.csv"), table)


def test_filters(source, table, tmp_path, capsys):
    assert call(source, tmp_path / "a.csv", "--max-missing-rate", 0.5, "--json") == 0
    assert json.loads(capsys.readouterr().out)["n_features"] == 7
    same(read(tmp_path / "a.csv"), table.iloc[:, 1:])
    assert call(source, tmp_path / "b.csv", "--min-variance", 1e-6) == 0
    same(read(tmp_path / "b.csv"), table.drop(columns="cg00000001"))
    (tmp_path / "ids.txt").write_text("cg00000005\ncg99999999\ncg00000002\n")
    assert call(source, tmp_path / "c.csv", "--keep", tmp_path / "ids.txt") == 0
    same(read(tmp_path / "c.csv"), table[["cg00000002", "cg00000005"]])


@pytest.mark.parametrize(
    ("out", "options", "message"),
    [
        ("out.xlsx", [], "cannot tell the format"),
        ("out.parquet.gz", [], "cannot tell the format"),
        ("absent/out.csv", [], "does not exist"),
        ("betas.csv", [], "would be replaced"),
        ("out.csv", ["--min-variance", 9], "no feature is left"),
        ("out.csv", ["--keep", "absent.txt"], "absent.txt"),
        ("out.csv", ["--manifest", "absent.csv", "--from", "idat"], "absent.csv|betas.csv"),
        ("out.csv", ["--from", "idat"], "--manifest"),
        ("folder.csv", [], "it is a folder"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(source, tmp_path, out, options, message, capsys):
    (tmp_path / "folder.csv").mkdir()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert call(source, tmp_path / out, *options) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("omitrans convert: error: ")
    assert pd.Series([lines[-1]]).str.contains(message).item()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_units_exclude_each_other(source, tmp_path):
    assert call(source, tmp_path / "out.csv", "--beta-to-m", "--m-to-beta") == 2


def test_m_values_are_no_betas(source, tmp_path, capsys):
    assert call(source, tmp_path / "m.csv", "--beta-to-m") == 0
    assert call(tmp_path / "m.csv", tmp_path / "mm.csv", "--beta-to-m") == 1
    assert "[0, 1]" in capsys.readouterr().err
    assert not (tmp_path / "mm.csv").exists()


def test_betas_are_no_m_values(source, tmp_path, capsys):
    assert call(source, tmp_path / "b.csv", "--m-to-beta") == 1
    assert "look like betas already" in capsys.readouterr().err
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_failed_write_keeps_the_old_file(source, tmp_path, monkeypatch, error, capsys):
    def write_half(table, path, **options):
        path.write_text("half")
        raise error

    out = tmp_path / "out.csv"
    out.write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", write_half)
    assert call(source, out) == (1 if isinstance(error, OSError) else 130)
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["betas.csv", "out.csv"]
    assert "Traceback" not in capsys.readouterr().err


def test_a_link_stays_a_link(source, table, tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert call(source, tmp_path / "link.csv") == 0
    assert (tmp_path / "link.csv").is_symlink()
    same(read(tmp_path / "real.csv"), table)


def test_samples_twice(table, tmp_path, capsys):
    pd.concat([table, table.iloc[:1]]).to_csv(tmp_path / "twice.csv")
    assert call(tmp_path / "twice.csv", tmp_path / "out.csv") == 1
    assert "TCGA-AA-0000-01A" in capsys.readouterr().err
