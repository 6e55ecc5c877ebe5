"""What WGANGPGenerator promises beyond scikit-learn's own checks."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

import omitrans
from omitrans import WGANGPGenerator
from omitrans.displays import HistoryDisplay
from omitrans.engine import WassersteinNet
from omitrans.exceptions import (
    FeatureMismatchError,
    TrainingInterrupted,
    UnknownCategoryError,
    UnknownNameError,
)

N_GENES = 12
TISSUES = ["Blood", "Liver", "Lung"]


def make_tables(n_samples=90, seed=0, n_genes=N_GENES):
    """Covariates, and expression that the tissue, the age and one programme explain."""
    biology = np.random.default_rng(1)
    means = pd.DataFrame(biology.normal(5, 2, (3, n_genes)), TISSUES)
    loadings, slopes = biology.normal(size=(2, n_genes))
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"tissue": rng.choice(TISSUES, n_samples)})
    X["age"] = rng.integers(20, 80, n_samples)
    X.index = [f"sample{i}" for i in range(n_samples)]
    values = means.loc[X["tissue"]].to_numpy() + rng.normal(size=(n_samples, 1)) * loadings
    values += 0.03 * (X[["age"]].to_numpy() - 50) * slopes
    values += 0.2 * rng.normal(size=values.shape)
    names = [f"ENSG{i:02d}" for i in range(n_genes)]
    return X, pd.DataFrame(values.astype(np.float32), X.index, names)


# As published, without a Gaussian model to start from; the start has a file of its own.
PUBLISHED = {
    "backbone": None,
    "optimizer": "rmsprop",
    "lr": 5e-4,
    "critic_lr": None,
    "weight_averaging": 0.0,
    "validation_fraction": 0.1,
    "refit": False,
}


def quick(**params):
    options = {"hidden_layer_sizes": (16,), "noise_dim": 4, "max_epochs": 3, "random_state": 0}
    options |= PUBLISHED
    return WGANGPGenerator(**{**options, **params})


@pytest.fixture
def tables():
    return make_tables()


def draw(generator, X, seed=0, **options):
    return generator.sample_y(X, random_state=seed, **options).to_numpy()


# --- it learns ---


@pytest.mark.slow
def test_learns_means_deviations_and_correlations_under_covariates():
    X, y = make_tables(256)
    generator = quick(
        hidden_layer_sizes=(48, 48),
        lr=3e-3,
        optimizer="adam",
        batch_size=128,
        max_epochs=150,
        n_critic=3,
        early_stopping=False,
    ).fit(X, y)
    new, truth = make_tables(600, seed=5)
    drawn = generator.sample_y(new, random_state=0)
    spread = truth.groupby(new["tissue"]).std().mean()
    means = [table.groupby(new["tissue"]).mean() for table in (drawn, truth)]
    assert ((means[0] - means[1]) / spread).abs().mean().mean() < 0.4
    within = [table - table.groupby(new["tissue"]).transform("mean") for table in (drawn, truth)]
    assert (within[0].std() / within[1].std()).between(0.5, 1.7).all()
    pairs = np.triu_indices(N_GENES, 1)
    correlations = [np.corrcoef(table.to_numpy().T)[pairs] for table in within]
    assert np.corrcoef(*correlations)[0, 1] > 0.9
    young, old = (drawn_at(generator, new, age) for age in (30, 70))
    biology = np.random.default_rng(1)
    biology.normal(5, 2, (3, N_GENES))
    slopes = biology.normal(size=(2, N_GENES))[1]
    assert np.corrcoef(old - young, slopes)[0, 1] > 0.9


def drawn_at(generator, X, age):
    """Return mean expression with the same latent states, at an age."""
    return draw(generator, X.assign(age=age)).mean(axis=0)


# --- parameters ---


def test_hyperparameters_reach_both_players(tables):
    net = (
        quick(hidden_layer_sizes=(17, 11), noise_dim=7, n_critic=3, gp_weight=2.0, lr=2e-3)
        .set_params(critic_lr=1e-5, batch_size=16, max_epochs=1, weight_averaging=0.5)
        .fit(*tables)
        .net_
    )
    generator, critic = net.module_, net.discriminator_
    assert (generator.from_values.in_features, generator.output.out_features) == (7, N_GENES)
    assert (critic.from_values.in_features, critic.output.out_features) == (N_GENES, 1)
    for player in (generator, critic):
        assert (player.from_values.out_features, player.output.in_features) == (17, 11)
        assert [e.weight.shape for e in player.covariates.embeddings] == [(4, 2)]
    assert (net.n_critic, net.gp_weight, net.lr, net.batch_size) == (3, 2.0, 2e-3, 16)
    assert net.get_params()["discriminator_optimizer__lr"] == 1e-5


def test_every_training_parameter_changes_the_result(tables):
    """A parameter that never reaches the net would leave the answer as it was."""
    X, y = tables
    common = {"early_stopping": False, "max_epochs": 2, "batch_size": 64, "n_critic": 3}
    base = draw(quick(**common).fit(X, y), X)
    np.testing.assert_array_equal(draw(quick(**common).fit(X, y), X), base)
    for change in (
        {"backbone": "gaussian"},
        {"hidden_layer_sizes": (15,)},
        {"scaling": "none"},
        {"n_critic": 2},
        {"gp_weight": 1.0},
        {"weight_averaging": 0.9},
        {"augmentation": 0.5},
        {"augmentation": 0.5, "augmentation_sd": 1.0},
        {"augmentation": 0.5, "frozen_augmentation": True},
        {"rescale": True},
        {"clip": True},
        {"optimizer": "adam"},
        {"lr": 1e-2},
        {"critic_lr": 1e-2},
        {"batch_size": 16},
        {"shuffle": False},
        {"max_epochs": 3},
        {"decay_epochs": 1},
        {"early_stopping": True},
        {"random_state": 1},
    ):
        other = draw(quick(**{**common, **change}).fit(X, y), X)
        assert not np.array_equal(other, base), change


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden_layer_sizes": ()}, "is empty"),
        ({"hidden_layer_sizes": (0,)}, "at least 1"),
        ({"n_critic": 0}, "n_critic"),
        ({"weight_averaging": 1.0}, "weight_averaging"),
        ({"validate_every": 5, "n_iter_no_change": 4}, "lower validate_every"),
        ({"decay_epochs": 99}, "cannot exceed it"),
        ({"optimizer": "sgd"}, "optimizer"),
    ],
)
def test_wrong_parameters(params, message, tables):
    with pytest.raises(ValueError, match=message):
        quick(**params).fit(*tables)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("paper-ecoli", {"hidden_layer_sizes": (128, 128), "augmentation": 0.0}),
        ("paper-gtex-tcga", {"hidden_layer_sizes": (256, 256), "n_iter_no_change": 30}),
        (
            "repo-ecoli",
            {"noise_dim": 10, "max_epochs": 500, "augmentation": 0.25, "augmentation_sd": 0.5}
            | {"frozen_augmentation": True, "rescale": True, "clip": True},
        ),
        (
            "repo-gtex-tcga",
            {"noise_dim": 64, "max_epochs": 2000, "augmentation": 0.0, "rescale": False}
            | {"shuffle": False, "numeric_covariates": None, "n_iter_no_change": 50},
        ),
    ],
)
def test_presets(name, expected):
    params = WGANGPGenerator.from_preset(name).get_params()
    shared = {"lr": 5e-4, "critic_lr": None, "optimizer": "rmsprop", "n_critic": 5}
    shared |= {"gp_weight": 10.0, "batch_size": 32, "validate_every": 5}
    shared |= {"validation_score": "s_dist", "weight_averaging": 0.0, "early_stopping": True}
    expected = shared | expected
    assert {key: params[key] for key in expected} == expected


def test_presets_can_be_changed_and_must_be_known(tables):
    model = WGANGPGenerator.from_preset("repo-ecoli", max_epochs=1, random_state=0)
    assert draw(model.fit(*tables), tables[0]).shape == (90, N_GENES)
    with pytest.raises(UnknownNameError, match="paper-ecoli"):
        WGANGPGenerator.from_preset("ecoli")


# --- what is drawn ---


def test_a_shorter_table_draws_what_the_longer_one_does(tables):
    X, y = make_tables(150)
    generator = quick(max_epochs=1).fit(X, y)
    whole = draw(generator, X)
    for n_rows in (1, 64, 65):
        np.testing.assert_array_equal(draw(generator, X[:n_rows]), whole[:n_rows])


def test_sampling_leaves_the_generator_as_it_was(tables):
    X, y = tables
    generator = quick().fit(X, y)
    before = pickle.dumps(generator)
    first = draw(generator, X, n_samples=2)
    assert pickle.dumps(generator) == before
    np.testing.assert_array_equal(draw(generator, X, n_samples=2), first)


def test_rescaled_values_have_the_moments_of_training_and_clipped_ones_its_range(tables):
    X, y = tables
    options = {"early_stopping": False, "max_epochs": 2}
    rescaled = quick(rescale=True, **options).fit(X, y)
    many = pd.concat([X] * 20)
    drawn = draw(rescaled, many)
    np.testing.assert_allclose(drawn.mean(axis=0), y.mean(), atol=0.15 * y.std().max())
    np.testing.assert_allclose(drawn.std(axis=0), y.std(), rtol=0.1)
    np.testing.assert_array_equal(draw(rescaled, many[:1])[0], drawn[0])
    clipped = draw(quick(rescale=True, clip=True, **options).fit(X, y), many)
    assert (clipped >= y.min().to_numpy()).all()
    assert (clipped <= y.max().to_numpy()).all()
    assert (drawn > y.max().to_numpy()).any()


def test_constant_genes_are_drawn_as_their_value(tables):
    X, y = tables
    y["ENSG03"] = np.float32(0.1)
    drawn = quick(rescale=True).fit(X, y).sample_y(X, random_state=0)
    assert (drawn["ENSG03"] == np.float32(0.1)).all()


def test_unknown_level_is_named(tables):
    X, y = tables
    generator = quick(max_epochs=1).fit(X, y)
    with pytest.raises(UnknownCategoryError, match=r"'tissue' .*Spleen.*'Blood', 'Liver', 'Lung'"):
        generator.sample_y(X.assign(tissue="Spleen"))


def test_without_covariates(tables):
    X, y = tables
    generator = quick(max_epochs=1, ignored_columns=["tissue", "age"]).fit(X, y)
    assert np.isfinite(draw(generator, X)).all()


def test_category_embedding(tables):
    embedding = quick(max_epochs=1).fit(*tables).category_embedding("tissue")
    assert list(embedding.index) == TISSUES
    assert embedding.shape == (3, 2)


# --- early stopping ---


def test_history_and_best_epoch(tables):
    generator = quick(max_epochs=12, validate_every=5).fit(*tables)
    history = generator.history_
    assert {"train_critic", "train_critic_penalty", "train_adversarial"} <= set(history)
    validated = history["valid_energy"].dropna()
    assert list(history.loc[validated.index, "epoch"]) == [5, 10, 12]
    assert generator.best_epoch_ in {5, 10, 12}
    assert generator.best_validation_loss_ == pytest.approx(validated.min())
    assert generator.n_iter_ == 12


def test_the_best_generator_comes_back():
    """With a rate that spoils the generator after its first validation."""
    X, y = make_tables(120)
    options = {"max_epochs": 8, "validate_every": 2, "lr": 0.05, "validation_score": "s_dist"}
    best = quick(**options).fit(X, y)
    assert best.best_epoch_ < 8, "the example should have got worse"
    until = quick(**{**options, "max_epochs": best.best_epoch_}).fit(X, y)
    np.testing.assert_array_equal(draw(best, X), draw(until, X))
    last = quick(**options, restore_best=False).fit(X, y)
    assert not np.array_equal(draw(last, X), draw(best, X))


def test_groups_are_never_split(tables, monkeypatch):
    X, y = tables
    donors = np.arange(90) % 30
    seen = {}
    prepare = WassersteinNet.prepare

    def spy(net, dataset):
        seen["rows"] = dataset.rows.numpy()
        prepare(net, dataset)

    monkeypatch.setattr(WassersteinNet, "prepare", spy)
    quick(max_epochs=1).fit(X, y, groups=donors)
    training = set(donors[seen["rows"]])
    held_out = set(np.delete(donors, seen["rows"]))
    assert held_out
    assert not training & held_out
    np.testing.assert_allclose(  # and scaling is learned without them
        quick(max_epochs=1).fit(X, y, groups=donors).net_.target_scaling_.shift,
        y.to_numpy()[seen["rows"]].mean(axis=0),
        rtol=1e-5,
    )


def test_given_validation_samples_take_the_place_of_random_ones(tables):
    X, y = tables
    other_X, other_y = make_tables(20, seed=3)
    generator = quick().fit(X, y, validation=(other_X[["age", "tissue"]], other_y))
    np.testing.assert_allclose(generator.net_.target_scaling_.shift, y.mean(), rtol=1e-5)
    apart = quick().fit(X, y, validation=make_tables(20, seed=4))
    assert generator.best_validation_loss_ != apart.best_validation_loss_


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X, y.iloc[:, ::-1]), "12 genes of y in the same order"),
        (lambda X, y: (X.assign(tissue="Spleen"), y), "Spleen"),
        (lambda X, y: (X[:5], y.to_numpy()), "5 rows of covariates and 20"),
        (lambda X, y: X, r"must be a pair, \(covariates, expression\)"),
    ],
)
def test_wrong_validation_samples(tables, change, message):
    with pytest.raises((ValueError, FeatureMismatchError), match=message):
        quick().fit(*tables, validation=change(*make_tables(20, seed=3)))
    with pytest.raises(ValueError, match="early_stopping=True"):
        quick(early_stopping=False).fit(*tables, validation=tables)


def test_history_can_be_drawn(tables, pyplot):
    generator = quick(max_epochs=7, validate_every=2, n_iter_no_change=7).fit(*tables)
    panels = HistoryDisplay.from_estimator(generator).ax_
    lines = {line.get_label(): line for panel in panels for line in panel.get_lines()}
    assert list(lines["validation energy"].get_xdata()) == [2, 4, 6, 7]


# --- training goes on, is cut short, is stored ---


@pytest.mark.parametrize("change", [{}, {"augmentation": 0.5, "frozen_augmentation": True}])
def test_a_training_goes_on_from_its_checkpoint(tables, tmp_path, monkeypatch, change):
    X, y = tables
    options = {"max_epochs": 9, "weight_averaging": 0.9, "validate_every": 2, **change}
    whole = quick(**options).fit(X, y)
    checkpoints = {"checkpoint_dir": tmp_path, "checkpoint_every": 2}
    step, left = WassersteinNet.train_step, [14]  # 3 batches per epoch: in epoch 5

    def interrupted(net, batch, **params):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return step(net, batch, **params)

    monkeypatch.setattr(WassersteinNet, "train_step", interrupted)
    with pytest.warns(TrainingInterrupted, match="interrupted in epoch 5 of 9"):
        cut = quick(**options, **checkpoints).fit(X, y)
    assert np.isfinite(draw(cut, X)).all()
    monkeypatch.setattr(WassersteinNet, "train_step", step)
    resumed = quick(**options, **checkpoints, resume=True).fit(X, y)
    np.testing.assert_array_equal(draw(resumed, X), draw(whole, X))
    columns = [name for name in whole.history_ if name != "seconds"]
    pd.testing.assert_frame_equal(resumed.history_[columns], whole.history_[columns])


def test_streaming_gives_the_same_generator(tables):
    X, y = tables
    resident, streamed = (
        draw(quick(data_location=location, clip=True).fit(X, y), X)
        for location in ("device", "host")
    )
    np.testing.assert_array_equal(streamed, resident)


@pytest.mark.parametrize("way", ["pickle", "omitrans"])
def test_stored_with_all_that_follows_the_network(way, tables, tmp_path):
    X, y = tables
    y["ENSG02"] = np.float32(3.0)
    generator = quick(rescale=True, clip=True, weight_averaging=0.5).fit(X, y)
    if way == "pickle":
        again = pickle.loads(pickle.dumps(generator))
    else:
        omitrans.save(generator, tmp_path / "model.omitrans")
        again = omitrans.load(tmp_path / "model.omitrans")
    np.testing.assert_array_equal(draw(again, X), draw(generator, X))


def test_bfloat16(tables):
    X, y = tables
    options = {"early_stopping": False, "max_epochs": 4}
    exact = draw(quick(precision="float32", **options).fit(X, y), X)
    rough = draw(quick(precision="bf16", **options).fit(X, y), X)
    assert not np.array_equal(rough, exact)
    assert np.abs(rough - exact).mean() < 0.2 * y.to_numpy().std()


def test_progress_is_shown_on_request(tables, capsys):
    quick(verbose=1).fit(*tables)
    assert "train_critic" in capsys.readouterr().err


def test_memory_errors_tell_the_sizes(tables, monkeypatch):
    def out_of_memory(*_, **__):
        raise torch.OutOfMemoryError("no memory")

    generator = quick(max_epochs=1).fit(*tables)
    monkeypatch.setattr(type(generator.net_.module_), "forward", out_of_memory)
    with pytest.raises(omitrans.exceptions.DeviceMemoryError, match="weights with gradients"):
        generator.sample_y(tables[0])


def test_global_generators_are_left_alone(tables):
    state = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        generator = quick(augmentation=0.5).fit(*tables)
        generator.sample_y(tables[0], random_state=0)
    assert torch.equal(torch.get_rng_state(), state)
