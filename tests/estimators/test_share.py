"""The share of networks beside a backbone, on predictions whose truth is known."""

import numpy as np
import pytest

from omitrans.estimators._share import FoldSums, earned_shares, fold_sums, target_deviations

N_SAMPLES, N_TARGETS, N_FOLDS = 200, 40, 5


@pytest.fixture
def truth(rng):
    """Targets of quite different units, and a backbone that explains half of their variance."""
    units = 10.0 ** rng.uniform(-3, 3, N_TARGETS)
    known, unknown = rng.normal(size=(2, N_SAMPLES, N_TARGETS))
    return units * (known + unknown), units * known, units


def shares(target, backbone, network):
    deviations = target_deviations(target)
    parts = np.array_split(np.arange(len(target)), N_FOLDS)
    folds = [fold_sums(target[p], backbone[p], network[p], deviations) for p in parts]
    return earned_shares(folds)


def test_networks_that_know_the_truth_take_all(truth):
    target, backbone, _ = truth
    np.testing.assert_allclose(shares(target, backbone, target), 1.0, atol=1e-6)


def test_networks_that_add_noise_take_nothing(truth, rng):
    target, backbone, units = truth
    noisy = backbone + units * rng.normal(size=target.shape)
    assert shares(target, backbone, noisy).max() < 0.05


def test_networks_that_go_the_wrong_way_take_nothing(truth):
    target, backbone, _ = truth
    assert not shares(target, backbone, 2 * backbone - target).any()


def test_networks_that_are_the_backbone_take_nothing(truth):
    target, backbone, _ = truth
    assert not shares(target, backbone, backbone).any()


def test_targets_that_networks_help_take_more_than_others(truth, rng):
    target, backbone, units = truth
    network = backbone + units * rng.normal(size=target.shape)
    network[:, ::2] = target[:, ::2]
    found = shares(target, backbone, network)
    assert found[::2].min() > 0.5
    assert found[1::2].max() < 0.5
    error = ((backbone + found * (network - backbone) - target) / units) ** 2
    assert error.mean() < 0.7 * (((backbone - target) / units) ** 2).mean()


def test_the_best_share_of_one_target_is_that_of_least_squares(truth):
    """Where each target moves much more than the mean prior, its own sums decide."""
    target, backbone, _ = truth
    network = backbone + 2 * (target - backbone)
    np.testing.assert_allclose(shares(target, backbone, network), 0.5, atol=1e-6)


def test_units_do_not_matter(truth, rng):
    target, backbone, _ = truth
    network = (target + backbone) / 2 + 0.1 * np.abs(backbone)
    scale = 10.0 ** rng.uniform(-6, 6, N_TARGETS)
    expected = shares(target, backbone, network)
    found = shares(target * scale, backbone * scale, network * scale)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_constant_targets_take_nothing_and_leave_others_alone(truth):
    target, backbone, _ = truth
    target, backbone = target.copy(), backbone.copy()
    target[:, 0], backbone[:, 0] = 3.0, 3.0
    network = target.copy()
    network[:, 0] = 5.0
    found = shares(target, backbone, network)
    assert found[0] == 0
    np.testing.assert_allclose(found[1:], 1.0, atol=1e-6)


def test_folds_that_disagree_lower_the_share():
    agree = [FoldSums(np.array([0.3]), np.array([1.0]))] * 4
    apart = [FoldSums(np.array([share]), np.array([1.0])) for share in (0.9, -0.3, 0.9, -0.3)]
    np.testing.assert_allclose(earned_shares(agree), 0.3)
    # variance 0.48, of the mean of four 0.12, which is more than 0.3 ** 2
    np.testing.assert_allclose(earned_shares(apart), 0.0)


def test_blocks_of_samples_add_up(truth):
    target, backbone, _ = truth
    deviations = target_deviations(target)
    whole = fold_sums(target, backbone, target, deviations)
    parts = [
        fold_sums(target[rows], backbone[rows], target[rows], deviations)
        for rows in (slice(0, 90), slice(90, None))
    ]
    np.testing.assert_allclose(whole.moved, parts[0].moved + parts[1].moved)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_deviations_are_those_of_numpy(rng, dtype):
    target = rng.normal(5, 2, size=(30, 3000)).astype(dtype)
    np.testing.assert_allclose(target_deviations(target), target.std(0, dtype=float), rtol=1e-12)
