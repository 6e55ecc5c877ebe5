"""The arguments of ``omitrans convert``; importing this file costs little."""

from typing import Any

import rich_click as click

from omitrans.cli._command import Command, run_command
from omitrans.cli._options import FILE, JSON, KIND, MANIFEST, SAMPLES


@click.command(
    "convert",
    cls=Command,
    short_help="Convert a table to another format, unit or orientation; filter its features.",
    help="Convert a table to another format, unit or orientation, and filter its features.\n\n"
    "IN is a table (csv, tsv, also .gz, parquet, h5ad), a Xena or GEO matrix, or a folder of IDAT "
    "files. OUT ends in .csv, .tsv (both also .gz), .parquet or .h5ad; samples become its rows.",
)
@click.argument("source", metavar="IN", type=FILE)
@click.argument("target", metavar="OUT", type=FILE)
@click.option_panel("Input", options=["--samples", "--from", "--manifest"])
@click.option_panel("Filters", options=["--keep", "--max-missing-rate", "--min-variance"])
@click.option_panel(
    "Output", options=["--transpose", "--beta-to-m", "--m-to-beta", "--to-log2", "--json"]
)
@SAMPLES
@KIND
@MANIFEST
@click.option(
    "--keep", type=FILE, metavar="FILE", help="Keep these features: text file, one id per line."
)
@click.option(
    "--max-missing-rate",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Drop features with a larger fraction of missing values.",
)
@click.option(
    "--min-variance",
    type=click.FloatRange(0),
    metavar="NUMBER",
    help="Drop features of smaller variance (in squared units of the values).",
)
@click.option("--transpose", is_flag=True, help="Write samples as columns.")
@click.option("--beta-to-m", is_flag=True, help="Convert beta values to M-values.")
@click.option("--m-to-beta", is_flag=True, help="Convert M-values to beta values.")
@click.option(
    "--to-log2",
    metavar="UNIT",
    help="Convert expression in that unit (FPKM, TPM, counts, log2(tpm + 0.001)) to log2(x + 1).",
)
@JSON
def command(**given: Any) -> None:
    """Run the command."""
    if sum(map(bool, (given["beta_to_m"], given["m_to_beta"], given["to_log2"]))) > 1:
        raise click.UsageError("--beta-to-m, --m-to-beta and --to-log2 exclude each other.")
    run_command("convert", given)
