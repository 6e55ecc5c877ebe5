"""Helpers that the commands share: results, progress, and output files."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from omitrans.exceptions import OmiTransError
from omitrans.utils._printable import printable, printable_json


def make_folder(path: Path) -> Path:
    """Make the folder of the results, and check that files can be written to it.

    Parameters
    ----------
    path : Path
        Path of the folder; missing parents are made as well.

    Returns
    -------
    Path
        Path of the folder.

    Raises
    ------
    OmiTransError
        If the folder cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        _try_to_write(path)
    except OSError as error:
        raise OmiTransError(
            f"cannot write to the folder {str(path)!r} ({error.strerror}). "
            "Choose another one with --output."
        ) from error
    return path


def check_target(path: Path, *, inputs: tuple[Path, ...] = ()) -> None:
    """Check at the start of a command that a file can be written.

    Parameters
    ----------
    path : Path
        Path of the file; an existing file is replaced.
    inputs : tuple of Path, default=()
        Input files, which must not be replaced.

    Raises
    ------
    OmiTransError
        If the file cannot be written, or is one of `inputs`.
    """
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "no ordinary file"
        raise OmiTransError(f"cannot write {str(path)!r}: it is {what}. Give the name of a file.")
    for source in inputs:
        if path.exists() and source.exists() and path.samefile(source):
            raise OmiTransError(
                f"{str(path)!r} is read and would be replaced. Choose another name for the output."
            )
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise OmiTransError(f"the folder {str(folder)!r} does not exist. Make it first.")
    try:
        _try_to_write(folder)
    except OSError as error:
        raise OmiTransError(
            f"cannot write to the folder {str(folder)!r} ({error.strerror}). Choose another one."
        ) from error


def _try_to_write(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder):
        pass


def report_progress(text: str) -> None:
    """Print the current step on the error stream; the output stream is for results.

    Parameters
    ----------
    text : str
        Line to print.
    """
    print(printable(text), file=sys.stderr, flush=True)


def is_watched() -> bool:
    """Return whether the error stream is a terminal, which can show moving progress bars.

    Returns
    -------
    bool
        True for a terminal, False for log files and pipes.
    """
    return sys.stderr.isatty()


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show the current step while a block runs; on a terminal with the elapsed time.

    Parameters
    ----------
    text : str
        Description of the step.

    Yields
    ------
    None
        No value.
    """
    report_progress(text)
    if not is_watched():
        yield
        return
    columns = SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task("Ctrl-C stops", total=None)
        yield


def print_json(result: Mapping[str, Any]) -> None:
    """Print the result of a command as one JSON object.

    Parameters
    ----------
    result : mapping
        Names and values to print. Numbers that JSON does not have (NaN, infinity) become null.
    """
    print(printable_json(json.dumps(_jsonable(result), indent=2, ensure_ascii=False)))


def print_facts(facts: Mapping[str, Any], *, title: str) -> None:
    """Print names and values: a table on a terminal, plain lines elsewhere.

    Parameters
    ----------
    facts : mapping of str
        Names and values to print; entries that are None are left out.
    title : str
        Heading of the table.
    """
    title = printable(title)
    rows = [
        (printable(name), printable(_text(value)))
        for name, value in facts.items()
        if value is not None
    ]
    if sys.stdout.isatty():
        table = Table(title=title, title_justify="left", show_header=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, text in rows:
            table.add_row(Text(name), Text(text))  # brackets are no markup
        Console(highlight=False).print(table)
        return
    print(title)
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        print(f"  {name:<{width}}  {text}")


def listed(names: Any, n: int = 5) -> str:
    """Return names as text; only the first names if there are many.

    Parameters
    ----------
    names : iterable
        Names to list.
    n : int, default=5
        Number of names to show.

    Returns
    -------
    str
        Names separated by commas.
    """
    names = [str(name) for name in names]
    return ", ".join(names[:n]) + (f" and {len(names) - n} more" if len(names) > n else "")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _jsonable(value: Any) -> Any:
    """Return a value of NumPy or pandas as plain numbers, text and lists."""
    if isinstance(value, Mapping):
        return {str(name): _jsonable(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and value - value != 0:
        return None
    return value
