"""`LassoRegressor` against scikit-learn's own LASSO and its optimality conditions."""

import pickle
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import Lasso, LassoCV
from sklearn.model_selection import GroupKFold, KFold
from sklearn.preprocessing import StandardScaler

from omitrans.baselines import LassoRegressor

SOLVERS = ["celer", "sklearn"]


def make_data(seed=0, n_samples=60, n_features=40, n_targets=5):
    rng = np.random.default_rng(seed)
    X = rng.beta(0.5, 0.5, size=(n_samples, n_features))
    X[:, 1] = 0.7 * X[:, 0] + 0.3 * X[:, 1]
    weights = np.zeros((n_features, n_targets))
    weights[:6] = rng.normal(size=(6, n_targets))
    Y = X @ weights * np.logspace(-1, 2, n_targets) + 3
    Y += 0.5 * Y.std(axis=0) * rng.normal(size=Y.shape)
    return X, Y


def objective(X, y, coef, intercept, alpha):
    residual = y - X @ coef - intercept
    return residual @ residual / (2 * len(y)) + alpha * np.abs(coef).sum()


def largest_penalty(X, Y):
    return np.abs((X - X.mean(axis=0)).T @ (Y - Y.mean(axis=0))).max(axis=0) / len(X)


@pytest.fixture(scope="module")
def data():
    return make_data()


# --- the solution ---


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_objective_agrees_with_sklearn(data, solver, fit_intercept):
    X, Y = data
    alpha = 0.1 * largest_penalty(X, Y)
    model = LassoRegressor(
        alpha,
        alpha_mode="absolute",
        standardize=False,
        fit_intercept=fit_intercept,
        solver=solver,
        tol=1e-6,
    ).fit(X, Y)

    coef = model.coef_.toarray()
    for t in range(Y.shape[1]):
        oracle = Lasso(
            alpha[t], fit_intercept=fit_intercept, tol=1e-8, max_iter=100_000, random_state=0
        )
        oracle.fit(X, Y[:, t])
        ours = objective(X, Y[:, t], coef[t], model.intercept_[t], alpha[t])
        best = objective(X, Y[:, t], oracle.coef_, oracle.intercept_, alpha[t])
        assert ours == pytest.approx(best, rel=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_standardised_fit_equals_a_scaler_in_front(data, solver):
    X, Y = data
    scaled = StandardScaler().fit_transform(X)
    alpha = 0.2 * largest_penalty(scaled, Y)
    model = LassoRegressor(0.2, solver=solver, tol=1e-8).fit(X, Y)

    np.testing.assert_allclose(model.alpha_, alpha)
    for t in range(Y.shape[1]):
        oracle = Lasso(alpha[t], tol=1e-10, max_iter=100_000, random_state=0).fit(scaled, Y[:, t])
        np.testing.assert_allclose(
            model.predict(X)[:, t], oracle.predict(scaled), atol=1e-3 * Y[:, t].std()
        )


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    fraction=st.floats(0.05, 0.95),
    solver=st.sampled_from(SOLVERS),
    n_features=st.integers(1, 30),
)
def test_optimality_conditions(seed, fraction, solver, n_features):
    """|x_j' r| / n is at most alpha, and equals it, with the sign of w_j, where w_j is not 0."""
    X, Y = make_data(seed, 25, max(n_features, 6), 2)
    X = X[:, :n_features]
    model = LassoRegressor(fraction, solver=solver, standardize=False, tol=1e-10).fit(X, Y)

    residual = Y - model.predict(X)
    gradient = ((X - X.mean(axis=0)).T @ residual / len(X)).T / model.alpha_[:, None]
    coef = model.coef_.toarray()
    assert np.abs(gradient).max() <= 1 + 1e-3
    # a coefficient that rounding left of zero may sit on either side
    clear = np.abs(coef) > 1e-4 * np.abs(coef).max()
    np.testing.assert_allclose(gradient[clear], np.sign(coef[clear]), atol=1e-3)
    assert np.all(model.dual_gap_ <= 1e-10)


@pytest.mark.parametrize("solver", SOLVERS)
def test_alpha_max_selects_nothing_and_less_selects_something(data, solver):
    X, Y = data

    nothing = LassoRegressor(1.0, solver=solver).fit(X, Y)
    something = LassoRegressor(0.95, solver=solver).fit(X, Y)

    assert nothing.coef_.nnz == 0
    np.testing.assert_array_equal(nothing.n_iter_, 0)
    np.testing.assert_allclose(nothing.predict(X[:2]), np.tile(Y.mean(axis=0), (2, 1)))
    assert np.all(np.diff(something.coef_.indptr) > 0)


