"""The losses of a Wasserstein GAN, against numbers computed by hand."""

import math

import torch

from omitrans.losses import gradient_penalty, wasserstein_loss


def test_critic_and_generator_pull_apart():
    scores = torch.tensor([[1.0], [2.0], [6.0]])
    assert wasserstein_loss(scores, real=True) == -3
    assert wasserstein_loss(scores, real=False) == 3


def test_penalty_by_hand():
    slopes = torch.tensor([[3.0, 4.0], [0.6, 0.8], [0.0, 0.5]])
    assert math.isclose(gradient_penalty(slopes), (4**2 + 0 + 0.5**2) / 3, rel_tol=1e-6)


def test_a_slope_of_zero_has_a_finite_gradient():
    slopes = torch.zeros(2, 3, requires_grad=True)
    gradient_penalty(slopes).backward()
    assert torch.equal(slopes.grad, torch.zeros(2, 3))
