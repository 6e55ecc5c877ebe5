"""Ridge on observed genes against scikit-learn's, pattern by pattern."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from omitrans.baselines import RidgeImputer
from omitrans.datasets import hide_values


def low_rank(rng, n_samples, n_genes, *, rank, noise):
    X = rng.normal(size=(n_samples, rank)) @ rng.normal(size=(rank, n_genes)) / np.sqrt(rank)
    return X + noise * rng.normal(size=X.shape)


@pytest.mark.parametrize(("n_samples", "n_genes"), [(60, 12), (15, 40)])
def test_is_that_of_scikit_learn_for_every_pattern(n_samples, n_genes, rng):
    X = low_rank(rng, n_samples, n_genes, rank=3, noise=1.0)
    new = rng.normal(size=(4, n_genes))
    new[rng.random(new.shape) < 0.5] = np.nan
    new[3] = np.where(np.isnan(new[2]), np.nan, 1.0)  # one pattern twice
    filled = RidgeImputer(alpha=0.7).fit(X).transform(new)
    mean, scale = X.mean(axis=0), X.std(axis=0)
    Z = (X - mean) / scale
    for row, result in zip(new, filled, strict=True):
        missing = np.isnan(row)
        ridge = Ridge(alpha=0.7 * n_samples, fit_intercept=False).fit(Z[:, ~missing], Z[:, missing])
        z = ((row - mean) / scale)[~missing]
        expected = ridge.predict(z[None])[0] * scale[missing] + mean[missing]
        np.testing.assert_allclose(result[missing], expected, rtol=1e-8)


def test_is_the_conditional_mean_of_a_gaussian(rng):
    X = low_rank(rng, 30, 8, rank=2, noise=0.5)
    covariance = np.corrcoef(X, rowvar=False) + 0.3 * np.eye(8)
    sample = np.r_[rng.normal(size=5), [np.nan] * 3]
    z = ((sample - X.mean(axis=0)) / X.std(axis=0))[:5]
    expected = covariance[5:, :5] @ np.linalg.solve(covariance[:5, :5], z)
    filled = RidgeImputer(alpha=0.3).fit(X).transform(sample[None])[0]
    np.testing.assert_allclose(
        filled[5:], expected * X.std(axis=0)[5:] + X.mean(axis=0)[5:], rtol=1e-8
    )


def test_chooses_a_penalty_that_suits(rng):
    signal = rng.normal(size=(120, 2)) @ rng.normal(size=(2, 30))
    noise = rng.normal(size=signal.shape)
    clean = RidgeImputer(random_state=0).fit(signal + 0.01 * noise)
    noisy = RidgeImputer(random_state=0).fit(0.3 * signal + noise)
    assert clean.alpha_ < noisy.alpha_


def test_penalty_suits_filled_samples_where_training_has_holes(rng):
    """With holes at the mean a penalty looks best that is ten times too small."""
    X = low_rank(rng, 60, 50, rank=5, noise=0.3)
    holes, hidden = hide_values(X, 0.6, random_state=0)

    def error(imputer):
        return np.square((imputer.fit_transform(holes) - X)[hidden]).mean()

    chosen = error(RidgeImputer(random_state=0))
    assert chosen < 1.15 * min(error(RidgeImputer(alpha=a)) for a in (0.01, 0.1, 0.3, 1.0))
    assert chosen < 0.8 * error(RidgeImputer(random_state=0, max_rounds=1))


def test_learns_from_a_table_with_holes(rng):
    X = low_rank(rng, 150, 20, rank=2, noise=0.05)
    holes, hidden = hide_values(X, 0.4, random_state=0)
    imputer = RidgeImputer(alpha=0.01)
    filled = imputer.fit_transform(holes)
    first_round = RidgeImputer(alpha=0.01, max_rounds=1).fit_transform(holes)
    error = ((filled - X)[hidden] ** 2).mean() / X.var()
    assert error < 0.05
    assert error < ((first_round - X)[hidden] ** 2).mean() / X.var()
    assert imputer.n_rounds_ > 1


@pytest.mark.parametrize("n_genes", [12, 60])
def test_sample_alone_is_as_among_others_to_the_last_bit(n_genes, rng):
    X = low_rank(rng, 30, n_genes, rank=3, noise=0.3)
    imputer = RidgeImputer(alpha=0.1).fit(X)
    new, _ = hide_values(X, 0.5, random_state=0)
    patterns, rows = np.unique(np.isnan(new), axis=0, return_index=True)
    assert len(patterns) > 20  # each solved on its own
    alone = np.vstack([imputer.transform(sample[None]) for sample in new[rows]])
    np.testing.assert_array_equal(alone, imputer.transform(new[rows]))


@pytest.mark.parametrize("n_genes", [12, 60])
def test_sample_alone_is_as_among_others_of_its_pattern(n_genes, rng):
    X = low_rank(rng, 30, n_genes, rank=3, noise=0.3)
    imputer = RidgeImputer(alpha=0.1).fit(X)
    new = rng.normal(size=(50, n_genes))
    new[:, ::3] = np.nan
    alone = np.vstack([imputer.transform(sample[None]) for sample in new])
    np.testing.assert_allclose(alone, imputer.transform(new), rtol=1e-11, atol=1e-13)


def test_sample_without_any_value_gets_the_means(rng):
    X = rng.normal([1, 2, 3, 4], size=(20, 4))
    filled = RidgeImputer(alpha=1.0).fit(X).transform(np.full((1, 4), np.nan))
    np.testing.assert_allclose(filled[0], X.mean(axis=0))


def test_constant_gene(rng):
    X = np.column_stack([rng.normal(size=20), np.full(20, 5.0)])
    filled = RidgeImputer(random_state=0).fit(X).transform([[1.0, np.nan], [np.nan, 5.0]])
    assert filled[0, 1] == 5.0
    assert filled[1, 0] == pytest.approx(X[:, 0].mean())


def test_is_reproducible(rng):
    holes, _ = hide_values(low_rank(rng, 60, 20, rank=3, noise=0.5), 0.3, random_state=0)
    first, second = (RidgeImputer(random_state=3).fit_transform(holes) for _ in range(2))
    np.testing.assert_array_equal(first, second)
