#!/bin/sh
# Does the wheel in dist/ work without the checkout? Called by `make wheel`; needs no network.
# The wheel is unpacked into a temporary folder that stands in front of BIN's own packages.
set -eu

bin=$(cd "${BIN:-.venv/bin}" && pwd)
checkout=$(cd "$(dirname "$0")/.." && pwd)
set -- "$checkout"/dist/*.whl
if [ $# -ne 1 ] || [ ! -f "$1" ]; then
    echo "check_wheel: $checkout/dist must hold one wheel; run make wheel" >&2
    exit 1
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-index \
    --target "$folder/site" "$1"
cd "$folder"
export PYTHONPATH="$folder/site" CHECKOUT="$checkout"

"$bin/python" - <<'PYTHON'
import os
from pathlib import Path

import numpy as np

import omitrans
from omitrans.datasets import make_paired_omics
from omitrans.pipelines import make_translation_pipeline

imported = Path(omitrans.__file__).resolve()
print(f"check_wheel: imported {imported}")
if imported.is_relative_to(Path(os.environ["CHECKOUT"]).resolve()):
    raise SystemExit("check_wheel: that is the checkout, not the wheel")
if not (imported.parent / "py.typed").is_file():
    raise SystemExit("check_wheel: the wheel lacks py.typed")

data = make_paired_omics(n_samples=60, n_probes=200, n_genes=20, random_state=0)
model = make_translation_pipeline(
    omitrans.OmiTransRegressor(max_epochs=3, random_state=0),
    probe_annotation=data.probes,
    gene_annotation=data.genes,
).fit(data.X, data.Y)
omitrans.save(model, "model.omitrans")
predicted = omitrans.predict_frame(omitrans.load("model.omitrans"), data.X)
assert list(predicted.columns) == list(data.Y.columns)
assert list(predicted.index) == list(data.X.index)
np.testing.assert_array_equal(predicted, model.predict(data.X))
PYTHON
"$bin/python" -m omitrans.cli --help >help.txt
echo "check_wheel: fit, predict, save, load and the command line work"
