import numpy as np
import pytest
import torch
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from omitrans.engine._scaling import FeatureScaling


@pytest.mark.parametrize(
    ("kind", "oracle"), [("standard", StandardScaler), ("minmax", MinMaxScaler)]
)
def test_agrees_with_scikit_learn_on_the_given_rows(rng, kind, oracle):
    values = rng.normal(5, 2, (40, 6)).astype(np.float32)
    values[:, 2] = 0.1  # constant
    rows = np.arange(0, 40, 2)
    scaling = FeatureScaling(6, kind)
    scaling.learn(torch.from_numpy(values), torch.from_numpy(rows))
    expected = oracle().fit(values[rows].astype(np.float64)).transform(values.astype(np.float64))
    scaled = scaling(torch.from_numpy(values))
    np.testing.assert_allclose(scaled.numpy(), expected, atol=2e-6)
    np.testing.assert_allclose(scaling.inverse(scaled).numpy(), values, rtol=1e-5)


def test_large_offsets_keep_their_spread():
    values = torch.tensor([[1e4], [1e4 + 1], [1e4 + 2]])
    scaling = FeatureScaling(1, "standard")
    scaling.learn(values, torch.arange(3))
    assert float(scaling.scale) == pytest.approx(np.sqrt(2 / 3), rel=1e-3)


def test_none_holds_no_state_and_changes_nothing():
    scaling = FeatureScaling(3, "none")
    values = torch.tensor([[1.0, 2.0, 3.0]])
    assert scaling.state_dict() == {}
    assert scaling(values) is values
    assert scaling.inverse(values) is values
