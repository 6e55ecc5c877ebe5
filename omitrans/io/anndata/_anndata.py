"""Read and write tables in AnnData (.h5ad) and MuData (.h5mu) files."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_numeric_dtype

from omitrans.exceptions import DataFormatError, FeatureMismatchError, SampleMismatchError
from omitrans.io.anndata._hdf5 import open_hdf5, read_obs, read_table, say_what_it_is
from omitrans.utils._files import replacing
from omitrans.utils._optional import import_optional
from omitrans.utils._sklearn import StrOptions, validate_params
from omitrans.utils._validation import _some, check_unique

WRITE = "write AnnData and MuData files"


def to_anndata(
    frame: pd.DataFrame,
    name: str,
    *,
    obs: pd.DataFrame | None,
    var: pd.DataFrame | None,
    unit: str | None,
) -> Any:
    """Return an AnnData object that holds the values of a DataFrame."""
    anndata = import_optional("anndata", extra="anndata", purpose=WRITE)
    samples = _text_ids(frame.index, f"{name} (its index of samples)", f"{name}.index")
    features = _text_ids(frame.columns, f"{name} (its columns)", f"{name}.columns")
    unit = frame.attrs.get("unit") if unit is None else unit
    values = _to_float32(frame, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hints of the library to its own callers: here, us
        return anndata.AnnData(
            X=values,
            obs=describe(obs, samples, "obs", "samples"),
            var=describe(var, features, "var", "features"),
            uns={} if unit is None else {"unit": str(unit)},
        )


def _to_float32(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return the values as float32; raise an error unless all columns hold numbers that fit."""
    for dtype in frame.dtypes.unique():  # columns may be many
        if not is_numeric_dtype(dtype) or dtype.kind == "c":
            column = frame.columns[int(np.argmax(frame.dtypes == dtype))]
            raise TypeError(
                f"{name} must hold numbers; its column {column!r} is of type {dtype}. Put what "
                "describes samples into obs."
            )
    try:
        with np.errstate(over="raise", invalid="ignore"):  # R's NA is a NaN that signals
            return frame.to_numpy(dtype=np.float32, na_value=np.nan)
    except FloatingPointError as error:
        raise ValueError(
            f"{name} holds numbers beyond float32 (3.4e38). Mark them as missing, or scale them."
        ) from error


def _text_ids(ids: pd.Index, what: str, where: str) -> pd.Index:
    """Return the ids; raise an error unless they are text and unique."""
    odd = [value for value in ids if not isinstance(value, str)]
    if odd:
        raise TypeError(
            f"{what} must hold text ids; got {odd[0]!r}. If these are the names: "
            f"{where} = {where}.astype(str)."
        )
    check_unique(ids, what=what, cure="Keep one each, or give them names of their own.")
    return ids.astype(object)


def describe(table: pd.DataFrame | None, ids: pd.Index, name: str, kind: str) -> pd.DataFrame:
    """Return the rows of `obs` or `var` for `ids`, in types that the file format supports."""
    if table is None:
        return pd.DataFrame(index=ids)
    check_unique(table.index, what=f"{name} (its index of {kind})", cure="Keep one row each.")
    absent = ids.difference(table.index)
    if len(absent):
        error = SampleMismatchError if kind == "samples" else FeatureMismatchError
        raise error(
            f"{name} lacks {len(absent)} of {len(ids)} {kind} ({_some(absent)}). Index it by the "
            f"ids: {name}.set_index(...)."
        )
    table = table.loc[ids].rename(columns=str)
    storable = {column: _storable(table[column], name) for column in table}
    index = ids.rename(None) if ids.name in storable else ids
    return pd.DataFrame(storable, index=table.index).set_axis(index)


def _storable(column: pd.Series, name: str) -> pd.Series:
    """Return a column of `obs` or `var` in a type that the file format supports."""
    if isinstance(column.dtype, pd.StringDtype):
        column = column.astype(object).where(column.notna())
    if column.dtype != object:
        if is_numeric_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype):
            return column
    else:
        kind = infer_dtype(column, skipna=True)
        if kind == "empty":
            return column.astype(float)
        if kind == "string":
            return column.astype("category") if column.hasnans else column
        if kind == "boolean":
            return column.astype("boolean")
    raise TypeError(
        f"The column {column.name!r} of {name} is of type {column.dtype} and cannot be stored as "
        f"it is. Make it text or numbers: {name}[{column.name!r}].astype(str)."
    )


