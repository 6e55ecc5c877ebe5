"""The arguments of ``omitrans rank``; importing this file costs little."""

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
    "rank",
    cls=Command,
    short_help="Rank genes by what changes in generated samples with one covariate.",
    help="Rank genes by what changes in generated samples when one covariate changes.\n\n"
    "An effect is an association: where another covariate goes together with the changed one, a "
    "warning says so.",
    epilog=GENERATORS_NOTE,
)
@click.option_panel(
    "Tables",
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
@click.option_panel("Question", options=["--change", "--within", "--by"])
@click.option_panel("Generator", options=["--model", "--load", "--refits", "--seed", "--n-jobs"])
@click.option_panel("Results", options=["--output", "--figure", "--json"])
@click.option(
    "--covariates", type=FILE, required=True, metavar="FILE", help="Covariates of the samples."
)
@EXPRESSION
@EXPRESSION_SAMPLES
@CATEGORICAL
@NUMERIC
@IGNORE
@GROUPS
@click.option(
    "--change",
    required=True,
    metavar="COLUMN=A:B",
    help="Covariate to change and its two values, such as condition=healthy:tumour. An effect is B "
    "minus A.",
)
@click.option(
    "--within",
    multiple=True,
    metavar="COLUMN",
    help="Covariate, such as the study, within whose levels samples are contrasted; may be "
    "repeated.",
)
@click.option("--by", metavar="COLUMN", help="Covariate for each of whose levels genes are ranked.")
@GENERATOR
@LOAD
@click.option(
    "--refits",
    type=click.IntRange(0),
    metavar="N",
    default=20,
    show_default=True,
    help="Number of fits to drawn samples, for intervals and p-values. With 0 there are no "
    "p-values, and intervals show the spread of the draws only. Needs --expression.",
)
@SEED
@click.option("--n-jobs", metavar="N", default=1, show_default=True, help="Parallel fits.")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Write the ranking as csv.")
@click.option(
    "--figure", type=FILE, metavar="FILE", help="Draw the strongest genes (png, svg or pdf)."
)
@JSON
def command(**given: Any) -> None:
    """Run the command."""
    if given["load"] is None and given["expression"] is None:
        raise click.UsageError("Give --expression to fit a generator, or --load one.")
    run_command("rank", given)
