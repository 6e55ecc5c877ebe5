#!/usr/bin/env bash
# R's NA arrives in Python as a NaN that signals (bits 7FF0 0000 0000 07A2). NumPy, pandas and
# scikit-learn treat it as missing, as any NaN, but each sum and each conversion to float32 gives a
# RuntimeWarning, which is an error where warnings are errors. NaN of Python gives none.
#
# Versions: rdata 1.1.0, numpy 2.4.6, scikit-learn 1.9.1, pandas 3.1.1, on x86-64.
# Seen: "invalid value encountered in cast" for astype("float32") of NumPy and of pandas, "... in reduce"
# for StandardScaler. This script fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    rdata==1.1.0 scikit-learn==1.9.1 numpy==2.4.6 pandas==3.1.1
cd "$folder"
# What saveRDS(c(0.25, NA, 0.5), ascii = TRUE) writes.
printf '%s\n' A 3 262657 197888 5 UTF-8 14 3 0.25 NA 0.5 > values.rds
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
import pandas as pd
import rdata
from sklearn.preprocessing import StandardScaler

of_r = rdata.read_rds("values.rds")
of_python = np.array([0.25, np.nan, 0.5])
assert of_r.view(np.uint64)[1] == 0x7FF00000000007A2 and np.isnan(of_r[1])
steps = {
    "numpy astype": lambda values: values.astype(np.float32),
    "pandas astype": lambda values: pd.Series(values).astype("float32"),
    "StandardScaler": lambda values: StandardScaler().fit(values[:, None]),
}
print(f"rdata {rdata.__version__}, numpy {np.__version__}")
for name, step in steps.items():
    said = []
    for values in (of_r, of_python):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            step(values.copy())
        said.append(sorted({str(warning.message) for warning in caught}))
    print(f"{name}: R's NA {said[0]}, NaN {said[1]}")
    assert said[0] and not said[1]
PYTHON
