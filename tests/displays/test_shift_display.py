import numpy as np
import pytest

from omitrans.displays import ShiftDisplay
from omitrans.trust import DomainShiftDetector

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture(name="detector")
def make_detector(rng):
    return DomainShiftDetector(random_state=0).fit(rng.normal(size=(60, 20)))


def shares(display):
    """Heights of each histogram."""
    return [patch.get_data().values for patch in display.ax_.patches]


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_from_estimator(detector, rng):
    X = np.vstack([rng.normal(size=(10, 20)), rng.normal(size=(5, 20)) * 10])
    display = ShiftDisplay.from_estimator(detector, X, name="site 2")
    np.testing.assert_array_equal(display.distances, detector.distance(X))
    np.testing.assert_array_equal(display.training_distances, detector.training_distances_)
    n_flagged = (detector.predict(X) == -1).sum()
    assert legend(display) == [
        "training, held out (60)",
        f"site 2 (15; {n_flagged} flagged)",
        f"threshold {detector.threshold_:.2f}",
    ]


def test_every_sample_is_in_a_bin(detector, rng):
    display = ShiftDisplay.from_estimator(detector, rng.normal(size=(30, 20)) * 100)
    for heights in shares(display):
        assert heights.sum() == pytest.approx(1)
    low, high = display.ax_.get_xlim()
    assert low < detector.training_distances_.min()
    assert high > display.distances.max()


def test_training_samples_alone(detector):
    display = ShiftDisplay.from_estimator(detector, bins=7)
    (heights,) = shares(display)
    assert len(heights) == 7
    assert len(legend(display)) == 2


def test_threshold_is_drawn(detector):
    display = ShiftDisplay.from_estimator(detector)
    (line,) = display.ax_.get_lines()
    np.testing.assert_array_equal(line.get_xdata(), detector.threshold_)


@pytest.mark.parametrize("distances", [[0.0, 1.0], [1.0], [1.0, 1.0], [1e-9, 1e9]])
def test_degenerate_distances_are_drawn(distances):
    display = ShiftDisplay(training_distances=distances, threshold=1.0, distances=[0.0]).plot()
    display.figure_.canvas.draw()
    for heights in shares(display):
        assert heights.sum() == pytest.approx(1)


def test_given_axes_are_used(detector, pyplot):
    _, ax = pyplot.subplots()
    assert ShiftDisplay.from_estimator(detector, ax=ax).ax_ is ax


@pytest.mark.parametrize(
    ("distances", "message"),
    [([-1.0], "distances must not be negative; found -1"), ([np.nan], "distances contains NaN")],
)
def test_bad_distances(distances, message):
    display = ShiftDisplay(training_distances=[1.0], threshold=1.0, distances=distances)
    with pytest.raises(ValueError, match=message):
        display.plot()
