"""The patient of a sample, read from its id, and folds that keep patients together."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.model_selection import GroupKFold

from omitrans.utils._sklearn import StrOptions, validate_params


def _id_pattern(*fields: str) -> re.Pattern[str]:
    """Return a pattern for the fields that name a patient; "." and lower case are allowed."""
    return re.compile("[-.]".join(fields) + r"(?=[-.]|$)", re.IGNORECASE)


# name of the format -> (pattern of the patient, an example)
_FORMATS = {
    "tcga": (_id_pattern("TCGA", "[A-Z0-9]{2}", "[A-Z0-9]{4}"), "TCGA-A1-A0SB-01A"),
    "target": (_id_pattern("TARGET", "[0-9]{2}", "[A-Z0-9]+"), "TARGET-20-PABLDZ-09A"),
    "gtex": (_id_pattern("GTEX", "[A-Z0-9]+"), "GTEX-1117F-0226-SM-5GZZ7"),
}
ID_FORMATS = tuple(_FORMATS)

IdFormat = str | Callable[[str], Any]


@validate_params(
    {"sample_ids": ["array-like"], "id_format": [StrOptions(set(_FORMATS)), callable]},
    prefer_skip_nested_validation=True,
)
def patient_of(sample_ids: Iterable[str], *, id_format: IdFormat = "tcga") -> np.ndarray:
    """Return the patient or donor of each sample, read from its id.

    Parameters
    ----------
    sample_ids : array-like of str of shape (n_samples,)
        Sample ids, such as the index of a DataFrame.
    id_format : {"tcga", "target", "gtex"} or callable, default="tcga"
        "tcga" takes the first 12 characters of a barcode ("TCGA-A1-A0SB" of "TCGA-A1-A0SB-01A"),
        "target" the first three fields ("TARGET-20-PABLDZ" of "TARGET-20-PABLDZ-09A"), "gtex" the
        first two ("GTEX-1117F" of "GTEX-1117F-0226-SM-5GZZ7"). Ids in lower case or with dots, as R
        writes them, are also accepted. A function gets one id and returns its patient.

    Returns
    -------
    ndarray of shape (n_samples,)
        Patient of each sample, in upper case and with hyphens.

    Raises
    ------
    ValueError
        If an id does not have the format.

    See Also
    --------
    PatientGroupKFold : Makes folds by patient.

    Examples
    --------
    >>> from omitrans.model_selection import patient_of
    >>> patient_of(["TCGA-A1-A0SB-01A", "TCGA-A1-A0SB-11A"])
    array(['TCGA-A1-A0SB', 'TCGA-A1-A0SB'], dtype=object)
    """
    ids = list(sample_ids)
    if callable(id_format):
        return np.array([id_format(one) for one in ids], dtype=object)
    pattern, example = _FORMATS[id_format]
    found = [pattern.match(str(one)) for one in ids]
    strange = [one for one, match in zip(ids, found, strict=True) if match is None]
    if strange:
        raise ValueError(
            f"{len(strange)} of {len(ids)} sample ids do not look like {example} (first: "
            f"{strange[0]!r}), so their patients are not known. Give groups=, or a function that "
            "returns the patient of an id as id_format."
        )
    return np.array([_written_alike(match) for match in found if match], dtype=object)


def patients_in_ids(sample_ids: Iterable[Any]) -> np.ndarray | None:
    """Return the patient of each sample, whatever the format of its id.

    Parameters
    ----------
    sample_ids : iterable of length n_samples
        Sample ids.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        Patient of each sample; the id itself if it names no patient. None if no id names a patient.
    """
    ids = list(sample_ids)
    found = [_read_any_format(one) for one in ids]
    if not any(found):
        return None
    return np.array(
        [patient or str(one) for patient, one in zip(found, ids, strict=True)], dtype=object
    )


def _read_any_format(sample_id: Any) -> str | None:
    """Return the patient that an id names in one of the known formats."""
    for pattern, _ in _FORMATS.values():
        match = pattern.match(sample_id) if isinstance(sample_id, str) else None
        if match is not None:
            return _written_alike(match)
    return None


def _written_alike(match: re.Match[str]) -> str:
    return match.group().upper().replace(".", "-")


def patients_of_table(X: Any, id_format: IdFormat) -> np.ndarray:
    """Return the patient of each row of a DataFrame.

    Parameters
    ----------
    X : DataFrame or Series
        Table indexed by sample ids.
    id_format : str or callable
        Format of the sample ids; see :func:`patient_of`.

    Returns
    -------
    ndarray of shape (n_samples,)
        Patient of each sample.
    """
    if not isinstance(X, pd.DataFrame | pd.Series):
        raise TypeError(
            f"Patients are read from the index of X, but X is {type(X).__name__}, which has none. "
            "Give X as a DataFrame indexed by sample ids, or give groups=."
        )
    return patient_of(X.index, id_format=id_format)


class PatientGroupKFold(GroupKFold):
    """Split into folds that keep all samples of a patient on one side.

    Patients are read from the sample ids, which are the index of X. If `groups` are passed to
    ``split``, to :func:`~omitrans.comparison.compare_models` or to
    :func:`~sklearn.model_selection.cross_validate`, they are used instead of the ids.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        Whether patients are distributed to the folds at random. By default they are distributed
        so that the folds are of equal size.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffling.
    id_format : {"tcga", "target", "gtex"} or callable, default="tcga"
        Format of the sample ids, from which the patient is read; see :func:`patient_of`.

    See Also
    --------
    patient_of : Returns the patient of each sample.
    sklearn.model_selection.LeaveOneGroupOut : With ``groups`` of cancer types, leaves each out.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.model_selection import PatientGroupKFold
    >>> ids = ["TCGA-A1-A0SB-01A", "TCGA-A1-A0SD-01A", "TCGA-A1-A0SB-11A", "TCGA-A1-A0SE-01A"]
    >>> X = pd.DataFrame({"cg1": [0.1, 0.2, 0.3, 0.4]}, index=ids)
    >>> for train, test in PatientGroupKFold(n_splits=2).split(X):
    ...     print(list(X.index[test]))
    ['TCGA-A1-A0SB-01A', 'TCGA-A1-A0SB-11A']
    ['TCGA-A1-A0SD-01A', 'TCGA-A1-A0SE-01A']
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool = False,
        random_state: Any = None,
        id_format: IdFormat = "tcga",
    ) -> None:
        super().__init__(n_splits, shuffle=shuffle, random_state=random_state)
        self.id_format = id_format

    def split(
        self, X: Any, y: Any = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the row numbers of training and test samples of each fold.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Samples as rows, indexed by their ids. With `groups`, any table.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            Patient of each sample, to be used instead of the patient in the id.

        Yields
        ------
        train : ndarray of int
            Row numbers of the training samples.
        test : ndarray of int
            Row numbers of the test samples.

        Raises
        ------
        TypeError
            If X has no index and there are no `groups`.
        ValueError
            If an id does not have the format, or there are fewer patients than folds.
        """
        if groups is None:
            groups = patients_of_table(X, self.id_format)
        yield from super().split(X, y, groups)