def test_published_penalty_on_scaled_expression_equals_the_mean():
    """TDimpute's alpha=0.1 on targets divided by 16.5 silences even a strong driver."""
    X, _ = make_data()
    y = (8 - 5 * X[:, 0]) / 16.5

    published = LassoRegressor(0.1, alpha_mode="absolute", standardize=False).fit(X, y)
    relative = LassoRegressor(0.1).fit(X, y)

    assert published.coef_.nnz == 0
    assert relative.score(X, y) > 0.9


@settings(max_examples=8, deadline=None)
@given(factor=st.floats(1e-3, 1e3), shift=st.floats(-10, 10))
def test_relative_penalty_does_not_see_the_unit_of_the_target(factor, shift):
    X, Y = make_data(n_targets=2)

    plain = LassoRegressor(0.2, tol=1e-8).fit(X, Y)
    other = LassoRegressor(0.2, tol=1e-8).fit(X, factor * Y + shift)

    np.testing.assert_allclose(
        other.predict(X), factor * plain.predict(X) + shift, rtol=1e-3, atol=1e-3 * factor
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_each_target_is_solved_by_itself(solver):
    X, Y = make_data(n_targets=40)
    together = LassoRegressor(0.2, solver=solver).fit(X, Y)

    for t in (0, 7, 31, 32, 39):  # in the first and the second block
        alone = LassoRegressor(0.2, solver=solver).fit(X, Y[:, t])
        assert alone.predict(X).shape == (len(X),)
        np.testing.assert_allclose(
            alone.coef_.toarray()[0], together.coef_.toarray()[t], atol=1e-8 * Y[:, t].std()
        )


@pytest.mark.parametrize("solver", SOLVERS)
def test_constant_columns_are_not_selected(data, solver):
    X, Y = data
    X, Y = X.copy(), Y.copy()
    X[:, 3] = 0.1  # its mean is off by a rounding error
    Y[:, 1] = 0.1

    model = LassoRegressor(0.1, solver=solver).fit(X, Y)
    coef = model.coef_.toarray()

    np.testing.assert_array_equal(coef[:, 3], 0)
    np.testing.assert_array_equal(coef[1], 0)
    assert model.alpha_[1] == 0
    np.testing.assert_allclose(model.predict(X)[:, 1], 0.1)


@pytest.mark.parametrize("alpha", [0.1, "cv", "cv-common"])
def test_only_constant_targets(data, alpha):
    X, _ = data
    Y = np.full((len(X), 2), 7.0)

    model = LassoRegressor(alpha).fit(X, Y)

    assert model.coef_.nnz == 0
    np.testing.assert_array_equal(model.predict(X), Y)


# --- the choice of the penalty ---


def test_one_penalty_for_each_target(data):
    X, Y = data
    alpha = np.linspace(0.1, 0.5, 5)

    model = LassoRegressor(alpha).fit(X, Y)

    for t in range(5):
        alone = LassoRegressor(alpha[t]).fit(X, Y[:, t])
        assert model.alpha_[t] == pytest.approx(alone.alpha_[0])


@pytest.mark.parametrize("solver", SOLVERS)
def test_cv_chooses_what_lasso_cv_chooses(data, solver):
    X, Y = data
    folds = KFold(4, shuffle=True, random_state=0)
    model = LassoRegressor(
        "cv", standardize=False, n_alphas=15, eps=0.05, cv=folds, solver=solver, tol=1e-8
    ).fit(X, Y)

    for t in range(Y.shape[1]):
        path = largest_penalty(X, Y)[t] * np.geomspace(1, 0.05, 15)
        oracle = LassoCV(alphas=path, cv=folds, tol=1e-8, max_iter=100_000, random_state=0)
        oracle.fit(X, Y[:, t])
        assert model.alpha_[t] == pytest.approx(oracle.alpha_)
        np.testing.assert_allclose(
            model.predict(X)[:, t], oracle.predict(X), atol=1e-3 * Y[:, t].std()
        )


def test_common_choice_is_one_fraction_near_the_best(data):
    X, Y = data
    model = LassoRegressor("cv-common").fit(X, Y)
    scale = largest_penalty(StandardScaler().fit_transform(X), Y)

    fractions = model.alpha_ / scale
    np.testing.assert_allclose(fractions, fractions[0])
    assert 0.02 < fractions[0] < 1

    X_new, _ = make_data(seed=1)
    truth = LassoRegressor("cv").fit(X, Y).predict(X_new)
    assert np.all(np.var(model.predict(X_new) - truth, axis=0) < 0.2 * np.var(truth, axis=0))


def test_common_choice_tunes_on_some_targets_only(monkeypatch):
    X, Y = make_data(n_targets=50)
    seen = []
    held_out_errors = LassoRegressor._held_out_errors

    def spy(self, X, Y, *args):
        seen.append(Y.shape[1])
        return held_out_errors(self, X, Y, *args)

    monkeypatch.setattr(LassoRegressor, "_held_out_errors", spy)
    model = LassoRegressor("cv-common", n_alphas=5, eps=0.2, cv=2).fit(X, Y)

    assert seen == [32]
    assert model.coef_.shape == (50, 40)


@pytest.mark.parametrize("alpha", ["cv", "cv-common"])
def test_a_target_of_noise_gets_the_mean(alpha):
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(40, 30)), rng.normal(size=40)

    model = LassoRegressor(alpha, cv=KFold(5, shuffle=True, random_state=0)).fit(X, y)

    np.testing.assert_allclose(model.predict(X), y.mean(), atol=0.1)


