"""The range of values, beside NaN of every kind."""

import numpy as np
import pytest

from omitrans.utils._value_range import smallest_and_largest

NA_OF_R = np.array([0x7FF00000000007A2], dtype=np.uint64).view(np.float64)[0:1]
MISSING = {"NaN": np.array([np.nan]), "NA of R": NA_OF_R}


@pytest.mark.parametrize("kind", MISSING)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_missing_values_in_any_place(kind, dtype):
    values = np.array([1.0, 2.0, 0.5, 3.0])
    for place in range(5):
        with np.errstate(invalid="ignore"):
            table = np.insert(values.view(np.uint64), place, MISSING[kind].view(np.uint64))
            table = table.view(np.float64).astype(dtype)
        assert np.isnan(table[place])
        assert smallest_and_largest(table) == (0.5, 3.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_but_missing_values(dtype):
    assert np.isnan(smallest_and_largest(np.full((2, 3), np.nan, dtype))).all()


def test_infinity_is_a_value():
    assert smallest_and_largest(np.array([1.0, np.inf, np.nan])) == (1.0, np.inf)
