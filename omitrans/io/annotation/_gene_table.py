"""Read the positions and names of genes from the usual annotation files."""

import csv
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import IO
from urllib.parse import unquote

import pandas as pd

from omitrans.annotation import check_gene_table
from omitrans.exceptions import DataFormatError
from omitrans.io._parquet import read_parquet
from omitrans.io._text import check_decoded, damaged, naming, open_text
from omitrans.io.annotation._probemap import read_probemap
from omitrans.utils._sklearn import StrOptions, validate_params
from omitrans.utils._validation import _some

_GENES = {"gene", "ncRNA_gene", "pseudogene"}  # the last two in the GFF3 files of Ensembl
_GTF_PAIR = re.compile(r'(\w+) (?:"([^"]*)"|([^\s;]+))')
_SYMBOL = ("gene_name", "Name", "gene_symbol", "gene")
_TYPE = ("gene_type", "gene_biotype", "biotype")
_N_FIELDS = 9


def is_annotation(line: str) -> bool:
    """Return whether a line is a feature of a GTF or GFF3 file.

    Parameters
    ----------
    line : str
        Line of the file that is not a comment.

    Returns
    -------
    bool
        True if it has nine fields with whole numbers in the fourth and fifth.
    """
    fields = line.split("\t")
    return len(fields) == _N_FIELDS and fields[3].isdigit() and fields[4].isdigit()


def read_annotation(lines: Iterable[tuple[int, str]], path: str | PathLike[str]) -> pd.DataFrame:
    """Read the genes from the lines of a GTF or GFF3 file.

    Parameters
    ----------
    lines : iterable of (int, str)
        Lines with their line numbers; comments are skipped.
    path : path-like
        Path of the file, for error messages.

    Returns
    -------
    DataFrame
        Text columns ``gene_id``, ``gene_symbol``, ``chromosome``, ``start``, ``end``, ``strand``
        and ``gene_type``.
    """
    rows, kinds = [], set()
    for number, line in lines:
        if line.startswith("##FASTA"):  # sequences follow
            break
        if line.startswith("#") or line.isspace():
            continue
        n_fields = line.count("\t") + 1
        if n_fields != _N_FIELDS:
            raise damaged(path, f"line {number} has {n_fields} fields instead of {_N_FIELDS}")
        kind = line.split("\t", 3)[2]
        if kind in _GENES:
            rows.append(_gene(line, number, path))
        else:
            kinds.add(kind)
    if not rows:
        found = ", ".join(sorted(kinds)[:5])
        raise DataFormatError(
            f"{path} holds no features of type 'gene', only: {found}. Take the file of GENCODE or "
            "Ensembl that lists genes; those of UCSC's table browser do not."
        )
    columns = ("gene_id", "gene_symbol", "chromosome", "start", "end", "strand", "gene_type")
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


def _gene(line: str, number: int, path: str | PathLike[str]) -> tuple[str | None, ...]:
    chromosome, _, _, start, end, _, strand, _, text = line.rstrip("\r\n").split("\t")
    if not (start.isdigit() and end.isdigit() and int(start) <= int(end)):
        raise damaged(path, f"line {number} gives {start!r} to {end!r} as the place of a gene")
    attributes = dict(_gff3_pairs(text) if _is_gff3(text) else _gtf_pairs(text))
    # Ensembl's GFF3 writes ID=gene:ENSG...
    gene_id = attributes.get("gene_id") or attributes.get("ID", "").removeprefix("gene:")
    if not gene_id:
        raise damaged(path, f"line {number} holds a gene without gene_id")
    return (
        gene_id,
        _first(attributes, _SYMBOL),
        chromosome,
        start,
        end,
        strand if strand in {"+", "-"} else None,
        _first(attributes, _TYPE),
    )


def _is_gff3(text: str) -> bool:
    return "=" in text.partition(";")[0].partition('"')[0]


def _gtf_pairs(text: str) -> Iterator[tuple[str, str]]:
    for key, quoted, bare in _GTF_PAIR.findall(text):
        yield key, quoted or bare


def _gff3_pairs(text: str) -> Iterator[tuple[str, str]]:
    for pair in text.split(";"):
        key, _, value = pair.strip().partition("=")
        yield key, unquote(value)


def _first(attributes: dict[str, str], keys: tuple[str, ...]) -> str | None:
    return next((attributes[key] for key in keys if attributes.get(key)), None)


