"""Imputers on a CUDA device; skipped where there is none."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from omitrans import GAINImputer, PMIImputer

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]
both = pytest.mark.parametrize("cls", [PMIImputer, GAINImputer])


@pytest.fixture
def holes(rng):
    table = rng.normal(size=(80, 3)) @ rng.normal(size=(3, 20))
    table[rng.random(table.shape) < 0.3] = np.nan
    return table.astype(np.float32)


@both
def test_fills_on_the_gpu(cls, holes):
    imputer = cls(max_epochs=3, random_state=0).fit(holes)
    assert torch.device(imputer.net_.device).type == "cuda"
    together = imputer.transform(holes)
    assert np.isfinite(together).all()
    np.testing.assert_array_equal(imputer.transform(holes[70:71])[0], together[70])


@both
def test_streaming_equals_resident_training(cls, holes):
    resident, streamed = (
        cls(max_epochs=3, precision="float32", data_location=location, random_state=0)
        .fit(holes)
        .transform(holes)
        for location in ("device", "host")
    )
    np.testing.assert_allclose(streamed, resident, atol=1e-5)


@both
def test_what_a_gpu_fitted_loads_without_one(cls, holes, tmp_path):
    path = tmp_path / "imputer.pickle"
    path.write_bytes(pickle.dumps(cls(max_epochs=2, random_state=0).fit(holes)))
    code = (
        "import pickle, sys, numpy as np\n"
        "imputer = pickle.load(open(sys.argv[1], 'rb'))\n"
        "assert np.isfinite(imputer.transform(np.full((2, 20), np.nan))).all()\n"
    )
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=environment)
