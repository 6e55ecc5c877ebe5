"""How much the solution by component counts beside the solution by target."""

import numpy as np
from sklearn.model_selection import KFold

from omitrans.solvers._kernel_family import Similarities
from omitrans.solvers._kernel_mixture import (
    SAMPLES_TO_LEARN_FROM,
    TARGETS_TO_LEARN_FROM,
    KernelMixture,
    spread,
)
from omitrans.solvers._kernel_penalties import (
    CentredTargets,
    DualSolution,
    penalties_of_components,
    penalties_of_targets,
    predicted_blocks,
)
from omitrans.solvers._kernel_weights import standardised_targets
from omitrans.solvers._kernels import KernelEigen
from omitrans.solvers._workers import Workers

_N_FOLDS = 5
_LEAST_SAMPLES = 10
# The share without evidence: the mean of both solutions.
_EVEN = 0.5


def component_share(
    similarities: Similarities, Y: np.ndarray, weights: np.ndarray, workers: Workers
) -> float:
    """Return the share of the solution by component that predicts held-out samples best.

    Both solutions are made without each of five folds, and the mixture of the two is regressed on
    what was held out. Up to 1,000 samples and 500 targets, spread evenly, are enough for one
    number.

    Parameters
    ----------
    similarities : Similarities
        Similarities of the training samples with each other.
    Y : ndarray of shape (n_samples, n_targets)
        Their targets.
    weights : ndarray of shape (6,)
        Weights of the kernels.
    workers : Workers
        Threads to use.

    Returns
    -------
    float
        A share from 0 to 1; one half for fewer than ten samples.
    """
    n_samples = similarities.products.shape[1]
    if n_samples < _LEAST_SAMPLES:
        return _EVEN
    sample = spread(n_samples, SAMPLES_TO_LEARN_FROM)
    part = standardised_targets(Y[np.ix_(sample, spread(Y.shape[1], TARGETS_TO_LEARN_FROM))])
    if not part.shape[1]:
        return _EVEN
    product = square = 0.0
    for train, test in KFold(_N_FOLDS, shuffle=True, random_state=0).split(part):
        among = similarities.take(sample[train], sample[train])
        mixture, kernel = KernelMixture.of(among, weights)
        eigen, targets = KernelEigen(kernel), CentredTargets(part, train)
        chosen = penalties_of_targets(eigen, targets, workers)
        components = penalties_of_components(eigen, targets, workers)
        new = mixture.new(similarities.take(sample[test], sample[train]))
        by_target, by_component = (
            np.hstack([block for _, block in predicted_blocks(new, solution, targets, workers)])
            for solution in (
                DualSolution(eigen, targets, chosen, None, 0.0),
                DualSolution(eigen, targets, None, components, 1.0),
            )
        )
        difference = by_component - by_target
        product += float(np.sum(difference * (part[test] - by_target)))
        square += float(np.sum(difference**2))
    return float(np.clip(product / square, 0, 1)) if square > 0 else _EVEN