# Our name -> the names it goes by, the preferred one first; compared in lower case, with _ for
# blanks. Ensembl BioMart (its R package and its web page), biomaRt, annotables, GenomicRanges.
_SYNONYMS = {
    "gene_id": (
        "gene_id",
        "ensembl_gene_id_version",
        "gene_stable_id_version",
        "ensembl_gene_id",
        "gene_stable_id",
        "ensembl_id",
        "ensgene",
        "ensembl",
        "",  # row names, as R writes them
    ),
    "gene_symbol": (
        "gene_symbol",
        "external_gene_name",
        "gene_name",
        "hgnc_symbol",
        "symbol",
        "gene",
    ),
    "chromosome": (
        "chromosome",
        "chromosome_name",
        "chromosome/scaffold_name",
        "chrom",
        "chr",
        "seqnames",
        "seqname",
    ),
    "start": ("start", "start_position", "gene_start_(bp)", "gene_start", "chromstart", "txstart"),
    "end": ("end", "end_position", "gene_end_(bp)", "gene_end", "chromend", "txend"),
    "strand": ("strand",),
    "gene_type": ("gene_type", "gene_biotype", "biotype"),
    "position": ("position",),
}
_FILLERS = ["", ".", "*", "NA", "NaN", "nan", "None"]
_PARQUET_MAGIC = b"PAR1"


@validate_params(
    {
        "path": [str, PathLike],
        "columns": [Mapping, None],
        "position": [StrOptions({"start", "tss"})],
    },
    prefer_skip_nested_validation=True,
)
def read_gene_table(
    path: str | PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    position: str = "start",
) -> pd.DataFrame:
    """Read a table of genes from a GTF, GFF3, probeMap, text or Parquet file.

    The kind of file is recognised by its content, not by its name; text files may be compressed by
    gzip. A GTF file is read line by line, so that memory holds only its genes.

    Parameters
    ----------
    path : path-like
        Path of the file, which is one of:

        - GTF or GFF3 of GENCODE or Ensembl: its features of type "gene";
        - a probeMap of genes of UCSC Xena, as :func:`read_probemap` reads it;
        - a table with named columns, separated by tabs, commas or semicolons, or in Parquet. The
          usual names are understood, among them those of Ensembl's BioMart: "ensembl_gene_id",
          "external_gene_name", "chromosome_name", "start_position", "end_position", "strand".
          Further columns are kept. Rows that repeat a gene and its place, as for each of its
          Entrez ids, count once: the first.
    columns : mapping of str to str or None, default=None
        Only for tables: for each column name used here, the name used in the file, such as
        ``{"gene_symbol": "Approved symbol"}``.
    position : {"start", "tss"}, default="start"
        Meaning of the column ``position``: "start" is the start of the gene on the chromosome (or
        the column "position" of a table); "tss" is the transcription start site, which for genes on
        the reverse strand is the end of the gene.

    Returns
    -------
    DataFrame
        A gene table as :func:`omitrans.annotation.check_gene_table` describes it: ``gene_id`` (as
        written, with its version if there is one), ``gene_symbol``, ``chromosome``, ``start``,
        ``end``, ``strand``, ``gene_type`` and ``position``, as far as the file holds them.
        Positions are as in the file: 1-based with the end included in all these formats.

    Raises
    ------
    DataFormatError
        If the file is damaged or is of another kind.
    FeatureMismatchError
        If two genes at different positions have the same id.

    See Also
    --------
    omitrans.preprocessing.map_gene_ids : Rename the genes of a table with a gene table.
    omitrans.preprocessing.strip_gene_version : Remove the versions from gene ids.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from omitrans.io import read_gene_table
    >>> fields = ["chr17", "HAVANA", "gene", "7661779", "7687550", ".", "-", "."]
    >>> fields.append('gene_id "ENSG00000141510.18"; gene_type "protein_coding"; gene_name "TP53";')
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "genes.gtf")
    ...     _ = path.write_text("\\t".join(fields))
    ...     genes = read_gene_table(path, position="tss")
    >>> genes[["gene_id", "gene_symbol", "chromosome", "position"]]
                  gene_id gene_symbol chromosome  position
    0  ENSG00000141510.18        TP53         17   7687550
    """
    path, columns = Path(path), dict(columns or {})
    wrong = [name for name in columns if name not in _SYNONYMS]
    if wrong:
        raise ValueError(f"columns cannot name {wrong[0]!r}, only: {', '.join(_SYNONYMS)}.")
    try:
        table = _read(path, columns)
    except ValueError as error:
        raise naming(path, error) from error
    return _start_at_tss(table, path) if position == "tss" else table


