"""Fixtures for all tests."""

import matplotlib as mpl
import numpy as np
import pytest
import torch
from hypothesis import settings

mpl.use("Agg")
# The same examples in every run; for others: pytest -m hypothesis --hypothesis-profile=default
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")
torch.set_num_threads(1)  # pytest-xdist already uses the cores

# They hold no doctests, and two modules of one name cannot both be collected.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def global_state_is_left_alone():
    """Every test also checks that nothing seeds or draws from the global generators unasked."""
    before_numpy = np.random.get_state()[1].copy()  # noqa: NPY002
    before_torch = torch.random.get_rng_state()
    yield
    assert np.array_equal(before_numpy, np.random.get_state()[1])  # noqa: NPY002
    assert torch.equal(before_torch, torch.random.get_rng_state())


@pytest.fixture
def own_random_numbers():
    """Let a test draw from torch's generators, which are put back afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture
def pyplot():
    """Give pyplot without a screen, and close what a test drew."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.close("all")
    yield plt
    plt.close("all")
