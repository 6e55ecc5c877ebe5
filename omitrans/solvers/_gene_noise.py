"""Noisy states of gene-regulatory networks.

Noise is drawn for a fixed number of samples at a time, from a generator of their own, so that the
noise of a sample depends on the seed and on its row only, not on how many rows follow.
"""

from collections.abc import Iterator

import numpy as np

from omitrans.solvers._gene_kinetics import (
    check_inputs,
    rates,
    stages_of,
    start,
    steady_states,
    whole_stage,
)
from omitrans.solvers._gene_network import KineticNetwork

_SAMPLES_AT_A_TIME = 64


def biological_noise(
    network: KineticNetwork, inputs: np.ndarray, *, scale: float, seed: int
) -> np.ndarray:
    """Compute levels whose noise is passed on from regulators to targets, as SynTReN does.

    The level of a gene is f(x) exp(s z - s² / 2), where x holds the noisy levels of its regulators,
    s is `scale` and z is a standard normal draw of every gene and sample. The noise has the mean 1.

    Parameters
    ----------
    network : KineticNetwork
        A network without cycles.
    inputs : ndarray of shape (n_samples, n_inputs)
        Rates of the genes without regulators, which get noise too.
    scale : float
        Standard deviation of the logarithm of the noise.
    seed : int
        Seed of the noise.

    Returns
    -------
    ndarray of shape (n_samples, n_genes), dtype float64
        Levels.

    Raises
    ------
    ValueError
        If the network has a cycle.
    """
    inputs = np.asarray(inputs, dtype=np.float64)
    check_inputs(network, inputs)
    stages = stages_of(network)
    if any(stage.cyclic for stage in stages):
        raise ValueError(
            "Biological noise is passed along networks without cycles. Draw the network with "
            "keep_cycles=False, or use langevin_states."
        )
    levels = np.zeros((len(inputs), network.n_genes))
    for rows, rng in _generators(len(inputs), seed):
        gains, states = start(network, inputs[rows], None)
        noise = _draw(rng, network.n_genes)[:, : states.shape[1]]
        noise = np.exp(scale * noise - scale**2 / 2)
        states[network.inputs] *= noise[network.inputs]
        for stage in stages:
            level = gains[stage.genes] * rates(network, stage, states)
            states[stage.genes] = level * noise[stage.genes]
        levels[rows] = states.T
    return levels


def langevin_states(
    network: KineticNetwork,
    inputs: np.ndarray,
    *,
    scale: float = 0.1,
    seed: int,
    n_lives: float = 5.0,
    steps_per_life: int = 20,
) -> np.ndarray:
    """Compute noisy states by the chemical Langevin equation, as GeneNetWeaver does.

    dx = (m f(x) - λ x) dt + c (√(m f(x)) dV + √(λ x) dW), from the steady state on, with the noise
    strength c and independent Wiener processes V and W of every gene and sample. Where levels
    oscillate there is no steady state, and the equation starts from some state that they pass.

    Parameters
    ----------
    network : KineticNetwork
        The network; it may have cycles.
    inputs : ndarray of shape (n_samples, n_inputs)
        Rates of the genes without regulators, whose levels are noisy too.
    scale : float, default=0.1
        The strength c. Time is counted in mean life times, so that c says the same of any unit.
    seed : int
        Seed of the noise.
    n_lives : float, default=5.0
        Time that passes before the state is taken, in mean life times 1 / λ.
    steps_per_life : int, default=20
        Number of steps of the Euler-Maruyama scheme in one mean life time.

    Returns
    -------
    ndarray of shape (n_samples, n_genes), dtype float64
        Levels, none of them negative.
    """
    inputs = np.asarray(inputs, dtype=np.float64)
    begin = steady_states(network, inputs, oscillation="keep")
    stage = whole_stage(network) if len(network.targets) else None
    mean_decay = network.decay.mean()
    production = (network.production / mean_decay)[:, None]
    decay = (network.decay / mean_decay)[:, None]
    step, n_steps = 1 / steps_per_life, round(n_lives * steps_per_life)
    for rows, rng in _generators(len(inputs), seed):
        states = begin[rows].T.copy()
        rate = np.empty_like(states)
        rate[network.inputs] = inputs[rows].T
        for _ in range(n_steps):
            if stage is not None:
                rate[stage.genes] = rates(network, stage, states)
            made, lost = production * rate, decay * states
            # the sum of two independent draws is one with the sum of their variances
            noise = _draw(rng, network.n_genes)[:, : states.shape[1]]
            states += step * (made - lost) + scale * np.sqrt(step * (made + lost)) * noise
            np.maximum(states, 0, out=states)
        begin[rows] = states.T
    return begin


def experimental_noise(levels: np.ndarray, *, scale: float, seed: int) -> np.ndarray:
    """Return levels times exp(s z - s² / 2), with standard normal z and s = `scale`.

    Parameters
    ----------
    levels : ndarray of shape (n_samples, n_genes)
        Levels before they are measured.
    scale : float
        Standard deviation of the logarithm of the noise.
    seed : int
        Seed of the noise.

    Returns
    -------
    ndarray of shape (n_samples, n_genes), dtype float64
        Measured levels.
    """
    measured = np.array(levels, dtype=np.float64)
    for rows, rng in _generators(len(measured), seed):
        noise = _draw(rng, measured.shape[1]).T[: rows.stop - rows.start]
        measured[rows] *= np.exp(scale * noise - scale**2 / 2)
    return measured


def _generators(n_samples: int, seed: int) -> Iterator[tuple[slice, np.random.Generator]]:
    """Yield rows and the generator of their noise."""
    for number, first in enumerate(range(0, n_samples, _SAMPLES_AT_A_TIME)):
        rows = slice(first, min(first + _SAMPLES_AT_A_TIME, n_samples))
        yield rows, np.random.default_rng([seed, number])


def _draw(rng: np.random.Generator, n_genes: int) -> np.ndarray:
    """Return noise of a full number of samples, of which the first are used."""
    return rng.standard_normal((n_genes, _SAMPLES_AT_A_TIME))
