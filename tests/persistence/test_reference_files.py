"""Files that earlier versions wrote still load and predict what they did."""

import inspect
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import omitrans
from omitrans.persistence import read_summary
from omitrans.utils.discovery import all_estimators
from tests.reference.make_models_format1 import outcome

REFERENCE = Path(__file__).parents[1] / "reference"
FILES = sorted(REFERENCE.glob("*.omitrans"))
MODELS = sorted((REFERENCE / "format1").glob("*.omitrans"))
every_model = pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
pytestmark = pytest.mark.filterwarnings("ignore:The model was saved with scikit-learn")


def test_there_is_a_file_of_every_format():
    assert {read_summary(path)["format"] for path in FILES + MODELS} == {1}


# Classes that came after the files were written.
YOUNGER = {"CovariateEncoder", "TranslationPipeline"}
# Parameters whose default is not what a model did that did not have them.
EARLIER = {("OmiTransRegressor", "backbone"): None}


def test_there_is_a_file_of_every_class():
    stored = {path.stem.partition("_")[0] for path in MODELS}
    assert {name for name, _ in all_estimators()} - YOUNGER <= stored


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_predictions_are_as_stored(path):
    expected = json.loads(path.with_suffix(".json").read_text())
    X = pd.DataFrame(expected["X"], columns=expected["columns"])
    np.testing.assert_allclose(omitrans.load(path).predict(X), expected["predicted"], rtol=1e-12)
    assert read_summary(path)["format"] == expected["format"]


@every_model
@pytest.mark.filterwarnings("ignore::omitrans.exceptions.DomainShiftWarning")
def test_a_model_of_every_class_gives_what_it_gave(path):
    new = pd.read_csv(path.with_name(f"{path.stem}_new.csv"), index_col=0)
    expected = np.loadtxt(path.with_name(f"{path.stem}_expected.csv"), delimiter=",")
    # networks compute in float32, and round otherwise with other instruction sets
    np.testing.assert_allclose(outcome(omitrans.load(path), new), expected, rtol=1e-4, atol=1e-6)


@every_model
def test_a_model_of_every_class_can_be_shown_saved_and_copied(path, tmp_path):
    model = omitrans.load(path)
    assert type(model).__name__ in repr(model)
    omitrans.save(model, tmp_path / "again.omitrans")
    assert type(omitrans.load(tmp_path / "again.omitrans")) is type(model)
    assert clone(model).get_params(deep=False).keys() == model.get_params(deep=False).keys()


@every_model
def test_parameters_that_came_later_have_their_defaults(path, tmp_path):
    """A model file of a version that did not know them yet."""
    model = omitrans.load(path)
    defaults = {}
    for name in model.get_params(deep=False):
        default = inspect.signature(type(model)).parameters[name].default
        default = EARLIER.get((type(model).__name__, name), default)
        if default is not inspect.Parameter.empty:
            defaults[name] = default
            del vars(model)[name]
    omitrans.save(model, tmp_path / "older.omitrans")
    loaded = omitrans.load(tmp_path / "older.omitrans")
    assert {name: getattr(loaded, name) for name in defaults} == defaults
    assert type(loaded).__name__ in repr(loaded)
    assert clone(loaded).get_params(deep=False).keys() == loaded.get_params(deep=False).keys()
