"""Kinetics of gene networks, compared with their equations written gene by gene."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from omitrans.solvers._gene_kinetics import stages_of, steady_states
from omitrans.solvers._gene_network import FLAVOURS, acyclic_edges, draw_kinetics, edge_signs
from omitrans.solvers._gene_noise import biological_noise, experimental_noise, langevin_states

# 0 and 1 are inputs; 5 and 6 regulate each other, 7 itself
ACYCLIC = [(0, 2), (1, 2), (0, 3), (2, 3), (1, 4), (3, 5), (4, 5), (0, 5), (2, 5), (5, 6), (6, 7)]
CYCLIC = [*ACYCLIC, (6, 5), (7, 7)]
SIGNS = [1, -1, 1, 1, -1, 1, 1, -1, 1, -1, 1]
N_GENES = 8


def network(edges, flavour, *, seed=0, n_genes=N_GENES, **options):
    regulators, targets = np.array(edges).T
    return draw_kinetics(
        regulators, targets, n_genes=n_genes, flavour=flavour, seed=seed, **options
    )


def rate_of(net, gene, levels):
    """Return the rate of one gene at given levels, from the equations as they are documented."""
    edges = np.flatnonzero(net.targets == gene)
    bound = {e: (levels[net.regulators[e]] / net.constants[e]) ** net.exponents[e] for e in edges}
    if net.flavour == "syntren":
        activating = sum(value for edge, value in bound.items() if net.effects[edge] > 0)
        return (net.basal[gene] + activating) / (1 + sum(bound.values()))
    rate = net.basal[gene]
    for module in {net.modules[edge] for edge in edges}:
        effect, probability = net.module_effects[module], 1.0
        for edge in edges:
            if net.modules[edge] == module:
                helps = net.effects[edge] * effect > 0
                probability *= (bound[edge] if helps else 1) / (1 + bound[edge])
        rate += effect * probability
    return rate


def integrate(net, inputs):
    """Return the state after a long time; each cycle starts from 0, as there may be several."""
    given = dict(zip(net.inputs.tolist(), inputs, strict=True))

    def change(_, levels):
        made = [
            given[gene] if gene in given else rate_of(net, gene, levels)
            for gene in range(net.n_genes)
        ]
        return net.production * made - net.decay * levels

    end = 200 / net.decay.min()
    levels = np.zeros(net.n_genes)
    for genes in ([], [5, 6, 7], [7]):
        levels[genes] = 0.0
        levels = solve_ivp(change, (0, end), levels, "LSODA", rtol=1e-8, atol=1e-10).y[:, -1]
    return levels


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("edges", [ACYCLIC, CYCLIC], ids=["acyclic", "cyclic"])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_steady_states_are_those_of_the_integrated_equations(flavour, edges, seed):
    net = network(edges, flavour, seed=seed, keep_cycles=True)
    assert len(net.targets) == len(edges)
    inputs = np.random.default_rng(seed).random((3, 2))
    found = steady_states(net, inputs)
    assert found.shape == (3, N_GENES)
    for levels, given in zip(found, inputs, strict=True):
        np.testing.assert_allclose(levels, integrate(net, given), atol=1e-5)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_activators_raise_and_repressors_lower(flavour):
    for seed in range(5):
        net = network(ACYCLIC, flavour, seed=seed, effects=SIGNS)
        low, high = np.tile([0.4, 0.4], (2, 1)), np.tile([0.4, 0.4], (2, 1))
        high[0, 0], high[1, 1] = 0.7, 0.7
        change = steady_states(net, high) - steady_states(net, low)
        # input 0 activates gene 2, which input 1 represses; input 1 represses gene 4
        assert change[0, 2] > 0
        assert change[1, 2] < 0
        assert change[1, 4] < 0
        assert change[0, 4] == 0


def test_two_genes_that_activate_each_other_stay_on():
    net = network([(0, 1), (1, 2), (2, 1)], "gnw", n_genes=3, effects=["+", "+", "+"])
    on = steady_states(net, np.array([[1.0]]))[0]
    off = steady_states(net, np.array([[0.0]]))[0]
    assert (on >= off).all()
    assert on[1] > off[1]


def test_knock_out_of_a_gene():
    net = network(CYCLIC, "gnw", effects=[*SIGNS, 1, 1])
    inputs, factors = np.full((2, 2), 0.5), np.ones((2, N_GENES))
    factors[1, 2] = 0
    usual, knocked_out = steady_states(net, inputs, production_factors=factors)
    np.testing.assert_array_equal(usual, steady_states(net, inputs[:1])[0])
    assert knocked_out[2] == 0
    assert knocked_out[3] < usual[3]  # gene 2 activates gene 3


def test_oscillation_is_an_error():
    """Three steep repressors in a ring (E. coli's repressilator) never settle."""
    net = network([(0, 1), (1, 2), (2, 0)], "gnw", n_genes=3, effects=[-1] * 3)
    net.exponents[:], net.constants[:] = 10, [0.4, 0.5, 0.6]
    net.decay[:] = net.production[:] = 0.02
    with pytest.raises(ArithmeticError, match=r"1 of 1 samples reach no steady state.*oscillate"):
        steady_states(net, np.empty((1, 0)))


def test_oscillation_may_be_kept():
    net = network([(0, 1), (1, 2), (2, 0)], "gnw", n_genes=3, effects=[-1] * 3)
    net.exponents[:], net.constants[:] = 10, [0.4, 0.5, 0.6]
    net.decay[:] = net.production[:] = 0.02
    levels = steady_states(net, np.empty((2, 0)), oscillation="keep")
    assert (levels >= 0).all()
    assert (levels <= 1).all()
    assert np.ptp(levels[0]) > 0.1
    np.testing.assert_array_equal(levels[1], levels[0])
    noisy = langevin_states(net, np.empty((200, 0)), seed=0)
    assert np.isfinite(noisy).all()
    assert (noisy.std(axis=0) > 0.05).all()


def test_damped_oscillation_settles():
    net = network([(0, 1), (1, 2), (2, 0)], "gnw", n_genes=3, effects=[-1] * 3)
    net.exponents[:], net.constants[:] = 1.5, 0.5
    levels = steady_states(net, np.empty((2, 0)))
    expected = [rate_of(net, gene, levels[0]) for gene in range(3)]
    np.testing.assert_allclose(levels[0], expected, atol=1e-7)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_sample_alone_has_the_same_levels(flavour):
    net = network(CYCLIC, flavour, keep_cycles=True)
    inputs = np.random.default_rng(0).random((70, 2))
    together = steady_states(net, inputs)
    np.testing.assert_array_equal(steady_states(net, inputs[69:]), together[69:])


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_rates_stay_between_0_and_1(flavour):
    rng = np.random.default_rng(0)
    edges = np.unique(rng.integers(0, 40, (200, 2)), axis=0)
    net = network(edges, flavour, n_genes=40, keep_cycles=False)
    levels = steady_states(net, rng.random((20, len(net.inputs))))
    assert levels.min() >= 0
    assert levels.max() <= 1


# --- drawing a network ---


def test_cycles_are_broken_as_asked():
    assert len(network(CYCLIC, "syntren").targets) == len(ACYCLIC)
    assert len(network(CYCLIC, "gnw").targets) == len(CYCLIC)
    for keep in (False, True):
        net = network(CYCLIC, "gnw", keep_cycles=keep)
        assert any(stage.cyclic for stage in stages_of(net)) == keep


def test_no_more_edges_are_left_out_than_close_a_cycle():
    rng = np.random.default_rng(0)
    regulators, targets = np.unique(rng.integers(0, 50, (120, 2)), axis=0).T
    kept = acyclic_edges(regulators, targets, 50)
    ordered = np.minimum(regulators, targets), np.maximum(regulators, targets)
    different = ordered[0] != ordered[1]
    assert acyclic_edges(*(genes[different] for genes in ordered), 50).all()
    net = network(np.column_stack([regulators, targets])[kept], "gnw", n_genes=50)
    assert not any(stage.cyclic for stage in stages_of(net))
    assert not kept[regulators == targets].any()


def test_same_seed_same_network():
    one, same, other = (network(CYCLIC, "gnw", seed=seed) for seed in (3, 3, 4))
    for name in ("constants", "exponents", "effects", "modules", "decay", "module_effects"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
    assert (one.constants != other.constants).any()


@pytest.mark.parametrize(
    "given",
    [
        [1, -1, 0, 1],
        [1.0, -1.0, np.nan, 1.0],
        ["+", "-", "dual", "+"],
        ["activator", "Repressor", None, " activator "],
    ],
)
def test_signs_are_read_as_numbers_or_text(given):
    found = {tuple(edge_signs(given, 4, np.random.default_rng(seed))) for seed in range(20)}
    assert found == {(1, -1, 1, 1), (1, -1, -1, 1)}


def test_unknown_signs_are_refused():
    with pytest.raises(ValueError, match=r"holds \['binds'\]. Give 1 or '\+'"):
        edge_signs(["+", "binds"], 2, np.random.default_rng(0))


def test_signs_without_a_column_are_of_both_kinds():
    signs = edge_signs(None, 200, np.random.default_rng(0))
    assert 70 < (signs > 0).sum() < 130


def test_wrong_inputs_are_refused():
    net = network(ACYCLIC, "gnw")
    with pytest.raises(ValueError, match=r"shape \(3, 4\) .* each of the 2 genes"):
        steady_states(net, np.zeros((3, 4)))
    with pytest.raises(ValueError, match="negative or missing"):
        steady_states(net, np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="flavour must be one of"):
        network(ACYCLIC, "typo")


# --- noise ---


def test_biological_noise_without_noise_is_the_steady_state():
    net = network(ACYCLIC, "syntren")
    inputs = np.random.default_rng(0).random((5, 2))
    np.testing.assert_allclose(
        biological_noise(net, inputs, scale=0.0, seed=1), steady_states(net, inputs)
    )


def test_biological_noise_has_its_mean_and_spread_and_is_passed_on():
    net = network(ACYCLIC, "syntren", effects=SIGNS)
    inputs = np.full((4000, 2), 0.5)
    levels = biological_noise(net, inputs, scale=0.3, seed=1)
    assert levels[:, 0].mean() == pytest.approx(0.5, rel=0.02)
    assert np.log(levels[:, 0]).std() == pytest.approx(0.3, rel=0.05)
    assert np.log(levels[:, 2]).std() > 0.31  # its own noise and that of its regulators
    assert np.corrcoef(levels[:, 0], levels[:, 2])[0, 1] > 0.1
    assert np.corrcoef(levels[:, 1], levels[:, 2])[0, 1] < -0.1


def test_biological_noise_needs_a_network_without_cycles():
    net = network(CYCLIC, "gnw")
    with pytest.raises(ValueError, match="keep_cycles=False"):
        biological_noise(net, np.zeros((1, 2)), scale=0.1, seed=0)


def test_langevin_noise_has_the_variance_of_the_equation():
    """Without regulators the equation is linear: the variance is c² m f / λ = c² x."""
    net = network(ACYCLIC, "gnw")
    inputs = np.full((3000, 2), 0.5)
    levels = langevin_states(net, inputs, scale=0.05, seed=1)
    assert levels.min() >= 0
    assert levels[:, :2].mean() == pytest.approx(0.5, rel=0.01)
    for gene in range(2):
        assert levels[:, gene].std() == pytest.approx(0.05 * np.sqrt(0.5), rel=0.06)


def test_langevin_without_noise_stays_at_the_steady_state():
    net = network(CYCLIC, "gnw")
    inputs = np.random.default_rng(0).random((5, 2))
    found = langevin_states(net, inputs, scale=0.0, seed=1)
    np.testing.assert_allclose(found, steady_states(net, inputs), atol=1e-6)


@pytest.mark.parametrize("function", [biological_noise, langevin_states])
def test_noise_depends_on_seed_and_row_only(function):
    net = network(ACYCLIC, "gnw")
    inputs = np.full((100, 2), 0.5)
    levels = function(net, inputs, scale=0.1, seed=5)
    np.testing.assert_array_equal(function(net, inputs[:70], scale=0.1, seed=5), levels[:70])
    assert (function(net, inputs, scale=0.1, seed=6) != levels).any()
    assert len(np.unique(levels[:, 0])) == 100


def test_experimental_noise():
    levels = np.full((3000, 2), 3.0)
    measured = experimental_noise(levels, scale=0.2, seed=0)
    assert measured.mean() == pytest.approx(3, rel=0.01)
    assert np.log(measured).std() == pytest.approx(0.2, rel=0.05)
    np.testing.assert_array_equal(experimental_noise(levels[:70], scale=0.2, seed=0), measured[:70])
    assert (levels == 3).all()
