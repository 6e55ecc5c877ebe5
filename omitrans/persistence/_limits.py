"""What a model file may ask for, compared with what it holds, before anything is built."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from omitrans.exceptions import ModelFileError

_SHORT = 1 << 22  # a length that any file may name: more than any array of today has probes
_COPIES = 1 << 24  # bytes of copies that any file may ask for
_COPIES_PER_BYTE = 8  # a pointer to each value of a table of text, which takes a byte in the file
_SHOWN, _SHOWN_EACH = 1000, 20  # estimators met in a model, in all and for each that is written


class Limits:
    """Limits of one file, which grow with its size.

    Parameters
    ----------
    size : int
        Size of the file in bytes.
    """

    def __init__(self, size: int) -> None:
        self._longest = _SHORT + size
        self._copies = _COPIES + _COPIES_PER_BYTE * size
        self._written, self.shown = 0, 0
        """Number of estimators that the file holds, and that walking through the model meets."""

    def check_lengths(self, *lengths: Any) -> None:
        """Raise an error if a length is no whole number, negative, or absurd for this file."""
        for length in lengths:
            if type(length) is not int or not 0 <= length <= self._longest:
                raise ModelFileError(
                    f"it names a length of {length!r:.50}, and a file of its size can hold at most "
                    f"{self._longest:,}"
                )

    def count_copy(self, value: Any) -> None:
        """Count the bytes of arrays that are copied; raise an error if the sum is absurd."""
        self._copies -= _n_bytes(value)
        if self._copies < 0:
            raise ModelFileError("it uses its arrays more often than any model does")

    def count_estimator(self) -> None:
        """Count an estimator that is written in the file."""
        self._written += 1
        self.count_shown(1)

    def count_shown(self, n: int) -> None:
        """Count estimators met in the model; raise an error if sharing multiplies them."""
        self.shown += n
        if self.shown > _SHOWN + _SHOWN_EACH * self._written:
            raise ModelFileError("its estimators hold each other more often than any model does")


def _n_bytes(value: Any) -> int:
    """Return the bytes of an array, or of all arrays in nested dicts."""
    if isinstance(value, Mapping):
        return sum(map(_n_bytes, value.values()))
    return value.nbytes if isinstance(value, np.ndarray) else 0
