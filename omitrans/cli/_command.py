"""How each command runs: errors become one line and an exit code, warnings become lines."""

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
    UnknownCategoryWarning,
)

FAILED, INTERRUPTED = 1, 130
_ALWAYS_SHOWN = (
    DeviceWarning,
    DomainShiftWarning,
    LowCoverageWarning,
    PatientGroupsWarning,
    UnknownCategoryWarning,
)


class Interrupted(BaseException):
    """Ctrl-C was pressed."""


class Command(click.RichCommand):
    """A command whose expected errors end in one line and exit code 1, Ctrl-C in 130."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Parameters
        ----------
        ctx : Context
            With the parsed arguments.

        Returns
        -------
        object
            What the command returns.
        """
        try:
            with _warnings_as_lines(ctx.command_path):
                return super().invoke(ctx)
        except BrokenPipeError:  # the reader of the output has enough
            raise
        except (OmiTransError, OSError, MemoryError, ValueError) as error:
            text = one_line(error)
            report_failure(ctx.command_path, f"error: {text}")
            if ctx.params.get("json"):
                print(json.dumps({"error": text}))
            ctx.exit(FAILED)
        except (Interrupted, KeyboardInterrupt):
            report_failure(f"\n{ctx.command_path}", "interrupted.")
            ctx.exit(INTERRUPTED)


def run_command(name: str, given: dict[str, Any]) -> None:
    """Import what does the work of a command, and run it.

    Parameters
    ----------
    name : str
        Name of the command; ``omitrans/cli/actions/_<name>.py`` holds a function ``run``.
    given : dict
        What the command line says.
    """
    import_module(f"omitrans.cli.actions._{name}").run(SimpleNamespace(**given))


def one_line(error: BaseException) -> str:
    """Return what an error says, on one line.

    Parameters
    ----------
    error : BaseException
        The error.

    Returns
    -------
    str
        Its text, or its kind if it has none.
    """
    return " ".join(str(error).split()) or type(error).__name__


def report_failure(command: str, text: str) -> None:
    """Print what went wrong, on the error stream.

    Parameters
    ----------
    command : str
        Which command speaks.
    text : str
        What it says.
    """
    print(f"{command}: {text}", file=sys.stderr, flush=True)


@contextmanager
def _warnings_as_lines(command: str) -> Iterator[None]:
    """Print each warning once, as a line without the place in the source."""
    seen = set()

    def show(message: Warning | str, *args: Any, **kwargs: Any) -> None:
        text = " ".join(str(message).split())
        if text not in seen:
            seen.add(text)
            report_failure(command, f"warning: {text}")

    with warnings.catch_warnings():
        for kind in _ALWAYS_SHOWN:
            warnings.simplefilter("always", kind)
        warnings.showwarning = show
        yield
