"""Checks of the samples of a downstream report."""

import warnings
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import PatientGroupsWarning, SampleMismatchError
from omitrans.model_selection._patients import patients_in_ids
from omitrans.utils._callers import user_level
from omitrans.utils._validation import _some, check_paired_samples, check_unique


def check_ids(
    measured: pd.DataFrame,
    train_expression: pd.DataFrame,
    methylation: pd.DataFrame | None,
    train_methylation: pd.DataFrame | None,
    groups: Any,
) -> None:
    """Raise an error unless the tables of a kind hold the same samples, which the other kind lacks.

    Parameters
    ----------
    measured, train_expression : DataFrame
        Expression of the test and of the training samples.
    methylation, train_methylation : DataFrame or None
        Methylation of the same samples.
    groups : "auto", array-like of shape (n_test,) or None
        Group of each test sample.

    Raises
    ------
    SampleMismatchError
        If samples differ, are in another order or there twice, or if test samples are among the
        training samples.

    Warns
    -----
    PatientGroupsWarning
        If ids say that test samples are of patients with training samples.
    """
    _check_apart(measured, train_expression)
    if methylation is not None:
        check_paired_samples(measured, methylation, names=("measured", "methylation"))
    if train_methylation is not None:
        names = ("train_expression", "train_methylation")
        check_paired_samples(train_expression, train_methylation, names=names)
    _check_once(train_expression, "train_expression")
    if groups is None or isinstance(groups, str):
        return
    if len(groups) != len(measured):
        raise SampleMismatchError(
            f"groups holds {len(groups)} entries, and there are {len(measured)} test samples. Name "
            "the group of each."
        )
    check_paired_samples(measured, groups, names=("measured", "groups"))


def check_described(**tables: pd.DataFrame | pd.Series | None) -> None:
    """Raise an error if a table that describes samples holds one of them twice.

    Parameters
    ----------
    **tables : DataFrame, Series or None
        Tables by the name of the argument.

    Raises
    ------
    SampleMismatchError
        If an id is there twice.
    """
    for name, table in tables.items():
        if table is not None:
            _check_once(table, name)


def _check_once(table: pd.DataFrame | pd.Series, name: str) -> None:
    check_unique(
        table.index,
        what=f"{name} (its index of samples)",
        cure=f"Keep one row per sample, e.g. {name}[~{name}.index.duplicated()].",
    )


def _check_apart(measured: pd.DataFrame, train_expression: pd.DataFrame) -> None:
    both = measured.index.intersection(train_expression.index)
    if len(both):
        raise SampleMismatchError(
            f"{len(both)} test samples are among the training samples ({_some(both)}). Leave them "
            "out of one of measured and train_expression."
        )
    patients, known = (patients_in_ids(table.index) for table in (measured, train_expression))
    if patients is None or known is None:
        return
    repeated = np.isin(patients, known)
    if repeated.any():
        warnings.warn(
            f"{int(repeated.sum())} of {len(measured)} test samples are of patients with training "
            f"samples, as their ids say ({_some(pd.unique(patients[repeated]))}). Models and "
            "controls may know these patients, so that the results flatter them. Leave these "
            "samples out.",
            PatientGroupsWarning,
            stacklevel=user_level(),
        )
