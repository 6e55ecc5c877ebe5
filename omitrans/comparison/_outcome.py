"""What came of one fit of one model."""

import sys
import threading
from os import sysconf
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

_STATM = Path("/proc/self/statm")
_SECONDS_BETWEEN = 0.01


class PeakMemory:
    """Context in which a thread watches the resident memory of this process.

    Attributes
    ----------
    mib : float
        How far it rose above where it stood at the beginning, in MiB; on a GPU that torch used,
        what torch held there at most is added. NaN where the system does not tell (it is read
        from ``/proc``, so on Linux only).
    """

    mib = float("nan")

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._known = _STATM.exists()
        if self._known:
            self._start = self._highest = _resident()
            self._ended = threading.Event()
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        self._cuda = _cuda()
        if self._cuda:
            self._cuda.reset_peak_memory_stats()
            self._cuda_start = self._cuda.memory_allocated()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End, and set `mib`."""
        if not self._known:
            return
        self._ended.set()
        self._thread.join()
        n_bytes = self._highest - self._start
        if self._cuda:
            n_bytes += self._cuda.max_memory_allocated() - self._cuda_start
        self.mib = n_bytes / 2**20

    def _watch(self) -> None:
        while True:
            self._highest = max(self._highest, _resident())
            if self._ended.wait(_SECONDS_BETWEEN):
                return


def _resident() -> int:
    return int(_STATM.read_text().split()[1]) * sysconf("SC_PAGE_SIZE")


def _cuda() -> Any:
    """Return torch.cuda where a GPU is in use already; torch is not imported for it."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None


COSTS = ("fit_seconds", "predict_seconds", "peak_memory_mib")


class Outcome(NamedTuple):
    """Numbers that a model reached, or why it failed.

    Attributes
    ----------
    metrics : dict of str to float
        Numbers by name; empty where it failed.
    error : str or None
        What it said when it failed.
    arrays : dict of str to ndarray
        What is kept beside the numbers, such as predictions.
    not_stored : str or None
        Why it could not be written to the cache.
    """

    metrics: dict[str, float]
    error: str | None = None
    arrays: dict[str, np.ndarray] = {}
    not_stored: str | None = None
