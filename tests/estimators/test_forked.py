"""A process that was forked from one with torch's threads fails, instead of waiting for ever."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone

from omitrans import GAINImputer, OmiTransRegressor
from omitrans.estimators import _forked

X = np.random.default_rng(0).random((20, 5))
SCRIPT = """
import multiprocessing, sys
import numpy as np, torch
from omitrans import OmiTransRegressor
torch.set_num_threads(2)
X = np.random.default_rng(0).random((200, 2000))
model = OmiTransRegressor(backbone=None, max_epochs=1, random_state=0).fit(X, X[:, :300])

def predict(n_threads):
    torch.set_num_threads(n_threads)
    try:
        model.predict(X)
    except RuntimeError as error:
        sys.exit(7 if "made by fork" in str(error) else 8)

for n_threads in (2, 1):
    process = multiprocessing.get_context("fork").Process(target=predict, args=[n_threads])
    process.start()
    process.join(60)
    print(process.exitcode)
    process.kill()
"""


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setattr(_forked, "_process", None)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("model", "use"),
    [
        (OmiTransRegressor(backbone=None, max_epochs=1, random_state=0), "predict"),
        (GAINImputer(max_epochs=1, random_state=0), "transform"),
    ],
)
def test_refused_in_a_forked_process(model, use, two_threads, monkeypatch):
    model.fit(X, X[:, :3])
    getattr(model, use)(X)
    monkeypatch.setattr(_forked, "_process", os.getpid() + 1)  # as in a copy of that process
    with pytest.raises(RuntimeError, match=r"made by fork.*'spawn'"):
        getattr(model, use)(X)
    with pytest.raises(RuntimeError, match="made by fork"):
        clone(model).fit(X, X[:, :3])
    torch.set_num_threads(1)
    getattr(model, use)(X)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere fork is not used")
def test_a_real_fork():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["7", "0"]
