"""Find the two files, one for each colour, that a scanner writes for a sample."""

import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from omitrans.exceptions import DataFormatError

_FILE_NAME = re.compile(r"(?P<sample>.+)_(?P<colour>Grn|Red)\.idat(\.gz)?", re.IGNORECASE)

_OnePath = str | PathLike[str]


def find_idat_pairs(
    path: _OnePath | Sequence[_OnePath],
) -> dict[str, tuple[Path, Path]]:
    """Return the green and the red file of each sample, in the order given; folders are sorted."""
    entries = [Path(path)] if isinstance(path, str | PathLike) else [Path(p) for p in path]
    found: dict[str, dict[str, Path]] = {}
    for entry in entries:
        for sample, colour, file in _files_of(entry):
            first = found.setdefault(sample, {}).setdefault(colour, file)
            if first.parent != file.parent:
                raise DataFormatError(
                    f"{first} and {file} are two samples of one name, {sample}. Read them by two "
                    "calls, or rename one pair."
                )
    if not found:
        raise DataFormatError("The list of IDAT files is empty. Give a folder, or file names.")
    return {sample: _both(sample, files) for sample, files in found.items()}


def _files_of(entry: Path) -> list[tuple[str, str, Path]]:
    """Return sample, colour and file of what a folder, file or basename stands for."""
    inside = entry.is_dir()
    match = _FILE_NAME.fullmatch(entry.name)
    wanted = match["sample"] if match else entry.name
    files = []
    # sorted, a plain file comes before its compressed copy
    for file in sorted(entry.rglob("*") if inside else entry.parent.glob("*")):
        match = _FILE_NAME.fullmatch(file.name)
        if match and (inside or match["sample"] == wanted) and file.is_file():
            files.append((match["sample"], match["colour"].lower(), file))
    if not files:
        where = f"The folder {entry}" if inside else f"{entry} is no folder, and {entry.parent}"
        name = "*" if inside else wanted
        raise DataFormatError(
            f"{where} holds no files {name}_Grn.idat and {name}_Red.idat, plain or .gz. Check the "
            "path; the two names must differ in Grn and Red only."
        )
    return files


def _both(sample: str, files: dict[str, Path]) -> tuple[Path, Path]:
    """Return both files, or say which one is absent."""
    if len(files) < 2:
        ((colour, file),) = files.items()
        absent = "Red" if colour == "grn" else "Grn"
        raise DataFormatError(
            f"{file} lacks its partner {sample}_{absent}.idat, plain or .gz. A beta value needs "
            "both colours: put the two files side by side."
        )
    return files["grn"], files["red"]
