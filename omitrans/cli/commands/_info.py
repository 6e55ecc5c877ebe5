"""The arguments of ``omitrans info``; importing this file costs little."""

from typing import Any

import rich_click as click

from omitrans.cli._command import Command, run_command
from omitrans.cli._options import FILE, JSON


@click.command(
    "info",
    cls=Command,
    short_help="Show the content of a model file.",
    help="Show the content of a model file: class, probes, genes, units, training cohort, metrics, "
    "versions.",
)
@click.argument("model_file", metavar="MODEL", type=FILE)
@JSON
def command(**given: Any) -> None:
    """Run the command."""
    run_command("info", given)
