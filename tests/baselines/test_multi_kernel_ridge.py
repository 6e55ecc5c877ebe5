import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GroupKFold, KFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

from omitrans.baselines import DualRidgeRegressor, MultiKernelRidgeRegressor, _multi_kernel_ridge
from omitrans.exceptions import FeatureMismatchError
from omitrans.solvers import _kernel_family, _kernel_mixture, _kernel_penalties
from omitrans.solvers._kernel_family import KERNELS
from omitrans.solvers._kernel_penalties import PENALTIES, DualSolution


@pytest.fixture
def data(rng):
    factors = rng.normal(size=(60, 4))
    X = factors @ rng.normal(size=(4, 80)) + rng.normal(size=(60, 80)) + 2
    Y = factors @ rng.normal(size=(4, 7)) + np.sin(factors[:, :1]) + rng.normal(size=(60, 7)) + 5
    return X, Y


def centred(kernel, training):
    """Centre a kernel of some samples with training samples on the training samples."""
    return kernel - training.mean(axis=0) - kernel.mean(axis=1, keepdims=True) + training.mean()


@pytest.mark.parametrize("name", KERNELS)
def test_one_kernel_and_penalty_is_kernel_ridge(data, name, monkeypatch):
    X, Y = data
    monkeypatch.setattr(_kernel_penalties, "PENALTIES", np.array([0.3]))
    monkeypatch.setattr(_multi_kernel_ridge, "PENALTIES", np.array([0.3]))

    model = MultiKernelRidgeRegressor(kernel_weights={name: 2.0}, penalties="gene")
    predicted = model.fit(X[:40], Y[:40]).predict(X[40:])

    shape, features = name.split(", ")
    Z = X - X[:40].mean(axis=0)
    if features == "standardised":
        Z = np.clip(StandardScaler().fit(X[:40]).transform(X), -5, 5)
    if shape == "linear":
        K = Z @ Z[:40].T
    else:
        difference = np.abs(Z[:, None] - Z[:40])
        D = np.sum(difference**2 if shape == "rbf" else difference, axis=2)
        K = np.exp(-D / np.median(D[:40][np.triu_indices(40, 1)]))
    Kc = centred(K, K[:40])
    Kc *= 40 / np.trace(Kc[:40])
    mean = Y[:40].mean(axis=0)
    oracle = KernelRidge(alpha=0.3, kernel="precomputed").fit(Kc[:40], Y[:40] - mean)
    assert_allclose(predicted, oracle.predict(Kc[40:]) + mean, rtol=1e-8)
    assert model.kernel_weights_[name] == 1
    assert model.kernel_weights_.sum() == 1


def test_a_linear_kernel_on_scaled_features_is_ridge(data):
    """With one target and nothing to clip, as DualRidgeRegressor with the same penalties."""
    X, Y = data
    one = Y[:, :1]
    model = MultiKernelRidgeRegressor(
        kernel_weights={"linear, standardised": 1}, penalties="gene"
    ).fit(X, one)

    scaled = StandardScaler().fit_transform(X)
    assert np.abs(scaled).max() < 5
    oracle = DualRidgeRegressor(PENALTIES).fit(scaled, one)
    assert PENALTIES[oracle.loo_mse_[0].argmin()] == model.penalties_[0]
    assert_allclose(model.predict(X), oracle.predict(scaled), rtol=1e-8)


def test_both_mixes_the_two(rng):
    X = rng.normal(size=(50, 20))
    programme = np.outer(X @ rng.normal(size=20), rng.normal(size=30))  # one, in most targets
    Y = np.hstack([programme + 4 * rng.normal(size=(50, 30)), X @ rng.normal(size=(20, 4))])
    gene, component, both = (
        MultiKernelRidgeRegressor(penalties=penalties, n_selected=0).fit(X, Y)
        for penalties in ("gene", "component", "both")
    )

    share = both.component_share_
    assert 0 < share < 1
    mixture = (1 - share) * gene.predict(X) + share * component.predict(X)
    assert_allclose(both.predict(X), mixture, rtol=1e-8)
    assert_array_equal(both.penalties_, gene.penalties_)
    assert_array_equal(both.component_penalties_, component.component_penalties_)
    assert gene.component_penalties_ is None
    assert component.penalties_ is None


