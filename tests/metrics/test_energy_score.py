import numpy as np
import pandas as pd
import pytest
import torch

from omitrans.engine import _realism
from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.metrics import energy_score, gene_set_coverage, interval_coverage

rng = np.random.default_rng(0)


def simulated(n_draws=39, n_samples=150, n_genes=60):
    """Return real profiles and draws of the same distribution, whose genes share one factor."""
    shape = n_draws + 1, n_samples
    values = rng.normal(size=(*shape, 1)) + rng.normal(size=(*shape, n_genes))
    return values[0], values[1:]


def labelled(real, draws):
    samples = [f"s{i}" for i in range(len(real))]
    genes = [f"g{i}" for i in range(real.shape[1])]
    index = pd.MultiIndex.from_product([range(len(draws)), samples]).swaplevel()
    return (
        pd.DataFrame(real, samples, genes),
        pd.DataFrame(draws.reshape(-1, len(genes)), index.set_names(["sample_id", "draw"]), genes),
    )


def by_definition(real, draws):
    """The score written out with loops."""
    scores = []
    for i, truth in enumerate(real):
        near = np.mean([np.linalg.norm(draw[i] - truth) for draw in draws])
        pairs = [
            np.linalg.norm(draws[a][i] - draws[b][i]) for a in range(len(draws)) for b in range(a)
        ]
        scores.append(near - np.mean(pairs) / 2)
    return np.mean(scores) / np.sqrt(real.shape[1])


def test_energy_score_is_its_definition():
    real, draws = simulated(7, 12, 5)
    assert energy_score(real, draws) == pytest.approx(by_definition(real, draws), rel=1e-12)


def test_energy_score_is_that_of_the_engine():
    real, draws = simulated(7, 12, 5)
    expected = _realism.energy_score(torch.from_numpy(real), torch.from_numpy(draws))
    assert energy_score(real, draws) == pytest.approx(expected, rel=1e-9)


def test_energy_score_does_not_depend_on_blocks(monkeypatch):
    real, draws = simulated(7, 50, 5)
    whole = energy_score(real, draws)
    monkeypatch.setattr("omitrans.utils._blocks.rows_per_block", lambda *_, **__: 3)
    assert energy_score(real, draws) == pytest.approx(whole, rel=1e-12)


def test_energy_score_is_lowest_for_the_true_distribution():
    real, draws = simulated(40, 400, 60)
    n = draws.shape
    independent = np.sqrt(2) * rng.normal(size=n)
    best = energy_score(real, draws)
    assert best < energy_score(real, independent)
    assert best < energy_score(real, 0.5 * draws)
    assert best < energy_score(real, 1.5 * draws)


def test_intervals_of_the_true_distribution_hold_what_they_say():
    real, draws = simulated(39, 400)
    for level in (0.5, 0.9):
        assert interval_coverage(real, draws, level).mean() == pytest.approx(level, abs=0.03)
        assert gene_set_coverage(real, draws, level) == pytest.approx(level, abs=0.05)


def test_few_draws_give_the_same_coverage():
    real, draws = simulated(19, 600)
    assert interval_coverage(real, draws, 0.9).mean() == pytest.approx(0.9, abs=0.03)


def test_gene_sets_need_the_covariance():
    real, draws = simulated()
    independent = np.sqrt(2) * rng.normal(size=draws.shape)
    assert interval_coverage(real, independent, 0.9).mean() == pytest.approx(0.9, abs=0.04)
    assert gene_set_coverage(real, independent, 0.9) < 0.5


def test_frames_of_a_translator_and_arrays_give_the_same():
    real, draws = simulated(19, 20, 5)
    Y, frame = labelled(real, draws)
    assert energy_score(Y, frame) == energy_score(real, draws)
    coverage = interval_coverage(Y, frame)
    assert list(coverage.index) == list(Y.columns)
    np.testing.assert_array_equal(coverage, interval_coverage(real, draws.reshape(-1, 5)))


def test_mismatches_are_named():
    Y, frame = labelled(*simulated(3, 20, 5))
    with pytest.raises(SampleMismatchError, match="another order"):
        energy_score(Y[::-1], frame)
    with pytest.raises(FeatureMismatchError):
        energy_score(Y, frame[frame.columns[::-1]])
    with pytest.raises(SampleMismatchError, match="same number for every sample"):
        energy_score(Y, frame[:-1])
    with pytest.raises(ValueError, match="2 draws or more"):
        energy_score(Y, frame[:20])
    with pytest.raises(ValueError, match="19 draws or more"):
        interval_coverage(Y, frame, 0.9)
    with pytest.raises(ValueError, match="NaN or infinite"):
        energy_score(Y, frame.replace(frame.iloc[-1, 0], np.nan))
    with pytest.raises(ValueError, match="level"):
        interval_coverage(Y, frame, 1.0)
