"""Read GTEx data: expression matrices and the covariates of their samples."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.io._text import damaged, open_text
from omitrans.io.portals._gtex_matrix import Matrix, open_matrix, reaches, read_values
from omitrans.utils._sklearn import Options, validate_params
from omitrans.utils._validation import _some

SEXES = {"1": "male", "2": "female", "98": np.nan, "99": np.nan}  # not reported, unknown

Path = str | PathLike[str]


def describe_samples(
    matrix: Matrix,
    attributes: Path | None,
    phenotypes: Path | None,
    tissues: Sequence[str] | None,
) -> pd.DataFrame:
    """Return the donor and covariates of the samples to read, indexed by sample id."""
    if tissues is not None and not len(tissues):
        raise ValueError("tissues is empty. Name one or more, or leave it None to read all.")
    ids = pd.Index(matrix.samples, name="sample_id", dtype=object)
    donors = ["-".join(name.split("-")[:2]) for name in matrix.samples]
    samples = pd.DataFrame({"donor": np.array(donors, dtype=object)}, index=ids)
    if matrix.of_donors:
        samples = _name_tissue(samples, matrix.path, attributes, tissues)
    else:
        samples = _look_up_tissues(samples, matrix.path, attributes, tissues)
    if phenotypes is not None:
        table = _read_table(phenotypes, "SUBJID", ("SEX", "AGE"))
        known = pd.Index(samples["donor"].unique())
        _check_known(known, table.index, phenotypes, matrix.path, "donors")
        table = table.loc[samples["donor"]]
        samples["sex"] = _sexes(table["SEX"], phenotypes).to_numpy()
        samples["age"] = _years(table["AGE"], phenotypes).to_numpy()
        if "COHORT" in table:
            samples["cohort"] = table["COHORT"].to_numpy()
    return samples


def _name_tissue(
    samples: pd.DataFrame, matrix: Path, attributes: Path | None, tissues: Sequence[str] | None
) -> pd.DataFrame:
    """Assign the tissue that the caller names to all samples of a BED file."""
    if attributes is not None:
        raise ValueError(
            f"sample_attributes describes samples, and the columns of {matrix} are donors. Leave "
            "it out, and name the tissue of the file in tissues."
        )
    if tissues is None:
        return samples
    if len(tissues) != 1:
        raise ValueError(
            f"A BED file holds one tissue, and tissues names {len(tissues)} ({_some(tissues)}). "
            f"Name that of {matrix}."
        )
    return samples.assign(tissue=np.full(len(samples), tissues[0], dtype=object))


def _look_up_tissues(
    samples: pd.DataFrame, matrix: Path, attributes: Path | None, tissues: Sequence[str] | None
) -> pd.DataFrame:
    if attributes is None:
        if tissues is not None:
            raise ValueError(
                "tissues needs sample_attributes, which say what tissue a sample is of."
            )
        return samples
    table = _read_table(attributes, "SAMPID", ("SMTSD",))
    _check_known(samples.index, table.index, attributes, matrix, "samples")
    samples["tissue"] = table.loc[samples.index, "SMTSD"].to_numpy()
    if tissues is None:
        return samples
    known = sorted(samples["tissue"].dropna().unique())
    absent = sorted(set(tissues) - set(known))
    if absent:
        raise SampleMismatchError(
            f"{matrix} holds no samples of {_some(absent)}. It holds: {', '.join(known)}."
        )
    return samples[samples["tissue"].isin(list(tissues))].copy()


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


def _sexes(codes: pd.Series, path: Path) -> pd.Series:
    """Return sexes in words; NaN where they are unknown."""
    odd = codes[codes.notna() & ~codes.isin(list(SEXES))]
    if len(odd):
        raise ValueError(
            f"{path}: SEX holds {_some(odd.unique())}; it must be 1 (male) or 2 (female), or 98, "
            "99 or nothing where it is unknown."
        )
    return codes.map(SEXES).astype(object)


def _years(ages: pd.Series, path: Path) -> pd.Series:
    """Return ages as numbers; an age bracket becomes its middle."""
    bounds = ages.astype(str).str.extract(r"^(\d+)(?:-(\d+))?$").astype(float)
    odd = ages[bounds[0].isna() & ages.notna()]
    if len(odd):
        raise ValueError(
            f"{path}: AGE holds {_some(odd.unique())}; it must be a number of years or a bracket "
            "as 60-69."
        )
    return bounds[0].where(bounds[1].isna(), (bounds[0] + bounds[1]) / 2)


LARGEST_LOGGED = 30.0  # log2(TPM + 1) stays below 20, TPM does not


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
        Path of the expression matrix with genes as rows: a GCT file with TPM, of all tissues
        (``GTEx_Analysis_..._gene_tpm.gct.gz``) or of one tissue, or a BED file of one tissue as
        published with the eQTLs (``<tissue>.v8.normalized_expression.bed.gz``), whose columns are
        donors.
    sample_attributes : path-like, default=None
        Path of ``..._SampleAttributesDS.txt``, which gives the tissue of each sample.
    subject_phenotypes : path-like, default=None
        Path of ``..._SubjectPhenotypesDS.txt``, which gives sex, age and, in some versions, cohort.
    tissues : str or sequence of str, default=None
        Names of the tissues to read, as in the column SMTSD, such as "Whole Blood". For a BED file,
        the name of its tissue.
    genes : sequence of str, default=None
        Ids of the genes to read, with or without version; ids that the file lacks are ignored. None
        reads all genes.
    log : bool or "auto", default="auto"
        Whether to take log2(x + 1). "auto" does so for a GCT file, unless its values look like
        logarithms: a value that is read is negative, or all values of the file are below 30. A BED
        file holds normalised values and is not transformed.
    keep_versions : bool, default=False
        Whether gene ids keep their version (ENSG00000223972.5).

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the attributes

        X : DataFrame of shape (n_samples, n_genes + n_covariates)
            Expression as float32, then ``tissue``, ``sex``, ``age`` and ``cohort``, as far as they
            are known. NaN stays NaN. An age bracket (60-69) becomes its middle (64.5).
        samples : DataFrame
            Table of the samples, indexed like X, with ``donor`` and the covariates.
        genes : DataFrame
            Table with ``gene_id`` and ``gene_symbol`` of the columns; BED files have no symbols.
        unit : str
            Unit of the expression: "log2(TPM + 1)", or "as in the file".

    Raises
    ------
    ValueError
        If a file is of another layout or truncated, or holds text or infinite values instead of
        numbers.
    SampleMismatchError
        If samples or donors are absent from the tables that describe them, or no sample is left.
    FeatureMismatchError
        If two gene ids are equal without their version, or the file holds none of `genes`.

    See Also
    --------
    omitrans.PMIImputer : Imputes such an X.
    omitrans.datasets.make_expression : Simulated data of the same form.

    Notes
    -----
    Memory holds the result and one block of 256 genes. Rows whose id ends in ``_PAR_Y`` are left
    out: the same genes are present with their id on chromosome X.

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
    with open_matrix(expression) as matrix:
        samples = describe_samples(matrix, sample_attributes, subject_phenotypes, tissues)
        places = np.flatnonzero(pd.Index(matrix.samples).isin(samples.index))
        values, table = read_values(matrix, places, wanted)
    table["gene_id"] = _check_ids(table["gene_id"], keep_versions, genes, expression)
    if log == "auto":
        log = not matrix.of_donors and _is_linear(values, expression)
    if log:
        _take_log(values, expression)
    frame = pd.DataFrame(values, samples.index, pd.Index(table["gene_id"].to_numpy()), copy=False)
    for name in samples.columns.drop("donor"):
        frame[name] = samples[name]  # pandas.concat would copy the table
    return Bunch(
        X=frame,
        samples=samples,
        genes=table,
        unit="log2(TPM + 1)" if log else "as in the file",
    )


def _check_ids(ids: pd.Series, keep_versions: bool, genes: Any, path: Path) -> pd.Series:
    if len(ids) == 0:
        what = "no gene" if genes is None else f"none of the {len(genes)} genes wanted"
        raise FeatureMismatchError(f"{path} holds {what}. Genes are found by their Ensembl id.")
    if not keep_versions:
        ids = ids.str.replace(r"\.\d+$", "", regex=True)
    twice = ids[ids.duplicated()]
    if len(twice):
        versions = "" if keep_versions else "with keep_versions=True, or "
        raise FeatureMismatchError(
            f"{path}: {len(twice)} gene ids stand twice (first: {_some(twice)}). Read it "
            f"{versions}without them (genes names those to read)."
        )
    return ids


def _is_linear(values: np.ndarray, path: Path) -> bool:
    """Return whether values are TPM; if all are low, the other genes are read as well."""
    if np.fmin.reduce(values, axis=None) < 0:
        return False
    return bool(np.fmax.reduce(values, axis=None) >= LARGEST_LOGGED) or reaches(
        path, LARGEST_LOGGED
    )


def _take_log(values: np.ndarray, path: Path) -> None:
    """Take log2(x + 1) in place."""
    smallest = np.fmin.reduce(values, axis=None)
    if smallest < 0:
        raise ValueError(
            f"log=True takes log2(x + 1), but {path} holds negative values (smallest "
            f"{smallest:.4g}): they are logged or normalised already. Leave log at 'auto'."
        )
    np.log1p(values, out=values)
    values /= np.float32(np.log(2))
