"""What is shown on a terminal, and not in a pipe."""

import io
import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from omitrans.cli._output import listed, print_facts, print_json, working
from omitrans.cli._report import print_comparison
from omitrans.metrics import RECONSTRUCTION_SCORERS

FACTS = {"samples": 1234, "unit": "log2(x + 1) [dB]", "half": 0.123456, "no": None, "flag": True}


class Terminal(io.StringIO):
    """A stream that says that somebody is looking."""

    def isatty(self):
        return True


def open_terminal(monkeypatch, width=120):
    """Put terminals in the place of the streams; not as a fixture: pytest would undo it."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    streams = SimpleNamespace(out=Terminal(), err=Terminal())
    monkeypatch.setattr(sys, "stdout", streams.out)
    monkeypatch.setattr(sys, "stderr", streams.err)
    return streams


def test_facts_are_plain_lines_in_a_pipe(capsys):
    print_facts(FACTS, title="Model:")
    assert capsys.readouterr().out.splitlines() == [
        "Model:",
        "  samples  1,234",
        "  unit     log2(x + 1) [dB]",
        "  half     0.1235",
        "  flag     yes",
    ]


def test_facts_are_a_table_on_a_terminal(monkeypatch):
    terminal = open_terminal(monkeypatch)
    print_facts(FACTS, title="Model:")
    shown = terminal.out.getvalue()
    assert "│ 1,234 " in shown
    assert "log2(x + 1) [dB]" in shown
    assert "None" not in shown


@pytest.mark.parametrize(("width", "boxed"), [(120, True), (80, False)])
def test_the_comparison_is_a_table_where_it_fits(monkeypatch, width, boxed):
    terminal = open_terminal(monkeypatch, width)
    summary = pd.DataFrame([dict.fromkeys(RECONSTRUCTION_SCORERS, 0.25)], index=["ridge"])
    print_comparison(summary)
    shown = terminal.out.getvalue()
    assert ("│ 0.2500 │" in shown) == boxed
    assert shown.count("0.2500") == 8


def test_work_is_announced_and_leaves_no_trace_of_its_clock(monkeypatch):
    terminal = open_terminal(monkeypatch)
    with working("Training ..."):
        pass
    assert terminal.err.getvalue().startswith("Training ...\n")
    assert terminal.out.getvalue() == ""


def test_json_holds_no_nan(capsys):
    print_json({"r2": float("nan"), "list": [float("inf"), 1, "µ"], "more": {"n": None}})
    out = capsys.readouterr().out
    assert "NaN" not in out
    assert "Infinity" not in out
    assert '"µ"' in out


def test_long_lists_are_cut():
    assert listed("abc") == "a, b, c"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
