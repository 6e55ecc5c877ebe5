"""Read one IDAT file: the intensity of each bead type in one colour."""

import gzip
import zlib
from functools import partial
from itertools import islice, pairwise
from os import PathLike
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from omitrans.exceptions import DataFormatError
from omitrans.io._last_line import GZIP
from omitrans.utils._sklearn import validate_params

_MAGIC = b"IDAT"
_VERSION = 3
_HEADER = np.dtype([("version", "<i8"), ("n_sections", "<i4")])
_SECTION = np.dtype([("code", "<u2"), ("offset", "<i8")])
_N_BEAD_TYPES = 1000
_COLUMNS = {
    "address": (102, "<i4"),
    "sd": (103, "<u2"),
    "mean": (104, "<u2"),
    "n_beads": (107, "u1"),
}
_TEXTS = (402, 403, 404)  # barcode, type of the chip, position on it
_CHUNK = 2**20
_MAX_CHUNKS = 256  # the largest arrays fill 15 of them
_MAX_SECTIONS = 1000
_FETCH_AGAIN = "Fetch it again, and check its size."


class IdatIntensities(NamedTuple):
    """The content of one IDAT file."""

    address: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    n_beads: np.ndarray
    barcode: str = ""
    chip_type: str = ""
    position: str = ""


@validate_params({"path": [str, PathLike]}, prefer_skip_nested_validation=True)
def read_idat_intensities(path: str | PathLike[str]) -> IdatIntensities:
    """Read the bead intensities from one IDAT file.

    Parameters
    ----------
    path : path-like
        Path of a file of version 3, as scanners write it for methylation arrays; ``.idat`` or
        ``.idat.gz``.

    Returns
    -------
    IdatIntensities
        Named tuple. With one value per bead type: ``address`` (int32, increasing), ``mean`` and
        ``sd`` of the intensities of their beads (uint16), and ``n_beads``, the number of beads that
        were seen (uint8). For the whole file: ``barcode`` and ``chip_type`` of the chip and the
        sample's ``position`` on it, each "" if the file does not state it.

    Raises
    ------
    DataFormatError
        If the file is not an IDAT file, is encrypted (version 1), truncated or damaged.

    See Also
    --------
    read_idat : Reads beta values from pairs of such files.

    Notes
    -----
    Offsets and counts that the file states are checked against its size before anything is
    allocated, and no more than 256 MiB are read or unpacked.

    References
    ----------
    Smith et al. (2013). illuminaio: An open source IDAT parsing tool for Illumina microarrays.
    F1000Research 2:264.

    Examples
    --------
    >>> from omitrans.io import read_idat_intensities
    >>> green = read_idat_intensities("4207113116_A_Grn.idat")  # doctest: +SKIP
    >>> green.mean[:3]  # doctest: +SKIP
    array([1288, 1207, 5966], dtype=uint16)
    """
    path = Path(path)
    data = _read_bytes(path)
    sections, start = _read_sections(data, path)
    columns = _read_columns(data, sections, start, path)
    columns = _sort_by_address(columns, path)
    barcode, chip_type, position = (
        _read_text(data, sections[code], path) if code in sections else "" for code in _TEXTS
    )
    return IdatIntensities(
        columns["address"],
        columns["mean"],
        columns["sd"],
        columns["n_beads"],
        barcode=barcode,
        chip_type=chip_type,
        position=position,
    )


def _fail(path: Path, why: str, cure: str = _FETCH_AGAIN) -> NoReturn:
    raise DataFormatError(f"{path} cannot be read as an IDAT file: {why}. {cure}")


def _read_bytes(path: Path) -> bytes:
    """Return the bytes of the file, decompressed if the file starts like a gzip file."""
    with path.open("rb") as file:
        compressed = file.read(2) == GZIP
    try:
        with gzip.open(path) if compressed else path.open("rb") as file:
            chunks = list(islice(iter(partial(file.read, _CHUNK), b""), _MAX_CHUNKS + 1))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        _fail(path, f"its compressed data is truncated or damaged ({error})")
    if len(chunks) > _MAX_CHUNKS:
        _fail(path, f"it holds more than {_MAX_CHUNKS} MiB", "Check that it is one array.")
    return b"".join(chunks)


