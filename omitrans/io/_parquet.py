"""Read whole tables of annotation from Parquet files."""

from pathlib import Path

import pandas as pd

from omitrans.io._memory import memory_for
from omitrans.io._text import damaged
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
    try:
        with memory_for(path):
            return pd.read_parquet(path, engine="pyarrow")
    except MemoryError:
        raise
    except Exception as error:  # pyarrow, pandas and json raise nearly every kind
        if isinstance(error, OSError) and error.errno is not None:  # the system's fault
            raise
        raise damaged(path, str(error).partition("\n")[0]) from error