def test_weights_whose_sum_overflows_are_scaled_like_others(rng):
    X, Y = rng.normal(size=(20, 6)), rng.normal(size=(20, 2))
    huge = MultiKernelRidgeRegressor(kernel_weights=[1e308] * 6).fit(X, Y)
    equal = MultiKernelRidgeRegressor(kernel_weights="equal").fit(X, Y)
    assert_allclose(huge.kernel_weights_, equal.kernel_weights_)


def test_weights(data):
    X, Y = data
    learned = MultiKernelRidgeRegressor().fit(X, Y)
    equal = MultiKernelRidgeRegressor(kernel_weights="equal").fit(X, Y)
    again = MultiKernelRidgeRegressor(kernel_weights=learned.kernel_weights_).fit(X, Y)

    assert list(learned.kernel_weights_.index) == list(KERNELS)
    assert_allclose(learned.kernel_weights_.sum(), 1)
    prior = 100 / (100 + len(X))  # equal weights count as much as 100 samples
    assert learned.kernel_weights_.min() >= prior / 6 - 1e-12
    assert learned.kernel_weights_.max() > 0.25
    assert_allclose(equal.kernel_weights_, 1 / 6)
    assert_allclose(again.predict(X), learned.predict(X), rtol=1e-9)


def test_it_learns_curves_and_lines(rng):
    X = rng.uniform(-1, 1, size=(200, 3))
    Y = np.column_stack([np.sum(X**2, axis=1), X @ [1, -2, 0.5]])

    model = MultiKernelRidgeRegressor().fit(X[:150], Y[:150])

    assert model.score(X[150:], Y[150:]) > 0.9


