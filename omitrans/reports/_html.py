"""What the HTML pages share: sections, tables, figures as text, and a file that is never half."""

import base64
import sys
from collections.abc import Callable
from datetime import datetime
from html import escape
from io import BytesIO
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from omitrans.reports._report_page import PAGE
from omitrans.utils._files import replacing
from omitrans.utils._versions import PACKAGES, installed_version


def write_page(path: str | Path, *, title: str, made: str, sections: list[str]) -> Path:
    """Write beside the file and move it there, so that it is never half a page."""
    page = Template(PAGE).substitute(
        title=escape(title), made=escape(made), body="\n".join(sections)
    )
    with replacing(path) as unfinished:
        # names may hold what UTF-8 cannot
        unfinished.write_text(page, encoding="utf-8", errors="xmlcharrefreplace")
    return Path(path)


def written_with() -> str:
    """Return when the page is written, and with which versions."""
    versions = [f"Python {sys.version.split()[0]}"]
    for package in PACKAGES:
        number = installed_version(package)
        if number is not None:
            versions.append(f"{package} {number}")
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return f"Written {when} with {', '.join(versions)}."


def section(heading: str, *parts: str) -> str:
    """Return a section with a heading; its parts are HTML already."""
    return "\n".join(["<section>", f"<h2>{escape(heading)}</h2>", *parts, "</section>"])


def note(text: str) -> str:
    """Return a paragraph of small print."""
    return f'<p class="note">{escape(text)}</p>'


def bullets(items: list[str]) -> str:
    """Return a list; its items are HTML already."""
    return "<ul>\n" + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>"


def table(
    frame: pd.DataFrame,
    labels: dict[str, str],
    text: str,
    *,
    corner: str = "",
    caption: str = "Table",
    ready: bool = False,
    kind: str = "",
) -> str:
    """Return a note and a table in a box that scrolls; `ready` cells are HTML already.

    Kinds: "tall" scrolls downwards too, "prose" holds texts, "verdict" one in its first column.
    """
    keep: Callable[[Any], str] = str if ready else lambda cell: escape(str(cell))
    head = "".join(f'<th scope="col">{escape(labels.get(c, str(c)))}</th>' for c in frame.columns)
    first = f'<th scope="col">{escape(corner)}</th>' if corner else "<td></td>"
    rows = "\n".join(
        f'<tr><th scope="row">{escape(str(name))}</th>'
        + "".join(f"<td>{keep(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, cells in zip(frame.index, frame.to_numpy(), strict=True)
    )
    return (
        f'{note(text)}\n<div class="box{kind and f" {kind}"}" tabindex="0" role="region" '
        f'aria-label="{escape(caption)}"><table>\n<thead><tr>{first}{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def figure(
    draw: Callable[..., Any],
    caption: str,
    *,
    grid: tuple[int, int] | None = None,
    height: float = 4.0,
) -> str:
    """Draw without pyplot, which would keep the figure, and return it as an image in text."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(7.2, height), layout="constrained")
    draw(ax=drawing.subplots() if grid is None else drawing.subplots(*grid, squeeze=False))
    content = BytesIO()
    drawing.savefig(content, format="svg", metadata={"Date": None})
    source = base64.b64encode(content.getvalue()).decode()
    text = escape(caption, quote=True)
    return (
        f'<figure><img alt="{text}" src="data:image/svg+xml;base64,{source}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def count(number: int, noun: str) -> str:
    """Return a number of things in words: "1 gene", "2 genes"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def fixed(value: float, digits: int = 2) -> str:
    """Return a number with so many decimals and proper signs, or a dash for none."""
    if pd.isna(value):
        return "–"
    return f"{value:,.{digits}f}".replace("-", "−").replace("inf", "∞")


def signed(value: float) -> str:
    """Return a number with its sign, or a dash for none."""
    return "–" if np.isnan(value) else f"{value:+.4f}".replace("-", "−")


def percent(value: float, digits: int = 0) -> str:
    """Return a share as a percentage, or a dash for none."""
    return "–" if pd.isna(value) else f"{value:.{digits}%}"


def p_value(value: float) -> str:
    """Return a p-value to four decimals, or a dash for none."""
    if pd.isna(value):
        return "–"
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"
