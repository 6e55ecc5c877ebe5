"""Codecs of sparse arrays and matrices of SciPy."""

from typing import Any

from scipy import sparse

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
    data = decoder.decode(payload["data"])
    if kind in _COORDINATES:
        return kind((data, decoder.decode(payload["coords"])), shape=shape)
    indices, indptr = decoder.decode(payload["indices"]), decoder.decode(payload["indptr"])
    matrix = kind((data, indices, indptr), shape=shape)
    matrix.check_format(full_check=True)  # indices outside the shape would read foreign memory
    return matrix


CODECS = (
    Codec(
        "sparse",
        lambda value: type(value) in _KINDS.values(),
        _encode_sparse,
        _decode_sparse,
        shared=True,
    ),
)
