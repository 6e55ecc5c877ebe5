"""Save a fitted model as one file and load it again."""

import os
import platform
import warnings
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from omitrans.exceptions import ModelFileError
from omitrans.persistence._classes import class_name
from omitrans.persistence._codecs import CODECS
from omitrans.persistence._container import open_file, write_file
from omitrans.persistence._encode import Decoder, Encoder
from omitrans.persistence._header import FORMAT, KIND, check_header
from omitrans.persistence._limits import Limits
from omitrans.utils._sklearn import validate_params
from omitrans.utils._untrusted import from_untrusted_file
from omitrans.utils._versions import PACKAGES, installed_version
from omitrans.utils._wrapped import find_attribute


@validate_params(
    {"model": [BaseEstimator], "path": [str, os.PathLike]}, prefer_skip_nested_validation=True
)
def save(model: BaseEstimator, path: str | os.PathLike[str]) -> None:
    """Save a model to one file that holds data only, never code.

    The file is a zip of JSON, a safetensors file and checksums. It replaces an existing file only
    when the new file is complete: a full disk or Ctrl-C leaves the old file unchanged.

    Parameters
    ----------
    model : estimator
        An estimator of omitrans or scikit-learn, or a Pipeline of them, fitted or not.
    path : str or path-like
        Path of the file to write. The ending ``.omitrans`` is recommended, but not required.

    Raises
    ------
    ModelFileError
        If a part of the model is not data (a function, your own class, a compiled tree); the
        message names the attribute, and nothing is written.
    OSError
        If the file cannot be written to the disk.

    See Also
    --------
    load : Reads the file.
    read_summary : Reads a summary of a file without loading the model.

    Notes
    -----
    Pickle and joblib can save any model, but their files may execute code: load them only if you
    trust the author.

    Paths are not stored, because they are of no use on another machine: `memory` of a Pipeline,
    `checkpoint_dir`, and `pretrained` if it is a path, are None in the loaded model.

    While it is written, the file takes twice its size on the disk. Loading unpacks the arrays to
    the folder of temporary files (environment variable ``TMPDIR``) while they are read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.linear_model import Ridge
    >>> import omitrans
    >>> model = Ridge().fit([[0.1], [0.5], [0.9]], [3.0, 2.0, 1.0])
    >>> with TemporaryDirectory() as folder:
    ...     omitrans.save(model, Path(folder) / "ridge.omitrans")
    ...     again = omitrans.load(Path(folder) / "ridge.omitrans")
    >>> bool(again.predict([[0.3]]) == model.predict([[0.3]]))
    True
    """
    encoder = Encoder(CODECS)
    try:
        tree = encoder.encode(model, type(model).__name__)
    except ModelFileError as error:
        if hasattr(model, "best_estimator_"):
            raise ModelFileError(f"{error} Or save its best_estimator_ alone.") from None
        raise
    except RecursionError:
        raise ModelFileError(
            f"{type(model).__name__} holds a list or dict that contains itself, or is nested too "
            "deeply; save it with joblib.dump."
        ) from None
    document = {
        "kind": KIND,
        "format": FORMAT,
        "versions": _versions(),
        "summary": _summary(model),
        "model": tree,
    }
    write_file(Path(path), document, encoder.arrays)


@validate_params({"path": [str, os.PathLike]}, prefer_skip_nested_validation=True)
def load(path: str | os.PathLike[str]) -> Any:
    """Load a model that :func:`save` wrote; nothing in the file is executed.

    Parameters
    ----------
    path : str or path-like
        Path of the model file.

    Returns
    -------
    estimator
        Loaded model; it predicts exactly as before it was saved.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    OSError
        If the file cannot be read, or the folder of temporary files has no space for its arrays.
    ModelFileError
        If the file is of another kind, truncated or altered, written by a newer omitrans, names a
        class that is not a public estimator of omitrans or scikit-learn, or asks for more memory
        than a file of its size needs.

    Warns
    -----
    UserWarning
        If the file was written with another version of scikit-learn.

    See Also
    --------
    save : Writes the file; its page has an example.
    """
    with open_file(Path(path)) as file:
        document = check_header(file.read_document())
        decoder = Decoder(CODECS, file.read_arrays(), Limits(file.size))
        with from_untrusted_file():
            model = decoder.decode(document["model"])
        if not isinstance(model, BaseEstimator):
            raise ModelFileError(f"it holds a {type(model).__name__}, not an estimator")
        if decoder.arrays:
            raise ModelFileError(f"it holds arrays without a place: {sorted(decoder.arrays)[:3]}")
    _warn_of_other_version(document)
    return model


@validate_params({"path": [str, os.PathLike]}, prefer_skip_nested_validation=True)
def read_summary(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a summary of a model file, without loading the model or its arrays.

    Parameters
    ----------
    path : str or path-like
        Path of a file that :func:`save` wrote.

    Returns
    -------
    dict
        ``format`` (int); ``class``; ``n_features_in``, ``n_feature_names`` and ``target_names``
        (None where the model has none); ``versions``, a dict of the versions of the packages that
        wrote it.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    OSError
        If the file cannot be read, or the folder of temporary files has no space for its arrays.
    ModelFileError
        If the file is of another kind, truncated or written by a newer omitrans.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.linear_model import Ridge
    >>> from omitrans.persistence import read_summary, save
    >>> with TemporaryDirectory() as folder:
    ...     save(Ridge().fit([[0.1], [0.9]], [3.0, 1.0]), Path(folder) / "ridge.omitrans")
    ...     summary = read_summary(Path(folder) / "ridge.omitrans")
    >>> summary["class"], summary["n_features_in"]
    ('sklearn.linear_model.Ridge', 1)
    """
    with open_file(Path(path)) as file:
        document = check_header(file.read_document())
        return {
            "format": document["format"],
            **document["summary"],
            "versions": document["versions"],
        }


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in (*PACKAGES, "scipy"):
        versions[package] = installed_version(package) or "unknown"
    return versions


def _summary(model: Any) -> dict[str, Any]:
    names = getattr(model, "feature_names_in_", None)
    n_features = getattr(model, "n_features_in_", None)
    targets = find_attribute(model, "target_names_", of_targets=True)
    return {
        "class": class_name(type(model)),
        "n_features_in": None if n_features is None else int(n_features),
        "n_feature_names": None if names is None else len(names),
        "target_names": None if targets is None else [str(name) for name in targets],
    }


def _warn_of_other_version(document: dict[str, Any]) -> None:
    wrote, reads = document["versions"]["scikit-learn"], installed_version("scikit-learn")
    if wrote != reads:
        warnings.warn(
            f"The model was saved with scikit-learn {wrote} and is loaded with {reads}; it may "
            f"fail or predict otherwise. Install scikit-learn=={wrote}, or fit it anew.",
            UserWarning,
            stacklevel=4,
        )
