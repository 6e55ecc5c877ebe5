"""Codecs of Python containers and of numbers that JSON does not have."""

import json
from collections import UserList
from typing import Any

from sklearn.utils import Bunch

from omitrans.exceptions import ModelFileError
from omitrans.persistence._encode import Codec, Decoder, Encoder

_NOT_FINITE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


def _encode_mapping(mapping: dict[str, Any], encoder: Encoder) -> dict[str, Any]:
    return {key: encoder.encode(value, f"[{key!r}]") for key, value in mapping.items()}


def _decode_mapping(payload: dict[str, Any], decoder: Decoder) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise ModelFileError(f"it holds {payload!r:.50} where an object belongs")
    return {key: decoder.decode(node) for key, node in payload.items()}


def _encode_pairs(mapping: dict[Any, Any], encoder: Encoder) -> list[Any]:
    return [
        [encoder.encode(key, ".keys()"), encoder.encode(value, f"[{key!r}]")]
        for key, value in mapping.items()
    ]


def _decode_pairs(payload: list[Any], decoder: Decoder) -> dict[Any, Any]:
    return {_hashed(decoder.decode(key)): decoder.decode(value) for key, value in payload}


def _decode_set(payload: list[Any], decoder: Decoder) -> set[Any]:
    return {_hashed(value) for value in decoder.decode_items(payload)}


def _hashed(value: Any) -> Any:
    """Return a key or member, unless a table of many like it would take hours to build."""
    if isinstance(value, int) and abs(value) >> 64:
        raise ModelFileError(f"it holds a number of {value.bit_length()} bits in a set or as a key")
    return value


def _encode_set(values: set[Any] | frozenset[Any], encoder: Encoder) -> list[Any]:
    # a set has no order: sort, so that the same model gives the same file
    return sorted(encoder.encode_items(values), key=json.dumps)


def _encode_slice(value: slice, encoder: Encoder) -> list[Any]:
    return encoder.encode_items((value.start, value.stop, value.step))


def _encode_range(value: range, encoder: Encoder) -> list[Any]:
    return encoder.encode_items((value.start, value.stop, value.step))


def _decode_range(payload: list[Any], decoder: Decoder) -> range:
    value = range(*decoder.decode_items(payload))
    decoder.limits.check_lengths(len(value))
    return value


CODECS = (
    Codec(
        "float",
        lambda value: type(value) is float,
        lambda value, encoder: str(value),
        lambda payload, decoder: _NOT_FINITE[payload],
    ),
    Codec(
        "tuple",
        lambda value: type(value) is tuple,
        lambda value, encoder: encoder.encode_items(value),
        lambda payload, decoder: tuple(decoder.decode_items(payload)),
    ),
    Codec(
        "dict",
        lambda value: type(value) is dict and all(type(key) is str for key in value),
        _encode_mapping,
        _decode_mapping,
    ),
    Codec("pairs", lambda value: type(value) is dict, _encode_pairs, _decode_pairs),
    Codec(
        "bunch",
        lambda value: type(value) is Bunch and all(type(key) is str for key in value),
        _encode_mapping,
        lambda payload, decoder: Bunch(**_decode_mapping(payload, decoder)),
    ),
    Codec(
        "set",
        lambda value: type(value) is set,
        _encode_set,
        _decode_set,
    ),
    Codec(
        "frozenset",
        lambda value: type(value) is frozenset,
        _encode_set,
        lambda payload, decoder: frozenset(_decode_set(payload, decoder)),
    ),
    Codec(
        "slice",
        lambda value: type(value) is slice,
        _encode_slice,
        lambda payload, decoder: slice(*decoder.decode_items(payload)),
    ),
    Codec(
        "range",
        lambda value: type(value) is range,
        _encode_range,
        _decode_range,
    ),
    # ColumnTransformer of scikit-learn 1.6 keeps the columns of its remainder in such a list
    Codec(
        "list",
        lambda value: isinstance(value, UserList),
        lambda value, encoder: encoder.encode_items(value.data),
        lambda payload, decoder: decoder.decode_items(payload),
    ),
)
