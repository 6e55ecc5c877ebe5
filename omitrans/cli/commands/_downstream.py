"""The arguments of ``omitrans downstream``; importing this file costs little."""

from typing import Any

import rich_click as click

from omitrans.cli._command import Command, run_command
from omitrans.cli._options import FILE, JSON, SAMPLES, SEED


@click.command(
    "downstream",
    cls=Command,
    short_help="Judge predicted expression by what it is used for.",
    help="Judge predicted expression by what it is used for, beside trivial controls: genes that "
    "methylation drives, genes that go with survival, clusters, prediction of survival, classes."
    "\n\nMEASURED is the measured expression of the test samples: csv, tsv (also .gz), parquet or "
    "h5ad. Samples are matched by their ids, which must be written alike in all files.",
    epilog="Tasks follow from what is given: driving genes from --methylation, survival from "
    "--time and --event, classes from --classes.",
)
@click.argument("measured", metavar="MEASURED", type=FILE)
@click.option_panel("Predictions", options=["--predicted", "--model"])
@click.option_panel(
    "Tables", options=["--train-expression", "--methylation", "--train-methylation", "--samples"]
)
@click.option_panel(
    "Clinical data", options=["--clinical", "--time", "--event", "--classes", "--covariate"]
)
@click.option_panel(
    "Tasks", options=["--setting", "--threshold", "--alpha", "--top", "--clusters", "--seed"]
)
@click.option_panel("Results", options=["--output", "--html", "--json"])
@click.option(
    "--predicted",
    multiple=True,
    metavar="NAME=FILE",
    help="Predicted expression of the test samples. FILE alone is named by the file. May be "
    "repeated.",
)
@click.option(
    "--model",
    multiple=True,
    metavar="NAME=FILE",
    help="Fitted model (.omitrans) that predicts from --methylation. FILE alone is named by the "
    "file. May be repeated.",
)
@click.option(
    "--train-expression",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Measured expression of the samples that the models were trained on.",
)
@click.option("--methylation", type=FILE, metavar="FILE", help="Methylation of the test samples.")
@click.option(
    "--train-methylation",
    type=FILE,
    metavar="FILE",
    help="Methylation of the training samples: for a control, and for driving genes of the union.",
)
@SAMPLES
@click.option(
    "--clinical",
    type=FILE,
    metavar="FILE",
    help="Table of test and training samples, with their ids in the first column (or row), that "
    "holds the columns named below.",
)
@click.option("--time", metavar="COLUMN", help="Time to the event or to censoring.")
@click.option(
    "--event",
    metavar="COLUMN",
    help="Whether the event was seen: 1 or 0, true or false, dead or alive, 1:DECEASED or "
    "0:LIVING.",
)
@click.option("--classes", metavar="COLUMN", help="Class of the samples, such as the subtype.")
@click.option(
    "--covariate",
    multiple=True,
    metavar="COLUMN",
    help="What is known without a model, such as age or tissue, for a control; may be repeated.",
)
@click.option(
    "--setting",
    multiple=True,
    type=click.Choice(["test", "union"]),
    default=("test", "union"),
    show_default=True,
    help="Judge the test samples alone, or together with measured training samples; may be "
    "repeated.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, max_open=True),
    metavar="R2",
    default=0.5,
    show_default=True,
    help="Squared correlation above which methylation drives a gene.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="P",
    default=0.05,
    show_default=True,
    help="False discovery rate of driving genes; p-value of genes that go with survival.",
)
@click.option(
    "--top",
    type=click.IntRange(1),
    metavar="K",
    default=100,
    show_default=True,
    help="Number of genes in the top lists.",
)
@click.option(
    "--clusters",
    type=click.IntRange(2),
    metavar="N",
    default=2,
    show_default=True,
    help="Number of clusters of samples.",
)
@SEED
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Write all numbers as csv.")
@click.option("--html", type=FILE, metavar="FILE", help="Write a report with figures.")
@JSON
def command(**given: Any) -> None:
    """Run the command."""
    _check_together(given)
    run_command("downstream", given)


def _check_together(given: dict[str, Any]) -> None:
    """Refuse options that need others."""
    if not (given["predicted"] or given["model"]):
        raise click.UsageError("Give predictions to judge: --predicted or --model.")
    if (given["time"] is None) != (given["event"] is None):
        raise click.UsageError("Give --time and --event together.")
    if given["methylation"] is None:
        for name in ("model", "train_methylation"):
            if given[name]:
                raise click.UsageError(f"--{name.replace('_', '-')} needs --methylation.")
        if given["time"] is None and given["classes"] is None:
            raise click.UsageError(
                "There is no task: give --methylation (for driving genes), --time and --event "
                "(for survival), or --classes."
            )
    columns = [name for name in ("time", "event", "classes", "covariate") if given[name]]
    if columns and given["clinical"] is None:
        raise click.UsageError(f"--{columns[0]} needs --clinical, whose column it names.")
    if given["clinical"] is not None and not columns:
        raise click.UsageError(
            "Say what to read from --clinical: --time and --event, --classes or --covariate."
        )
