"""The table as text."""

import pandas as pd

from omitrans.cli._report import format_table
from omitrans.metrics import RECONSTRUCTION_SCORERS


def test_table_has_aligned_columns():
    values = dict.fromkeys(RECONSTRUCTION_SCORERS, 0.12345)
    values["mse"] = 1234.5
    values["n_r2_per_feature_above"] = 60483.0
    summary = pd.DataFrame([values, values], index=["mean", "a longer name"])
    lines = format_table(summary).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[-1].split() == [
        *("a", "longer", "name"),
        *("1,234.5000", *["0.1235"] * 6, "60,483", "0.1235"),
    ]
