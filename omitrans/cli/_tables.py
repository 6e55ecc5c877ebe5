"""Tables from files, as the commands take them."""

from pathlib import Path

import pandas as pd

from omitrans.exceptions import OmiTransError
from omitrans.utils._optional import import_optional

_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


def read_table(path: Path, *, features_as_rows: bool = False) -> pd.DataFrame:
    """Read a table of numbers; its first column holds ids.

    Parameters
    ----------
    path : pathlib.Path
        ``.csv``, ``.tsv`` or ``.txt``, also compressed with gzip (``.gz``), or ``.parquet``.
    features_as_rows : bool, default=False
        Turn the table round: samples become rows.

    Returns
    -------
    DataFrame of shape (n_samples, n_features)
        In float32.

    Raises
    ------
    OmiTransError
        If the file cannot be read as such a table.
    """
    endings = [suffix for suffix in path.suffixes if suffix != ".gz"]
    ending = endings[-1] if endings else ""
    if ending == ".parquet":
        import_optional("pyarrow", extra="io", purpose="read parquet files")
    elif ending not in _SEPARATORS:
        raise OmiTransError(
            f"cannot tell the format of {str(path)!r}. Name it .csv, .tsv (both also .gz) or "
            ".parquet."
        )
    try:
        table = (
            pd.read_parquet(path)
            if ending == ".parquet"
            else pd.read_csv(path, sep=_SEPARATORS[ending], index_col=0)
        )
    except FileNotFoundError:
        raise
    except Exception as error:  # pandas, pyarrow and zlib raise many kinds for a damaged file
        raise OmiTransError(f"cannot read {str(path)!r}: {error}") from error
    text = table.select_dtypes(exclude=["number", "bool"]).columns
    if len(text):
        raise OmiTransError(
            f"{str(path)!r} holds text in {len(text)} columns (first: {text[0]!r}). All columns "
            "but the first, the ids, must be numbers."
        )
    if table.empty:
        raise OmiTransError(f"{str(path)!r} holds a table of shape {table.shape}: nothing to use.")
    table = table.T if features_as_rows else table
    table.index, table.columns = table.index.astype(str), table.columns.astype(str)
    return table.astype("float32")


def shared_samples(X: pd.DataFrame, Y: pd.DataFrame) -> pd.Index:
    """Return the samples that both tables hold, in the order of the first.

    Parameters
    ----------
    X, Y : DataFrame
        Tables with samples as rows.

    Returns
    -------
    Index
        Their ids.

    Raises
    ------
    OmiTransError
        If there are none, or an id occurs twice.
    """
    for name, table in (("first", X), ("second", Y)):
        twice = table.index[table.index.duplicated()]
        if len(twice):
            raise OmiTransError(
                f"the {name} table holds {len(twice)} samples twice (first: {twice[0]})."
            )
    samples = X.index[X.index.isin(Y.index)]
    if not len(samples):
        raise OmiTransError(
            f"the tables share no samples: the first begins with {X.index[0]!r}, the second with "
            f"{Y.index[0]!r}. If samples are columns, use --features-as-rows."
        )
    return samples
