"""OmiTransRegressor on a CUDA device; skipped where there is none."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

import omitrans
from omitrans.exceptions import DeviceMemoryError

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]


def test_auto_trains_on_the_gpu_and_agrees_with_the_cpu(frames, quick):
    X, Y = frames
    params = {"dropout": 0.0, "precision": "float32", "early_stopping": False, "batch_size": 60}
    on_gpu = quick(**params).fit(X, Y)
    assert torch.device(on_gpu.net_.device).type == "cuda"
    # one batch an epoch: its order does not matter, so both devices follow the same course
    on_cpu = quick(device="cpu", generator_params={}, **params)
    with torch.random.fork_rng(devices=[]):
        on_cpu.fit(X, Y)
    assert on_gpu.predict(X).shape == on_cpu.predict(X).shape
    correlation = np.corrcoef(on_gpu.predict(X).ravel(), on_cpu.predict(X).ravel())[0, 1]
    assert correlation > 0.9


def test_streaming_from_the_host_equals_resident_training(frames, quick):
    X, Y = frames
    resident, streamed = (
        quick(precision="float32", data_location=location).fit(X, Y)
        for location in ("device", "host")
    )
    np.testing.assert_allclose(streamed.predict(X), resident.predict(X), rtol=1e-5, atol=1e-6)


def test_same_seed_same_predictions_and_sample_alone(frames, quick):
    X, Y = frames
    first, second = quick().fit(X, Y), quick().fit(X, Y)
    np.testing.assert_allclose(first.predict(X), second.predict(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(first.predict(X[4:5])[0], first.predict(X)[4])


def test_model_from_the_gpu_predicts_where_cuda_is_hidden(frames, quick, tmp_path):
    X, Y = frames
    model = quick(precision="float32").fit(X, Y)
    omitrans.save(model, tmp_path / "m.omitrans")
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(model))
    X.to_pickle(tmp_path / "X.pkl")
    np.save(tmp_path / "expected.npy", model.predict(X))
    script = """
import pickle, numpy as np, pandas as pd, omitrans, torch
assert not torch.cuda.is_available()
X = pd.read_pickle("X.pkl")
for model in (omitrans.load("m.omitrans"), pickle.load(open("m.pkl", "rb"))):
    np.testing.assert_allclose(model.predict(X), np.load("expected.npy"), rtol=1e-3, atol=1e-4)
"""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)


def test_running_out_of_memory_gives_sizes(frames, quick):
    X, Y = frames
    with pytest.raises(DeviceMemoryError, match="GiB"):
        quick(hidden_layer_sizes=(10_000_000, 10_000_000)).fit(X, Y)
