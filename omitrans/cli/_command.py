"""Run a command: errors become one line and an exit code, each warning becomes one line."""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import rich_click as click

from omitrans.exceptions import (
    DeviceWarning,
    DomainShiftWarning,
    LowCoverageWarning,
    OmiTransError,
    PatientGroupsWarning,
    TruncatedFileWarning,
    UnknownCategoryWarning,
)
from omitrans.utils._printable import printable

FAILED, INTERRUPTED = 1, 130
_ALWAYS_SHOWN = (
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
                return super().invoke(ctx)
        except BrokenPipeError:  # the reader of the output has enough
            raise
        except (OmiTransError, OSError, MemoryError, ValueError) as error:
            text = printable(one_line(error))
            report_failure(ctx.command_path, f"error: {text}")
            if ctx.params.get("json"):
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
