import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.linear_model import LinearRegression

from omitrans.displays import GenePredictionDisplay
from omitrans.exceptions import FeatureMismatchError
from omitrans.metrics import r2_per_feature

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    Y_true = rng.normal(5.0, 1.0, size=(30, 12))
    Y_pred = Y_true + rng.normal(size=Y_true.shape) * np.linspace(2, 0.1, 12)
    Y_true[:, 3] = 0.0
    names = [f"gene{i}" for i in range(12)]
    return pd.DataFrame(Y_true, columns=names), pd.DataFrame(Y_pred, columns=names)


def test_examples_run_from_best_to_worst_of_the_varying(tables):
    display = GenePredictionDisplay.from_predictions(*tables, n_genes=4)
    r2 = r2_per_feature(*tables).drop("gene3")
    assert len(display.ax_) == 4
    assert (np.diff(display.r2) < 0).all()
    assert display.genes[0] == r2.idxmax()
    assert display.genes[-1] == r2.idxmin()


def test_panels_show_the_values(tables):
    Y_true, Y_pred = tables
    display = GenePredictionDisplay.from_predictions(Y_true, Y_pred, genes=["gene7", "gene3"])
    assert display.genes == ["gene7", "gene3"]
    for ax, gene in zip(display.ax_, display.genes, strict=True):
        (points,) = ax.collections
        assert_array_equal(points.get_offsets(), np.c_[Y_true[gene], Y_pred[gene]])
        assert ax.get_title().startswith(f"{gene}\nR² = ")
        assert ax.get_xlim() == ax.get_ylim()
    assert display.ax_[1].get_title() == "gene3\nR² = 0.00"


def test_unit_is_in_the_labels(pyplot, tables):
    display = GenePredictionDisplay.from_predictions(*tables, n_genes=2)
    assert display.figure_.get_supxlabel() == "Real, log2(FPKM + 1)"
    assert display.figure_.get_supylabel() == "Predicted, log2(FPKM + 1)"
    _, axes = pyplot.subplots(1, 2)
    display = GenePredictionDisplay.from_predictions(*tables, n_genes=2, unit="beta", ax=axes)
    assert [ax.get_xlabel() for ax in display.ax_] == ["Real, beta"] * 2


def test_arrays_take_columns(tables):
    Y_true, Y_pred = (table.to_numpy() for table in tables)
    display = GenePredictionDisplay.from_predictions(Y_true, Y_pred, genes=[5, 0])
    assert_array_equal(display.y_true, Y_true[:, [5, 0]])
    assert display.genes == ["5", "0"]


def test_more_panels_asked_for_than_genes(tables):
    display = GenePredictionDisplay.from_predictions(*tables, n_genes=50, n_columns=4)
    assert len(display.ax_) == 11  # one of the twelve is constant
    assert len(display.figure_.axes) == 11


def test_constant_genes_only():
    Y = np.zeros((5, 2))
    display = GenePredictionDisplay.from_predictions(Y, Y)
    display.figure_.canvas.draw()
    assert len(display.ax_) == 2


def test_from_estimator(tables):
    Y, X = tables
    model = LinearRegression().fit(X, Y)
    display = GenePredictionDisplay.from_estimator(model, X, Y, genes=["gene5"])
    np.testing.assert_allclose(display.y_pred[:, 0], model.predict(X)[:, 5])


def test_unknown_gene(tables):
    with pytest.raises(FeatureMismatchError, match=r"genes holds 1 .*'TP53'.*'gene0'"):
        GenePredictionDisplay.from_predictions(*tables, genes=["TP53", "gene1"])


def test_too_few_axes(pyplot, tables):
    _, axes = pyplot.subplots(1, 2)
    with pytest.raises(ValueError, match="ax holds 2 axes, but there are 3 panels"):
        GenePredictionDisplay.from_predictions(*tables, n_genes=3, ax=axes)
