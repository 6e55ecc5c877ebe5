"""Codecs of sparse arrays and matrices of SciPy."""

from typing import Any

import numpy as np
from scipy import sparse

from omitrans.exceptions import ModelFileError
from omitrans.persistence._encode import Codec, Decoder, Encoder

_COMPRESSED = (sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix)
_COORDINATES = (sparse.coo_array, sparse.coo_matrix)
_KINDS = {kind.__name__: kind for kind in (*_COMPRESSED, *_COORDINATES)}


def _encode_sparse(matrix: Any, encoder: Encoder) -> dict[str, Any]:
    parts = ("indices", "indptr") if type(matrix) in _COMPRESSED else ("coords",)
    return {
        "kind": type(matrix).__name__,
        "shape": list(map(int, matrix.shape)),
        **{part: encoder.encode(getattr(matrix, part), f".{part}") for part in ("data", *parts)},
    }


def _decode_sparse(payload: dict[str, Any], decoder: Decoder) -> Any:
    kind, shape = _KINDS[payload["kind"]], tuple(payload["shape"])
    decoder.limits.check_lengths(*shape)
    data = decoder.decode_as(np.ndarray, payload["data"])
    if kind in _COORDINATES:
        coords = decoder.decode_as(tuple, payload["coords"])
        _check_parts(decoder, data, *coords)
        return kind((data, coords), shape=shape)
    indices = decoder.decode_as(np.ndarray, payload["indices"])
    indptr = decoder.decode_as(np.ndarray, payload["indptr"])
    _check_parts(decoder, data, indices, indptr)
    matrix = kind((data, indices, indptr), shape=shape)
    matrix.check_format(full_check=True)  # indices outside the shape would read foreign memory
    return matrix


def _check_parts(decoder: Decoder, *parts: Any) -> None:
    """Raise an error unless all parts are arrays; they may be copied to another dtype."""
    for part in parts:
        if not isinstance(part, np.ndarray):
            raise ModelFileError(f"a sparse matrix holds a {type(part).__name__}")
        decoder.limits.count_copy(part)


CODECS = (
    Codec(
        "sparse",
        lambda value: type(value) in _KINDS.values(),
        _encode_sparse,
        _decode_sparse,
        shared=True,
    ),
)
