"""What a user of OmiTransRegressor relies on."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.preprocessing import StandardScaler
from torch import nn

import omitrans
from omitrans import OmiTransRegressor
from omitrans.datasets import make_paired_omics
from omitrans.engine import AdversarialNet, OmicsNet
from omitrans.metrics import RECONSTRUCTION_SCORERS
from omitrans.pipelines import make_translation_pipeline


def test_learns_a_linear_relation(frames):
    X, Y = frames
    model = OmiTransRegressor(backbone=None, lr=1e-2, dropout=0.0, random_state=0).fit(
        X[:45], Y[:45]
    )
    assert model.score(X[45:], Y[45:]) > 0.7
    assert model.n_iter_ <= 500
    assert 1 <= model.best_epoch_ <= model.n_iter_


def test_attributes_after_fit(frames, quick):
    X, Y = frames
    model = quick(early_stopping=False).fit(X, Y)
    assert model.n_features_in_ == 12
    assert list(model.feature_names_in_) == list(X.columns)
    assert list(model.target_names_) == list(Y.columns)
    assert model.n_targets_ == 5
    assert model.n_iter_ == 6
    assert isinstance(model.net_, AdversarialNet)
    assert not hasattr(model, "best_epoch_")
    assert list(model.history_["epoch"]) == [1, 2, 3, 4, 5, 6]
    expected = {"lr", "seconds", "train_reconstruction", "train_adversarial", "train_discriminator"}
    assert expected <= set(model.history_)


def test_target_names_of_arrays_and_series(frames, quick):
    X, Y = frames
    assert list(quick().fit(X, Y.to_numpy()).target_names_) == [f"y{i}" for i in range(5)]
    one = quick().fit(X, Y.iloc[:, 0])
    assert list(one.target_names_) == [Y.columns[0]]
    assert one.predict(X).shape == (60,)


def test_predict_frame_names_samples_and_targets(frames, quick):
    X, Y = frames
    predicted = omitrans.predict_frame(quick().fit(X, Y), X[:3])
    assert list(predicted.index) == list(X.index[:3])
    assert list(predicted.columns) == list(Y.columns)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_have_the_dtype_of_x(frames, quick, dtype):
    X, Y = frames
    assert quick().fit(X.astype(dtype), Y).predict(X.astype(dtype)).dtype == dtype


def test_a_sample_alone_is_predicted_as_in_a_batch(frames, quick):
    X, Y = frames
    model = quick().fit(X, Y)
    large = pd.concat([X] * 3, ignore_index=True)  # more than one block of rows
    together = model.predict(large)
    for i in (0, 1, 59, 63, 64, 179):
        np.testing.assert_array_equal(model.predict(large[i : i + 1])[0], together[i])
    order = np.random.default_rng(0).permutation(len(large))
    np.testing.assert_array_equal(model.predict(large.iloc[order]), together[order])


def test_same_random_state_same_predictions(frames, quick):
    X, Y = frames
    first, second, other = (quick(random_state=s).fit(X, Y).predict(X) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_fit_on_frames_and_arrays_gives_the_same(frames, quick):
    X, Y = frames
    by_frame = quick().fit(X, Y).predict(X)
    by_array = quick().fit(X.to_numpy(), Y.to_numpy()).predict(X.to_numpy())
    np.testing.assert_array_equal(by_frame, by_array)


def test_pickle_joblib_and_file_predict_identically(frames, quick, tmp_path):
    X, Y = frames
    model = quick().fit(X, Y)
    expected = model.predict(X)
    joblib.dump(model, tmp_path / "model.joblib")
    omitrans.save(model, tmp_path / "model.omitrans")
    copies = [
        pickle.loads(pickle.dumps(model)),
        joblib.load(tmp_path / "model.joblib"),
        omitrans.load(tmp_path / "model.omitrans"),
    ]
    for copy in copies:
        np.testing.assert_array_equal(copy.predict(X), expected)
        pd.testing.assert_frame_equal(copy.history_, model.history_)
        assert list(copy.target_names_) == list(Y.columns)
        # parameters set after fit do not reach the networks of the copy
        copy.set_params(latent_dim=3)
        again = pickle.loads(pickle.dumps(copy))
        np.testing.assert_array_equal(again.predict(X), expected)


def test_a_model_of_a_gpu_machine_loads_here(frames, quick, monkeypatch):
    X, Y = frames
    model = quick().fit(X, Y)
    expected = model.predict(X)
    data = pickle.dumps(model.set_params(device="cuda:7"))
    with pytest.warns(omitrans.exceptions.DeviceWarning, match="using the CPU"):
        np.testing.assert_array_equal(pickle.loads(data).predict(X), expected)


@pytest.mark.slow
def test_grid_search_with_the_nine_scorers_in_two_processes(frames, quick):
    X, Y = frames
    search = GridSearchCV(
        quick(max_epochs=2),
        {"latent_dim": [2, 8], "hidden_layer_sizes": [(8,), (8, 4)]},
        scoring=RECONSTRUCTION_SCORERS,
        refit="mean_r2_per_feature",
        cv=2,
        n_jobs=2,
    ).fit(X, Y)
    assert len(RECONSTRUCTION_SCORERS) == 9
    for name in RECONSTRUCTION_SCORERS:
        assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all(), name
    assert search.best_estimator_.predict(X).shape == Y.shape


def test_grid_search_over_the_paper_pipeline_in_two_processes(quick):
    data = make_paired_omics(60, 150, 12, missing_rate=0.05, random_state=0)
    pipeline = make_translation_pipeline(
        quick(max_epochs=2), probe_annotation=data.probes, gene_annotation=data.genes
    )
    search = GridSearchCV(
        pipeline,
        {"variance_filter__threshold": [0.0, 0.005], "regressor__regressor__latent_dim": [2, 8]},
        scoring=RECONSTRUCTION_SCORERS,
        refit="median_r2_per_feature",
        cv=GroupKFold(2),
        n_jobs=2,
    ).fit(data.X, data.Y, groups=data.samples["patient"])
    for name in RECONSTRUCTION_SCORERS:
        assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all(), name
    predicted = omitrans.predict_frame(search, data.X[:5])
    assert list(predicted.columns) == list(data.Y.columns)
    assert list(predicted.index) == list(data.X.index[:5])


def test_cross_validate_returns_fitted_models(frames, quick):
    X, Y = frames
    scores = cross_validate(quick(max_epochs=2), X, Y, cv=3, return_estimator=True)
    assert np.isfinite(scores["test_score"]).all()
    assert all(model.n_iter_ == 2 for model in scores["estimator"])


def test_works_inside_transformed_target_regressor(frames, quick):
    X, Y = frames
    model = TransformedTargetRegressor(quick(), transformer=StandardScaler()).fit(X, Y)
    assert model.predict(X).shape == Y.shape


@pytest.mark.parametrize(
    ("parameter", "value", "read"),
    [
        ("hidden_layer_sizes", [9, 7], lambda net: net.module_.hidden[1][0].out_features == 7),
        ("latent_dim", 3, lambda net: net.module_.hidden[1][0].out_features == 3),
        ("dropout", 0.35, lambda net: net.module_.hidden[0][1][0].p == 0.35),
        ("norm", "sample", lambda net: len(net.module_.hidden[0][1]) == 3),
        (
            "generator_params",
            {"negative_slope": 0.3},
            lambda net: net.module_.hidden[0][1][-1].negative_slope == 0.3,
        ),
        (
            "discriminator_params",
            {"n_logits": 4},
            lambda net: net.discriminator_.output.out_features == 4,
        ),
        ("reconstruction_weight", 7.0, lambda net: net.reconstruction_weight == 7.0),
        ("adversarial_loss", None, lambda net: type(net) is OmicsNet),
        ("precision", "bf16", lambda net: net.compute_dtype is torch.bfloat16),
        ("batch_size", 3, lambda net: net.batch_size == 3),
        ("source_scaling", "minmax", lambda net: net.source_scaling_.kind == "minmax"),
    ],
)
def test_parameters_reach_the_net(frames, quick, parameter, value, read):
    model = quick(max_epochs=1, **{parameter: value}).fit(*frames)
    assert read(model.net_)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("lr", 1e-2),
        ("discriminator_lr", 1e-1),
        ("alpha", 0.0),
        ("decay_epochs", 6),
        ("reconstruction_loss", "l1"),
        ("adversarial_loss", "least-squares"),
        ("target_scaling", "none"),
        ("validation_fraction", 0.5),
    ],
)
def test_parameters_change_what_is_learned(frames, quick, parameter, value):
    X, Y = frames
    default = quick().fit(X, Y).predict(X)
    assert not np.array_equal(quick(**{parameter: value}).fit(X, Y).predict(X), default)


def test_a_network_class_serves_as_generator(frames, quick):
    X, Y = frames
    model = quick(generator=PlainLinear, generator_params={"bias": False}).fit(X, Y)
    assert isinstance(model.net_.module_, PlainLinear)
    assert model.net_.module_.bias is None
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))


class PlainLinear(nn.Linear):
    """A generator without the shared parameters (no dropout, no widths)."""

    def __init__(self, n_source, n_target, *, bias=True):
        super().__init__(n_source, n_target, bias=bias)


def test_cross_entropy_keeps_predictions_within_the_range_of_training_targets(frames, quick):
    X, Y = frames
    model = quick(reconstruction_loss="cross-entropy", target_scaling="minmax").fit(X, Y)
    predicted = model.predict(100 * X)
    assert (predicted >= Y.min().to_numpy() - 1e-4).all()
    assert (predicted <= Y.max().to_numpy() + 1e-4).all()


def test_preset_is_table_2_of_the_paper():
    preset = OmiTransRegressor.from_preset("paper-fc")
    expected = {
        "latent_dim": 256,
        "lr": 1e-4,
        "discriminator_lr": 1e-4,
        "batch_size": 128,
        "max_epochs": 800,
        "decay_epochs": 100,
        "dropout": 0.2,
        "reconstruction_loss": "l1",
        "reconstruction_weight": 100.0,
        "hidden_layer_sizes": (4096, 1024, 512),
        "generator": "fc",
        "discriminator": "fc",
        "early_stopping": False,
    }
    assert {name: preset.get_params()[name] for name in expected} == expected
    assert OmiTransRegressor.from_preset("paper-fc", lr=1e-3).lr == 1e-3
    with pytest.raises(omitrans.exceptions.UnknownNameError, match=r"Available: .*paper-fc"):
        OmiTransRegressor.from_preset("paper")


def test_global_generators_do_not_matter(frames, quick):
    X, Y = frames
    with torch.random.fork_rng():
        torch.manual_seed(1)
        first = quick().fit(X, Y).predict(X)
        torch.manual_seed(2)
        np.testing.assert_array_equal(quick().fit(X, Y).predict(X), first)


def test_memory_map_is_read_in_place(frames, quick, tmp_path):
    X, Y = frames
    np.save(tmp_path / "X.npy", X.to_numpy())
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    expected = quick().fit(X.to_numpy(), Y).predict(X.to_numpy())
    for location in ("auto", "host", "device"):
        model = quick(data_location=location).fit(mapped, Y)
        np.testing.assert_array_equal(model.predict(mapped), expected)


def test_fit_leaves_parameters_and_data_alone(frames, quick):
    X, Y = frames
    X_before, Y_before = X.copy(), Y.copy()
    model = quick(hidden_layer_sizes=[9, 5], generator_params={"negative_slope": 0.3})
    before = clone(model).get_params()
    model.fit(X, Y)
    model.predict(X)
    assert model.get_params() == before
    pd.testing.assert_frame_equal(X, X_before)
    pd.testing.assert_frame_equal(Y, Y_before)


def test_progress_bar_shows_losses(frames, quick, capfd):
    quick(verbose=1).fit(*frames)
    shown = capfd.readouterr().err
    assert "6/6" in shown
    assert "valid_reconstruction=" in shown
    quick(verbose=0).fit(*frames)
    assert capfd.readouterr().err == ""
