import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from omitrans.model_selection import PatientGroupKFold, PublishedSplit, leak_report

TRAIN = ["TCGA-A1-0001-01A", "TCGA-A1-0002-01A", "TCGA-A1-0002-11A", "TCGA-A1-0003-01A"]
TEST = ["TCGA-A1-0004-01A", "TCGA-A1-0002-06A", "TCGA-A1-0001-11A"]


def test_patients_on_both_sides_are_named():
    report = leak_report(TRAIN, TEST)

    assert report.to_dict("records") == [
        {
            "fold": 0,
            "patient": "TCGA-A1-0001",
            "n_train": 1,
            "n_test": 1,
            "train_samples": ("TCGA-A1-0001-01A",),
            "test_samples": ("TCGA-A1-0001-11A",),
        },
        {
            "fold": 0,
            "patient": "TCGA-A1-0002",
            "n_train": 2,
            "n_test": 1,
            "train_samples": ("TCGA-A1-0002-01A", "TCGA-A1-0002-11A"),
            "test_samples": ("TCGA-A1-0002-06A",),
        },
    ]


def test_tables_stand_for_their_samples():
    X_train, X_test = (pd.DataFrame({"cg1": 0.5}, index=ids) for ids in (TRAIN, TEST))

    pd.testing.assert_frame_equal(leak_report(X_train, X_test), leak_report(TRAIN, TEST))


def test_no_leak_is_an_empty_report():
    report = leak_report(TRAIN[:1], TEST[:1])

    assert len(report) == 0
    assert list(report.columns) == list(leak_report(TRAIN, TEST).columns)


@pytest.mark.parametrize("as_table", [False, True])
def test_splitters(as_table):
    ids = TRAIN + TEST
    samples = pd.DataFrame({"cg1": 0.5}, index=ids) if as_table else ids

    by_id = leak_report(samples, cv=PublishedSplit(TEST))
    pd.testing.assert_frame_equal(by_id, leak_report(TRAIN, TEST))
    assert len(leak_report(samples, cv=PatientGroupKFold(3))) == 0
    torn = leak_report(samples, cv=KFold(7))
    # each sample is tested alone: that of patient 3 and that of patient 4 are no leaks
    assert torn["fold"].tolist() == [0, 1, 2, 5, 6]
    assert torn["n_test"].sum() == 5


@pytest.mark.parametrize("kind", [dict, pd.Series, list])
def test_own_groups(kind):
    ids = ["a", "b", "c", "d"]
    patients = {"a": "p1", "b": "p2", "c": "p1", "d": "p3"}
    groups = list(patients.values()) if kind is list else kind(patients)

    report = leak_report(ids, cv=[(np.array([0, 1]), np.array([2, 3]))], groups=groups)

    assert report["patient"].tolist() == ["p1"]
    assert report["test_samples"].tolist() == [("c",)]


def test_unusable_input_is_refused():
    with pytest.raises(ValueError, match="either test_samples or cv"):
        leak_report(TRAIN)
    with pytest.raises(ValueError, match="either test_samples or cv"):
        leak_report(TRAIN, TEST, cv=3)
    with pytest.raises(ValueError, match="do not look like TCGA"):
        leak_report(["a"], ["b"])
    with pytest.raises(ValueError, match=r"groups lacks 1 of 2 sample ids \(first: 'b'\)"):
        leak_report(["a"], ["b"], groups={"a": "p1"})
    with pytest.raises(ValueError, match="groups has 1 values for 2 samples"):
        leak_report(["a", "b"], cv=2, groups=["p1"])
