"""The generator of expression on a CUDA device; skipped where there is none."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from omitrans import WGANGPGenerator

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]


@pytest.fixture
def tables(rng):
    X = pd.DataFrame({"tissue": ["Lung", "Liver"] * 60, "age": range(120)})
    return X, rng.normal(5, 1, size=(120, 20)).astype(np.float32)


def test_trains_and_draws_on_the_gpu(tables):
    X, y = tables
    generator = WGANGPGenerator(max_epochs=3, augmentation=0.5, random_state=0).fit(X, y)
    assert torch.device(generator.net_.device).type == "cuda"
    whole = generator.sample_y(X, random_state=0)
    assert np.isfinite(whole.to_numpy()).all()
    pd.testing.assert_frame_equal(generator.sample_y(X[:70], random_state=0), whole[:70])


def test_streaming_equals_resident_training(tables):
    X, y = tables
    options = {"max_epochs": 3, "precision": "float32", "random_state": 0}
    resident, streamed = (
        WGANGPGenerator(data_location=location, rescale=True, clip=True, **options)
        .fit(X, y)
        .sample_y(X, random_state=0)
        for location in ("device", "host")
    )
    np.testing.assert_allclose(streamed, resident, atol=1e-3)


def test_what_a_gpu_fitted_loads_without_one(tables, tmp_path):
    X, y = tables
    path = tmp_path / "generator.pickle"
    options = {"max_epochs": 2, "rescale": True, "random_state": 0}
    path.write_bytes(pickle.dumps((WGANGPGenerator(**options).fit(X, y), X)))
    code = (
        "import pickle, sys, numpy as np\n"
        "generator, X = pickle.load(open(sys.argv[1], 'rb'))\n"
        "assert np.isfinite(generator.sample_y(X).to_numpy()).all()\n"
    )
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=environment)
