"""Recognise text files that were cut off inside their last line, where a number may be short."""

import re
import warnings
from os import PathLike
from pathlib import Path

import numpy as np

from omitrans.exceptions import TruncatedFileWarning
from omitrans.utils._callers import user_level

GZIP = b"\x1f\x8b"
_TAIL = 1 << 16  # bytes at the end that are looked at
_N_COMPARED = 8  # fewer values say nothing about what is usual
_N_OF_COLUMN = 20  # values of the last column that suffice without those of other columns
_RARE = 0.05
_SEPARATORS = ("\t", ";", ",", " ")
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")
_MISSING = re.compile(r"n/?a|-?nan|<na>|#n/a|null|none|[-.*]", re.I)
_SHORT_EXPONENT = re.compile(r"[eE][+-]?\d$")  # programs write two digits


def warn_if_cut(path: str | PathLike[str], separator: str | None = None) -> None:
    """Warn if a text file that is not compressed seems to end inside its last value.

    A file without a line end at its end is common and valid. It is taken for cut off if, in
    addition, its last value is odd: a number that ends in a decimal point or a one-digit exponent;
    a value that has fewer characters than 95 % of the values before it; or text without the
    character that ends all other lines, such as the semicolon of a GTF file. A file that was cut
    between two lines, or where a value happened to keep a usual length, is not recognised.

    Parameters
    ----------
    path : path-like
        Path of the file.
    separator : str, default=None
        Separator of its fields; None takes the most frequent one.
    """
    path = Path(path)
    with path.open("rb") as file:
        if file.read(2) == GZIP:  # whose checksum says whether it is whole
            return
        start = max(0, path.stat().st_size - _TAIL)
        file.seek(start)
        tail = file.read(_TAIL)
    if not tail or tail.endswith((b"\n", b"\r")):
        return
    lines = [line.rstrip("\r") for line in tail.decode("utf-8", errors="replace").split("\n")]
    if start and len(lines) > 1:
        del lines[0]  # not whole
    why = _oddity([line for line in lines[:-1] if line.strip()], lines[-1], separator)
    if why is not None:
        warnings.warn(
            f"{path} may be cut off: its last line lacks the line end, and {why}. Compare its size "
            "with that of its source, and fetch it again if they differ; otherwise add a line end.",
            TruncatedFileWarning,
            stacklevel=user_level(),
        )


def _oddity(before: list[str], last: str, separator: str | None) -> str | None:
    """Return what is odd about the end of the last line; None if nothing is."""
    if separator is None:
        text = last + "".join(before)
        separator = max(_SEPARATORS, key=text.count)
    rows = [line.split(separator) for line in before]
    *others, end = last.split(separator)
    end = _bare(end)
    if _MISSING.fullmatch(end):
        return None
    column = [_bare(row[-1]) for row in rows if len(row) > 1]
    said = f"its last value is {end[-30:]!r}"
    if end and not _NUMBER.fullmatch(end):
        return _odd_text(end, last, before, column, said)
    numbers = [text for text in column if _NUMBER.fullmatch(text)]
    if len(numbers) < _N_OF_COLUMN:
        fields = [field for row in [*rows, [*others, ""]] for field in row[1:-1]]
        numbers += [text for text in map(_bare, fields) if _NUMBER.fullmatch(text)]
    if len(numbers) < _N_COMPARED:
        return None
    if not end:
        return None if "" in column else said
    if end[-1] in ".," and not any(text[-1] in ".," for text in numbers):
        return f"{said}, which ends in a decimal point"
    if _SHORT_EXPONENT.search(end) and not any(map(_SHORT_EXPONENT.search, numbers)):
        return f"{said}, whose exponent is short"
    return _too_short(end, numbers, said)


def _odd_text(end: str, last: str, before: list[str], column: list[str], said: str) -> str | None:
    if len(column) < _N_COMPARED or end in column:
        return None
    closing = {line[-1] for line in before[1:]}  # the first one may be a header
    if len(closing) == 1 and last[-1] not in closing:
        return f"{said}, without the {closing.pop()!r} that ends the other lines"
    return _too_short(end, column, said)


def _too_short(end: str, usual: list[str], said: str) -> str | None:
    lengths = np.fromiter(map(len, usual), int, len(usual))
    if np.mean(lengths <= len(end)) >= _RARE:
        return None
    return f"{said}, of fewer characters than the values before it"


def _bare(field: str) -> str:
    return field.strip().strip('"')
