"""Open text files, compressed or not, and report damaged files clearly."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, cast

import pandas as pd

from omitrans.exceptions import DataFormatError, OmiTransError
from omitrans.io._last_line import GZIP, warn_if_cut
from omitrans.io._memory import memory_for


@contextmanager
def open_text(path: str | PathLike[str]) -> Iterator[IO[str]]:
    """Open a text file for reading; a file that starts like a gzip file is decompressed.

    Parameters
    ----------
    path : path-like
        Path of the file.

    Yields
    ------
    text file
        The open file. Bytes that are not UTF-8 are read as U+FFFD.

    Raises
    ------
    DataFormatError
        If the compressed data ends early or is damaged.

    Warns
    -----
    TruncatedFileWarning
        If the file looks as if it was cut off inside its last line.
    """
    path = Path(path)
    with path.open("rb") as file:
        compressed = file.read(2) == GZIP
    opener = gzip.open if compressed else open
    try:
        with (
            memory_for(path),
            opener(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file,
        ):
            yield cast(IO[str], file)
            for _ in file:  # gzip compares its checksum at the end
                pass
        warn_if_cut(path)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged(path, str(error)) from error


_FETCH = "Fetch it again, and check its size."


def damaged(path: str | PathLike[str], why: str, cure: str = _FETCH) -> DataFormatError:
    """Return the error for a file that is truncated or damaged."""
    return DataFormatError(f"{path} is truncated or damaged: {why}. {cure}")


@contextmanager
def reporting_damage(path: str | PathLike[str], cure: str = _FETCH) -> Iterator[None]:
    """Report every error inside the block, but those of the system, as a damaged file.

    Parameters
    ----------
    path : path-like
        Path of the file, which a library reads that raises errors of nearly every kind.
    cure : str, default="Fetch it again, and check its size."
        What to do about it.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's fault
            raise
        raise damaged(path, str(error).partition("\n")[0], cure) from error


def check_decoded(ids: pd.Series, path: str | PathLike[str]) -> None:
    """Raise an error if ids hold U+FFFD, which stands for bytes that are not UTF-8.

    Parameters
    ----------
    ids : Series
        Ids of the rows.
    path : path-like
        Path of the file, for error messages.
    """
    odd = [name for name in ids if isinstance(name, str) and "\ufffd" in name]
    if odd:
        raise damaged(path, f"{len(odd)} ids hold bytes that are no UTF-8 (first: {odd[0]!r})")


def naming(path: str | PathLike[str], error: ValueError) -> ValueError:
    """Return an error of the same kind that names the file; a plain one becomes a DataFormatError.

    Parameters
    ----------
    path : path-like
        Path of the file.
    error : ValueError
        Error to name the file in; one that names it is returned as it is.
    """
    if isinstance(error, OmiTransError) and str(path) in str(error):
        return error
    kind = type(error) if isinstance(error, OmiTransError) else DataFormatError
    return kind(str(error) if str(path) in str(error) else f"{path}: {error}")