def test_some_samples_and_targets_stand_for_all_in_the_weights(data, monkeypatch):
    X, Y = data
    monkeypatch.setattr(_kernel_mixture, "SAMPLES_TO_LEARN_FROM", 30)
    monkeypatch.setattr(_kernel_mixture, "TARGETS_TO_LEARN_FROM", 2)
    changed = Y.copy()
    changed[:, 3] = 0
    used = np.linspace(0, 59, 30).astype(int)
    changed[np.setdiff1d(np.arange(60), used)] = 0

    first, second = (MultiKernelRidgeRegressor().fit(X, target) for target in (Y, changed))

    assert_array_equal(first.kernel_weights_, second.kernel_weights_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_targets", [1, 7, 60])
def test_a_sample_alone_is_as_in_a_batch_to_the_last_bit(rng, dtype, n_targets):
    X = rng.normal(size=(90, 1500)).astype(dtype)
    Y = X[:, :20] @ rng.normal(size=(20, n_targets)).astype(dtype)
    model = MultiKernelRidgeRegressor().fit(X[:50], Y[:50])

    batch = model.predict(X)

    assert batch.dtype == dtype
    assert_array_equal(np.vstack([model.predict(row[None]) for row in X]), batch)
    assert_array_equal(model.predict(X[7:60]), batch[7:60])


def test_the_number_of_threads_changes_nothing(rng):
    X = rng.normal(size=(80, 3000)).astype(np.float32)
    Y = (X[:, :20] @ rng.normal(size=(20, 1000))).astype(np.float32)
    predicted = []
    for n_threads in (1, 2, 3):
        with threadpool_limits(n_threads, user_api="blas"):
            model = MultiKernelRidgeRegressor()
            predicted.append(model.fit_cross_predict(X, Y, KFold(3).split(X)))
            predicted.append(model.predict(X))
            # what was set before the fit holds after it
            assert {
                lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"
            } == {n_threads}
    for i in (2, 4):
        assert_array_equal(predicted[i], predicted[0])
        assert_array_equal(predicted[i + 1], predicted[1])


def test_blocks_change_nothing_but_the_rounding(data, monkeypatch):
    X, Y = data
    whole = MultiKernelRidgeRegressor().fit(X, Y).predict(X)
    monkeypatch.setattr(_kernel_penalties, "_BLOCK_VALUES", 150)
    monkeypatch.setattr(_kernel_penalties, "_COLUMNS_AT_LEAST", 2)
    monkeypatch.setitem(_kernel_family.BLOCK_SIZES, "n_values", 150)
    monkeypatch.setitem(_kernel_family.BLOCK_SIZES, "at_least", 2)
    monkeypatch.setattr(_multi_kernel_ridge, "TARGETS_A_BLOCK", 4)
    monkeypatch.setattr(_multi_kernel_ridge, "_SAMPLES_A_BLOCK", 7)

    assert_allclose(MultiKernelRidgeRegressor().fit(X, Y).predict(X), whole, rtol=1e-6)


# --- folds ---


def same_scaling_in_folds(rng, n_folds, p=30, q=5):
    """Return tables with copies of the same samples in every fold, and the folds.

    The training samples of every fold then have the same feature means and deviations.
    """
    base = rng.normal(size=(12, p))
    X = np.vstack([base for _ in range(n_folds)])
    Y = X[:, :8] @ rng.normal(size=(8, q)) + rng.normal(size=(len(X), q))
    return X, Y, list(GroupKFold(n_folds).split(X, groups=np.repeat(np.arange(n_folds), 12)))


@pytest.mark.parametrize("weights", ["learned", "equal"])
@pytest.mark.parametrize("penalties", ["both", "gene", "component"])
def test_predictions_of_folds_are_those_of_clones(rng, weights, penalties):
    X, Y, folds = same_scaling_in_folds(rng, 3)
    model = MultiKernelRidgeRegressor(kernel_weights=weights, penalties=penalties)

    predicted = model.fit_cross_predict(X, Y, folds)

    for train, test in folds:
        oracle = clone(model).fit(X[train], Y[train])
        assert_allclose(predicted[test], oracle.predict(X[test]), rtol=1e-5)
    whole = clone(model).fit(X, Y)
    assert_array_equal(model.predict(X), whole.predict(X))


def test_folds_differ_from_clones_by_the_scaling_of_features_alone(data):
    X, Y = data
    model = MultiKernelRidgeRegressor(
        kernel_weights={"rbf, centred": 1, "laplace, centred": 2}, n_selected=0
    )
    folds = list(KFold(4, shuffle=True, random_state=0).split(X))

    predicted = model.fit_cross_predict(X, Y, folds)

    for train, test in folds:
        assert_allclose(
            predicted[test], clone(model).fit(X[train], Y[train]).predict(X[test]), rtol=1e-8
        )


def test_samples_in_no_test_fold_are_nan(data):
    X, Y = data
    predicted = MultiKernelRidgeRegressor().fit_cross_predict(
        X.astype(np.float32), Y[:, 0], [(np.arange(40), np.arange(45, 60))]
    )
    assert predicted.shape == (60,)
    assert predicted.dtype == np.float32
    assert np.isnan(predicted[:45]).all()
    assert np.isfinite(predicted[45:]).all()


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([([0], [1, 2])], "Fold 0 has 1 training and 2 test samples"),
        ([([0, 1], [])], "Fold 0 has 2 training and 0 test samples"),
        ([([0, 1], [60])], "Fold 0 does not hold positions of 60 samples"),
        ([([0, 1], [1, 2])], "Fold 0 tests a sample that it trains on"),
        ([([0, 1], [2]), ([3, 4], [2])], "Fold 1 tests a sample that it trains on or that was"),
    ],
)
def test_unusable_folds_are_refused(data, folds, message):
    with pytest.raises(ValueError, match=message):
        MultiKernelRidgeRegressor().fit_cross_predict(*data, folds)


# --- degenerate tables and bad parameters ---


def test_copies_of_samples(data):
    X, Y = data
    X[5:20], Y[5:20] = X[4], Y[4] + np.linspace(-1, 1, 15)[:, None]

    predicted = MultiKernelRidgeRegressor().fit(X, Y).predict(X)

    assert_allclose(predicted[5:20], np.repeat(predicted[4:5], 15, axis=0), rtol=1e-9)
    assert np.mean((predicted - Y) ** 2) < np.mean((Y.mean(axis=0) - Y) ** 2)


def test_nothing_to_learn_from_gives_the_means(data):
    _, Y = data
    model = MultiKernelRidgeRegressor().fit(np.full((60, 3), 0.1), Y)

    assert_allclose(model.predict(np.ones((2, 3))), np.tile(Y.mean(axis=0), (2, 1)))
    assert_array_equal(model.kernel_weights_, 0)


