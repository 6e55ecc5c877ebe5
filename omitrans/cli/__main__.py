"""The program ``omitrans``: find the command, run it, turn errors into exit codes."""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from omitrans import __version__
from omitrans.exceptions import OmiTransError

# command -> what it does; omitrans/cli/_<command>.py holds it in a function run(arguments)
COMMANDS = {
    "compare": "cross-validate models on tables of your own",
    "demo": "simulate a cohort, compare models, predict expression, draw figures",
}
FAILED, INTERRUPTED = 1, 130


class _Interrupted(BaseException):
    """Ctrl-C was pressed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line program.

    Parameters
    ----------
    arguments : sequence of str, default=None
        What follows the name of the program; None takes it from the shell.

    Returns
    -------
    int
        Exit code: 0 if all went well, 1 after an error, 130 after Ctrl-C. Arguments that
        cannot be understood end the program with 2.
    """
    options = _parser().parse_args(arguments)
    try:
        # imported only now, so that --help and --version answer at once
        command = import_module(f"omitrans.cli._{options.command}")
        with _ctrl_c_ends_the_program():
            command.run(options.arguments)
    except (OmiTransError, OSError) as error:
        print(f"omitrans {options.command}: error: {error}", file=sys.stderr)
        return FAILED
    except (_Interrupted, KeyboardInterrupt):
        print(f"\nomitrans {options.command}: interrupted.", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    commands = "\n".join(f"  {name:<8}{text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="omitrans",
        description="Predict one omics profile from another.",
        epilog=f"commands:\n{commands}\n\nomitrans COMMAND --help explains a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"omitrans {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="its arguments")
    return parser


@contextmanager
def _ctrl_c_ends_the_program() -> Iterator[None]:
    """Let Ctrl-C end a command; a regressor in training would catch KeyboardInterrupt and stay."""

    def stop(signal_number: int, frame: Any) -> None:
        raise _Interrupted

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(main())
