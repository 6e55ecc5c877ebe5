"""Read beta values from pairs of IDAT files."""

import re
from collections.abc import Sequence
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple, overload

import numpy as np
import pandas as pd

from omitrans.exceptions import DataFormatError
from omitrans.io.idat._bead_manifest import read_bead_manifest
from omitrans.io.idat._idat_file import IdatIntensities, read_idat_intensities
from omitrans.io.idat._idat_signal import (
    GREEN,
    RED,
    ArrayDesign,
    correction_tables,
    detection_p_values,
)
from omitrans.utils._sklearn import Interval, StrOptions, validate_params

_FILE_NAME = re.compile(r"(?P<sample>.+)_(?P<colour>Grn|Red)\.idat(\.gz)?", re.IGNORECASE)

_OnePath = str | PathLike[str]


def find_idat_pairs(
    path: _OnePath | Sequence[_OnePath],
) -> dict[str, tuple[Path, Path]]:
    """Return the green and the red file of each sample in the given order; folders are sorted."""
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
    """Return sample, colour and path of each file that a folder, file or basename stands for."""
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
    """Return the green and the red file; raise an error if one of them is absent."""
    if len(files) < 2:
        ((colour, file),) = files.items()
        absent = "Red" if colour == "grn" else "Grn"
        raise DataFormatError(
            f"{file} lacks its partner {sample}_{absent}.idat, plain or .gz. A beta value needs "
            "both colours: put the two files side by side."
        )
    return files["grn"], files["red"]


_MIN_SHARE_FOUND = 0.5

PathOrPaths = str | PathLike[str] | Sequence[str | PathLike[str]]


class IdatBetas(NamedTuple):
    """Beta values and the values that they were computed from, as tables of samples by probes."""

    betas: pd.DataFrame
    detection_p: pd.DataFrame
    n_beads: pd.DataFrame
    methylated: pd.DataFrame
    unmethylated: pd.DataFrame


_DTYPES = (np.float32, np.float32, np.uint8, np.float32, np.float32)


@overload
def read_idat(
    path: PathOrPaths,
    manifest: str | PathLike[str] | pd.DataFrame,
    *,
    dye_bias: str | None = ...,
    background: str = ...,
    detection_p: float | None = ...,
    min_beads: int = ...,
    offset: float = ...,
    return_details: Literal[False] = ...,
) -> pd.DataFrame: ...


@overload
def read_idat(
    path: PathOrPaths,
    manifest: str | PathLike[str] | pd.DataFrame,
    *,
    dye_bias: str | None = ...,
    background: str = ...,
    detection_p: float | None = ...,
    min_beads: int = ...,
    offset: float = ...,
    return_details: Literal[True],
) -> IdatBetas: ...


