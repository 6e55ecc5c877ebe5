"""Which reader takes which file."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from omitrans.cli import _input
from omitrans.cli._input import read_source, shared_samples
from omitrans.exceptions import DataFormatError, OmiTransError
from omitrans.io import write_h5ad
from omitrans.io.anndata import _endless

GEO = """!Series_title|"Liver"
!Sample_geo_accession|"GSM1"|"GSM2"
!series_matrix_table_begin
"ID_REF"|"GSM1"|"GSM2"
"cg00000029"|0.5|0.25
"cg00000108"|0.75|0.75
!series_matrix_table_end
""".replace("|", "\t")
XENA = """sample|TCGA-OR-A5J1-01|TCGA-OR-A5J2-01
cg00000029|0.5|0.25
cg00000108|NA|0.75
""".replace("|", "\t")


def test_a_geo_series_matrix_shows_in_its_name(tmp_path):
    (tmp_path / "GSE1_series_matrix.txt.gz").write_bytes(gzip.compress(GEO.encode()))
    table = read_source(tmp_path / "GSE1_series_matrix.txt.gz")
    assert table.loc["GSM2"].tolist() == [0.25, 0.75]
    (tmp_path / "liver.txt").write_text(GEO)
    pd.testing.assert_frame_equal(read_source(tmp_path / "liver.txt", kind="geo"), table)
    with pytest.raises(DataFormatError, match="GEO"):
        read_source(tmp_path / "liver.txt")


def test_an_empty_series_matrix(tmp_path):
    lines = [line for line in GEO.splitlines() if not line.startswith('"cg')]
    (tmp_path / "GSE1_series_matrix.txt").write_text("\n".join(lines))
    with pytest.raises(OmiTransError, match=r"\(2, 0\): nothing to use"):
        read_source(tmp_path / "GSE1_series_matrix.txt")


def test_a_xena_matrix_with_filters(tmp_path):
    (tmp_path / "HumanMethylation450").write_text(XENA)
    for kind in ("xena", "auto"):
        table = read_source(tmp_path / "HumanMethylation450", kind=kind, max_missing_rate=0.2)
        assert table["cg00000029"].to_dict() == {"TCGA-OR-A5J1-01": 0.5, "TCGA-OR-A5J2-01": 0.25}
        assert table.shape == (2, 1)


@pytest.mark.parametrize("name", ["arrays", "4207_A_Grn.idat", "4207_A_Red.idat.gz"])
def test_idat_files_go_with_a_manifest(name, tmp_path, monkeypatch):
    betas = pd.DataFrame({"cg1": [0.5, 0.5], "cg2": [0.25, 0.75]}, index=["a", "b"])
    monkeypatch.setattr(_input, "read_idat", lambda path, manifest: betas)
    path = tmp_path / name
    path.mkdir()
    with pytest.raises(OmiTransError, match="--manifest"):
        read_source(path)
    table = read_source(path, manifest=Path("manifest.csv"), min_variance=0.01)
    assert list(table) == ["cg2"]


def test_absent_files_and_folders(tmp_path):
    with pytest.raises(OmiTransError, match="no file"):
        read_source(tmp_path / "absent.csv")
    with pytest.raises(OmiTransError, match="is a folder"):
        read_source(tmp_path, kind="table")


def test_shared_samples_come_in_the_order_of_the_first():
    X, Y = pd.DataFrame({"x": 1.0}, index=list("cab")), pd.DataFrame({"y": 1.0}, index=list("bcd"))
    assert list(shared_samples(X, Y, cure="--samples")) == ["c", "b"]
    with pytest.raises(OmiTransError, match=r"no samples: the first begins with 'c'.*--samples"):
        shared_samples(X, Y.loc[["d"]], cure="--samples columns")
    with pytest.raises(OmiTransError, match="the second table holds 1 samples twice"):
        shared_samples(X, pd.concat([Y, Y[:1]]), cure="")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import time; time.sleep(60)", "did not come back from its structure within 1 s"),
        ("import os; os.abort()", r"the HDF5 library crashes on it \(signal 6\)"),
    ],
)
def test_hdf5_files_without_end_do_not_stop_the_program(program, message, tmp_path, monkeypatch):
    """Such a file is not kept here; a program that sleeps stands for the library reading it."""
    pytest.importorskip("anndata")
    path = tmp_path / "table.h5ad"
    expected = pd.DataFrame({"cg00000029": [0.5]}, index=["TCGA-A"], dtype="float32")
    write_h5ad(expected, path)
    pd.testing.assert_frame_equal(read_source(path), expected)
    monkeypatch.setattr(_endless, "_WALK", program)
    monkeypatch.setattr(_endless, "_SECONDS", 1.0)
    with pytest.raises(DataFormatError, match=rf"table\.h5ad is damaged: .*{message}"):
        read_source(path)


def test_damaged_hdf5_files_are_left_to_the_reader(tmp_path):
    pytest.importorskip("anndata")
    path = tmp_path / "table.h5ad"
    path.write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    with pytest.raises(DataFormatError, match=r"table\.h5ad is truncated or damaged"):
        read_source(path)
