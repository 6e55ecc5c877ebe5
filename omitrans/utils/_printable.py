"""Text of files, made safe to print on a terminal."""

import json


def printable(text: str) -> str:
    """Return a text with every character that a terminal would obey, or not show, escaped.

    Parameters
    ----------
    text : str
        Text, such as names of genes from a file.

    Returns
    -------
    str
        The text with control characters, marks of direction and the like as ``\\x1b``, ``\\u202e``.
    """
    return text if text.isprintable() else "".join(map(_escaped, text))


def printable_json(text: str) -> str:
    """Return JSON with the same content whose strings hold only characters that are shown.

    Parameters
    ----------
    text : str
        JSON, which may have line breaks between its values.

    Returns
    -------
    str
        The JSON with all other such characters as ``\\u009b``.
    """
    lines = text.split("\n")
    return "\n".join(
        "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line) for line in lines
    )


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()
