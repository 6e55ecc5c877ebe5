"""Build what AnnData and MuData files hold, and put files in place as a whole."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_numeric_dtype

from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.utils._files import replacing
from omitrans.utils._optional import import_optional
from omitrans.utils._validation import _some, check_unique

WRITE = "write AnnData and MuData files"


def to_anndata(
    frame: pd.DataFrame,
    name: str,
    *,
    obs: pd.DataFrame | None,
    var: pd.DataFrame | None,
    unit: str | None,
) -> Any:
    """Return an AnnData object around the values of a frame."""
    anndata = import_optional("anndata", extra="anndata", purpose=WRITE)
    samples = _text_ids(frame.index, f"{name} (its index of samples)", f"{name}.index")
    features = _text_ids(frame.columns, f"{name} (its columns)", f"{name}.columns")
    unit = frame.attrs.get("unit") if unit is None else unit
    values = _to_float32(frame, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hints of the library to its own callers: here, us
        return anndata.AnnData(
            X=values,
            obs=describe(obs, samples, "obs", "samples"),
            var=describe(var, features, "var", "features"),
            uns={} if unit is None else {"unit": str(unit)},
        )


def _to_float32(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return the values, or raise unless all columns hold numbers that fit."""
    for dtype in frame.dtypes.unique():  # columns may be many
        if not is_numeric_dtype(dtype) or dtype.kind == "c":
            column = frame.columns[int(np.argmax(frame.dtypes == dtype))]
            raise TypeError(
                f"{name} must hold numbers; its column {column!r} is of type {dtype}. Put what "
                "describes samples into obs."
            )
    try:
        with np.errstate(over="raise"):
            return frame.to_numpy(dtype=np.float32, na_value=np.nan)
    except FloatingPointError as error:
        raise ValueError(
            f"{name} holds numbers beyond float32 (3.4e38). Mark them as missing, or scale them."
        ) from error


def _text_ids(ids: pd.Index, what: str, where: str) -> pd.Index:
    """Return ids that are text and unique, or raise."""
    odd = [value for value in ids if not isinstance(value, str)]
    if odd:
        raise TypeError(
            f"{what} must hold text ids; got {odd[0]!r}. If these are the names: "
            f"{where} = {where}.astype(str)."
        )
    check_unique(ids, what=what, cure="Keep one each, or give them names of their own.")
    return ids.astype(object)


def describe(table: pd.DataFrame | None, ids: pd.Index, name: str, kind: str) -> pd.DataFrame:
    """Return the rows of `obs` or `var` for `ids`, in types that the file format knows."""
    if table is None:
        return pd.DataFrame(index=ids)
    check_unique(table.index, what=f"{name} (its index of {kind})", cure="Keep one row each.")
    absent = ids.difference(table.index)
    if len(absent):
        error = SampleMismatchError if kind == "samples" else FeatureMismatchError
        raise error(
            f"{name} lacks {len(absent)} of {len(ids)} {kind} ({_some(absent)}). Index it by the "
            f"ids: {name}.set_index(...)."
        )
    table = table.loc[ids].rename(columns=str)
    storable = {column: _storable(table[column], name) for column in table}
    index = ids.rename(None) if ids.name in storable else ids
    return pd.DataFrame(storable, index=table.index).set_axis(index)


def _storable(column: pd.Series, name: str) -> pd.Series:
    """Return a column of `obs` or `var` in a type that the file format knows."""
    if isinstance(column.dtype, pd.StringDtype):
        column = column.astype(object).where(column.notna())
    if column.dtype != object:
        if is_numeric_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype):
            return column
    else:
        kind = infer_dtype(column, skipna=True)
        if kind == "empty":
            return column.astype(float)
        if kind == "string":
            return column.astype("category") if column.hasnans else column
        if kind == "boolean":
            return column.astype("boolean")
    raise TypeError(
        f"The column {column.name!r} of {name} is of type {column.dtype} and cannot be stored as "
        f"it is. Make it text or numbers: {name}[{column.name!r}].astype(str)."
    )


@contextmanager
def written_whole(path: str | PathLike[str]) -> Iterator[Path]:
    """Give a name to write to, and put the file in place when all of it is written."""
    try:
        # AnnData and MuData look at the suffix, which the name beside it keeps
        with replacing(path) as temporary, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hints of the libraries to their own callers: here, us
            yield temporary
    except (IsADirectoryError, FileNotFoundError):
        raise
    except (OSError, RuntimeError) as error:  # h5py raises either when the disk is full
        kept = "The file that was there is left as it was." if Path(path).exists() else ""
        raise OSError(f"{path} could not be written: {error}. {kept}".rstrip()) from error
