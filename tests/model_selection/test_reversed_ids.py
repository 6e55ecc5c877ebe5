import numpy as np
import pytest

from omitrans.datasets import make_expression
from omitrans.model_selection import ReversedIdSplit


@pytest.mark.parametrize(("train_size", "test_size"), [(0.6, 0.2), (0.6, 0.25), (0.8, 0.2)])
def test_no_donor_is_divided(train_size, test_size):
    data = make_expression(400, 5, random_state=0)
    donors = data.samples["donor"].to_numpy()
    splitter = ReversedIdSplit(train_size, test_size)
    ((train, test),) = splitter.split(data.X, groups=donors)
    assert not set(donors[train]) & set(donors[test])
    largest = np.unique(donors, return_counts=True)[1].max()
    assert train_size * 400 - largest <= len(train) <= train_size * 400
    assert test_size * 400 - largest <= len(test) <= test_size * 400
    # in the order of reversed ids
    assert max(d[::-1] for d in donors[train]) < min(d[::-1] for d in donors[test])
    assert splitter.get_n_splits() == 1


def test_the_order_of_rows_does_not_matter():
    donors = np.array([f"GTEX-{i:04d}" for i in range(50)]).repeat(2)
    ((train, test),) = ReversedIdSplit().split(donors, groups=donors)
    order = np.random.default_rng(0).permutation(100)
    ((again, _),) = ReversedIdSplit().split(donors[order], groups=donors[order])
    assert set(donors[train]) == set(donors[order][again])
    assert len(test) == 20


def test_bad_input():
    donors = ["a", "a", "b"]
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(ReversedIdSplit().split(donors, groups=donors[:2]))
    with pytest.raises(ValueError, match="needs groups"):
        next(ReversedIdSplit().split(donors))
    with pytest.raises(ValueError, match="exceed 1 together"):
        next(ReversedIdSplit(0.9, 0.2).split(donors, groups=donors))
    with pytest.raises(ValueError, match="positive shares"):
        next(ReversedIdSplit(0.9, 0).split(donors, groups=donors))
    with pytest.raises(ValueError, match="too few"):
        next(ReversedIdSplit().split(donors, groups=donors))
