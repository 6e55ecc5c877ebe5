"""OmiEmbedClassifier: what it learns, its three phases, blocks, presets, and bad input."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import omitrans
from omitrans import OmiEmbedClassifier
from omitrans.datasets import make_paired_omics
from omitrans.engine import EmbeddingNet
from omitrans.exceptions import (
    FeatureMismatchError,
    SampleMismatchError,
    TrainingInterrupted,
    UnknownNameError,
)

TINY = {
    "hidden_layer_sizes": (64, 32),
    "latent_dim": 16,
    "head_layer_sizes": (8,),
    "lr": 5e-3,
    "embedding_epochs": 4,
    "head_epochs": 2,
    "max_epochs": 25,
    "decay_epochs": 5,
    "device": "cpu",
    "random_state": 0,
}
# For tests of what does not depend on how well it learns.
SHORT = {"embedding_epochs": 1, "head_epochs": 1, "max_epochs": 3, "decay_epochs": 0}


def tiny(**params):
    return OmiEmbedClassifier(**{**TINY, **params})


def short(**params):
    return tiny(**SHORT, **params)


@pytest.fixture(scope="module")
def cohort():
    """Methylation and expression of four cancer types in one table, and the types."""
    data = make_paired_omics(
        300, 60, 60, normal_fraction=0, repeat_fraction=0, missing_rate=0, random_state=0
    )
    return data.X.join(data.Y), data.samples["cancer_type"].rename("type")


@pytest.fixture(scope="module")
def halves(cohort):
    X, y = cohort
    return X[:150], y[:150], X[150:], y[150:]


@pytest.fixture(scope="module")
def fitted(halves):
    X, y, *_ = halves
    return tiny(blocks=by_omics(X)).fit(X, y)


def by_omics(X):
    return {
        "methylation": [name for name in X if not name.startswith("ENSG")],
        "expression": [name for name in X if name.startswith("ENSG")],
    }


# --- what it learns ---


def test_it_is_close_to_logistic_regression_on_components(halves, fitted):
    X, y, new_X, new_y = halves
    rival = make_pipeline(StandardScaler(), PCA(10), LogisticRegression()).fit(X, y)
    majority = new_y.value_counts(normalize=True).max()
    score = fitted.score(new_X, new_y)
    assert score > majority + 0.4
    assert score > rival.score(new_X, new_y) - 0.08
    frequencies = np.tile(y.value_counts(normalize=True)[fitted.classes_], (len(new_y), 1))
    loss = log_loss(new_y, fitted.predict_proba(new_X))
    assert loss < 0.6 * log_loss(new_y, frequencies)


def test_the_embedding_separates_the_classes(halves, fitted):
    """Neighbours in the embedding are of one class more often than neighbours in the table."""
    X, y, new_X, new_y = halves
    scale = StandardScaler().fit(X)
    raw = KNeighborsClassifier(5).fit(scale.transform(X), y).score(scale.transform(new_X), new_y)
    embedding = fitted.transform(new_X)
    assert embedding.shape == (len(new_X), 16)
    near = KNeighborsClassifier(5).fit(fitted.transform(X), y).score(embedding, new_y)
    assert near > raw - 0.02
    assert near > 0.9


def test_predicted_are_the_most_probable_classes(halves, fitted):
    _, _, new_X, _ = halves
    best = fitted.predict_proba(new_X).argmax(axis=1)
    np.testing.assert_array_equal(fitted.predict(new_X), fitted.classes_[best])


def test_a_sample_alone_is_that_of_a_batch(halves, fitted):
    _, _, new_X, _ = halves
    probabilities, embedding = fitted.predict_proba(new_X), fitted.transform(new_X)
    for i in (0, 64, 149):
        alone = new_X.iloc[[i]]
        np.testing.assert_array_equal(fitted.predict_proba(alone)[0], probabilities[i])
        np.testing.assert_array_equal(fitted.transform(alone)[0], embedding[i])


def test_a_rare_class_is_found_with_balanced_weights():
    rng = np.random.default_rng(0)
    y = np.r_[np.zeros(190, int), np.ones(10, int)]
    X = rng.normal(size=(200, 6)) + 1.2 * y[:, None]
    new_y = np.repeat([0, 1], 100)
    new_X = rng.normal(size=(200, 6)) + 1.2 * new_y[:, None]
    recalls = [
        (tiny(class_weight=weight, max_epochs=15).fit(X, y).predict(new_X)[100:] == 1).mean()
        for weight in (None, "balanced")
    ]
    assert recalls[1] > recalls[0] + 0.1


def test_a_class_of_one_sample_is_learned_from(halves):
    X, y, *_ = halves
    y = y.copy()
    y.iloc[3] = "single"
    model = short().fit(X, y)
    assert "single" in model.classes_
    assert model.predict_proba(X).shape == (150, 5)


# --- phases ---


@pytest.fixture
def states(monkeypatch, halves):
    """The weights at the end of each epoch of a training without early stopping."""
    seen = []

    def remember(net, *args, **kwargs):
        seen.append({name: w.clone() for name, w in net.module_.state_dict().items()})

    monkeypatch.setattr(EmbeddingNet, "on_epoch_end", remember)
    X, y, *_ = halves
    sizes = {"embedding_epochs": 2, "head_epochs": 3, "max_epochs": 7, "decay_epochs": 0}
    return seen, tiny(early_stopping=False, **sizes).fit(X, y).history_


def changed(before, after, head):
    names = [name for name in before if name.startswith("head.") == head]
    assert names
    return [not bool((before[name] == after[name]).all()) for name in names]


def test_phases_train_what_they_say_and_freeze_the_rest(states):
    """Running statistics of normalisation count too."""
    seen, _ = states
    assert not any(changed(seen[0], seen[1], head=True))
    assert all(changed(seen[0], seen[1], head=False))
    assert all(changed(seen[2], seen[4], head=True))
    assert not any(changed(seen[1], seen[4], head=False))
    assert all(changed(seen[5], seen[6], head=True))
    assert all(changed(seen[5], seen[6], head=False))


def test_history_tells_the_losses_of_each_phase(states):
    _, history = states
    assert history["train_reconstruction"].notna().tolist() == [True] * 2 + [False] * 3 + [True] * 2
    assert history["train_classification"].notna().tolist() == [False] * 2 + [True] * 5


def test_only_the_end_of_the_second_phase_and_the_third_can_be_the_best(fitted):
    judged = fitted.history_["valid_classification"].notna()
    assert judged[judged].index[0] == 5  # the sixth epoch
    assert fitted.best_epoch_ >= 6
    assert fitted.best_validation_loss_ == fitted.history_["valid_classification"].min()


def test_training_ends_when_the_third_phase_does_not_help(halves):
    X, y, *_ = halves
    y = pd.Series(np.random.default_rng(0).permutation(y), y.index)  # nothing can be learned
    model = tiny(n_iter_no_change=3, max_epochs=200).fit(X, y)
    assert model.n_iter_ < 100
    assert model.n_iter_ - model.best_epoch_ == 3


# --- blocks ---


def test_columns_of_no_block_do_not_count(halves, fitted):
    X, y, new_X, _ = halves
    names = by_omics(X)["expression"]
    model = short(blocks={"expression": names}).fit(X, y)
    expected = short().fit(X[names], y).predict_proba(new_X[names])
    np.testing.assert_array_equal(model.predict_proba(new_X), expected)


def test_blocks_are_given_as_to_a_column_transformer(halves):
    X, *_ = halves
    y = halves[1]
    ways = {
        "names": by_omics(X),
        "slices": {"methylation": slice(0, 60), "expression": slice(60, None)},
        "positions": {"methylation": range(60), "expression": np.arange(60, 120)},
        "callables": {name: lambda X, own=own: own for name, own in by_omics(X).items()},
    }
    for blocks in ways.values():
        found = short(blocks=blocks).fit(X, y).blocks_
        assert [len(columns) for columns in found.values()] == [60, 60]
        assert found["expression"][0] == 60


def test_columns_are_sorted_by_chromosome(halves):
    X, y, new_X, _ = halves
    probes = by_omics(X)["methylation"]
    chromosomes = dict(zip(probes, np.resize(["2", "1", "X"], 60), strict=True))
    model = short(blocks=by_omics(X), column_groups=chromosomes, group_width=4)
    model.fit(X, y)
    own = np.array(list(chromosomes.values()))[model.blocks_["methylation"]]
    assert own.tolist() == ["2"] * 20 + ["1"] * 20 + ["X"] * 20
    first = model.net_.module_.blocks[0].encoder[0].parts
    assert [part[0].in_features for part in first] == [20, 20, 20]
    assert len(model.net_.module_.blocks[1].encoder[0].parts) == 1
    table = pd.DataFrame({"chromosome": chromosomes}).rename_axis("probe_id").reset_index()
    table["position"] = range(60)
    again = short(blocks=by_omics(X), column_groups=table, group_width=4)
    np.testing.assert_array_equal(again.fit(X, y).predict_proba(new_X), model.predict_proba(new_X))


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"blocks": {}}, ValueError, "blocks names no block"),
        ({"blocks": {"a": []}}, ValueError, r"blocks\['a'\] selects no column of the 120"),
        ({"blocks": {"a": ["none"]}}, FeatureMismatchError, r"blocks\['a'\].*does not have"),
        (
            {"blocks": {"a": slice(0, 9), "b": [8, 20]}},
            FeatureMismatchError,
            r"1 columns twice.*in 'a' and in 'b'",
        ),
        ({"blocks": {"a": [3, 3]}}, FeatureMismatchError, "columns twice"),
        ({"column_groups": {"cg": "1"}}, FeatureMismatchError, "knows none of the columns"),
    ],
)
def test_wrong_blocks_are_refused(params, error, message, halves):
    X, y, *_ = halves
    with pytest.raises(error, match=message):
        tiny(**params).fit(X, y)


def test_chromosomes_must_be_known_for_all_or_none_of_a_block(halves):
    X, y, *_ = halves
    with pytest.raises(FeatureMismatchError, match="lacks 118 of the 120 columns of the block"):
        tiny(column_groups=dict.fromkeys(X.columns[:2], "1")).fit(X, y)
    with pytest.raises(ValueError, match="X has no column names"):
        tiny(column_groups={"cg1": "1"}).fit(X.to_numpy(), y.to_numpy())


# --- losses and presets ---


def test_values_outside_the_training_range_are_clipped(halves):
    X, y, new_X, _ = halves
    model = short(reconstruction_loss="cross-entropy").fit(X, y)
    far = new_X + 1e6
    top = pd.DataFrame(np.tile(X.max(), (len(new_X), 1)), new_X.index, X.columns)
    np.testing.assert_allclose(model.transform(far), model.transform(top), atol=1e-3)
    assert model.history_["train_reconstruction"].dropna().between(0.3, 1).all()


def test_betas_need_no_scaling(halves):
    X, y, *_ = halves
    betas = X[by_omics(X)["methylation"]]
    params = {"reconstruction_loss": "cross-entropy", "scaling": "none"}
    short(**params).fit(betas, y)
    with pytest.raises(ValueError, match=r"needs X in \[0, 1\], but its values range from 0 to"):
        short(**params).fit(X, y)


def test_presets_are_those_of_the_authors_code():
    model = OmiEmbedClassifier.from_preset("paper")
    assert model.hidden_layer_sizes == (1024, 1024, 512)
    assert (model.latent_dim, model.dropout, model.batch_size) == (128, 0.2, 32)
    assert (model.lr, model.weight_decay) == (1e-4, 1e-4)
    assert (model.kl_weight, model.embedding_weight) == (0.01, 0.001)
    assert (model.embedding_epochs, model.head_epochs, model.max_epochs) == (50, 50, 200)
    assert (model.decay_epochs, model.early_stopping) == (50, False)
    multi = OmiEmbedClassifier.from_preset("repo-multi-omics", lr=1e-2)
    assert multi.hidden_layer_sizes == (2048, 1024, 512)
    assert multi.lr == 1e-2
    with pytest.raises(UnknownNameError, match="paper, repo-multi-omics"):
        OmiEmbedClassifier.from_preset("omics")


def test_a_preset_trains_with_the_published_optimizer(halves):
    X, y, *_ = halves
    sizes = {"hidden_layer_sizes": (8, 4), "head_layer_sizes": (4,), "latent_dim": 2}
    epochs = {"embedding_epochs": 2, "head_epochs": 2, "max_epochs": 6, "decay_epochs": 3}
    model = OmiEmbedClassifier.from_preset("paper", random_state=0, **sizes, **epochs).fit(X, y)
    rates = 1e-4 * np.array([1, 1, 1, 3 / 4, 2 / 4, 1 / 4])
    np.testing.assert_allclose(model.history_["lr"], rates)
    assert model.net_.optimizer__betas == (0.5, 0.999)
    assert model.net_.head_optimizer__weight_decay == 1e-4


# --- bad input, interruption, storage ---


def refused(error, message, X, y, **params):
    with pytest.raises(error, match=message):
        tiny(**params).fit(X, y)


def test_bad_input_is_refused(halves):
    X, y, *_ = halves
    refused(ValueError, r"one class only \('BRCA' in all 150", X, y.map(lambda _: "BRCA"))
    refused(ValueError, "1 of 150 samples have no class", X, y.mask(y.index == y.index[4]))
    refused(ValueError, "(?s)Input X contains NaN.*39 columns", X.mask(X > 9.5).mask(X < 0.012), y)
    refused(SampleMismatchError, "another order", X, y[::-1])
    refused(ValueError, "Unknown label type", X, pd.Series(np.arange(150) / 7, X.index))
    refused(ValueError, "only one of a class", X[:3], pd.Series(list("abc"), X.index[:3]))
    refused(ValueError, "minimum of 2", X[:1], y[:1])
    refused(ValueError, "counts the epochs of all phases", X, y, max_epochs=5)
    refused(ValueError, "two widths at least", X, y, hidden_layer_sizes=(8,))
    refused(
        ValueError,
        "scaling='standard' gives others",
        X,
        y,
        reconstruction_loss="cross-entropy",
        scaling="standard",
    )


@pytest.mark.parametrize(("batches", "kept"), [(4, False), (55, True)])
def test_interruption_keeps_a_model_that_can_classify(batches, kept, monkeypatch, halves):
    """There are five batches in an epoch, and four epochs of the autoencoder alone."""
    X, y, new_X, _ = halves
    count = iter(range(10_000))
    step = EmbeddingNet.train_step

    def press(net, batch, **params):
        if next(count) == batches:
            raise KeyboardInterrupt
        return step(net, batch, **params)

    monkeypatch.setattr(EmbeddingNet, "train_step", press)
    model = tiny()
    if not kept:
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, y)
        assert not hasattr(model, "net_")
        return
    with pytest.warns(TrainingInterrupted, match="interrupted in epoch 1[0-2] of 25"):
        model.fit(X, y)
    assert np.isfinite(model.predict_proba(new_X)).all()


def test_a_resumed_training_is_that_without_interruption(monkeypatch, tmp_path, halves):
    X, y, new_X, _ = halves
    whole = tiny(max_epochs=14).fit(X, y).predict_proba(new_X)
    checkpoints = {"max_epochs": 14, "checkpoint_dir": tmp_path, "checkpoint_every": 3}
    step, count = EmbeddingNet.train_step, iter(range(10_000))

    def press(net, batch, **params):
        if next(count) == 52:
            raise KeyboardInterrupt
        return step(net, batch, **params)

    monkeypatch.setattr(EmbeddingNet, "train_step", press)
    with pytest.warns(TrainingInterrupted):
        tiny(**checkpoints).fit(X, y)
    resumed = tiny(**checkpoints, resume=True).fit(X, y)
    np.testing.assert_array_equal(resumed.predict_proba(new_X), whole)


def test_blocks_and_weights_are_stored(halves, tmp_path):
    X, y, new_X, _ = halves
    chromosomes = dict(zip(by_omics(X)["methylation"], np.resize(["2", "1"], 60), strict=True))
    model = short(
        blocks=by_omics(X), column_groups=chromosomes, group_width=3, class_weight="balanced"
    ).fit(X, y)
    omitrans.save(model, tmp_path / "model.omitrans")
    loaded = omitrans.load(tmp_path / "model.omitrans")
    np.testing.assert_array_equal(loaded.predict_proba(new_X), model.predict_proba(new_X))
    np.testing.assert_array_equal(loaded.transform(new_X), model.transform(new_X))
    assert loaded.predict(new_X).tolist() == model.predict(new_X).tolist()


def test_patients_are_set_aside_whole(halves):
    X, y, *_ = halves
    patients = np.arange(150) % 40
    one, two = (short().fit(X, y, groups=groups) for groups in (None, patients))
    assert one.best_validation_loss_ != two.best_validation_loss_
    with pytest.raises(SampleMismatchError):
        tiny().fit(X, y, groups=pd.Series(patients, X.index[::-1]))


@pytest.mark.slow
def test_in_a_search(halves):
    X, y, new_X, new_y = halves
    search = GridSearchCV(tiny(max_epochs=10), {"latent_dim": [2, 16]}, cv=2).fit(X, y)
    assert search.score(new_X, new_y) > 0.6
