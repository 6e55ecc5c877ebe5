"""Doctests run where the packages that they show are installed."""

import sys

import pytest

PACKAGES = {"_anndata.py": ("anndata", "mudata", "h5py")}


@pytest.fixture(autouse=True)
def packages_shown(request):
    for package in PACKAGES.get(request.node.path.name, ()):
        pytest.importorskip(package)


@pytest.fixture(autouse=True)
def figures_are_closed():
    """Close what an example or a test drew; matplotlib warns when many figures stay open."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
