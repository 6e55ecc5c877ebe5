"""Steady states of gene-regulatory networks, of all samples at once.

A network without cycles is solved exactly in one pass from regulators to targets. Genes on cycles
are iterated to their steady state with their regulators outside the cycle held at theirs.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from omitrans.solvers._gene_network import KineticNetwork
from omitrans.utils._blocks import CACHE_VALUES, row_blocks

_QUICK_STEPS = 200
_SLOW_STEPS = 4000
_SLOW_STEP = 0.1  # of the shortest life time


class Stage(NamedTuple):
    """Genes whose regulators are known, or are among them.

    Attributes
    ----------
    genes : ndarray of int of shape (n_stage_genes,)
        The genes, in increasing order; each has regulators.
    edges : ndarray of int of shape (n_stage_edges,)
        Edges of the network that lead to them.
    sources : ndarray of int of shape (n_sources,)
        Genes from which these edges start, each once.
    source_of_edge : ndarray of int of shape (n_stage_edges,)
        Place of the regulator of every edge among `sources`.
    modules : ndarray of int of shape (n_stage_modules,)
        Modules of the network to which the edges belong.
    gene_starts : ndarray of int of shape (n_stage_genes,)
        Where the edges ("syntren") or modules ("gnw") of every gene start.
    module_starts : ndarray of int of shape (n_stage_modules,)
        Where the edges of every module start.
    cyclic : bool
        Whether the genes lie on cycles.
    """

    genes: np.ndarray
    edges: np.ndarray
    sources: np.ndarray
    source_of_edge: np.ndarray
    modules: np.ndarray
    gene_starts: np.ndarray
    module_starts: np.ndarray
    cyclic: bool


def whole_stage(network: KineticNetwork) -> Stage:
    """Return all genes with regulators as one stage.

    Parameters
    ----------
    network : KineticNetwork
        The network.

    Returns
    -------
    Stage
        The stage, marked as cyclic.
    """
    return _stage(network, np.unique(network.targets), cyclic=True)


def _stage(network: KineticNetwork, genes: np.ndarray, *, cyclic: bool) -> Stage:
    edges = np.flatnonzero(np.isin(network.targets, genes))
    sources, source_of_edge = np.unique(network.regulators[edges], return_inverse=True)
    modules, module_starts = np.unique(network.modules[edges], return_index=True)
    owners = network.targets[edges]
    owners = owners[module_starts] if network.flavour == "gnw" else owners
    gene_starts = np.unique(owners, return_index=True)[1]
    return Stage(genes, edges, sources, source_of_edge, modules, gene_starts, module_starts, cyclic)


def stages_of(network: KineticNetwork) -> list[Stage]:
    """Split the genes with regulators into stages that are solved one after the other.

    Parameters
    ----------
    network : KineticNetwork
        The network.

    Returns
    -------
    list of Stage
        Genes of one stage depend on each other only if the stage is cyclic.
    """
    n_genes, regulators, targets = network.n_genes, network.regulators, network.targets
    graph = coo_array((np.ones(len(targets)), (regulators, targets)), shape=(n_genes, n_genes))
    n_groups, group = connected_components(graph.tocsr(), directed=True, connection="strong")
    on_cycle = np.bincount(group, minlength=n_groups)[group] > 1
    on_cycle[targets[regulators == targets]] = True
    between = group[regulators] != group[targets]
    arrows = np.unique(np.column_stack([group[regulators], group[targets]])[between], axis=0)
    level = np.zeros(n_groups, dtype=np.intp)
    while True:  # one round for every step of the longest path
        raised = level.copy()
        np.maximum.at(raised, arrows[:, 1], level[arrows[:, 0]] + 1)
        if (raised == level).all():
            break
        level = raised
    regulated = np.unique(targets)
    stages = []
    for this in np.unique(level[group[regulated]]).tolist():
        genes = regulated[level[group[regulated]] == this]
        for cyclic in (False, True):
            chosen = genes[on_cycle[genes] == cyclic]
            if len(chosen):
                stages.append(_stage(network, chosen, cyclic=cyclic))
    return stages


def rates(network: KineticNetwork, stage: Stage, states: np.ndarray) -> np.ndarray:
    """Compute the rate f of the genes of a stage; equations stand at the head of _gene_network.py.

    Parameters
    ----------
    network : KineticNetwork
        The network.
    stage : Stage
        Part of it.
    states : ndarray of shape (n_genes, n_samples)
        Levels of all genes.

    Returns
    -------
    ndarray of shape (n_stage_genes, n_samples)
        The rates in [0, 1].
    """
    edges = stage.edges
    raises = network.effects[edges] > 0
    exponents = network.exponents[edges]
    if network.flavour == "gnw":
        # a member helps its module if both raise the rate, or both lower it; then it is active
        # with the probability 1 / (1 + ν**-1), else with 1 / (1 + ν)
        helps = raises == (network.module_effects[network.modules[edges]] > 0)
        exponents = np.where(helps, -exponents, exponents)
    with np.errstate(divide="ignore", over="ignore"):  # a level of 0 binds nothing
        # (x / K)**n by logarithms, of which each regulator needs one
        bound = np.log(states[stage.sources])[stage.source_of_edge]
        bound -= np.log(network.constants[edges, None])
        bound *= exponents[:, None]
        np.exp(bound, out=bound)
    basal = network.basal[stage.genes, None]
    if network.flavour == "syntren":
        every = np.add.reduceat(bound, stage.gene_starts, axis=0)
        bound *= raises[:, None]
        activating = np.add.reduceat(bound, stage.gene_starts, axis=0)
        return (basal + activating) / (1 + every)
    bound += 1
    active = np.reciprocal(bound, out=bound)
    active = np.multiply.reduceat(active, stage.module_starts, axis=0)
    active *= network.module_effects[stage.modules, None]
    return np.clip(basal + np.add.reduceat(active, stage.gene_starts, axis=0), 0, 1)


def steady_states(
    network: KineticNetwork,
    inputs: np.ndarray,
    *,
    production_factors: np.ndarray | None = None,
    tol: float = 1e-8,
    oscillation: str = "raise",
) -> np.ndarray:
    """Compute the steady states of a network under many conditions.

    Parameters
    ----------
    network : KineticNetwork
        The network.
    inputs : ndarray of shape (n_samples, n_inputs)
        Rates, in [0, 1], of the genes ``network.inputs``, which have no regulators.
    production_factors : ndarray of shape (n_samples, n_genes), optional
        Factors of the production of every gene: 0 is a knock-out, 0.5 a knock-down.
    tol : float, default=1e-8
        A gene on a cycle is at its steady state when m f(x) / λ differs from x by no more.
    oscillation : {"raise", "keep"}, default="raise"
        What happens if levels oscillate: an error, or the state that was reached last is returned.

    Returns
    -------
    ndarray of shape (n_samples, n_genes), dtype float64
        Levels. Where a network on cycles has several steady states, that which is reached with the
        genes of the cycle starting from 0.

    Raises
    ------
    ArithmeticError
        If a sample reaches no steady state, because its levels oscillate, with "raise".
    """
    inputs = np.asarray(inputs, dtype=np.float64)
    check_inputs(network, inputs)
    stages = stages_of(network)
    states = np.zeros((len(inputs), network.n_genes))
    for rows in row_blocks(len(inputs), max(1, len(network.targets)), CACHE_VALUES, at_least=16):
        factors = None if production_factors is None else production_factors[rows]
        gains, block = start(network, inputs[rows], factors)
        for stage in stages:
            if stage.cyclic:
                _iterate(network, stage, block, gains, tol, oscillation)
            else:
                block[stage.genes] = gains[stage.genes] * rates(network, stage, block)
        states[rows] = block.T
    return states


def check_inputs(network: KineticNetwork, inputs: np.ndarray) -> None:
    """Raise an error unless `inputs` has a column for every gene without regulators.

    Parameters
    ----------
    network : KineticNetwork
        The network.
    inputs : ndarray
        Rates from outside.
    """
    n_inputs = len(network.inputs)
    if inputs.ndim != 2 or inputs.shape[1] != n_inputs:
        raise ValueError(
            f"inputs has the shape {inputs.shape} and must have one column for each of the "
            f"{n_inputs} genes without regulators (network.inputs)."
        )
    if not (inputs >= 0).all() or not np.isfinite(inputs).all():
        raise ValueError("inputs holds negative or missing rates; give rates in [0, 1].")


def start(
    network: KineticNetwork, inputs: np.ndarray, factors: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return m / λ of every gene and sample, and states with the inputs at their steady state.

    Parameters
    ----------
    network : KineticNetwork
        The network.
    inputs : ndarray of shape (n_samples, n_inputs)
        Rates of the genes without regulators.
    factors : ndarray of shape (n_samples, n_genes) or None
        Factors of the production.

    Returns
    -------
    gains, states : ndarray of shape (n_genes, n_samples)
        The states of all other genes are 0.
    """
    gains = np.repeat((network.production / network.decay)[:, None], len(inputs), axis=1)
    if factors is not None:
        gains *= factors.T
    states = np.zeros_like(gains)
    states[network.inputs] = gains[network.inputs] * inputs.T
    return gains, states


