"""A short name of everything that decides a result: tables, names, parameters, files."""

import functools
import hashlib
import inspect
import json
import math
import os
import pickle
import sys
from collections.abc import Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from numbers import Number
from pathlib import Path
from types import CodeType, FunctionType, NoneType
from typing import Any

import joblib
import numpy as np
import pandas as pd
from scipy import sparse

from omitrans.utils._blocks import row_blocks

_LONGEST_PATH = 4096
_N_THREADS = min(4, os.cpu_count() or 1)


class FingerprintError(ValueError):
    """A value cannot be recognised when it comes again, such as a lambda."""


def fingerprint(*values: Any) -> str:
    """Return a name that is the same for the same values, and another for others.

    Every number of a table counts, with its place, its dtype and the names of its row and column;
    the memory layout does not. Estimators count with their class, their parameters and what they
    learned, functions and classes with their code, and a text or path that names a file with the
    content of that file.

    Parameters
    ----------
    *values : object
        Tables, estimators, parameters, functions, and lists or dicts of such values.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    FingerprintError
        If a value is or holds one that cannot be recognised when it comes again: a lambda, a local
        function, or an object that cannot be pickled.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.utils._fingerprint import fingerprint
    >>> fingerprint(np.eye(3)) == fingerprint(np.asfortranarray(np.eye(3)))
    True
    >>> fingerprint(np.eye(3)) == fingerprint(np.eye(3)[::-1])
    False
    """
    digest = _new()
    _add(digest, values)
    return digest.hexdigest()


def recognised(label: str, value: Any, *, option: str) -> str:
    """Return the fingerprint of a value that a user gave, or an error that says which one it is.

    Parameters
    ----------
    label : str
        Name of the value, such as that of a parameter.
    value : object
        The value.
    option : str
        Name of the option for which the value must be recognised when it comes again.

    Returns
    -------
    str
        The fingerprint.

    Raises
    ------
    ValueError
        If the value cannot be recognised when it comes again.
    """
    try:
        return fingerprint(value)
    except FingerprintError as error:
        raise ValueError(
            f"{label}={value!r} cannot be recognised when it comes again, as {option} needs: "
            f"{error} A lambda, or what is defined inside a function, has no name to recognise it "
            f"by. Define it at the top of a module, or leave {option} out."
        ) from error


def _new(content: Any = b"") -> Any:
    return hashlib.blake2b(content, digest_size=16)


def _add(digest: Any, value: Any) -> None:
    """Add a value: its class, then what it holds, so that no two values are written alike."""
    if isinstance(value, np.generic) and not isinstance(value, np.void):
        value = value.item()
    digest.update(f"{type(value).__module__}.{type(value).__qualname__}:".encode())
    _add_content(value, digest)


def _add_all(digest: Any, values: Sequence[Any]) -> None:
    digest.update(f"{len(values)};".encode())
    for value in values:
        _add(digest, value)


@functools.singledispatch
def _add_content(value: Any, digest: Any) -> None:
    """Add what a value holds."""
    if hasattr(value, "get_params"):  # networks give their weights as arrays
        _add_all(digest, [type(value), value.__getstate__()])
        return
    if hasattr(value, "state_dict"):  # a torch module
        _add_all(digest, [type(value), dict(value.state_dict())])
        return
    try:
        if hasattr(value, "requires_grad"):  # a torch tensor, which pickles differently each time
            _add(digest, value.detach().cpu().numpy())
            return
        digest.update(joblib.hash(value).encode())
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise FingerprintError(f"{value!r} cannot be pickled ({error}).") from error


@_add_content.register(NoneType | Number | range | slice)
def _(value: Any, digest: Any) -> None:
    digest.update(f"{value!r};".encode())


@_add_content.register(str | os.PathLike)
def _(value: Any, digest: Any) -> None:
    content = str(value).encode("utf-8", "surrogatepass")
    digest.update(f"{len(content)};".encode() + content)
    # the content of the file that a text or path names, if there is one
    if len(content) < _LONGEST_PATH and _names_file(value):
        with Path(value).open("rb") as file:
            digest.update(hashlib.file_digest(file, _new).digest())


