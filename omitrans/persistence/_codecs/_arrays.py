"""Codecs of NumPy arrays, scalars and dtypes.

Arrays of numbers are stored in the table of arrays without change. Dates, complex numbers and
fixed-width text are stored there as the integers, floats and bytes that they consist of. Arrays of
objects become JSON.
"""

import math
import re
from typing import Any

import numpy as np

from omitrans.exceptions import ModelFileError
from omitrans.persistence._classes import find_scalar_type
from omitrans.persistence._encode import Codec, Decoder, Encoder

_DTYPE = re.compile(r"[<|]([biufcmMSU]\d+(\[\d*[a-zA-Z]+\])?|O)")


def _stored_dtype(dtype: np.dtype) -> Any:
    """Return the numeric dtype in which values of `dtype` are stored, or None."""
    if dtype.kind in "biuf" and dtype.itemsize <= 8:
        return dtype.newbyteorder("<")
    if dtype.kind == "c" and dtype.itemsize <= 16:
        return np.dtype(f"<f{dtype.itemsize // 2}")
    return {
        "m": np.dtype("<i8"),
        "M": np.dtype("<i8"),
        "U": np.dtype("<u4"),
        "S": np.dtype("u1"),
    }.get(dtype.kind)


def _parse_dtype(text: str) -> np.dtype:
    if not _DTYPE.fullmatch(text):
        raise ModelFileError(f"the dtype {text!r} is unknown")
    return np.dtype(text)


def _is_array(value: Any) -> bool:
    if type(value) not in (np.ndarray, np.memmap) or value.dtype.hasobject:
        return False
    return value.dtype.itemsize > 0 and _stored_dtype(value.dtype) is not None


def _encode_array(array: np.ndarray, encoder: Encoder) -> dict[str, Any]:
    dtype = array.dtype.newbyteorder("<")
    stored_dtype = _stored_dtype(dtype)
    # the order is kept, because sums over the other order may differ in the last digit
    column_major = array.flags.f_contiguous and not array.flags.c_contiguous
    stored = array.astype(dtype, copy=False)
    stored = stored.T if column_major else stored
    if dtype != stored_dtype:
        stored = np.asarray(stored, order="C")[..., np.newaxis].view(stored_dtype)
    return {
        "key": encoder.add_array(stored),
        "dtype": dtype.str,
        "shape": list(array.shape),
        "order": "F" if column_major else "C",
    }


def _decode_array(payload: dict[str, Any], decoder: Decoder) -> np.ndarray:
    key, dtype = payload["key"], _parse_dtype(payload["dtype"])
    if key not in decoder.arrays:
        raise ModelFileError(f"the array {key!r} is missing")
    array = decoder.arrays.pop(key)
    if array.dtype != _stored_dtype(dtype):
        raise ModelFileError(f"the array {key!r} holds {array.dtype}, not {dtype}")
    if dtype != array.dtype:
        array = array.view(dtype)[..., 0]
    if payload["order"] == "F":
        array = array.T
    if list(array.shape) != payload["shape"]:
        raise ModelFileError(
            f"the array {key!r} has the shape {array.shape}, not {payload['shape']}"
        )
    decoder.limits.check_lengths(*array.shape)  # one without numbers can have any other length
    return array


def _encode_objects(array: np.ndarray, encoder: Encoder) -> dict[str, Any]:
    return {"shape": list(array.shape), "values": encoder.encode_items(array.ravel().tolist())}


def _decode_objects(payload: dict[str, Any], decoder: Decoder) -> np.ndarray:
    values = decoder.decode_items(payload["values"])
    if math.prod(payload["shape"]) != len(values):
        raise ModelFileError(f"{len(values)} values do not fill the shape {payload['shape']}")
    decoder.limits.check_lengths(*payload["shape"])
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # one by one: values may be sequences themselves
        array[i] = value
    return array.reshape(payload["shape"])


def _is_scalar(value: Any) -> bool:
    return isinstance(value, np.generic) and _is_scalar_dtype(value.dtype)


def _is_scalar_dtype(dtype: np.dtype) -> bool:
    return dtype.kind == "U" or (dtype.kind in "biuf" and dtype.itemsize <= 8)


def _encode_scalar(value: Any, encoder: Encoder) -> list[Any]:
    return [type(value).__name__, encoder.encode(value.item(), "")]


def _decode_scalar(payload: list[Any], decoder: Decoder) -> Any:
    name, node = payload
    value = decoder.decode(node)
    kind = find_scalar_type(f"numpy.{name}")
    if type(value) not in (bool, int, float, str) or not _is_scalar_dtype(np.dtype(kind)):
        raise ModelFileError(f"{value!r} is not a scalar of the type {name}")
    return kind(value)


CODECS = (
    Codec("array", _is_array, _encode_array, _decode_array, shared=True),
    Codec(
        "objects",
        lambda value: type(value) is np.ndarray and value.dtype == object,
        _encode_objects,
        _decode_objects,
        shared=True,
    ),
    Codec("scalar", _is_scalar, _encode_scalar, _decode_scalar),
    Codec(
        "dtype",
        lambda value: (
            isinstance(value, np.dtype)
            and _DTYPE.fullmatch(value.newbyteorder("<").str) is not None
        ),
        lambda value, encoder: value.newbyteorder("<").str,
        lambda payload, decoder: _parse_dtype(payload),
    ),
)
