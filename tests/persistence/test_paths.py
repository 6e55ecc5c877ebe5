"""A loaded model follows no path that its file names."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import omitrans
from omitrans.pipelines import make_translation_pipeline
from tests.persistence.forged import ridge_of

TRAINED = {"n_hidden": 3, "max_epochs": 1, "decay_epochs": 0, "random_state": 0}
TABLE = np.random.default_rng(0).random((12, 5))


def saved_and_loaded(model, path):
    omitrans.save(model, path)
    return omitrans.load(path)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_of_checkpoints_is_not_stored(tmp_path, kind):
    folder = tmp_path / "checkpoints"
    model = omitrans.TDimputeRegressor(checkpoint_dir=kind(folder), checkpoint_every=1, **TRAINED)
    model.fit(TABLE, TABLE)
    written = sorted(folder.iterdir())
    loaded = saved_and_loaded(model, tmp_path / "model.omitrans")
    assert str(folder).encode() not in (tmp_path / "model.omitrans").read_bytes()
    assert model.checkpoint_dir == kind(folder)
    assert loaded.checkpoint_dir is None
    np.testing.assert_array_equal(loaded.predict(TABLE), model.predict(TABLE))
    clone(loaded).set_params(random_state=1).fit(TABLE, TABLE)
    assert sorted(folder.iterdir()) == written


def test_a_pretrained_model_is_kept_and_the_path_of_one_is_not(tmp_path):
    path = tmp_path / "first.omitrans"
    first = omitrans.TDimputeRegressor(**TRAINED).fit(TABLE, TABLE)
    omitrans.save(first, path)
    for pretrained in (str(path), path):
        model = omitrans.TDimputeRegressor(pretrained=pretrained, **TRAINED).fit(TABLE, TABLE)
        assert saved_and_loaded(model, tmp_path / "model.omitrans").pretrained is None
    model = omitrans.TDimputeRegressor(pretrained=first, **TRAINED).fit(TABLE, TABLE)
    kept = saved_and_loaded(model, tmp_path / "model.omitrans").pretrained
    np.testing.assert_array_equal(kept.predict(TABLE), first.predict(TABLE))


@pytest.mark.parametrize("make", [make_pipeline, make_translation_pipeline])
def test_a_cache_is_not_stored(tmp_path, make):
    model = make(*([StandardScaler()] if make is make_pipeline else []), Ridge())
    model.set_params(memory=str(tmp_path / "cache"))
    loaded = saved_and_loaded(model, tmp_path / "model.omitrans")
    assert loaded.memory is None
    loaded.fit(TABLE, TABLE[:, :2])
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("name", ["memory", "checkpoint_dir", "pretrained"])
def test_paths_of_a_forged_file_are_reset(parts, forge, tmp_path, name):
    document, arrays = parts
    for state in (document["model"]["estimator"]["state"], ridge_of(document)["state"]):
        state[name] = str(tmp_path / "elsewhere")
    loaded = omitrans.load(forge(document, arrays))
    assert getattr(loaded, name) is None
    assert getattr(loaded.steps[1][1], name) is None
    loaded.fit([[0.0, 1.0], [1.0, 0.5]], [1.0, 2.0]).predict([[0.0, 1.0]])
    assert {path.suffix for path in tmp_path.iterdir()} == {".omitrans"}
