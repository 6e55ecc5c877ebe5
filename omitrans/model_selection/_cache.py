"""Finished folds on disk, found again by what went into them."""

import hashlib
import os
import pickle
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import sklearn
from sklearn.base import clone

import omitrans
from omitrans.model_selection._fold import FoldOutcome

# What cannot be pickled, and so not be recognised: lambdas, local functions, open files.
_NO_HASH = (pickle.PicklingError, AttributeError, TypeError)


class FoldCache:
    """Outcomes of folds in a folder, one file each.

    A file's name is a digest of the model's parameters, the tables with their names, the rows of
    the split, the scorers, and the versions of the packages that compute. Files hold numbers only
    and are replaced in one move, so that each is whole.

    Parameters
    ----------
    directory : str or pathlib.Path
        The folder; made when the first outcome is written.
    X, Y : array-like, DataFrame or Series
        All samples.
    scorers : dict or None
        Scorers beside the report.
    keep_prediction : bool
        Whether outcomes hold predictions.
    """

    def __init__(
        self,
        directory: str | Path,
        X: Any,
        Y: Any,
        scorers: Mapping[str, Any] | None,
        keep_prediction: bool,
    ) -> None:
        self.directory = Path(directory)
        if self.directory.exists() and not self.directory.is_dir():
            raise NotADirectoryError(
                f"cache_dir={str(directory)!r} is a file. Name a folder, which may be new."
            )
        scorer_part = _digest(dict(scorers) if scorers else None, "scorers")
        self._common = [
            joblib.hash((X, Y)),
            scorer_part,
            str(keep_prediction),
            omitrans.__version__,
            sklearn.__version__,
            np.__version__,
            _torch_version(),
        ]

    def path(self, name: str, model: Any, train: np.ndarray, test: np.ndarray) -> Path:
        """Return the file of a fold.

        Parameters
        ----------
        name : str
            The model's name, for messages.
        model : estimator
            Only its class and parameters count.
        train, test : ndarray of int
            Rows.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ValueError
            If a parameter cannot be recognised when it comes again.
        """
        parts = [*self._common, _describe(name, model), joblib.hash((train, test))]
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return self.directory / f"{digest[:32]}.npz"


def read_outcome(path: Path) -> FoldOutcome | None:
    """Return a stored outcome; None if there is none, or, with a warning, a damaged one.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    FoldOutcome or None
        The outcome.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            names, values = stored["names"].tolist(), stored["values"].tolist()
            prediction = stored.get("prediction")
            return FoldOutcome(dict(zip(names, values, strict=True)), prediction=prediction)
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for a damaged file
        warnings.warn(
            f"The stored fold {str(path)!r} is damaged ({error}) and is computed again.",
            stacklevel=2,
        )
        return None


def write_outcome(path: Path, outcome: FoldOutcome) -> str | None:
    """Store an outcome; return what went wrong, if anything.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    outcome : FoldOutcome
        What to store. Failures are not stored, so that they are tried again.

    Returns
    -------
    str or None
        The message of an error, such as a full disk: the comparison goes on without storing.
    """
    if outcome.error is not None:
        return None
    arrays: dict[str, Any] = {
        "names": np.array(list(outcome.metrics)),
        "values": np.array(list(outcome.metrics.values()), dtype=np.float64),
    }
    if outcome.prediction is not None:
        arrays["prediction"] = outcome.prediction
    # several processes may write the same fold
    partial = path.with_name(f"{path.stem}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.savez(file, **arrays)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        return f"{type(error).__name__}: {error}"
    return None


def _describe(name: str, model: Any) -> str:
    """Return a digest of a model's class and parameters."""
    model = clone(model)
    try:
        return joblib.hash(model)
    except _NO_HASH:
        params = model.get_params()
        for parameter, value in sorted(params.items(), key=lambda item: -item[0].count("__")):
            _digest(value, f"models[{name!r}].{parameter}")
        raise


def _digest(value: Any, label: str) -> str:
    try:
        return joblib.hash(value)
    except _NO_HASH as error:
        raise ValueError(
            f"{label}={value!r} cannot be recognised when it comes again, as cache_dir "
            "needs. Use a function defined in a module instead of a lambda or a local one, or "
            "leave cache_dir out."
        ) from error


def _torch_version() -> str:
    torch = sys.modules.get("torch")
    return "" if torch is None else torch.__version__
