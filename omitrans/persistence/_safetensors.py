"""Arrays in the safetensors format, written to and read from a stream without a second copy.

The format is eight bytes with the length of a header, the header (JSON: dtype, shape and
offsets of each array) and the values of the arrays, one after another, little-endian. The
safetensors package reads and writes the same bytes, but only as a file or in memory.
"""

import json
import math
from typing import Any, Protocol

import numpy as np

from omitrans.exceptions import ModelFileError

_NAMES = {
    np.dtype(code): name
    for code, name in {
        "?": "BOOL",
        "i1": "I8",
        "u1": "U8",
        "<i2": "I16",
        "<u2": "U16",
        "<i4": "I32",
        "<u4": "U32",
        "<i8": "I64",
        "<u8": "U64",
        "<f2": "F16",
        "<f4": "F32",
        "<f8": "F64",
    }.items()
}
_DTYPES = {name: dtype for dtype, name in _NAMES.items()}
_BLOCK = 1 << 20


class Readable(Protocol):
    """What can be read."""

    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    """What can be written to."""

    def write(self, block: bytes | memoryview, /) -> int: ...


def write_arrays(stream: Writable, arrays: dict[str, np.ndarray]) -> None:
    """Write `arrays` to `stream`.

    Parameters
    ----------
    stream : binary file
        Where to write.
    arrays : dict of str to ndarray
        Arrays of bool, little-endian integers or floats. Those that are not in C order are
        copied, one at a time.
    """
    header: dict[str, Any] = {}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    stream.write(len(text).to_bytes(8, "little") + text)
    for array in arrays.values():
        values = _bytes_of(np.asarray(array, order="C"))
        for start in range(0, len(values), _BLOCK):
            stream.write(values[start : start + _BLOCK])


def read_arrays(stream: Readable, size: int) -> dict[str, np.ndarray]:
    """Read what :func:`write_arrays` wrote.

    Parameters
    ----------
    stream : binary file
        Where to read.
    size : int
        How many bytes it holds; no more memory than this is taken.

    Returns
    -------
    dict of str to ndarray
        The arrays; each owns its memory.

    Raises
    ------
    ModelFileError
        If the header and the bytes do not agree.
    """
    length = int.from_bytes(stream.read(8), "little")
    if size < 8 or length > size - 8:
        raise ModelFileError("the header of its arrays is longer than the file")
    header = json.loads(stream.read(length).decode())
    header.pop("__metadata__", None)
    arrays = {}
    position = 0
    for name, spec in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, shape, (begin, end) = _DTYPES[spec["dtype"]], spec["shape"], spec["data_offsets"]
        if begin != position or end > size - 8 - length:
            raise ModelFileError(f"the bytes of the array {name!r} lie outside the file")
        if math.prod(shape) * dtype.itemsize != end - begin:
            raise ModelFileError(f"the array {name!r} has not as many bytes as its shape asks for")
        arrays[name] = _read_array(stream, dtype, shape)
        position = end
    if position != size - 8 - length:
        raise ModelFileError("it holds bytes that belong to no array")
    return arrays


def _read_array(stream: Readable, dtype: np.dtype, shape: list[int]) -> np.ndarray:
    array = np.empty(shape, dtype)
    values = _bytes_of(array)
    filled = 0
    while filled < len(values):
        block = stream.read(min(_BLOCK, len(values) - filled))
        if not block:
            raise ModelFileError("its arrays end too early")
        values[filled : filled + len(block)] = block
        filled += len(block)
    # NumPy counts the bytes of a bool array and would trip over others
    if dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise ModelFileError("an array of bool holds other bytes than 0 and 1")
    return array


def _bytes_of(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
