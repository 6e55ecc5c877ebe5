"""Helpers that the HTML pages share: templates, tables, figures, and numbers as text."""

import base64
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.utils._files import replacing
from omitrans.utils._versions import PACKAGES, installed_version


@dataclass(frozen=True)
class PageTable:
    """Table of a page.

    Attributes
    ----------
    labels : list of str
        Headings of the columns.
    rows : list of (name, list)
        Name of each row, and its cells in the form that the template reads.
    """

    labels: list[str]
    rows: list[tuple[Any, list[Any]]]

    @classmethod
    def of(cls, cells: pd.DataFrame, labels: dict[str, str] | None = None) -> "PageTable":
        """Return the table of a DataFrame of cells; columns without a label keep their name."""
        known = labels or {}
        names = [known.get(column, str(column)) for column in cells.columns]
        values = cells.to_numpy(dtype=object)
        return cls(names, [(n, list(row)) for n, row in zip(cells.index, values, strict=True)])


@dataclass(frozen=True)
class PageFigure:
    """Figure of a page: its caption, and the image in base64."""

    caption: str
    image: str


def draw_figure(
    draw: Callable[..., Any],
    caption: str,
    *,
    grid: tuple[int, int] | None = None,
    height: float = 4.0,
) -> PageFigure:
    """Draw a figure without pyplot, which would keep the figure open.

    Parameters
    ----------
    draw : callable
        Function that draws, called as ``draw(ax=...)`` with one pair of axes or an array of axes.
    caption : str
        Caption that says what the figure shows.
    grid : tuple of int or None, default=None
        Numbers of rows and columns of axes; None makes one pair.
    height : float, default=4.0
        Height of the figure in inches.

    Returns
    -------
    PageFigure
        Figure as SVG.
    """
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(7.2, height), layout="constrained")
    draw(ax=drawing.subplots() if grid is None else drawing.subplots(*grid, squeeze=False))
    content = BytesIO()
    drawing.savefig(content, format="svg", metadata={"Date": None})
    return PageFigure(caption, base64.b64encode(content.getvalue()).decode())


@cache
def _templates() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("omitrans.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_page(path: str | Path, template: str, **content: Any) -> Path:
    """Fill a template and write the page; a failed write leaves no partial file.

    Parameters
    ----------
    path : str or pathlib.Path
        Path of the HTML file to write.
    template : str
        File name of the template in ``reports/templates``.
    **content : object
        Values that the template reads; all templates read ``title`` and ``made``.

    Returns
    -------
    pathlib.Path
        Path of the written file.
    """
    page = _templates().get_template(template).render(written_with=_written_with(), **content)
    with replacing(path) as unfinished:
        # names may hold what UTF-8 cannot
        unfinished.write_text(page, encoding="utf-8", errors="xmlcharrefreplace")
    return Path(path)


def _written_with() -> str:
    """Return a line with the date and the versions of the packages."""
    versions = [f"Python {sys.version.split()[0]}"]
    for package in PACKAGES:
        number = installed_version(package)
        if number is not None:
            versions.append(f"{package} {number}")
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return f"Written {when} with {', '.join(versions)}."


# --- numbers as text ---


def count(number: int, noun: str) -> str:
    """Return a number with its noun: "1 gene", "2 genes"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def fixed(value: float, digits: int = 2) -> str:
    """Return a number with `digits` decimals and a proper minus sign, or a dash for NaN."""
    if pd.isna(value):
        return "–"
    return f"{value:,.{digits}f}".replace("-", "−").replace("inf", "∞")


def interval(low: float, high: float, digits: int = 3) -> str:
    """Return both ends of an interval, or a dash if there is none."""
    return "–" if pd.isna(low) else f"{fixed(low, digits)} to {fixed(high, digits)}"


def signed(value: float) -> str:
    """Return a number with its sign, or a dash for NaN."""
    return "–" if pd.isna(value) else f"{value:+.4f}".replace("-", "−")


def percent(value: float, digits: int = 0) -> str:
    """Return a fraction as a percentage, or a dash for NaN."""
    return "–" if pd.isna(value) else f"{value:.{digits}%}"


def p_value(value: float) -> str:
    """Return a p-value with four decimals, or a dash for NaN."""
    if pd.isna(value):
        return "–"
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"
