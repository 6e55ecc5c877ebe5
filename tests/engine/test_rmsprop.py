"""RMSprop in one pass, against torch's own."""

import copy
import math

import pytest
import torch

from omitrans.engine import RMSprop

pytestmark = pytest.mark.usefixtures("own_random_numbers")


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_steps_are_those_of_torch(weight_decay):
    ours = torch.nn.Linear(7, 5)
    theirs = copy.deepcopy(ours)
    options = {"lr": 1e-2, "eps": 1e-7, "weight_decay": weight_decay}
    optimizers = [
        (ours, RMSprop(ours.parameters(), rho=0.9, fused=True, **options)),
        (theirs, torch.optim.RMSprop(theirs.parameters(), alpha=0.9, **options)),
    ]
    for step in range(30):
        X = torch.randn(4, 7)
        for network, optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = 1e-2 / (1 + step)
            optimizer.zero_grad()
            network(X).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight)
    assert math.isclose(optimizers[0][1].param_groups[0]["eps"], 1e-7)


def test_state_goes_on_from_a_copy():
    first = torch.nn.Linear(3, 2)
    second = copy.deepcopy(first)
    optimizer, other = (RMSprop(net.parameters(), fused=True) for net in (first, second))

    def step(network, own):
        own.zero_grad()
        network(torch.ones(1, 3)).square().sum().backward()
        own.step()

    for _ in range(3):
        step(first, optimizer)
    second.load_state_dict(first.state_dict())
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    step(first, optimizer)
    step(second, other)
    assert torch.equal(first.weight, second.weight)
