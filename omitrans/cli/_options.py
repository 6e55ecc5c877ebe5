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

# what omitrans.cli._models.make_generator can make
GENERATOR_NAMES = (
    "copula",
    "gaussian",
    "imputer",
    "wgan-gp",
    "wgan-gp-paper-ecoli",
    "wgan-gp-paper-gtex-tcga",
    "wgan-gp-repo-ecoli",
    "wgan-gp-repo-gtex-tcga",
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


# --- commands about generators of expression ---

EXPRESSION = click.option(
    "--expression",
    type=FILE,
    metavar="FILE",
    help="Expression of the training samples in log2 units, such as log2(TPM + 1).",
)
GENERATOR = click.option(
    "--model",
    type=click.Choice(GENERATOR_NAMES),
    default="copula",
    show_default=True,
    metavar="NAME",
    help="Generator to fit; the names are listed below.",
)
LOAD = click.option(
    "--load", type=FILE, metavar="MODEL", help="Take a generator that --save wrote; fit none."
)
CATEGORICAL = click.option(
    "--categorical",
    multiple=True,
    metavar="COLUMN",
    help="Covariate that holds categories although it looks like numbers; may be repeated.",
)
NUMERIC = click.option(
    "--numeric",
    multiple=True,
    metavar="COLUMN",
    help="Covariate that must hold numbers; text in it is an error. May be repeated.",
)
IGNORE = click.option(
    "--ignore",
    multiple=True,
    metavar="COLUMN",
    help="Column that is no covariate, such as the donor; may be repeated.",
)
EXPRESSION_SAMPLES = click.option(
    "--samples",
    type=click.Choice(["auto", "rows", "columns"]),
    default="auto",
    show_default=True,
    help="Whether samples are rows or columns of the expression; auto decides by the ids that it "
    "shares with the covariates.",
)
GENERATORS_NOTE = (
    f"Generators: {', '.join(GENERATOR_NAMES)}. copula and gaussian take seconds, imputer minutes; "
    "wgan-gp trains networks, for hours with many genes and no GPU."
)
