"""``omitrans rank``: rank genes by what changes in generated samples with one covariate."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.cli._covariates import as_text, read_study
from omitrans.cli._generators import (
    as_known_levels,
    covariates_for,
    fit_generator,
    load_generator,
    named_columns,
)
from omitrans.cli._groups import check_groups, read_groups
from omitrans.cli._output import (
    check_target,
    is_watched,
    listed,
    print_facts,
    print_json,
    report_progress,
)
from omitrans.displays import CounterfactualRankingDisplay
from omitrans.exceptions import OmiTransError
from omitrans.generation import counterfactual_ranking
from omitrans.utils._files import replacing
from omitrans.utils._optional import import_optional

_N_SHOWN = 10
_FIGURES = (".png", ".svg", ".pdf")


def run(options: Any) -> None:
    """Run the command.

    Parameters
    ----------
    options : namespace
        Options and arguments from the command line.
    """
    _check_targets(options)
    check_groups(options.groups)
    generator, covariates, expression = _material(options)
    column, values = read_change(options.change, covariates)
    if generator is None and expression is not None:
        generator = fit_generator(options, covariates, expression)
    refits = 0 if expression is None else options.refits
    report_progress(f"Ranking genes, {refits} refits ...")
    ranking = counterfactual_ranking(
        generator,
        covariates,
        {column: values},
        y=expression,
        within=list(options.within) or None,
        by=options.by,
        groups=read_groups(options.groups, covariates.index),
        n_refits=refits,
        random_state=options.seed,
        n_jobs=options.n_jobs,
        verbose=int(is_watched()),
    )
    _hand_over(ranking, options, values, refitted=refits > 0)


def read_change(text: str, covariates: pd.DataFrame) -> tuple[str, tuple[Any, Any]]:
    """Return the covariate and the two values of ``COLUMN=A:B``.

    Parameters
    ----------
    text : str
        Value of the option.
    covariates : DataFrame of shape (n_samples, n_covariates)
        Covariates, whose values tell where to part names that hold ``=`` or ``:``.

    Returns
    -------
    str, (object, object)
        Name of the covariate; its first and its second value.
    """
    columns = [str(name) for name in covariates if text.startswith(f"{name}=")]
    if not columns:
        raise OmiTransError(
            f"--change {text!r} must be COLUMN=A:B, such as condition=healthy:tumour. The columns "
            f"are {', '.join(map(str, covariates.columns))}."
        )
    column = max(columns, key=len)
    rest = text[len(column) + 1 :]
    values = sorted(covariates[column].dropna().unique().tolist())
    cuts = [i for i, sign in enumerate(rest) if sign == ":"]
    for i in cuts:
        first, second = (_among(values, part.strip()) for part in (rest[:i], rest[i + 1 :]))
        if first is not None and second is not None:
            return column, (first, second)
    if pd.api.types.is_numeric_dtype(covariates[column]) and len(values) > 2 and len(cuts) == 1:
        with suppress(ValueError):  # numbers that no sample has
            return column, (float(rest[: cuts[0]]), float(rest[cuts[0] + 1 :]))
    raise OmiTransError(
        f"--change {text!r} must name two values of {column!r} with a colon between them. It holds "
        f"{listed(map(as_text, values), 20)}."
    )


def _among(values: list[Any], text: str) -> Any:
    """Return the value that the text stands for, or None; "7" and "7.0" are the same number."""
    for value in values:
        if isinstance(value, float):
            with suppress(ValueError):
                if float(text) == value:
                    return value
        elif str(value) == text:
            return value
    return None


def _check_targets(options: Any) -> None:
    """Check before the work that the outputs can be written."""
    given = (options.covariates, options.expression, options.load)
    inputs = tuple(path for path in given if path is not None)
    for path in (options.output, options.figure):
        if path is not None:
            check_target(path, inputs=inputs)
    if options.figure is not None:
        import_optional("matplotlib", extra="plot", purpose="draw figures")
        if options.figure.suffix.lower() not in _FIGURES:
            raise OmiTransError(
                f"name the figure {', '.join(_FIGURES)}; got {options.figure.name!r}."
            )


def _material(options: Any) -> tuple[Any, pd.DataFrame, pd.DataFrame | None]:
    """Return the loaded generator, or None if one is to be fitted, and the tables."""
    if options.load is None:
        covariates, expression = read_study(
            options.covariates,
            options.expression,
            samples=options.samples,
            **named_columns(options),
        )
        return None, covariates, expression
    generator = load_generator(options.load)
    if options.expression is None:
        return generator, covariates_for(generator, options.covariates), None
    encoder = generator.covariates_
    covariates, expression = read_study(
        options.covariates,
        options.expression,
        samples=options.samples,
        categorical=encoder.labels("categorical"),
        numeric=encoder.labels("numeric"),
    )
    return generator, as_known_levels(generator, covariates), expression


def _hand_over(
    ranking: pd.DataFrame, options: Any, values: tuple[Any, Any], *, refitted: bool
) -> None:
    """Print the strongest genes, and write the requested files."""
    if options.output is not None:
        with replacing(options.output) as path:
            ranking.to_csv(path, index=False)
    if options.figure is not None:
        _draw(ranking, options.figure, options.by, values)
    top = ranking[ranking["rank"] <= _N_SHOWN]
    if options.json:
        n_found = int((ranking["q_value"] < 0.05).sum()) if refitted else None
        print_json(
            {
                "change": options.change,
                "n_genes": len(ranking),
                "n_with_q_below_0.05": n_found,
                "top": top.to_dict(orient="records"),
                "output": options.output,
                "figure": options.figure,
            }
        )
        return
    levels = [None] if options.by is None else list(top[options.by].unique())
    for level in levels:
        rows = top if level is None else top[top[options.by] == level]
        title = options.change if level is None else f"{options.change}, {options.by}={level}"
        print_facts(
            {row["gene"]: _effect(row, refitted) for _, row in rows.iterrows()}, title=title
        )
    for path in (options.output, options.figure):
        if path is not None:
            print(f"Written to {path}.")


def _effect(row: pd.Series, refitted: bool) -> str:
    text = f"{row['effect']:+.3f}"
    if not refitted:
        return text
    return f"{text} ({row['low']:+.3f} to {row['high']:+.3f}), q = {row['q_value']:.2g}"


def _draw(ranking: pd.DataFrame, path: Path, by: str | None, values: tuple[Any, Any]) -> None:
    """Draw the strongest genes; one panel for each level of `by`."""
    pyplot = import_optional("matplotlib.pyplot", extra="plot", purpose="draw figures")
    levels = [None] if by is None else list(ranking[by].unique())
    n_genes = min(20, int(ranking["rank"].max()))
    figure, panels = pyplot.subplots(
        1,
        len(levels),
        figsize=(5.6 * len(levels), 1.2 + 0.24 * n_genes),
        layout="constrained",
        squeeze=False,
    )
    for level, ax in zip(levels, panels.flat, strict=True):
        CounterfactualRankingDisplay.from_ranking(ranking, level=level, change=values, ax=ax)
    with replacing(path) as unfinished:
        figure.savefig(unfinished, dpi=150, format=path.suffix.lower().removeprefix("."))
    pyplot.close(figure)
