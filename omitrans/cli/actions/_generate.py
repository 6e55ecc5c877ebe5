"""``omitrans generate``: draw synthetic expression and write it with its covariates."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omitrans.baselines import GaussianGenerator
from omitrans.cli._covariates import read_study
from omitrans.cli._generators import (
    covariates_for,
    fit_generator,
    load_generator,
    named_columns,
)
from omitrans.cli._groups import check_groups
from omitrans.cli._input import check_table_target, ending_of, write_table
from omitrans.cli._output import check_target, print_facts, print_json, working
from omitrans.exceptions import OmiTransError
from omitrans.persistence import save


def run(options: Any) -> None:
    """Run the command.

    Parameters
    ----------
    options : namespace
        Options and arguments from the command line.
    """
    covariates_path = options.output_covariates or beside(options.output)
    _check_targets(options, covariates_path)
    generator, known = _generator(options)
    to_draw = covariates_for(generator, options.like) if known is None or options.like else known
    with working(f"Drawing {options.draws * len(to_draw):,} samples ..."):
        drawn = generator.sample_y(to_draw, n_samples=options.draws, random_state=options.seed)
    if options.draws > 1:
        ids = [f"{sample}_{draw + 1}" for sample, draw in drawn.index]
        drawn, to_draw = (
            table.set_axis(pd.Index(ids), axis=0)
            for table in (drawn, pd.concat([to_draw] * options.draws))
        )
    write_table(drawn.rename_axis("id"), options.output)
    write_table(to_draw.rename_axis("id"), covariates_path)
    result = {
        "output": str(options.output),
        "covariates": str(covariates_path),
        "saved": None if options.save is None else str(options.save),
        "model": type(generator).__name__,
        "n_samples": len(drawn),
        "n_genes": drawn.shape[1],
        "n_training": None if known is None else len(known),
        "categorical": generator.covariates_.labels("categorical"),
        "numeric": generator.covariates_.labels("numeric"),
    }
    if options.json:
        print_json(result)
    else:
        print_facts(_facts(result), title=f"Written to {options.output}:")


def beside(output: Path) -> Path:
    """Return the path at which the covariates of synthetic expression stand by default.

    Parameters
    ----------
    output : Path
        Path of the expression.

    Returns
    -------
    Path
        Path in the same folder, such as ``drawn.covariates.csv`` for ``drawn.parquet``.
    """
    name = output.name.removesuffix(".gz")
    return output.with_name(f"{name.removesuffix(Path(name).suffix)}.covariates.csv")


def _check_targets(options: Any, covariates_path: Path) -> None:
    """Check before the work that the outputs can be written."""
    given = (options.covariates, options.expression, options.load, options.like)
    inputs = tuple(path for path in given if path is not None)
    if options.like is not None and not options.like.is_file():  # before hours of training
        raise OmiTransError(f"there is no file {str(options.like)!r}. Correct --like.")
    check_table_target(options.output, inputs=inputs)
    check_table_target(covariates_path, inputs=inputs)
    if ending_of(covariates_path) == ".h5ad":
        raise OmiTransError("--output-covariates holds text, which .h5ad does not. Name it .csv.")
    targets = [options.output, covariates_path]
    if options.save is not None:
        check_target(options.save, inputs=inputs)
        targets.append(options.save)
    if len({path.resolve() for path in targets}) < len(targets):
        raise OmiTransError("two outputs have the same name. Choose another one.")


def _generator(options: Any) -> tuple[Any, pd.DataFrame | None]:
    """Return the fitted generator, and the covariates of the training samples if they are known."""
    if options.load is not None:
        return load_generator(options.load), None
    check_groups(options.groups)
    covariates, expression = read_study(
        options.covariates, options.expression, samples=options.samples, **named_columns(options)
    )
    if options.like is not None:
        _check_like(options, covariates, expression)
    generator = fit_generator(options, covariates, expression)
    if options.save is not None:
        save(generator, options.save)
    return generator, covariates.drop(columns=list(options.ignore))


def _check_like(options: Any, covariates: pd.DataFrame, expression: pd.DataFrame) -> None:
    """Raise before a long training the error that drawing under the covariates would raise."""
    quick = GaussianGenerator(
        rank=0, class_prior=np.inf, ignored_columns=list(options.ignore), random_state=0
    )
    gene = np.zeros((len(expression), 1))
    quick.fit(covariates, pd.DataFrame(gene, expression.index, ["gene"]), groups=None)
    quick.sample_y(covariates_for(quick, options.like), random_state=0)


def _facts(result: dict[str, Any]) -> dict[str, Any]:
    """Return the summary with readable names."""
    return {
        "model": result["model"],
        "training samples": result["n_training"],
        "samples drawn": result["n_samples"],
        "genes": result["n_genes"],
        "categories": ", ".join(result["categorical"]) or None,
        "numbers": ", ".join(result["numeric"]) or None,
        "covariates": result["covariates"],
        "generator": result["saved"],
    }
