"""Hidden values: how many, which, and what stays as it was."""

import numpy as np
import pandas as pd
import pytest

from omitrans.datasets import hide_values
from omitrans.exceptions import FeatureMismatchError


@pytest.fixture
def frame(rng):
    X = pd.DataFrame(rng.normal(size=(80, 50)).astype(np.float32))
    X.columns = [f"gene{i}" for i in range(50)]
    X.insert(7, "tissue", ["Lung", "Liver"] * 40)
    X["age"] = 40
    return X


@pytest.mark.parametrize("mechanism", ["mcar", "block"])
def test_frames(frame, mechanism):
    before = frame.copy()
    holes, hidden = hide_values(
        frame, 0.3, mechanism=mechanism, exclude=["tissue", "age"], random_state=0
    )
    pd.testing.assert_frame_equal(frame, before)
    assert list(holes.columns) == list(frame.columns)
    assert holes["gene0"].dtype == np.float32
    pd.testing.assert_frame_equal(holes[["tissue", "age"]], frame[["tissue", "age"]])
    genes = hidden.columns
    pd.testing.assert_frame_equal(holes[genes].isna(), hidden)
    pd.testing.assert_frame_equal(holes[genes], frame[genes].mask(hidden))
    assert abs(hidden.to_numpy().mean() - 0.3) < 0.03


def test_blocks_lack_the_same_genes_in_all_their_samples(frame):
    _, hidden = hide_values(
        frame, 0.3, mechanism="block", exclude=["tissue", "age"], n_blocks=5, random_state=0
    )
    patterns, counts = np.unique(hidden.to_numpy(), axis=0, return_counts=True)
    assert (patterns.sum(axis=1) == 15).all()
    assert list(counts) == [16] * 5


def test_what_is_missing_already_is_not_hidden(frame):
    frame.iloc[:40, 0] = np.nan
    holes, hidden = hide_values(frame, 0.5, exclude=["tissue", "age"], random_state=0)
    assert not hidden["gene0"][:40].any()
    assert holes["gene0"][:40].isna().all()


def test_arrays_and_integers():
    counts = np.arange(200).reshape(20, 10)
    holes, hidden = hide_values(counts, 0.5, random_state=0)
    assert holes.dtype == np.float64
    np.testing.assert_array_equal(holes[~hidden], counts[~hidden])
    single = counts.astype(np.float32)
    assert hide_values(single, 0.5, random_state=0)[0].dtype == np.float32
    assert hide_values(counts.astype(np.int16), 0.5, random_state=0)[0].dtype == np.float64


@pytest.mark.parametrize(
    ("given", "expected"), [("Int64", "float64"), ("Float32", "float32"), ("int8", "float64")]
)
def test_frames_of_other_numbers(given, expected):
    counts = pd.DataFrame(np.arange(40).reshape(10, 4)).astype(given)
    if given == "Int64":
        counts.iloc[0, 0] = pd.NA
    holes, hidden = hide_values(counts, 0.5, random_state=0)
    assert (holes.dtypes == expected).all()
    pd.testing.assert_frame_equal(holes, counts.astype(expected).mask(hidden))
    assert not counts.isna().to_numpy()[hidden].any()


@pytest.mark.parametrize(("rate", "n"), [(0.0, 0), (1.0, 200)])
def test_nothing_and_everything(rate, n):
    for mechanism in ("mcar", "block"):
        _, hidden = hide_values(np.ones((20, 10)), rate, mechanism=mechanism, random_state=0)
        assert hidden.sum() == n


def test_exclude_takes_arrays_and_indexes(frame):
    names = ["tissue", "age"]
    masks = [
        hide_values(frame, 0.5, exclude=exclude, random_state=0)[1]
        for exclude in (names, np.array(names), pd.Index(names))
    ]
    assert masks[0].equals(masks[1])
    assert masks[0].equals(masks[2])


def test_same_seed_same_mask(frame):
    options = {"exclude": ["tissue", "age"], "random_state": 3}
    assert hide_values(frame, 0.5, **options)[1].equals(hide_values(frame, 0.5, **options)[1])


def test_bad_input(frame):
    with pytest.raises(ValueError, match=r"not numeric \(first: tissue\)"):
        hide_values(frame, 0.5)
    with pytest.raises(ValueError, match="does not have: \\['sex'\\]"):
        hide_values(frame, 0.5, exclude="sex")
    with pytest.raises(FeatureMismatchError, match="duplicated ids"):
        hide_values(frame.rename(columns={"gene1": "gene0"}), 0.5, exclude=["tissue", "age"])
    with pytest.raises(ValueError, match="missing_rate"):
        hide_values(frame, 1.5)
    with pytest.raises(ValueError, match="X is an array"):
        hide_values(np.ones((2, 2)), 0.5, exclude=["a"])
