"""What the commands share: arguments, progress, and the folder to write to."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from omitrans.exceptions import OmiTransError


def integer(minimum: int) -> Callable[[str], int]:
    """Return an argument type: a whole number that is not less than `minimum`.

    Parameters
    ----------
    minimum : int
        The least number allowed.

    Returns
    -------
    callable
        For the ``type`` of :meth:`argparse.ArgumentParser.add_argument`.
    """

    def parse(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise argparse.ArgumentTypeError(f"must be at least {minimum}; got {value}")
        return value

    parse.__name__ = "whole number"  # for argparse's message about text that is none
    return parse


def make_folder(path: Path) -> Path:
    """Make the folder of the results, and see to it early that files can be written there.

    Parameters
    ----------
    path : Path
        The folder; its parents are made too.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OmiTransError
        If it cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OmiTransError(
            f"cannot write to the folder {str(path)!r} ({error.strerror}). "
            "Choose another one with --output."
        ) from error
    return path


def report_progress(text: str) -> None:
    """Print what is being done, on the error stream: the output is for results.

    Parameters
    ----------
    text : str
        A line.
    """
    print(text, file=sys.stderr, flush=True)
