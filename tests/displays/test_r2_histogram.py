import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from omitrans.displays import R2HistogramDisplay
from omitrans.metrics import r2_per_feature, r2_per_sample

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    Y_true = rng.normal(rng.normal(size=60), 1.0, size=(40, 60))
    return Y_true, Y_true + rng.normal(size=Y_true.shape) * rng.uniform(0.1, 0.8, 60)


def bars(display):
    """Counts of the stairs, and those of the gathered bin."""
    (stairs,) = [patch for patch in display.ax_.patches if hasattr(patch, "get_data")]
    gathered = [patch.get_height() for patch in display.ax_.patches if patch is not stairs]
    counts, *_ = stairs.get_data()
    return counts, gathered


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def tick_labels(display):
    return [label.get_text() for label in display.ax_.get_xticklabels()]


@pytest.mark.parametrize(
    ("axis", "function"), [("feature", r2_per_feature), ("sample", r2_per_sample)]
)
def test_values_mean_and_median(tables, axis, function):
    display = R2HistogramDisplay.from_predictions(*tables, axis=axis)
    r2 = function(*tables)
    np.testing.assert_array_equal(display.r2, r2)
    assert legend(display) == [f"mean {r2.mean():.3f}", f"median {np.median(r2):.3f}"]
    counts, gathered = bars(display)
    assert counts.sum() == len(r2)
    assert gathered == []
    assert display.ax_.get_xlabel() == f"R² per {axis} ({len(r2)} {axis}s)"
    assert display.ax_.get_ylabel() == f"Number of {axis}s"


def test_low_values_are_gathered():
    r2 = np.concatenate([np.linspace(0, 1, 50), [-0.3, -10.0, -1e6]])
    display = R2HistogramDisplay(r2=r2).plot(bins=10)
    counts, gathered = bars(display)
    assert counts.sum() == 50
    assert gathered == [3]
    assert tick_labels(display)[0] == "< −0.25"
    assert "3 (6%)" in [text.get_text() for text in display.ax_.texts]
    assert display.ax_.get_xlim()[0] > -1
    assert legend(display)[0] == f"mean −{abs(r2.mean()):,.1f} (off scale, left)"


def test_gathered_bin_is_cut_before_it_dwarfs_the_others():
    r2 = np.concatenate([np.linspace(0, 1, 50), np.full(5000, -9.0)])
    display = R2HistogramDisplay(r2=r2).plot(bins=10)
    counts, (height,) = bars(display)
    assert height == pytest.approx(1.2 * counts.max())
    assert "5,000 (99%)" in [text.get_text() for text in display.ax_.texts]


def test_limit_can_be_moved():
    display = R2HistogramDisplay(r2=[-0.1, 0.2, 0.9]).plot(lower=0.0)
    assert bars(display)[1] == [pytest.approx(1.0)]
    assert tick_labels(display)[0] == "< 0.00"


@pytest.mark.parametrize("r2", [[0.5] * 4, [-3.0, -4.0], [1.0], [-0.25, -9.0]])
def test_degenerate_values_are_drawn(r2):
    display = R2HistogramDisplay(r2=r2).plot()
    display.figure_.canvas.draw()
    counts, gathered = bars(display)
    assert counts.sum() == sum(value >= -0.25 for value in r2)
    assert bool(gathered) == any(value < -0.25 for value in r2)


def test_from_estimator(tables):
    X, Y = pd.DataFrame(tables[1]), pd.DataFrame(tables[0])
    model = LinearRegression().fit(X[:30], Y[:30])
    display = R2HistogramDisplay.from_estimator(model, X[30:], Y[30:], axis="sample", bins=5)
    np.testing.assert_array_equal(display.r2, r2_per_sample(Y[30:], model.predict(X[30:])))


def test_unknown_axis(tables):
    with pytest.raises(ValueError, match="axis must be 'feature' or 'sample'; found 'gene'"):
        R2HistogramDisplay.from_predictions(*tables, axis="gene")


def test_undefined_values():
    with pytest.raises(ValueError, match="r2 contains NaN"):
        R2HistogramDisplay(r2=[0.1, np.nan]).plot()
