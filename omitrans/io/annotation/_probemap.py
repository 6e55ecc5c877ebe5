"""Read the probeMap files of UCSC Xena."""

from os import PathLike

import pandas as pd

from omitrans.annotation import check_gene_table, check_probe_table
from omitrans.io._text import check_decoded, damaged, naming, open_text
from omitrans.utils._sklearn import StrOptions, validate_params

_COLUMNS = ("id", "gene", "chrom", "chromStart", "chromEnd")
_FILLERS = ["", ".", "*", "NA"]


@validate_params(
    {"path": [str, PathLike], "kind": [StrOptions({"probe", "gene"})]},
    prefer_skip_nested_validation=True,
)
def read_probemap(path: str | PathLike[str], *, kind: str = "probe") -> pd.DataFrame:
    """Read a UCSC Xena probeMap, a table of array probes or of genes.

    Parameters
    ----------
    path : path-like
        Path of the tab-separated file, compressed by gzip or not, with the columns ``id`` (or
        ``#id``), ``gene``, ``chrom``, ``chromStart``, ``chromEnd`` and possibly ``strand``.
    kind : {"probe", "gene"}, default="probe"
        Kind of the rows: methylation probes (illuminaMethyl450_hg38_GDC) or genes
        (gencode.v22.annotation.gene.probeMap).

    Returns
    -------
    DataFrame
        For "probe" a probe table as :func:`omitrans.annotation.check_probe_table` describes it:
        ``probe_id``, ``chromosome``, ``position`` (chromStart), ``gene_symbol`` (as listed, joined
        by commas). For "gene" a gene table as :func:`omitrans.annotation.check_gene_table`
        describes it: ``gene_id`` (with its version, as in Xena's expression tables),
        ``gene_symbol``, ``chromosome``, ``start``, ``end``, ``strand`` and ``position`` (the
        start).

    Raises
    ------
    ValueError
        If the file is not a probeMap or is damaged.

    Notes
    -----
    Positions are returned as the file holds them. The positions of Xena are 1-based with the end
    included, although the column names are those of the 0-based BED format.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from omitrans.io import read_probemap
    >>> rows = [
    ...     "id gene chrom chromStart chromEnd strand",
    ...     "ENSG00000223972.5 DDX11L1 chr1 11869 14409 +",
    ... ]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "genes.probeMap")
    ...     _ = path.write_text("\\n".join(rows).replace(" ", "\\t"))
    ...     read_probemap(path, kind="gene")[["gene_id", "chromosome", "start", "strand"]]
                 gene_id chromosome  start strand
    0  ENSG00000223972.5          1  11869      +
    """
    raw = _read_table(path)
    try:
        return _checked(raw, kind)
    except ValueError as error:
        raise naming(path, error) from error


def _checked(raw: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return the columns as a probe table or a gene table."""
    places = {"chromosome": raw["chrom"], "gene_symbol": raw["gene"]}
    if kind == "probe":
        return check_probe_table(
            pd.DataFrame({"probe_id": raw["id"], "position": raw["chromStart"], **places})
        )
    places |= {"start": raw["chromStart"], "end": raw["chromEnd"]}
    if "strand" in raw:
        places["strand"] = raw["strand"]
    return check_gene_table(pd.DataFrame({"gene_id": raw["id"], **places}))


def _read_table(path: str | PathLike[str]) -> pd.DataFrame:
    """Read the known columns as text; the fillers of Xena become empty."""
    with open_text(path) as file:
        header = file.readline().lstrip("#").rstrip("\r\n").split("\t")
        for name in _COLUMNS:
            if name not in header:
                raise ValueError(
                    f"{path} is no probeMap: its first line lacks the column {name!r}. It must "
                    f"name, separated by tabs: {', '.join(_COLUMNS)} and possibly strand."
                )
        rows = [line.rstrip("\r\n").split("\t") for line in file if line.strip()]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise damaged(path, f"line {number} has {len(row)} fields instead of {len(header)}")
    table = pd.DataFrame(rows, columns=header, dtype=object)
    check_decoded(table["id"], path)
    table = table.mask(table.isin(_FILLERS))
    for name in ("chromStart", "chromEnd"):
        table[name] = table[name].mask(table[name] == "-1")
    return table
