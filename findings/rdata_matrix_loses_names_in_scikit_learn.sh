#!/usr/bin/env bash
# rdata returns an R matrix as an xarray.DataArray, with its row and column names as coordinates.
# scikit-learn takes it as an array without names: fit keeps no feature_names_in_, and predict accepts the
# same matrix with its columns in another order.
#
# Versions: rdata 1.1.0, xarray 2026.9.0, scikit-learn 1.9.1.
# Seen: R² 1.00 on the matrix as it was trained on, far below 0 with the columns reversed, without a word;
# the same matrix as a DataFrame is refused.
# This script fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    rdata==1.1.0 xarray==2026.9.0 scikit-learn==1.9.1 numpy==2.4.6 pandas==3.1.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import numpy as np
import rdata
from sklearn.linear_model import Ridge

# What saveRDS(matrix, ascii = TRUE) writes: numbers, then their dim and dimnames. See "Serialization
# Formats" in the manual "R Internals".
REAL, INTEGER, STRINGS, LIST, PAIR, SYMBOL, TEXT, END = 526, 13, 16, 19, 1026, 1, 262153, 254


def text(value):
    return [TEXT, len(value), value]


def strings(values):
    return [STRINGS, len(values), *(part for value in values for part in text(value))]


def write_rds(path, values, rows, columns):
    lines = ["A", 3, 262657, 197888, 5, "UTF-8", REAL, values.size]
    lines += [repr(value) for value in values.T.ravel().tolist()]
    lines += [PAIR, SYMBOL, *text("dim"), INTEGER, 2, *values.shape]
    lines += [PAIR, SYMBOL, *text("dimnames"), LIST, 2, *strings(rows), *strings(columns), END]
    Path(path).write_text("\n".join(map(str, lines)) + "\n")


betas = np.random.default_rng(0).random((8, 3))
write_rds("betas.rds", betas, [f"sample{i}" for i in range(8)], ["cg1", "cg2", "cg3"])
matrix = rdata.read_rds("betas.rds")
assert np.array_equal(matrix.values, betas) and list(matrix.coords["dim_1"].values) == ["cg1", "cg2", "cg3"]
expression = 3 * betas[:, 0]

model = Ridge(1e-6).fit(matrix, expression)
same, reversed_ = model.score(matrix, expression), model.score(matrix[:, ::-1], expression)
print(*(f"{name} {version(name)}" for name in ("rdata", "xarray", "scikit-learn")), sep=", ")
print(f"read as {type(matrix).__name__}; names kept by fit: {hasattr(model, 'feature_names_in_')}; "
      f"R² {same:.2f}, with reversed columns {reversed_:.2f}")
assert not hasattr(model, "feature_names_in_") and same > 0.99 and reversed_ < 0
framed = Ridge(1e-6).fit(matrix.to_pandas(), expression)
try:
    framed.predict(matrix.to_pandas().iloc[:, ::-1])
except ValueError as error:
    print(f"as a DataFrame: ValueError: {str(error).splitlines()[0]}")
else:
    raise AssertionError("a frame with reversed columns was accepted")
PYTHON
