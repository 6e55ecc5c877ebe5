"""How a multi-kernel ridge is solved on some training samples, and predicts a fold."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from omitrans.solvers._component_share import component_share
from omitrans.solvers._direct_features import (
    DirectEffects,
    KernelFit,
    TrainingTables,
    direct_effects,
    no_effects,
    strongest_features,
)
from omitrans.solvers._hidden_columns import HiddenColumns
from omitrans.solvers._kernel_family import Similarities
from omitrans.solvers._kernel_mixture import KernelMixture, given_weights, learned_weights
from omitrans.solvers._kernel_penalties import (
    DualSolution,
    penalties_of_components,
    penalties_of_targets,
    predicted_blocks,
)
from omitrans.solvers._kernels import KernelEigen
from omitrans.solvers._workers import Workers


class SolvedKernel(NamedTuple):
    """A multi-kernel ridge on some training samples.

    Attributes
    ----------
    mixture : KernelMixture
        The mixture of kernels.
    share : float
        Share of the solution by component.
    effects : DirectEffects
        Effects of features that enter directly.
    solution : DualSolution
        Penalties and coefficients.
    """

    mixture: KernelMixture
    share: float
    effects: DirectEffects
    solution: DualSolution


class KernelRecipe(NamedTuple):
    """What is chosen on training samples, and how.

    Attributes
    ----------
    kernel_weights : object
        "learned", or what :func:`given_weights` takes.
    penalties : {"both", "gene", "component"}
        What has a penalty of its own.
    n_selected : int
        Largest number of strongest features per target.
    nearby : sequence of ndarray of int, or None
        Features of its own of each target.
    workers : Workers
        Threads to use.
    """

    kernel_weights: Any
    penalties: str
    n_selected: int
    nearby: Sequence[np.ndarray] | None
    workers: Workers

    def solve(self, similarities: Similarities, training: TrainingTables) -> SolvedKernel:
        """Choose weights, penalties and direct features on some training samples.

        Parameters
        ----------
        similarities : Similarities
            Similarities of the training samples with each other.
        training : TrainingTables
            The training samples.

        Returns
        -------
        SolvedKernel
            The regression.
        """
        weights = self._weights(similarities, training)
        share = self._share(similarities, training, weights)
        mixture, kernel = KernelMixture.of(similarities, weights)
        eigen, targets = KernelEigen(kernel), training.targets
        chosen = components = None
        effects = no_effects(targets.n_targets, training.X.shape[1])
        if self.penalties != "gene":
            components = penalties_of_components(eigen, targets, self.workers)
        if self.penalties != "component":
            chosen = penalties_of_targets(eigen, targets, self.workers)
            fit = KernelFit(training, eigen, chosen)
            selected = strongest_features(fit, self.n_selected, self.workers)
            effects = direct_effects(fit, self.nearby, selected, self.workers)
        explained = training.explained(effects)
        solution = DualSolution(eigen, targets, chosen, components, share, explained)
        return SolvedKernel(mixture, share, effects, solution)

    def predict_fold(
        self,
        similarities: Similarities,
        tables: TrainingTables,
        fold: tuple[np.ndarray, np.ndarray],
        hidden: HiddenColumns,
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Solve on the training samples of a fold, and predict its test samples.

        Parameters
        ----------
        similarities : Similarities
            Similarities of all samples.
        tables : TrainingTables
            Tables of all samples.
        fold : (ndarray of int, ndarray of int)
            Rows of the training samples, and of the test samples.
        hidden : HiddenColumns
            Columns to hide.

        Yields
        ------
        columns : slice
            A block of targets.
        predicted : ndarray of shape (n_kept, n_test_samples, n_columns)
            Predictions for each of ``hidden.kept``, in the dtype of the features.
        """
        train, test = fold
        training = tables.take(train)
        solved = self.solve(similarities.take(train, train), training)
        new = hidden.similarities(similarities.take(test, train), tables, fold, self.workers)
        kernels = np.vstack([solved.mixture.new(one) for one in new])
        added = hidden.explained(solved.effects, tables.take(test))
        for columns, part in predicted_blocks(
            kernels, solved.solution, training.targets, self.workers, added
        ):
            yield columns, part.reshape(len(new), len(test), -1).astype(tables.X.dtype)

    def _weights(self, similarities: Similarities, training: TrainingTables) -> np.ndarray:
        if isinstance(self.kernel_weights, str) and self.kernel_weights == "learned":
            return learned_weights(similarities, training.Y, training.rows, self.workers)
        return given_weights(self.kernel_weights)

    def _share(
        self, similarities: Similarities, training: TrainingTables, weights: np.ndarray
    ) -> float:
        if self.penalties == "both":
            Y = training.Y if training.rows is None else training.Y[training.rows]
            return component_share(similarities, Y, weights, self.workers)
        return float(self.penalties == "component")
