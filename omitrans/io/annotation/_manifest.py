"""Read Illumina's manifest of a methylation array."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from os import PathLike

import pandas as pd

from omitrans.annotation import check_probe_table
from omitrans.io._text import damaged, naming, open_text
from omitrans.utils._sklearn import StrOptions, validate_params

_MAX_PREAMBLE_LINES = 100  # the known ones have less than ten
_OPTIONAL = (
    "Infinium_Design_Type",
    "UCSC_RefGene_Name",
    "Relation_to_UCSC_CpG_Island",
    "Probe_SNPs_10",
    "SNP_DISTANCE",
)
_UNPLACED = ["", "0"]
_RELATIONS = {
    "Island": "island",
    "N_Shore": "shore",
    "S_Shore": "shore",
    "N_Shelf": "shelf",
    "S_Shelf": "shelf",
    "OpenSea": "open sea",
    "": "open sea",
}


@validate_params(
    {"path": [str, PathLike], "id_column": [StrOptions({"IlmnID", "Name"})]},
    prefer_skip_nested_validation=True,
)
def read_illumina_manifest(path: str | PathLike[str], *, id_column: str = "IlmnID") -> pd.DataFrame:
    """Read the probe table from an Illumina methylation manifest.

    The 27K, 450K, EPIC and EPIC v2 manifests in CSV layout can be read: a ``[Heading]``, the probes
    under ``[Assay]``, and ``[Controls]``, which are left out.

    Parameters
    ----------
    path : path-like
        Path of the manifest, ``.csv`` or ``.csv.gz``.
    id_column : {"IlmnID", "Name"}, default="IlmnID"
        Name of the column that holds the probe ids. The two columns differ on EPIC v2, where IlmnID
        has a suffix (cg00000029_TC21) and several probes may share one Name (cg00000029); with
        "Name" the first of these probes is kept.

    Returns
    -------
    DataFrame
        A probe table as :func:`omitrans.annotation.check_probe_table` describes it: ``probe_id``,
        ``chromosome``, ``position`` (1-based, in the genome build of the manifest) and, where the
        manifest says so, ``design``, ``gene_symbol`` (distinct symbols, joined by ";"),
        ``island_relation``, ``snp_within_10bp`` (from Probe_SNPs_10 of the 450K array) or
        ``snp_within_5bp`` (from SNP_DISTANCE of the EPIC arrays; SNPs of any frequency).

    Raises
    ------
    ValueError
        If the file is not a manifest, is damaged or ends early.

    Notes
    -----
    Manifests do not say which probes map to several places, and the manifest of the 450K array does
    not say which probes are absent from EPIC. For :class:`omitrans.preprocessing.ProbeFilter` add
    these columns, for example ``probes["on_epic"] =
    probes["probe_id"].isin(epic_probes["probe_id"])``, or switch the rules off.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from omitrans.io import read_illumina_manifest
    >>> text = '''Illumina, Inc.,,
    ... [Heading],,
    ... Loci Count,1,
    ... [Assay],,
    ... IlmnID,CHR,MAPINFO
    ... cg00000029,16,53468112
    ... [Controls],,
    ... 21630339,Staining,-99
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "manifest.csv")
    ...     _ = path.write_text(text)
    ...     read_illumina_manifest(path)
         probe_id chromosome  position
    0  cg00000029         16  53468112
    """
    with open_text(path) as file:
        n_loci = read_preamble(file, path)
        raw = read_assay(file, path, (id_column, "CHR", "MAPINFO"), _OPTIONAL, n_loci)
    try:
        return _checked(raw, id_column)
    except ValueError as error:
        raise naming(path, error) from error


def _checked(raw: pd.DataFrame, id_column: str) -> pd.DataFrame:
    """Return the columns as a probe table."""
    raw = raw.drop_duplicates(id_column) if id_column == "Name" else raw
    probes = pd.DataFrame(
        {
            "probe_id": raw[id_column],
            "chromosome": raw["CHR"],
            "position": raw["MAPINFO"].mask(raw["MAPINFO"].isin(_UNPLACED)),
        }
    )
    return check_probe_table(probes.assign(**_optional_columns(raw)))


def read_preamble(file: Iterable[str], path: str | PathLike[str]) -> int:
    """Move to the line after [Assay] and return the number of probes that the heading states."""
    n_loci = 0
    for line in islice(file, _MAX_PREAMBLE_LINES):
        name, _, value = line.strip().partition(",")
        if name == "[Assay]":
            return n_loci
        if name.strip().lower() == "loci count":
            count = value.strip(", ")
            n_loci = int(count) if count.isdigit() else 0
    raise ValueError(
        f"{path} is no Illumina manifest: none of its first {_MAX_PREAMBLE_LINES} lines starts "
        "with [Assay]. Give the manifest in CSV layout, not the .bpm file or a table made from it."
    )


def read_assay(
    file: Iterable[str],
    path: str | PathLike[str],
    required: Sequence[str],
    optional: Sequence[str],
    n_loci: int,
) -> pd.DataFrame:
    """Read the named columns as text up to [Controls]; columns of `optional` may be absent."""
    rows = csv_rows(file, path)
    found = {name.strip().lower(): i for i, name in enumerate(next(rows, [])) if name}
    for name in required:
        if name.lower() not in found:
            raise ValueError(
                f"The manifest {path} lacks the column {name!r} under [Assay]; it has: "
                f"{', '.join(found) or 'nothing'}. Was it shortened? Take the original file."
            )
    names = [*required, *(name for name in optional if name.lower() in found)]
    pick = itemgetter(*(found[name.lower()] for name in names))
    values = []
    for row in filter(None, rows):
        if row[0].startswith("[Controls]"):
            break
        try:
            values.append(pick(row))
        except IndexError:
            raise damaged(path, f"row {len(values) + 1} under [Assay] is cut off") from None
    else:
        # a file may lack the controls, but not some of the probes too
        if len(values) < n_loci:
            raise damaged(path, f"its heading states {n_loci} loci, it holds {len(values)}")
    return pd.DataFrame(values, columns=names, dtype=object)


def csv_rows(file: Iterable[str], path: str | PathLike[str]) -> Iterator[list[str]]:
    """Yield the rows of an open file; raise an error if the file is damaged."""
    try:
        yield from csv.reader(file)
    except csv.Error as error:
        raise damaged(path, str(error)) from error


def _optional_columns(raw: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the optional columns of the probe table that this manifest holds."""
    columns = {}
    if "Infinium_Design_Type" in raw:
        columns["design"] = raw["Infinium_Design_Type"].replace("", pd.NA)
    if "UCSC_RefGene_Name" in raw:
        columns["gene_symbol"] = _map_unique(raw["UCSC_RefGene_Name"], _distinct_symbols)
    if "Relation_to_UCSC_CpG_Island" in raw:
        relation = _map_unique(raw["Relation_to_UCSC_CpG_Island"], _island_relation)
        columns["island_relation"] = relation.mask(raw["CHR"].isin(_UNPLACED))
    if "Probe_SNPs_10" in raw:
        columns["snp_within_10bp"] = raw["Probe_SNPs_10"] != ""
    if "SNP_DISTANCE" in raw:
        # distances of several SNPs are joined by ";"
        columns["snp_within_5bp"] = raw["SNP_DISTANCE"].str.contains(r"(?:^|;)-?[0-5](?:;|$)")
    return columns


def _distinct_symbols(text: str) -> str | None:
    return ";".join(dict.fromkeys(text.split(";"))) or None


def _island_relation(text: str) -> str:
    first = text.partition(";")[0]
    return _RELATIONS.get(first, first)


def _map_unique(column: pd.Series, function: Callable[[str], str | None]) -> pd.Series:
    """Apply a function of text to a column, once for each distinct value."""
    return column.map({text: function(text) for text in column.unique()})
