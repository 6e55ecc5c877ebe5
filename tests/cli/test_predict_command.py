"""``omitrans predict``: new arrays, intervals, reports, refusals."""

import errno
import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

import omitrans
from omitrans.cli.__main__ import main
from omitrans.cli._command import Interrupted
from omitrans.cli.actions import _predict
from omitrans.datasets import make_paired_omics
from omitrans.pipelines import make_translation_pipeline
from omitrans.trust import TrustedRegressor


@pytest.fixture(scope="module")
def cohort():
    return make_paired_omics(60, 80, 8, missing_rate=0, random_state=0)


@pytest.fixture(scope="module")
def model(cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    cohort.X.iloc[:50].to_csv(folder / "X.csv")
    cohort.Y.iloc[:50].to_csv(folder / "Y.csv")
    path = folder / "model.omitrans"
    options = ["--model", "ridge", "--cv", "3", "-o", str(path)]
    assert main(["fit", str(folder / "X.csv"), str(folder / "Y.csv"), *options]) == 0
    return path


@pytest.fixture
def new(cohort):
    return cohort.X.iloc[50:].copy()


@pytest.fixture
def arrays(new, tmp_path):
    new.T.to_csv(tmp_path / "betas.csv.gz")
    return tmp_path / "betas.csv.gz"


def call(*arguments):
    return main(["predict", *map(str, arguments)])


def read(path):
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, index_col=0, sep="\t" if ".tsv" in path.name else ",")


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".parquet"])
def test_predictions_are_those_of_the_library(model, arrays, new, tmp_path, ending, capsys):
    out = tmp_path / f"expression{ending}"
    assert call(model, arrays, "-o", out) == 0
    expected = omitrans.predict_frame(omitrans.load(model), new)
    found = read(out)
    found.index = found.index.astype(expected.index.dtype)  # text, in pandas 3 of two types
    pd.testing.assert_frame_equal(
        found, expected, check_dtype=False, check_names=False, rtol=1e-5, atol=1e-5
    )
    shown = capsys.readouterr().out
    for words in ("platform", "probes covered", "100.0%", "predictable genes", "of 8"):
        assert words in shown


def test_h5ad(model, arrays, tmp_path):
    anndata = pytest.importorskip("anndata")
    assert call(model, arrays, "-o", tmp_path / "expression.h5ad") == 0
    assert anndata.read_h5ad(tmp_path / "expression.h5ad").shape == (10, 8)


def test_intervals_and_report(model, arrays, tmp_path, capsys):
    out, page = tmp_path / "expression.parquet", tmp_path / "report.html"
    assert call(model, arrays, "-o", out, "--intervals", 0.9, "--report", page, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n_samples"], result["n_genes"], result["intervals"]) == (10, 8, 0.9)
    assert result["coverage"] == {"lowest": 1.0, "median": 1.0}
    table = read(out)
    gene = table.columns[0]
    assert table.shape == (10, 24)
    assert (table[f"{gene}_lower"] < table[gene]).all()
    assert (table[gene] < table[f"{gene}_upper"]).all()
    assert "<!DOCTYPE html>" in page.read_text(encoding="utf-8")


def test_one_sample_alone_is_as_in_the_batch(model, arrays, new, tmp_path):
    assert call(model, arrays, "-o", tmp_path / "all.parquet") == 0
    new.iloc[[3]].to_csv(tmp_path / "one.csv")
    assert call(model, tmp_path / "one.csv", "-o", tmp_path / "one.parquet") == 0
    batch, alone = read(tmp_path / "all.parquet"), read(tmp_path / "one.parquet")
    np.testing.assert_allclose(alone, batch.loc[alone.index], rtol=1e-6, atol=1e-6)


def test_another_array_is_recognised(model, new, tmp_path, capsys):
    """Probe names with the suffixes of EPICv2, some twice, and probes that the model lacks."""
    cg = [name for name in new if name.startswith("cg")]
    array = new[cg].add_suffix("_TC21")
    twice = new[cg[:10]].add_suffix("_BC22")
    others = pd.DataFrame(0.5, new.index, [f"cg9999990{i}_TC11" for i in range(9)])
    pd.concat([others, array, twice], axis=1).T.to_csv(tmp_path / "epicv2.tsv", sep="\t")
    out = tmp_path / "expression.parquet"
    assert call(model, tmp_path / "epicv2.tsv", "-o", out) == 0
    assert re.search(r"platform +EPICv2 \(10\)", capsys.readouterr().out)
    expected = omitrans.predict_frame(omitrans.load(model), new)
    np.testing.assert_allclose(read(out), expected, atol=1e-4)


def test_samples_with_too_few_probes(model, new, tmp_path, capsys):
    new.iloc[1, :60] = np.nan
    new.to_csv(tmp_path / "gaps.csv")
    out = tmp_path / "expression.csv"
    assert call(model, tmp_path / "gaps.csv", "-o", out) == 1
    said = capsys.readouterr().err
    assert new.index[1] in said
    assert "--skip-refused" in said
    assert not out.exists()
    assert call(model, tmp_path / "gaps.csv", "-o", out, "--skip-refused", "--json") == 0
    assert json.loads(capsys.readouterr().out)["refused"] == [new.index[1]]
    assert list(read(out).index) == list(new.index.drop(new.index[1]))


def test_samples_are_left_out_behind_wrappers_too(cohort, new, tmp_path, capsys):
    pipeline = make_translation_pipeline(Ridge())
    wrapped = TransformedTargetRegressor(
        pipeline, transformer=StandardScaler(), check_inverse=False
    )
    trusted = TrustedRegressor(wrapped, cv=3, random_state=0)
    path = tmp_path / "wrapped.omitrans"
    omitrans.save(trusted.fit(cohort.X, cohort.Y, groups=None), path)
    new.iloc[1, :60] = np.nan
    new.to_csv(tmp_path / "gaps.csv")
    out = tmp_path / "expression.csv"
    assert call(path, tmp_path / "gaps.csv", "-o", out, "--skip-refused", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["refused"] == [new.index[1]]
    assert sum(result["platforms"].values()) == len(new) - 1


def test_missing_probes_are_told(model, new, tmp_path, capsys):
    new.iloc[:, 12:].to_csv(tmp_path / "less.csv")
    assert call(model, tmp_path / "less.csv", "-o", tmp_path / "expression.csv") == 0
    printed = capsys.readouterr()
    assert re.search(r"probes covered +8\d\.\d% \(lowest 8\d\.\d%\)", printed.out)
    assert "warning: " in printed.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X.add_prefix("other"), "probes|columns"),
        (lambda X: X * 12 - 6, "M-values"),
        (lambda X: pd.concat([X, X.iloc[:1]]), "twice"),
        (lambda X: X.iloc[:, :20], "too few|holds only"),
        (lambda X: X.assign(note="text"), "text|number"),
        (lambda X: X.iloc[:0], "nothing|no |empty"),
    ],
)
def test_unusable_arrays(model, new, tmp_path, change, message, capsys):
    change(new).to_csv(tmp_path / "odd.csv")
    options = ["--samples", "rows", "-o", tmp_path / "expression.csv"]
    assert call(model, tmp_path / "odd.csv", *options) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("omitrans predict: error: ")
    assert pd.Series([line]).str.contains(message).item(), line
    assert not (tmp_path / "expression.csv").exists()


