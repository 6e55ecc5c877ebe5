"""Files with sound checksums that ask for far more than they hold; none is built."""

import json

import numpy as np
import pytest
import safetensors.numpy

import omitrans
from benchmarks.mutate_models import ALLOWED, Loader, every_value, opened, saved, sealed
from omitrans.exceptions import ModelFileError
from tests.persistence.forged import array_node, saved_with_alpha

LONG = {"range": [0, 10**9, 1]}


def range_index(n):
    return {"range_index": {"range": [0, n, 1], "name": None}}


def sparse(kind, shape, **nodes):
    return {"sparse": {"kind": kind, "shape": shape, **nodes}}


def frame(values, n):
    blocks = [{"columns": [0], "values": values}]
    return {"frame": {"index": range_index(n), "columns": range_index(1), "blocks": blocks}}


NUMBERS = np.zeros(3)
POSITIONS = np.zeros(3, dtype=np.int32)
ARRAYS = {"a": NUMBERS, "i": POSITIONS, "p": np.array([0, 3], dtype=np.int32)}
NODES = {key: array_node(key, array) for key, array in ARRAYS.items()}
ABSURD = {
    "tuple": {"tuple": LONG},
    "set": {"set": LONG},
    "frozenset": {"frozenset": LONG},
    "list": {"list": LONG},
    "slice": {"slice": LONG},
    "range": {"range": [0, 10**12, 1]},
    "objects": {"objects": {"shape": [10**9], "values": LONG}},
    "objects of text": {"objects": {"shape": [4], "values": "text"}},
    "range index": range_index(10**12),
    "index": {"index": {"values": LONG, "name": None}},
    "index of an index": {"index": {"values": range_index(4_000_000), "name": None}},
    "series": {"series": {"values": LONG, "index": range_index(10**9), "name": None}},
    "frame of a range": frame(LONG, 10**9),
    "frame without columns": {
        "frame": {"index": range_index(10**9), "columns": range_index(1), "blocks": []}
    },
    "categories": {"categorical": {"codes": [0], "categories": LONG, "ordered": False}},
    "text": {"text": {"dtype": "string", "values": "abc"}},
    "compressed rows": sparse(
        "csr_matrix", [1, 10**12], data=NODES["a"], indices=NODES["i"], indptr=NODES["p"]
    ),
    "compressed of ranges": sparse("csr_matrix", [1, 9], data=LONG, indices=LONG, indptr=LONG),
    "coordinates": sparse(
        "coo_array", [10**12, 1], data=NODES["a"], coords={"tuple": [NODES["i"], NODES["i"]]}
    ),
    "coordinates of ranges": sparse("coo_array", [9, 9], data=LONG, coords={"tuple": [LONG, LONG]}),
    "random state": {"random_state": {"tuple": LONG}},
    "nullable": {"nullable": {"kind": "IntegerArray", "values": LONG, "missing": LONG}},
}


@pytest.mark.parametrize("name", ABSURD)
def test_lengths_are_compared_before_anything_is_built(parts, forge, name):
    text = json.dumps(ABSURD[name])
    used = {key: array for key, array in ARRAYS.items() if f'"key": "{key}"' in text}
    with pytest.raises(ModelFileError):
        omitrans.load(saved_with_alpha(parts, forge, ABSURD[name], **used))


def test_an_array_without_numbers_has_no_absurd_length(parts, forge):
    node = {"array": {"key": "a", "dtype": "<f8", "shape": [10**12, 0], "order": "C"}}
    with pytest.raises(ModelFileError, match="length of 1000000000000"):
        omitrans.load(saved_with_alpha(parts, forge, node, a=np.empty((10**12, 0))))


@pytest.mark.parametrize(
    "copied",
    [
        frame({"shared": 0}, 50_000),
        {"series": {"values": {"shared": 0}, "index": range_index(50_000), "name": None}},
        sparse("coo_array", [9, 9], data={"shared": 0}, coords={"tuple": [{"shared": 0}] * 2}),
        {"categorical": {"codes": {"shared": 0}, "categories": ["a"], "ordered": False}},
    ],
    ids=["frame", "series", "sparse", "categorical"],
)
def test_one_array_is_not_copied_again_and_again(parts, forge, copied):
    array = np.zeros(50_000, dtype=np.int64)
    node = [array_node("a", array), *[copied] * 1000]
    document, _ = parts
    document["model"]["estimator"]["state"] = {"steps": node}
    with pytest.raises(ModelFileError, match="arrays more often than any model does"):
        omitrans.load(forge(document, {"a": array}))


