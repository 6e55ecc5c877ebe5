"""Doctests run where the packages that they show are installed."""

import pytest

PACKAGES = {"_anndata.py": ("anndata", "mudata", "h5py")}


@pytest.fixture(autouse=True)
def packages_shown(request):
    for package in PACKAGES.get(request.node.path.name, ()):
        pytest.importorskip(package)