def test_a_table_the_wrong_way_round(model, arrays, tmp_path, capsys):
    assert call(model, arrays, "--samples", "rows", "-o", tmp_path / "expression.csv") == 1
    assert "transposed" in capsys.readouterr().err


def test_unusable_files(model, arrays, tmp_path, capsys):
    (tmp_path / "broken.csv.gz").write_bytes(arrays.read_bytes()[:-20])
    (tmp_path / "broken.omitrans").write_bytes(model.read_bytes()[:-20])
    omitrans.save(StandardScaler().fit([[0.0], [1.0]]), tmp_path / "scaler.omitrans")
    for model_file, table, message in (
        (model, tmp_path / "absent.csv", "absent.csv"),
        (model, tmp_path / "broken.csv.gz", "broken.csv.gz"),
        (model, tmp_path, "--manifest"),
        (tmp_path / "absent.omitrans", arrays, "absent.omitrans"),
        (tmp_path / "broken.omitrans", arrays, "broken.omitrans"),
        (tmp_path / "scaler.omitrans", arrays, "does not predict"),
        (arrays, arrays, "betas.csv.gz"),
    ):
        assert call(model_file, table, "-o", tmp_path / "expression.csv", "--json") == 1
        captured = capsys.readouterr()
        assert message in json.loads(captured.out)["error"]
        assert "Traceback" not in captured.err
        assert not (tmp_path / "expression.csv").exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("out.xlsx", "cannot tell the format"),
        ("folder.csv", "it is a folder"),
        ("absent/out.csv", "does not exist"),
        ("betas.csv.gz", "would be replaced"),
        ("report.csv", "the same file"),
    ],
)
def test_places_that_cannot_be_written(model, arrays, tmp_path, output, message, capsys):
    (tmp_path / "folder.csv").mkdir()
    before = arrays.read_bytes()
    report = tmp_path / "report.csv"
    assert call(model, arrays, "-o", tmp_path / output, "--report", report) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Reading" not in said
    assert arrays.read_bytes() == before


def test_a_folder_without_permission(model, arrays, tmp_path, monkeypatch, capsys):
    def refuse(**options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("omitrans.cli._output.tempfile.TemporaryFile", refuse)
    assert call(model, arrays, "-o", tmp_path / "out.csv") == 1
    assert "cannot write to the folder" in capsys.readouterr().err


def test_intervals_need_a_trust_card(arrays, cohort, tmp_path, capsys):
    cohort.X.to_csv(tmp_path / "X.csv")
    cohort.Y.to_csv(tmp_path / "Y.csv")
    plain = tmp_path / "plain.omitrans"
    options = ["--model", "ridge", "--no-trust", "-o", str(plain)]
    assert main(["fit", str(tmp_path / "X.csv"), str(tmp_path / "Y.csv"), *options]) == 0
    assert call(plain, arrays, "-o", tmp_path / "out.csv", "--intervals", 0.9) == 1
    assert "--no-trust" in capsys.readouterr().err
    assert call(plain, arrays, "-o", tmp_path / "out.csv") == 0
    assert read(tmp_path / "out.csv").shape == (10, 8)


def test_ctrl_c_and_a_full_disk_keep_the_old_file(model, arrays, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out.csv"
    out.write_text("old")

    def interrupt(*args, **options):
        raise Interrupted

    def write_half(table, path, **options):
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_predict, "predict_and_judge", interrupt)
        assert call(model, arrays, "-o", out) == 130
    monkeypatch.setattr(pd.DataFrame, "to_csv", write_half)
    assert call(model, arrays, "-o", out) == 1
    assert "No space left" in capsys.readouterr().err
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["betas.csv.gz", "out.csv"]