def test_estimators_that_hold_each_other_do_not_multiply(forge, parts):
    document, _ = parts
    ridge = {"estimator": {"class": "sklearn.linear_model.Ridge", "state": {}}}
    node = ridge
    for level in range(60):
        steps = [{"tuple": ["first", node]}, {"tuple": ["second", {"shared": level}]}]
        node = {"estimator": {"class": "sklearn.pipeline.Pipeline", "state": {"steps": steps}}}
    document["model"] = node
    with pytest.raises(ModelFileError, match="hold each other more often"):
        omitrans.load(forge(document, {}))


def test_numbers_that_collide_are_no_keys(parts, forge):
    """Python's hash of a number is the rest after division by 2**61 - 1."""
    for node in ({"set": [2**61 - 1, 2**80]}, {"pairs": [[2**80, 1]]}, {"frozenset": [-(2**80)]}):
        with pytest.raises(ModelFileError, match="bits in a set or as a key"):
            omitrans.load(saved_with_alpha(parts, forge, node))
    whole = saved_with_alpha(parts, forge, {"set": [2**63, -1]})
    assert omitrans.load(whole).steps[1][1].alpha == {2**63, -1}


# --- networks ---

TRAINED = {"max_epochs": 1, "decay_epochs": 0, "random_state": 0}
HUGE = 10**9


@pytest.fixture(scope="module")
def networks():
    """Saved models with a network, as bytes."""
    table = np.random.default_rng(0).random((12, 8))
    expression = np.where(np.random.default_rng(1).random((12, 8)) < 0.2, np.nan, table)
    return {
        "tdimpute": saved(omitrans.TDimputeRegressor(n_hidden=3, **TRAINED).fit(table, table)),
        "omitrans": saved(
            omitrans.OmiTransRegressor(backbone=None, latent_dim=3, **TRAINED).fit(table, table)
        ),
        "ensemble": saved(omitrans.OmiTransRegressor(latent_dim=3, **TRAINED).fit(table, table)),
        "gain": saved(
            omitrans.GAINImputer(hidden_layer_sizes=(4,), adversarial_weight=1.0, **TRAINED).fit(
                expression
            )
        ),
    }


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        ("tdimpute", "n_hidden", HUGE),
        ("tdimpute", "n_hidden", 10**15),
        ("omitrans", "hidden_layer_sizes", {"tuple": [HUGE, HUGE]}),
        ("omitrans", "latent_dim", HUGE),
        ("ensemble", "latent_dim", HUGE),
        ("omitrans", "generator", "transformer"),
        ("omitrans", "generator_params", {"dict": {"hidden_layer_sizes": [2] * 100_000}}),
        ("gain", "hidden_layer_sizes", {"tuple": [HUGE]}),
        ("gain", "discriminator_params", {"dict": {"n_profiles": HUGE}}),
    ],
)
def test_a_network_is_not_larger_than_its_weights(networks, tmp_path, model, name, value):
    parts = opened(networks[model])
    parts.document["model"]["estimator"]["state"]["_training_params"]["dict"][name] = value
    path = tmp_path / "large.omitrans"
    path.write_bytes(forged(parts.document, parts.arrays))
    with pytest.raises(ModelFileError, match=r"network far larger than the weights|altered"):
        omitrans.load(path)


@pytest.mark.parametrize("node", [{"range": [0, HUGE, 1]}, 5, {"dict": {}}], ids=str)
def test_networks_that_are_no_list(networks, tmp_path, node):
    parts = opened(networks["ensemble"])
    parts.document["model"]["estimator"]["state"]["networks_"] = node
    path = tmp_path / "no_list.omitrans"
    path.write_bytes(forged(parts.document, parts.arrays))
    with pytest.raises(ModelFileError, match=r"where a list belongs|names a length|altered"):
        omitrans.load(path)


