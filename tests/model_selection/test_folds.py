"""Which samples belong together, and the folds that respect it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, ShuffleSplit

from omitrans.exceptions import PatientGroupsWarning, SampleMismatchError
from omitrans.model_selection._folds import grouped_holdout, make_folds, sample_groups


def table(ids):
    return pd.DataFrame({"cg1": np.arange(len(ids), dtype=float)}, index=ids)


# --- which samples belong together ---


@pytest.mark.parametrize(
    ("ids", "patients"),
    [
        (["TCGA-A1-A0SB", "TCGA-A1-A0SB-01A-11R-A144-07"], ["TCGA-A1-A0SB"] * 2),
        (["TCGA-A1-A0SB-01A", "TCGA.A1.A0SB.11A"], ["TCGA-A1-A0SB"] * 2),
        (["tcga-a1-a0sb-01a", "TCGA-A1-A0SB-11A"], ["TCGA-A1-A0SB"] * 2),
        (["tcga.a1.a0sb.01", "tcga.a1.a0sb.11"], ["TCGA-A1-A0SB"] * 2),
        (["TARGET-20-PABLDZ-09A", "TARGET-20-PABLDZ-14A"], ["TARGET-20-PABLDZ"] * 2),
        (["GTEX-1117F-0226-SM-5GZZ7", "GTEX.1117F.0426.SM"], ["GTEX-1117F"] * 2),
    ],
)
def test_patients_are_read_from_the_ids(ids, patients):
    others = ["TCGA-A1-A0SD-01A", "mine-7"]
    with pytest.warns(PatientGroupsWarning, match=r"4 samples come from 3 patients.*groups=None"):
        groups = sample_groups(table(ids + others))
    assert groups.tolist() == [*patients, "TCGA-A1-A0SD", "mine-7"]


@pytest.mark.parametrize(
    "X",
    [
        table(["TCGA-A1-A0SB-01A", "TCGA-A1-A0SD-01A"]),
        table(["patient1_a", "patient1_b"]),
        table([0, 1]),
        table(["TCGA-A1-A0SBX-01A", "TCGA-A1-A0SBX-11A"]),
        table(["TCGA-A1-A0SB-01A", "TCGA-A1-A0SB-11A"]).to_numpy(),
        [[0.0], [1.0]],
    ],
    ids=["no patient twice", "other ids", "numbers", "no barcode", "array", "list"],
)
def test_without_a_patient_twice_nothing_is_grouped_or_said(X):
    assert sample_groups(X) is None


def test_the_warning_names_the_line_of_the_user():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sample_groups(table(["TCGA-A1-A0SB-01A", "TCGA-A1-A0SB-11A"]))
    assert [one.filename for one in caught] == [__file__]


def test_none_switches_grouping_off():
    assert sample_groups(table(["TCGA-A1-A0SB-01A", "TCGA-A1-A0SB-11A"]), None) is None


@pytest.mark.parametrize("form", [list, np.array, pd.Series, pd.Categorical])
def test_groups_that_are_given_go_first(form):
    X = table(["TCGA-A1-A0SB-01A", "TCGA-A1-A0SB-11A"]).to_numpy()
    assert sample_groups(X, form(["a", "b"])).tolist() == ["a", "b"]


def test_groups_of_other_samples_are_refused():
    X = table(["s1", "s2"])
    with pytest.raises(SampleMismatchError, match="X and groups hold the same samples in another"):
        sample_groups(X, pd.Series(["a", "b"], index=["s2", "s1"]))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["a"], r"shape \(1,\) for 2 samples"),
        ([["a"], ["b"]], r"shape \(2, 1\) for 2 samples"),
        (["a", None], "1 of 2 samples have no group"),
        ([np.nan, "b"], "1 of 2 samples have no group"),
        ("patient", "must be 'auto', None or one value for each sample. Got 'patient'"),
    ],
)
def test_unusable_groups(groups, message):
    with pytest.raises(ValueError, match=message):
        sample_groups(table(["s1", "s2"]), groups)


# --- folds ---

X = np.zeros((20, 2))
GROUPS = np.repeat(np.arange(10), 2)


def assert_same_folds(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        assert_array_equal(ours[0], theirs[0])
        assert_array_equal(ours[1], theirs[1])


@pytest.mark.parametrize(
    ("groups", "shuffle", "oracle"),
    [
        (None, True, KFold(4, shuffle=True, random_state=3)),
        (GROUPS, True, GroupKFold(4, shuffle=True, random_state=3)),
        (None, False, KFold(4)),
        (GROUPS, False, GroupKFold(4)),
    ],
)
def test_a_number_makes_folds_of_scikit_learn(groups, shuffle, oracle):
    found = make_folds(4, X, None, groups, 3, shuffle=shuffle)
    assert_same_folds(found, oracle.split(X, groups=groups))


def test_splitters_and_iterables_are_taken_as_they_are():
    expected = list(GroupKFold(3).split(X, groups=GROUPS))
    assert_same_folds(make_folds(GroupKFold(3), X, None, GROUPS), expected)
    assert_same_folds(make_folds(iter(expected), X, None, GROUPS), expected)
    assert len(make_folds(LeaveOneGroupOut(), X, None, GROUPS)) == 10


@pytest.mark.parametrize(
    "cv", [KFold(5, shuffle=True, random_state=0), [(np.arange(0, 19), np.arange(19, 20))]]
)
def test_folds_that_tear_a_group_apart_are_refused(cv):
    message = r"Fold 0 has \d groups in both.*first: .*GroupKFold as cv.*groups=None"
    with pytest.raises(ValueError, match=message):
        make_folds(cv, X, None, GROUPS, each_once=False)


def test_folds_that_happen_to_respect_groups_pass_in_silence():
    assert len(make_folds(KFold(5), X, None, GROUPS)) == 5


@pytest.mark.parametrize(
    "cv", [ShuffleSplit(3, random_state=0), [(np.arange(10), np.arange(10, 20))]]
)
def test_every_sample_is_held_out_once(cv):
    with pytest.raises(ValueError, match="each of the 20 samples out once"):
        make_folds(cv, X, None, None)
    assert make_folds(cv, X, None, None, each_once=False)


def test_fewer_groups_than_folds():
    with pytest.raises(ValueError, match=r"cv=11 needs at least 11 groups.*there are 10\."):
        make_folds(11, X, None, GROUPS)


# --- rows to stop training by ---


def shuffled(n):
    return np.random.default_rng(n).permutation(n)


@pytest.mark.parametrize("n_samples", [2, 7, 100])
@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("of_one_sample_each", [False, True])
def test_without_groups_the_first_of_the_permutation_are_held_out(
    n_samples, fraction, of_one_sample_each
):
    order = shuffled(n_samples)
    n_valid = min(n_samples - 1, int(np.ceil(fraction * n_samples)))
    groups = np.arange(n_samples)[::-1] if of_one_sample_each else None
    train, valid = grouped_holdout(n_samples, fraction, groups, shuffled)
    assert_array_equal(valid, order[:n_valid])
    assert_array_equal(train, order[n_valid:])


@pytest.mark.parametrize("seed", range(20))
def test_whole_groups_are_held_out_near_the_fraction(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(40, size=200)  # about five samples each
    groups[:60] = -1  # one group of many
    train, valid = grouped_holdout(200, 0.1, groups, rng.permutation)
    assert_array_equal(np.sort(np.concatenate([train, valid])), np.arange(200))
    assert not set(groups[train]) & set(groups[valid])
    assert abs(len(valid) - 20) <= 3


@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.99])
def test_each_side_has_a_group(fraction):
    groups = np.array([0] * 9 + [1] * 3)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        train, valid = grouped_holdout(12, fraction, groups, rng.permutation)
        assert {len(train), len(valid)} == {3, 9}
    assert fraction > 0.1 or len(valid) == 3


def test_a_single_group_cannot_be_split():
    with pytest.raises(ValueError, match=r"are of one group.*early_stopping=False"):
        grouped_holdout(5, 0.2, np.zeros(5), shuffled)


def test_the_permutation_is_the_only_source_of_randomness():
    asked = []

    def permutation(n):
        asked.append(n)
        return np.arange(n)

    train, valid = grouped_holdout(20, 0.1, GROUPS, permutation)
    assert asked == [10]
    assert_array_equal(valid, [0, 1])
    assert_array_equal(train, np.arange(2, 20))