def _read_sections(data: bytes, path: Path) -> tuple[dict[int, int], int]:
    """Return the offset of each section and the smallest offset that is possible."""
    if data[:4] != _MAGIC:
        found = "it is empty" if not data else f"it starts with {data[:4]!r}, not with {_MAGIC!r}"
        _fail(path, found, "Give the *_Grn.idat and *_Red.idat files of the scanner.")
    start = len(_MAGIC) + _HEADER.itemsize
    if len(data) < start:
        _fail(path, "it ends within its header")
    version, n_sections = np.frombuffer(data, _HEADER, 1, len(_MAGIC))[0].tolist()
    if version != _VERSION:
        note = ", which is encrypted" if version == 1 else ""
        _fail(
            path,
            f"it has version {version}{note}; methylation arrays have version {_VERSION}",
            "Export it again from the scanner's software, or convert it with illuminaio.",
        )
    if not 0 < n_sections <= _MAX_SECTIONS:
        _fail(path, f"its header states {n_sections} sections")
    end = start + n_sections * _SECTION.itemsize
    if len(data) < end:
        _fail(path, f"it ends within the list of its {n_sections} sections")
    sections = {}
    for code, offset in np.frombuffer(data, _SECTION, n_sections, start).tolist():
        if not end <= offset < len(data):
            _fail(path, f"section {code} starts at byte {offset}, outside of {end}-{len(data)}")
        if code in sections:
            _fail(path, f"section {code} is listed twice")
        sections[code] = offset
    return sections, end


def _read_columns(
    data: bytes, sections: dict[int, int], start: int, path: Path
) -> dict[str, np.ndarray]:
    """Return the arrays with one value per bead type, after a check that they fit into the file."""
    missing = [c for c in (_N_BEAD_TYPES, *(c for c, _ in _COLUMNS.values())) if c not in sections]
    if missing:
        _fail(path, f"it lacks the section {', '.join(map(str, missing))}")
    offset = sections[_N_BEAD_TYPES]
    if len(data) < offset + 4:
        _fail(path, "it ends within the number of its bead types")
    n = int.from_bytes(data[offset : offset + 4], "little", signed=True)
    if n <= 0:
        _fail(path, f"it states {n} bead types")
    columns = {}
    stops = {_N_BEAD_TYPES: offset + 4}
    for name, (code, dtype) in _COLUMNS.items():
        offset = sections[code]
        stops[code] = offset + n * np.dtype(dtype).itemsize
        if stops[code] > len(data):
            _fail(
                path,
                f"section {code} ({name}) of {n} bead types would end at byte {stops[code]}, "
                f"the file has {len(data)}",
            )
        columns[name] = np.frombuffer(data, dtype, n, offset)
    in_order = sorted(stops, key=sections.__getitem__)
    for code, following in pairwise(in_order):
        if sections[following] < stops[code]:
            _fail(path, f"its sections {code} and {following} overlap")
    return columns


def _read_text(data: bytes, offset: int, path: Path) -> str:
    """Return a text; its length stands before it, seven bits per byte."""
    length = shift = 0
    for byte in data[offset : offset + 3]:
        offset += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if offset + length > len(data):
        _fail(path, f"a text of {length} bytes at {offset} goes beyond its end")
    return data[offset : offset + length].decode("utf-8", errors="replace")


def _sort_by_address(columns: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """Return the arrays in the order of increasing, distinct addresses."""
    address = columns["address"]
    if (address[1:] <= address[:-1]).any():
        order = np.argsort(address, kind="stable")
        columns = {name: values[order] for name, values in columns.items()}
        address = columns["address"]
        repeated = address[1:][address[1:] == address[:-1]]
        if len(repeated):
            _fail(path, f"{len(repeated)} bead types repeat, the first is {repeated[0]}")
    if address[0] < 0:
        _fail(path, f"it holds the negative address {address[0]}")
    return columns
