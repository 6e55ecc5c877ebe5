"""The arrays of a model file are in the format of the safetensors package."""

import json

import numpy as np
import pytest
import safetensors.numpy

from omitrans.exceptions import ModelFileError
from omitrans.persistence._container import read_arrays, write_arrays

ARRAYS = {
    "Ridge.coef_": np.arange(12, dtype=np.float32).reshape(3, 4),
    "Ridge.intercept_": np.array(0.5),
    "mask": np.array([True, False]),
    "no mask": np.empty(0, dtype=bool),
    "empty": np.empty((0, 5), dtype=np.int16),
    "Pipeline.steps[0][1].names 'β'": np.arange(3, dtype=np.uint8),
    **{code: np.ones(3, dtype=code) for code in ("f2", "i1", "i4", "i8", "u2", "u4", "u8")},
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "arrays.safetensors"


def assert_equal_arrays(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
        assert found[name].flags.writeable


def test_what_is_written_is_read(path):
    write_arrays(path, ARRAYS)
    assert_equal_arrays(read_arrays(path), ARRAYS)


def test_metadata_of_others_are_ignored(path):
    safetensors.numpy.save_file(ARRAYS, path, metadata={"by": "safetensors"})
    assert_equal_arrays(read_arrays(path), ARRAYS)


def test_arrays_with_gaps_are_written_in_c_order(path):
    arrays = {"gaps": np.arange(24.0).reshape(4, 6)[::2, ::-3], "columns": np.eye(3, 4).T}
    write_arrays(path, arrays)
    assert_equal_arrays(read_arrays(path), arrays)


def test_no_arrays(path):
    write_arrays(path, {})
    assert read_arrays(path) == {}


def test_arrays_outlive_the_file(path):
    write_arrays(path, ARRAYS)
    arrays = read_arrays(path)
    path.write_bytes(bytes(path.stat().st_size))
    assert_equal_arrays(arrays, ARRAYS)


def spec(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("header", "n_bytes"),
    [
        ({"a": spec("F32", [2], 0, 8)}, 0),
        ({"a": spec("F32", [2], 0, 8)}, 7),
        ({"a": spec("F32", [2], 4, 12)}, 12),
        ({"a": spec("F32", [3], 0, 8)}, 8),
        ({"a": spec("F32", [-2], 0, 8)}, 8),
        ({"a": spec("U8", [2**40, 2**40], 0, 8)}, 8),
        ({"a": spec("U8", [8], 0, 8), "b": spec("U8", [8], 0, 8)}, 8),
        ({"a": spec("U9", [8], 0, 8)}, 8),
        ({}, 1),
        ([], 0),
    ],
)
def test_headers_that_do_not_fit_are_refused(path, header, n_bytes):
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(n_bytes))
    with pytest.raises(ModelFileError, match="not in the safetensors format"):
        read_arrays(path)


@pytest.mark.parametrize("content", [b"", b"\xff" * 7, b"\xff" * 8, b"\x02" + bytes(7)])
def test_files_without_a_whole_header_are_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="not in the safetensors format"):
        read_arrays(path)


def test_other_bytes_than_0_and_1_are_no_bool(path):
    write_arrays(path, {"mask": np.array([True, False])})
    path.write_bytes(path.read_bytes()[:-1] + b"\2")
    with pytest.raises(ModelFileError, match="'mask' of bool holds other bytes than 0 and 1"):
        read_arrays(path)
