"""Read whole tables of annotation from Parquet files."""

from pathlib import Path

import pandas as pd

from omitrans.io._memory import memory_for
from omitrans.io._text import reporting_damage
from omitrans.utils._optional import import_optional


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a table; every failure but those of the system is reported as a damaged file.

    Parameters
    ----------
    path : Path
        Path of the file.

    Returns
    -------
    DataFrame
        Table with the index and the columns of the file.
    """
    import_optional("pyarrow", extra="io", purpose="read Parquet files")
    with reporting_damage(path), memory_for(path):
        return pd.read_parquet(path, engine="pyarrow")
