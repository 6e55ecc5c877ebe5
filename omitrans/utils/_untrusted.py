"""Whether an object is being rebuilt from a model file, which may come from anywhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_UNTRUSTED: ContextVar[bool] = ContextVar("omitrans_untrusted", default=False)


@contextmanager
def from_untrusted_file() -> Iterator[None]:
    """Let what is rebuilt in this thread inside the block be watched for absurd sizes."""
    token = _UNTRUSTED.set(True)
    try:
        yield
    finally:
        _UNTRUSTED.reset(token)


def is_untrusted() -> bool:
    """Return whether this thread is inside :func:`from_untrusted_file`; pickles are not."""
    return _UNTRUSTED.get()
