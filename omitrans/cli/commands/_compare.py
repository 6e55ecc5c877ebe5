"""The arguments of ``omitrans compare``; importing this file costs little."""

from typing import Any

import rich_click as click

from omitrans.cli._command import Command, run_command
from omitrans.cli._options import FILE, FIRST_LOOK, GROUPS, JSON, MODEL_NAMES, SEED


class _CompareCommand(Command):
    """Command that accepts several words after --models, which click's own options do not."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _repeat_option(args, "--models"))


def _repeat_option(words: list[str], option: str) -> list[str]:
    """Repeat the option before each of the words that follow it, up to the next option."""
    repeated: list[str] = []
    inside = False
    for number, word in enumerate(words):
        if word.startswith("-"):
            inside = word == option
        elif inside and words[number - 1] != option:
            repeated.append(option)
        repeated.append(word)
    return repeated


@click.command(
    "compare",
    cls=_CompareCommand,
    short_help="Cross-validate models on your own tables.",
    help="Cross-validate models that predict one table from another.\n\n"
    "X is the table to predict from, Y the table to predict: csv, tsv (also .gz), parquet or h5ad; "
    "samples are rows, the first column holds their ids.",
    epilog=f"Models: {', '.join(MODEL_NAMES)}. Each stands behind the same preprocessing, which "
    f"learns from training samples only.\n\n{FIRST_LOOK}",
)
@click.argument("source", metavar="X", type=FILE)
@click.argument("target", metavar="Y", type=FILE)
@click.option_panel("Data", options=["--features-as-rows", "--groups"])
@click.option_panel("Models", options=["--models", "--cv", "--seed", "--n-jobs", "--cache-dir"])
@click.option_panel("Results", options=["--output", "--html", "--json"])
@click.option("--features-as-rows", is_flag=True, help="Samples are columns in both tables.")
@GROUPS
@click.option(
    "--models",
    multiple=True,
    type=click.Choice(MODEL_NAMES),
    default=("mean", "ridge", "kernel-ridge", "omitrans"),
    metavar="NAME...",
    show_default=True,
    help="Models to compare; their names are listed below.",
)
@click.option(
    "--cv",
    type=click.IntRange(2),
    metavar="N",
    default=5,
    show_default=True,
    help="Number of folds.",
)
@SEED
@click.option(
    "--n-jobs", metavar="N", default=1, show_default=True, help="Parallel fits; -1 takes all cores."
)
@click.option("--cache-dir", type=FILE, metavar="DIR", help="Keep finished folds; resume later.")
@click.option("--output", type=FILE, metavar="FILE", help="Write all numbers as csv.")
@click.option("--html", type=FILE, metavar="FILE", help="Write a report with figures.")
@JSON
def command(**given: Any) -> None:
    """Run the command."""
    run_command("compare", given)
