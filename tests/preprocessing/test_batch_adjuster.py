import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from omitrans.exceptions import SampleMismatchError
from omitrans.preprocessing import BatchAdjuster


@pytest.fixture(name="X")
def make_x(rng):
    """Three batches of 15, 8 and 20 samples, each with a shift and a scale of its own a column."""
    n_features = 40
    X = rng.normal(size=(43, n_features)) * rng.uniform(0.5, 2, n_features) + rng.normal(
        size=n_features
    )
    start = 0
    for size in (15, 8, 20):
        X[start : start + size] *= rng.uniform(0.7, 1.5, n_features)
        X[start : start + size] += rng.normal(rng.normal(), 0.5, n_features)
        start += size
    return X


BATCH = np.repeat(["a", "b", "c"], [15, 8, 20])


def combat(X, batch):
    """Johnson, Li and Rabinovic (2007), section 3, parametric priors, column by column."""
    n, n_features = X.shape
    batches = np.unique(batch)
    alpha = sum((batch == i).sum() * X[batch == i].mean(axis=0) for i in batches) / n
    sigma = np.sqrt(
        sum(((X[batch == i] - X[batch == i].mean(axis=0)) ** 2).sum(axis=0) for i in batches) / n
    )
    Z = (X - alpha) / sigma
    result = np.empty_like(X)
    for i in batches:
        z = Z[batch == i]
        n_i = len(z)
        gamma_hat, delta_hat = z.mean(axis=0), z.var(axis=0, ddof=1)
        gamma_bar, tau2 = gamma_hat.mean(), gamma_hat.var(ddof=1)
        mean, s2 = delta_hat.mean(), delta_hat.var(ddof=1)
        lambda_bar, theta_bar = (mean**2 + 2 * s2) / s2, (mean**3 + mean * s2) / s2
        for g in range(n_features):
            gamma, delta = gamma_hat[g], delta_hat[g]
            for _ in range(200):
                gamma = (n_i * tau2 * gamma_hat[g] + delta * gamma_bar) / (n_i * tau2 + delta)
                delta = (theta_bar + 0.5 * ((z[:, g] - gamma) ** 2).sum()) / (
                    n_i / 2 + lambda_bar - 1
                )
            result[batch == i, g] = sigma[g] / np.sqrt(delta) * (z[:, g] - gamma) + alpha[g]
    return result


def test_agrees_with_combat(X):
    adjusted = BatchAdjuster().fit_transform(X, batch=BATCH)
    np.testing.assert_allclose(adjusted, combat(X, BATCH), rtol=1e-6, atol=1e-8)


def test_unshrunken_effects_are_the_moments(X):
    adjuster = BatchAdjuster(shrink=False).fit(X, batch=BATCH)
    for i, name in enumerate(adjuster.batches_):
        z = (X[name == BATCH] - adjuster.mean_) / adjuster.scale_
        np.testing.assert_allclose(adjuster.shifts_[i], z.mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(adjuster.scales_[i], z.std(axis=0, ddof=1))


def test_the_fewer_samples_the_more_shrinkage(X):
    ratios = []
    for n_samples in (3, 40):
        raw, shrunken = (
            BatchAdjuster(shrink=shrink).fit(X).adapt(X[:n_samples] + 1).shifts_[-1]
            for shrink in (False, True)
        )
        ratios.append(shrunken.std() / raw.std())
        assert abs(shrunken.mean() - raw.mean()) < 0.1
    assert ratios[0] < ratios[1] < 1


def between(X, batch):
    """Share of the variance of a column that lies between batches, mean over columns."""
    X = pd.DataFrame(X)
    return float((X.groupby(batch).transform("mean").var() / X.var()).mean())


def test_batch_effects_are_removed(X):
    assert between(X, BATCH) > 0.3
    assert between(BatchAdjuster().fit_transform(X, batch=BATCH), BATCH) < 0.05


def test_new_cohort(X, rng):
    adjuster = BatchAdjuster().fit(X[BATCH == "c"])
    profile = rng.normal(size=(60, 40)) * adjuster.scale_ + adjuster.mean_
    effect = rng.normal(1, 0.5, 40), rng.uniform(0.7, 1.4, 40)
    new = profile * effect[1] + effect[0]
    restored = adjuster.adapt(new).transform(new)
    assert np.abs(restored - profile).mean() < 0.3 * np.abs(new - profile).mean()


def test_adapt_leaves_the_adjuster_alone(X):
    adjuster = BatchAdjuster().fit(X, batch=BATCH)
    before = adjuster.transform(X, batch=BATCH)
    adapted = adjuster.adapt(X + 5, name="site 2")
    assert list(adjuster.batches_) == ["a", "b", "c"]
    assert adjuster.current_batch_ is None
    assert list(adapted.batches_) == ["a", "b", "c", "site 2"]
    assert adapted.current_batch_ == "site 2"
    np.testing.assert_array_equal(adjuster.transform(X, batch=BATCH), before)
    np.testing.assert_array_equal(adapted.transform(X, batch=BATCH), before)


def test_adapt_again_replaces_the_batch(X):
    adjuster = BatchAdjuster().fit(X).adapt(X + 5).adapt(X + 7)
    assert list(adjuster.batches_) == ["training", "new"]
    np.testing.assert_allclose(adjuster.transform(X + 7).mean(axis=0), X.mean(axis=0), atol=0.2)


def test_transform_learns_nothing(X):
    adjuster = BatchAdjuster().fit(X[:20]).adapt(X[20:] + 3)
    alone = np.concatenate([adjuster.transform(X[[i]]) for i in range(len(X))])
    np.testing.assert_array_equal(adjuster.transform(X), alone)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_batch_is_the_reference_and_is_not_changed(X, dtype):
    X = X.astype(dtype)
    np.testing.assert_array_equal(BatchAdjuster().fit_transform(X), X)


def test_missing_values_are_left_out(X):
    gaps = X.copy()
    gaps[::7, 3] = np.nan
    gaps[BATCH == "b", 5] = np.nan  # not observed by a whole batch
    adjuster = BatchAdjuster().fit(gaps, batch=BATCH)
    result = adjuster.transform(gaps, batch=BATCH)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(gaps))
    known = ~np.isnan(gaps[:, 3])
    raw = BatchAdjuster(shrink=False)
    np.testing.assert_allclose(
        raw.fit(gaps, batch=BATCH).shifts_[:, 3],
        raw.fit(gaps[known][:, [3]], batch=BATCH[known]).shifts_[:, 0],
    )
    others = np.delete(adjuster.shifts_[1], 5)
    assert others.min() < adjuster.shifts_[1, 5] < others.max()


