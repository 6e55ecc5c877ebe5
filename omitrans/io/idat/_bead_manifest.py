"""Read which bead types make up each probe of a methylation array."""

from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from omitrans.exceptions import DataFormatError
from omitrans.io._parquet import read_parquet
from omitrans.io._text import open_text
from omitrans.io.annotation._manifest import csv_rows, read_assay, read_preamble
from omitrans.utils._sklearn import validate_params

_COLUMNS = ["M", "U", "col", "control"]
_MAX_ADDRESS = 2**31 - 1


@validate_params({"manifest": [str, PathLike, pd.DataFrame]}, prefer_skip_nested_validation=True)
def read_bead_manifest(manifest: str | PathLike[str] | pd.DataFrame) -> pd.DataFrame:
    """Read the bead addresses of an array's probes from its manifest.

    Parameters
    ----------
    manifest : path-like or DataFrame
        Illumina's manifest of a 27K, 450K, EPIC, EPIC v2 or MSA array in CSV layout (``.csv`` or
        ``.csv.gz``), or a table, as DataFrame or ``.parquet``, in the layout that this function
        returns. The ordering tables of InfiniumAnnotation have this layout, except for ``control``.
        `probe_id` may be a column or the index.

    Returns
    -------
    DataFrame
        Table indexed by ``probe_id``, with one row for each probe and each control:

        - ``M``: address of the bead type for methylated DNA, missing for Infinium II and controls;
        - ``U``: address of that for unmethylated DNA; for Infinium II the only one, which shows
          methylated DNA in green and unmethylated DNA in red;
        - ``col``: "G" or "R", the colour that both bead types of an Infinium I probe are read in,
          missing if the manifest does not state it; "2" for Infinium II and controls;
        - ``control``: missing for probes; for controls their type, such as "NEGATIVE" or "NORM_A",
          or "unknown".

    Raises
    ------
    DataFormatError
        If columns are absent, addresses are not numbers, or probe ids repeat.

    See Also
    --------
    read_idat : Beta values from IDAT files and such a manifest.
    read_illumina_manifest : Positions, genes and SNPs of the probes from the same files.

    Notes
    -----
    A row without ``M`` whose id starts with ``ctl_`` is a control in a table without the column
    ``control``; its type is what follows the address in ctl_10638115_NORM_C.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.io import read_bead_manifest
    >>> table = pd.DataFrame(
    ...     {"M": [6660678, None, None], "U": [990370, 12345, 777], "col": ["R", "2", "2"]},
    ...     index=["cg00000292", "cg00000029", "ctl_777_NEGATIVE"],
    ... )
    >>> read_bead_manifest(table)
                            M       U col   control
    probe_id
    cg00000292        6660678  990370   R      <NA>
    cg00000029           <NA>   12345   2      <NA>
    ctl_777_NEGATIVE     <NA>     777   2  NEGATIVE
    """
    if isinstance(manifest, pd.DataFrame):
        return _check_table(manifest, "The manifest")
    path = Path(manifest)
    table = read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    return _check_table(table, f"The manifest {path}")


def _read_csv(path: Path) -> pd.DataFrame:
    """Return the table that a CSV manifest describes."""
    with open_text(path) as file:
        n_loci = read_preamble(file, path)
        required = ("IlmnID", "AddressA_ID", "AddressB_ID", "Color_Channel")
        raw = read_assay(file, path, required, ("Infinium_Design_Type",), n_loci)
        rows = [row for row in csv_rows(file, path) if len(row) > 1 and row[0].strip()]
    second = raw["AddressB_ID"].str.strip().str.lstrip("0").replace("", pd.NA)
    is_two = raw["Infinium_Design_Type"] == "II" if "Infinium_Design_Type" in raw else second.isna()
    colour = raw["Color_Channel"].str.strip().str[:1].str.upper()
    probes = pd.DataFrame(
        {
            "probe_id": raw["IlmnID"],
            "M": second.mask(is_two),
            "U": raw["AddressA_ID"],
            "col": colour.mask(is_two, "2"),
            "control": pd.NA,
        }
    )
    types = [row[1].strip().upper() or "unknown" for row in rows]
    controls = pd.DataFrame(
        {
            "probe_id": [
                f"ctl_{row[0].strip()}_{kind}" for row, kind in zip(rows, types, strict=True)
            ],
            "M": pd.NA,
            "U": [row[0].strip() for row in rows],
            "col": "2",
            "control": types,
        }
    )
    return pd.concat([probes, controls.drop_duplicates("probe_id")], ignore_index=True)


def _check_table(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the needed columns of a table in the documented layout."""
    if "probe_id" in table:
        table = table.set_index("probe_id")
    missing = [column for column in ("M", "U", "col") if column not in table]
    if missing or not len(table):
        found = f"lacks the column {', '.join(missing)}" if missing else "has no rows"
        raise DataFormatError(
            f"{name} {found}. Give Illumina's CSV manifest of the array, or a table with the "
            "columns probe_id, M, U and col."
        )
    ids = pd.Index(table.index.astype(str), name="probe_id")
    if not ids.is_unique:
        repeated = ids[ids.duplicated()]
        raise DataFormatError(
            f"{name} holds {len(repeated)} probe ids twice, the first is {repeated[0]}. Keep one "
            "row of each, or use the ids with a suffix such as cg00000029_TC21."
        )
    first = _check_addresses(table["M"], name, ids)
    second = _check_addresses(table["U"], name, ids)
    if second.isna().any():
        raise DataFormatError(f"{name} gives no address U for {ids[second.isna()][0]}.")
    stated = pd.Series(table["col"].astype("string").array, ids)
    stated = stated.where(stated.isin(["G", "R"])).mask(first.isna(), "2")
    control = _control_types(table, first, ids)
    checked = pd.DataFrame({"M": first, "U": second, "col": stated, "control": control}, index=ids)
    return checked[_COLUMNS]


def _check_addresses(column: pd.Series, name: str, ids: pd.Index) -> pd.Series:
    """Return the addresses as numbers; raise an error that names the first that is not a number."""
    numbers = pd.to_numeric(column, errors="coerce").astype("Float64")
    wrong = ((numbers < 0) | (numbers > _MAX_ADDRESS) | (numbers % 1 != 0)).fillna(False)
    no_number = numbers.isna() & column.notna()
    wrong |= no_number & ~column.where(no_number).isin([""])
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise DataFormatError(
            f"{name} gives {str(column.iloc[first])!r} as address {column.name} of {ids[first]}; "
            f"addresses are whole numbers from 0 to {_MAX_ADDRESS}."
        )
    return pd.Series(numbers.astype("Int64").array, ids)


def _control_types(table: pd.DataFrame, first: pd.Series, ids: pd.Index) -> pd.Series:
    """Return the type of each control, missing for probes."""
    if "control" in table:
        return pd.Series(table["control"].astype("string").array, ids)
    types = pd.Series(pd.NA, ids, dtype="string")
    controls = ids[first.isna() & ids.str.startswith("ctl_")]
    types[controls] = controls.str.replace(r"^ctl_\d*_?", "", regex=True)
    return types.replace("", "unknown")
