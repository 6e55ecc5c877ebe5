"""What the commands share: results, progress, and the places to write to."""

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
        _try_to_write(path)
    except OSError as error:
        raise OmiTransError(
            f"cannot write to the folder {str(path)!r} ({error.strerror}). "
            "Choose another one with --output."
        ) from error
    return path


def check_target(path: Path, *, inputs: tuple[Path, ...] = ()) -> None:
    """See to it early that a file can be written.

    Parameters
    ----------
    path : Path
        The file; it may exist.
    inputs : tuple of Path, default=()
        Files that it must not replace.

    Raises
    ------
    OmiTransError
        If it cannot be written, or is one of `inputs`.
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
    """Print what is being done, on the error stream: the output is for results.

    Parameters
    ----------
    text : str
        A line.
    """
    print(text, file=sys.stderr, flush=True)


def is_watched() -> bool:
    """Return whether the error stream is a terminal, where moving signs of progress make sense.

    Returns
    -------
    bool
        False in logs and pipes.
    """
    return sys.stderr.isatty()


@contextmanager
def working(text: str) -> Iterator[None]:
    """Say what is being done while a block runs; on a terminal with the time it takes.

    Parameters
    ----------
    text : str
        What is being done.

    Yields
    ------
    None
        Nothing.
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
        Names and values. Numbers that JSON lacks (NaN, infinity) become null.
    """
    print(json.dumps(_jsonable(result), indent=2, ensure_ascii=False))


def print_facts(facts: Mapping[str, Any], *, title: str) -> None:
    """Print names and values: a table on a terminal, plain lines elsewhere.

    Parameters
    ----------
    facts : mapping of str
        What to print; entries that are None are left out.
    title : str
        Its headline.
    """
    rows = [(name, _text(value)) for name, value in facts.items() if value is not None]
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
    """Return names as text, the first of them if they are many.

    Parameters
    ----------
    names : iterable
        The names.
    n : int, default=5
        How many to show.

    Returns
    -------
    str
        Separated by commas.
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
    """Return plain numbers, text and lists in place of NumPy's and pandas' kinds."""
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