@contextmanager
def written_whole(path: str | PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path to write to, and move the file to `path` once it is complete."""
    # AnnData and MuData look at the suffix, which the temporary name has too
    with replacing(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hints of the libraries to their own callers: here, us
        yield temporary


_PATH = [str, PathLike]
_COMPRESSION = [StrOptions({"gzip", "lzf"}), None]


@validate_params(
    {"path": _PATH, "layer": [str, None], "obs": ["boolean"], "unit": [str, None]},
    prefer_skip_nested_validation=True,
)
def read_h5ad(
    path: str | PathLike[str],
    *,
    layer: str | None = None,
    obs: bool = False,
    unit: str | None = None,
) -> Any:
    """Read the matrix of an AnnData file.

    Only the requested matrix is read: other layers, embeddings and graphs cost neither time nor
    memory.

    Parameters
    ----------
    path : path-like
        Path of the .h5ad file.
    layer : str or None, default=None
        Name of the layer to read; None reads ``X``.
    obs : bool, default=False
        Whether to return the table of samples as well.
    unit : str or None, default=None
        Unit that the values must have, such as "beta" or "log2(FPKM + 1)". It is compared with the
        unit that :func:`write_h5ad` stored for ``X`` in ``uns["unit"]``; a file (or layer) without
        a stored unit is assumed to have the unit given here.

    Returns
    -------
    DataFrame of shape (n_samples, n_features)
        Values as float32 with samples as rows; a sparse matrix is converted to a dense one. Its
        ``attrs["unit"]`` holds the unit, if it is known.
    DataFrame
        Table of the samples, in the same order; returned only if `obs` is True.

    Raises
    ------
    DataFormatError
        If the file is damaged, is not an AnnData file, lacks the requested part or has another
        unit.
    SampleMismatchError
        If a sample occurs more than once.
    FeatureMismatchError
        If a feature occurs more than once.

    See Also
    --------
    write_h5ad : Writes such a file.
    read_h5mu : Reads MuData files.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from omitrans.io import read_h5ad, write_h5ad
    >>> betas = pd.DataFrame({"cg01": [0.1, 0.7], "cg02": [0.5, 0.4]}, index=["s1", "s2"])
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "betas.h5ad")
    ...     write_h5ad(betas, path, unit="beta")
    ...     read_h5ad(path, unit="beta")
        cg01  cg02
    s1   0.1   0.5
    s2   0.7   0.4
    """
    with open_hdf5(path) as file:
        if "mod" in file and "X" not in file:
            raise DataFormatError(
                f"{path} is a MuData file of {_some(file['mod'])}. Read it with "
                "omitrans.io.read_h5mu."
            )
        table = read_table(file, path, layer=layer, unit=unit)
        return (table, read_obs(file, table.index)) if obs else table


@validate_params(
    {
        "path": _PATH,
        "modalities": [str, "array-like", None],
        "units": [Mapping, None],
    },
    prefer_skip_nested_validation=True,
)
def read_h5mu(
    path: str | PathLike[str],
    modalities: str | Sequence[str] | None = None,
    *,
    units: Mapping[str, str] | None = None,
) -> dict[str, pd.DataFrame]:
    """Read the matrices of a MuData file.

    Parameters
    ----------
    path : path-like
        Path of the .h5mu file.
    modalities : str, list of str or None, default=None
        Names of the modalities to read, such as ``["methylation", "expression"]``; None reads all.
    units : mapping of str to str or None, default=None
        Unit that each modality must have; see `unit` of :func:`read_h5ad`.

    Returns
    -------
    dict of str to DataFrame
        One table per modality, with float32 values and samples as rows. The modalities may hold
        different samples: keep the shared samples before you fit a model.

    Raises
    ------
    DataFormatError
        If the file is damaged, is not a MuData file, lacks a modality or has another unit.

    See Also
    --------
    write_h5mu : Writes such a file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from omitrans.io import read_h5mu, write_h5mu
    >>> X = pd.DataFrame({"cg01": [0.1, 0.7]}, index=["s1", "s2"])
    >>> Y = pd.DataFrame({"TP53": [3.0]}, index=["s2"])
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "cohort.h5mu")
    ...     write_h5mu({"methylation": X, "expression": Y}, path)
    ...     tables = read_h5mu(path)
    >>> tables["expression"]
        TP53
    s2   3.0
    """
    units = dict(units or {})
    with open_hdf5(path) as file:
        if "mod" not in file:
            raise DataFormatError(
                f"{path} is no MuData file: it holds no modalities. {say_what_it_is(file)}"
            )
        held = list(file["mod"])
        order = [str(name) for name in file["mod"].attrs.get("mod-order", held)]
        wanted = order if modalities is None else np.atleast_1d(modalities).tolist()
        for name in [*wanted, *units]:
            if name not in held:
                raise DataFormatError(
                    f"{path} holds no modality {name!r}. It holds: {', '.join(order)}."
                )
        return {
            name: read_table(file["mod"][name], f"{path} ({name})", unit=units.get(name))
            for name in wanted
        }


@validate_params(
    {
        "frame": [pd.DataFrame],
        "path": _PATH,
        "obs": [pd.DataFrame, None],
        "var": [pd.DataFrame, None],
        "unit": [str, None],
        "compression": _COMPRESSION,
    },
    prefer_skip_nested_validation=True,
)
def write_h5ad(
    frame: pd.DataFrame,
    path: str | PathLike[str],
    *,
    obs: pd.DataFrame | None = None,
    var: pd.DataFrame | None = None,
    unit: str | None = None,
    compression: str | None = None,
) -> None:
    """Write a table to an AnnData file.

    The file gets its final name only when it is complete. If writing fails or is stopped, an older
    file of this name stays unchanged.

    Parameters
    ----------
    frame : DataFrame of shape (n_samples, n_features)
        Numbers with samples as rows; they are written as float32. NaN is allowed.
    path : path-like
        Path of the .h5ad file to write.
    obs : DataFrame or None, default=None
        Table that describes the samples, indexed by their ids. It may hold more samples, in any
        order. Text is stored as categories.
    var : DataFrame or None, default=None
        Table that describes the features, for example a gene table indexed by ``gene_id``.
    unit : str or None, default=None
        Unit of the values, stored in ``uns["unit"]``. None takes ``frame.attrs["unit"]`` if that is
        set.
    compression : {"gzip", "lzf"} or None, default=None
        Compression method. It makes files smaller and writing slower; methylation betas shrink
        little.

    Raises
    ------
    SampleMismatchError
        If `frame` holds a sample more than once, or `obs` lacks a sample.
    FeatureMismatchError
        If `frame` holds a feature more than once.
    OSError
        If the file cannot be written.

    See Also
    --------
    read_h5ad : Reads such a file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from omitrans.io import read_h5ad, write_h5ad
    >>> expression = pd.DataFrame({"TP53": [3.5, 1.0]}, index=["s1", "s2"])
    >>> samples = pd.DataFrame({"age": [61, 48]}, index=["s1", "s2"])
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "expression.h5ad")
    ...     write_h5ad(expression, path, obs=samples, unit="log2(FPKM + 1)")
    ...     table, obs = read_h5ad(path, obs=True)
    >>> table.attrs["unit"], obs["age"].tolist()
    ('log2(FPKM + 1)', [61, 48])
    """
    import_optional("anndata", extra="anndata", purpose=WRITE)
    data = to_anndata(frame, "frame", obs=obs, var=var, unit=unit)
    with written_whole(path) as temporary:
        data.write_h5ad(temporary, compression=compression)


@validate_params(
    {
        "tables": [Mapping],
        "path": _PATH,
        "obs": [pd.DataFrame, None],
        "units": [Mapping, None],
        "compression": _COMPRESSION,
    },
    prefer_skip_nested_validation=True,
)
def write_h5mu(
    tables: Mapping[str, pd.DataFrame],
    path: str | PathLike[str],
    *,
    obs: pd.DataFrame | None = None,
    units: Mapping[str, str] | None = None,
    compression: str | None = None,
) -> None:
    """Write several tables to one MuData file, one modality per table.

    The file gets its final name only when it is complete. If writing fails or is stopped, an older
    file of this name stays unchanged.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables of numbers by name of the modality, with samples as rows; they are written as
        float32. NaN is allowed. The modalities may hold different samples.
    path : path-like
        Path of the .h5mu file to write.
    obs : DataFrame or None, default=None
        Table that describes the samples, indexed by their ids; it must hold the samples of all
        modalities.
    units : mapping of str to str or None, default=None
        Unit of each modality; see `unit` of :func:`write_h5ad`.
    compression : {"gzip", "lzf"} or None, default=None
        Compression method.

    Raises
    ------
    SampleMismatchError
        If a table holds a sample more than once, or `obs` lacks a sample.
    FeatureMismatchError
        If a table holds a feature more than once.
    OSError
        If the file cannot be written.

    See Also
    --------
    read_h5mu : Reads such a file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from omitrans.io import read_h5mu, write_h5mu
    >>> X = pd.DataFrame({"cg01": [0.1, 0.7]}, index=["s1", "s2"])
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "cohort.h5mu")
    ...     write_h5mu({"methylation": X}, path, units={"methylation": "beta"})
    ...     list(read_h5mu(path))
    ['methylation']
    """
    mudata = import_optional("mudata", extra="anndata", purpose=WRITE)
    units = dict(units or {})
    _check_modalities(tables, units)
    parts = {
        name: to_anndata(table, name, obs=None, var=None, unit=units.get(name))
        for name, table in tables.items()
    }
    with written_whole(path) as temporary:
        data = mudata.MuData(parts)
        if obs is not None:
            described = describe(obs, data.obs_names, "obs", "samples")
            data.obs = described.set_axis(data.obs_names)
        data.write(temporary, compression=compression)


def _check_modalities(tables: Mapping[str, pd.DataFrame], units: Mapping[str, str]) -> None:
    if not tables:
        raise ValueError("tables is empty. Give at least one modality.")
    for name, table in tables.items():
        if not isinstance(name, str) or not name or "/" in name or name == ".":
            raise ValueError(
                f"A modality cannot be named {name!r}. Use a word, such as 'methylation'."
            )
        if not isinstance(table, pd.DataFrame):
            raise TypeError(f"tables[{name!r}] must be a DataFrame; got {type(table).__name__}.")
    unknown = [name for name in units if name not in tables]
    if unknown:
        raise ValueError(f"units names {unknown[0]!r}, and tables holds: {', '.join(tables)}.")
