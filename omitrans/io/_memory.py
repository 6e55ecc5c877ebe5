"""Say which file was too large for the memory, and what it takes."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from omitrans.exceptions import OmiTransError

_FOR_THREADS = 32 << 20  # bytes
_CURE = "Take a machine with more memory, or a part of the table."


@contextmanager
def memory_for(
    path: str | PathLike[str],
    *,
    shape: tuple[int, int] | None = None,
    itemsize: int = 4,
    cure: str = _CURE,
) -> Iterator[None]:
    """Raise a MemoryError that names a file if memory runs out in the block.

    Parameters
    ----------
    path : path-like
        Path of the file that is read.
    shape : tuple of int, default=None
        Number of rows and columns of the result, as far as they are known.
    itemsize : int, default=4
        Bytes of a value of the result.
    cure : str
        Sentence that says what to do.
    """
    try:
        if shape is not None:
            _check_limit(shape[0] * shape[1] * itemsize)
        yield
    except (MemoryError, OSError, RuntimeError) as error:
        if isinstance(error, OmiTransError) or str(path) in str(error) or not _is_memory(error):
            raise
        needed = [f"its file has {Path(path).stat().st_size / 2**20:,.1f} MiB"]
        if shape is not None:
            size = shape[0] * shape[1] * itemsize / 2**20
            needed.append(f"its table of about {shape[0]:,} x {shape[1]:,} values {size:,.1f} MiB")
        why = " ".join(str(error).split())
        raise MemoryError(
            f"{path} needs more memory than there is: {', '.join(needed)}"
            f"{f' ({why})' if why else ''}. {cure}"
        ) from error


def _is_memory(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or "can't start new thread" in str(error)


def _check_limit(n_bytes: int) -> None:
    """Raise an error if a limit of this process (ulimit -v) leaves no room for a table and threads.

    The system aborts a process that cannot allocate what a new thread needs.
    """
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        room = limit - pages * resource.getpagesize()
    except (ImportError, OSError):  # not Linux
        return
    if limit != resource.RLIM_INFINITY and room < n_bytes + _FOR_THREADS:
        raise MemoryError(
            f"a limit of this process, ulimit -v, leaves {room / 2**20:,.1f} MiB, of which threads "
            f"take {_FOR_THREADS / 2**20:,.0f}"
        )
