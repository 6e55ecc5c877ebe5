import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from omitrans.displays import IntervalDisplay
from omitrans.displays._interval import _edges
from omitrans.exceptions import FeatureMismatchError, SampleMismatchError

pytestmark = pytest.mark.usefixtures("pyplot")

N_SAMPLES, N_GENES = 60, 300


@pytest.fixture
def truth():
    rng = np.random.default_rng(0)
    genes = [f"gene{i}" for i in range(N_GENES)]
    samples = [f"s{i}" for i in range(N_SAMPLES)]
    return pd.DataFrame(rng.normal(size=(N_SAMPLES, N_GENES)), samples, genes)


def predict(truth, half):
    centre = 0 * truth
    bounds = [(centre - half).add_suffix("_lower"), (centre + half).add_suffix("_upper")]
    return pd.concat([centre, *bounds], axis=1)


def stairs(display):
    """Counts and edges of what was measured, and what chance would give."""
    (measured, edges, _), (chance, *_) = [patch.get_data() for patch in display.ax_.patches]
    return measured, chance, edges


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_right_intervals_hold_what_they_promise(truth):
    display = IntervalDisplay.from_predictions(truth, predict(truth, norm.ppf(0.95)), level=0.9)
    inside = (truth.abs() <= norm.ppf(0.95)).mean()
    pd.testing.assert_series_equal(display.held, inside)
    measured, chance, _ = stairs(display)
    assert measured.sum() == N_GENES
    assert chance.sum() == pytest.approx(N_GENES, rel=0.01)
    assert np.abs(measured - chance).max() < 4 * np.sqrt(chance.max())
    assert legend(display)[-2:] == ["promised 90%", f"mean {inside.mean():.1%}"]


def test_chance_is_binomial(truth):
    display = IntervalDisplay.from_predictions(truth, predict(truth, 1.0), level=0.8)
    _, chance, edges = stairs(display)
    shares = np.arange(N_SAMPLES + 1)
    for expected, low, high in zip(chance, edges[:-1], edges[1:], strict=True):
        inside = shares[(shares > low * N_SAMPLES) & (shares < high * N_SAMPLES)]
        exact = N_GENES * binom.pmf(inside, N_SAMPLES, 0.8).sum()
        assert expected == pytest.approx(exact, abs=1e-9)


def test_narrow_intervals_lie_to_the_left(truth):
    display = IntervalDisplay.from_predictions(truth, predict(truth, 0.2))
    assert display.held.max() < 0.5
    measured, _, _ = stairs(display)
    assert measured.sum() == N_GENES


def test_missing_truth_is_not_counted(truth):
    truth.iloc[:30, 0] = np.nan
    truth.iloc[30:, 0] = 0.0
    truth.iloc[:, 1] = np.nan
    display = IntervalDisplay.from_predictions(truth, predict(truth.fillna(0.0), 1.0))
    assert display.held["gene0"] == 1.0
    assert np.isnan(display.held["gene1"])
    assert f"of {N_GENES - 1}" in display.ax_.get_ylabel()


def test_genes_without_intervals_or_truth_are_left_out(truth):
    predictions = predict(truth, 1.0).drop(columns=["gene0_lower"])
    display = IntervalDisplay.from_predictions(truth.drop(columns="gene1"), predictions)
    assert len(display.held) == N_GENES - 2


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.floats(0.05, 0.99), st.floats(0, 1), st.floats(0, 1))
def test_bins_hold_every_share_and_are_few(n_samples, level, low, high):
    held = np.round(np.array([low, high]) * n_samples) / n_samples
    edges = _edges(held, n_samples, level)
    assert 2 <= len(edges) <= 31
    assert np.all(np.diff(edges) > 0)
    assert edges[0] < held.min()
    assert edges[-1] > 1 >= held.max()
    np.testing.assert_allclose(edges * n_samples % 1, 0.5, atol=1e-6)


@pytest.mark.parametrize("n_samples", [1, 2, 5000])
def test_any_number_of_samples_is_drawn(n_samples):
    display = IntervalDisplay([1.0, 0.0], n_samples=n_samples).plot()
    display.figure_.canvas.draw()
    assert stairs(display)[0].sum() == 2


def test_other_samples(truth):
    predictions = predict(truth, 1.0)
    with pytest.raises(SampleMismatchError, match=r"Y_true.loc\[predictions.index\]"):
        IntervalDisplay.from_predictions(truth[::-1], predictions)


def test_no_intervals(truth):
    with pytest.raises(FeatureMismatchError, match=r"intervals=0.8"):
        IntervalDisplay.from_predictions(truth, truth, level=0.8)
