"""Run a command: errors become one line and an exit code, each warning becomes one line."""

import json
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace
from typing import Any

import rich_click as click

from omitrans.exceptions import (
    ConfoundedChangeWarning,
    DeviceWarning,
    DomainShiftWarning,
    LowCoverageWarning,
    OmiTransError,
    PatientGroupsWarning,
    TruncatedFileWarning,
    UnknownCategoryWarning,
)
from omitrans.utils._files import DISK_FULL, FREE
from omitrans.utils._printable import printable

FAILED, INTERRUPTED = 1, 130
_ALWAYS_SHOWN = (
    ConfoundedChangeWarning,
    DeviceWarning,
    DomainShiftWarning,
    LowCoverageWarning,
    PatientGroupsWarning,
    TruncatedFileWarning,
    UnknownCategoryWarning,
)


class Interrupted(BaseException):
    """Raised when Ctrl-C was pressed."""


class Command(click.RichCommand):
    """Command that ends with one line and exit code 1 after an error, and with 130 after Ctrl-C."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Parameters
        ----------
        ctx : Context
            Context that holds the parsed arguments.

        Returns
        -------
        object
            Value that the command returns.
        """
        try:
            with _warnings_as_lines(ctx.command_path):
                result = super().invoke(ctx)
                sys.stdout.flush()  # a full disk shows here, and not when Python ends
                return result
        except BrokenPipeError:  # the reader of the output has enough
            raise
        except (OmiTransError, OSError, MemoryError, ValueError) as error:
            text = printable(one_line(error)) + _free_space(error)
            report_failure(ctx.command_path, f"error: {text}")
            if ctx.params.get("json"):
                with suppress(OSError):
                    print(json.dumps({"error": text}))
            ctx.exit(FAILED)
        except (Interrupted, KeyboardInterrupt):
            report_failure(f"\n{ctx.command_path}", "interrupted.")
            ctx.exit(INTERRUPTED)


def run_command(name: str, given: dict[str, Any]) -> None:
    """Import the module that does the work of a command, and run it.

    Parameters
    ----------
    name : str
        Name of the command; ``omitrans/cli/actions/_<name>.py`` holds a function ``run``.
    given : dict
        Options and arguments from the command line.
    """
    import_module(f"omitrans.cli.actions._{name}").run(SimpleNamespace(**given))


def one_line(error: BaseException) -> str:
    """Return the message of an error on one line.

    Parameters
    ----------
    error : BaseException
        Error to describe.

    Returns
    -------
    str
        Message of the error, or its type if it has no message.
    """
    text = " ".join(str(error).split())
    if not text and isinstance(error, MemoryError):
        return "memory ran out. Take fewer features, or a machine with more memory."
    return text or type(error).__name__


def _free_space(error: BaseException) -> str:
    """Return what to add to the message of a full disk that does not say how much is free."""
    if not isinstance(error, OSError) or error.errno not in DISK_FULL or FREE in str(error):
        return ""
    places = [Path(error.filename).parent] if error.filename else [Path.cwd(), Path(gettempdir())]
    what = "" if error.filename else " while writing to the standard output or a temporary folder"
    free = (
        f"{shutil.disk_usage(place).free / 2**20:,.1f} {FREE} {place}"
        for place in dict.fromkeys(places)
    )
    return f"{what}; {', '.join(free)}"


def report_failure(command: str, text: str) -> None:
    """Print an error message on the error stream.

    Parameters
    ----------
    command : str
        Name of the command that failed.
    text : str
        Message to print.
    """
    print(f"{command}: {text}", file=sys.stderr, flush=True)


@contextmanager
def _warnings_as_lines(command: str) -> Iterator[None]:
    """Print each warning once, as one line without the position in the source code."""
    seen = set()

    def show(message: Warning | str, *args: Any, **kwargs: Any) -> None:
        text = " ".join(str(message).split())
        if text not in seen:
            seen.add(text)
            report_failure(command, f"warning: {printable(text)}")

    with warnings.catch_warnings():
        for kind in _ALWAYS_SHOWN:
            warnings.simplefilter("always", kind)
        warnings.showwarning = show
        yield