def _names_file(value: Any) -> bool:
    try:
        return Path(value).is_file()
    except (OSError, ValueError):  # no name that a file could have, or in a closed folder
        return False


@_add_content.register(bytes | bytearray)
def _(value: Any, digest: Any) -> None:
    digest.update(_new(value).digest())


@_add_content.register
def _(value: Mapping, digest: Any) -> None:
    items = sorted(value.items(), key=lambda item: _rank(item[0]))
    _add_all(digest, [part for item in items for part in item])


@_add_content.register
def _(value: Set, digest: Any) -> None:
    _add_all(digest, sorted(value, key=_rank))


def _rank(value: Any) -> tuple[str, str]:
    return str(type(value)), repr(value)


@_add_content.register
def _(value: Sequence, digest: Any) -> None:
    _add_all(digest, value)


@_add_content.register(sparse.sparray | sparse.spmatrix)
def _(value: Any, digest: Any) -> None:
    rows = value.tocsr()
    _add_all(digest, [value.shape, rows.data, rows.indices, rows.indptr])


@_add_content.register
def _(value: functools.partial, digest: Any) -> None:
    _add_all(digest, [value.func, value.args, value.keywords])


@_add_content.register(FunctionType | type)
def _(value: Any, digest: Any) -> None:
    name = f"{value.__module__}.{value.__qualname__};"
    if "<" in name:
        raise FingerprintError(f"{value!r} has no name by which it could be recognised.")
    digest.update(name.encode())
    _add_all(digest, _code_of(value))


def _code_of(value: Any) -> list[Any]:
    """Return what a function or class does, which a cell of a notebook may define anew."""
    if not isinstance(value, type):
        function = inspect.unwrap(value)
        return [function.__code__, function.__defaults__, function.__kwdefaults__]
    written = [base for base in value.__mro__ if base.__module__ not in sys.stdlib_module_names]
    return [
        function.__code__
        for base in written
        for _, function in sorted(vars(base).items())
        if isinstance(function, FunctionType)
    ]


@_add_content.register
def _(code: CodeType, digest: Any) -> None:
    _add_all(digest, [code.co_code, code.co_names, code.co_consts])


@_add_content.register
def _(values: np.ndarray, digest: Any) -> None:
    digest.update(f"{values.dtype.str}{values.shape};".encode())
    if values.dtype.hasobject:
        _add_objects(digest, values.ravel().tolist())
        return
    values = np.atleast_1d(values)
    blocks = list(row_blocks(len(values), math.prod(values.shape[1:])))

    def digest_of(rows: slice) -> bytes:
        block = np.ascontiguousarray(values[rows]).reshape(-1)
        return _new(block.view(np.uint8) if block.size else b"").digest()

    if len(blocks) == 1:
        digest.update(digest_of(blocks[0]))
        return
    with ThreadPoolExecutor(_N_THREADS) as pool:
        for part in pool.map(digest_of, blocks):
            digest.update(part)


def _add_objects(digest: Any, values: list[Any]) -> None:
    if all(type(value) is str for value in values):  # names, of which there may be a million
        digest.update(json.dumps(values).encode())
    else:
        _add_all(digest, values)


@_add_content.register
def _(value: pd.Index, digest: Any) -> None:
    _add_all(digest, [list(value.names), *_kind(value.dtype), value.to_numpy()])


@_add_content.register
def _(value: pd.Series, digest: Any) -> None:
    _add_all(digest, [value.index, value.name, *_kind(value.dtype), value.to_numpy()])


@_add_content.register
def _(value: pd.DataFrame, digest: Any) -> None:
    _add_all(digest, [value.index, value.columns])
    kinds = set(value.dtypes)
    if len(kinds) == 1 and isinstance(kinds.pop(), np.dtype):
        _add(digest, value.to_numpy())
        return
    for j, kind in enumerate(value.dtypes):
        _add_all(digest, [*_kind(kind), value.iloc[:, j].to_numpy()])


def _kind(dtype: Any) -> list[Any]:
    """Return what tells a dtype from others."""
    if isinstance(dtype, pd.CategoricalDtype):
        return [str(dtype), dtype.ordered, dtype.categories]
    return [str(dtype)]
