"""Read the genes of GTF and GFF3 files, line by line."""

import re
from collections.abc import Iterable, Iterator
from os import PathLike
from urllib.parse import unquote

import pandas as pd

from omitrans.exceptions import DataFormatError
from omitrans.io._text import damaged

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
        A line that is no comment.

    Returns
    -------
    bool
        True if it has nine fields with whole numbers in the fourth and fifth.
    """
    fields = line.split("\t")
    return len(fields) == _N_FIELDS and fields[3].isdigit() and fields[4].isdigit()


def read_annotation(lines: Iterable[tuple[int, str]], path: str | PathLike[str]) -> pd.DataFrame:
    """Read the genes among the features.

    Parameters
    ----------
    lines : iterable of (int, str)
        Numbered lines; comments may be among them.
    path : path-like
        The file, for messages.

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
        start = line.split("\t", 3)
        if len(start) != 4:
            raise damaged(path, f"line {number} has {len(start)} fields instead of {_N_FIELDS}")
        if start[2] in _GENES:
            rows.append(_gene(line, number, path))
        else:
            kinds.add(start[2])
    if not rows:
        found = ", ".join(sorted(kinds)[:5])
        raise DataFormatError(
            f"{path} holds no features of type 'gene', only: {found}. Take the file of GENCODE or "
            "Ensembl that lists genes; those of UCSC's table browser do not."
        )
    columns = ("gene_id", "gene_symbol", "chromosome", "start", "end", "strand", "gene_type")
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


def _gene(line: str, number: int, path: str | PathLike[str]) -> tuple[str | None, ...]:
    fields = line.rstrip("\r\n").split("\t")
    if len(fields) != _N_FIELDS:
        raise damaged(path, f"line {number} has {len(fields)} fields instead of {_N_FIELDS}")
    chromosome, _, _, start, end, _, strand, _, text = fields
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
