"""Transfer learning: a model of one cohort, trained on with another."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import omitrans
from omitrans import OmiTransRegressor, TDimputeRegressor
from omitrans.exceptions import FeatureMismatchError

AT_REST = 1e-30  # a learning rate at which weights stay where they are


def make_tdimpute(**params):
    defaults = {"n_hidden": 8, "max_epochs": 4, "batch_size": 16, "random_state": 0}
    return TDimputeRegressor(**defaults | params)


def make_omitrans(**params):
    defaults = {
        "backbone": None,
        "latent_dim": 8,
        "hidden_layer_sizes": (),
        "max_epochs": 4,
        "early_stopping": False,
        "alpha": 0.0,
        "random_state": 0,
    }
    return OmiTransRegressor(**defaults | params)


@pytest.fixture(params=[make_tdimpute, make_omitrans], ids=["TDimpute", "OmiTrans"])
def make(request):
    return request.param


@pytest.fixture
def source_cohort(frames):
    X, Y = frames
    return X.iloc[:40], Y.iloc[:40]


@pytest.fixture
def target_cohort(frames):
    X, Y = frames
    return X.iloc[40:], Y.iloc[40:]


def weights(model):
    return model.__getstate__()["net_"]["module"]


def same_weights(first, second):
    return all(np.array_equal(first[name], second[name]) for name in first)


class TestFineTune:
    def test_returns_another_model_and_leaves_this_one(self, make, source_cohort, target_cohort):
        source = make(lr=0.01).fit(*source_cohort)
        before, params = weights(source), source.get_params()
        tuned = source.fine_tune(*target_cohort, max_epochs=3)
        assert tuned is not source
        assert tuned.n_iter_ == 3
        assert not same_weights(weights(tuned), before)
        assert same_weights(weights(source), before)
        assert source.get_params() == params

    def test_begins_where_the_source_ended(self, make, source_cohort, target_cohort):
        source = make(lr=0.01).fit(*source_cohort)
        tuned = source.fine_tune(*target_cohort, max_epochs=1, lr=AT_REST)
        X, _ = target_cohort
        np.testing.assert_array_equal(tuned.predict(X), source.predict(X))

    def test_needs_a_fitted_model(self, make, target_cohort):
        with pytest.raises(NotFittedError):
            make().fine_tune(*target_cohort)

    def test_helps_where_the_cohort_is_small(self, frames):
        X, Y = frames
        settings = {"n_hidden": 64, "lr": 0.003}
        source = make_tdimpute(**settings, max_epochs=150).fit(X[:45], Y[:45])
        alone = make_tdimpute(**settings, max_epochs=30).fit(X[45:50], Y[45:50])
        tuned = source.fine_tune(X[45:50], Y[45:50], max_epochs=30)
        assert tuned.score(X[50:], Y[50:]) > alone.score(X[50:], Y[50:]) + 0.1

    def test_decay_is_cut_to_the_shorter_training(self, source_cohort, target_cohort):
        source = make_tdimpute(max_epochs=6, decay_epochs=5).fit(*source_cohort)
        assert source.fine_tune(*target_cohort, max_epochs=2).decay_epochs == 2


class TestFeatures:
    def test_are_matched_by_name(self, make, source_cohort, target_cohort):
        source = make(lr=0.01).fit(*source_cohort)
        X, Y = target_cohort
        backwards = source.fine_tune(X.iloc[:, ::-1], Y.iloc[:, ::-1], max_epochs=1, lr=AT_REST)
        np.testing.assert_allclose(
            backwards.predict(X.iloc[:, ::-1])[:, ::-1], source.predict(X), rtol=1e-5, atol=1e-6
        )
        assert (backwards.n_shared_features_, backwards.n_shared_targets_) == (12, 5)

    def test_that_only_one_cohort_has(self, make, source_cohort, target_cohort):
        source = make(lr=0.01).fit(*source_cohort)
        X, Y = target_cohort
        X = X.iloc[:, [5, 3]].assign(cg_new=np.linspace(0, 1, len(X), dtype=np.float32))
        Y = Y.iloc[:, [4]].assign(GENE_NEW=np.linspace(0, 1, len(Y), dtype=np.float32))
        tuned = source.fine_tune(X, Y, max_epochs=1, lr=AT_REST)
        assert (tuned.n_shared_features_, tuned.n_shared_targets_) == (2, 1)
        assert list(tuned.target_names_) == list(Y.columns)
        first = next(name for name in weights(source) if name.endswith("weight"))
        before, now = weights(source)[first], weights(tuned)[first]
        np.testing.assert_array_equal(now[:, :2], before[:, [5, 3]])
        assert np.abs(now[:, 2]).max() > 0
        before, now = weights(source)["output.weight"], weights(tuned)["output.weight"]
        np.testing.assert_array_equal(now[0], before[4])

    def test_of_the_discriminator_are_matched_too(self, source_cohort, target_cohort):
        source = make_omitrans(lr=0.01).fit(*source_cohort)
        X, Y = target_cohort
        tuned = source.fine_tune(X.iloc[:, :4], Y.iloc[:, ::-1], max_epochs=1, lr=AT_REST)
        before = source.net_.discriminator_.state_dict()
        now = tuned.net_.discriminator_.state_dict()
        np.testing.assert_array_equal(now["pair.first.weight"], before["pair.first.weight"].flip(1))
        np.testing.assert_array_equal(
            now["pair.second.weight"], before["pair.second.weight"][:, :4]
        )

    def test_keep_the_scaling_they_were_learned_with(self, source_cohort, target_cohort):
        source = make_omitrans().fit(*source_cohort)
        X, Y = target_cohort
        tuned = source.fine_tune(X + 5, Y, max_epochs=1)
        assert source.net_.source_scaling_.shift.equal(tuned.net_.source_scaling_.shift)

    def test_without_names_are_matched_by_position(self, make, source_cohort, target_cohort):
        source = make().fit(*(table.to_numpy() for table in source_cohort))
        X, Y = (table.to_numpy() for table in target_cohort)
        assert source.fine_tune(X, Y, max_epochs=1).n_shared_features_ == 12
        with pytest.raises(FeatureMismatchError, match=r"X has 11 columns where .* on 12"):
            source.fine_tune(X[:, :11], Y, max_epochs=1)

    def test_of_another_kind_are_refused(self, make, source_cohort, target_cohort):
        source = make().fit(*source_cohort)
        X, Y = target_cohort
        with pytest.raises(FeatureMismatchError, match="X shares none of its 12 columns"):
            source.fine_tune(X.add_prefix("x"), Y)
        with pytest.raises(FeatureMismatchError, match="Y shares none of its 5 columns"):
            source.fine_tune(X, Y.add_prefix("x"))


class TestPretrained:
    def test_does_what_fine_tune_does(self, make, source_cohort, target_cohort):
        source = make(lr=0.01).fit(*source_cohort)
        tuned = source.fine_tune(*target_cohort, max_epochs=2, batch_size=8)
        again = make(lr=0.01, pretrained=source, max_epochs=2, batch_size=8).fit(*target_cohort)
        assert same_weights(weights(again), weights(tuned))

    def test_stays_fitted_in_clones_and_searches(self, source_cohort, target_cohort):
        source = make_tdimpute(lr=0.01).fit(*source_cohort)
        model = make_tdimpute(pretrained=source)
        assert clone(model).pretrained is source
        pipeline = make_pipeline(FunctionTransformer(), model)
        search = GridSearchCV(pipeline, {"tdimputeregressor__max_epochs": [1, 2]}, cv=2)
        search.fit(*target_cohort)
        assert search.best_estimator_[-1].n_shared_features_ == 12

    def test_may_be_frozen_or_a_file(self, source_cohort, target_cohort, tmp_path):
        source = make_tdimpute(lr=0.01).fit(*source_cohort)
        omitrans.save(source, tmp_path / "source.omitrans")
        found = [
            weights(make_tdimpute(pretrained=given).fit(*target_cohort))
            for given in (source, FrozenEstimator(source), tmp_path / "source.omitrans")
        ]
        assert same_weights(found[0], found[1])
        assert same_weights(found[0], found[2])

    def test_must_be_fitted_and_of_the_same_class(self, source_cohort):
        with pytest.raises(NotFittedError, match="pretrained=TDimputeRegressor is not fitted"):
            make_tdimpute(pretrained=make_tdimpute()).fit(*source_cohort)
        with pytest.raises(ValueError, match=r"of the same class.*Got OmiTransRegressor"):
            make_tdimpute(pretrained=make_omitrans()).fit(*source_cohort)

    def test_must_have_the_same_inner_widths(self, source_cohort, target_cohort):
        source = make_tdimpute().fit(*source_cohort)
        with pytest.raises(ValueError, match="generator of pretrained has another shape"):
            make_tdimpute(n_hidden=9, pretrained=source).fit(*target_cohort)
        plain = make_omitrans(adversarial_loss=None).fit(*source_cohort)
        with pytest.raises(ValueError, match="pretrained has no discriminator"):
            make_omitrans(pretrained=plain).fit(*target_cohort)

    def test_is_not_needed_after_fit(self, make, source_cohort, target_cohort, tmp_path):
        tuned = make().fit(*source_cohort).fine_tune(*target_cohort, max_epochs=1)
        X, _ = target_cohort
        expected = tuned.predict(X)
        tuned.set_params(pretrained=None)
        omitrans.save(tuned, tmp_path / "tuned.omitrans")
        np.testing.assert_array_equal(
            omitrans.load(tmp_path / "tuned.omitrans").predict(X), expected
        )

    def test_changes_the_name_of_the_checkpoint(self, frames, tmp_path):
        X, Y = frames
        for seed in (0, 1):
            source = make_tdimpute(random_state=seed).fit(X, Y)
            make_tdimpute(pretrained=source, checkpoint_dir=tmp_path, checkpoint_every=1).fit(X, Y)
        assert len(list(tmp_path.glob("*.checkpoint"))) == 2


class TestOptimizer:
    def test_is_carried_on(self, make, source_cohort):
        settings = {"lr": 0.01, "batch_size": 40, "keep_optimizer": True}
        source = make(**settings).fit(*source_cohort)
        tuned = source.fine_tune(*source_cohort, max_epochs=1, batch_size=40, carry_optimizer=True)
        afresh = source.fine_tune(*source_cohort, max_epochs=1, batch_size=40)
        assert not same_weights(weights(tuned), weights(afresh))
        # the first step of a fresh Adam has the size lr wherever there is a slope
        name = "output.bias"
        step = np.abs(weights(afresh)[name] - weights(source)[name])
        np.testing.assert_allclose(step, 0.01, rtol=1e-3)

    def test_two_trainings_equal_one(self, source_cohort):
        settings = {"lr": 0.01, "batch_size": 40, "keep_optimizer": True}
        whole = make_tdimpute(**settings, max_epochs=6).fit(*source_cohort)
        half = make_tdimpute(**settings, max_epochs=3).fit(*source_cohort)
        both = half.fine_tune(*source_cohort, max_epochs=3, batch_size=40, carry_optimizer=True)
        X, _ = source_cohort
        np.testing.assert_allclose(both.predict(X), whole.predict(X), rtol=1e-4)

    def test_must_have_been_kept(self, make, source_cohort, target_cohort):
        source = make().fit(*source_cohort)
        with pytest.raises(ValueError, match="Fit that with keep_optimizer=True"):
            source.fine_tune(*target_cohort, carry_optimizer=True)


class TestFreeze:
    def test_leaves_the_named_weights(self, make, source_cohort, target_cohort):
        source = make(lr=0.01).fit(*source_cohort)
        tuned = source.fine_tune(*target_cohort, max_epochs=2, freeze="hidden")
        before, now = weights(source), weights(tuned)
        for name in before:
            assert np.array_equal(before[name], now[name]) == name.startswith("hidden"), name

    def test_names_must_exist_and_leave_something(self, make, source_cohort, target_cohort):
        source = make().fit(*source_cohort)
        with pytest.raises(ValueError, match=r"freeze names 'hid', but .*output\.weight"):
            source.fine_tune(*target_cohort, freeze=["hid"])
        with pytest.raises(ValueError, match="leaves no weight"):
            source.fine_tune(*target_cohort, freeze=["hidden", "output"])

    @pytest.mark.parametrize("option", [{"freeze": "hidden"}, {"carry_optimizer": True}])
    def test_options_need_a_pretrained_model(self, make, source_cohort, option):
        with pytest.raises(ValueError, match="but pretrained is None"):
            make(**option).fit(*source_cohort)
