import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from omitrans.preprocessing import ReferenceQuantileNormalizer


@pytest.fixture(name="X")
def make_x(rng):
    return rng.random((12, 30))


def r_style(sample, target):
    """preprocessCore's normalize.quantiles.use.target for one complete sample, written out."""
    result = np.empty(len(sample))
    for i, value in enumerate(sample):
        rank = (sample < value).sum() + ((sample == value).sum() + 1) / 2  # from 1
        floor = int(np.floor(rank))
        if rank - floor > 0.4:
            result[i] = (target[floor - 1] + target[floor]) / 2
        else:
            result[i] = target[floor - 1]
    return result


def test_reference_is_the_mean_sorted_sample(X):
    normalizer = ReferenceQuantileNormalizer().fit(X)
    np.testing.assert_allclose(normalizer.reference_, np.sort(X, axis=1).mean(axis=0), rtol=1e-14)


def test_agrees_with_normalize_quantiles(X, rng):
    X[:, 3] = X[:, 7]  # ties of two
    X[2, 10:15] = 0.5  # and of five
    normalizer = ReferenceQuantileNormalizer().fit(X)
    expected = [r_style(sample, normalizer.reference_) for sample in X]
    np.testing.assert_allclose(normalizer.transform(X), expected, rtol=1e-14)


def test_worked_example_with_ties():
    # the table by which the method is commonly explained; samples are rows here
    X = np.array([[5.0, 2, 3, 4], [4, 1, 4, 2], [3, 4, 6, 8]])
    expected = np.array([[34, 12, 18, 28], [31, 12, 31, 18], [12, 18, 28, 34]]) / 6
    np.testing.assert_allclose(ReferenceQuantileNormalizer().fit_transform(X), expected)


def test_every_complete_sample_gets_the_reference_distribution(X, rng):
    normalizer = ReferenceQuantileNormalizer().fit(X)
    new = normalizer.transform(rng.normal(5, 3, size=(4, 30)))
    np.testing.assert_array_equal(np.sort(new, axis=1), np.tile(normalizer.reference_, (4, 1)))


def test_applied_twice_changes_nothing_more(X):
    normalizer = ReferenceQuantileNormalizer().fit(X)
    once = normalizer.transform(X)
    np.testing.assert_array_equal(normalizer.transform(once), once)
    np.testing.assert_array_equal(
        normalizer.transform(normalizer.reference_[np.newaxis]), [normalizer.reference_]
    )


def test_any_growing_function_of_a_sample_is_undone(X):
    normalizer = ReferenceQuantileNormalizer().fit(X)
    np.testing.assert_array_equal(normalizer.transform(np.exp(3 * X)), normalizer.transform(X))


samples = hnp.arrays(
    st.sampled_from([np.float32, np.float64]),
    (3, 9),
    elements=st.one_of(st.just(np.nan), st.floats(-4, 4, width=32)),
)


@settings(max_examples=60, deadline=None)
@given(samples, st.sampled_from([None, 2, 5, 40]))
def test_order_bounds_and_gaps_are_kept(new, n_quantiles):
    X = np.random.default_rng(0).random((5, 9))
    normalizer = ReferenceQuantileNormalizer(n_quantiles=n_quantiles).fit(X)
    result = normalizer.transform(new)
    assert result.dtype == new.dtype
    np.testing.assert_array_equal(np.isnan(result), np.isnan(new))
    low, high = normalizer.reference_[[0, -1]].astype(new.dtype)
    for before, after in zip(new, result, strict=True):
        known = ~np.isnan(before)
        before, after = before[known], after[known]
        assert ((after >= low) & (after <= high)).all()
        order = np.argsort(before, kind="stable")
        assert (np.diff(after[order]) >= 0).all()
        ties = before[order][1:] == before[order][:-1]
        assert (np.diff(after[order])[ties] == 0).all()


def test_gaps_spread_the_others_over_the_whole_reference(X):
    normalizer = ReferenceQuantileNormalizer().fit(X)
    new = np.full((1, 30), np.nan)
    new[0, [2, 9, 20]] = 3, 1, 2
    low, middle, high = np.quantile(normalizer.reference_, [0, 0.5, 1])
    np.testing.assert_allclose(normalizer.transform(new)[0, [2, 9, 20]], [high, low, middle])


def test_gaps_in_training_samples(X):
    X[0, 4:20] = np.nan
    expected = np.mean([np.nanquantile(sample, np.linspace(0, 1, 30)) for sample in X], axis=0)
    np.testing.assert_allclose(ReferenceQuantileNormalizer().fit(X).reference_, expected)


def test_a_single_value_gets_the_median(X):
    normalizer = ReferenceQuantileNormalizer().fit(X)
    new = np.full((1, 30), np.nan)
    new[0, 5] = 99
    assert normalizer.transform(new)[0, 5] == np.median(normalizer.reference_)


def test_fewer_quantiles_come_close(rng):
    X = rng.beta(0.5, 0.5, size=(20, 2_000))
    exact = ReferenceQuantileNormalizer().fit(X)
    coarse = ReferenceQuantileNormalizer(n_quantiles=200).fit(X)
    assert coarse.reference_.shape == (200,)
    assert np.abs(coarse.transform(X) - exact.transform(X)).max() < 0.01


@pytest.mark.parametrize("layout", ["C", "F"])
def test_a_sample_alone_is_as_in_company(X, layout):
    X[1, 4] = np.nan
    normalizer = ReferenceQuantileNormalizer().fit(X)
    X = np.asarray(X, order=layout)
    alone = np.concatenate([normalizer.transform(X[[i]]) for i in range(len(X))])
    np.testing.assert_array_equal(normalizer.transform(X), alone)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_frame_stays_a_frame(X, dtype):
    frame = pd.DataFrame(X.astype(dtype), [f"s{i}" for i in range(12)]).add_prefix("cg")
    normalizer = ReferenceQuantileNormalizer().fit(frame)
    result = normalizer.transform(frame)
    assert result.index.equals(frame.index)
    assert result.columns.equals(frame.columns)
    assert set(result.dtypes) == {np.dtype(dtype)}
    again = ReferenceQuantileNormalizer().fit_transform(X.astype(dtype))
    np.testing.assert_array_equal(result, again)
    assert list(normalizer.get_feature_names_out()) == list(frame.columns)


def test_input_is_left_alone(X):
    before = X.copy()
    ReferenceQuantileNormalizer().fit(X).transform(X)
    np.testing.assert_array_equal(X, before)


def test_a_sample_without_values(X):
    X[7] = np.nan
    with pytest.raises(ValueError, match="sample in row 7 of X has no value"):
        ReferenceQuantileNormalizer().fit(X)
    X[7] = 0.5
    normalizer = ReferenceQuantileNormalizer().fit(X)
    assert np.isnan(normalizer.transform(np.full((1, 30), np.nan))).all()


@pytest.mark.parametrize("n_quantiles", [1, 0.5, "all"])
def test_bad_number_of_quantiles(X, n_quantiles):
    with pytest.raises(ValueError, match="'n_quantiles' parameter"):
        ReferenceQuantileNormalizer(n_quantiles=n_quantiles).fit(X)
