"""Refuse to wait for threads that a forked process does not have."""

import os

import torch

_process: int | None = None  # the one whose torch has started threads


def refuse_lost_threads() -> None:
    """Raise an error where torch would wait for ever, in a forked copy of a process that used it.

    Raises
    ------
    RuntimeError
        If the process was forked from one that trained or predicted with several threads, and is to
        use several threads itself.
    """
    global _process
    if torch.get_num_threads() == 1:
        return
    if _process is None:
        _process = os.getpid()
    elif _process != os.getpid():
        raise RuntimeError(
            "This process was made by fork from one in which torch had started threads. They do "
            "not exist here, and torch would wait for them for ever. Start processes by 'spawn' or "
            "'forkserver', as in multiprocessing.get_context('spawn').Pool(), or by joblib's "
            "default backend, loky; or call torch.set_num_threads(1) first in the new process."
        )
