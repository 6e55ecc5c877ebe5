"""Generators of expression for the commands: fitted to tables, or loaded from a file."""

from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.cli._covariates import names_of_samples, read_covariates
from omitrans.cli._groups import read_groups
from omitrans.cli._models import make_generator
from omitrans.cli._output import is_watched, listed, report_progress, working
from omitrans.exceptions import OmiTransError
from omitrans.persistence import load
from omitrans.utils._validation import check_no_missing_targets


def named_columns(options: Any) -> dict[str, tuple[str, ...]]:
    """Return the columns that the options name, by their kind.

    Parameters
    ----------
    options : namespace
        Options of the command, with ``categorical``, ``numeric`` and ``ignore``.

    Returns
    -------
    dict of str to tuple of str
        Names of categorical, numeric and ignored columns.
    """
    columns = {
        "categorical": options.categorical,
        "numeric": options.numeric,
        "ignored": options.ignore,
    }
    seen: dict[str, str] = {}
    for kind, names in columns.items():
        for name in names:
            if seen.setdefault(name, kind) != kind:
                raise OmiTransError(
                    f"column {name!r} is named as {seen[name]} and as {kind}. Name it once."
                )
    return columns


def new_generator(options: Any, covariates: pd.DataFrame) -> Any:
    """Return the unfitted generator that the options name.

    Parameters
    ----------
    options : namespace
        Options of the command, with ``model``, ``seed`` and ``ignore``.
    covariates : DataFrame of shape (n_samples, n_covariates)
        Covariates of the training samples.

    Returns
    -------
    estimator
        The unfitted generator.
    """
    if not len(covariates.columns.drop(list(options.ignore))):
        raise OmiTransError("no covariate is left. Ignore fewer columns.")
    odd = names_of_samples(covariates, options.ignore)
    if odd:
        report_progress(
            f"Columns with nearly as many levels as samples: {listed(odd)}. If they name samples "
            "or donors, leave them out with --ignore."
        )
    return make_generator(options.model, options.seed, ignored_columns=list(options.ignore) or None)


def fit_generator(options: Any, covariates: pd.DataFrame, expression: pd.DataFrame) -> Any:
    """Fit the generator that the options name, and show the progress.

    Parameters
    ----------
    options : namespace
        Options of the command.
    covariates : DataFrame of shape (n_samples, n_covariates)
        Covariates of the training samples.
    expression : DataFrame of shape (n_samples, n_genes)
        Expression of the same samples.

    Returns
    -------
    estimator
        The fitted generator.
    """
    check_no_missing_targets(expression)
    generator = new_generator(options, covariates)
    groups = read_groups(options.groups, covariates.index)
    text = f"Fitting {options.model} to {len(covariates):,} samples ..."
    if "verbose" in generator.get_params() and is_watched():
        report_progress(text)
        return generator.set_params(verbose=1).fit(covariates, expression, groups=groups)
    with working(text):
        return generator.fit(covariates, expression, groups=groups)


def load_generator(path: Path) -> Any:
    """Load a generator, or raise an error if the file holds another model.

    Parameters
    ----------
    path : Path
        Path of the model file.

    Returns
    -------
    estimator
        The fitted generator.
    """
    generator = load(path)
    if not hasattr(generator, "sample_y") or not hasattr(generator, "covariates_"):
        raise OmiTransError(
            f"{str(path)!r} holds a {type(generator).__name__}, which is no fitted generator of "
            "expression. Give a file that omitrans generate --save wrote."
        )
    return generator


def covariates_for(generator: Any, path: Path) -> pd.DataFrame:
    """Read covariates of the kinds that a fitted generator knows.

    Parameters
    ----------
    generator : estimator
        The fitted generator.
    path : Path
        Path of the table.

    Returns
    -------
    DataFrame of shape (n_samples, n_covariates)
        The covariates that the generator uses.
    """
    encoder = generator.covariates_
    kinds = {kind: encoder.labels(kind) for kind in ("categorical", "numeric")}
    return as_known_levels(generator, read_covariates(path, **kinds))[
        [*kinds["categorical"], *kinds["numeric"]]
    ]


def as_known_levels(generator: Any, covariates: pd.DataFrame) -> pd.DataFrame:
    """Replace levels as text by those of fit, which may be booleans or numbers.

    Parameters
    ----------
    generator : estimator
        The fitted generator.
    covariates : DataFrame of shape (n_samples, n_covariates)
        Covariates with categories as text.

    Returns
    -------
    DataFrame of shape (n_samples, n_covariates)
        The covariates; levels that fit has not met stay as they are.
    """
    encoder, result = generator.covariates_, covariates.copy()
    for name, levels in zip(encoder.labels("categorical"), encoder.categories_, strict=True):
        known = {str(level): level for level in levels}
        result[name] = [known.get(value, value) for value in covariates[name]]
    return result
