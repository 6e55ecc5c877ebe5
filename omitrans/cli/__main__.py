"""The program ``omitrans``: find the command, run it, return an exit code."""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import rich_click as click

from omitrans import __version__
from omitrans.cli._command import INTERRUPTED, Interrupted, report_failure
from omitrans.cli.commands._audit import command as audit
from omitrans.cli.commands._compare import command as compare
from omitrans.cli.commands._convert import command as convert
from omitrans.cli.commands._demo import command as demo
from omitrans.cli.commands._downstream import command as downstream
from omitrans.cli.commands._fit import command as fit
from omitrans.cli.commands._generate import command as generate
from omitrans.cli.commands._info import command as info
from omitrans.cli.commands._predict import command as predict
from omitrans.cli.commands._rank import command as rank


class _InOrder(click.RichGroup):
    """List the commands in the order in which they are given."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder,
    commands=[fit, predict, compare, downstream, generate, audit, rank, convert, info, demo],
    help="Predict one omics profile from another: expression from methylation arrays. Generate "
    "expression under given covariates.",
    epilog="omitrans COMMAND --help explains a command.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="omitrans %(version)s")
def program() -> None:
    """Group that holds the commands."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line program.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Arguments that follow the name of the program; None takes them from the shell.

    Returns
    -------
    int
        Exit code: 0 if all went well, 1 after an error, 2 if the arguments cannot be understood,
        130 after Ctrl-C.
    """
    try:
        with _ctrl_c_ends_the_program():
            program.main(arguments, prog_name="omitrans")
    except SystemExit as end:
        return int(end.code or 0)
    except Interrupted:  # before a command took over
        report_failure("omitrans", "interrupted.")
    return INTERRUPTED


@contextmanager
def _ctrl_c_ends_the_program() -> Iterator[None]:
    """Let Ctrl-C end a command, even in a training, which would catch KeyboardInterrupt."""

    def stop(signal_number: int, frame: Any) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(main())
