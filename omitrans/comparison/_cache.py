"""Finished fits on disk, found again by a digest of everything that went into them."""

import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.base import clone

import omitrans
from omitrans.comparison._outcome import Outcome
from omitrans.utils._files import replacing
from omitrans.utils._fingerprint import FingerprintError, fingerprint, recognised

_ARRAY = "array:"  # in front of the names of arrays that are kept beside the numbers


class OutcomeCache:
    """Cache that stores the outcome of each fit in its own file of one folder.

    A file's name is a digest of the model's parameters and the files that they name, the tables
    with their names, the options of the comparison, the split, and the versions of the packages
    that compute. Files hold numbers only and are replaced in one step, so that no file is ever half
    written.

    Parameters
    ----------
    directory : str or pathlib.Path
        Folder of the cache; it is made when the first outcome is written.
    tables : tuple of array-like, DataFrame or Series
        Tables with all samples.
    options : dict
        Other options of the comparison that decide the outcome of every fit.
    """

    def __init__(self, directory: str | Path, tables: Any, options: Mapping[str, Any]) -> None:
        self.directory = Path(directory)
        if self.directory.exists() and not self.directory.is_dir():
            raise NotADirectoryError(
                f"cache_dir={str(directory)!r} is a file. Name a folder, which may be new."
            )
        self._models: dict[str, str] = {}
        self._common = [
            fingerprint(tables),
            *(
                f"{name}={recognised(name, value, option='cache_dir')}"
                for name, value in options.items()
            ),
            omitrans.__version__,
            sklearn.__version__,
            np.__version__,
            _torch_version(),
        ]

    def path(self, name: str, model: Any, *split: Any) -> Path:
        """Return the path of the file that stores a fit.

        Parameters
        ----------
        name : str
            Name of the model, which stands for it in this comparison.
        model : estimator
            Model to fit; only its class and its parameters enter the digest.
        *split : object
            Rows, masks and everything else that distinguishes this fit from the others.

        Returns
        -------
        pathlib.Path
            Path of the file.

        Raises
        ------
        ValueError
            If a parameter cannot be recognised when it comes again.
        """
        if name not in self._models:  # once, and not for every fold
            self._models[name] = _describe(name, model)
        return self.directory / f"{fingerprint(self._common, self._models[name], split)}.npz"


def read_outcome(path: Path) -> Outcome | None:
    """Return a stored outcome; None if there is none, or, with a warning, a damaged one.

    Parameters
    ----------
    path : pathlib.Path
        Path of the file.

    Returns
    -------
    Outcome or None
        The stored outcome, or None.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            names, values = stored["names"].tolist(), stored["values"].tolist()
            arrays = {name[len(_ARRAY) :]: stored[name] for name in stored if _ARRAY in name}
            return Outcome(dict(zip(names, values, strict=True)), arrays=arrays)
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for a damaged file
        warnings.warn(
            f"The stored fold {str(path)!r} is damaged ({error}) and is computed again.",
            stacklevel=2,
        )
        return None


def write_outcome(path: Path, outcome: Outcome) -> str | None:
    """Store an outcome; return an error message if that failed.

    Parameters
    ----------
    path : pathlib.Path
        Path of the file.
    outcome : Outcome
        Outcome to store. Failures are not stored, so that they are tried again.

    Returns
    -------
    str or None
        Message of the error, such as a full disk, or None. The comparison goes on without storing.
    """
    if outcome.error is not None:
        return None
    arrays: dict[str, Any] = {
        "names": np.array(list(outcome.metrics)),
        "values": np.array(list(outcome.metrics.values()), dtype=np.float64),
    }
    arrays |= {f"{_ARRAY}{name}": array for name, array in outcome.arrays.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as unfinished:
            np.savez(unfinished, **arrays)
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return None


def _describe(name: str, model: Any) -> str:
    """Return a digest of a model's class and parameters."""
    model = clone(model)
    try:
        return fingerprint(model)
    except FingerprintError:
        params = model.get_params()
        for parameter, value in sorted(params.items(), key=lambda item: -item[0].count("__")):
            recognised(f"models[{name!r}].{parameter}", value, option="cache_dir")
        raise


def _torch_version() -> str:
    torch = sys.modules.get("torch")
    return "" if torch is None else torch.__version__
