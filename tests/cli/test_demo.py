"""``omitrans demo``: files, table, errors."""

import numpy as np
import pandas as pd
import pytest

import omitrans
from omitrans.cli.__main__ import main
from omitrans.cli.actions import _demo
from omitrans.comparison import compare_models
from omitrans.datasets import make_paired_omics
from omitrans.metrics import RECONSTRUCTION_SCORERS

SIZES = ["--samples", "60", "--probes", "200", "--genes", "40", "--folds", "2", "--n-jobs", "1"]
FIGURES = [
    "model_comparison.png",
    "r2_per_gene.png",
    "r2_per_sample.png",
    "example_genes.png",
    "loss_curves.png",
]


@pytest.fixture(autouse=True)
def quick_training(monkeypatch):
    """Train for a few epochs; everything else is as in the command."""
    make_models = _demo.make_models

    def make_quick_models(data, seed):
        models = make_models(data, seed)
        models["OmiTrans"].set_params(regressor__regressor__max_epochs=3)
        return models

    monkeypatch.setattr(_demo, "make_models", make_quick_models)


def test_writes_and_shows_everything(tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    assert main(["demo", "--output", str(folder), *SIZES]) == 0

    written = {path.name for path in folder.iterdir()}
    tables = {"table1.csv", "comparison.csv", "predicted_expression.csv.gz", "model.omitrans"}
    tables |= {"report.html"}
    assert written == tables | set(FIGURES)
    for name in FIGURES:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")

    table = pd.read_csv(folder / "table1.csv", index_col="model")
    assert list(table.index) == ["mean", "ridge", "LASSO", "OmiTrans"]
    assert list(table.columns) == list(RECONSTRUCTION_SCORERS)
    assert np.isfinite(table.to_numpy()).all()

    shown = capsys.readouterr()
    for name, rmse in table["rmse"].items():
        assert any(
            line.startswith(name) and f"{rmse:.4f}" in line for line in shown.out.splitlines()
        )
    for name in written:
        assert name in shown.out
    assert "Cross-validating" in shown.err
    assert "Cross-validating" not in shown.out


@pytest.mark.slow
def test_prediction_is_that_of_the_saved_model_for_new_patients(tmp_path):
    assert main(["demo", "--output", str(tmp_path), "--seed", "3", *SIZES]) == 0
    predicted = pd.read_csv(tmp_path / "predicted_expression.csv.gz", index_col=0)
    model = omitrans.load(tmp_path / "model.omitrans")

    data = make_paired_omics(60, 200, 40, random_state=3)
    again = omitrans.predict_frame(model, data.X.loc[predicted.index])
    predicted.index = predicted.index.astype(again.index.dtype)  # text, in pandas 3 of two types
    pd.testing.assert_frame_equal(
        predicted, again, check_dtype=False, check_names=False, atol=1e-4, rtol=0
    )
    assert list(predicted.columns) == list(data.genes["gene_id"])

    patients = data.samples["patient"]
    new = patients.loc[predicted.index]
    assert set(new).isdisjoint(patients.drop(predicted.index))


def test_folder_that_cannot_be_written_to(tmp_path, capsys):
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    assert main(["demo", "--output", str(occupied / "folder"), *SIZES]) == 1
    assert "cannot write to the folder" in capsys.readouterr().err


def test_more_folds_than_patients(tmp_path, capsys):
    sizes = ["--samples", "20", "--probes", "60", "--genes", "10", "--folds", "30"]
    assert main(["demo", "--output", str(tmp_path), *sizes]) == 1
    assert "Lower --folds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--output"),
        (["--output", "x", "--samples", "3"], "x>=20"),
        (["--output", "x", "--genes", "many"], "many"),
    ],
)
def test_wrong_arguments_end_with_2(arguments, said, capsys):
    assert main(["demo", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_failing_model_ends_the_demo(tmp_path, capsys, monkeypatch):
    def compare_and_fail(*args, **options):
        comparison = compare_models(*args, **options)
        comparison.errors.loc[0] = ["ridge", 1, "LinAlgError: singular"]
        return comparison

    monkeypatch.setattr(_demo, "compare_models", compare_and_fail)
    assert main(["demo", "--output", str(tmp_path), *SIZES]) == 1
    assert "ridge failed in fold 1: LinAlgError: singular" in capsys.readouterr().err
