"""What every display has in common."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from omitrans import displays
from omitrans.exceptions import MissingDependencyError
from omitrans.utils.discovery import all_displays

R2 = pd.DataFrame({"Liver": [0.1, 0.5, 0.3], "Lung": [0.2, np.nan, 0.4]})
RATES = pd.Index([0.1, 0.5], name="missing_rate")
# Arguments of every display, found by walking the package.
ARGUMENTS = {
    "CategoryEmbeddingDisplay": {
        "places": pd.DataFrame(np.eye(3)[:, :2], ["Cortex", "Liver", "Lung"]),
        "families": ["brain", "other", "other"],
    },
    "CounterfactualRankingDisplay": {
        "ranking": pd.DataFrame(
            {"gene": ["TP53", "EGFR"], "effect": [-1.0, 0.5], "low": [-1.2, 0], "high": [-0.8, 1]}
        )
    },
    "CoverageCurveDisplay": {
        "curve": pd.DataFrame({"geneA": [0.7, 0.2], "geneB": [0.5, 0.3]}, index=[1.0, 0.5]),
        "coverage": [0.88, 0.92],
    },
    "DownstreamDisplay": {
        "scores": pd.DataFrame(
            {"model": ["ridge", "mean"], "setting": ["test", "union"], "value": [0.4, 0.1]}
        ).assign(lower=[0.3, np.nan], upper=[0.5, np.nan], chance=0.0),
        "label": "clusters: ari",
    },
    "EmbeddingDisplay": {
        "real": np.eye(4)[:, :2],
        "predicted": np.ones((4, 2)),
        "labels": ["BRCA", "LIHC"] * 2,
    },
    "GeneClusterDisplay": {"shared": np.array([[5, 1], [0, 4]])},
    "GeneCorrelationDisplay": {
        "correlations": {"real": pd.DataFrame(np.eye(3), list("ABC"), list("ABC"))}
    },
    "GenePredictionDisplay": {
        "y_true": np.eye(4)[:, :2],
        "y_pred": np.ones((4, 2)),
        "genes": ["TP53", "XIST"],
        "r2": [0.1, -2.0],
    },
    "GroupR2Display": {"r2": R2},
    "HistoryDisplay": {
        "history": pd.DataFrame(
            {"epoch": [1, 2], "train_reconstruction": [2.0, 1.0], "train_adversarial": [0.7, 0.7]}
        )
    },
    "IntervalDisplay": {"held": [0.9, 0.8, 1.0], "n_samples": 10},
    "KaplanMeierDisplay": {
        "curves": pd.DataFrame(
            {
                "group": ["a", "a", "b"],
                "time": [1.0, 2.0, 2.5],
                "at_risk": [2, 1, 1],
                "events": [1, 0, 1],
                "censored": [0, 1, 0],
                "survival": [0.5, 0.5, 0.0],
                "lower": [0.1, 0.1, np.nan],
                "upper": [0.8, 0.8, np.nan],
            }
        ),
        "p_value": 0.2,
    },
    "MissingRateDisplay": {
        "mean": pd.DataFrame({"mean": [0.1, 0.0], "5-NN": [0.8, 0.5]}, index=RATES),
        "deviation": pd.DataFrame({"mean": [0.1, 0.1], "5-NN": [0.1, 0.2]}, index=RATES),
    },
    "ModelComparisonDisplay": {
        "values": pd.DataFrame({0: [0.1, 0.5], 1: [0.2, 0.4]}, index=["mean", "ridge"]),
        "metric": "rmse",
    },
    "R2HistogramDisplay": {"r2": [0.1, 0.5, -9.0]},
    "ShiftDisplay": {"training_distances": [0.5, 1.0, 1.5], "threshold": 2.0, "distances": [3.0]},
    "SyntheticEmbeddingDisplay": {
        "places": np.eye(4)[:, :2],
        "labels": pd.DataFrame(
            {"tissue": ["lung", "liver"] * 2, "origin": ["real", "generated"] * 2}
        ),
    },
}
# They draw on several axes.
SEVERAL_AXES = {
    "GeneCorrelationDisplay",
    "GenePredictionDisplay",
    "HistoryDisplay",
    "SyntheticEmbeddingDisplay",
}


def test_every_display_is_tested():
    assert {name for name, _ in all_displays()} == set(ARGUMENTS)


@pytest.fixture(params=ARGUMENTS)
def display(request):
    return getattr(displays, request.param)(**ARGUMENTS[request.param])


def test_plot_returns_the_display_and_keeps_the_axes(pyplot, display):
    assert display.plot() is display
    axes = np.ravel(display.ax_)
    assert len(axes) == len(display.figure_.axes)
    assert all(ax.figure is display.figure_ for ax in axes)
    assert len(pyplot.get_fignums()) == 1


def test_plot_draws_on_given_axes(pyplot, display):
    figure, axes = pyplot.subplots(1, 2)
    single = type(display).__name__ not in SEVERAL_AXES
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
