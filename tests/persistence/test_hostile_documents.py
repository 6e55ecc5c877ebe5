"""Files with sound checksums that ask for what no model needs; all are refused."""

import json
import zipfile

import numpy as np
import pytest
import safetensors.numpy

import omitrans
from omitrans.exceptions import ModelFileError
from omitrans.persistence import read_summary
from tests.persistence.forged import COEF, array_node, ridge_of, saved_with_alpha


def test_the_forge_makes_sound_files(parts, forge):
    assert omitrans.load(forge(*parts)).predict([[0.0, 0.0]]).shape == (1,)


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "sklearn.utils._testing.MinimalRegressor",
        "sklearn.linear_model._ridge.Ridge",
        "sklearn.linear_model.__init__",
        "sklearn.utils.Bunch",
        "omitrans.utils.discovery.all_estimators",
        5,
        None,
        ["sklearn.linear_model.Ridge"],
    ],
)
def test_classes(parts, forge, name):
    document, arrays = parts
    ridge_of(document)["class"] = name
    with pytest.raises(ModelFileError, match=r"not a public estimator|altered"):
        omitrans.load(forge(document, arrays))


@pytest.mark.parametrize("name", ["__class__", "__dict__", "__init__", "a b", "", "a.b", "1a"])
def test_attribute_names(parts, forge, name):
    document, arrays = parts
    ridge_of(document)["state"][name] = 1
    with pytest.raises(ModelFileError, match="attributes with unusable names"):
        omitrans.load(forge(document, arrays))


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"function": "os.system"}, "names the function 'os.system'"),
        ({"function": "numpy.load"}, "names the function 'numpy.load'"),
        ({"type": "numpy.ndarray"}, "names the type"),
        ({"pickle": "gASVIQ=="}, "tag 'pickle' is unknown"),
        ({"tuple": [], "dict": {}}, "where one tag belongs"),
        ({}, "where one tag belongs"),
        ({"shared": 99}, "refers to object 99"),
        ({"shared": -1}, "refers to object -1"),
        ({"shared": "0"}, "refers to object '0'"),
        ({"tuple": 3}, "altered"),
        ({"dict": [1]}, "altered"),
        ({"set": [{"dict": {}}]}, "altered"),
        ({"float": "1e3"}, "altered"),
        ({"slice": [1, 2, 3, 4]}, "altered"),
        ({"dtype": "V8"}, "dtype 'V8' is unknown"),
        ({"dtype": "f8,O"}, "dtype 'f8,O' is unknown"),
        ({"dtype": "<M8[eons]"}, "altered"),
        ({"scalar": ["ndarray", 3]}, "names the type"),
        ({"scalar": ["float64", {"dict": {}}]}, "is not a scalar"),
        ({"scalar": ["int8", 300]}, "altered"),
        ({"scalar": ["void", 10**14]}, "is not a scalar"),
        ({"objects": {"shape": [10**12], "values": []}}, "do not fill the shape"),
        ({"objects": {"shape": [-1], "values": [1]}}, "do not fill the shape"),
        ({"array": {"key": "none", "dtype": "<f8", "shape": [2]}}, "array 'none' is missing"),
        ({"estimator": {"class": "sklearn.linear_model.Ridge", "state": 3}}, "altered"),
        ({"estimator": {"state": {}}}, "altered"),
        ({"random_state": {"dict": {"bit_generator": "os"}}}, "altered"),
        ({"frame": {"index": [], "columns": [], "blocks": [{"columns": [0]}]}}, "altered"),
        (
            {
                "frame": {
                    "index": {"range_index": {"range": [0, 10**12, 1], "name": None}},
                    "columns": {"range_index": {"range": [0, 1, 1], "name": None}},
                    "blocks": [],
                }
            },
            "altered",
        ),
        (
            {
                "series": {
                    "values": {"scalar": ["float64", 1.0]},
                    "index": {"range_index": {"range": [0, 10**12, 1], "name": None}},
                    "name": None,
                }
            },
            "altered",
        ),
        (
            {"nullable": {"kind": "os", "values": {"tuple": []}, "missing": {"tuple": []}}},
            "altered",
        ),
    ],
)  # fmt: skip
def test_values(parts, forge, node, message):
    document, arrays = parts
    ridge_of(document)["state"]["alpha"] = node
    with pytest.raises(ModelFileError, match=message):
        omitrans.load(forge(document, arrays))


def deep(depth, opening, closing):
    return b'{"kind": ' + opening * depth + b"1" + closing * depth + b"}"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"kind": "omitrans model"}',
        b'{"kind": "another model", "format": 1}',
        b'{"kind": "\xe9t\xe9"}',
        '{"kind": "omitrans model"}'.encode("utf-16"),
        b'{"kind": NaN}',
        b'{"kind": -Infinity}',
        b'{"kind": "omitrans model", "format": ' + b"9" * 5000 + b"}",
        deep(100_000, b"[", b"]"),
        deep(100_000, b'{"tuple":', b"}"),
    ],
    ids=lambda text: repr(text[:40]),
)
def test_documents_that_are_not_one(parts, forge, text):
    path = forge(text, parts[1])
    with pytest.raises(ModelFileError, match=str(path)):
        omitrans.load(path)
    with pytest.raises(ModelFileError, match=str(path)):
        read_summary(path)


def test_deep_nesting_that_json_still_reads(parts, forge):
    document, arrays = parts
    node = 1
    for _ in range(400):
        node = {"tuple": [node]}
    ridge_of(document)["state"]["alpha"] = node
    with pytest.raises(ModelFileError, match="altered"):
        omitrans.load(forge(document, arrays))


