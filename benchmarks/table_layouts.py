"""The layouts in which users meet tables of samples and features, each with its reader."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from omitrans.exceptions import DataFormatError
from omitrans.io import (
    read_geo_series_matrix,
    read_h5ad,
    read_h5mu,
    read_matrix,
    read_xena,
    write_h5ad,
    write_h5mu,
)

UNDETECTED = 0.01  # share of values with a high detection p-value
MODALITY = "values"


class Layout(NamedTuple):
    """How a table is written and read, and what the command line calls it."""

    file: str
    write: object
    read: object
    options: tuple = ()
    hides: bool = False  # whether undetected values become NaN


def undetected(X):
    """Return where a table's values have a high detection p-value."""
    return np.random.default_rng(0).random(X.shape) < UNDETECTED


def write_xena(X, path):
    """Write features as rows, separated by tabs, below the cell "sample"."""
    X.T.to_csv(path, sep="\t", index_label="sample", na_rep="NA")


def write_geo_betas(X, path):
    """Write two columns a sample, of values and of detection p-values."""
    p_values = np.where(undetected(X), 0.25, 1e-4)
    columns = {}
    for sample, values, p in zip(X.index, X.to_numpy(), p_values, strict=True):
        columns[f"{sample}.AVG_Beta"] = values
        columns[f"{sample} Detection Pval"] = p
    pd.DataFrame(columns, index=X.columns).to_csv(path, sep="\t", index_label="ID_REF")


def write_geo_series(X, path):
    """Write a series matrix with lines on the study and on its samples."""
    samples = "\t".join(f'"{name}"' for name in X.index)
    sources = "\t".join(f'"tissue: no. {i % 3}"' for i in range(len(X)))
    start = [
        '!Series_title\t"A study"',
        '!Series_geo_accession\t"GSE1"',
        "",
        f"!Sample_title\t{samples}",
        f"!Sample_geo_accession\t{samples}",
        f"!Sample_characteristics_ch1\t{sources}",
        "!series_matrix_table_begin\n",
    ]
    # R quotes names, and no numbers
    table = X.T.set_axis([f'"{name}"' for name in X.columns]).set_axis(samples.split("\t"), axis=1)
    text = table.to_csv(sep="\t", index_label='"ID_REF"', quoting=3, quotechar="'")
    path.write_text("\n".join(start) + text + "!series_matrix_table_end\n", encoding="utf-8")


def _write_text(X, path):
    X.to_csv(path, sep="\t" if ".tsv" in path.name else ",")


def _read_values(path):
    values, _, _ = read_geo_series_matrix(path)
    return values


LAYOUTS = {
    "csv, samples as rows": Layout("rows.csv", _write_text, read_matrix),
    "csv, samples as columns": Layout(
        "columns.csv", lambda X, path: _write_text(X.T, path), read_matrix
    ),
    "tsv.gz, samples as rows": Layout("rows.tsv.gz", _write_text, read_matrix),
    "tsv.gz, samples as columns": Layout(
        "columns.tsv.gz", lambda X, path: _write_text(X.T, path), read_matrix
    ),
    "Xena": Layout("xena.tsv.gz", write_xena, read_xena, ("--from", "xena")),
    "GEO betas with p-values": Layout(
        "GSE1_betas.txt.gz", write_geo_betas, _read_values, ("--from", "geo"), hides=True
    ),
    "GEO series matrix": Layout("GSE1_series_matrix.txt", write_geo_series, _read_values),
    "Parquet, samples as rows": Layout(
        "rows.parquet", lambda X, path: X.to_parquet(path), read_matrix
    ),
    "Parquet, samples as columns": Layout(
        "columns.parquet", lambda X, path: X.T.to_parquet(path), read_matrix
    ),
    "Parquet, ids as a column": Layout(
        "ids.parquet",
        lambda X, path: X.T.rename_axis("id").reset_index().to_parquet(path, index=False),
        read_matrix,
    ),
    "h5ad": Layout("table.h5ad", write_h5ad, read_h5ad),
    "h5mu": Layout(
        "table.h5mu",
        lambda X, path: write_h5mu({MODALITY: X}, path),
        lambda path: read_h5mu(path)[MODALITY],
    ),
}


def read_layout(path, name):
    """Return the table, and whether it had to be told which way round it stands."""
    layout = LAYOUTS[name]
    try:
        return layout.read(path), False
    except DataFormatError as error:
        if "samples='rows' or 'columns'" not in str(error):
            raise
    return layout.read(path, samples=side(name)), True


def side(name):
    """Return where samples are in a layout."""
    return "rows" if "samples as rows" in name else "columns"
