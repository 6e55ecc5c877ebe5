"""Codecs of pandas: DataFrames, Series, indexes and the column types of annotation tables."""

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from omitrans.exceptions import ModelFileError
from omitrans.persistence._encode import Codec, Decoder, Encoder

_ARRAYS = (np.ndarray, ExtensionArray)
_MISSING = {"NA": pd.NA, "NaT": pd.NaT}
_INDEXES = (pd.Index, pd.DatetimeIndex, pd.TimedeltaIndex, pd.CategoricalIndex)
_NULLABLE = {
    kind.__name__: kind
    for kind in (pd.arrays.BooleanArray, pd.arrays.FloatingArray, pd.arrays.IntegerArray)
}
try:  # the type of text in pandas 3, which has NaN for what is missing
    _STR_DTYPE = pd.StringDtype(na_value=np.nan)
except TypeError:  # pandas 2.2
    _STR_DTYPE = pd.StringDtype()
_TEXT_DTYPES = {"string": pd.StringDtype(), "str": _STR_DTYPE}


def _values(column: Any) -> Any:
    """Return the array behind a Series or Index: a NumPy array where pandas only wraps one."""
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def _encode_frame(frame: pd.DataFrame, encoder: Encoder) -> dict[str, Any]:
    """Write all columns of one NumPy dtype as one block, and every other column separately."""
    groups: dict[str, list[int]] = {}
    for i, dtype in enumerate(frame.dtypes):
        group = dtype.str if isinstance(dtype, np.dtype) else f"column {i}"
        groups.setdefault(group, []).append(i)
    blocks = []
    for columns in groups.values():
        block = frame.iloc[:, columns]
        values = _values(block.iloc[:, 0]) if len(columns) == 1 else block.to_numpy()
        step = f".iloc[:, {columns[0]}]"
        blocks.append({"columns": columns, "values": encoder.encode(values, step)})
    return {
        "index": encoder.encode(frame.index, ".index"),
        "columns": encoder.encode(frame.columns, ".columns"),
        "blocks": blocks,
    }


def _decode_frame(payload: dict[str, Any], decoder: Decoder) -> pd.DataFrame:
    pieces = []
    for block in payload["blocks"]:
        values = decoder.decode_as(_ARRAYS, block["values"])
        decoder.limits.count_copy(values)
        piece = pd.Series(values).to_frame() if values.ndim == 1 else pd.DataFrame(values)
        piece = piece.astype(values.dtype)  # pandas 3 takes text in object arrays for its own
        piece.columns = pd.Index(_whole_numbers(block["columns"]))
        pieces.append(piece)
    index = decoder.decode_as(pd.Index, payload["index"])
    columns = decoder.decode_as(pd.Index, payload["columns"])
    if len(columns) != sum(piece.shape[1] for piece in pieces):
        raise ModelFileError(f"the columns of a table are not the {len(columns)} that it names")
    if not pieces:
        return pd.DataFrame(index=index).set_axis(columns, axis=1)
    frame = pd.concat(pieces, axis=1)[list(range(len(columns)))]
    return frame.set_axis(index, axis=0).set_axis(columns, axis=1)


def _whole_numbers(values: Any) -> list[int]:
    if not isinstance(values, list) or any(type(value) is not int for value in values):
        raise ModelFileError(f"it holds {values!r:.50} where whole numbers belong")
    return values


def _encode_series(series: pd.Series, encoder: Encoder) -> dict[str, Any]:
    return {
        "values": encoder.encode(_values(series), ".array"),
        "index": encoder.encode(series.index, ".index"),
        "name": encoder.encode(series.name, ".name"),
    }


def _decode_series(payload: dict[str, Any], decoder: Decoder) -> pd.Series:
    values = decoder.decode_as(_ARRAYS, payload["values"])
    decoder.limits.count_copy(values)
    index, name = decoder.decode_as(pd.Index, payload["index"]), decoder.decode(payload["name"])
    return pd.Series(values, name=name, dtype=values.dtype).set_axis(index)


def _encode_index(index: pd.Index, encoder: Encoder) -> dict[str, Any]:
    return {
        "values": encoder.encode(_values(index), ".array"),
        "name": encoder.encode(index.name, ".name"),
    }


