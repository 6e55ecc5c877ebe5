"""What every display has in common."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from omitrans.displays import (
    EmbeddingDisplay,
    GenePredictionDisplay,
    HistoryDisplay,
    ModelComparisonDisplay,
    R2HistogramDisplay,
)
from omitrans.exceptions import MissingDependencyError

DISPLAYS = {
    "EmbeddingDisplay": lambda: EmbeddingDisplay(
        real=np.eye(4)[:, :2], predicted=np.ones((4, 2)), labels=["BRCA", "LIHC"] * 2
    ),
    "R2HistogramDisplay": lambda: R2HistogramDisplay(r2=[0.1, 0.5, -9.0]),
    "GenePredictionDisplay": lambda: GenePredictionDisplay(
        y_true=np.eye(4)[:, :2], y_pred=np.ones((4, 2)), genes=["TP53", "XIST"], r2=[0.1, -2.0]
    ),
    "HistoryDisplay": lambda: HistoryDisplay(
        pd.DataFrame(
            {"epoch": [1, 2], "train_reconstruction": [2.0, 1.0], "train_adversarial": [0.7, 0.7]}
        )
    ),
    "ModelComparisonDisplay": lambda: ModelComparisonDisplay(
        values=pd.DataFrame({0: [0.1, 0.5], 1: [0.2, 0.4]}, index=["mean", "ridge"]), metric="rmse"
    ),
}


@pytest.fixture(params=DISPLAYS)
def display(request):
    return DISPLAYS[request.param]()


def test_plot_returns_the_display_and_keeps_the_axes(pyplot, display):
    assert display.plot() is display
    axes = np.ravel(display.ax_)
    assert len(axes) == len(display.figure_.axes)
    assert all(ax.figure is display.figure_ for ax in axes)
    assert len(pyplot.get_fignums()) == 1


def test_plot_draws_on_given_axes(pyplot, display):
    figure, axes = pyplot.subplots(1, 2)
    single = isinstance(display, EmbeddingDisplay | R2HistogramDisplay | ModelComparisonDisplay)
    display.plot(axes[0] if single else axes)
    assert display.figure_ is figure
    assert np.ravel(display.ax_)[0] is axes[0]
    assert len(pyplot.get_fignums()) == 1


def test_figure_draws_and_has_labels(pyplot, display, tmp_path):
    display.plot()
    display.figure_.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert display.figure_.get_supxlabel() or np.ravel(display.ax_)[0].get_xlabel()


def test_plotting_twice_changes_nothing(pyplot, display):
    first = {name: value for name, value in vars(display).items() if not name.endswith("_")}
    display.plot()
    display.plot()
    for name, value in first.items():
        assert vars(display)[name] is value


def test_missing_matplotlib_says_how_to_get_it(monkeypatch, display):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'omitrans\[plot\]'"):
        display.plot()


def test_importing_displays_does_not_import_matplotlib():
    code = "import omitrans.displays, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