def test_nan_in_a_value(parts, forge):
    document, arrays = parts
    ridge_of(document)["state"]["alpha"] = float("nan")
    with pytest.raises(ModelFileError, match="NaN, which is not JSON"):
        omitrans.load(forge(document, arrays))


@pytest.mark.parametrize("version", [2, 0, "1", None, 1.5])
def test_a_future_format_says_who_wrote_it(parts, forge, version):
    document, arrays = parts
    document["format"], document["versions"]["omitrans"] = version, "7.3"
    for read in (omitrans.load, read_summary):
        with pytest.raises(ModelFileError, match=r"written by omitrans 7\.3.*pip install -U"):
            read(forge(document, arrays))


def test_something_else_than_an_estimator(parts, forge):
    document, arrays = parts
    document["model"] = {"dict": {}}
    with pytest.raises(ModelFileError, match="holds a dict, not an estimator"):
        omitrans.load(forge(document, arrays))


def test_a_network_that_nobody_registered(forge, tmp_path):
    omitrans.save(
        omitrans.OmiTransRegressor(backbone=None, max_epochs=1, random_state=0).fit(
            np.eye(8), np.eye(8)
        ),
        tmp_path / "m",
    )
    with zipfile.ZipFile(tmp_path / "m") as archive:
        document = json.loads(archive.read("model.json"))
        arrays = safetensors.numpy.load(archive.read("arrays.safetensors"))
    document["model"]["estimator"]["state"]["_training_params"]["dict"]["generator"] = "mynet"
    with pytest.raises(ModelFileError, match=r"'mynet'.*import the module that registers it"):
        omitrans.load(forge(document, arrays))


# --- arrays that are not what the document says ---


def test_a_missing_array(parts, forge):
    document, arrays = parts
    del arrays[COEF]
    with pytest.raises(
        ModelFileError, match=r"array 'Pipeline\.steps\[1\]\[1\]\.coef_' is missing"
    ):
        omitrans.load(forge(document, arrays))


def test_an_array_too_many(parts, forge):
    document, arrays = parts
    with pytest.raises(ModelFileError, match=r"arrays without a place.*spare"):
        omitrans.load(forge(document, arrays | {"spare": np.zeros(2)}))


def test_an_array_used_twice(parts, forge):
    document, arrays = parts
    state = ridge_of(document)["state"]
    state["alpha"] = state["coef_"]
    with pytest.raises(ModelFileError, match="is missing"):
        omitrans.load(forge(document, arrays))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(2, dtype="f4"), "holds float32, not float64"),
        (np.zeros(2, dtype="i8"), "holds int64, not float64"),
        (np.zeros(3), r"has the shape \(3,\), not \[2\]"),
        (np.zeros((2, 1)), r"has the shape \(2, 1\)"),
    ],
)
def test_another_dtype_or_shape(parts, forge, array, message):
    document, arrays = parts
    with pytest.raises(ModelFileError, match=message):
        omitrans.load(forge(document, arrays | {COEF: array}))


@pytest.mark.parametrize("dtype", ["<U1000000000", "<U0", "<c16", "O", "<M8[s]"])
def test_another_declared_dtype(parts, forge, dtype):
    document, arrays = parts
    ridge_of(document)["state"]["coef_"]["array"]["dtype"] = dtype
    with pytest.raises(ModelFileError, match=r"holds float64|has the shape|unknown|altered"):
        omitrans.load(forge(document, arrays))


def test_arrays_that_are_no_safetensors(parts, forge):
    with pytest.raises(ModelFileError, match="not in the safetensors format"):
        omitrans.load(forge(parts[0], b"\x93NUMPY"))


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "F4", "C64", "F128", None])
def test_numbers_that_no_model_holds(parts, forge, dtype):
    size = {"BF16": 2, "F8_E4M3": 1, "F4": 0.5}.get(dtype, 8)
    header = {COEF: {"dtype": dtype, "shape": [int(16 / size)], "data_offsets": [0, 16]}}
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + bytes(16)
    with pytest.raises(ModelFileError, match=r"safetensors format|altered|holds"):
        omitrans.load(forge(parts[0], content))


@pytest.mark.parametrize("indices", [[0, 9], [-1, 0]])
def test_sparse_indices_outside_the_matrix(parts, forge, indices):
    extra = {
        "data": np.ones(2),
        "indices": np.array(indices, dtype=np.int32),
        "indptr": np.array([0, 1, 2], dtype=np.int32),
    }
    node = {
        "sparse": {
            "kind": "csr_matrix",
            "shape": [2, 3],
            **{key: array_node(key, array) for key, array in extra.items()},
        }
    }
    with pytest.raises(ModelFileError, match="altered"):
        omitrans.load(saved_with_alpha(parts, forge, node, **extra))


@pytest.mark.parametrize("position", [625, -1, 10**6, "3"])
def test_random_states_outside_their_buffer(parts, forge, position):
    key = np.zeros(624, dtype=np.uint32)
    state = {"dict": {"key": array_node("key", key), "pos": position}}
    node = {"random_state": {"dict": {"bit_generator": "MT19937", "state": state}}}
    with pytest.raises(ModelFileError, match="random state stands at position"):
        omitrans.load(saved_with_alpha(parts, forge, node, key=key))


def test_categories_outside_the_list(parts, forge):
    codes = np.array([0, 5], dtype=np.int8)
    node = {
        "categorical": {"codes": array_node("codes", codes), "categories": ["a"], "ordered": False}
    }
    with pytest.raises(ModelFileError, match="altered"):
        omitrans.load(saved_with_alpha(parts, forge, node, codes=codes))
