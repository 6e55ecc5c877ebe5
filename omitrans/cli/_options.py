"""Options that several commands have."""

from pathlib import Path

import rich_click as click

# what omitrans.cli._models can make
MODEL_NAMES = (
    "mean",
    "linear",
    "ridge",
    "kernel-ridge",
    "pls",
    "lasso",
    "multi-kernel-ridge",
    "tobmi",
    "svd",
    "tdimpute",
    "omitrans",
    "omitrans-fast",
    "omitrans-paper-cgan",
    "omitrans-paper-cnn",
    "omitrans-paper-fc",
    "omitrans-repo-default",
)

FIRST_LOOK = (
    "For a first look take omitrans-fast or multi-kernel-ridge: they take seconds, where omitrans "
    "trains up to five networks besides."
)

FILE = click.Path(path_type=Path)

SAMPLES = click.option(
    "--samples",
    type=click.Choice(["auto", "rows", "columns"]),
    default="auto",
    show_default=True,
    help="Whether samples are rows or columns; auto decides by the names.",
)
KIND = click.option(
    "--from",
    "kind",
    type=click.Choice(["auto", "table", "xena", "geo", "h5ad", "idat"]),
    default="auto",
    show_default=True,
    help="Kind of the input; auto decides by the file name.",
)
MANIFEST = click.option(
    "--manifest",
    type=FILE,
    metavar="FILE",
    help="Illumina's manifest of the array (csv), needed to read IDAT files.",
)
SEED = click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="N",
    default=0,
    show_default=True,
    help="Seed of the random numbers.",
)
JSON = click.option("--json", is_flag=True, help="Print the result as one JSON object.")
GROUPS = click.option(
    "--groups",
    metavar="WHAT",
    default="auto",
    show_default=True,
    help="Samples that stay on one side of a split. auto: all of a patient, if the sample ids "
    "name patients of TCGA, TARGET or GTEx; none: each sample stands alone; tcga, target or gtex: "
    "the patient, and ids of another kind are an error; or a file of two columns, sample and "
    "group.",
)
