"""Outcome of one fit of one model."""

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
    """Context manager in which a thread watches the resident memory of this process.

    Attributes
    ----------
    mib : float
        Largest rise of the memory above its value at the beginning, in MiB. On a GPU that torch
        used, the peak memory of torch on the GPU is added. NaN where the memory cannot be read (it
        is read from ``/proc``, so on Linux only).
    """

    mib = float("nan")

    def __enter__(self) -> Self:
        """Start watching."""
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
        """Stop watching and set `mib`."""
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
    """Return torch.cuda if a GPU is already in use; this does not import torch."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None


COSTS = ("fit_seconds", "predict_seconds", "peak_memory_mib")


class Outcome(NamedTuple):
    """Metrics that a model reached, or the reason why it failed.

    Attributes
    ----------
    metrics : dict of str to float
        Values of the metrics by name; empty if the fit failed.
    error : str or None
        Error message if the fit failed, else None.
    arrays : dict of str to ndarray
        Arrays that are kept beside the metrics, such as predictions.
    not_stored : str or None
        Reason why the outcome could not be written to the cache, or None.
    """

    metrics: dict[str, float]
    error: str | None = None
    arrays: dict[str, np.ndarray] = {}
    not_stored: str | None = None
