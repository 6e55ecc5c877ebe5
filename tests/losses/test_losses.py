import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from omitrans.losses import ADVERSARIAL_LOSSES, OUTPUT_LINKS, RECONSTRUCTION_LOSSES


@pytest.fixture
def logits():
    return torch.linspace(-30, 30, 32).reshape(2, 16)


@pytest.mark.parametrize("real", [True, False])
def test_vanilla_is_cross_entropy_with_logits(logits, real):
    expected = F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))
    torch.testing.assert_close(ADVERSARIAL_LOSSES["vanilla"](logits, real), expected)


@pytest.mark.parametrize("real", [True, False])
def test_least_squares_is_mse_to_the_label(logits, real):
    expected = F.mse_loss(logits, torch.full_like(logits, float(real)))
    torch.testing.assert_close(ADVERSARIAL_LOSSES["least-squares"](logits, real), expected)


def test_an_undecided_discriminator_costs_log_2():
    zero = torch.zeros(3, 16)
    assert float(ADVERSARIAL_LOSSES["vanilla"](zero, True)) == pytest.approx(0.6931472)


def test_reconstruction_losses_agree_with_their_definition():
    output, Y = torch.tensor([[0.5, -1.0]]), torch.tensor([[1.0, 0.0]])
    assert float(RECONSTRUCTION_LOSSES["l1"](output, Y)) == pytest.approx(0.75)
    assert float(RECONSTRUCTION_LOSSES["mse"](output, Y)) == pytest.approx((0.25 + 1) / 2)
    p = torch.sigmoid(output)
    by_hand = -(Y * p.log() + (1 - Y) * (1 - p).log()).mean()
    torch.testing.assert_close(RECONSTRUCTION_LOSSES["cross-entropy"](output, Y), by_hand)


def test_cross_entropy_is_lowest_at_the_target_under_its_link():
    Y = torch.tensor([[0.3, 0.9]])
    output = torch.logit(Y).requires_grad_()
    RECONSTRUCTION_LOSSES["cross-entropy"](output, Y).backward()
    torch.testing.assert_close(output.grad, torch.zeros_like(Y), atol=1e-6, rtol=0)
    torch.testing.assert_close(OUTPUT_LINKS["cross-entropy"](output), Y)
