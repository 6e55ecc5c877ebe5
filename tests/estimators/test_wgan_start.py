"""The Gaussian model that WGANGPGenerator starts from, and the training with all samples."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch

import omitrans
from omitrans import WGANGPGenerator
from omitrans.engine import WassersteinNet
from omitrans.networks.wasserstein import GaussianStartMLP

N_GENES = 14


def make_tables(n_samples=100, seed=0):
    """Covariates with combinations that interact, and expression with one strong programme."""
    biology = np.random.default_rng(1)
    tissues, states = biology.normal(5, 2, (3, N_GENES)), biology.normal(size=(2, N_GENES))
    own = biology.normal(size=(3, 2, N_GENES))
    loadings, slope = biology.normal(size=(2, N_GENES))
    rng = np.random.default_rng(seed)
    tissue, state, age = rng.integers(3, size=n_samples), rng.integers(2, size=n_samples), None
    age = rng.uniform(20, 80, n_samples)
    values = tissues[tissue] + states[state] + own[tissue, state] + np.outer(age / 30, slope)
    values += rng.normal(size=(n_samples, 1)) * loadings + 0.3 * rng.normal(size=values.shape)
    X = pd.DataFrame(
        {
            "tissue": np.array(["Blood", "Liver", "Lung"])[tissue],
            "state": np.array(["healthy", "ill"])[state],
            "age": age,
        },
        index=[f"s{i}" for i in range(n_samples)],
    )
    return X, pd.DataFrame(values.astype(np.float32), X.index, [f"g{i}" for i in range(N_GENES)])


def quick(**params):
    options = {"hidden_layer_sizes": (16,), "noise_dim": 4, "max_epochs": 4, "random_state": 0}
    return WGANGPGenerator(**options | params)


@pytest.fixture(scope="module")
def tables():
    return make_tables()


def draw(generator, X, **options):
    return generator.sample_y(X, random_state=0, **options)


def unchanged(monkeypatch):
    """Let training leave all weights as they are."""

    def step(net, batch, **_):
        return {"critic": torch.zeros(())}

    monkeypatch.setattr(WassersteinNet, "train_step", step)


def lowest_after(monkeypatch, n_epochs):
    """Let validations find the lowest loss after so many epochs."""
    monkeypatch.setattr(
        WassersteinNet,
        "validation_loss",
        lambda net, batches: 1.0 + abs(len(net.history) - n_epochs),
    )


def test_starts_with_the_moments_of_the_training_samples(tables, monkeypatch):
    X, y = tables
    unchanged(monkeypatch)
    generator = quick(early_stopping=False).fit(X, y, groups=None)
    many = draw(generator, X, n_samples=40)
    cell = X["tissue"] + X["state"]
    drawn_cell = np.tile(cell, 40)
    residual = y - y.groupby(cell).transform("mean")
    drawn = many - many.groupby(drawn_cell).transform("mean")
    scale = y.std()
    means = (many.groupby(drawn_cell).mean() - y.groupby(cell).mean()) / scale
    assert means.abs().to_numpy().mean() < 0.1
    np.testing.assert_allclose(drawn.std() / scale, residual.std() / scale, atol=0.1)
    pairs = np.triu_indices(N_GENES, 1)
    correlations = [np.corrcoef(table.to_numpy().T)[pairs] for table in (drawn, residual)]
    assert np.corrcoef(*correlations)[0, 1] > 0.98


@pytest.mark.usefixtures("own_random_numbers")
def test_the_network_gives_the_means_of_the_model():
    network = GaussianStartMLP(3, 2, noise_dim=1, n_factors=1, n_cells=2, n_categories=(2, 1))
    network.copy_model(
        offset=torch.tensor([1.0, 2.0]),
        levels=[torch.tensor([[9.0, 9], [10, 0], [20, 0]]), torch.tensor([[0.0, 0], [0, 100]])],
        slopes=torch.tensor([[0.5, 0.0]]),
        cells=torch.tensor([[2, 1]]),
        cell_effects=torch.tensor([[1000.0, 0]]),
        factors=torch.tensor([[3.0, 4.0]]),
        deviation=torch.tensor([0.0, 7.0]),
    )
    covariates = torch.tensor([[1.0, 1, 2], [2, 1, 0], [0, 0, 0]])
    expected = torch.tensor([[12.0, 102], [1021, 102], [10, 11]])
    torch.testing.assert_close(network.mean(covariates), expected)
    noise = torch.zeros(3, network.n_inputs)
    torch.testing.assert_close(network(covariates, noise), expected)  # the perceptron adds nothing
    noise[:, 1], noise[:, 3] = 1, 1
    torch.testing.assert_close(network(covariates, noise), expected + torch.tensor([3.0, 11.0]))


@pytest.mark.usefixtures("own_random_numbers")
def test_a_class_mixes_its_own_covariance_with_that_of_all():
    network = GaussianStartMLP(
        1, 2, noise_dim=1, n_factors=1, n_classes=2, n_class_factors=2, n_categories=(3,)
    )
    network.copy_model(
        offset=torch.zeros(2),
        levels=[torch.zeros(4, 2)],
        slopes=torch.zeros(0, 2),
        cells=torch.zeros(0, 1),
        cell_effects=torch.zeros(0, 2),
        factors=torch.tensor([[3.0, 4.0]]),
        deviation=torch.tensor([1.0, 2.0]),
        classes=torch.tensor([[2]]),
        class_shares=torch.tensor([0.75]),
        class_factors=[torch.tensor([[4.0, -4.0]])],
        class_deviation=torch.tensor([[5.0, 6.0]]),
    )
    covariates = torch.tensor([[1.0], [2.0]])
    unit = torch.eye(network.n_inputs)[1:]  # of the factor, two of the class, and two genes
    drawn = torch.stack([network(covariates, row.repeat(2, 1)) for row in unit])
    others = torch.tensor([[3.0, 4], [0, 0], [0, 0], [1, 0], [0, 2]])
    of_class = torch.tensor([[1.5, 2], [2 * 3**0.5, -2 * 3**0.5], [0, 0], [5, 0], [0, 6]])
    torch.testing.assert_close(drawn[:, 0], others)
    torch.testing.assert_close(drawn[:, 1], of_class)


@pytest.mark.slow
def test_starts_with_covariances_of_classes_where_they_differ(monkeypatch):
    rng = np.random.default_rng(0)
    unchanged(monkeypatch)
    tissue = np.repeat(["a", "b"], 100)
    hidden = rng.normal(size=200)
    other = np.where(tissue == "a", hidden, -hidden)
    y = np.column_stack([hidden, other]) + 0.3 * rng.normal(size=(200, 2))
    X = pd.DataFrame({"tissue": tissue})
    drawn = draw(quick(max_epochs=1).fit(X, y.astype(np.float32)), X, n_samples=10)
    found = drawn.groupby(np.tile(tissue, 10)).corr().iloc[::2, 1]
    assert found["a"].item() > 0.7
    assert found["b"].item() < -0.7


def test_the_start_stays_where_training_only_spoils_it(tables):
    X, y = tables
    spoiled = quick(lr=1.0, max_epochs=10, validate_every=2, n_iter_no_change=6).fit(X, y)
    assert spoiled.best_epoch_ == 0
    assert spoiled.n_iter_ == 6
    assert spoiled.history_["valid_energy"].min() > spoiled.best_validation_loss_
    again = quick(lr=1.0, max_epochs=2, validate_every=2, n_iter_no_change=2).fit(X, y)
    pd.testing.assert_frame_equal(draw(again, X), draw(spoiled, X))


def test_the_last_training_has_all_samples_and_the_best_number_of_epochs(tables, monkeypatch):
    X, y = tables
    lowest_after(monkeypatch, 6)
    seen, epochs = [], []
    prepare, run = WassersteinNet.prepare, WassersteinNet.run_single_epoch
    monkeypatch.setattr(
        WassersteinNet,
        "prepare",
        lambda net, rows: (seen.append(rows.rows.numpy()), epochs.append(0), prepare(net, rows))[2],
    )

    def count(net, iterator, training, *args, **params):
        epochs[-1] += training
        return run(net, iterator, training, *args, **params)

    monkeypatch.setattr(WassersteinNet, "run_single_epoch", count)
    donors = np.arange(100) % 25
    generator = quick(max_epochs=8, validate_every=2, lr=3e-3).fit(X, y, groups=donors)
    assert [len(rows) for rows in seen] == [80, 100]
    assert not set(donors[seen[0]]) & set(np.delete(donors, seen[0]))
    assert generator.best_epoch_ == 6
    assert epochs == [8, 6]
    np.testing.assert_allclose(generator.net_.target_scaling_.shift, y.mean(), rtol=1e-4)
    kept = quick(max_epochs=8, validate_every=2, lr=3e-3, refit=False).fit(X, y, groups=donors)
    assert not draw(kept, X).equals(draw(generator, X))
    pd.testing.assert_frame_equal(
        kept.history_.drop(columns="seconds"), generator.history_.drop(columns="seconds")
    )


def test_number_of_factors(tables):
    X, y = tables
    factors = [
        quick(n_factors=n, max_epochs=1).fit(X[:rows], y[:rows]).net_.module_.factors
        for n, rows in ((3, 100), (64, 100), (64, 10), (0, 100))
    ]
    assert [len(weights) for weights in factors] == [3, 50, 5, 0]


@pytest.mark.parametrize("columns", [[], ["tissue"], ["age"], ["tissue", "state", "age"]])
def test_any_kinds_of_covariates(tables, columns):
    X, y = tables
    generator = quick(ignored_columns=[name for name in X if name not in columns]).fit(X, y)
    drawn = draw(generator, X)
    assert np.isfinite(drawn.to_numpy()).all()
    np.testing.assert_array_equal(draw(generator, X[:7]), drawn[:7])


@pytest.mark.parametrize("n_samples", [2, 3, 5, 8])
def test_few_samples(tables, n_samples):
    X, y = tables
    drawn = draw(quick().fit(X[:n_samples], y[:n_samples]), X[:n_samples])
    assert np.isfinite(drawn.to_numpy()).all()


@pytest.mark.parametrize("way", ["pickle", "omitrans"])
def test_stored_with_its_model(way, tables, tmp_path):
    X, y = tables
    generator = quick().fit(X, y)
    if way == "pickle":
        again = pickle.loads(pickle.dumps(generator))
    else:
        omitrans.save(generator, tmp_path / "model.omitrans")
        again = omitrans.load(tmp_path / "model.omitrans")
    pd.testing.assert_frame_equal(draw(again, X), draw(generator, X))


def test_both_trainings_go_on_from_their_checkpoints(tables, tmp_path, monkeypatch):
    X, y = tables
    options = {"max_epochs": 9, "validate_every": 2, "lr": 3e-3}
    lowest_after(monkeypatch, 8)
    whole = quick(**options).fit(X, y)
    checkpoints = {"checkpoint_dir": tmp_path, "checkpoint_every": 2, "resume": True}
    step = WassersteinNet.train_step
    # 3 batches per epoch of the first training, which goes on in its fifth; 4 of the second
    for left in (14, 5 * 3 + 9):
        remaining = [left]

        def interrupted(net, batch, remaining=remaining, **params):
            remaining[0] -= 1
            if remaining[0] < 0:
                raise KeyboardInterrupt
            return step(net, batch, **params)

        monkeypatch.setattr(WassersteinNet, "train_step", interrupted)
        with pytest.warns(omitrans.exceptions.TrainingInterrupted):
            quick(**options, **checkpoints).fit(X, y)
    monkeypatch.setattr(WassersteinNet, "train_step", step)
    resumed = quick(**options, **checkpoints).fit(X, y)
    pd.testing.assert_frame_equal(draw(resumed, X), draw(whole, X))
