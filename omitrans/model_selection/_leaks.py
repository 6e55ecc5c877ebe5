"""Find patients on both sides of a split."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import check_cv

from omitrans.model_selection._patients import IdFormat, patient_of

_COLUMNS = ["fold", "patient", "n_train", "n_test", "train_samples", "test_samples"]


def leak_report(
    samples: Any,
    test_samples: Any = None,
    *,
    cv: Any = None,
    groups: Any = None,
    id_format: IdFormat = "tcga",
) -> pd.DataFrame:
    """Report the patients that have samples on both sides of a split.

    Call it with the ids of the training and of the test samples, or with all samples and a
    splitter.

    Parameters
    ----------
    samples : DataFrame, Series or sequence of str
        Ids of the training samples, or a table indexed by these ids. With `cv`, all samples.
    test_samples : DataFrame, Series or sequence of str, default=None
        Ids of the test samples, or a table indexed by these ids.
    cv : int, splitter or iterable, default=None
        Splitter of `samples`, which replaces `test_samples`. An int means folds of neighbouring
        rows. A splitter also receives `groups`.
    groups : Series or dict, default=None
        Patient of each sample id, to be used instead of the patient in the id. With `cv` it may be
        an array-like in the order of `samples`.
    id_format : {"tcga", "target", "gtex"} or callable, default="tcga"
        Format of the sample ids, from which the patient is read; see :func:`patient_of`.

    Returns
    -------
    DataFrame
        One row for each fold and each patient that leaks in it. ``fold`` is 0 without `cv`;
        ``n_train`` and ``n_test`` are the numbers of samples of the patient on each side;
        ``train_samples`` and ``test_samples`` are tuples of their ids. A table without rows means
        that there is no leak.

    Raises
    ------
    ValueError
        If neither or both of `test_samples` and `cv` are given, or if the patient of a sample is
        not known.

    See Also
    --------
    PatientGroupKFold : Makes folds without leaks.

    Notes
    -----
    ``report["n_test"].sum()`` is the number of test samples that share a patient with a training
    sample.

    Examples
    --------
    >>> from omitrans.model_selection import leak_report
    >>> train = ["TCGA-A1-A0SB-01A", "TCGA-A1-A0SD-01A"]
    >>> report = leak_report(train, ["TCGA-A1-A0SB-11A", "TCGA-A1-A0SE-01A"])
    >>> report[["patient", "n_train", "n_test"]]
            patient  n_train  n_test
    0  TCGA-A1-A0SB        1       1
    """
    if (test_samples is None) == (cv is None):
        raise ValueError("Give either test_samples or cv, so that there are two sides to compare.")
    ids = _ids(samples)
    if cv is None:
        n_train = len(ids)
        ids = ids.append(_ids(test_samples))
        splits = [(np.arange(n_train), np.arange(n_train, len(ids)))]
        patients = _patients(ids, groups, id_format)
    else:
        patients = _patients(ids, groups, id_format)
        table = samples if isinstance(samples, pd.DataFrame) else pd.DataFrame(index=ids)
        splits = check_cv(cv).split(table, groups=None if groups is None else patients)
    rows = [
        (fold, *row)
        for fold, (train, test) in enumerate(splits)
        for row in _shared(ids, patients, train, test)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _ids(samples: Any) -> pd.Index:
    """Return the ids of a table, or of a sequence of ids."""
    if isinstance(samples, pd.DataFrame):
        return samples.index
    return pd.Index(list(samples), dtype=object)


def _patients(ids: pd.Index, groups: Any, id_format: IdFormat) -> np.ndarray:
    """Return the patient of each id."""
    if groups is None:
        return patient_of(ids, id_format=id_format)
    if not isinstance(groups, dict | pd.Series):
        if len(groups) != len(ids):
            raise ValueError(
                f"groups has {len(groups)} values for {len(ids)} samples. Give one for each, in "
                "their order, or a Series indexed by sample ids."
            )
        return np.asarray(groups, dtype=object)
    lookup = dict(groups)
    unknown = [one for one in ids if one not in lookup]
    if unknown:
        raise ValueError(
            f"groups lacks {len(unknown)} of {len(ids)} sample ids (first: {unknown[0]!r})."
        )
    return np.array([lookup[one] for one in ids], dtype=object)


def _shared(
    ids: pd.Index, patients: np.ndarray, train: np.ndarray, test: np.ndarray
) -> list[tuple[Any, int, int, tuple[Any, ...], tuple[Any, ...]]]:
    """Return a row with numbers and ids of samples for each patient on both sides."""
    in_train, in_test = (
        pd.Series(ids[rows]).groupby(patients[rows]).agg(tuple) for rows in (train, test)
    )
    both = in_train.index.intersection(in_test.index).sort_values()
    return [
        (one, len(in_train[one]), len(in_test[one]), in_train[one], in_test[one]) for one in both
    ]