def _decode_index(payload: dict[str, Any], decoder: Decoder) -> pd.Index:
    values = decoder.decode_as(_ARRAYS, payload["values"])
    return pd.Index(values, dtype=values.dtype, name=decoder.decode(payload["name"]))


def _encode_range_index(index: pd.RangeIndex, encoder: Encoder) -> dict[str, Any]:
    return {
        "range": [index.start, index.stop, index.step],
        "name": encoder.encode(index.name, ".name"),
    }


def _decode_range_index(payload: dict[str, Any], decoder: Decoder) -> pd.RangeIndex:
    values = range(*_whole_numbers(payload["range"]))
    decoder.limits.check_lengths(len(values))
    return pd.RangeIndex(values, name=decoder.decode(payload["name"]))


def _encode_categorical(values: pd.Categorical, encoder: Encoder) -> dict[str, Any]:
    return {
        "codes": encoder.encode(np.asarray(values.codes), ".codes"),
        "categories": encoder.encode(values.categories, ".categories"),
        "ordered": bool(values.ordered),
    }


def _decode_categorical(payload: dict[str, Any], decoder: Decoder) -> pd.Categorical:
    codes = decoder.decode_as(np.ndarray, payload["codes"])
    categories = decoder.decode_as((pd.Index, list), payload["categories"])
    decoder.limits.count_copy(codes)
    return pd.Categorical.from_codes(codes, categories, ordered=payload["ordered"])


def _encode_text(values: Any, encoder: Encoder) -> dict[str, Any]:
    # the storage, Python's or Arrow's, is left to the machine that reads
    return {
        "dtype": str(values.dtype),
        "values": values.to_numpy(dtype=object, na_value=None).tolist(),
    }


def _decode_text(payload: dict[str, Any], decoder: Decoder) -> Any:
    values = payload["values"]
    if not isinstance(values, list) or not all(isinstance(v, str | None) for v in values):
        raise ModelFileError(f"it holds {values!r:.50} where a list of text belongs")
    return pd.array(values, dtype=_TEXT_DTYPES[payload["dtype"]])


def _encode_nullable(values: Any, encoder: Encoder) -> dict[str, Any]:
    numbers = values.to_numpy(dtype=values.dtype.numpy_dtype, na_value=0)
    return {
        "kind": type(values).__name__,
        "values": encoder.encode(numbers, ".values"),
        "missing": encoder.encode(np.asarray(values.isna()), ".isna()"),
    }


def _decode_nullable(payload: dict[str, Any], decoder: Decoder) -> Any:
    values = decoder.decode_as(np.ndarray, payload["values"])
    missing = decoder.decode_as(np.ndarray, payload["missing"])
    return _NULLABLE[payload["kind"]](values, missing)


CODECS = (
    Codec(
        "frame",
        lambda value: type(value) is pd.DataFrame,
        _encode_frame,
        _decode_frame,
        shared=True,
    ),
    Codec(
        "series",
        lambda value: type(value) is pd.Series,
        _encode_series,
        _decode_series,
        shared=True,
    ),
    Codec(
        "range_index",
        lambda value: type(value) is pd.RangeIndex,
        _encode_range_index,
        _decode_range_index,
    ),
    Codec(
        "index",
        lambda value: type(value) in _INDEXES,
        _encode_index,
        _decode_index,
        shared=True,
    ),
    Codec(
        "categorical",
        lambda value: type(value) is pd.Categorical,
        _encode_categorical,
        _decode_categorical,
    ),
    Codec(
        "text",
        lambda value: isinstance(value, ExtensionArray) and isinstance(value.dtype, pd.StringDtype),
        _encode_text,
        _decode_text,
    ),
    Codec(
        "nullable",
        lambda value: type(value) in _NULLABLE.values(),
        _encode_nullable,
        _decode_nullable,
    ),
    Codec(
        "missing",
        lambda value: value is pd.NA or value is pd.NaT,
        lambda value, encoder: str(value).strip("<>"),
        lambda payload, decoder: _MISSING[payload],
    ),
)
