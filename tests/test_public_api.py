"""The names that others build on: what is public, where it stands, and what it costs to import."""

import inspect
import json
import subprocess
import sys
import time
from importlib import import_module
from types import ModuleType

import pytest

import omitrans
from omitrans.utils.discovery import public_modules

MODULES = {module.__name__: module for module in public_modules()}
ROOMS = sorted(name for name in MODULES if name.count(".") == 1)
# Rooms that a user can import without waiting for torch.
WITHOUT_TORCH = sorted(
    set(ROOMS) - {f"omitrans.{room}" for room in ("estimators", "losses", "networks")}
)


def modules_after(code):
    """Return the modules that a new interpreter holds after `code`."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


# --- what it costs ---


def test_import_loads_nothing_costly():
    start = time.perf_counter()
    loaded = modules_after("import omitrans; dir(omitrans)")
    seconds = time.perf_counter() - start
    for package in ("numpy", "pandas", "scipy", "sklearn", "skorch", "torch", "matplotlib"):
        assert package not in loaded
    assert seconds < 5  # a process of its own included; the promise is half a second


def test_rooms_without_networks_do_not_load_torch():
    loaded = modules_after(f"import omitrans, {', '.join(WITHOUT_TORCH)}")
    assert "omitrans.pipelines._translation" in loaded
    for package in ("torch", "skorch", "matplotlib", "celer"):
        assert package not in loaded


def test_torch_is_loaded_when_it_is_needed():
    assert "torch" in modules_after("from omitrans import OmiTransRegressor")


# --- what is there ---


def test_public_modules_are_found():
    assert len(ROOMS) >= 14
    assert len(WITHOUT_TORCH) < len(ROOMS)


@pytest.mark.parametrize("name", MODULES)
def test_all_is_sorted_and_true(name):
    module = MODULES[name]
    if name in {"omitrans.networks.discriminators", "omitrans.networks.generators"}:
        assert not hasattr(module, "__all__")  # a network is reached by its registered name
        return
    listed = list(module.__all__)
    assert len(set(listed)) == len(listed)
    # classes and constants first, as ruff sorts them: upper case stands before lower case
    assert sorted(listed, key=isort_style) == listed or name == "omitrans"
    for public in listed:
        assert not public.startswith("_") or (name, public) == ("omitrans", "__version__")
        getattr(module, public)


def isort_style(name):
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@pytest.mark.parametrize("name", [name for name in ROOMS if hasattr(MODULES[name], "__path__")])
def test_the_face_of_a_folder_holds_nothing_but_all(name):
    module = MODULES[name]
    leaks = [
        public
        for public, value in vars(module).items()
        if not public.startswith("_")
        and public not in module.__all__
        and not isinstance(value, ModuleType)
    ]
    assert not leaks


def test_dir_lists_the_public_names_once():
    assert dir(omitrans) == sorted(omitrans.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'omitrans' has no attribute 'omitrans'"):
        omitrans.omitrans  # noqa: B018


def test_version_is_that_of_the_installed_package():
    assert omitrans.__version__[0].isdigit()


# --- names and signatures that stay ---

# name -> (positional parameters, some keyword-only parameters)
SIGNATURES = {
    "omitrans.OmiTransRegressor": (
        ["generator", "discriminator"],
        [
            *("hidden_layer_sizes", "latent_dim", "dropout", "lr", "batch_size", "max_epochs"),
            *("decay_epochs", "device", "random_state", "verbose"),
        ],
    ),
    "omitrans.OmiTransRegressor.from_preset": (["name"], []),
    "omitrans.OmiTransRegressor.fit": (["self", "X", "y", "groups"], []),
    "omitrans.OmiTransRegressor.predict": (["self", "X", "return_std", "n_draws"], []),
    "omitrans.predict_frame": (["model", "X"], ["intervals", "target_names"]),
    "omitrans.preprocessing.ArrayHarmonizer": (
        [],
        ["missing", "replicates", "warn_coverage", "min_coverage"],
    ),
    "omitrans.preprocessing.ArrayHarmonizer.report": (["self", "X"], []),
    "omitrans.save": (["model", "path"], []),
    "omitrans.load": (["path"], []),
    "omitrans.preprocessing.ProbeFilter": (["annotation"], []),
    "omitrans.preprocessing.MissingRateFilter": (["threshold"], []),
    "omitrans.preprocessing.LocationAligner": (["annotation"], []),
    "omitrans.metrics.reconstruction_report": (["Y_true", "Y_pred"], ["threshold"]),
    "omitrans.metrics.r2_per_feature": (["Y_true", "Y_pred"], []),
    "omitrans.metrics.r2_per_sample": (["Y_true", "Y_pred"], []),
    "omitrans.datasets.make_paired_omics": (["n_samples", "n_probes", "n_genes"], ["random_state"]),
    "omitrans.networks.get_generator": (["name"], []),
    "omitrans.networks.get_discriminator": (["name"], []),
    "omitrans.networks.list_generators": ([], []),
    "omitrans.networks.list_discriminators": ([], []),
}
DEFAULTS = {
    ("omitrans.OmiTransRegressor", "generator"): "fc",
    ("omitrans.OmiTransRegressor", "discriminator"): "fc",
    ("omitrans.preprocessing.MissingRateFilter", "threshold"): 0.1,
    ("omitrans.metrics.reconstruction_report", "threshold"): 0.3,
}
METRICS = [
    *("mse", "rmse", "mean_ae", "median_ae", "mean_r2_per_sample", "mean_r2_per_feature"),
    *("median_r2_per_feature", "n_r2_per_feature_above", "fraction_r2_per_feature_above"),
]


def find(name):
    """Return what a dotted name stands for."""
    module, *attributes = name.split(".")
    value = import_module(module)
    for attribute in attributes:
        value = getattr(value, attribute)
    return value


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(name):
    positional, keywords = SIGNATURES[name]
    parameters = inspect.signature(find(name)).parameters
    found = [p.name for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert found == positional
    for keyword in keywords:
        assert parameters[keyword].kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize(("name", "parameter"), DEFAULTS)
def test_default(name, parameter):
    found = inspect.signature(find(name)).parameters[parameter].default
    assert found == DEFAULTS[name, parameter]


def test_nine_metrics_have_the_published_names():
    from omitrans.metrics import RECONSTRUCTION_SCORERS, reconstruction_report

    assert list(RECONSTRUCTION_SCORERS) == METRICS
    assert (
        list(reconstruction_report([[1.0, 2.0], [3.0, 5.0]], [[1.0, 2.0], [3.0, 4.0]])) == METRICS
    )


def test_simulated_data_have_the_promised_tables():
    data = find("omitrans.datasets.make_paired_omics")(10, 20, 5, random_state=0)
    assert {"X", "Y", "samples", "probes", "genes", "truth"} <= set(data)
    assert "patient" in data.samples.columns


def test_networks_take_widths_first_and_have_the_published_ones_as_defaults():
    generator = find("omitrans.networks.get_generator")("fc")
    discriminator = find("omitrans.networks.get_discriminator")("fc")
    widths = inspect.signature(generator).parameters["hidden_layer_sizes"].default
    assert tuple(widths) == (4096, 1024, 512)
    assert list(inspect.signature(generator).parameters)[:2] == ["n_source", "n_target"]
    assert list(inspect.signature(discriminator).parameters)[:2] == ["n_target", "n_source"]


def test_preset_is_table_2_of_the_paper():
    model = omitrans.OmiTransRegressor.from_preset("paper-fc")
    assert (model.latent_dim, model.dropout, model.batch_size) == (256, 0.2, 128)
    assert (model.lr, model.discriminator_lr) == (1e-4, 1e-4)
    assert (model.max_epochs, model.decay_epochs) == (800, 100)
    assert (model.reconstruction_loss, model.reconstruction_weight) == ("l1", 100)