def test_constant_genes_are_predicted_exactly(data):
    X, Y = data
    Y[:, 1], Y[:, 4] = 0.1, -3

    predicted = MultiKernelRidgeRegressor().fit(X, Y).predict(X + 1)

    assert_array_equal(predicted[:, 1], 0.1)
    assert_array_equal(predicted[:, 4], -3)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize(("p", "q"), [(1, 1), (1, 4), (50, 1), (50, 4)])
def test_few_samples_features_and_genes(rng, n, p, q):
    X, Y = rng.normal(size=(n, p)), rng.normal(size=(n, q))

    predicted = MultiKernelRidgeRegressor().fit(X, Y).predict(rng.normal(size=(20, p)))

    assert predicted.shape == (20, q)
    assert np.all(np.abs(predicted - Y.mean(axis=0)) < 20 * np.ptp(Y, axis=0) + 1e-9)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"linear": 1.0}, "names the kernel 'linear', which does not exist. Known: linear, stand"),
        ([1, 2, 3], "six finite numbers of at least 0"),
        ([0] * 6, "not all of them 0"),
        ([1, 1, 1, 1, 1, -1], "six finite numbers of at least 0"),
        ([1, 1, 1, 1, 1, np.nan], "six finite numbers of at least 0"),
        ("best", "'kernel_weights' parameter of MultiKernelRidgeRegressor"),
    ],
)
def test_unusable_weights_are_refused(data, weights, message):
    with pytest.raises(ValueError, match=message):
        MultiKernelRidgeRegressor(kernel_weights=weights).fit(*data)


def test_names_of_weights_may_come_in_any_order(data):
    X, Y = data
    numbers = [1, 2, 0, 0, 3, 4]
    named = pd.Series(numbers, list(KERNELS)).iloc[::-1]

    first, second = (
        MultiKernelRidgeRegressor(kernel_weights=weights).fit(X, Y) for weights in (numbers, named)
    )

    assert_array_equal(first.predict(X), second.predict(X))
    assert_allclose(first.kernel_weights_, np.array(numbers) / 10)


# --- features beside the kernel ---


@pytest.fixture
def named(rng):
    X = pd.DataFrame(rng.normal(size=(80, 30)), columns=[f"GENE{i}" for i in range(30)])
    Y = pd.DataFrame(rng.normal(size=(80, 3)), columns=["GENE4", "GENE7|1234", "OTHER"])
    Y["GENE4"] -= 1.5 * X["GENE4"]
    Y["GENE7|1234"] -= 1.5 * X["GENE7"]
    return X, Y


def test_a_gene_gets_the_column_of_its_name(named):
    X, Y = named
    model = MultiKernelRidgeRegressor(n_selected=0).fit(X[:60], Y[:60])
    without = MultiKernelRidgeRegressor(n_selected=0, cis=None).fit(X[:60], Y[:60])
    assert_array_equal(model.direct_coef_.indices, [4, 7])
    assert (model.direct_coef_.data < 0).all()
    assert without.direct_coef_.nnz == 0
    assert model.score(X[60:], Y[60:]) > without.score(X[60:], Y[60:]) + 0.02


def test_nearby_probes_by_position(named):
    X, Y = named
    probes = pd.DataFrame({"probe_id": X.columns, "chromosome": "1", "position": range(0, 300, 10)})
    genes = pd.DataFrame({"gene_id": Y.columns, "chromosome": "1", "start": [35, 75, 9_000]})
    model = MultiKernelRidgeRegressor(n_selected=0, probes=probes, genes=genes, window=10)
    model.fit(X, Y)
    assert set(model.direct_coef_[[0]].indices) <= {3, 4}
    assert set(model.direct_coef_[[1]].indices) <= {7, 8}
    assert model.direct_coef_[[2]].nnz == 0
    assert model.direct_coef_.nnz >= 2


@pytest.mark.parametrize("table", ["probes", "genes"])
def test_positions_of_other_ids_are_refused(named, table):
    X, Y = named
    places = {
        "probes": pd.DataFrame({"probe_id": X.columns, "chromosome": "1", "position": 5}),
        "genes": pd.DataFrame({"gene_id": Y.columns, "chromosome": "1", "start": 5}),
    }
    places[table].iloc[:, 0] = "cg" + places[table].index.astype(str)
    with pytest.raises(FeatureMismatchError, match=f"{table} places none"):
        MultiKernelRidgeRegressor(**places).fit(X, Y)


