"""Matrices that were streamed into an .npy file, with their ids beside it."""

from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from omitrans.exceptions import DataFormatError
from omitrans.io._stream_sink import whole_or_nothing

_MAGIC = b"\x93NUMPY"


def is_npy(path: str | PathLike[str]) -> bool:
    """Return whether a file begins as .npy files do."""
    if Path(path).is_dir():
        raise DataFormatError(f"{path} is a folder. Name a file in it.")
    with Path(path).open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def write_ids(path: Path, samples: list[str], features: list[str]) -> None:
    """Write the ids of an .npy file beside it."""
    with whole_or_nothing(_ids_path(path)) as file:
        np.savez(file, samples=np.array(samples, "U"), features=np.array(features, "U"))


def open_npy(path: str | PathLike[str]) -> pd.DataFrame:
    """Return the matrix as a frame over a memory map, which reads what is touched."""
    path = Path(path)
    ids = _ids_path(path)
    if not ids.exists():
        raise DataFormatError(
            f"{path} lacks the file with its ids, {ids.name}. Keep the two files that "
            "read_matrix(..., out=) writes together."
        )
    try:
        values = np.load(path, mmap_mode="r")
        with np.load(ids) as names:
            samples, features = names["samples"], names["features"]
    except (ValueError, EOFError, KeyError, OSError) as error:
        raise DataFormatError(
            f"{path} is truncated or damaged: {error}. Write it again."
        ) from error
    if values.shape != (len(samples), len(features)):
        raise DataFormatError(
            f"{path} has shape {values.shape} and {ids.name} names {len(samples)} samples and "
            f"{len(features)} features. Write both again by read_matrix(..., out=)."
        )
    return as_frame(values, samples.tolist(), features.tolist())


def as_frame(values: np.ndarray, samples: list[str], features: list[str]) -> pd.DataFrame:
    """Return a frame over values, not a copy."""
    index, columns = (pd.Index(names, dtype=object) for names in (samples, features))
    return pd.DataFrame(values, index, columns, copy=False)


def _ids_path(path: Path) -> Path:
    return path.with_suffix(".ids.npz")