def _iterate(
    network: KineticNetwork,
    stage: Stage,
    states: np.ndarray,
    gains: np.ndarray,
    tol: float,
    oscillation: str,
) -> None:
    """Bring the genes of a cyclic stage to their steady state, in place."""
    life = network.decay[stage.genes] / network.decay[stage.genes].max()
    # first with long steps; what does not settle then follows its equation in time
    slow = 1 - np.exp(-_SLOW_STEP * life[:, None])
    waiting = np.arange(states.shape[1])
    for step, n_steps in ((np.full_like(slow, 0.5), _QUICK_STEPS), (slow, _SLOW_STEPS)):
        states[np.ix_(stage.genes, waiting)] = 0.0
        here, gain = states[:, waiting], gains[np.ix_(stage.genes, waiting)]
        for _ in range(n_steps):
            change = gain * rates(network, stage, here) - here[stage.genes]
            moving = np.abs(change).max(axis=0) > tol
            # the last step is a whole one; each sample steps as it would alone
            here[stage.genes] += change * np.where(moving, step, 1.0)
            if not moving.all():
                states[:, waiting[~moving]] = here[:, ~moving]
                waiting, here, gain = waiting[moving], here[:, moving], gain[:, moving]
            if not len(waiting):
                return
    if oscillation == "keep":
        states[:, waiting] = here
        return
    raise ArithmeticError(
        f"{len(waiting)} of {states.shape[1]} samples reach no steady state: the levels of "
        f"{len(stage.genes)} genes on cycles oscillate (genes {stage.genes[:5].tolist()}). Leave "
        "out the edges that close cycles (keep_cycles=False), or draw with another seed."
    )
