"""Read and write model files: a zip of three stored members with checksums."""

import errno
import hashlib
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from omitrans.exceptions import ModelFileError, OmiTransError, UnknownNameError
from omitrans.utils._files import replacing
from omitrans.utils._printable import printable

_DOCUMENT, _ARRAYS, _SUMS = "model.json", "arrays.safetensors", "SHA256SUMS"
_SUMS_TEXT = re.compile(rb"([0-9a-f]{64})  model\.json\n([0-9a-f]{64})  arrays\.safetensors\n")
_MAX_OVERHEAD = 4096  # bytes of the zip itself: names, sizes, directory
_BLOCK = 1 << 20
_MAX_MESSAGE = 500  # characters
_COPY_AGAIN = "Copy it again from its source, or save the model anew"


def write_file(path: Path, document: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a model file; an existing file is replaced only when the new file is complete.

    Parameters
    ----------
    path : Path
        Path of the file to write.
    document : dict
        Content of ``model.json``.
    arrays : dict of str to ndarray
        Content of ``arrays.safetensors``.
    """
    text = json.dumps(document, allow_nan=False).encode()
    with replacing(path) as whole:
        arrays_path = whole.with_name("arrays" if whole.name != "arrays" else "arrays2")
        try:
            with whole.open("xb") as file:
                write_arrays(arrays_path, arrays)
                _write_members(file, text, arrays_path)
        finally:
            arrays_path.unlink(missing_ok=True)


def _write_members(file: BinaryIO, text: bytes, arrays_path: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_member(_DOCUMENT), text)
        with (
            arrays_path.open("rb") as source,
            archive.open(_member(_ARRAYS), "w", force_zip64=True) as target,
        ):
            arrays_sum = _copy(source, target)
        document_sum = hashlib.sha256(text).hexdigest()
        archive.writestr(_member(_SUMS), f"{document_sum}  {_DOCUMENT}\n{arrays_sum}  {_ARRAYS}\n")


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)  # dated 1980, so that the same model gives the same bytes
    info.external_attr = 0o644 << 16
    return info


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    """Copy a stream block by block; return its SHA-256."""
    digest = hashlib.sha256()
    while block := source.read(_BLOCK):
        digest.update(block)
        target.write(block)
    return digest.hexdigest()


class ModelFile:
    """Open model file with the expected members and valid checksums.

    Parameters
    ----------
    archive : zipfile.ZipFile
        Open zip file.
    size : int
        Size of the file in bytes.
    """

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        self.size = size
        _check_members(archive.infolist(), size)
        sums = _SUMS_TEXT.fullmatch(self._read(_SUMS))
        if sums is None:
            raise ModelFileError(f"its {_SUMS} does not name the other members. {_COPY_AGAIN}")
        self._sums = {_DOCUMENT: sums[1].decode(), _ARRAYS: sums[2].decode()}

    def read_document(self) -> dict[str, Any]:
        """Return the content of ``model.json``."""
        text = self._read(_DOCUMENT)
        self._check_sum(_DOCUMENT, hashlib.sha256(text).hexdigest())
        document = json.loads(text.decode(), parse_constant=_refuse_constant)
        if not isinstance(document, dict):
            raise ModelFileError(f"its {_DOCUMENT} is not an object")
        return document

    def read_arrays(self) -> dict[str, np.ndarray]:
        """Return the content of ``arrays.safetensors``, which is unpacked while it is read."""
        with tempfile.TemporaryDirectory(prefix="omitrans-") as folder:
            path = Path(folder, _ARRAYS)
            with self._archive.open(_ARRAYS) as source, path.open("wb") as target:
                digest = _copy(source, target)
            self._check_sum(_ARRAYS, digest)
            return read_arrays(path)

    def _read(self, name: str) -> bytes:
        with self._archive.open(name) as stream:
            return stream.read()

    def _check_sum(self, name: str, digest: str) -> None:
        if self._sums[name] != digest:
            raise ModelFileError(f"its {name} does not have the checksum of {_SUMS}. {_COPY_AGAIN}")


@contextmanager
def open_file(path: Path) -> Iterator[ModelFile]:
    """Open a model file; every fault of the file, also in the block, is a ModelFileError."""
    if path.is_dir():
        raise ModelFileError(f"Cannot load {path}: it is a folder. Give the file inside it.")
    with path.open("rb") as file:
        try:
            _check_kind(file.read(4))
            with zipfile.ZipFile(file) as archive:
                yield ModelFile(archive, os.fstat(file.fileno()).st_size)
        except (ImportError, MemoryError, Warning):  # not the file's fault
            raise
        except UnknownNameError as error:
            raise ModelFileError(
                f"Cannot load {path}: {_said(error)}. If it is your own, import the module that "
                "registers it first."
            ) from error
        except OmiTransError as error:
            raise ModelFileError(f"Cannot load {path}: {_said(error)}.") from error
        except Exception as error:  # a broken file can make zipfile, json and NumPy raise anything
            if isinstance(error, OSError) and error.errno != errno.EINVAL:  # the disk's fault
                raise OSError(
                    error.errno,
                    f"Cannot load {path}: {error.strerror}. The arrays are unpacked to "
                    f"{tempfile.gettempdir()}; if it is full, set TMPDIR to a folder with room",
                ) from error
            raise ModelFileError(
                f"Cannot load {path}: it is truncated, altered or written by another program "
                f"({type(error).__name__}: {_said(error)}). {_COPY_AGAIN}."
            ) from error


def _said(error: Exception) -> str:
    """Return the message of an error, which may quote the file, as a short text without its end."""
    text = str(error)
    text = text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]} ..."
    return printable(text).rstrip(".")


def _check_kind(start: bytes) -> None:
    """Raise an error if the first bytes show that a file is not a zip."""
    if not start:
        raise ModelFileError(f"it is empty. {_COPY_AGAIN}")
    if start[:1] == b"\x80":
        raise ModelFileError(
            "it looks like a pickle, which can run any code. If you trust its source, "
            "read it with joblib.load"
        )
    if start != b"PK\x03\x04":
        raise ModelFileError("it was not written by omitrans.save")


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    """Raise an error unless the file consists of exactly the three stored members."""
    names = sorted(member.filename for member in members)
    if names != sorted((_DOCUMENT, _ARRAYS, _SUMS)):
        found = ", ".join(names[:5]) or "nothing"
        raise ModelFileError(f"it was not written by omitrans.save: it is a zip that holds {found}")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise ModelFileError(f"its {member.filename} is compressed or encrypted")
        if member.compress_size != member.file_size:
            raise ModelFileError(f"the sizes of its {member.filename} differ")
    if not 0 < size - sum(member.file_size for member in members) < _MAX_OVERHEAD:
        raise ModelFileError(f"the sizes of its members do not add up to its own. {_COPY_AGAIN}")


def _refuse_constant(text: str) -> None:
    raise ModelFileError(f"its {_DOCUMENT} holds {text}, which is not JSON")


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write `arrays` to the safetensors file `path`.

    Parameters
    ----------
    path : Path
        Path of the file to write.
    arrays : dict of str to ndarray
        Arrays of bool, integers or floats. Arrays that are not in C order are copied.

    Raises
    ------
    OSError
        If the arrays cannot be written to the disk.
    """
    # safetensors takes the memory of an array as it lies, whatever its strides
    in_c_order = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    try:
        save_file(in_c_order, path)
    except SafetensorError as error:
        raise OSError(f"Cannot write the arrays to {path.parent}: {error}") from error


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read arrays that :func:`write_arrays` wrote.

    Parameters
    ----------
    path : Path
        Path of the file.

    Returns
    -------
    dict of str to ndarray
        Arrays by name, in their own memory.

    Raises
    ------
    ModelFileError
        If the header and the bytes do not agree, or a bool is neither 0 nor 1.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            # get_tensor would end in a Rust panic, which is no Exception, when memory is short
            arrays = {name: file.get_slice(name)[()] for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ModelFileError(f"its arrays are not in the safetensors format: {error}") from error
    for name, array in arrays.items():
        # NumPy counts the bytes of a bool array and would trip over others
        if array.dtype == bool and array.size and array.view(np.uint8).max() > 1:
            raise ModelFileError(f"the array {name!r} of bool holds other bytes than 0 and 1")
    return arrays
