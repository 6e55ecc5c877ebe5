"""Read blocks of whole lines from a text file, and process them in parallel to reading."""

import gzip
import io
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar, cast

from omitrans.io._last_line import GZIP
from omitrans.io._memory import memory_for
from omitrans.io._text import damaged

BLOCK_BYTES = 1 << 18  # larger ones leave the processor's cache, and cost page faults

Argument = TypeVar("Argument")
Result = TypeVar("Result")


class Block(NamedTuple):
    """Whole lines of a file."""

    first_line: int  # its number in the file, from 1
    data: bytearray  # ends with a line end


class Source(NamedTuple):
    """An open text file: its bytes after decompression, and those on disk."""

    path: Path
    text: IO[bytes]
    disk: IO[bytes]  # its tell() is what progress bars show
    compressed: bool


@contextmanager
def open_source(path: str | PathLike[str]) -> Iterator[Source]:
    """Open a file for its bytes; a file that starts like a gzip file is decompressed.

    Raises
    ------
    DataFormatError
        If the compressed data ends early or is damaged.
    """
    path = Path(path)
    with path.open("rb", buffering=0) as disk:
        compressed = disk.read(2) == GZIP
        disk.seek(0)
        raw: Any = disk
        if compressed:
            raw = gzip.GzipFile(fileobj=io.BufferedReader(disk, 1 << 17))
        try:
            with memory_for(path):
                text = cast(IO[bytes], io.BufferedReader(raw, 1 << 16))
                yield Source(path, text, disk, compressed)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise damaged(path, str(error)) from error


def read_blocks(file: IO[bytes], first_line: int, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield the rest of a file in blocks of about `size` bytes, split at line ends."""
    tail = b""
    more = size
    while True:
        data = bytearray(len(tail) + more)
        data[: len(tail)] = tail
        with memoryview(data) as view:
            n_bytes = len(tail) + file.readinto(view[len(tail) :])  # type: ignore[attr-defined]
        if n_bytes == len(tail):
            if tail:
                yield Block(first_line, bytearray(tail + b"\n"))
            return
        cut = data.rfind(b"\n", 0, n_bytes) + 1
        tail = bytes(data[cut:n_bytes])
        more = size if cut else max(size, len(tail))  # a line longer than a block: double it
        if cut:
            del data[cut:]
            yield Block(first_line, data)
            first_line += data.count(b"\n")


def map_beside(
    function: Callable[[Argument], Result], arguments: Iterable[Argument], n_threads: int
) -> Iterator[Result]:
    """Yield `function` of each argument, in order, computed by threads a few items ahead.

    Arguments are taken in the calling thread. When the iterator is closed or fails, computations
    that run are finished and the remaining arguments are dropped.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for argument in arguments:
                waiting.append(pool.submit(function, argument))
                if len(waiting) > n_threads + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
