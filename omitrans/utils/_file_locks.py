"""Locks on files that the system releases when their process dies."""

import errno
import os
from pathlib import Path
from types import ModuleType

fcntl: ModuleType | None
msvcrt: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
try:
    import msvcrt
except ImportError:
    msvcrt = None

_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}


class LockHeldError(Exception):
    """Another writer, here or in another process, holds the lock."""


def take_lock(path: Path) -> tuple[int, bool]:
    """Open a file and lock it, without waiting.

    Parameters
    ----------
    path : Path
        Path of the file, which is made if it is absent.

    Returns
    -------
    descriptor : int
        Descriptor of the open file; closing it releases the lock.
    locked : bool
        False if this system or this file system has no such locks.

    Raises
    ------
    LockHeldError
        If the lock is held.
    OSError
        If the file cannot be opened.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        return descriptor, _lock(descriptor)
    except BaseException:
        os.close(descriptor)
        raise


def _lock(descriptor: int) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            return False
    except OSError as error:
        if error.errno in _HELD:
            raise LockHeldError from error
        return False  # such as some network file systems
    return True
