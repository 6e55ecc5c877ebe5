"""Every fault of a user gets an error that names it and says what to do."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError

from omitrans.exceptions import (
    DeviceMemoryError,
    FeatureMismatchError,
    SampleMismatchError,
    UnknownNameError,
)


def test_lengths_differ(frames, quick):
    X, Y = frames
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[60, 59\]"):
        quick().fit(X.to_numpy(), Y.to_numpy()[:59])


def test_sample_ids_differ(frames, quick):
    X, Y = frames
    with pytest.raises(SampleMismatchError, match=r"1 only in X \(TCGA-0059-01A\).*intersection"):
        quick().fit(X, Y.rename(index={"TCGA-0059-01A": "TCGA-9999-01A"}))


def test_same_samples_in_another_order(frames, quick):
    X, Y = frames
    with pytest.raises(SampleMismatchError, match=r"another order \(row 0: .*Y = Y.loc\[X.index\]"):
        quick().fit(X, Y[::-1])


@pytest.mark.parametrize("name", ["X", "Y"])
def test_duplicated_samples(frames, quick, name):
    tables = dict(zip("XY", frames, strict=True))
    tables[name] = tables[name].rename(index={"TCGA-0001-01A": "TCGA-0000-01A"})
    with pytest.raises(SampleMismatchError, match=rf"{name} .* 1 duplicated ids \(TCGA-0000-01A\)"):
        quick().fit(tables["X"], tables["Y"])


@pytest.mark.parametrize("name", ["X", "Y"])
def test_duplicated_columns(frames, quick, name):
    tables = dict(zip("XY", frames, strict=True))
    table = tables[name]
    tables[name] = table.set_axis([table.columns[1], *table.columns[1:]], axis=1)
    with pytest.raises(
        FeatureMismatchError, match=rf"{name} .*duplicated ids \({table.columns[1]}\)"
    ):
        quick().fit(tables["X"], tables["Y"])


@pytest.mark.parametrize("name", ["X", "Y"])
def test_unnamed_mixed_with_named_columns(frames, quick, name):
    tables = dict(zip("XY", frames, strict=True))
    tables[name] = tables[name].set_axis([0, *tables[name].columns[1:]], axis=1)
    with pytest.raises(TypeError, match=rf"{name} mixes 1 unnamed columns \(0\).*astype\(str\)"):
        quick().fit(tables["X"], tables["Y"])


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_not_finite_source(frames, quick, value, word):
    X, Y = frames
    X.iloc[3, 2] = value
    with pytest.raises(ValueError, match=rf"(?s)X contains {word}.*cg00000002.*SimpleImputer"):
        quick().fit(X, Y)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite_target(frames, quick, value):
    X, Y = frames
    Y.iloc[3, 2] = value
    with pytest.raises(ValueError, match=r"(?i)y contains (nan|infinity)"):
        quick().fit(X, Y)


def test_m_values_where_betas_are_declared(frames, quick):
    X, Y = frames
    with pytest.raises(ValueError, match=r"beta values.*range from -?\d.* M-values.*m_to_beta"):
        quick(source_unit="beta").fit(6 * X - 3, Y)
    with pytest.raises(ValueError, match="percentages: divide by 100"):
        quick(source_unit="beta").fit(100 * X, Y)
    model = quick(source_unit="beta").fit(X, Y)
    with pytest.raises(ValueError, match="M-values"):
        model.predict(6 * X - 3)


def test_one_sample(frames, quick):
    X, Y = frames
    with pytest.raises(ValueError, match=r"1 sample.* a minimum of 2 is required"):
        quick().fit(X[:1], Y[:1])


def test_two_samples_are_enough_to_run(frames, quick):
    X, Y = frames
    assert np.isfinite(quick().fit(X[:2], Y[:2]).predict(X)).all()


def test_only_constant_features(frames, quick):
    X, Y = frames
    with pytest.raises(ValueError, match="1 features and all of them are constant over its 60"):
        quick().fit(X.iloc[:, :1] * 0 + 0.5, Y)


def test_some_constant_features_and_targets_are_fine(frames, quick):
    X, Y = frames
    X.iloc[:, 0], Y.iloc[:, 1] = 0.5, 3.0
    predicted = quick().fit(X, Y).predict(X)
    assert np.isfinite(predicted).all()
    # one scaled unit of a constant target is 1, and the untrained output is of that size
    assert np.abs(predicted[:, 1] - 3).max() < 3


def test_empty_tables(frames, quick):
    X, Y = frames
    with pytest.raises(ValueError, match=r"Found array with 0 feature\(s\)"):
        quick().fit(X.iloc[:, :0], Y)
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        quick().fit(X[:0], Y[:0])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"dropout": 1.5}, r"'dropout' parameter .* range \[0.0, 1.0\)"),
        ({"lr": 0.0}, r"'lr' parameter"),
        ({"hidden_layer_sizes": (64, 0)}, r"whole numbers of at least 1. Got 0 in .64, 0."),
        ({"hidden_layer_sizes": [6.5]}, r"'hidden_layer_sizes' parameter .* Got 6.5"),
        ({"max_epochs": 0}, r"'max_epochs' parameter"),
        ({"adversarial_loss": "wgan"}, r"'adversarial_loss' parameter .*'vanilla'"),
        ({"reconstruction_loss": "huber"}, r"'reconstruction_loss' parameter"),
        ({"precision": "fp16"}, r"'precision' parameter"),
        ({"decay_epochs": 7}, r"decay_epochs=7 is part of max_epochs=6"),
        ({"adversarial_loss": None, "reconstruction_weight": 0}, "nothing to learn from"),
        ({"reconstruction_loss": "cross-entropy"}, r"targets in \[0, 1\].*target_scaling='minmax'"),
        ({"resume": True}, "resume=True needs checkpoint_dir"),
        ({"checkpoint_dir": "x", "random_state": None}, "needs an integer random_state"),
        ({"device": "gpu"}, r"'device' parameter must be 'auto'"),
        ({"latent_dim": 2.5}, r"'latent_dim' parameter"),
    ],
)
def test_parameter_out_of_range(frames, quick, params, message):
    with pytest.raises(ValueError, match=message):
        quick(**params).fit(*frames)


@pytest.mark.parametrize("which", ["generator", "discriminator"])
def test_misspelt_network_lists_the_known_ones(frames, quick, which):
    with pytest.raises(UnknownNameError, match=rf"Unknown {which} 'fcc'. Available: .*fc"):
        quick(**{which: "fcc"}).fit(*frames)


def test_misspelt_network_parameter(frames, quick):
    with pytest.raises(TypeError, match="n_layers"):
        quick(generator_params={"n_layers": 3}).fit(*frames)


def test_predict_on_other_columns(frames, quick):
    X, Y = frames
    model = quick().fit(X, Y)
    with pytest.raises(FeatureMismatchError, match=r"(?s)yet now missing:\n- cg00000011.*reindex"):
        model.predict(X.iloc[:, :-1])
    with pytest.raises(FeatureMismatchError, match=r"(?s)unseen at fit time:\n- cg99.*reindex"):
        model.predict(X.rename(columns={"cg00000011": "cg99"}))
    with pytest.raises(FeatureMismatchError, match=r"(?s)same order.*reindex"):
        model.predict(X.iloc[:, ::-1])
    unnamed = quick().fit(X.to_numpy(), Y)
    with pytest.raises(FeatureMismatchError, match=r"X has 11 features, but .* 12 features"):
        unnamed.predict(X.to_numpy()[:, :-1])


def test_unfitted_predict(frames, quick):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        quick().predict(frames[0])


def test_out_of_memory_gives_sizes_and_remedy(frames, quick):
    with pytest.raises(DeviceMemoryError, match=r"weights with gradients.*data_location='host'"):
        quick(generator=Greedy).fit(*frames)


def test_networks_beyond_all_memory_are_an_error_too(frames, quick):
    with pytest.raises(DeviceMemoryError, match="networks could not be built"):
        quick(hidden_layer_sizes=(10_000_000, 10_000_000)).fit(*frames)


class Greedy(torch.nn.Linear):
    """A generator that finds no memory."""

    def forward(self, X):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")


def test_failed_fit_leaves_an_unfitted_model_unfitted(frames, quick):
    X, Y = frames
    model = quick(generator=Greedy)
    with pytest.raises(DeviceMemoryError):
        model.fit(X, Y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_integer_columns_of_targets_are_kept_as_names(frames, quick):
    X, Y = frames
    entrez = pd.Index([7157, 672, 675, 1956, 2064])
    assert list(quick().fit(X, Y.set_axis(entrez, axis=1)).target_names_) == list(entrez)
