from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from omitrans.displays import KaplanMeierDisplay
from omitrans.metrics import kaplan_meier, log_rank_test

pytest.importorskip("lifelines")
pytestmark = pytest.mark.usefixtures("pyplot")

TIME = [1.0, 2.0, 2.0, 4.0, 1.5, 3.0, 5.0, 6.0]
EVENT = [1, 1, 0, 1, 0, 1, 0, 0]
GROUPS = ["$high"] * 4 + ["low"] * 4


@pytest.fixture
def display():
    return KaplanMeierDisplay.from_groups(TIME, EVENT, GROUPS, unit="years")


def lines(display):
    return {line.get_label(): line for line in display.ax_.get_lines()}


def test_curves_and_bands(display):
    curves = kaplan_meier(TIME, EVENT, GROUPS)
    drawn = lines(display)
    for group, label in (("$high", r"\$high (4; 3 events)"), ("low", "low (4; 1 events)")):
        curve = curves[curves["group"] == group]
        np.testing.assert_array_equal(drawn[label].get_xdata(), [0, *curve["time"]])
        np.testing.assert_array_equal(drawn[label].get_ydata(), [1, *curve["survival"]])
        assert drawn[label].get_drawstyle() == "steps-post"
    assert len(display.ax_.collections) == 2
    assert display.ax_.get_xlabel() == "Time (years)"


def test_censored_samples_are_marked(display):
    ticks = [line for line in display.ax_.get_lines() if line.get_marker() == "|"]
    assert [list(line.get_xdata()) for line in ticks] == [[2.0], [1.5, 5.0, 6.0]]
    np.testing.assert_allclose(ticks[0].get_ydata(), [0.5])


def test_numbers_at_risk(display):
    table = display.at_risk_
    for tick in table.columns:
        for group in ("$high", "low"):
            expected = sum(t >= tick and g == group for t, g in zip(TIME, GROUPS, strict=True))
            assert table.loc[group, tick] == expected
    texts = [text.get_text() for text in display.ax_.texts]
    assert texts[:2] == ["At risk", r"\$high"]
    assert texts[2 : 2 + table.shape[1]] == [str(n) for n in table.loc["$high"]]
    display.figure_.canvas.draw()


def test_title_holds_the_log_rank_test(display):
    p_value = log_rank_test(TIME, EVENT, GROUPS)[1]
    assert display.ax_.get_title() == f"log-rank p = {p_value:.3f}"
    small = KaplanMeierDisplay(kaplan_meier(TIME, EVENT), p_value=3e-9).plot()
    assert small.ax_.get_title() == "log-rank p = 3.0e−09"
    none = KaplanMeierDisplay.from_groups(TIME, [0] * 8, GROUPS)
    assert none.ax_.get_title() == "log-rank p: not defined"


def test_one_curve_without_a_table():
    display = KaplanMeierDisplay.from_groups(TIME, EVENT, at_risk=False)
    assert not display.ax_.texts
    assert not display.ax_.get_title()


def test_clusters():
    curves = kaplan_meier(TIME, EVENT, [1, 1, 2, 2] * 2)
    display = KaplanMeierDisplay.from_clusters(SimpleNamespace(curves=curves, p_value=0.5))
    assert list(display.at_risk_.index) == ["cluster 1", "cluster 2"]
    assert display.ax_.get_title() == "log-rank p = 0.500"


def test_given_axes_are_used(pyplot):
    _, ax = pyplot.subplots()
    display = KaplanMeierDisplay.from_groups(TIME, EVENT, GROUPS, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="no row"):
        KaplanMeierDisplay(pd.DataFrame()).plot()
