import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_validate

from omitrans.comparison import compare_models
from omitrans.model_selection import MissingRateSplit


@pytest.fixture(name="X")
def source(rng):
    return rng.uniform(size=(43, 5))


def test_shares_and_draws(X):
    cv = MissingRateSplit(random_state=0)
    splits = list(cv.split(X))

    assert len(splits) == cv.get_n_splits() == len(cv.labels) == 25
    for (train, test), label in zip(splits, cv.labels.itertuples(), strict=True):
        assert len(test) == int(43 * label.missing_rate)
        assert sorted([*train, *test]) == list(range(43))
    assert cv.labels["draw"].tolist() == [0, 1, 2, 3, 4] * 5
    assert cv.labels["missing_rate"].is_monotonic_increasing


def test_draws_differ_and_a_seed_repeats_them(X):
    cv = MissingRateSplit((0.5,), random_state=0)
    first, again = (list(cv.split(X)) for _ in range(2))

    assert len({tuple(sorted(test)) for _, test in first}) == 5
    for one, other in zip(first, again, strict=True):
        assert_array_equal(one[0], other[0])
        assert_array_equal(one[1], other[1])


def test_every_sample_has_the_same_chance(X):
    cv = MissingRateSplit((0.3,), n_draws=2000, random_state=0)
    counts = np.bincount(np.concatenate([test for _, test in cv.split(X)]), minlength=43)

    share = counts / 2000
    expected = int(43 * 0.3) / 43
    assert np.abs(share - expected).max() < 5 * np.sqrt(expected * (1 - expected) / 2000)


def test_groups_stay_on_one_side(X):
    groups = np.array([f"patient{i % 17}" for i in range(43)])
    for rate in (0.1, 0.5, 0.9):
        for train, test in MissingRateSplit((rate,), random_state=0).split(X, groups=groups):
            assert not set(groups[train]) & set(groups[test])
            assert int(43 * rate) - 3 < len(test) <= int(43 * rate)
            assert len(train) + len(test) == 43


def test_results_can_be_read_by_rate(rng, X):
    Y = X @ rng.normal(size=(5, 4)) + 0.1 * rng.normal(size=(43, 4))
    cv = MissingRateSplit((0.1, 0.5), n_draws=2, random_state=0)

    results = compare_models({"mean": DummyRegressor(), "ridge": Ridge(0.1)}, X, Y, cv=cv).results

    mse = results[results["metric"] == "mse"].join(cv.labels, on="fold")
    table = mse.pivot_table(index="missing_rate", columns="model", values="value")
    assert table.index.tolist() == [0.1, 0.5]
    assert (table["ridge"] < table["mean"]).all()
    assert len(cross_validate(Ridge(), X, Y, cv=cv)["test_score"]) == 4


def test_frames_are_split_by_rows(X):
    splits = list(MissingRateSplit((0.5,), n_draws=1, random_state=0).split(pd.DataFrame(X)))

    assert [len(side) for side in splits[0]] == [22, 21]


@pytest.mark.parametrize(
    ("parameters", "n_samples", "message"),
    [
        ({"missing_rates": (0.1, 1.0)}, 20, "between 0 and 1"),
        ({"missing_rates": ()}, 20, "between 0 and 1"),
        ({"n_draws": 0}, 20, "n_draws must be an int of at least 1"),
        ({"random_state": 0}, 9, r"0\.1 leaves no test samples of 9"),
    ],
)
def test_unusable_parameters_are_refused(parameters, n_samples, message):
    with pytest.raises(ValueError, match=message):
        list(MissingRateSplit(**parameters).split(np.zeros((n_samples, 2))))


def test_it_says_what_it_is():
    assert repr(MissingRateSplit((0.5,))).startswith("MissingRateSplit(missing_rates=(0.5,)")