@validate_params(
    {
        "path": [str, PathLike, list, tuple],
        "manifest": [str, PathLike, pd.DataFrame],
        "dye_bias": [StrOptions({"quantiles", "controls"}), None],
        "background": [StrOptions({"oob", "negative"})],
        "detection_p": [Interval(Real, 0, 1, closed="both"), None],
        "min_beads": [Interval(Integral, 0, 255, closed="both")],
        "offset": [Interval(Real, 0, None, closed="left")],
        "return_details": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def read_idat(
    path: PathOrPaths,
    manifest: str | PathLike[str] | pd.DataFrame,
    *,
    dye_bias: str | None = "quantiles",
    background: str = "oob",
    detection_p: float | None = 0.05,
    min_beads: int = 3,
    offset: float = 100.0,
    return_details: bool = False,
) -> pd.DataFrame | IdatBetas:
    """Read beta values from pairs of IDAT files.

    Each sample has two files, one for each colour, whose names end in ``_Grn.idat`` and
    ``_Red.idat``, possibly followed by ``.gz``. The values of a sample depend only on its own
    files.

    Parameters
    ----------
    path : path-like or list of path-like
        A folder, which is searched together with its subfolders; or a basename such as
        ``data/4207113116_A``; or one of the two files; or a list of these.
    manifest : path-like or DataFrame
        Manifest of the array, in a form that :func:`read_bead_manifest` accepts. Manifests are not
        downloaded automatically.
    dye_bias : {"quantiles", "controls"} or None, default="quantiles"
        Method that makes red and green equally bright. "quantiles" maps the intensities of both to
        the mean of the quantiles of Infinium I probes in red and in green [1]_; it assumes that
        both groups have the same distribution. "controls" multiplies red by the ratio of the mean
        NORM_C and NORM_G controls in green to the mean NORM_A and NORM_T ones in red [2]_, which
        must be in the manifest. None leaves the intensities as they are; so does an array without
        Infinium II probes (27K), where the two signals of a probe share their colour.
    background : {"oob", "negative"}, default="oob"
        Background against which detection p-values are computed. With "oob" the background of each
        colour is the intensities of Infinium I probes that are read in the other colour [1]_: with
        S(x) the fraction of these that are at least as bright as x, one more bead type counted in
        numerator and denominator, and s the smaller of S(methylated) and S(unmethylated), p = 1 -
        (1 - s)², the chance that the brighter of two background signals is as bright. (SeSAMe's
        pOOBAH reports the fraction that is brighter than x, and s itself, so p is twice as large
        here.) With "negative" the sum of both signals is compared with a normal distribution whose
        mean and variance are those of the sum of two NEGATIVE controls, estimated by their median
        and median absolute deviation.
    detection_p : float or None, default=0.05
        Values with a larger detection p-value are set to NaN; None keeps all values.
    min_beads : int, default=3
        Values whose signals come from fewer beads than this are set to NaN.
    offset : float, default=100.0
        Number that is added to the sum of both intensities: beta = M / (M + U + offset).
    return_details : bool, default=False
        Whether to return p-values, bead counts and intensities as well.

    Returns
    -------
    DataFrame or IdatBetas
        Beta values as float32, from 0 to 1, of shape (n_samples, n_probes). Rows are named like the
        files without ``_Grn.idat``, columns are named by the probes, in the order of the manifest;
        controls are left out. With `return_details`, a named tuple of such tables: ``betas``;
        ``detection_p``, NaN for probes with a bead type that the files lack, and everywhere if
        `detection_p` is None; ``n_beads``, the smaller number of beads of the two signals;
        ``methylated`` and ``unmethylated``, intensities after the correction of the dye bias.

    Raises
    ------
    DataFormatError
        If a file is damaged or lacks its partner, or if the manifest belongs to another array.

    See Also
    --------
    read_idat_intensities : Reads the content of one file.
    omitrans.preprocessing.ArrayHarmonizer : Align the probes to those that a model reads.

    Notes
    -----
    Infinium I probes have two bead types that are read in one colour; Infinium II probes have one
    that shows methylated DNA in green and unmethylated DNA in red. The probes of 27K arrays are all
    of the first kind. No background is subtracted, and no probe is masked for its sequence: see
    :class:`omitrans.preprocessing.ProbeFilter` for the latter. An Infinium I probe whose colour the
    manifest does not state is NaN, and so is a probe with a bead type that either file lacks.

    The result takes 4 bytes per sample and probe, or 17 bytes with details. In addition, one sample
    at a time is in memory.

    References
    ----------
    .. [1] Zhou, Triche, Laird & Shen (2018). SeSAMe: reducing artifactual detection of DNA
       methylation by Infinium BeadChips in genomic deletions. Nucleic Acids Research 46:e123.
    .. [2] Fortin, Triche & Hansen (2017). Preprocessing, normalization and integration of the
       Illumina HumanMethylationEPIC array with minfi. Bioinformatics 33:558-560.

    Examples
    --------
    >>> from omitrans.io import read_idat
    >>> betas = read_idat("idat_folder", "HumanMethylation450_15017482_v1-2.csv")  # doctest: +SKIP
    >>> betas.shape  # doctest: +SKIP
    (96, 485577)
    """
    pairs = find_idat_pairs(path)
    probes = read_bead_manifest(manifest)
    columns = probes.index[probes["control"].isna()]
    dtypes = _DTYPES if return_details else _DTYPES[:1]
    tables = [np.empty((len(pairs), len(columns)), dtype) for dtype in dtypes]
    measured = None if detection_p is None else background
    address, design = np.empty(0), None
    for row, files in enumerate(pairs.values()):
        found, means, n_beads = _read_colours(files)
        if design is None or not np.array_equal(found, address):
            address, design = found, _design(probes, found, files[GREEN])
        try:
            sample = _measure(means, n_beads, design, dye_bias, measured)
        except DataFormatError as error:
            raise DataFormatError(f"{files[GREEN]} and its partner: {error}") from None
        betas = _betas(*sample, detection_p, min_beads, offset)
        for table, values in zip(tables, (betas, *sample), strict=False):
            table[row] = values
    index = pd.Index(pairs, name="sample")
    frames = [pd.DataFrame(table, index, columns, copy=False) for table in tables]
    return IdatBetas(*frames) if return_details else frames[0]


def _measure(
    means: np.ndarray,
    n_beads: np.ndarray,
    design: ArrayDesign,
    dye_bias: str | None,
    background: str | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return detection p-values, bead counts, methylated and unmethylated intensities."""
    absent = (design.m_at < 0) | (design.u_at < 0)
    method = None if design.two_beads.all() else dye_bias
    corrected = correction_tables(means, design, method).astype(np.float32)
    p = np.full(len(absent), np.nan, np.float32)
    if background is not None:
        p = detection_p_values(means, design, background)
    signals, counts = [], []
    for colour, at in ((design.m_colour, design.m_at), (design.u_colour, design.u_at)):
        signals.append(np.where(absent, np.float32(np.nan), corrected[colour, means[colour, at]]))
        counts.append(np.where(absent, np.uint8(0), n_beads[colour, at]))
    return p, np.minimum(*counts), signals[0], signals[1]


def _betas(
    p: np.ndarray,
    n_beads: np.ndarray,
    methylated: np.ndarray,
    unmethylated: np.ndarray,
    detection_p: float | None,
    min_beads: int,
    offset: float,
) -> np.ndarray:
    """Return beta values; NaN where there are too few beads or the signal is too weak."""
    total = methylated + unmethylated + np.float32(offset)
    hidden = n_beads < min_beads
    if detection_p is not None:
        hidden |= p > detection_p
    betas = np.full_like(total, np.nan)
    return np.divide(methylated, total, out=betas, where=~hidden & (total > 0))


def _read_colours(files: tuple[Path, Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the addresses that both colours have, and their means and bead counts, green first."""
    green, red = (read_idat_intensities(file) for file in files)
    for name in ("barcode", "position"):
        first, second = getattr(green, name), getattr(red, name)
        if first and second and first != second:
            raise DataFormatError(
                f"{files[GREEN]} and {files[RED]} come from different arrays: the {name} in them "
                f"is {first!r} and {second!r}. Was one of them renamed? Put pairs together again."
            )
    if not np.array_equal(green.address, red.address):
        green, red = _shared(green, red), _shared(red, green)
    means = np.stack([green.mean, red.mean])
    return green.address, means, np.stack([green.n_beads, red.n_beads])


def _shared(one: IdatIntensities, other: IdatIntensities) -> IdatIntensities:
    """Return the bead types of one file that the other file has as well."""
    kept = np.isin(one.address, other.address, assume_unique=True)
    return one._replace(
        address=one.address[kept],
        mean=one.mean[kept],
        sd=one.sd[kept],
        n_beads=one.n_beads[kept],
    )


def _design(probes: pd.DataFrame, address: np.ndarray, file: Path) -> ArrayDesign:
    """Return the positions of the bead types of each probe among the addresses of the files."""
    m_at, u_at = _positions(probes["M"], address), _positions(probes["U"], address)
    share = (u_at >= 0).mean()
    if share < _MIN_SHARE_FOUND:
        raise DataFormatError(
            f"{file} and its partner hold {share:.0%} of the addresses of the manifest, which "
            "seems to be that of another array. Give the manifest of the array that was scanned: "
            f"the files have {len(address)} bead types, the manifest has {len(probes)} probes."
        )
    two_beads = probes["M"].notna().to_numpy()
    colour = np.where(probes["col"].eq("R").fillna(False).to_numpy(bool), RED, GREEN)
    unknown = probes["col"].isna().to_numpy()
    m_at[unknown], u_at[unknown] = -1, -1
    is_probe = probes["control"].isna().to_numpy()
    controls = {
        str(kind): u_at[places][u_at[places] >= 0]
        for kind, places in probes.groupby("control", observed=True).indices.items()
    }
    return ArrayDesign(
        m_at=np.where(two_beads, m_at, u_at)[is_probe],
        u_at=u_at[is_probe],
        m_colour=np.where(two_beads, colour, GREEN)[is_probe],
        u_colour=np.where(two_beads, colour, RED)[is_probe],
        two_beads=two_beads[is_probe],
        controls=controls,
    )


def _positions(wanted: pd.Series, address: np.ndarray) -> np.ndarray:
    """Return the position of each address among the sorted addresses; -1 if it is absent."""
    values = wanted.to_numpy(np.int32, na_value=-1)
    places = np.searchsorted(address, values)
    places[places == len(address)] = 0
    return np.where(address[places] == values, places, -1) if len(address) else places - 1
