"""Every public class, method and function is documented as numpydoc wants it."""

import inspect
import re
import tomllib
from pathlib import Path

import numpydoc.validate
import pytest
from numpydoc.docscrape import ClassDoc

import omitrans
from omitrans.estimators._trained_net import TrainedNetEstimator
from omitrans.utils.discovery import all_classes, all_estimators, all_functions, public_modules

ROOT = Path(omitrans.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
SETTINGS = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["numpydoc_validation"]
IGNORED = set(SETTINGS["checks"]) - {"all"}  # "all" turns the list into exceptions

# What needs no example of its own -> what holds the example that shows it.
EXAMPLE_ELSEWHERE = {
    "ClusterSurvival": "cluster_survival",
    "CoxValidation": "cross_validate_cox",
    "DiscriminatorNet": "register_generator",
    "DrivingGeneScores": "score_driving_genes",
    "GeneratorNet": "register_generator",
    "ImputerComparison": "compare_imputers",
    "ModelComparison": "compare_models",
    "PenalizedGeneratorNet": "register_generator",
    "lasso_paths_of_arrays": "lasso_paths",
    "load": "save",
    "TrustCard": "TrustedRegressor",
    "register_discriminator": "register_generator",
}
# numpydoc takes the parameters of the __init__ that typing.Protocol adds for theirs.
PROTOCOLS = {"DiscriminatorNet", "GeneratorNet", "PenalizedGeneratorNet"}


def public_methods(cls):
    """Yield the names of the public methods and properties that this package wrote."""
    for name in dir(cls):
        value = inspect.getattr_static(cls, name)
        function = getattr(cls, name)
        written_here = getattr(function, "__module__", None) or ""
        if name.startswith("_") or not written_here.startswith("omitrans."):
            continue
        if callable(function) and not isinstance(value, type):
            yield name


def public_objects():
    """Return the dotted names of what users see."""
    names = [f"{function.__module__}.{name}" for name, function in all_functions()]
    for name, cls in all_classes():
        names.append(f"{cls.__module__}.{name}")
        names += [f"{cls.__module__}.{name}.{method}" for method in public_methods(cls)]
    return names


NAMES = public_objects()
OBJECTS = dict(all_classes() + all_functions())


def test_all_rules_but_the_listed_ones_apply():
    assert "all" in SETTINGS["checks"]


def test_public_objects_are_found():
    assert len(NAMES) > 60
    assert "omitrans.estimators._omitrans.OmiTransRegressor.fit" in NAMES
    assert "omitrans.estimators._omitrans.OmiTransRegressor.get_params" not in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_docstring(name):
    ignored = IGNORED | ({"PR01"} if name.rpartition(".")[2] in PROTOCOLS else set())
    errors = numpydoc.validate.validate(name)["errors"]
    wrong = [f"{code}: {text}" for code, text in errors if code not in ignored]
    assert not wrong, "\n".join([name, *wrong])


@pytest.mark.parametrize("module", list(public_modules()), ids=lambda module: module.__name__)
def test_module_says_what_it_is_for(module):
    assert re.match(r"[A-Z].*[.:;]", (module.__doc__ or "").splitlines()[0])


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_public_objects_have_examples(name):
    if isinstance(OBJECTS[name], type) and issubclass(OBJECTS[name], Exception):
        return
    shown_by = EXAMPLE_ELSEWHERE.get(name, name)
    assert ">>> " in OBJECTS[shown_by].__doc__, f"{shown_by} has no Examples."


def descriptions(cls):
    """Return the text of each parameter and attribute that a class documents, by name."""
    doc = ClassDoc(cls)
    entries = [*doc["Parameters"], *doc["Attributes"]]
    return {entry.name: " ".join(entry.desc) for entry in entries}


# What means the same wherever it occurs; what all trained estimators share besides, found by code.
SHARED_BY_ALL = ["feature_names_in_", "n_features_in_", "n_targets_", "target_names_"]
SHARED_BY_ALL += ["add_indicator", "ignored_columns", "indicator_"]
SHARED_BY_TRAINED = [*TrainedNetEstimator._parameter_constraints, "pretrained", "freeze"]
SHARED_BY_TRAINED += ["carry_optimizer", "keep_optimizer", "probe_dropout", "source_unit"]
SHARED_BY_TRAINED += ["dropout", "net_", "history_", "n_iter_", "best_epoch_"]
SHARED_BY_TRAINED += ["best_validation_loss_"]


@pytest.mark.parametrize("name", [*SHARED_BY_ALL, *SHARED_BY_TRAINED])
def test_what_is_shared_is_described_alike(name):
    classes = [cls for _, cls in all_estimators()]
    if name in SHARED_BY_TRAINED:
        classes = [cls for cls in classes if issubclass(cls, TrainedNetEstimator)]
    texts = {cls.__name__: descriptions(cls)[name] for cls in classes if name in descriptions(cls)}
    assert len(texts) > 1
    common = min(texts.values(), key=len)  # a class may add sentences of its own
    assert all(text.startswith(common) for text in texts.values()), texts
    assert sum(text == common for text in texts.values()) > 1 or name == "pretrained", texts


# Phrases of a telegram, and what they should say.
TELEGRAPHIC = {
    r"\b(?:a|one) (?:row|column|file|dot|bar|line|fit|fold) an? [a-z]+": "One row per sample",
    r"\b(?:samples|rows|values|epochs|masks|fits|targets) an? "
    r"(?:step|batch|block|fold|rate|epoch|patient|pattern)\b": "Number of samples per step",
    r"^ +of (?:the|matrix|that|its)\b.*\.$": "A sentence that says what it is",
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docstrings_are_sentences(path):
    found = [
        f"{number}: {line.strip()} (write it like: {cure})"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for pattern, cure in TELEGRAPHIC.items()
        if re.search(pattern, line, re.IGNORECASE)
    ]
    assert not found, "\n".join(found)


def test_tables_name_public_objects():
    assert {*EXAMPLE_ELSEWHERE, *EXAMPLE_ELSEWHERE.values(), *PROTOCOLS} <= set(OBJECTS)
