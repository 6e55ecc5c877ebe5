"""Random numbers of a fit: the same as torch would draw, from generators of its own."""

import pytest
import torch
from torch import nn

from omitrans.engine import FitDraws
from omitrans.engine._draws import EveryDraw, ask_themselves
from omitrans.networks import get_discriminator, get_generator, list_discriminators, list_generators
from omitrans.networks._random import Dropout, normal_like
from omitrans.utils._draws import drawing_from, generator_on

CPU = torch.device("cpu")


def in_draws(seed, draw, mode=None):
    with drawing_from(FitDraws(seed, CPU)):
        if mode is None:
            return draw()
        with mode:
            return draw()


def from_torch(seed, draw):
    """Return what torch's own generator gives, which is left as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return draw()


OPERATIONS = {
    "rand": lambda: torch.rand(7),
    "randn": lambda: torch.randn(3, 5),
    "rand_like": lambda: torch.rand_like(torch.ones(4, 2)),
    "randn_like": lambda: torch.randn_like(torch.ones(4, 2, dtype=torch.float64)),
    "randint": lambda: torch.randint(9, (6,)),
    "randint between": lambda: torch.randint(3, 9, (6,)),
    "randint_like": lambda: torch.randint_like(torch.ones(6), 9),
    "randint_like between": lambda: torch.randint_like(torch.ones(6), 3, 9),
    "rand into": lambda: torch.rand(5, out=torch.empty(5)),
    "randn into": lambda: torch.randn(5, out=torch.empty(5)),
    "randint into": lambda: torch.randint(9, (5,), out=torch.empty(5, dtype=torch.int64)),
    "randperm into": lambda: torch.randperm(11, out=torch.empty(11, dtype=torch.int64)),
    "randperm": lambda: torch.randperm(11),
    "bernoulli": lambda: torch.bernoulli(torch.full((9,), 0.5)),
    "multinomial": lambda: torch.multinomial(torch.ones(5), 3),
    "uniform_": lambda: torch.empty(5).uniform_(-1, 1),
    "normal_": lambda: nn.init.normal_(torch.empty(5), 0.0, 0.02),
    "dropout": lambda: nn.Dropout(0.3)(torch.ones(50)),
    "linear": lambda: nn.Linear(4, 3).weight.detach(),
    "attention": lambda: nn.MultiheadAttention(4, 2, dropout=0.5).out_proj.weight.detach(),
    "encoder layer": lambda: nn.TransformerEncoderLayer(4, 2, 8, 0.5)(torch.ones(3, 2, 4)).detach(),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_of_torch_draw_from_the_fit(name):
    """The numbers are those of torch; conftest checks that its generator is left alone."""
    draw = OPERATIONS[name]
    assert torch.equal(in_draws(3, draw, EveryDraw()), from_torch(3, draw))


@pytest.mark.parametrize(
    ("ours", "of_torch"),
    [
        (lambda X: Dropout(0.3)(X), lambda X: nn.Dropout(0.3)(X)),
        (lambda X: Dropout(0.0)(X), lambda X: X),
        (lambda X: Dropout(1.0)(X), lambda X: nn.Dropout(1.0)(X)),
        (normal_like, torch.randn_like),
    ],
)
def test_random_layers_draw_from_the_fit(ours, of_torch):
    X = torch.ones(40, 3)
    assert torch.equal(in_draws(5, lambda: ours(X)), from_torch(5, lambda: of_torch(X)))
    assert torch.equal(from_torch(5, lambda: ours(X)), from_torch(5, lambda: of_torch(X)))


def test_dropout_is_off_in_evaluation():
    X = torch.ones(4)
    assert torch.equal(in_draws(0, lambda: Dropout(0.5).eval()(X)), X)


def test_seed_and_state_repeat_the_numbers():
    draws = FitDraws.seeded(7, CPU)
    first = torch.rand(3, generator=draws.on(CPU))
    state = draws.state()
    second = torch.rand(3, generator=draws.on(CPU))
    assert torch.equal(first, torch.rand(3, generator=FitDraws.seeded(7, CPU).on(CPU)))
    other = FitDraws.seeded(8, CPU)
    other.set_state(state)
    assert torch.equal(torch.rand(3, generator=other.on(CPU)), second)


def test_generators_end_with_the_block():
    with drawing_from(FitDraws(0, CPU)):
        assert generator_on(CPU) is not None
    assert generator_on(CPU) is None


@pytest.mark.parametrize(
    "network",
    [
        *(pytest.param(get_generator(name), id=f"generator {name}") for name in list_generators()),
        *(
            pytest.param(get_discriminator(name), id=f"discriminator {name}")
            for name in list_discriminators()
        ),
    ],
)
def test_networks_of_the_package_ask_for_the_generators(network):
    """So that their training does not pay for EveryDraw."""
    with drawing_from(FitDraws(0, CPU)), EveryDraw():
        built = network(64, 48)
    assert ask_themselves([built])
    X, Y = torch.linspace(0, 1, 320).view(5, 64), torch.linspace(0, 1, 240).view(5, 48)
    inputs = (X,) if "generators" in network.__module__ else (X, Y)

    built.train()
    with drawing_from(FitDraws(1, CPU)):
        built(*inputs)  # conftest checks that nothing came from torch's generator


@pytest.mark.usefixtures("own_random_numbers")
def test_networks_of_others_are_found():
    class Noisy(nn.Module):
        pass

    assert not ask_themselves([Noisy()])
    assert not ask_themselves([nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))])
    assert not ask_themselves([nn.MultiheadAttention(4, 2, dropout=0.1)])
    assert ask_themselves([nn.Sequential(nn.Linear(2, 2), nn.ReLU())])
