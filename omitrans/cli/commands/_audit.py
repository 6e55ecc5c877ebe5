"""The arguments of ``omitrans audit``; importing this file costs little."""

from typing import Any

import rich_click as click

from omitrans.cli._command import Command, run_command
from omitrans.cli._options import CATEGORICAL, EXPRESSION_SAMPLES, FILE, JSON, SEED


@click.command(
    "audit",
    cls=Command,
    short_help="Check synthetic expression: use, realism, copies, privacy.",
    help="Check whether synthetic expression is useful, realistic and no copy of its training "
    "samples.\n\n"
    "TRAIN is the expression that the generator was fitted to, TEST that of other donors, "
    "SYNTHETIC what was drawn: csv, tsv (also .gz), parquet or h5ad.",
)
@click.argument("train", metavar="TRAIN", type=FILE)
@click.argument("test", metavar="TEST", type=FILE)
@click.argument("synthetic", metavar="SYNTHETIC", type=FILE)
@click.option_panel(
    "Covariates",
    options=[
        "--covariates",
        "--test-covariates",
        "--synthetic-covariates",
        "--covariate",
        "--categorical",
        "--samples",
    ],
)
@click.option_panel("Checks", options=["--network", "--classifier", "--seed", "--n-jobs"])
@click.option_panel("Results", options=["--output", "--html", "--json"])
@click.option(
    "--covariates",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Covariates of the training samples, and of the test samples if the next option is not "
    "given.",
)
@click.option(
    "--test-covariates", type=FILE, metavar="FILE", help="Covariates of the test samples."
)
@click.option(
    "--synthetic-covariates",
    type=FILE,
    metavar="FILE",
    help="Covariates of the synthetic samples; by default the file that omitrans generate wrote "
    "beside SYNTHETIC.",
)
@click.option(
    "--covariate",
    multiple=True,
    metavar="COLUMN",
    help="Covariate to check; may be repeated. By default all that hold categories in "
    "the training and the synthetic samples.",
)
@CATEGORICAL
@EXPRESSION_SAMPLES
@click.option(
    "--network",
    type=FILE,
    metavar="FILE",
    help="Gene network: a table with the columns regulator and target.",
)
@click.option(
    "--classifier",
    type=click.Choice(["mlp", "logistic"]),
    default="mlp",
    show_default=True,
    help="Classifier that learns from each table; logistic is faster.",
)
@SEED
@click.option("--n-jobs", metavar="N", default=1, show_default=True, help="Parallel fits.")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Write all numbers as csv.")
@click.option("--html", type=FILE, metavar="FILE", help="Write a report with figures.")
@JSON
def command(**given: Any) -> None:
    """Run the command."""
    run_command("audit", given)
