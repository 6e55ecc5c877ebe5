import numpy as np
import pandas as pd
import pytest

from omitrans import OmiTransRegressor


@pytest.fixture
def frames():
    """Sixty samples; targets are linear in the source, with little noise."""
    rng = np.random.default_rng(0)
    samples = [f"TCGA-{i:04d}-01A" for i in range(60)]
    X = rng.random((60, 12)).astype(np.float32)
    Y = X @ rng.normal(size=(12, 5)).astype(np.float32)
    Y += 0.05 * rng.normal(size=Y.shape).astype(np.float32)
    return (
        pd.DataFrame(X, samples, [f"cg{i:08d}" for i in range(12)]),
        pd.DataFrame(Y, samples, [f"ENSG{i:011d}" for i in range(5)]),
    )


@pytest.fixture
def quick():
    """Return a function that makes a regressor which trains in a blink."""

    def make(**params):
        params = {
            "hidden_layer_sizes": (16,),
            "latent_dim": 8,
            "max_epochs": 6,
            "batch_size": 16,
            "random_state": 0,
            "backbone": None,
            **params,
        }
        return OmiTransRegressor(**params)

    return make
