"""Blocks cover a table once, in order, and hold no more than they may."""

import numpy as np
import pytest

from omitrans.utils._blocks import (
    BLOCK_VALUES,
    column_blocks,
    columns_per_block,
    row_blocks,
    rows_per_block,
)

SHAPES = [(1, 1), (7, 5), (40, 400), (3, 10_000), (10_000, 3), (1, 0)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_values", [1, 10, 1000, BLOCK_VALUES])
def test_blocks_cover_each_line_once(shape, n_values):
    for blocks, length in ((row_blocks, shape[0]), (column_blocks, shape[1])):
        covered = [np.arange(length)[part] for part in blocks(*shape, n_values)]
        assert np.concatenate([[], *covered]).tolist() == list(range(length))


@pytest.mark.parametrize("shape", [(40, 400), (3, 10_000), (10_000, 3)])
def test_blocks_hold_as_much_as_they_may(shape):
    n_rows, n_columns = shape
    n = rows_per_block(n_columns, 10_000)
    assert n * n_columns <= 10_000 < (n + 1) * n_columns
    n = columns_per_block(n_rows, 10_000)
    assert n * n_rows <= 10_000 < (n + 1) * n_rows


def test_wide_and_empty_tables_get_a_line_at_a_time():
    assert rows_per_block(10**9) == columns_per_block(10**9) == 1
    assert rows_per_block(10**9, at_least=16) == 16
    assert rows_per_block(0) == columns_per_block(0) == BLOCK_VALUES