@pytest.mark.parametrize("model", ["tdimpute", "omitrans", "ensemble"])
@pytest.mark.parametrize("name", ["n_features_in_", "n_targets_"])
def test_a_network_has_no_more_inputs_than_its_weights(networks, tmp_path, model, name):
    parts = opened(networks[model])
    parts.document["model"]["estimator"]["state"][name] = HUGE
    path = tmp_path / "wide.omitrans"
    path.write_bytes(forged(parts.document, parts.arrays))
    with pytest.raises(ModelFileError, match="network far larger than the weights"):
        omitrans.load(path)


def forged(document, arrays):
    return sealed(json.dumps(document).encode(), safetensors.numpy.save(arrays))


# --- headers ---


@pytest.mark.parametrize("key", ["versions", "summary", "model"])
def test_a_header_without_an_entry(parts, forge, key):
    document, arrays = parts
    del document[key]
    with pytest.raises(ModelFileError, match=f"entry '{key}' of its model.json is absent"):
        omitrans.load(forge(document, arrays))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("versions", None),
        ("versions", []),
        ("versions", {}),
        ("versions", {"omitrans": "1.0"}),
        ("versions", {"omitrans": "1.0", "scikit-learn": 1.9}),
        ("versions", {"omitrans": "1.0", "scikit-learn": "\x1b[31m1.9"}),
        ("versions", {"omitrans": "1" * 1000, "scikit-learn": "1.9"}),
        ("summary", None),
        ("summary", "text"),
        ("summary", {}),
        ("summary", {"class": None, "n_features_in": "many", "n_feature_names": None}),
        (
            "summary",
            {"class": "x", "n_features_in": 1, "n_feature_names": 1, "target_names": [1]},
        ),
    ],
)
def test_a_header_with_a_wrong_entry(parts, forge, key, value):
    document, arrays = parts
    document[key] = value
    for read in (omitrans.load, omitrans.persistence.read_summary):
        with pytest.raises(ModelFileError, match=f"entry '{key}' of its model.json is absent or"):
            read(forge(document, arrays))


@pytest.mark.parametrize("written", [True, 1.0, "1", None, [1]])
def test_a_format_is_a_whole_number(parts, forge, written):
    document, arrays = parts
    document["format"] = written
    with pytest.raises(ModelFileError, match="it has the format"):
        omitrans.load(forge(document, arrays))


def test_messages_are_short_and_can_be_shown(parts, forge):
    document, arrays = parts
    document["model"]["estimator"]["class"] = "\x1b[2J" + "x" * 100_000
    with pytest.raises(ModelFileError) as caught:
        omitrans.load(forge(document, arrays))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


# --- memory ---


def filled(node, before=(), arrays=None):
    """Return a file of a megabyte whose list holds one node again and again."""
    document, arrays = opened(saved(every_value())).document, arrays or {}
    state = {"before": list(before), "alpha": "HERE"}
    document["model"] = {"estimator": {"class": "sklearn.linear_model.Ridge", "state": state}}
    one = json.dumps(node)
    many = ",".join([one] * ((990_000 - sum(a.nbytes for a in arrays.values())) // (len(one) + 1)))
    text = json.dumps(document).replace('"HERE"', f"[{many}]")
    return sealed(text.encode(), safetensors.numpy.save(arrays))


KEY = np.zeros(624, dtype=np.uint32)
MT19937 = {"bit_generator": "MT19937", "state": {"dict": {"key": {"shared": 0}, "pos": 0}}}
DENSE = {
    "lists": ([],),
    "sets": ({"set": []},),
    "bunches": ({"bunch": {"a": 1}},),
    "estimators": ({"estimator": {"class": "omitrans.estimators.TDimputeRegressor", "state": {}}},),
    "tables": (frame({"objects": {"shape": [1], "values": [1]}}, 1),),
    "generators": ({"generator": {"dict": MT19937}}, [array_node("k", KEY)], {"k": KEY}),
}


@pytest.fixture(scope="module")
def loader():
    """A process that loads files under limits of time and memory."""
    loader = Loader({"every value": saved(every_value())})
    yield loader
    loader.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", DENSE)
def test_a_file_of_a_megabyte_takes_no_more_than_its_means(loader, name):
    content = filled(*DENSE[name])
    outcome, message, taken = loader.load(content, describe=False)
    assert outcome == "loaded", message
    assert taken < 2 * len(content) + ALLOWED
