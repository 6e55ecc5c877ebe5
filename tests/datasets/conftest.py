"""One simulated cohort, made once and only read."""

import pytest

from omitrans.datasets import make_paired_omics


@pytest.fixture(scope="package")
def cohort():
    return make_paired_omics(n_samples=300, n_probes=2000, n_genes=500, random_state=0)