def test_positions_need_both_tables_and_names(named):
    X, Y = named
    probes = pd.DataFrame({"probe_id": X.columns, "chromosome": "1", "position": 5})
    with pytest.raises(ValueError, match="both probes= and genes="):
        MultiKernelRidgeRegressor(probes=probes).fit(X, Y)
    genes = pd.DataFrame({"gene_id": Y.columns, "chromosome": "1", "start": 5})
    with pytest.raises(FeatureMismatchError, match="column names"):
        MultiKernelRidgeRegressor(probes=probes, genes=genes).fit(X.to_numpy(), Y)


def test_a_strong_feature_without_any_name_is_found(rng):
    X, Y = rng.normal(size=(100, 400)), rng.normal(size=(100, 5))
    Y[:, 2] += 2 * X[:, 123]
    model = MultiKernelRidgeRegressor().fit(X[:80], Y[:80])
    without = MultiKernelRidgeRegressor(n_selected=0).fit(X[:80], Y[:80])
    assert_array_equal(model.direct_coef_.nonzero(), [[2], [123]])
    assert model.score(X[80:], Y[80:]) > without.score(X[80:], Y[80:]) + 0.05


def test_predictions_are_those_of_the_kernel_with_the_feature_in_it(named):
    X, Y = named
    X, y = X.to_numpy(), Y[["GENE4"]].set_axis(["GENE4"], axis=1)
    model = MultiKernelRidgeRegressor(
        kernel_weights={"linear, standardised": 1}, penalties="gene", n_selected=0
    ).fit(pd.DataFrame(X, columns=named[0].columns), y)

    Z = StandardScaler().fit_transform(X)
    assert np.abs(Z).max() < 5
    unit = np.trace(Z @ Z.T) / len(Z)
    K = Z @ Z.T / unit + model.direct_variances_[0] * np.outer(Z[:, 4], Z[:, 4])
    alpha = model.penalties_[0] * np.eye(len(Z))
    centred = y.to_numpy() - y.to_numpy().mean()
    expected = K @ np.linalg.solve(K + alpha, centred) + y.to_numpy().mean()
    assert_allclose(model.predict(named[0]), expected, rtol=1e-6)


def test_direct_features_in_folds_are_those_of_clones(named):
    X, Y = named
    model = MultiKernelRidgeRegressor()
    folds = list(KFold(4, shuffle=True, random_state=0).split(X))
    predicted = model.fit_cross_predict(X, Y, folds)
    for train, test in folds:
        oracle = clone(model).fit(X.iloc[train], Y.iloc[train])
        correlation = np.corrcoef(predicted[test].ravel(), oracle.predict(X.iloc[test]).ravel())
        assert correlation[0, 1] > 0.98  # the scaling of features differs a little


def test_direct_features_count_beside_components_alone(rng):
    # one target is its only component, so that the share of components is whole or zero
    X = rng.normal(size=(100, 20))
    y = X @ rng.normal(size=20) + 6 * X[:, 3] + rng.normal(size=100)
    model = MultiKernelRidgeRegressor().fit(X[:70], y[:70])
    assert model.direct_coef_.nnz
    assert model.score(X[70:], y[70:]) > 0.9


def test_a_fit_that_ends_early_leaves_no_mix_of_two_models(data, monkeypatch):
    X, Y = data
    model = MultiKernelRidgeRegressor().fit(X, Y)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(DualSolution, "fill", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[::-1], Y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_positions_of_targets_without_names_are_not_used_in_silence(named):
    X, Y = named
    probes = pd.DataFrame({"probe_id": X.columns, "chromosome": "1", "position": 5})
    genes = pd.DataFrame({"gene_id": Y.columns, "chromosome": "1", "start": 5})
    with pytest.warns(UserWarning, match="targets have no names"):
        model = MultiKernelRidgeRegressor(probes=probes, genes=genes).fit(X, Y.to_numpy())
    plain = MultiKernelRidgeRegressor(cis=None).fit(X, Y)
    assert_array_equal(model.predict(X), plain.predict(X))
