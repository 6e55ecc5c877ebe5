"""Refuse HDF5 files on which the HDF5 library crashes or does not come back."""

import subprocess
import sys
from os import PathLike
from pathlib import Path

from omitrans.exceptions import DataFormatError

_SECONDS = 60.0
_BYTES_A_SECOND = 10_000_000
# Walks over everything but the numbers; an exception is left to the reading itself to explain.
_WALK = """
import sys
import h5py

def look(name, element):
    list(element.attrs.items())
    if isinstance(element, h5py.Dataset):
        if element.dtype.kind == "O" and element.size < 10_000_000:
            element[()]
        elif element.chunks:
            element.id.get_num_chunks()

try:
    with h5py.File(sys.argv[1], "r") as file:
        look("", file)
        file.visititems(look)
except Exception:
    pass
"""


def refuse_endless(path: str | PathLike[str]) -> None:
    """Raise an error if the HDF5 library crashes on a file, or does not come back from it.

    A damaged file may send the library round in circles, which neither a time limit nor Ctrl-C can
    end in the same process. Therefore another process looks at the structure of the file first; it
    has a minute, and longer for large files.

    Parameters
    ----------
    path : path-like
        Path of the file.

    Raises
    ------
    DataFormatError
        If the other process crashed or did not end in time.
    """
    if not sys.executable or not Path(path).is_file():
        return
    seconds = _SECONDS + Path(path).stat().st_size / _BYTES_A_SECOND
    command = [sys.executable, "-P", "-c", _WALK, str(path)]
    try:
        code = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise DataFormatError(
            f"{path} is damaged: the HDF5 library did not come back from its structure within "
            f"{seconds:.0f} s. Fetch or write it again."
        ) from error
    except OSError:  # no further process can be started
        return
    if code < 0:
        raise DataFormatError(
            f"{path} is damaged: the HDF5 library crashes on it (signal {-code}). Fetch or write "
            "it again."
        )
