"""The header of a model file: kind, format, versions and summary."""

import re
from typing import Any

from omitrans.exceptions import ModelFileError
from omitrans.utils._versions import installed_version

FORMAT = 1
KIND = "omitrans model"
_VERSION = re.compile(r"[A-Za-z0-9.+!_-]{1,100}")


def check_header(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document if this version of the package can read it.

    Parameters
    ----------
    document : dict
        Content of ``model.json``.

    Returns
    -------
    dict
        The document. Its ``versions`` and ``summary`` have the keys and types that readers expect.

    Raises
    ------
    ModelFileError
        If the file is of another kind or format, or its header lacks something.
    """
    if document.get("kind") != KIND:
        raise ModelFileError(
            f"its model.json is of the kind {document.get('kind')!r:.50}, not {KIND!r}"
        )
    versions: Any = document.get("versions")
    _require(_are_versions(versions), "versions", versions)
    written = document.get("format")
    if type(written) is not int or written != FORMAT:
        raise ModelFileError(
            f"it has the format {written!r:.50}, written by omitrans {versions['omitrans']}, and "
            f"the installed omitrans {installed_version('omitrans')} reads format {FORMAT}. "
            "Upgrade: pip install -U omitrans"
        )
    summary = document.get("summary")
    _require(_is_summary(summary), "summary", summary)
    _require("model" in document, "model", None)
    return document


def _require(is_right: bool, key: str, value: Any) -> None:
    if not is_right:
        raise ModelFileError(
            f"the entry {key!r} of its model.json is absent or wrong: {value!r:.50}"
        )


def _are_versions(value: Any) -> bool:
    """Return whether a value holds versions by package, among them those that are read."""
    return (
        isinstance(value, dict)
        and {"omitrans", "scikit-learn"} <= value.keys()
        and all(isinstance(text, str) and _VERSION.fullmatch(text) for text in value.values())
    )


def _is_summary(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    texts = value.get("target_names", "")
    return (
        isinstance(value.get("class", 0), str | None)
        and all(_is_count(value.get(key, "")) for key in ("n_features_in", "n_feature_names"))
        and (texts is None or (isinstance(texts, list) and all(isinstance(t, str) for t in texts)))
    )


def _is_count(value: Any) -> bool:
    return value is None or (type(value) is int and value >= 0)
