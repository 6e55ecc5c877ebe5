"""``omitrans compare``: models against one another on tables from files."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.baselines import make_baselines
from omitrans.cli._output import integer, report_progress
from omitrans.cli._report import format_table
from omitrans.cli._tables import read_table, shared_samples
from omitrans.estimators import OmiTransRegressor, TDimputeRegressor
from omitrans.estimators._presets import OMITRANS_PRESETS
from omitrans.exceptions import OmiTransError
from omitrans.model_selection import ModelComparison, compare_models, patient_of
from omitrans.pipelines import make_translation_pipeline

_MAKERS: dict[str, Callable[[int], Any]] = {
    "tdimpute": lambda seed: TDimputeRegressor(random_state=seed),
    "omitrans": lambda seed: OmiTransRegressor(random_state=seed),
} | {
    f"omitrans-{name}": lambda seed, name=name: OmiTransRegressor.from_preset(
        name, random_state=seed
    )
    for name in OMITRANS_PRESETS
}
MODELS = (*make_baselines(), *_MAKERS)
DEFAULT_MODELS = ("mean", "ridge", "kernel-ridge", "omitrans")


def run(arguments: Sequence[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str
        What follows ``omitrans compare`` on the command line.
    """
    options = _parser().parse_args(arguments)
    X = read_table(options.source, features_as_rows=options.features_as_rows)
    Y = read_table(options.target, features_as_rows=options.features_as_rows)
    samples = shared_samples(X, Y)
    report_progress(
        f"{len(samples)} samples are in both tables (of {len(X)} and {len(Y)}): "
        f"{X.shape[1]} source and {Y.shape[1]} target features."
    )
    X, Y = X.loc[samples], Y.loc[samples]
    groups = _groups(options.groups, samples)
    try:
        comparison = compare_models(
            {name: _make(name, options.seed) for name in dict.fromkeys(options.models)},
            X,
            Y,
            cv=options.cv,
            groups=groups,
            n_jobs=options.n_jobs,
            cache_dir=options.cache_dir,
            verbose=not options.json,
            return_predictions=options.html is not None,
        )
    except ValueError as error:  # of scikit-learn, such as more folds than samples
        raise OmiTransError(str(error)) from error
    _hand_over(comparison, Y, options)


def _make(name: str, seed: int) -> Any:
    if name in _MAKERS:
        regressor = _MAKERS[name](seed)
    else:
        regressor = make_baselines([name], random_state=seed)[name]
    return make_translation_pipeline(regressor)


def _groups(source: str | None, samples: pd.Index) -> Any:
    """Return the group of every sample: its patient, or what a file says."""
    if source is None:
        return None
    if source in ("tcga", "gtex"):
        try:
            return patient_of(samples, id_format=source)
        except ValueError as error:
            raise OmiTransError(str(error)) from error
    table = pd.read_csv(source, sep=None, engine="python", index_col=0, dtype=str)
    table.index = table.index.astype(str)
    if not table.shape[1] or table.index.has_duplicates:
        raise OmiTransError(f"{source!r} must hold two columns, sample and group, a sample once.")
    groups = table.iloc[:, 0].reindex(samples)
    if groups.isna().any():
        missing = groups.index[groups.isna()]
        raise OmiTransError(f"{source!r} lacks {len(missing)} samples (first: {missing[0]}).")
    return groups


def _hand_over(comparison: ModelComparison, Y: pd.DataFrame, options: Any) -> None:
    """Print the summary, and write what was asked for."""
    if options.output is not None:
        comparison.results.to_csv(options.output, index=False)
    if options.html is not None:
        comparison.to_html(options.html, Y=Y)
    summary = comparison.summary()
    print(summary.to_json(orient="index", indent=2) if options.json else format_table(summary))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="omitrans compare",
        description="Cross-validate models that predict one table from another.",
        epilog=f"models: {', '.join(MODELS)}. Each stands behind the same preprocessing, which "
        "learns from training samples only.",
    )
    add = parser.add_argument
    table = "csv, tsv (also .gz) or parquet; samples are rows, the first column holds their ids"
    add("source", type=Path, metavar="X", help=f"table to predict from: {table}")
    add("target", type=Path, metavar="Y", help="table to predict, in the same form")
    add("--features-as-rows", action="store_true", help="samples are columns in both tables")
    add("--models", nargs="+", choices=MODELS, default=list(DEFAULT_MODELS), metavar="NAME")
    add("--cv", type=integer(2), default=5, metavar="N", help="folds (default: %(default)s)")
    add(
        "--groups",
        metavar="WHAT",
        help="what stays on one side of a split: tcga or gtex (the patient, read from the sample "
        "ids), or a file of two columns, sample and group",
    )
    add("--cache-dir", type=Path, metavar="DIR", help="keep finished folds there, and go on")
    add("--output", type=Path, metavar="FILE", help="write all numbers as csv")
    add("--html", type=Path, metavar="FILE", help="write a report with figures")
    add("--n-jobs", type=int, default=1, metavar="N", help="fits at once; -1 takes all cores")
    add("--seed", type=integer(0), default=0, metavar="N", help="of the models")
    add("--json", action="store_true", help="print the summary as JSON")
    return parser
