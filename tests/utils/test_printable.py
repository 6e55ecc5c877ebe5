"""Text of files that is safe to print."""

import json

import pytest

from omitrans.utils._printable import printable, printable_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cg00000029", "cg00000029"),
        ("Größe in µm, 基因", "Größe in µm, 基因"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x9b2J\x7f", r"\x9b2J\x7f"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_a_terminal_obeys_is_escaped(text, shown):
    assert printable(text) == shown
    assert shown.isprintable()


def test_json_keeps_its_content():
    value = {"a\x1b": ["\x9b", "\u202e", "\U000e0041", "\ud800", "ü\n"], "b": 1.5}
    text = printable_json(json.dumps(value, indent=2, ensure_ascii=False))
    assert json.loads(text) == value
    assert text.replace("\n", "").isprintable()
    assert "ü" in text
