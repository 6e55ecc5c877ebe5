"""Read who gave which sample: GTEx's tables of sample attributes and subject phenotypes."""

from collections.abc import Sequence
from os import PathLike

import numpy as np
import pandas as pd

from omitrans.exceptions import SampleMismatchError
from omitrans.io._gtex_matrix import Matrix
from omitrans.io._text import damaged, open_text
from omitrans.utils._validation import _some

SEXES = {"1": "male", "2": "female", "98": np.nan, "99": np.nan}  # not reported, unknown

Path = str | PathLike[str]


def describe_samples(
    matrix: Matrix,
    attributes: Path | None,
    phenotypes: Path | None,
    tissues: Sequence[str] | None,
) -> pd.DataFrame:
    """Return donor and covariates of the samples to read, indexed by sample id."""
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
    """Give all samples of a BED file the one tissue that the caller names."""
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
    """Return ages as numbers; a bracket becomes its middle."""
    bounds = ages.astype(str).str.extract(r"^(\d+)(?:-(\d+))?$").astype(float)
    odd = ages[bounds[0].isna() & ages.notna()]
    if len(odd):
        raise ValueError(
            f"{path}: AGE holds {_some(odd.unique())}; it must be a number of years or a bracket "
            "as 60-69."
        )
    return bounds[0].where(bounds[1].isna(), (bounds[0] + bounds[1]) / 2)
