"""Every command says which file a full disk does not take, and how much space is left."""

import errno
import io
import os
import sys
from pathlib import Path

import pytest

from omitrans.cli.__main__ import main
from omitrans.datasets import make_paired_omics

FULL = OSError(errno.ENOSPC, "No space left on device")
COMMANDS = {
    "fit": ["fit", "X.csv", "Y.csv", "-o", "new.omitrans", "--model", "ridge", "--no-trust"],
    "predict": ["predict", "model.omitrans", "X.csv", "-o", "new.parquet"],
    "predict --report": [
        "predict",
        "model.omitrans",
        "X.csv",
        "-o",
        "Z.csv",
        "--report",
        "new.html",
    ],
    "compare": [
        "compare",
        "X.csv",
        "Y.csv",
        "--output",
        "new.csv",
        "--models",
        "ridge",
        "--cv",
        "2",
    ],
    "convert csv": ["convert", "X.csv", "new.csv.gz"],
    "convert parquet": ["convert", "X.csv", "new.parquet"],
    "convert h5ad": ["convert", "X.csv", "new.h5ad"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    data = make_paired_omics(24, 40, 6, missing_rate=0, random_state=0)
    data.X.to_csv(folder / "X.csv")
    data.Y.to_csv(folder / "Y.csv")
    before = Path.cwd()
    os.chdir(folder)
    tables = ["X.csv", "Y.csv"]
    assert main(["fit", *tables, "-o", "model.omitrans", "--model", "ridge", "--no-trust"]) == 0
    yield folder
    os.chdir(before)


@pytest.mark.parametrize("name", COMMANDS)
def test_files(name, folder, monkeypatch, capsys):
    for package in ("anndata", "matplotlib", "pyarrow"):
        pytest.importorskip(package)
    new = next(word for word in COMMANDS[name] if word.startswith("new"))
    sync = os.fsync

    def full(descriptor):
        if new in os.readlink(f"/proc/self/fd/{descriptor}"):  # noqa: PTH115
            raise FULL
        sync(descriptor)

    if not os.path.exists("/proc/self/fd"):  # noqa: PTH110
        pytest.skip("asks Linux for the names of open files")
    (folder / new).write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    capsys.readouterr()
    assert main(COMMANDS[name]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "No space left on device" in said
    assert "MiB are free in" in said
    assert f"'{new}'" in said
    assert (folder / new).read_text() == "old"
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_standard_output(options, folder, monkeypatch, capsys):
    class FullDisk(io.StringIO):
        def flush(self):
            raise FULL

    monkeypatch.setattr(sys, "stdout", FullDisk())
    assert main(["info", "model.omitrans", *options]) == 1
    said = capsys.readouterr().err
    assert "the standard output" in said
    assert "MiB are free in" in said
