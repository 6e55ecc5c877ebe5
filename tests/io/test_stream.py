"""Blocks of lines, work beside reading, sinks: order, bounds and what an error leaves."""

import io
import threading
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from omitrans.io import read_matrix
from omitrans.io.matrix._stream import map_beside, read_blocks
from omitrans.io.matrix._stream_filter import ColumnMoments, FeatureFilter
from omitrans.io.matrix._stream_sink import MemorySink, whole_or_nothing


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000])
@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_blocks_are_whole_lines_with_their_numbers(size, end):
    lines = [b"x" * n for n in (3, 0, 50, 1, 200, 7)]
    text = b"\n".join(lines) + end.encode()
    blocks = list(read_blocks(io.BytesIO(text), 10, size))
    assert b"".join(block.data for block in blocks).rstrip(b"\n") == text.rstrip(b"\n")
    number = 10
    for block in blocks:
        assert block.data.endswith(b"\n")
        assert block.first_line == number
        number += block.data.count(b"\n")


def test_order_and_how_far_ahead():
    drawn, n_taken = [], 0

    def source():
        for k in range(50):
            drawn.append(k)
            yield k

    for n_taken, result in enumerate(map_beside(lambda k: 2 * k, source(), 3)):
        assert result == 2 * n_taken
        assert len(drawn) <= n_taken + 5
    assert n_taken == 49


def test_an_error_ends_the_threads():
    def fail_late(k):
        if k == 5:
            raise ValueError("five")
        return k

    n_before = threading.active_count()
    results = map_beside(fail_late, range(100), 2)
    with pytest.raises(ValueError, match="five"):
        list(results)
    results = map_beside(fail_late, range(100), 2)
    assert next(results) == 0
    results.close()
    assert threading.active_count() == n_before


def test_memory_that_grows(monkeypatch):
    monkeypatch.setattr("omitrans.io.matrix._stream_sink._GROWTH_BYTES", 0)
    values = np.random.default_rng(0).random((1000, 3))
    sink = MemorySink(10, 3, np.dtype("float32"))
    for start in range(0, 1000, 7):
        sink.add([], values[start : start + 7])
    result = sink.finish()
    assert_array_equal(result, values.astype("float32"))
    assert result.base is None


def test_whole_or_nothing(tmp_path):
    path = tmp_path / "file"
    with whole_or_nothing(path) as file:
        file.write(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"
    with pytest.raises(TypeError, match="str"), whole_or_nothing(path) as file:
        file.write("no bytes")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_whole_or_nothing_names_the_file_of_an_error(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="nowhere"),
        whole_or_nothing(tmp_path / "nowhere" / "file"),
    ):
        pass


def test_moments_of_columns_in_blocks_are_those_of_the_whole():
    rng = np.random.default_rng(0)
    values = rng.normal(1e4, 1e-2, (60, 40)).astype("float32")
    values[rng.random(values.shape) < 0.4] = np.nan
    values[:, 3] = np.nan
    moments = ColumnMoments(40)
    for start in range(0, 60, 13):
        moments.add(values[start : start + 13])
    observed = np.delete(values, 3, axis=1).astype("float64")
    assert_allclose(
        np.delete(moments.squares / np.maximum(moments.count, 1), 3),
        np.nanvar(observed, axis=0),
        rtol=1e-9,
    )
    conditions = FeatureFilter(max_missing_rate=0.4, min_variance=5e-5)
    assert_array_equal(moments.kept(conditions), conditions.of_rows(values.T))


@pytest.mark.parametrize("conditions", [{"keep_features": ["cg00000007"]}, {"min_variance": 9}])
def test_memory_is_that_of_the_result_and_some_blocks(conditions, tmp_path):
    frame = pd.DataFrame(
        np.random.default_rng(0).random((2500, 300)),
        [f"cg{k:08d}" for k in range(2500)],
        [f"TCGA-{k}" for k in range(300)],
    )
    frame.iloc[7] *= 100
    path = tmp_path / "betas.tsv"
    frame.to_csv(path, sep="\t", float_format="%.9f")
    tracemalloc.start()
    X = read_matrix(path, n_jobs=2, **conditions)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert X.columns.tolist() == ["cg00000007"]
    # the array of the result is asked for as if all features were kept, but not written to
    assert peak - frame.size * 4 * 1.1 < 4e6 < path.stat().st_size / 2
