"""Tables and figures that the commands print or write."""

import sys
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from omitrans.displays import (
    GenePredictionDisplay,
    HistoryDisplay,
    ModelComparisonDisplay,
    R2HistogramDisplay,
)
from omitrans.utils._files import replacing
from omitrans.utils._optional import import_optional

# metric -> the two lines of its heading
_HEADINGS = {
    "mse": ("", "MSE"),
    "rmse": ("", "RMSE"),
    "mean_ae": ("mean", "AE"),
    "median_ae": ("median", "AE"),
    "mean_r2_per_sample": ("mean R²", "/sample"),
    "mean_r2_per_feature": ("mean R²", "/gene"),
    "median_r2_per_feature": ("median R²", "/gene"),
    "n_r2_per_feature_above": ("genes with", "R² > 0.3"),
    "fraction_r2_per_feature_above": ("their", "share"),
}


def format_table(summary: pd.DataFrame) -> str:
    """Return the nine metrics of Table 1 of the paper as text, one row per model.

    Parameters
    ----------
    summary : DataFrame of shape (n_models, n_metrics)
        Summary as :meth:`omitrans.comparison.ModelComparison.summary` returns it.

    Returns
    -------
    str
        Table as lines of text.
    """
    rows = [("", *words) for words in zip(*_HEADINGS.values(), strict=True)]
    for name, values in summary.iterrows():
        rows.append((str(name), *(_cell(metric, values[metric]) for metric in _HEADINGS)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        row[0].ljust(widths[0])
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
    lines.insert(2, "-" * len(lines[0]))
    return "\n".join(lines)


def print_comparison(summary: pd.DataFrame) -> None:
    """Print the nine metrics of each model: a table on a wide terminal, plain lines elsewhere.

    Parameters
    ----------
    summary : DataFrame of shape (n_models, n_metrics)
        Summary as :meth:`omitrans.comparison.ModelComparison.summary` returns it.
    """
    table = Table()
    table.add_column("", style="bold")
    for words in _HEADINGS.values():
        table.add_column("\n".join(words).strip(), justify="right")
    for name, values in summary.iterrows():
        table.add_row(str(name), *(_cell(metric, values[metric]) for metric in _HEADINGS))
    console = Console(highlight=False)
    needed = Console(width=1000).measure(table).maximum
    if sys.stdout.isatty() and needed <= console.width:
        console.print(table)
    else:
        print(format_table(summary))


def _cell(metric: str, value: float) -> str:
    """Return a number as text: counts without decimals, other metrics with four."""
    return f"{value:,.0f}" if metric.startswith("n_") else f"{value:,.4f}"


def draw_comparison(results: pd.DataFrame, folder: Path) -> dict[str, str]:
    """Draw figures that compare the models.

    Parameters
    ----------
    results : DataFrame
        The attribute ``results`` of a comparison.
    folder : Path
        Folder to write the figures to.

    Returns
    -------
    dict of str to str
        Description of each written file, by file name.
    """
    display = ModelComparisonDisplay.from_results(results)
    display.ax_.set_xlabel("Median R² per gene (higher is better)")
    _write(display, folder / "model_comparison.png")
    return {"model_comparison.png": "median R² per gene of each model, one dot per fold"}


def draw_model(
    model: Any,
    Y_true: pd.DataFrame,
    Y_pred: pd.DataFrame,
    folder: Path,
    *,
    title: str,
    unit: str,
) -> dict[str, str]:
    """Draw the training losses of a model and how well it predicts.

    Parameters
    ----------
    model : estimator
        Fitted model that was trained in epochs, or a Pipeline that ends in one.
    Y_true, Y_pred : DataFrame of shape (n_samples, n_genes)
        Real and predicted expression of samples that `model` was not fitted on.
    folder : Path
        Folder to write the figures to.
    title : str
        Title of the figures of these samples.
    unit : str
        Unit of the expression.

    Returns
    -------
    dict of str to str
        Description of each written file, by file name.
    """
    genes = R2HistogramDisplay.from_predictions(Y_true, Y_pred)
    genes.ax_.set(xlabel=f"R² per gene ({len(genes.r2):,} genes)", ylabel="Number of genes")
    samples = R2HistogramDisplay.from_predictions(Y_true, Y_pred, axis="sample", bins=20)
    examples = GenePredictionDisplay.from_predictions(Y_true, Y_pred, unit=unit)
    for display, name in (
        (genes, "r2_per_gene.png"),
        (samples, "r2_per_sample.png"),
        (examples, "example_genes.png"),
    ):
        display.figure_.suptitle(title)
        _write(display, folder / name)
    _write(HistoryDisplay.from_estimator(model), folder / "loss_curves.png")
    return {
        "r2_per_gene.png": "how well each gene is predicted; look here for the spread",
        "r2_per_sample.png": "how well each sample is predicted",
        "example_genes.png": "predicted against real for six genes, the best to the worst",
        "loss_curves.png": "how the model learned, epoch by epoch",
    }


def _write(display: Any, path: Path) -> None:
    pyplot = import_optional("matplotlib.pyplot", extra="plot", purpose="draw figures")
    with replacing(path) as unfinished:
        display.figure_.savefig(unfinished, dpi=150)
    pyplot.close(display.figure_)
