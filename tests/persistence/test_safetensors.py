"""The arrays of a model file are in the format of the safetensors package."""

import io
import json

import numpy as np
import pytest
import safetensors.numpy

from omitrans.exceptions import ModelFileError
from omitrans.persistence._safetensors import read_arrays, write_arrays

ARRAYS = {
    "Ridge.coef_": np.arange(12, dtype=np.float32).reshape(3, 4),
    "Ridge.intercept_": np.array(0.5),
    "mask": np.array([True, False]),
    "empty": np.empty((0, 5), dtype=np.int16),
    "Pipeline.steps[0][1].names 'β'": np.arange(3, dtype=np.uint8),
    **{code: np.ones(3, dtype=code) for code in ("f2", "i1", "i4", "i8", "u2", "u4", "u8")},
}


def written(arrays):
    stream = io.BytesIO()
    write_arrays(stream, arrays)
    return stream.getvalue()


def read(content):
    return read_arrays(io.BytesIO(content), len(content))


def with_header(header, values=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + values


def assert_equal_arrays(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_the_package_reads_what_we_write():
    assert_equal_arrays(safetensors.numpy.load(written(ARRAYS)), ARRAYS)


def test_we_read_what_the_package_writes():
    content = safetensors.numpy.save(ARRAYS, metadata={"by": "safetensors"})
    assert_equal_arrays(read(content), ARRAYS)


def test_arrays_with_gaps_are_written_in_c_order():
    array = np.arange(24.0).reshape(4, 6)[::2, ::-3]
    assert_equal_arrays(read(written({"a": array})), {"a": array})


def test_no_arrays():
    assert read(written({})) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "header .* longer than the file"),
        (b"\xff" * 8, "header .* longer than the file"),
        (with_header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}), "outside"),
        (
            with_header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}, b"\0" * 12),
            "outside",
        ),
        (
            with_header({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, b"\0" * 8),
            "not as many bytes",
        ),
        (
            with_header(
                {"a": {"dtype": "U8", "shape": [2**40, 2**40], "data_offsets": [0, 8]}}, b"\0" * 8
            ),
            "not as many bytes",
        ),
        (
            with_header(
                {
                    "a": {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]},
                    "b": {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]},
                },
                b"\0" * 8,
            ),
            "outside",
        ),
        (with_header({}, b"\0"), "belong to no array"),
        (
            with_header({"a": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}, b"\1\2"),
            "other bytes than 0 and 1",
        ),
    ],
)
def test_headers_that_do_not_fit_are_refused(content, message):
    with pytest.raises(ModelFileError, match=message):
        read(content)


def test_a_stream_that_ends_too_early_is_refused():
    content = written({"a": np.zeros(10)})
    with pytest.raises(ModelFileError, match="end too early"):
        read_arrays(io.BytesIO(content[:-1]), len(content))
