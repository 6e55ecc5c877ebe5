"""Gene-regulatory networks with drawn kinetic parameters, for simulators of expression.

Two flavours are drawn. Both give the rate f of transcription of a gene as a number in [0, 1] from
the levels x of its regulators, by way of ν = (x / K)**n with a Hill constant K and exponent n:

"syntren", after T. Van den Bulcke et al., "SynTReN: a generator of synthetic gene expression data
for design and analysis of structure learning algorithms", BMC Bioinformatics 7:43, 2006.
    Regulators compete: f = (β + sum of ν over activators) / (1 + sum of ν over all regulators).
    The basal rate β is 1 for a gene without activators, else 0.05. The level is f itself.
"gnw", after T. Schaffter et al., "GeneNetWeaver: in silico benchmark generation and performance
profiling of network inference methods", Bioinformatics 27(16), 2011.
    Regulators act in modules of one to three. A module is active with the probability μ, the
    product of ν / (1 + ν) over members that help it and 1 / (1 + ν) over those that hinder it. It
    adds its effect Δ to the basal rate: f = β + sum of Δ μ. The effects are scaled such that f
    stays in [0.05, 1]; then f is the mean over all states of the modules. Levels follow
    dx/dt = m f(x) - λ x with production m and decay λ.

The equations are of the kind that the two programs use; they are no copy of their code, and the
ranges from which parameters are drawn are stated here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

FLAVOURS = ("syntren", "gnw")

_BASAL = 0.05
_MODULE_SIZE = 3
_SIGNS = {
    **dict.fromkeys(("1", "+1", "1.0", "+", "activator", "activation", "positive"), 1),
    **dict.fromkeys(("-1", "-1.0", "-", "repressor", "repression", "negative"), -1),
    **dict.fromkeys(("0", "0.0", "dual", "+-", "-+", "?", "unknown", "", "nan", "none"), 0),
}


@dataclass(frozen=True)
class KineticNetwork:
    """A gene-regulatory network with its kinetic parameters; edges are sorted by target and module.

    Attributes
    ----------
    flavour : {"syntren", "gnw"}
        How regulators act together.
    n_genes : int
        Number of genes, which are numbered from 0.
    regulators, targets : ndarray of int of shape (n_edges,)
        Genes at both ends of every edge.
    effects : ndarray of shape (n_edges,)
        1 where the regulator activates its target, -1 where it represses it.
    modules : ndarray of int of shape (n_edges,)
        Module of every edge, numbered over the whole network.
    constants, exponents : ndarray of shape (n_edges,)
        Hill constant K, in units of the level, and Hill exponent n.
    module_effects : ndarray of shape (n_modules,)
        Δ of every module ("gnw").
    basal : ndarray of shape (n_genes,)
        Basal rate β of every gene.
    production, decay : ndarray of shape (n_genes,)
        Rates m and λ, per minute for "gnw".
    """

    flavour: str
    n_genes: int
    regulators: np.ndarray
    targets: np.ndarray
    effects: np.ndarray
    modules: np.ndarray
    constants: np.ndarray
    exponents: np.ndarray
    module_effects: np.ndarray
    basal: np.ndarray
    production: np.ndarray
    decay: np.ndarray

    @property
    def inputs(self) -> np.ndarray:
        """Genes without regulators, whose rates are given from outside."""
        return np.setdiff1d(np.arange(self.n_genes), self.targets)


def edge_signs(effects: Any, n_edges: int, rng: np.random.Generator) -> np.ndarray:
    """Return 1 for activation and -1 for repression.

    Parameters
    ----------
    effects : array-like of shape (n_edges,) or None
        Signs as numbers (1, -1) or text ("+", "-", "activator", "repressor"). What is 0, "dual" or
        missing is drawn at random, and everything if None.
    n_edges : int
        Number of edges.
    rng : Generator
        Draws one sign for every edge, needed or not.

    Returns
    -------
    ndarray of shape (n_edges,), dtype float64
        The signs.

    Raises
    ------
    ValueError
        If an effect is none of these.
    """
    drawn = rng.choice([-1.0, 1.0], n_edges)
    if effects is None:
        return drawn
    texts = pd.Series(effects, dtype=object).map(lambda value: str(value).strip().lower())
    texts = texts.where(~pd.isna(pd.Series(effects)).to_numpy(), "")
    signs = texts.map(_SIGNS)
    if signs.isna().any():
        unknown = sorted(set(texts[signs.isna()]))[:3]
        raise ValueError(
            f"The column effect of the network holds {unknown}. Give 1 or '+' or 'activator', -1 "
            "or '-' or 'repressor', and 'dual' or nothing where the sign should be drawn."
        )
    given = signs.to_numpy(dtype=np.float64)
    return np.where(given == 0, drawn, given)


def draw_kinetics(
    regulators: Any,
    targets: Any,
    *,
    n_genes: int,
    flavour: str,
    seed: int,
    effects: Any = None,
    keep_cycles: bool | None = None,
) -> KineticNetwork:
    """Draw the kinetic parameters of a network.

    Parameters
    ----------
    regulators, targets : array-like of int of shape (n_edges,)
        Genes at both ends of every edge, without repeated edges.
    n_genes : int
        Number of genes.
    flavour : {"syntren", "gnw"}
        Which rates.
    seed : int
        Seed of all draws. The parameters of an edge depend on the order of edges.
    effects : array-like of shape (n_edges,), optional
        Signs, as for :func:`edge_signs`.
    keep_cycles : bool, optional
        Whether edges that close a cycle stay, self-loops among them. By default they stay with
        "gnw" and are left out with "syntren", whose levels are computed along the network.

    Returns
    -------
    KineticNetwork
        The network.
    """
    if flavour not in FLAVOURS:
        raise ValueError(f"flavour must be one of {list(FLAVOURS)}; found {flavour!r}.")
    rng = np.random.default_rng(seed)
    regulators = np.asarray(regulators, dtype=np.intp)
    targets = np.asarray(targets, dtype=np.intp)
    n_edges = len(targets)
    signs = edge_signs(effects, n_edges, rng)
    gnw = flavour == "gnw"
    constants = rng.uniform(0.01, 1.0, n_edges) if gnw else rng.uniform(0.2, 0.8, n_edges)
    exponents = np.clip(rng.normal(2, 2, n_edges), 1, 10) if gnw else rng.uniform(1, 4, n_edges)
    half_lives = np.clip(rng.normal(27.5, 7.5, n_genes), 5, 50)
    places = rng.integers(0, _MODULE_SIZE, n_edges)
    keep = gnw if keep_cycles is None else keep_cycles
    kept = np.full(n_edges, True) if keep else acyclic_edges(regulators, targets, n_genes)
    order = np.flatnonzero(kept)
    order = order[np.lexsort((places[order], targets[order]))]
    targets, signs, places = targets[order], signs[order], places[order]
    # a module holds consecutive edges of one target; each drawn place that is new starts one
    starts = np.ones(len(order), dtype=bool)
    if gnw:
        starts[1:] = (np.diff(targets) != 0) | (np.diff(places) != 0)
    modules = np.cumsum(starts) - 1
    weights = rng.uniform(0.5, 1.0, starts.sum()) * signs[starts]
    basal, module_effects = _rates(flavour, targets, targets[starts], signs, weights, n_genes)
    decay = np.log(2) / half_lives if gnw else np.ones(n_genes)
    return KineticNetwork(
        flavour=flavour,
        n_genes=n_genes,
        regulators=regulators[order],
        targets=targets,
        effects=signs,
        modules=modules,
        constants=constants[order],
        exponents=exponents[order],
        module_effects=module_effects,
        basal=basal,
        production=decay.copy(),
        decay=decay,
    )


def _rates(
    flavour: str,
    targets: np.ndarray,
    module_targets: np.ndarray,
    signs: np.ndarray,
    weights: np.ndarray,
    n_genes: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return basal rates of genes and effects of modules, such that rates stay in [0, 1]."""
    if flavour == "syntren":
        activators = np.bincount(targets[signs > 0], minlength=n_genes)
        return np.where(activators > 0, _BASAL, 1.0), weights
    total = np.bincount(module_targets, weights=np.abs(weights), minlength=n_genes)
    effects = (1 - _BASAL) * weights / total[module_targets]
    lowering = np.maximum(-effects, 0)
    basal = _BASAL + np.bincount(module_targets, weights=lowering, minlength=n_genes)
    return basal, effects


