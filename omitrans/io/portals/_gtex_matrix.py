"""Read expression matrices with genes as rows: GCT files, and BED files of eQTL studies."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import IO, NamedTuple

import numpy as np
import pandas as pd

from omitrans.exceptions import SampleMismatchError
from omitrans.io._text import damaged, open_text
from omitrans.utils._validation import _some

BLOCK_GENES = 256
PAR_Y = "_PAR_Y"  # genes of chromosome Y that are counted on X; GTEx gives zeros
_GCT_NAMES = ["Name", "Description"]
_BED_NAMES = ["#chr", "start", "end", "gene_id"]


class Matrix(NamedTuple):
    """Open matrix, positioned after its header."""

    path: str | PathLike[str]
    file: IO[str]
    samples: list[str]
    n_genes: int
    n_before: int  # columns in front of the values
    first_line: int  # number of the line of the first gene
    id_column: int
    symbol_column: int | None

    @property
    def of_donors(self) -> bool:
        """Whether the columns are donors, as in BED files, which have no gene symbols."""
        return self.symbol_column is None


class Gene(NamedTuple):
    """Row of a matrix."""

    line: int
    gene_id: str
    symbol: str | None
    fields: list[str]


@contextmanager
def open_matrix(path: str | PathLike[str]) -> Iterator[Matrix]:
    """Open a matrix and check its header."""
    with open_text(path) as file:
        first = _fields(file.readline())
        if first[0] == "#1.2":
            matrix = _open_gct(path, file)
        elif [name.lower() for name in first[:4]] == _BED_NAMES:
            matrix = Matrix(path, file, first[4:], _count_lines(path) - 1, 4, 2, 3, None)
        else:
            raise ValueError(
                f"{path} is neither a GCT file (first line '#1.2') nor a BED file of expression "
                "(first line '#chr start end gene_id ...', with tabs); its first line begins with "
                f"{chr(9).join(first)[:60]!r}."
            )
        if not matrix.samples:
            raise SampleMismatchError(f"{path} holds no sample: its header names none.")
        odd = [name for name in matrix.samples if "\ufffd" in name]
        if odd:
            raise damaged(path, f"its header holds bytes that are no UTF-8, in {odd[0]!r}")
        names = pd.Index(matrix.samples)
        if not names.is_unique:
            twice = _some(names[names.duplicated()])
            raise SampleMismatchError(f"{path} holds samples twice: {twice}.")
        yield matrix


def _open_gct(path: str | PathLike[str], file: IO[str]) -> Matrix:
    sizes = file.readline().split()
    if len(sizes) < 2 or not all(size.isdigit() for size in sizes[:2]):
        raise damaged(path, f"line 2 must hold the numbers of genes and samples: {sizes}")
    names = _fields(file.readline())
    n_before = 3 if names[0] == "id" else 2  # GTEx's files of one tissue number their rows
    if names[n_before - 2 : n_before] != _GCT_NAMES or len(names) - n_before != int(sizes[1]):
        raise damaged(
            path,
            f"line 3 must name Name, Description and {sizes[1]} samples; it has "
            f"{len(names)} fields and begins with {names[:3]}",
        )
    n_genes, id_column = int(sizes[0]), n_before - 2
    return Matrix(path, file, names[n_before:], n_genes, n_before, 4, id_column, n_before - 1)


def _fields(line: str) -> list[str]:
    return line.rstrip("\r\n").split("\t")


def _count_lines(path: str | PathLike[str]) -> int:
    with open_text(path) as file:
        return sum(1 for line in file if line.strip())


def read_values(
    matrix: Matrix, places: np.ndarray, wanted: set[str] | None
) -> tuple[np.ndarray, pd.DataFrame]:
    """Return float32 values (n_samples, n_genes) of some samples and genes, and the gene names.

    `wanted` holds gene ids without version; None means all genes. Genes of the pseudoautosomal
    region of chromosome Y are left out.
    """
    values = np.empty((len(places), matrix.n_genes), dtype=np.float32)
    columns = (matrix.n_before + places).tolist()
    names: list[tuple[str, str | None]] = []
    block: list[np.ndarray] = []

    def store() -> None:
        if block:
            values[:, len(names) - len(block) : len(names)] = np.stack(block, axis=1)
            block.clear()

    for gene in _genes(matrix):
        unwanted = wanted is not None and gene.gene_id.partition(".")[0] not in wanted
        if unwanted or gene.gene_id.endswith(PAR_Y):
            continue
        block.append(_numbers(matrix, gene, columns))
        names.append((gene.gene_id, gene.symbol))
        if len(block) == BLOCK_GENES:
            store()
    store()
    table = pd.DataFrame(names, columns=["gene_id", "gene_symbol"], dtype=object)
    return values[:, : len(names)], table


def _numbers(matrix: Matrix, gene: Gene, columns: list[int]) -> np.ndarray:
    """Return the values of a gene in some columns; NaN stands for a missing value."""
    try:
        numbers = map(float, map(gene.fields.__getitem__, columns))
        with np.errstate(over="ignore"):  # found below
            row = np.fromiter(numbers, np.float32, len(columns))
    except ValueError as error:
        raise ValueError(
            f"{matrix.path}, line {gene.line}, gene {gene.gene_id}: {error}. Values must be "
            "numbers, or NaN where they are missing."
        ) from error
    if np.isinf(row).any():
        found = gene.fields[columns[int(np.flatnonzero(np.isinf(row))[0])]]
        raise ValueError(
            f"{matrix.path}, line {gene.line}, gene {gene.gene_id}: values must be finite in "
            f"single precision, and {found} is not."
        )
    return row


def _genes(matrix: Matrix) -> Iterator[Gene]:
    """Yield the rows; raise an error for ragged rows and for too many or too few of them."""
    n_fields = matrix.n_before + len(matrix.samples)
    n_rows = 0
    for number, line in enumerate(matrix.file, start=matrix.first_line):
        if not line.strip():
            continue
        n_rows += 1
        fields = _fields(line)
        if len(fields) != n_fields:
            raise damaged(
                matrix.path, f"line {number} has {len(fields)} fields instead of {n_fields}"
            )
        if "\ufffd" in fields[matrix.id_column]:
            raise damaged(matrix.path, f"line {number} holds bytes that are no UTF-8")
        if n_rows <= matrix.n_genes:
            symbol = None if matrix.symbol_column is None else fields[matrix.symbol_column]
            yield Gene(number, fields[matrix.id_column], symbol, fields)
    if n_rows != matrix.n_genes:
        raise damaged(matrix.path, f"it holds {n_rows} genes; its header says {matrix.n_genes}")


def reaches(path: str | PathLike[str], threshold: float) -> bool:
    """Return whether any value of the file is at least `threshold`; read only as far as needed."""
    with open_matrix(path) as matrix:
        columns = list(range(matrix.n_before, matrix.n_before + len(matrix.samples)))
        return any((_numbers(matrix, gene, columns) >= threshold).any() for gene in _genes(matrix))
