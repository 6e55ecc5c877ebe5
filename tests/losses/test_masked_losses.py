"""Losses over some entries, against loops over samples."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from omitrans.losses import masked_adversarial_loss, masked_mse_loss

pytestmark = pytest.mark.usefixtures("own_random_numbers")


@pytest.fixture
def tables():
    first, second = torch.randn(2, 6, 7)
    return first, second, torch.rand(6, 7) < 0.5, torch.rand(6, 7) < 0.5


def test_masked_mse_is_the_mean_of_the_samples(tables):
    output, Y, scored, _ = tables
    parts = [((o - y)[s] ** 2).mean() for o, y, s in zip(output, Y, scored, strict=True)]
    torch.testing.assert_close(masked_mse_loss(output, Y, scored), torch.stack(parts).mean())


def test_masked_mse_does_not_see_other_entries(tables):
    output, Y, scored, _ = tables
    other = torch.where(scored, Y, 100.0)
    assert masked_mse_loss(output, Y, scored) == masked_mse_loss(output, other, scored)


def test_a_sample_with_nothing_to_score_counts_as_met():
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    assert masked_mse_loss(torch.ones(2, 3), torch.zeros(2, 3), nothing) == 0


def test_discriminator_loss_is_equation_12(tables):
    logits, _, observed, told = tables
    parts = [
        binary_cross_entropy_with_logits(row[~b], m[~b].float(), reduction="sum") / (1 + (~b).sum())
        for row, m, b in zip(logits, observed, told, strict=True)
    ]
    loss = masked_adversarial_loss(logits, observed, ~told)
    torch.testing.assert_close(loss, torch.stack(parts).mean())


def test_generator_loss_is_the_first_term_of_equation_13(tables):
    logits, _, observed, told = tables
    log_odds = -torch.log(torch.sigmoid(logits))
    sums = (log_odds * (~told & ~observed)).sum(1) / (1 + (~told).sum(1))
    every = torch.ones_like(observed)
    loss = masked_adversarial_loss(logits, every, ~observed & ~told, counted=~told)
    torch.testing.assert_close(loss, sums.mean())
