"""Validation samples of every class, with whole groups and without."""

import numpy as np
import pytest

from omitrans.model_selection._class_holdout import class_holdout


def hold_out(codes, fraction=0.2, groups=None, seed=0):
    random = np.random.RandomState(seed)
    train, valid = class_holdout(np.asarray(codes), fraction, groups, random)
    np.testing.assert_array_equal(np.sort(np.r_[train, valid]), np.arange(len(codes)))
    return train, valid


def test_each_class_gives_its_share():
    codes = np.repeat([0, 1, 2], [50, 20, 10])
    _, valid = hold_out(codes)
    assert np.bincount(codes[valid]).tolist() == [10, 4, 2]
    assert not np.array_equal(valid, hold_out(codes, seed=1)[1])


def test_groups_stay_whole():
    codes, groups = np.tile([0, 1], 40), np.repeat(np.arange(20), 4)
    train, valid = hold_out(codes, groups=groups)
    assert not set(groups[train]) & set(groups[valid])
    assert np.bincount(codes[valid]).tolist() == [8, 8]


def test_every_class_keeps_training_samples():
    """Also where one patient has all samples of a class, and a class has one sample."""
    codes, groups = np.r_[[0] * 20, [1] * 5, 2], np.r_[np.arange(20), [30] * 5, 31]
    for seed in range(20):
        train, _ = hold_out(codes, 0.5, groups, seed)
        assert set(codes[train]) == {0, 1, 2}


def test_one_sample_is_held_out_at_least():
    _, valid = hold_out([0, 0, 1], 0.1)
    assert len(valid) == 1
    assert valid[0] in (0, 1)


@pytest.mark.parametrize(("groups", "what"), [(None, "sample"), ([0, 0, 1], "group")])
def test_nothing_to_hold_out_is_said(groups, what):
    codes = [0, 1, 2] if groups is None else [0, 0, 1]
    with pytest.raises(ValueError, match=f"Every {what} is the only one of a class"):
        hold_out(codes, groups=groups)
