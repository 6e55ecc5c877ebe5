"""``omitrans compare``: compare models on tables from files."""

from typing import Any

import pandas as pd

from omitrans.cli._groups import check_groups, read_groups
from omitrans.cli._input import read_pair
from omitrans.cli._models import make_regressor
from omitrans.cli._output import check_target
from omitrans.cli._report import print_comparison
from omitrans.comparison import ModelComparison, compare_models
from omitrans.pipelines import make_translation_pipeline
from omitrans.utils._files import replacing
from omitrans.utils._validation import check_no_missing_targets


def run(options: Any) -> None:
    """Run the command.

    Parameters
    ----------
    options : namespace
        Options and arguments from the command line.
    """
    for path in (options.output, options.html):
        if path is not None:
            check_target(path, inputs=(options.source, options.target))
    check_groups(options.groups)
    where = "columns" if options.features_as_rows else "rows"
    X, Y = read_pair(options.source, options.target, samples=where, cure="--features-as-rows")
    check_no_missing_targets(Y)
    comparison = compare_models(
        {
            name: make_translation_pipeline(make_regressor(name, options.seed))
            for name in dict.fromkeys(options.models)
        },
        X,
        Y,
        cv=options.cv,
        groups=read_groups(options.groups, X.index),
        n_jobs=options.n_jobs,
        cache_dir=options.cache_dir,
        verbose=not options.json,
        return_predictions=options.html is not None,
    )
    _hand_over(comparison, Y, options)


def _hand_over(comparison: ModelComparison, Y: pd.DataFrame, options: Any) -> None:
    """Print the summary, and write the requested files."""
    if options.output is not None:
        with replacing(options.output) as path:
            comparison.results.to_csv(path, index=False)
    if options.html is not None:
        comparison.to_html(options.html, Y=Y)
    summary = comparison.summary()
    if options.json:
        print(summary.to_json(orient="index", indent=2))
    else:
        print_comparison(summary)
        for path in (options.output, options.html):
            if path is not None:
                print(f"Written to {path}.")
