from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from omitrans.displays import CoverageCurveDisplay
from omitrans.exceptions import FeatureMismatchError

pytestmark = pytest.mark.usefixtures("pyplot")

SHARES = [1.0, 0.9, 0.7, 0.5]


@pytest.fixture
def card():
    r2 = np.linspace(0.0, 0.8, 9)
    names = [f"gene{i}" for i in range(8)] + ["$x"]
    curve = pd.DataFrame(np.outer(SHARES, r2), index=SHARES, columns=names)
    genes = pd.DataFrame({"r2": r2, "predictable": r2 > 0.55}, names)
    return SimpleNamespace(coverage_curve=curve, genes=genes)


def lines(display):
    return {line.get_label(): line for line in display.ax_.get_lines()}


def test_median_and_quartiles(card):
    display = CoverageCurveDisplay.from_trust_card(card)
    line = lines(display)["median of 9 genes"]
    np.testing.assert_array_equal(line.get_xdata(), SHARES[::-1])
    np.testing.assert_allclose(line.get_ydata(), 0.4 * np.array(SHARES[::-1]))
    (band,) = display.ax_.collections
    corners = band.get_paths()[0].vertices
    at_all = corners[corners[:, 0] == 1.0][:, 1]
    np.testing.assert_allclose([at_all.min(), at_all.max()], [0.2, 0.6])
    assert display.ax_.get_ylabel() == "R² per gene"


def test_predictable_genes_only(card):
    display = CoverageCurveDisplay.from_trust_card(card, predictable_only=True)
    np.testing.assert_allclose(lines(display)["median of 3 genes"].get_ydata()[-1], 0.7)


def test_named_genes_do_not_count_among_the_predictable(card):
    display = CoverageCurveDisplay.from_trust_card(card, predictable_only=True, genes=["gene1"])
    np.testing.assert_allclose(lines(display)["median of 3 genes"].get_ydata()[-1], 0.7)
    np.testing.assert_allclose(lines(display)["gene1"].get_ydata(), 0.1 * np.array(SHARES[::-1]))


def test_name_with_a_dollar_is_drawn(card):
    display = CoverageCurveDisplay.from_trust_card(card, genes=["$x", "gene0"])
    display.figure_.canvas.draw()
    assert r"\$x" in lines(display)


def test_samples_are_marked(card):
    display = CoverageCurveDisplay.from_trust_card(card, coverage=[0.8, 0.9, np.nan, 0.85])
    marked = lines(display)
    assert list(marked["these samples: 85%"].get_xdata()) == [0.85, 0.85]
    (ticks,) = [line for line in marked.values() if line.get_marker() == "|"]
    assert list(ticks.get_xdata()) == [0.8, 0.9, 0.85]


def test_no_sample_is_known(card):
    display = CoverageCurveDisplay.from_trust_card(card, coverage=[np.nan])
    assert not [label for label in lines(display) if label.startswith("these")]


def test_genes_without_numbers_are_passed_over(card):
    card.coverage_curve["gene0"] = np.nan
    display = CoverageCurveDisplay.from_trust_card(card)
    line = lines(display)["median of 8 genes"]
    np.testing.assert_allclose(line.get_ydata()[-1], 0.45)


def test_given_axes_are_used(card, pyplot):
    _, ax = pyplot.subplots()
    display = CoverageCurveDisplay.from_trust_card(card, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def test_unknown_gene(card):
    with pytest.raises(FeatureMismatchError, match=r"1 that the trust card lacks .first: 'absent'"):
        CoverageCurveDisplay.from_trust_card(card, genes=["gene1", "absent"])


def test_no_predictable_gene(card):
    card.genes["predictable"] = False
    with pytest.raises(ValueError, match="no gene predictable"):
        CoverageCurveDisplay.from_trust_card(card, predictable_only=True)


def test_no_numbers(card):
    with pytest.raises(ValueError, match="holds no number"):
        CoverageCurveDisplay(card.coverage_curve * np.nan).plot()
