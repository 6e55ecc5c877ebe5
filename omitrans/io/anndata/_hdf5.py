"""Read the parts of AnnData files one by one, and report clearly what is wrong with a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from omitrans.exceptions import DataFormatError, OmiTransError
from omitrans.io._last_line import GZIP
from omitrans.io._memory import memory_for
from omitrans.utils._blocks import BLOCK_VALUES, rows_per_block
from omitrans.utils._optional import import_optional
from omitrans.utils._validation import _some, check_unique

_PURPOSE = "read AnnData and MuData files"
_MAGIC = b"\x89HDF\r\n\x1a\n"
_SPARSE = {"csr_matrix": sparse.csr_matrix, "csc_matrix": sparse.csc_matrix}


@contextmanager
def open_hdf5(path: str | PathLike[str]) -> Iterator[Any]:
    """Open an HDF5 file for reading; every failure while reading is reported as a damaged file.

    Parameters
    ----------
    path : path-like
        Path of the file.

    Yields
    ------
    h5py.File
        The open file.

    Raises
    ------
    DataFormatError
        If the file is not an HDF5 file, or is damaged.
    """
    h5py = import_optional("h5py", extra="anndata", purpose=_PURPOSE)
    import_optional("anndata", extra="anndata", purpose=_PURPOSE)
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(
            f"{path} is a folder. A Zarr store is read by anndata.read_zarr(path).to_df()."
        )
    with path.open("rb") as file:
        head = file.read(2**12)
    if _MAGIC not in head:  # it may follow a user block, as in MuData files
        raise DataFormatError(f"{path} is no HDF5 file. {_guess(head)}")
    try:
        with memory_for(path), h5py.File(path, "r") as file:
            yield file
    except (OmiTransError, MemoryError, BlockingIOError):  # the last: being written
        raise
    except Exception as error:  # h5py and anndata raise nearly every kind
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataFormatError(
            f"{path} is truncated or damaged: {reason}. Fetch or write it again, and check its "
            "size."
        ) from error


def _guess(head: bytes) -> str:
    """Return what kind of file the first bytes look like, and what to do."""
    if not head:
        return "It is empty. Fetch or write it again."
    if head[:2] == GZIP:
        return "It is compressed by gzip: unpack it first (gunzip), unless it is a table of text."
    if head[:2] == b"PK":
        return "It is a zip archive: unpack it first."
    if head[:4] == b"PAR1":
        return "It is a Parquet file: read it with omitrans.io.read_matrix."
    if head.lstrip()[:1] == b"<":
        return "It is a web page, perhaps a message of the server: fetch the file again."
    if b"\0" not in head:
        return "It is text: read a table with omitrans.io.read_matrix."
    return "Check its name, or fetch it again."


def say_what_it_is(file: Any) -> str:
    """Return what kind of HDF5 file this is, and what to do.

    Parameters
    ----------
    file : h5py.File
        The open file.

    Returns
    -------
    str
        One or two sentences for an error message.
    """
    if "obs" in file and "var" in file:
        return "It is an AnnData file: read it with omitrans.io.read_h5ad."
    if "row_attrs" in file:
        return "It is a Loom file: convert it by anndata.read_loom(path).write_h5ad(new_path)."
    if "matrix" in file and "barcodes" in file["matrix"]:
        return "It is a 10x Genomics file: convert it with scanpy.read_10x_h5."
    return f"At its top it holds: {_some(file, 5) or 'nothing'}."


def read_table(
    group: Any, name: str | PathLike[str], *, layer: str | None = None, unit: str | None = None
) -> pd.DataFrame:
    """Read one matrix of an AnnData group, with its ids.

    Parameters
    ----------
    group : h5py.Group
        Group that holds ``X``, ``obs`` and ``var``.
    name : str or path-like
        Name of the file or modality, for error messages.
    layer : str or None, default=None
        Name of the layer to read; None reads ``X``.
    unit : str or None, default=None
        Unit that the values must have.

    Returns
    -------
    DataFrame
        Values as float32.
    """
    absent = [part for part in ("obs", "var") if part not in group]
    if absent:
        raise DataFormatError(
            f"{name} is no AnnData file: it lacks {' and '.join(absent)}. {say_what_it_is(group)}"
        )
    samples, features = (_read_ids(group[part], name, part) for part in ("obs", "var"))
    unit = _check_unit(group, name, unit) if layer is None else unit
    values = _read_values(_find(group, name, layer), name, (len(samples), len(features)))
    table = pd.DataFrame(values, index=samples, columns=features, copy=False)
    if unit is not None:
        table.attrs["unit"] = unit
    return table


def read_obs(group: Any, samples: pd.Index) -> pd.DataFrame:
    """Read the table of samples.

    Parameters
    ----------
    group : h5py.Group
        Group that holds ``obs``.
    samples : Index
        Ids of the samples, which were already read.

    Returns
    -------
    DataFrame
        Table with one row per sample.
    """
    obs: pd.DataFrame = _read_element(group["obs"])
    return obs.set_axis(samples)


def _read_element(element: Any) -> Any:
    return import_optional("anndata.io", extra="anndata", purpose=_PURPOSE).read_elem(element)


def _read_ids(element: Any, name: Any, part: str) -> pd.Index:
    """Return the names of samples (obs) or features (var) without reading their other columns."""
    if not hasattr(element, "keys"):
        raise DataFormatError(
            f"{name} is an AnnData file of before 2019. Bring it up to date: "
            "anndata.read_h5ad(path).write_h5ad(new_path)."
        )
    key = element.attrs["_index"]
    key = key.decode() if isinstance(key, bytes) else key
    ids = pd.Index(np.asarray(_read_element(element[key]), dtype=object))
    kind = "samples" if part == "obs" else "features"
    check_unique(
        ids,
        what=f"{name} (its {kind})",
        cure=f"Make the names unique first: adata.{part}_names_make_unique() of anndata.",
    )
    return ids if key in ("_index", "index") else ids.rename(key)


def _check_unit(group: Any, name: Any, unit: str | None) -> str | None:
    """Return the unit that the file holds or the caller states; raise an error if they differ."""
    noted = _read_element(group["uns/unit"]) if "uns/unit" in group else None
    if not isinstance(noted, str):
        return unit
    if unit is not None and unit != noted:
        raise DataFormatError(
            f"{name} holds values in {noted!r} by its note in uns['unit'], not in {unit!r}. "
            f"State unit={noted!r} and convert, or choose another file or layer."
        )
    return noted


def _find(group: Any, name: Any, layer: str | None) -> Any:
    """Return the element of the file that holds X or a layer."""
    layers = list(group["layers"]) if "layers" in group else []
    if layer is None:
        if "X" in group and group["X"].attrs.get("encoding-type") != "null":
            return group["X"]
        cure = f"Name one of its layers: {', '.join(layers)}." if layers else "It holds no layers."
        raise DataFormatError(f"{name} holds no matrix X. {cure}")
    if layer in layers:
        return group["layers"][layer]
    raise DataFormatError(
        f"{name} holds no layer {layer!r}. It holds: {', '.join(['X (layer=None)', *layers])}."
    )


def _read_values(element: Any, name: Any, shape: tuple[int, int]) -> np.ndarray:
    """Return a dense or sparse matrix as float32."""
    kind = element.attrs.get("encoding-type", element.attrs.get("h5sparse_format"))
    if hasattr(element, "keys"):
        kind = {"csr": "csr_matrix", "csc": "csc_matrix"}.get(kind, kind)
        if kind not in _SPARSE:
            raise DataFormatError(f"{name} holds its matrix as {kind!r}, which is no matrix.")
        found = tuple(map(int, element.attrs.get("shape", element.attrs.get("h5sparse_shape"))))
        numbers = element["data"]
    else:
        found, numbers = element.shape, element
    if found != shape:
        raise DataFormatError(
            f"{name} is damaged: its matrix is of shape {found}, and it names {shape[0]} samples "
            f"and {shape[1]} features. Write it again."
        )
    if numbers.dtype.kind not in "iuf":
        raise DataFormatError(
            f"{name} holds no numbers: its matrix is of type {numbers.dtype}. Choose another layer."
        )
    values = np.zeros(shape, dtype=np.float32)
    if hasattr(element, "keys"):
        _fill(values, element, _SPARSE[kind])
    elif values.size:
        element.read_direct(values)
    if numbers.dtype.itemsize > 4:
        _check_range(values, name)
    return values


def _fill(values: np.ndarray, element: Any, matrix: Any) -> None:
    """Write a sparse matrix into an array of zeros, some rows (or columns) at a time."""
    by_rows = matrix is sparse.csr_matrix
    target = values if by_rows else values.T
    pointers = element["indptr"][:].astype(np.int64)
    n_lines, width = target.shape
    if len(pointers) != n_lines + 1:
        raise ValueError(f"indptr has {len(pointers)} entries instead of {n_lines + 1}")
    step = rows_per_block(width, BLOCK_VALUES)
    for start in range(0, n_lines, step):
        part = pointers[start : start + step + 1]
        begin, end = part[0], part[-1]
        with np.errstate(over="ignore"):  # found later
            data = element["data"][begin:end].astype(np.float32)
        indices = element["indices"][begin:end]
        block = sparse.csr_matrix((data, indices, part - begin), shape=(len(part) - 1, width))
        block.check_format(full_check=True)  # an index outside would write outside
        target[start : start + step] = block.toarray()


def _check_range(values: np.ndarray, name: Any) -> None:
    """Raise an error if numbers of eight bytes did not fit into float32."""
    step = rows_per_block(values.shape[1], BLOCK_VALUES)
    for start in range(0, len(values), step):
        if np.isinf(values[start : start + step]).any():
            raise DataFormatError(
                f"{name} holds numbers that are infinite or beyond float32 (3.4e38). Mark them as "
                "missing first."
            )
