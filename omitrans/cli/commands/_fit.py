"""The arguments of ``omitrans fit``; importing this file costs little."""

from typing import Any

import rich_click as click

from omitrans.cli._command import Command, run_command
from omitrans.cli._options import FILE, FIRST_LOOK, GROUPS, JSON, MODEL_NAMES, SAMPLES, SEED


@click.command(
    "fit",
    cls=Command,
    short_help="Learn to predict one table from another, and write a model file.",
    help="Learn to predict one table from another, and write the model to a file.\n\n"
    "X is the table to predict from, Y the table to predict: csv, tsv (also .gz), parquet or h5ad "
    "with names in the first column and the first row.",
    epilog=f"Models: {', '.join(MODEL_NAMES)}.\n\n{FIRST_LOOK}",
)
@click.argument("source", metavar="X", type=FILE)
@click.argument("target", metavar="Y", type=FILE)
@click.option_panel("Data", options=["--samples", "--source-unit", "--target-unit", "--groups"])
@click.option_panel(
    "Model", options=["--model", "--probe-annotation", "--gene-annotation", "--seed"]
)
@click.option_panel("Trust card", options=["--cv", "--no-trust"])
@click.option_panel("Results", options=["--output", "--json"])
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Model file to write, such as model.omitrans; an existing file is replaced at the end.",
)
@SAMPLES
@click.option(
    "--source-unit",
    type=click.Choice(["beta", "none"]),
    default="beta",
    show_default=True,
    help="Unit of X; with beta, values outside [0, 1] are an error.",
)
@click.option(
    "--target-unit",
    default="log2(FPKM + 1)",
    show_default=True,
    metavar="TEXT",
    help="Unit of Y, checked and stored with the model; none skips both.",
)
@GROUPS
@click.option(
    "--model",
    type=click.Choice(MODEL_NAMES),
    default="omitrans",
    show_default=True,
    metavar="NAME",
    help="Model to train; the names are listed below.",
)
@click.option(
    "--probe-annotation",
    type=FILE,
    metavar="FILE",
    help="Illumina's manifest or a Xena probeMap: drops unreliable probes, sorts by position.",
)
@click.option(
    "--gene-annotation",
    type=FILE,
    metavar="FILE",
    help="Gene table, such as GENCODE's or Xena's: sorts genes by position. With a probe table, "
    "the backbone takes the probes near each gene.",
)
@SEED
@click.option(
    "--cv",
    type=click.IntRange(2),
    metavar="N",
    default=5,
    show_default=True,
    help="Number of folds that measure how well each gene is predicted.",
)
@click.option("--no-trust", is_flag=True, help="Make no trust card; faster.")
@JSON
def command(**given: Any) -> None:
    """Run the command."""
    run_command("fit", given)