def test_groups_reach_the_splitter(data):
    X, Y = data
    groups = np.repeat(np.arange(20), 3)
    by_groups = LassoRegressor("cv", cv=GroupKFold(4)).fit(X, Y, groups=groups)
    by_splits = LassoRegressor("cv", cv=list(GroupKFold(4).split(X, groups=groups))).fit(X, Y)

    np.testing.assert_array_equal(by_groups.alpha_, by_splits.alpha_)
    with pytest.raises(ValueError, match="groups"):
        LassoRegressor("cv", cv=GroupKFold(4)).fit(X, Y)


# --- processes, blocks, types ---


# every process imports celer, which takes seconds
@pytest.mark.slow
@pytest.mark.parametrize("solver", ["celer", "sklearn"])
def test_two_processes_give_the_same(solver):
    # large enough for joblib to share X as a memory map (1 MB)
    X, Y = make_data(n_samples=300, n_features=600, n_targets=40)
    one = LassoRegressor(0.3, solver=solver).fit(X, Y)
    two = LassoRegressor(0.3, solver=solver, n_jobs=2).fit(X, Y)

    np.testing.assert_allclose(two.coef_.toarray(), one.coef_.toarray(), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(two.intercept_, one.intercept_)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("alpha", [0.1, "cv"])
def test_float32_stays_float32_and_predicts_the_same(data, solver, alpha):
    X, Y = data
    double = LassoRegressor(alpha, solver=solver).fit(X, Y)
    single = LassoRegressor(alpha, solver=solver).fit(X.astype(np.float32), Y.astype(np.float32))

    predicted = single.predict(X.astype(np.float32))

    assert single.coef_.dtype == predicted.dtype == np.float32
    assert double.predict(X).dtype == np.float64
    assert double.predict(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(predicted, double.predict(X), atol=0.05 * Y.std(axis=0).max())


def test_a_sample_alone_gets_the_same_answer(data):
    X, Y = data
    model = LassoRegressor(0.1).fit(X, Y)

    np.testing.assert_allclose(model.predict(X[5:6]), model.predict(X)[5:6], rtol=1e-12)


def test_input_is_left_as_it_is(data):
    X, Y = data[0].copy(), data[1].copy()
    X.flags.writeable = Y.flags.writeable = False

    model = LassoRegressor(0.1).fit(X, Y)

    np.testing.assert_array_equal(X, data[0])
    np.testing.assert_array_equal(Y, data[1])
    assert isinstance(model.coef_, sparse.csr_array)


def test_names_are_kept(data):
    X, Y = (pd.DataFrame(table) for table in data)
    X.columns = [f"cg{i}" for i in X.columns]
    Y.columns = [f"gene{i}" for i in Y.columns]

    model = LassoRegressor(0.5).fit(X, Y)

    assert list(model.target_names_) == list(Y.columns)
    assert list(model.feature_names_in_) == list(X.columns)


def test_pickle_and_clone(data):
    X, Y = data
    model = LassoRegressor(0.2).fit(X, Y)

    again = pickle.loads(pickle.dumps(model))

    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(clone(model).fit(X, Y).predict(X), model.predict(X))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("solver", "alpha"), [("torch", 0.1), *product(SOLVERS, [0.1, "cv-common"])]
)
@pytest.mark.parametrize("factor", [2.0**-66, 2.0**66])
def test_the_unit_of_the_targets_changes_no_digit(solver, alpha, factor):
    """In float32 the squares of extreme targets overflow or vanish, and celer did not return."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 20)).astype(np.float32)
    Y = (X[:, :3] + rng.normal(size=(30, 3))).astype(np.float32)
    options = {"alpha": alpha, "solver": solver, "device": "cpu"}
    plain = LassoRegressor(**options).fit(X, Y)
    scaled = LassoRegressor(**options).fit(X, Y * np.float32(factor))
    np.testing.assert_allclose(scaled.predict(X) / factor, plain.predict(X), rtol=1e-6)
    np.testing.assert_allclose(scaled.alpha_ / factor, plain.alpha_, rtol=1e-6)
