import pytest


@pytest.fixture
def pyplot():
    """Give pyplot without a screen, and close what a test drew."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.close("all")
    yield plt
    plt.close("all")
