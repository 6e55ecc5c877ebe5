import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression

from omitrans.displays import EmbeddingDisplay
from omitrans.exceptions import FeatureMismatchError, MissingDependencyError

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture
def kinds():
    return np.repeat(["BRCA", "LIHC", "LUAD"], 10)


@pytest.fixture
def tables(kinds):
    """Three far kinds of samples; predictions are near to the truth."""
    rng = np.random.default_rng(0)
    centres = dict(zip(np.unique(kinds), rng.normal(0, 10, size=(3, 60)), strict=True))
    Y_true = np.stack([centres[kind] for kind in kinds]) + rng.normal(size=(30, 60))
    Y_pred = Y_true + 0.01 * rng.normal(size=Y_true.shape)
    names = [f"gene{i}" for i in range(60)]
    return pd.DataFrame(Y_true, columns=names), pd.DataFrame(Y_pred, columns=names)


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_profiles_of_a_sample_lie_together(tables, kinds, method):
    display = EmbeddingDisplay.from_predictions(
        *tables, labels=kinds, method=method, random_state=0
    )
    centres = np.stack([display.real[kinds == kind].mean(axis=0) for kind in np.unique(kinds)])
    nearest = np.linalg.norm(display.predicted[:, None] - centres, axis=2).argmin(axis=1)
    assert_array_equal(np.unique(kinds)[nearest], kinds)


def test_same_seed_same_map(tables):
    first, second = (
        EmbeddingDisplay.from_predictions(*tables, random_state=3).real for _ in range(2)
    )
    assert_array_equal(first, second)


def test_points_and_legend_show_kinds(tables, kinds):
    display = EmbeddingDisplay.from_predictions(*tables, labels=kinds, method="pca")
    drawn = [points.get_offsets() for points in display.ax_.collections]
    assert_allclose(drawn[0], display.real[:10])
    assert_allclose(drawn[1], display.predicted[:10])
    assert len(drawn) == 6
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["real", "predicted", "BRCA", "LIHC", "LUAD"]


def test_lines_join_the_profiles(tables):
    display = EmbeddingDisplay.from_predictions(*tables, method="pca", lines=True)
    assert len(display.ax_.lines) == 30
    assert_allclose(display.ax_.lines[4].get_xydata(), [display.real[4], display.predicted[4]])


def test_many_kinds_get_different_colours():
    labels = [f"type{i}" for i in range(33)]
    places = np.random.default_rng(0).normal(size=(33, 2))
    display = EmbeddingDisplay(real=places, predicted=places, labels=labels).plot()
    colors = {tuple(points.get_edgecolor()[0]) for points in display.ax_.collections}
    assert len(colors) == 33


def test_from_estimator(tables):
    Y, X = tables
    model = LinearRegression().fit(X, Y)
    display = EmbeddingDisplay.from_estimator(model, X, Y, method="pca", random_state=0)
    again = EmbeddingDisplay.from_predictions(Y, model.predict(X), method="pca", random_state=0)
    assert_allclose(display.predicted, again.predicted)


def test_umap_absent(monkeypatch, tables):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'omitrans\[umap\]'"):
        EmbeddingDisplay.from_predictions(*tables, method="umap")


def test_bad_input(tables):
    with pytest.raises(ValueError, match="labels holds 3 values for 30 samples"):
        EmbeddingDisplay.from_predictions(*tables, labels=["a", "b", "c"])
    with pytest.raises(ValueError, match="method must be one of tsne, umap, pca"):
        EmbeddingDisplay.from_predictions(*tables, method="mds")
    with pytest.raises(ValueError, match="at least 2 samples; found 1"):
        EmbeddingDisplay.from_predictions(tables[0][:1], tables[1][:1])


def test_predictions_of_other_samples_lie_among_real_ones_of_their_kind(tables, kinds):
    Y_real, Y_pred = tables
    others = kinds != "LIHC"
    display = EmbeddingDisplay.from_cohorts(
        Y_real,
        Y_pred.loc[others, ::-1],  # matched by name
        real_labels=kinds,
        predicted_labels=kinds[others],
        method="pca",
        random_state=0,
    )
    assert display.predicted.shape == (20, 2)
    centres = np.stack([display.real[kinds == kind].mean(axis=0) for kind in np.unique(kinds)])
    nearest = np.linalg.norm(display.predicted[:, None] - centres, axis=2).argmin(axis=1)
    assert_array_equal(np.unique(kinds)[nearest], kinds[others])
    drawn = [len(points.get_offsets()) for points in display.ax_.collections]
    assert drawn == [10, 10, 10, 0, 10, 10]


def test_kinds_of_both_cohorts_share_colours():
    places = np.zeros((2, 2))
    display = EmbeddingDisplay(
        real=places, predicted=places, labels=["a", "b"], predicted_labels=["b", "c"]
    ).plot()
    colors = [
        tuple(points.get_edgecolor()[0]) if len(points.get_offsets()) else None
        for points in display.ax_.collections
    ]
    real_a, predicted_a, real_b, predicted_b, real_c, predicted_c = colors
    assert predicted_a is None
    assert real_c is None
    assert real_b == predicted_b
    assert len({real_a, real_b, predicted_c}) == 3


def test_cohorts_that_do_not_fit(tables, kinds):
    Y_real, Y_pred = tables
    with pytest.raises(FeatureMismatchError, match=r"1 columns are in only one.*gene59"):
        EmbeddingDisplay.from_cohorts(Y_real, Y_pred.iloc[:, :-1], method="pca")
    with pytest.raises(FeatureMismatchError, match="the same columns"):
        EmbeddingDisplay.from_cohorts(np.zeros((3, 4)), np.zeros((3, 5)), method="pca")
    with pytest.raises(ValueError, match="predicted_labels holds 30 values for 5 samples"):
        EmbeddingDisplay.from_cohorts(
            Y_real, Y_pred[:5], real_labels=kinds, predicted_labels=kinds, method="pca"
        )
    with pytest.raises(ValueError, match="Only one table has labels"):
        EmbeddingDisplay.from_cohorts(Y_real, Y_pred, real_labels=kinds, method="pca")
    with pytest.raises(ValueError, match="Y_real holds 30 samples and Y_pred 0"):
        EmbeddingDisplay.from_cohorts(Y_real, Y_pred[:0], method="pca")
    with pytest.raises(ValueError, match="profiles of different samples"):
        EmbeddingDisplay(real=np.zeros((3, 2)), predicted=np.zeros((2, 2))).plot(lines=True)
