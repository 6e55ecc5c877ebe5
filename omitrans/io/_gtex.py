"""Read GTEx: expression matrices, and who gave which sample."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import IO, Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.io._text import damaged, open_text
from omitrans.utils._sklearn import Options, validate_params
from omitrans.utils._validation import _some

BLOCK_GENES = 256
LARGEST_LOGGED = 30.0  # log2(TPM + 1) stays below 20, TPM does not
SEXES = {"1": "male", "2": "female"}
_GCT, _BED = "#1.2", "#chr"
_PAR_Y = "_PAR_Y"  # genes of chromosome Y that are counted on X; GTEx gives zeros

Path = str | PathLike[str]


@validate_params(
    {
        "expression": [str, PathLike],
        "sample_attributes": [str, PathLike, None],
        "subject_phenotypes": [str, PathLike, None],
        "tissues": ["array-like", str, None],
        "genes": ["array-like", None],
        "log": ["boolean", Options(str, {"auto"})],
        "keep_versions": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def read_gtex(
    expression: Path,
    sample_attributes: Path | None = None,
    subject_phenotypes: Path | None = None,
    *,
    tissues: Any = None,
    genes: Any = None,
    log: bool | str = "auto",
    keep_versions: bool = False,
) -> Bunch:
    """Read GTEx expression with the covariates of its samples.

    Parameters
    ----------
    expression : path-like
        Expression, genes as rows: a GCT file with TPM
        (``GTEx_Analysis_..._gene_tpm.gct.gz``), or a BED file of one tissue as it comes with the
        eQTLs (``<tissue>.v8.normalized_expression.bed.gz``), whose columns are donors.
    sample_attributes : path-like, default=None
        ``..._SampleAttributesDS.txt``, for the tissue of each sample.
    subject_phenotypes : path-like, default=None
        ``..._SubjectPhenotypesDS.txt``, for sex, age and, where the file has it, cohort.
    tissues : str or sequence of str, default=None
        Names as in SMTSD, such as "Whole Blood": samples of other tissues are not read. Of a BED
        file, the name of its tissue.
    genes : sequence of str, default=None
        Ids of the genes to read, with or without version. None reads all.
    log : bool or "auto", default="auto"
        Whether to take log2(x + 1). "auto" does so for a GCT file, unless a value is negative or
        all are below 30, as logged ones are; a BED file holds normalised values and is left as it
        is.
    keep_versions : bool, default=False
        Whether ids keep their version (ENSG00000223972.5).

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the attributes

        X : DataFrame of shape (n_samples, n_genes + n_covariates)
            Expression, float32; then ``tissue``, ``sex``, ``age`` and ``cohort``, as far as they
            are known. An age bracket (60-69) becomes its middle (64.5).
        samples : DataFrame
            Indexed as X, with ``donor`` and the covariates.
        genes : DataFrame
            ``gene_id`` and ``gene_symbol`` of the columns; BED files have no symbols.
        unit : str
            "log2(TPM + 1)", or "as in the file".

    Raises
    ------
    ValueError
        If a file is of another layout, truncated, or holds text where numbers are due.
    SampleMismatchError
        If samples or donors are absent from the tables that describe them, or none is left.
    FeatureMismatchError
        If gene ids are the same twice without their version, or none of `genes` is there.

    See Also
    --------
    omitrans.PMIImputer : Takes such an X.
    omitrans.datasets.make_expression : Simulated data of the same form.

    Notes
    -----
    Memory is that of the result and one block of 256 genes. Rows whose id ends in ``_PAR_Y`` are
    left out: the same genes stand under their id on chromosome X.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from omitrans.io import read_gtex
    >>> lines = [
    ...     "#1.2",
    ...     "2 2",
    ...     "Name Description GTEX-1117F-0226-SM-5GZZ7 GTEX-111CU-1826-SM-5GZYN",
    ...     "ENSG00000227232.5 WASH7P 3 127",
    ...     "ENSG00000278267.1 MIR6859-1 0 1",
    ... ]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "tpm.gct")
    ...     _ = path.write_text("\\n".join(lines).replace(" ", "\\t"))
    ...     data = read_gtex(path)
    >>> data.X["ENSG00000227232"].tolist(), data.samples["donor"].tolist()
    ([2.0, 7.0], ['GTEX-1117F', 'GTEX-111CU'])
    """
    tissues = [tissues] if isinstance(tissues, str) else tissues
    wanted = None if genes is None else {str(gene).partition(".")[0] for gene in genes}
    with _open_matrix(expression) as matrix:
        samples = _describe(matrix, sample_attributes, subject_phenotypes, tissues)
        places = np.flatnonzero(pd.Index(matrix.samples).isin(samples.index))
        values, table = _read_values(matrix, places, wanted)
    table["gene_id"] = _check_ids(table["gene_id"], keep_versions, genes)
    logged = matrix.layout == _GCT and log == "auto" and _is_linear(values)
    if log is True or logged:
        _take_log(values, expression)
    index = pd.Index(np.asarray(matrix.samples, dtype=object)[places], name="sample_id")
    samples = samples.loc[index]
    frame = pd.DataFrame(values, index, pd.Index(table["gene_id"].to_numpy()), copy=False)
    covariates = samples.drop(columns="donor")
    return Bunch(
        X=pd.concat([frame, covariates], axis=1) if covariates.shape[1] else frame,
        samples=samples,
        genes=table.reset_index(drop=True),
        unit="log2(TPM + 1)" if log is True or logged else "as in the file",
    )


# --- the matrix ---


class _Matrix(NamedTuple):
    """An open matrix behind its header."""

    path: Path
    file: IO[str]
    layout: str
    samples: list[str]
    n_genes: int
    n_before: int  # columns in front of the values
    first_line: int  # number of the line of the first gene


@contextmanager
def _open_matrix(path: Path) -> Iterator[_Matrix]:
    with open_text(path) as file:
        first = file.readline().rstrip("\r\n")
        if first == _GCT:
            sizes = file.readline().split()
            if len(sizes) < 2 or not all(size.isdigit() for size in sizes[:2]):
                raise damaged(path, f"line 2 must hold the numbers of genes and samples: {sizes}")
            names = file.readline().rstrip("\r\n").split("\t")
            if names[:2] != ["Name", "Description"] or len(names) - 2 != int(sizes[1]):
                raise damaged(
                    path,
                    f"line 3 must name Name, Description and {sizes[1]} samples; it has "
                    f"{len(names)} fields and begins with {names[:2]}",
                )
            header = _Matrix(path, file, _GCT, names[2:], int(sizes[0]), 2, 4)
        elif first.split("\t")[0] == _BED:
            names = first.split("\t")
            header = _Matrix(path, file, _BED, names[4:], _count_lines(path) - 1, 4, 2)
        else:
            raise ValueError(
                f"{path} is neither a GCT file (first line '#1.2') nor a BED file of expression "
                f"(first line '#chr start end gene_id ...'); its first line is {first[:60]!r}."
            )
        twice = pd.Index(header.samples)[pd.Index(header.samples).duplicated()]
        if len(twice):
            raise SampleMismatchError(f"{path} holds samples twice: {_some(twice)}.")
        yield header


def _count_lines(path: Path) -> int:
    with open_text(path) as file:
        return sum(1 for line in file if line.strip())


def _read_values(
    matrix: _Matrix, places: np.ndarray, wanted: set[str] | None
) -> tuple[np.ndarray, pd.DataFrame]:
    """Return (n_samples, n_genes) values of some samples and genes, and what the genes are."""
    values = np.empty((len(places), matrix.n_genes), dtype=np.float32)
    columns = matrix.n_before + places
    names: list[tuple[str, str | None]] = []
    block: list[np.ndarray] = []

    def store() -> None:
        if block:
            values[:, len(names) - len(block) : len(names)] = np.stack(block, axis=1)
            block.clear()

    for number, gene, symbol, fields in _rows(matrix):
        unwanted = wanted is not None and gene.partition(".")[0] not in wanted
        if unwanted or gene.endswith(_PAR_Y) or len(names) == matrix.n_genes:
            continue
        try:
            block.append(np.array(fields)[columns].astype(np.float32))
        except ValueError as error:
            raise ValueError(f"{matrix.path}, line {number}, gene {gene}: {error}.") from error
        names.append((gene, symbol))
        if len(block) == BLOCK_GENES:
            store()
    store()
    table = pd.DataFrame(names, columns=["gene_id", "gene_symbol"], dtype=object)
    return values[:, : len(names)], table


def _rows(matrix: _Matrix) -> Iterator[tuple[int, str, str | None, list[str]]]:
    """Yield line number, id, symbol and fields of every gene; raise if some are missing."""
    n_fields = matrix.n_before + len(matrix.samples)
    n_rows = 0
    for number, line in enumerate(matrix.file, start=matrix.first_line):
        if not line.strip():
            continue
        n_rows += 1
        fields = line.rstrip("\r\n").split("\t")
        if len(fields) != n_fields:
            raise damaged(
                matrix.path, f"line {number} has {len(fields)} fields instead of {n_fields}"
            )
        if matrix.layout == _GCT:
            yield number, fields[0], fields[1], fields
        else:
            yield number, fields[3], None, fields
    if n_rows != matrix.n_genes:
        raise damaged(matrix.path, f"it holds {n_rows} genes; its header says {matrix.n_genes}")


def _check_ids(ids: pd.Series, keep_versions: bool, genes: Any) -> pd.Series:
    if len(ids) == 0:
        what = "holds no gene" if genes is None else f"holds none of the {len(genes)} genes wanted"
        raise FeatureMismatchError(f"The matrix {what}. Genes are found by their Ensembl id.")
    if not keep_versions:
        ids = ids.str.replace(r"\.\d+$", "", regex=True)
    twice = ids[ids.duplicated()]
    if len(twice):
        raise FeatureMismatchError(
            f"{len(twice)} gene ids stand twice (first: {_some(twice)}). Read them with "
            "keep_versions=True, or name those wanted in genes."
        )
    return ids


def _is_linear(values: np.ndarray) -> bool:
    return bool(values.min() >= 0 and values.max() >= LARGEST_LOGGED)


def _take_log(values: np.ndarray, path: Path) -> None:
    """Take log2(x + 1) in place."""
    if values.min() < 0:
        raise ValueError(
            f"log=True takes log2(x + 1), but {path} holds negative values (smallest "
            f"{values.min():.4g}): they are logged or normalised already. Leave log at 'auto'."
        )
    np.log1p(values, out=values)
    values /= np.float32(np.log(2))


# --- the samples ---


def _describe(
    matrix: _Matrix, attributes: Path | None, phenotypes: Path | None, tissues: list[str] | None
) -> pd.DataFrame:
    """Return donor and covariates of the samples to read."""
    ids = pd.Index(matrix.samples, name="sample_id", dtype=object)
    donors = ["-".join(name.split("-")[:2]) for name in matrix.samples]
    samples = pd.DataFrame({"donor": np.array(donors, dtype=object)}, index=ids)
    if attributes is not None:
        table = _read_table(attributes, "SAMPID", ("SMTSD",))
        _check_known(ids, table.index, attributes, matrix.path, "samples")
        samples["tissue"] = table.loc[ids, "SMTSD"].to_numpy()
    elif tissues is not None and matrix.layout == _BED and len(tissues) == 1:
        samples["tissue"] = tissues[0]
    if tissues is not None:
        samples = _choose_tissues(samples, tissues, matrix.path)
    if phenotypes is not None:
        table = _read_table(phenotypes, "SUBJID", ("SEX", "AGE"))
        known = pd.Index(samples["donor"].unique())
        _check_known(known, table.index, phenotypes, matrix.path, "donors")
        table = table.loc[samples["donor"]]
        samples["sex"] = table["SEX"].map(SEXES).to_numpy()
        samples["age"] = _years(table["AGE"]).to_numpy()
        if "COHORT" in table:
            samples["cohort"] = table["COHORT"].to_numpy()
    return samples


def _choose_tissues(samples: pd.DataFrame, tissues: list[str], path: Path) -> pd.DataFrame:
    if "tissue" not in samples:
        raise ValueError("tissues needs sample_attributes, which say what tissue a sample is of.")
    absent = sorted(set(tissues) - set(samples["tissue"]))
    if absent:
        known = sorted(samples["tissue"].dropna().unique())
        raise SampleMismatchError(
            f"{path} holds no samples of {_some(absent)}. It holds: {', '.join(known)}."
        )
    return samples[samples["tissue"].isin(list(tissues))]


def _read_table(path: Path, key: str, needed: tuple[str, ...]) -> pd.DataFrame:
    """Return a table of samples or donors as text, indexed by their ids."""
    with open_text(path) as file:
        # dbGaP puts a preamble of comments in front
        lines = (line for line in file if line.strip() and not line.startswith("#"))
        header = next(lines, "").rstrip("\r\n").split("\t")
        absent = [name for name in (key, *needed) if name not in header]
        if absent:
            raise ValueError(
                f"{path} lacks the columns {', '.join(absent)}. It must be a GTEx table with tabs "
                f"between its fields; its first line begins with {header[:3]}."
            )
        rows = [line.rstrip("\r\n").split("\t") for line in lines]
    for row in rows:
        if len(row) != len(header):
            raise damaged(path, f"the row of {row[0]} has {len(row)} of {len(header)} fields")
    table = pd.DataFrame(rows, columns=header, dtype=object).set_index(key)
    twice = table.index[table.index.duplicated()]
    if len(twice):
        raise SampleMismatchError(f"{path} holds {len(twice)} ids twice ({_some(twice)}).")
    return table.mask(table == "")


def _check_known(ids: pd.Index, known: pd.Index, path: Path, matrix: Path, what: str) -> None:
    absent = ids.difference(known)
    if len(absent):
        raise SampleMismatchError(
            f"{len(absent)} of {len(ids)} {what} of {matrix} are not in {path} (first: "
            f"{_some(absent)}). Use the tables of the same GTEx release."
        )


def _years(ages: pd.Series) -> pd.Series:
    """Return ages as numbers; a bracket becomes its middle."""
    bounds = ages.astype(str).str.extract(r"^(\d+)(?:-(\d+))?$").astype(float)
    odd = ages[bounds[0].isna() & ages.notna()]
    if len(odd):
        raise ValueError(
            f"AGE holds {_some(odd.unique())}; it must be a number of years or a bracket as 60-69."
        )
    return bounds[0].where(bounds[1].isna(), (bounds[0] + bounds[1]) / 2)
