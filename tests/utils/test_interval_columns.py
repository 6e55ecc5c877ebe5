"""Columns of predictions with intervals: made, split and read by the same rules."""

import numpy as np
import pandas as pd
import pytest

from omitrans.utils._interval_columns import (
    interval_columns,
    interval_table,
    limits,
    split_columns,
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_made_can_be_read(dtype):
    predicted = np.arange(6, dtype=dtype).reshape(2, 3)
    table = interval_table(predicted, predicted - 1, predicted + 2)
    assert table.dtype == dtype
    frame = pd.DataFrame(table, columns=interval_columns(["a", "b", "c"]))
    assert list(frame.columns[:4]) == ["a", "a_lower", "a_upper", "b"]
    targets, bounded = split_columns(frame)
    assert targets == bounded == ["a", "b", "c"]
    np.testing.assert_array_equal(frame[targets], predicted)
    for target in targets:
        lower, upper = limits(frame, target)
        np.testing.assert_array_equal(lower, frame[target] - 1)
        np.testing.assert_array_equal(upper, frame[target] + 2)


def test_a_target_may_end_like_a_limit():
    frame = pd.DataFrame(0.0, range(2), ["jaw_lower", "b", "b_lower", "b_upper"])
    assert split_columns(frame) == (["jaw_lower", "b"], ["b"])
