#!/usr/bin/env bash
# anndata's releases before 0.12.7 let pip install pandas 3 beside them, and then cannot write a table
# whose samples have names or a column of text: pandas 3 gives text a dtype of its own.
#
# Versions: anndata 0.12.6, pandas 3.0.1.
# Seen: AnnData is built; write_h5ad raises a RuntimeError about nullable strings, of which the user
# made none.
# This script fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check anndata==0.12.6 pandas==3.0.1
"$folder/venv/bin/python" - "$folder/betas.h5ad" <<'PYTHON'
import sys

import anndata
import numpy as np
import pandas as pd

samples = pd.DataFrame({"tissue": ["lung", "liver"]}, index=["s1", "s2"])
probes = pd.DataFrame(index=["cg00000029", "cg00000108"])
table = anndata.AnnData(np.array([[0.1, 0.9], [0.2, 0.8]]), obs=samples, var=probes)
try:
    table.write_h5ad(sys.argv[1])
except Exception as error:
    text = " ".join(str(error).split())
    print(f"anndata 0.12.6, pandas {pd.__version__}: {type(error).__name__}: {text}")
    assert "nullable_strings" in text, text
else:
    sys.exit("write_h5ad succeeded")
PYTHON
