"""The arguments of ``omitrans demo``; importing this file costs little."""

from typing import Any

import rich_click as click

from omitrans.cli._command import Command, run_command
from omitrans.cli._options import FILE


@click.command(
    "demo",
    cls=Command,
    short_help="Simulate a cohort, compare models, predict expression, draw figures.",
    help="Simulate a cohort, compare models by cross-validation grouped by patient, train "
    "OmiTrans, predict the expression of new arrays, and write tables and figures.",
    context_settings={"show_default": True},
)
@click.option_panel("Cohort", options=["--samples", "--probes", "--genes", "--seed"])
@click.option_panel("Work", options=["--folds", "--n-jobs", "--output"])
@click.option(
    "--output",
    type=FILE,
    required=True,
    metavar="DIR",
    help="Folder to write to; files of an earlier run are replaced.",
)
@click.option(
    "--samples", type=click.IntRange(20), metavar="N", default=400, help="Number of samples."
)
@click.option(
    "--probes", type=click.IntRange(50), metavar="N", default=4000, help="Number of probes."
)
@click.option("--genes", type=click.IntRange(10), metavar="N", default=500, help="Number of genes.")
@click.option("--folds", type=click.IntRange(2), metavar="N", default=5, help="Number of folds.")
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", default=0, help="Seed of the random numbers."
)
@click.option("--n-jobs", metavar="N", default=-1, help="Number of processes; -1 takes all cores.")
def command(**given: Any) -> None:
    """Run the command."""
    run_command("demo", given)