def acyclic_edges(regulators: np.ndarray, targets: np.ndarray, n_genes: int) -> np.ndarray:
    """Return which edges stay when those that close a cycle are left out.

    Parameters
    ----------
    regulators, targets : ndarray of int of shape (n_edges,)
        Edges.
    n_genes : int
        Number of genes.

    Returns
    -------
    ndarray of bool of shape (n_edges,)
        False for edges that lead back to a gene on the path of a depth-first search, which starts
        at genes without regulators.
    """
    outgoing: list[list[int]] = [[] for _ in range(n_genes)]
    for edge, regulator in enumerate(regulators.tolist()):
        outgoing[regulator].append(edge)
    kept = np.ones(len(targets), dtype=bool)
    n_regulators = np.bincount(targets, minlength=n_genes)
    new, open_, done = 0, 1, 2
    state = [new] * n_genes
    for root in np.argsort(n_regulators, kind="stable").tolist():
        if state[root] != new:
            continue
        state[root] = open_
        path = [(root, iter(outgoing[root]))]
        while path:
            gene, edges = path[-1]
            for edge in edges:
                target = int(targets[edge])
                if state[target] == open_:
                    kept[edge] = False
                elif state[target] == new:
                    state[target] = open_
                    path.append((target, iter(outgoing[target])))
                    break
            else:
                state[gene] = done
                path.pop()
    return kept
