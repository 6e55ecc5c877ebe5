"""Model files that are damaged at random are refused, or load within their means."""

import pytest

from benchmarks.mutate_models import run, stored_files

SMALL = 10_000  # bytes of a file that is loaded fast


@pytest.fixture(scope="module")
def sources():
    return {name: content for name, content in stored_files().items() if len(content) < SMALL}


@pytest.mark.slow
def test_fifty_files(sources):
    report = run(sources, seed=1, indices=range(50))
    assert report.faults == []
    outcomes = {outcome for _, outcome in report.counts}
    assert outcomes == {"refused", "identical", "other values"}


@pytest.mark.slow
def test_some_hundred_files():
    report = run(stored_files(), seed=1, indices=range(600))
    assert report.faults == []