def test_columns_that_do_not_vary_are_not_changed(X):
    X[:, 2] = 4.0
    X[:, 6] = np.nan
    result = BatchAdjuster().fit_transform(X, batch=BATCH)
    assert (result[:, 2] == 4).all()
    assert np.isnan(result[:, 6]).all()
    assert np.isfinite(np.delete(result, 6, axis=1)).all()


def test_a_column_constant_in_one_batch(X):
    X[BATCH == "a", 2] = 4.0
    for shrink in (True, False):
        assert np.isfinite(BatchAdjuster(shrink=shrink).fit_transform(X, batch=BATCH)).all()


def test_a_single_column(X):
    result = BatchAdjuster().fit_transform(X[:, :1], batch=BATCH)
    assert between(result, BATCH) == pytest.approx(0, abs=1e-12)


def test_labels_may_come_as_a_series_of_numbers(X):
    numbers = pd.Series(BATCH).map({"a": 10, "b": 20, "c": 30})
    np.testing.assert_array_equal(
        BatchAdjuster().fit_transform(X, batch=numbers),
        BatchAdjuster().fit_transform(X, batch=BATCH),
    )


def test_a_frame_stays_a_frame(X):
    frame = pd.DataFrame(X.astype(np.float32), [f"s{i}" for i in range(43)]).add_prefix("cg")
    result = BatchAdjuster().fit_transform(frame, batch=BATCH)
    assert result.index.equals(frame.index)
    assert result.columns.equals(frame.columns)
    assert set(result.dtypes) == {np.dtype(np.float32)}
    np.testing.assert_array_equal(
        result, BatchAdjuster().fit_transform(frame.to_numpy(), batch=BATCH)
    )


def test_new_cohort_in_a_pipeline(X, rng):
    y = X @ rng.normal(size=40) / 40
    model = make_pipeline(BatchAdjuster(), LinearRegression()).fit(X, y)
    new = X + 2
    wrong = np.abs(model.predict(new) - y).mean()
    model.set_params(batchadjuster=model["batchadjuster"].adapt(new))
    assert np.abs(model.predict(new) - y).mean() < 0.2 * wrong


def test_unknown_batch(X):
    adjuster = BatchAdjuster().fit(X, batch=BATCH)
    with pytest.raises(ValueError, match=r"batch holds d; known are a, b, c.*adapt"):
        adjuster.transform(X[:2], batch=["a", "d"])


def test_batch_must_be_said_after_several(X):
    adjuster = BatchAdjuster().fit(X, batch=BATCH)
    with pytest.raises(ValueError, match=r"any of the 3 batches known \(a, b, c\).*batch=.*adapt"):
        adjuster.transform(X)


def test_labels_of_another_length(X):
    with pytest.raises(ValueError, match="batch has 2 entries, X 43 samples"):
        BatchAdjuster().fit(X, batch=["a", "b"])


def test_missing_label(X):
    with pytest.raises(ValueError, match="batch is missing for 1 samples"):
        BatchAdjuster().fit(X, batch=[None, *BATCH[1:]])


def test_batches_of_the_samples_in_another_order_are_refused(X):
    table = pd.DataFrame(np.asarray(X))
    batch = pd.Series(BATCH)
    with pytest.raises(SampleMismatchError):
        BatchAdjuster().fit(table, batch=batch[::-1])
    with pytest.raises(SampleMismatchError):
        BatchAdjuster().fit(table, batch=batch).transform(table, batch=batch[::-1])


def test_two_columns_of_batches_are_refused(X):
    with pytest.raises(ValueError, match=r"one batch per sample; its shape is \(43, 2\)"):
        BatchAdjuster().fit(X, batch=pd.DataFrame({"a": BATCH, "b": BATCH}))
