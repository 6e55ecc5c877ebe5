"""Networks beside a backbone: what they are trained on, what they earn, and what is kept."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import omitrans
from omitrans import OmiTransRegressor
from omitrans.baselines import MultiKernelRidgeRegressor
from omitrans.engine import mean_profiles, predict_profiles
from omitrans.estimators import _ensemble
from omitrans.estimators._backbone import fit_cross_predict, inner_folds
from omitrans.estimators._share import fold_sums
from omitrans.exceptions import TrainingInterrupted
from omitrans.networks._blocks import Linear
from omitrans.trust import TrustedRegressor


def make(**params):
    """Return a regressor whose networks train in a blink, beside a backbone that knows nothing."""
    defaults = {
        "backbone": Plain(),
        "n_networks": 3,
        "latent_dim": 8,
        "dropout": 0.2,
        "batch_size": 16,
        "max_epochs": 15,
        "lr": 1e-2,
        "random_state": 0,
    }
    return OmiTransRegressor(**defaults | params)


class Spread(RegressorMixin, BaseEstimator):
    """A backbone that predicts means and a standard deviation of 2."""

    def fit(self, X, y):
        self.mean_ = np.asarray(y).mean(axis=0)
        return self

    def predict(self, X, return_std=False):
        mean = np.tile(self.mean_, (len(X), 1))
        return (mean, np.full_like(mean, 2.0)) if return_std else mean


class Plain(Spread):
    """A backbone that predicts means only."""

    def predict(self, X):
        return super().predict(X)


class Grouped(Plain):
    """A backbone that keeps the groups and the rows that it was fitted with."""

    fits = []

    def fit(self, X, y, groups=None):
        self.fits.append((len(X), None if groups is None else np.asarray(groups)))
        return super().fit(X, y)


def folds_of(model, n_samples, groups=None):
    draws = np.random.RandomState(model.random_state)
    seeds = draws.randint(np.iinfo(np.int32).max, size=model.n_networks + 1)
    folds = inner_folds(model.n_networks, n_samples, groups, int(seeds[0]), early_stopping=True)
    return folds, [int(seed) for seed in seeds[1:]]


# --- what is trained ---


def test_each_network_is_that_of_a_fit_without_its_fold(frames):
    X, Y = frames
    model = make().fit(X, Y)
    folds, seeds = folds_of(model, len(X))
    assert len(model.networks_) == 3
    assert model.net_ is model.networks_[0]
    for net, (train, _), seed in zip(model.networks_, folds, seeds, strict=True):
        alone = clone(model).set_params(backbone=None, random_state=seed)
        alone.fit(X.iloc[train], Y.iloc[train])
        x = X.to_numpy()
        np.testing.assert_array_equal(
            predict_profiles(net, x, x.dtype), predict_profiles(alone.net_, x, x.dtype)
        )


def test_prediction_mixes_backbone_and_the_mean_of_networks(frames):
    X, Y = frames
    model = make(max_epochs=25).fit(X[:45], Y[:45])
    share = model.network_share_
    assert share.shape == (5,)
    assert share.mean() > 0.5
    backbone = model.backbone_.predict(X)
    x = X.to_numpy()
    networks = mean_profiles(model.networks_, x, x.dtype)
    np.testing.assert_allclose(
        model.predict(X), backbone + share * (networks - backbone), rtol=1e-5, atol=1e-6
    )
    assert model.score(X[45:], Y[45:]) > 0.5 > 0.1 > model.backbone_.score(X[45:], Y[45:])


def test_mean_profiles_are_the_mean(frames):
    X, Y = frames
    model, x = make().fit(X, Y), X.to_numpy()
    parts = [predict_profiles(net, x, x.dtype) for net in model.networks_]
    mean = mean_profiles(model.networks_, x, x.dtype)
    np.testing.assert_allclose(mean, np.mean(parts, axis=0), rtol=1e-5, atol=1e-6)


def test_a_backbone_that_knows_all_leaves_nothing_to_networks(frames):
    """One network is trained, kept for fine_tune, and has no share."""
    X, Y = frames
    Y = pd.DataFrame(X.to_numpy()[:, :5] * 3, Y.index, Y.columns)
    model = make(backbone=LinearRegression()).fit(X, Y)
    assert len(model.networks_) == 1
    assert not model.network_share_.any()
    np.testing.assert_allclose(model.predict(X), model.backbone_.predict(X), rtol=1e-5)


@pytest.mark.parametrize(
    ("n_samples", "n_groups"), [(9, None), (60, 2)], ids=["few samples", "few groups"]
)
def test_too_little_to_judge_a_network_leaves_the_backbone(frames, n_samples, n_groups):
    X, Y = (table[:n_samples] for table in frames)
    groups = None if n_groups is None else np.arange(n_samples) % n_groups
    model = make(backbone=Ridge()).fit(X, Y, groups=groups)
    assert model.networks_ == []
    assert not hasattr(model, "net_")
    assert not hasattr(model, "history_")
    expected = Ridge().fit(X, Y).predict(X)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5)


def test_folds_keep_groups_together_and_leave_two_to_train_on():
    groups = np.array([0] * 20 + [1] * 5 + [2] * 5)
    folds = inner_folds(5, 30, groups, 0, early_stopping=True)
    assert len(folds) == 3
    assert inner_folds(2, 30, groups, 0, early_stopping=True) == []
    assert len(inner_folds(2, 30, groups, 0, early_stopping=False)) == 2
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])


def test_the_default_backbone_is_the_mixture_of_kernels(frames):
    X, Y = frames
    model = make(backbone="multi-kernel", speed="fast").fit(X, Y)
    alone = MultiKernelRidgeRegressor().fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), alone.predict(X))
    assert isinstance(model.backbone_, MultiKernelRidgeRegressor)
    assert model.networks_ == []


def test_a_backbone_without_cross_prediction_is_fitted_on_each_fold(frames):
    X, Y = frames
    folds, _ = folds_of(make(), len(X))
    held_out = fit_cross_predict(Ridge(), X, Y, None, folds)
    for train, test in folds:
        alone = Ridge().fit(X.iloc[train], Y.iloc[train])
        np.testing.assert_array_equal(held_out[test], alone.predict(X.iloc[test]))


def test_groups_reach_a_backbone_that_takes_them(frames):
    X, Y = frames
    groups = np.arange(60) // 3
    Grouped.fits.clear()
    make(backbone=Grouped()).fit(X, Y, groups=groups)
    folds, _ = folds_of(make(), 60, groups)
    expected = [np.arange(60), *(train for train, _ in folds)]
    assert [n for n, _ in Grouped.fits] == [len(rows) for rows in expected]
    for (_, given), rows in zip(Grouped.fits, expected, strict=True):
        np.testing.assert_array_equal(given, groups[rows])


def test_groups_reach_a_backbone_inside_a_pipeline(frames):
    X, Y = frames
    groups = np.arange(60) // 3
    Grouped.fits.clear()
    make(backbone=make_pipeline(StandardScaler(), Grouped()), speed="fast").fit(X, Y, groups=groups)
    np.testing.assert_array_equal(Grouped.fits[0][1], groups)


class Same(RegressorMixin, BaseEstimator):
    """A backbone that predicts the source values themselves."""

    def fit(self, X, y):
        self.n_features_ = np.shape(X)[1]
        return self

    def predict(self, X):
        return X


@pytest.mark.parametrize("speed", ["fast", "full"])
def test_predict_leaves_the_table_of_a_backbone_that_returns_it(frames, speed):
    X = frames[0].iloc[:, :5].to_numpy()
    model = make(backbone=Same(), speed=speed).fit(X, X + 3)
    model.network_share_ = np.full(5, 0.3 if speed == "full" else 0.0)  # whatever was earned
    far = 1000 * X
    before = far.copy()
    model.predict(far)
    np.testing.assert_array_equal(far, before)


def test_networks_are_judged_beside_what_the_backbone_can_answer(frames, monkeypatch):
    X, Y = frames
    seen = []
    monkeypatch.setattr(
        _ensemble,
        "fold_sums",
        lambda target, backbone, *rest: seen.append(backbone) or fold_sums(target, backbone, *rest),
    )
    X = X.copy()
    X.iloc[7] *= 1e6
    model = make(backbone=LinearRegression()).fit(X, Y)
    low, high = model._target_limits
    assert all((part >= low).all() and (part <= high).all() for part in seen)
    alone = np.clip(model.backbone_.predict(1e6 * X.astype(float)), low, high)
    model.network_share_ = np.full(5, 0.5)
    networks = np.clip(
        mean_profiles(model.networks_, 1e6 * X.to_numpy(), X.to_numpy().dtype), low, high
    )
    np.testing.assert_allclose(model.predict(1e6 * X), (alone + networks) / 2, rtol=1e-5)


def test_a_sample_alone_gets_what_it_gets_among_others_from_a_linear_backbone(frames):
    X, Y = (table.astype(np.float32) for table in frames)
    model = make(backbone=Ridge(), speed="fast").fit(X, Y)
    together = model.predict(X)
    alone = [model.predict(X[i : i + 1])[0] for i in range(len(X))]
    np.testing.assert_array_equal(together, alone)


class First(Plain):
    """A backbone that predicts the first target only."""

    def predict(self, X):
        return super().predict(X)[:, 0]


def test_a_backbone_without_all_targets_is_refused(frames):
    with pytest.raises(ValueError, match=r"backbone=First predicts tables of the shape \(60, 1\)"):
        make(backbone=First()).fit(*frames)


def test_one_target_as_a_vector(frames):
    X, Y = frames
    model = make().fit(X, Y.iloc[:, 0])
    assert model.predict(X).shape == (60,)
    assert model.network_share_.shape == (1,)


def test_constant_targets_are_predicted_by_their_value(frames):
    X, Y = frames
    Y = Y.assign(constant=np.float32(7.1))
    model = make().fit(X, Y)
    assert model.network_share_[-1] == 0
    assert set(model.predict(X)[:, -1]) == {np.float32(7.1)}


def test_predictions_stay_within_ten_spans(frames):
    X, Y = frames
    model = make(backbone=LinearRegression()).fit(X, Y)
    span = Y.max() - Y.min()
    far = model.predict(1e6 * X)
    assert (far <= (Y.max() + 10.001 * span).to_numpy()).all()
    assert (far >= (Y.min() - 10.001 * span).to_numpy()).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sample_alone_gets_what_it_gets_among_others(frames, dtype):
    X, Y = (table.astype(dtype) for table in frames)
    model = make(backbone="multi-kernel").fit(X, Y)
    model.network_share_ = np.full(5, 0.3)  # whatever was earned
    together = model.predict(X)
    assert together.dtype == dtype
    np.testing.assert_array_equal(model.predict(X[7:8]), together[7:8])


def test_the_same_seed_gives_the_same_model(frames):
    X, Y = frames
    first, again, other = (make(random_state=seed).fit(X, Y).predict(X) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_history_numbers_the_networks(frames):
    model = make().fit(*frames)
    history = model.history_
    assert list(history.columns[:2]) == ["network", "epoch"]
    assert set(history["network"]) == {1, 2, 3}
    assert model.n_iter_ == len(history)
    assert model.best_epoch_.shape == model.best_validation_loss_.shape == (3,)
    lowest = history.groupby("network")["valid_reconstruction"].min()
    np.testing.assert_allclose(model.best_validation_loss_, lowest, rtol=1e-3)


def test_progress_names_the_network(frames, capsys):
    make(verbose=1, max_epochs=9).fit(*frames)
    said = capsys.readouterr().err
    assert "network 1 of 3" in said
    assert "network 3 of 3" in said


def test_fit_changes_no_parameter_and_leaves_the_backbone_unfitted(frames):
    backbone = Ridge()
    model = make(backbone=backbone)
    before = model.get_params()
    model.fit(*frames)
    assert model.get_params() == before
    assert model.backbone is backbone
    with pytest.raises(NotFittedError):
        backbone.predict(frames[0])


def test_parameters_of_the_backbone_can_be_searched(frames):
    search = GridSearchCV(
        make(backbone=Ridge(), speed="fast"), {"backbone__alpha": [1e-3, 1e6]}, cv=3
    ).fit(*frames)
    assert search.best_params_ == {"backbone__alpha": 1e-3}


def test_a_failed_fit_leaves_no_model(frames):
    X, Y = frames
    model = make().fit(X, Y)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, Y.mask(Y.iloc[0, 0] < Y))
    with pytest.raises(NotFittedError):
        model.predict(X)
    assert not hasattr(model, "history_")


def test_a_network_alone_forgets_the_ensemble_before(frames):
    X, Y = frames
    again = make().fit(X, Y).set_params(backbone=None).fit(X, Y)
    np.testing.assert_array_equal(again.predict(X), make(backbone=None).fit(X, Y).predict(X))
    assert not hasattr(again, "networks_")
    assert "network" not in again.history_


def test_auto_is_what_suits_the_backbone(frames):
    X, Y = frames
    assert make(lr="auto", max_epochs=2).fit(X, Y).history_["lr"].iloc[0] == 1e-3
    assert make(backbone=None, lr="auto", max_epochs=2).fit(X, Y).history_["lr"].iloc[0] == 2e-4
    given = {"backbone": None, "lr": 2e-4, "n_iter_no_change": 30}
    auto = {"backbone": None, "lr": "auto", "n_iter_no_change": "auto"}
    np.testing.assert_array_equal(
        make(**given).fit(X, Y).predict(X), make(**auto).fit(X, Y).predict(X)
    )


def test_fast_without_a_backbone_is_refused(frames):
    with pytest.raises(ValueError, match=r"nothing is left to fit. Use speed='full', or give"):
        make(backbone=None, speed="fast").fit(*frames)


# --- standard deviations ---


def test_deviation_joins_those_of_backbone_and_networks(frames):
    X, Y = frames
    model = make(backbone=Spread()).fit(X, Y)
    predicted, deviation = model.predict(X, return_std=True)
    np.testing.assert_array_equal(predicted, model.predict(X))
    share = model.network_share_
    x = X.to_numpy()
    draws = model._predict_with(model.networks_, x, 30)[1]
    np.testing.assert_allclose(deviation, np.hypot(2 * (1 - share), share * draws), rtol=1e-5)
    np.testing.assert_array_equal(model.predict(X[3:4], return_std=True)[1], deviation[3:4])


def test_deviation_of_a_backbone_alone(frames):
    X, Y = frames
    model = make(backbone=Spread(), speed="fast").fit(X, Y)
    assert set(model.predict(X, return_std=True)[1].ravel()) == {2.0}


def test_deviation_of_networks_alone(frames):
    X, Y = frames
    model = make().fit(X, Y)
    deviation = model.predict(X, return_std=True)[1]
    spread = model._predict_with(model.networks_, X.to_numpy(), 30)[1]
    np.testing.assert_allclose(deviation, model.network_share_ * spread, rtol=1e-5)


@pytest.mark.parametrize("params", [{"speed": "fast"}, {"dropout": 0.0}])
def test_without_any_deviation_the_cure_is_named(frames, params):
    model = make(**params).fit(*frames)
    with pytest.raises(ValueError, match=r"has neither.*TrustedRegressor\(model, ensemble=True\)"):
        model.predict(frames[0], return_std=True)


# --- stored models ---


@pytest.mark.parametrize("params", [{}, {"speed": "fast"}, {"backbone": "multi-kernel"}])
@pytest.mark.parametrize("way", ["pickle", "omitrans"])
def test_a_stored_model_answers_identically(frames, tmp_path, params, way):
    X, Y = frames
    model = make(**{"backbone": DummyRegressor()} | params).fit(X, Y)
    if way == "pickle":
        again = pickle.loads(pickle.dumps(model))
    else:
        omitrans.save(model, tmp_path / "m.omitrans")
        again = omitrans.load(tmp_path / "m.omitrans")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert len(again.networks_) == len(model.networks_)
    if again.networks_:
        assert again.net_ is again.networks_[0]
        tuned = again.fine_tune(X, Y, max_epochs=2)
        np.testing.assert_array_equal(
            tuned.predict(X), model.fine_tune(X, Y, max_epochs=2).predict(X)
        )


def test_weights_are_stored_as_plain_arrays_and_once(frames):
    state = make().fit(*frames).__getstate__()
    assert "net_" not in state
    weights = [w for net in state["networks_"] for part in net.values() for w in part.values()]
    assert all(isinstance(weight, np.ndarray) for weight in weights)


def test_a_pickle_from_before_the_backbone_is_a_network_alone(frames):
    X, Y = frames
    model = make(backbone=None, lr=1e-2, n_iter_no_change=30).fit(X, Y)
    state = model.__getstate__()
    for name in ("backbone", "speed", "n_networks"):
        del state[name], state["_training_params"][name]
    old = OmiTransRegressor.__new__(OmiTransRegressor)
    old.__setstate__(state)
    assert old.backbone is None
    np.testing.assert_array_equal(old.predict(X), model.predict(X))
    np.testing.assert_array_equal(clone(old).fit(X, Y).predict(X), model.predict(X))


# --- transfer ---


def test_each_network_goes_on_from_its_own(frames):
    X, Y = frames
    source = make(random_state=5).fit(X[:40], Y[:40])
    tuned = make(pretrained=source, lr=1e-30, max_epochs=1).fit(X[20:], Y[20:])
    assert (tuned.n_shared_features_, tuned.n_shared_targets_) == (12, 5)
    x = X.to_numpy()
    for before, now in zip(source.networks_, tuned.networks_, strict=True):
        np.testing.assert_array_equal(
            predict_profiles(before, x, x.dtype), predict_profiles(now, x, x.dtype)
        )


def test_a_network_alone_can_be_gone_on_from(frames):
    X, Y = frames
    source = make(backbone=None).fit(X, Y)
    tuned = make(pretrained=source, lr=1e-30, max_epochs=1).fit(X, Y)
    x = X.to_numpy()
    for net in tuned.networks_:
        np.testing.assert_array_equal(predict_profiles(net, x, x.dtype), source.predict(X))


def test_fine_tune_fits_the_backbone_on_the_new_cohort(frames):
    X, Y = frames
    source = make(backbone=Ridge()).fit(X[:30], Y[:30])
    tuned = source.fine_tune(X[30:], Y[30:] + 5, max_epochs=2)
    np.testing.assert_array_equal(
        tuned.backbone_.predict(X), Ridge().fit(X[30:], Y[30:] + 5).predict(X)
    )


def test_optimizers_go_on_and_weights_stay_for_each_network(frames):
    X, Y = frames
    source = make(keep_optimizer=True, adversarial_loss=None).fit(X, Y)
    assert len(source._optimizer_moments) == 3
    options = {"pretrained": source, "lr": 1e-4, "max_epochs": 1, "adversarial_loss": None}
    plain = make(**options).fit(X, Y)
    carried = make(carry_optimizer=True, **options).fit(X, Y)
    frozen = make(freeze="output", **options).fit(X, Y)
    for number in range(3):
        before, first, second, third = (
            model.networks_[number].module_.state_dict()["output.weight"]
            for model in (source, plain, carried, frozen)
        )
        assert not first.equal(second)
        assert third.equal(before)
        assert not first.equal(before)


@pytest.mark.parametrize(
    ("of_source", "of_model", "match"),
    [
        ({"speed": "fast"}, {}, r"holds no network to start from.*speed='full'"),
        ({}, {"speed": "fast"}, r"speed='fast' trains no network.*Use speed='full', or leave"),
    ],
)
def test_no_network_to_start_from_or_to_train(frames, of_source, of_model, match):
    source = make(max_epochs=2, **of_source).fit(*frames)
    with pytest.raises(ValueError, match=match):
        make(pretrained=source, max_epochs=2, **of_model).fit(*frames)
    if of_source:
        with pytest.raises(ValueError, match=match):
            source.fine_tune(*frames)


# --- checkpoints and Ctrl-C ---


class Interruptible(nn.Module):
    """A generator that behaves like Ctrl-C at its n-th training batch."""

    batches_left = 10**9

    def __init__(self, n_source, n_target):
        super().__init__()
        self.linear = Linear(n_source, n_target)
        self.dropout = nn.Dropout(0.3)

    def forward(self, X):
        if self.training:
            type(self).batches_left -= 1
            if type(self).batches_left == 0:
                raise KeyboardInterrupt
        return self.linear(self.dropout(X))


@pytest.fixture
def trained(frames, tmp_path):
    """Return a function that trains three networks, for 12 epochs of 3 batches each."""

    def train(*, after=10**9, **params):
        Interruptible.batches_left = after
        params = {"max_epochs": 12, "n_iter_no_change": 12, "checkpoint_every": 4, **params}
        model = make(generator=Interruptible, adversarial_loss=None, **params)
        return model.fit(*frames)

    return train


@pytest.mark.parametrize(("after", "n_networks"), [(20, 1), (50, 2), (73, 2), (100, 3)], ids=str)
def test_ctrl_c_keeps_the_networks_so_far(frames, trained, after, n_networks):
    with pytest.warns(TrainingInterrupted, match="Training was interrupted in"):
        model = trained(after=after)
    assert len(model.networks_) == n_networks
    assert np.isfinite(model.predict(frames[0])).all()
    assert model.network_share_.any()


def test_ctrl_c_before_anything_was_learned_is_passed_on(frames, trained):
    with pytest.raises(KeyboardInterrupt):
        trained(after=2)


def test_ctrl_c_ends_a_longer_work(frames):
    Interruptible.batches_left = 73
    model = make(generator=Interruptible, adversarial_loss=None, max_epochs=12)
    with pytest.raises(KeyboardInterrupt):
        TrustedRegressor(model, cv=2, random_state=0).fit(*frames)


@pytest.mark.parametrize("after", [20, 60, 100])
def test_a_resumed_fit_equals_an_uninterrupted_one(frames, trained, tmp_path, after):
    X, _ = frames
    whole = trained()
    with pytest.warns(TrainingInterrupted):
        trained(after=after, checkpoint_dir=tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resumed = trained(checkpoint_dir=tmp_path, resume=True)
    np.testing.assert_array_equal(resumed.predict(X), whole.predict(X))
    columns = [name for name in whole.history_ if name != "seconds"]
    assert resumed.history_[columns].equals(whole.history_[columns])
    assert len(list(tmp_path.glob("*.checkpoint"))) == 3


def test_checkpoints_of_another_backbone_are_not_taken(trained, tmp_path):
    trained(checkpoint_dir=tmp_path)
    with pytest.warns(UserWarning, match="of other parameters or data: training starts anew"):
        trained(checkpoint_dir=tmp_path, resume=True, backbone=Ridge(alpha=1e6))


@pytest.mark.parametrize(
    ("params", "match"),
    [({"resume": True}, "needs checkpoint_dir"), ({"random_state": None}, "an integer random_")],
)
def test_checkpoints_that_could_not_be_resumed_are_refused(frames, tmp_path, params, match):
    if "resume" not in params:
        params = params | {"checkpoint_dir": tmp_path}
    with pytest.raises(ValueError, match=match):
        make(**params).fit(*frames)


# --- wrappers ---


def test_trusted_and_named_predictions(frames):
    X, Y = frames
    model = TrustedRegressor(make(max_epochs=5), cv=3, random_state=0).fit(X, Y)
    table = omitrans.predict_frame(model, X)
    assert list(table.columns) == list(Y.columns)
    np.testing.assert_array_equal(table.to_numpy(), model.predict(X))
    assert omitrans.inference.describe_model(model)["n_targets"] == 5


def test_a_network_that_diverges_leaves_the_backbone(frames):
    X, Y = frames
    with pytest.warns(ConvergenceWarning, match="Network 1 of 3"):
        model = make(lr=1e30).fit(X, Y)
    assert not model.network_share_.any()
    assert np.array_equal(model.predict(X), model.backbone_.predict(X))


def test_networks_without_a_share_are_not_kept(frames, monkeypatch):
    X, Y = frames
    monkeypatch.setattr(_ensemble, "_LEAST_SHARE", -np.inf)  # train all
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=Y.shape), Y.index, Y.columns)
    model = make().fit(X, noise)
    assert not model.network_share_.any()
    assert len(model.networks_) == 1
    assert model.history_["network"].nunique() == 3
    assert model.fine_tune(X, Y, max_epochs=2).predict(X).shape == Y.shape
