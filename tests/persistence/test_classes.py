"""Only public estimators of omitrans and scikit-learn can be named by a file."""

import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.feature_selection import f_classif
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline

import omitrans
from omitrans.baselines import DualRidgeRegressor
from omitrans.exceptions import ModelFileError
from omitrans.persistence import _classes
from omitrans.persistence._classes import (
    MOVED_CLASSES,
    class_name,
    find_class,
    find_function,
    find_scalar_type,
    function_name,
    scalar_type_name,
)
from omitrans.persistence._codecs import _estimators
from omitrans.utils.discovery import all_estimators


class OwnRidge(Ridge):
    """A user's class."""


class Impostor(BaseEstimator):
    """A class that claims to be scikit-learn's."""


Impostor.__module__, Impostor.__qualname__ = "sklearn.linear_model", "Ridge"


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (Ridge, "sklearn.linear_model.Ridge"),
        (DummyRegressor, "sklearn.dummy.DummyRegressor"),
        (Pipeline, "sklearn.pipeline.Pipeline"),
        (TransformedTargetRegressor, "sklearn.compose.TransformedTargetRegressor"),
    ],
)
def test_the_public_name_leads_back_to_the_class(cls, name):
    assert class_name(cls) == name
    assert find_class(name) is cls


def test_every_public_estimator_of_omitrans_has_a_name():
    for _, cls in all_estimators():
        if cls.__module__.startswith("omitrans.engine."):
            assert class_name(cls) is None  # skorch's nets unpickle parts of their state
        else:
            assert find_class(class_name(cls)) is cls


def test_a_name_that_moved_leads_to_the_class_of_today(monkeypatch, tmp_path):
    moved = {"omitrans.evaluation.OldRidge": "omitrans.baselines.DualRidgeRegressor"}
    monkeypatch.setattr(_classes, "MOVED_CLASSES", moved)
    assert find_class("omitrans.evaluation.OldRidge") is DualRidgeRegressor
    path = tmp_path / "model.omitrans"
    with monkeypatch.context() as patch:  # as an older version would have written it
        patch.setattr(_estimators, "class_name", lambda cls: "omitrans.evaluation.OldRidge")
        omitrans.save(DualRidgeRegressor(alpha=3.0), path)
    loaded = omitrans.load(path)
    assert isinstance(loaded, DualRidgeRegressor)
    assert loaded.alpha == 3.0


def test_every_name_that_moved_leads_to_a_public_class():
    for then, now in MOVED_CLASSES.items():
        assert find_class(then) is find_class(now)


def test_celer_lasso():
    celer = pytest.importorskip("celer")
    assert find_class(class_name(celer.Lasso)) is celer.Lasso


@pytest.mark.parametrize("cls", [OwnRidge, Impostor, dict, type, np.ndarray])
def test_other_classes_have_no_name(cls):
    assert class_name(cls) is None


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "Ridge",
        "",
        "sklearn.linear_model._ridge.Ridge",
        "sklearn.linear_model._ridge._BaseRidge",
        "sklearn.linear_model.__class__",
        "sklearn.linear_model.Ridge.__init__",
        "sklearn.linear_model.Ridge\n",
        "sklearn.linear_model.ridge_regression",
        "sklearn.linear_model.NoSuchModel",
        "sklearn.dummy.BaseEstimator",
        "sklearn.dummy.Interval",
        "sklearn.utils._testing.MinimalRegressor",
        "sklearn.utils.Bunch",
        "sklearn.conftest.Ridge",
        "sklearn.tests.Ridge",
        "sklearn.externals.Ridge",
        "sklearn.gaussian_process.GaussianProcessRegressor.kernel",
        "sklearn..Ridge",
        "omitrans.persistence.Encoder",
        "omitrans.exceptions.ModelFileError",
        "omitrans.cli.Main",
        "omitrans.annotation.pd",
        "celer.Os",
        "celer.dropin_sklearn.Lasso",
        "torch.nn.Linear",
    ],
)
def test_names_outside_the_list_are_refused_and_not_imported(name):
    before = set(sys.modules)
    with pytest.raises(ModelFileError, match="not a public estimator"):
        find_class(name)
    imported = {module.partition(".")[0] for module in set(sys.modules) - before}
    assert imported <= {"sklearn", "omitrans"}
    assert not {"sklearn.conftest", "sklearn.utils._testing"} & (set(sys.modules) - before)


@pytest.mark.parametrize("function", [np.log1p, np.sqrt, f_classif])
def test_functions(function):
    assert find_function(function_name(function)) is function


@pytest.mark.parametrize("function", [np.exp, np.load, len, print, Ridge, 3, None])
def test_other_functions_have_no_name(function):
    assert function_name(function) is None


@pytest.mark.parametrize(
    "name", ["numpy.load", "os.system", "sklearn.feature_selection.chi2", "log1p"]
)
def test_other_function_names_are_refused(name):
    with pytest.raises(ModelFileError, match="names the function"):
        find_function(name)


@pytest.mark.parametrize("kind", [float, bool, np.float32, np.str_])
def test_scalar_types(kind):
    assert find_scalar_type(scalar_type_name(kind)) is kind


@pytest.mark.parametrize("name", ["numpy.ndarray", "type", "numpy.load", "eval"])
def test_other_type_names_are_refused(name):
    with pytest.raises(ModelFileError, match="names the type"):
        find_scalar_type(name)
