"""The arguments of ``omitrans generate``; importing this file costs little."""

from typing import Any

import rich_click as click

from omitrans.cli._command import Command, run_command
from omitrans.cli._options import (
    CATEGORICAL,
    EXPRESSION,
    EXPRESSION_SAMPLES,
    FILE,
    GENERATOR,
    GENERATORS_NOTE,
    GROUPS,
    IGNORE,
    JSON,
    LOAD,
    NUMERIC,
    SEED,
)


@click.command(
    "generate",
    cls=Command,
    short_help="Draw synthetic expression under given covariates.",
    help="Learn the distribution of expression under covariates, and draw synthetic expression.\n\n"
    "Tables are csv, tsv (also .gz), parquet or h5ad (whose obs holds covariates). Samples are "
    "matched by their ids.",
    epilog=f"{GENERATORS_NOTE}\n\nAudit what you draw (omitrans audit) before you share it.",
)
@click.option_panel(
    "Training tables",
    options=[
        "--covariates",
        "--expression",
        "--samples",
        "--categorical",
        "--numeric",
        "--ignore",
        "--groups",
    ],
)
@click.option_panel("Generator", options=["--model", "--load", "--save", "--seed"])
@click.option_panel("Samples to draw", options=["--like", "--draws"])
@click.option_panel("Results", options=["--output", "--output-covariates", "--json"])
@click.option("--covariates", type=FILE, metavar="FILE", help="Covariates of the training samples.")
@EXPRESSION
@EXPRESSION_SAMPLES
@CATEGORICAL
@NUMERIC
@IGNORE
@GROUPS
@GENERATOR
@LOAD
@click.option("--save", type=FILE, metavar="MODEL", help="Write the fitted generator to a file.")
@SEED
@click.option(
    "--like",
    type=FILE,
    metavar="FILE",
    help="Covariates of the samples to draw; those of the training samples by default.",
)
@click.option(
    "--draws",
    type=click.IntRange(1),
    metavar="N",
    default=1,
    show_default=True,
    help="Number of profiles for each row of covariates.",
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Table to write: .csv, .tsv (both also .gz), .parquet or .h5ad.",
)
@click.option(
    "--output-covariates",
    type=FILE,
    metavar="FILE",
    help="Table of the covariates of the drawn samples; by default OUTPUT.covariates.csv without "
    "the ending of OUTPUT.",
)
@JSON
def command(**given: Any) -> None:
    """Run the command."""
    if given["load"] is not None:
        if given["expression"] is not None or given["save"] is not None:
            raise click.UsageError("--load takes no --expression and no --save: nothing is fitted.")
        if given["like"] is None:
            raise click.UsageError("--load needs --like: the covariates of the samples to draw.")
    elif given["covariates"] is None or given["expression"] is None:
        raise click.UsageError("Give --covariates and --expression, or --load and --like.")
    run_command("generate", given)