def _read(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    with path.open("rb") as file:
        parquet = file.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC
    raw = _read_parquet(path) if parquet else _read_text(path)
    if raw is None:
        return read_probemap(path, kind="gene")
    table = _name_columns(raw, columns, path)
    check_decoded(table["gene_id"], path)
    table = table.mask(table.isin(_FILLERS))
    place = [name for name in ("gene_id", "chromosome", "start", "end", "strand") if name in table]
    return check_gene_table(table[table["gene_id"].notna()].drop_duplicates(place))


def _read_parquet(path: Path) -> pd.DataFrame:
    table = read_parquet(path)
    return table if table.index.name is None else table.reset_index()


def _read_text(path: Path) -> pd.DataFrame | None:
    """Return a table of text, None for a probeMap."""
    with open_text(path) as file:
        lines = enumerate(file, start=1)
        number, line = next(
            ((number, line) for number, line in lines if not _is_comment(line)), (0, "")
        )
        if not number:
            raise DataFormatError(f"{path} holds nothing but comments. Fetch it again.")
        if _is_probemap(line):
            return None
        if is_annotation(line):
            return read_annotation(chain([(number, line)], lines), path)
        return _read_table(line, number, file, path)


def _is_comment(line: str) -> bool:
    return not line.strip() or (line.startswith("#") and not _is_probemap(line))


def _is_probemap(line: str) -> bool:
    return {"id", "chromStart"} <= set(line.strip().lstrip("#").split("\t"))


def _read_table(header: str, number: int, file: IO[str], path: Path) -> pd.DataFrame:
    """Read a table with named columns; `number` is that of its header."""
    separator = max("\t,;", key=header.count)
    names = next(csv.reader([header], delimiter=separator))
    if len(names) < 2 or "\0" in header:
        raise DataFormatError(
            f"{path} is no gene table: its first line is {header[:40]!r}. It must name columns, "
            "separated by tabs, commas or semicolons."
        )
    reader = csv.reader(file, delimiter=separator)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if len(row) == len(names) + 1 and not rows:
                names = ["", *names]  # R writes row names without a name for them
            if row and len(row) != len(names):
                line = number + reader.line_num
                raise damaged(path, f"line {line} has {len(row)} fields instead of {len(names)}")
            rows.append(row)
    except csv.Error as error:
        raise damaged(path, f"line {number + reader.line_num}: {error}") from error
    return pd.DataFrame([row for row in rows if row], columns=names, dtype=object)


def _name_columns(raw: pd.DataFrame, columns: Mapping[str, str], path: Path) -> pd.DataFrame:
    """Rename the known columns to the names that this package uses."""
    present = {str(name).strip().lower().replace(" ", "_"): name for name in raw.columns[::-1]}
    found: dict[str, Hashable] = {}
    for name, synonyms in _SYNONYMS.items():
        if name in columns and columns[name] not in raw:
            raise _no_column(name, raw, path, f"no column {columns[name]!r}")
        known = [present[synonym] for synonym in synonyms if synonym in present]
        if name in columns or known:
            found[name] = columns.get(name) or known[0]
    for name in ("gene_id", "chromosome", "start"):
        if name not in found and not (name == "start" and "position" in found):
            raise _no_column(name, raw, path, f"no column that is known as {name}")
    table = pd.DataFrame({name: raw[theirs] for name, theirs in found.items()})
    others = [name for name in raw if name not in found.values() and name not in found]
    return table.join(raw[others])


def _no_column(name: str, raw: pd.DataFrame, path: Path, what: str) -> DataFormatError:
    return DataFormatError(
        f"{path} has {what}; it has: {_some(map(repr, raw.columns), 12)}. Say which one it is: "
        f"columns={{{name!r}: ...}}."
    )


def _start_at_tss(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Set the position of genes on the reverse strand to their end."""
    for name in ("start", "end", "strand"):
        if name not in table:
            raise DataFormatError(
                f"{path} does not tell where transcription starts: it lacks {name}. Use "
                "position='start'."
            )
    reverse = table["strand"].eq("-").fillna(False).astype(bool)
    return table.assign(position=table["start"].mask(reverse, table["end"]))
