"""Threads that share one computation, whose result does not depend on their number."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController


class _BlasLimit:
    """Keeps BLAS at one thread while at least one caller wants that."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._callers = 0
        self._restore = ExitStack()
        self.n_threads = 1

    def enter(self) -> None:
        with self._lock:
            if not self._callers:
                blas = ThreadpoolController().select(user_api="blas")
                self.n_threads = max((one.num_threads for one in blas.lib_controllers), default=1)
                self._restore.enter_context(blas.limit(limits=1))
            self._callers += 1

    def leave(self) -> None:
        with self._lock:
            self._callers -= 1
            if not self._callers:
                self._restore.close()


_LIMIT = _BlasLimit()


class Workers:
    """Threads that work on the blocks of one computation.

    Parameters
    ----------
    pool : concurrent.futures.ThreadPoolExecutor
        The threads.
    n_threads : int
        Number of threads.
    """

    def __init__(self, pool: ThreadPoolExecutor, n_threads: int) -> None:
        self._pool, self._n_threads = pool, n_threads

    def results(self, work: Callable[[Any], Any], blocks: Sequence[Any]) -> Iterator[Any]:
        """Yield what `work` returns for each block, in the order of the blocks.

        Parameters
        ----------
        work : callable
            Function of one block.
        blocks : sequence
            The blocks.

        Yields
        ------
        object
            Result of one block. No more results than threads are kept at a time.
        """
        for start in range(0, len(blocks), self._n_threads):
            yield from self._pool.map(work, blocks[start : start + self._n_threads])

    def add(
        self, total: np.ndarray, work: Callable[[Any], np.ndarray], blocks: Sequence[Any]
    ) -> np.ndarray:
        """Add what `work` returns for each block to `total`, in the order of the blocks.

        Parameters
        ----------
        total : ndarray
            Array that is added to.
        work : callable
            Function of one block, which returns an array of the shape of `total`.
        blocks : sequence
            The blocks.

        Returns
        -------
        ndarray
            `total`.
        """
        for part in self.results(work, blocks):
            total += part
        return total


@contextmanager
def workers() -> Iterator[Workers]:
    """Provide as many threads as BLAS may use, while BLAS itself uses one.

    BLAS rounds otherwise with other numbers of threads. Products of fixed blocks, each computed by
    one thread and added in a fixed order, do not.

    Yields
    ------
    Workers
        The threads.
    """
    _LIMIT.enter()
    try:
        with ThreadPoolExecutor(_LIMIT.n_threads) as pool:
            yield Workers(pool, _LIMIT.n_threads)
    finally:
        _LIMIT.leave()
