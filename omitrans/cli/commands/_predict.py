"""The arguments of ``omitrans predict``; importing this file costs little."""

from typing import Any

import rich_click as click

from omitrans.cli._command import Command, run_command
from omitrans.cli._options import FILE, JSON, KIND, MANIFEST, SAMPLES


@click.command(
    "predict",
    cls=Command,
    short_help="Predict expression for new arrays, with intervals and a report.",
    help="Predict expression for new arrays with a trained model.\n\n"
    "MODEL is a file that omitrans fit wrote. ARRAYS is a table of beta values (csv, tsv, also "
    ".gz, parquet, h5ad), a Xena or GEO matrix, or a folder of IDAT files. Probes are matched by "
    "name; missing probes are filled from the training cohort.",
)
@click.argument("model_file", metavar="MODEL", type=FILE)
@click.argument("arrays", metavar="ARRAYS", type=FILE)
@click.option_panel("Arrays", options=["--samples", "--from", "--manifest", "--skip-refused"])
@click.option_panel("Results", options=["--output", "--intervals", "--report", "--json"])
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Table to write: .csv, .tsv (both also .gz), .parquet or .h5ad.",
)
@click.option(
    "--intervals",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="LEVEL",
    help="Add GENE_lower and GENE_upper, which hold this fraction of true values, such as 0.9.",
)
@click.option("--report", type=FILE, metavar="FILE", help="Write a report (html).")
@click.option("--skip-refused", is_flag=True, help="Leave out samples with too few probes.")
@SAMPLES
@KIND
@MANIFEST
@JSON
def command(**given: Any) -> None:
    """Run the command."""
    run_command("predict", given)
