"""Features that enter the kernel regression of a target directly: those nearby, and the strongest.

A kernel of all features spreads the effect of one feature over thousands. A target may have a few
features of its own besides: its regression is ``y = f(x) + z b + noise``, where ``f`` follows the
kernel and ``z`` holds the standardised values of these features. The prior variance of `b` is
chosen by leave-one-out, in closed form.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np
from scipy import sparse

from omitrans.solvers._kernel_family import FeatureScaling
from omitrans.solvers._kernel_penalties import PENALTIES, CentredTargets
from omitrans.solvers._kernels import KernelEigen
from omitrans.solvers._workers import Workers
from omitrans.utils._blocks import column_blocks

# Prior variances of the effects, in units of the mean eigenvalue of the kernel; 0 leaves them out.
VARIANCES = np.array([0, 0.03, 0.1, 0.3, 1, 3, 10, 30])
# A feature is selected if the share of a target's deviance that it takes exceeds this, times
# ln(n_features) / n_samples: three times what the strongest of as many unrelated features takes.
_EVIDENCE = 6.0
_FEATURES_A_BLOCK = 512
_TARGETS_A_BLOCK = 512
_TARGETS_A_CHUNK = 4096  # turned at a time, so that no second table of targets is held


class DirectEffects(NamedTuple):
    """Effects of features on targets, beside what the kernel explains.

    Attributes
    ----------
    coef : csr_array of shape (n_targets, n_features)
        Effects of one standard deviation of a feature.
    offset : ndarray of shape (n_targets,)
        Mean of the effects over the training samples.
    variances : ndarray of shape (n_targets,)
        Prior variance of the effects of each target; 0 for targets without.
    """

    coef: sparse.csr_array
    offset: np.ndarray
    variances: np.ndarray

    def of(
        self,
        X: np.ndarray,
        scaling: FeatureScaling,
        targets: slice,
        rows: slice | np.ndarray = slice(None),
    ) -> np.ndarray:
        """Return the effects on some targets, centred on the training samples.

        A sample gets the same alone as in a batch.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Samples.
        scaling : FeatureScaling
            Scaling of the features.
        targets : slice
            The targets.
        rows : slice or ndarray of int, default=slice(None)
            The samples to take.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            Effects in float64.
        """
        return self.of_values(lambda used: scaling.apply(X, used, rows)[0], targets)

    def of_values(self, values: Callable[[np.ndarray], np.ndarray], targets: slice) -> np.ndarray:
        """Return the effects of given values on some targets, centred on the training samples.

        Parameters
        ----------
        values : callable
            Function of the positions of features that returns their standardised values, of shape
            (n_samples, n_positions).
        targets : slice
            The targets.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            Effects in float64.
        """
        part = self.coef[targets]
        used = np.unique(part.indices)
        table = values(used)
        if not len(used):
            return np.zeros((len(table), part.shape[0]))
        return (part[:, used] @ np.ascontiguousarray(table.T)).T - self.offset[targets]


class TrainingTables(NamedTuple):
    """Some samples of the tables that a model is fitted on.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features)
        Table of features, which is not copied as a whole.
    Y : ndarray of shape (n_rows, n_targets)
        Table of targets, which is not copied either.
    scaling : FeatureScaling
        Scaling of the features.
    rows : ndarray of int or None, default=None
        The samples; None takes all.
    """

    X: np.ndarray
    Y: np.ndarray
    scaling: FeatureScaling
    rows: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Self:
        """Return other samples of the same tables.

        Parameters
        ----------
        rows : ndarray of int
            The samples.

        Returns
        -------
        TrainingTables
            The samples.
        """
        return self._replace(rows=rows)

    @property
    def selection(self) -> np.ndarray | slice:
        """The samples, as an index of rows."""
        return slice(None) if self.rows is None else self.rows

    @property
    def targets(self) -> CentredTargets:
        """Targets of the samples."""
        return CentredTargets(self.Y, self.rows)

    def features(self, columns: np.ndarray | slice) -> np.ndarray:
        """Return standardised features.

        Parameters
        ----------
        columns : ndarray of int or slice
            The features.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            New table in float64.
        """
        return self.scaling.apply(self.X, columns, self.selection)[0]

    def explained(self, effects: DirectEffects) -> Callable[[slice], np.ndarray] | None:
        """Return a function of a slice of targets that gives the effects on the samples.

        Parameters
        ----------
        effects : DirectEffects
            Effects of features.

        Returns
        -------
        callable or None
            The function; None if there are no effects.
        """
        if not effects.coef.nnz:
            return None
        rows = self.selection
        return lambda targets: effects.of(self.X, self.scaling, targets, rows)


class KernelFit(NamedTuple):
    """A kernel regression, to which features may add.

    Attributes
    ----------
    training : TrainingTables
        The training samples.
    eigen : KernelEigen
        The decomposed kernel of the training samples.
    penalties : ndarray of int of shape (n_targets,)
        Position of the penalty of each target in `PENALTIES`.
    """

    training: TrainingTables
    eigen: KernelEigen
    penalties: np.ndarray

    def features(self, columns: np.ndarray | slice) -> np.ndarray:
        """Return standardised features, centred on the training samples.

        Parameters
        ----------
        columns : ndarray of int or slice
            The features.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            New table in float64; a constant feature is exactly 0.
        """
        values = self.training.features(columns)
        values[:, np.ptp(values, axis=0) == 0] = 0
        values -= values.mean(axis=0)
        return values


def no_effects(n_targets: int, n_features: int) -> DirectEffects:
    """Return effects that are all 0.

    Parameters
    ----------
    n_targets, n_features : int
        Number of targets and of features.

    Returns
    -------
    DirectEffects
        The effects.
    """
    zeros = np.zeros(n_targets)
    return DirectEffects(sparse.csr_array((n_targets, n_features)), zeros, zeros)


def strongest_features(fit: KernelFit, n_selected: int, workers: Workers) -> np.ndarray:
    """Return the features that would explain most of each target beside the kernel.

    Each feature is judged by its score test: the share of the deviance of a target, under the
    covariance that the kernel gives to the samples, that the feature would take alone. One
    penalty, the median over targets, serves all of them.

    Parameters
    ----------
    fit : KernelFit
        The kernel regression.
    n_selected : int
        Largest number of features of a target.
    workers : Workers
        Threads to use.

    Returns
    -------
    ndarray of int of shape (n_selected, n_targets)
        Positions of features, the strongest first; -1 where no further feature is strong enough.
    """
    eigen, targets = fit.eigen, fit.training.targets
    n_features, n = fit.training.X.shape[1], targets.n_samples
    least = _EVIDENCE * np.log(max(n_features, 2)) / n
    shares = np.full((n_selected, targets.n_targets), least, dtype=np.float32)
    found = np.full(shares.shape, -1)
    if not n_selected or least >= 1 or not eigen.mean_value > 0:  # no feature can be that strong
        return found
    penalty = PENALTIES[int(np.median(fit.penalties))] * eigen.mean_value
    half = (eigen.vectors * np.sqrt(eigen.kept(penalty))).astype(np.float32).T

    def whitened(values: np.ndarray) -> np.ndarray:
        turned = half @ values.astype(np.float32)
        norm = np.sqrt(np.einsum("ij,ij->j", turned, turned))
        return np.divide(turned, norm, out=np.zeros_like(turned), where=norm > 0)

    for chunk in column_blocks(1, targets.n_targets, _TARGETS_A_CHUNK):
        turned = np.empty((n, chunk.stop - chunk.start), dtype=np.float32)
        blocks = list(column_blocks(1, turned.shape[1], _TARGETS_A_BLOCK))

        def write(columns: slice, first: int = chunk.start, turned: np.ndarray = turned) -> None:
            centred, _ = targets.block(slice(first + columns.start, first + columns.stop))
            largest = np.abs(centred).max(axis=0)
            turned[:, columns] = whitened(centred / np.where(largest > 0, largest, 1.0))

        for _ in workers.results(write, blocks):
            pass
        for features in column_blocks(1, n_features, _FEATURES_A_BLOCK):
            candidates = whitened(fit.features(features)).T

            def judge(
                columns: slice,
                places: tuple[int, int] = (chunk.start, features.start),
                tables: tuple[np.ndarray, np.ndarray] = (candidates, turned),
            ) -> None:
                share = np.square(tables[0] @ tables[1][:, columns])
                first = places[0] + columns.start
                least = shares[-1, first : first + share.shape[1]]
                for place in np.flatnonzero(share.max(axis=0) > least):
                    _insert(share[:, place], places[1], shares, found, first + int(place))

            for _ in workers.results(judge, blocks):
                pass
    return found


def _insert(
    new: np.ndarray, first: int, shares: np.ndarray, found: np.ndarray, target: int
) -> None:
    """Put the strongest of some new features among those of one target."""
    top = np.argsort(-new, kind="stable")[: len(shares)]
    both = np.concatenate([shares[:, target], new[top]])
    names = np.concatenate([found[:, target], first + top])
    order = np.argsort(-both, kind="stable")[: len(shares)]
    shares[:, target], found[:, target] = both[order], names[order]


def direct_effects(
    fit: KernelFit,
    nearby: Sequence[np.ndarray] | None,
    selected: np.ndarray,
    workers: Workers,
) -> DirectEffects:
    """Estimate the effects of the features of each target.

    The prior variance of the effects is chosen for each target by its leave-one-out error, relative
    to its variance, plus the mean of these errors over all targets that have features.

    Parameters
    ----------
    fit : KernelFit
        The kernel regression.
    nearby : sequence of ndarray of int, or None
        Features near each target, or None if nothing is known of them.
    selected : ndarray of int of shape (n_selected, n_targets)
        Selected features of each target; -1 stands for none.
    workers : Workers
        Threads to use.

    Returns
    -------
    DirectEffects
        The effects.
    """
    n_targets, n_features = fit.training.Y.shape[1], fit.training.X.shape[1]
    own = [_own_features(nearby, selected[:, target], target) for target in range(n_targets)]
    having = np.array([t for t, (columns, _) in enumerate(own) if len(columns)], dtype=int)
    errors = np.zeros((len(VARIANCES), len(having)))
    effects: list[np.ndarray] = [np.empty(0)] * len(having)
    one = _OneTarget(fit)

    def estimate(place: int) -> None:
        target = int(having[place])
        errors[:, place], effects[place] = one.estimate(target, *own[target])

    for _ in workers.results(estimate, range(len(having))):
        pass
    if not len(having):
        return no_effects(n_targets, n_features)
    errors -= errors[0]
    best = (errors + errors.mean(axis=1, keepdims=True)).argmin(axis=0)
    variances = np.zeros(n_targets)
    variances[having] = VARIANCES[best]
    rows = np.repeat(having, [len(own[target][0]) for target in having])
    columns = np.concatenate([own[target][0] for target in having])
    values = np.concatenate([effects[place][:, chosen] for place, chosen in enumerate(best)])
    kept = values != 0
    coef = sparse.csr_array(
        (values[kept], (rows[kept], columns[kept])), shape=(n_targets, n_features)
    )
    means = np.zeros(n_features)
    used = np.unique(coef.indices)
    means[used] = fit.training.features(used).mean(axis=0)
    return DirectEffects(coef, coef @ means, variances)


def _own_features(
    nearby: Sequence[np.ndarray] | None, selected: np.ndarray, target: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of one target, and the prior standard deviation of each effect.

    The effects of all nearby features together vary as much as those of all selected ones.
    """
    selected = selected[selected >= 0]
    near = np.empty(0, dtype=int) if nearby is None else nearby[target]
    # most targets have none, and the difference of sets takes long
    others = np.setdiff1d(selected, near) if len(near) and len(selected) else np.sort(selected)
    sizes = np.repeat([len(near), len(others)], [len(near), len(others)])
    return np.concatenate([near, others]), 1 / np.sqrt(sizes)


class _OneTarget:
    """Estimates the effects on one target, for each prior variance.

    Parameters
    ----------
    fit : KernelFit
        The kernel regression.
    """

    def __init__(self, fit: KernelFit) -> None:
        self._fit, self._targets = fit, fit.training.targets
        eigen = fit.eigen
        unit = eigen.mean_value or 1.0
        # what ridge leaves in the residual, divided by the penalty: the inverse of the covariance
        self._inverse = np.stack([eigen.kept(unit * a) / a for a in PENALTIES], axis=1)
        n = len(eigen.vectors)
        self._diagonal = eigen.vectors**2 @ self._inverse - 1 / (PENALTIES * n)

    def estimate(
        self, target: int, columns: np.ndarray, deviations: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the leave-one-out errors, and the effects, for each of `VARIANCES`.

        Parameters
        ----------
        target : int
            Position of the target.
        columns : ndarray of int of shape (n_own,)
            Its features.
        deviations : ndarray of shape (n_own,)
            Prior standard deviation of each effect, before it is multiplied by that of the target.

        Returns
        -------
        errors : ndarray of shape (n_variances,)
            Mean squared errors, divided by the variance of the target.
        effects : ndarray of shape (n_own, n_variances)
            Effects.
        """
        centred = self._targets.block(slice(target, target + 1))[0][:, 0]
        largest = np.abs(centred).max()
        effects = np.zeros((len(columns), len(VARIANCES)))
        if largest == 0:
            return np.zeros(len(VARIANCES)), effects
        centred /= largest
        vectors, penalty = self._fit.eigen.vectors, self._fit.penalties[target]
        inverse = self._inverse[:, penalty]
        own = self._fit.features(columns) * deviations
        solved = vectors @ (inverse * (vectors.T @ centred))
        own_solved = vectors @ (inverse[:, None] * (vectors.T @ own))
        values, turn = np.linalg.eigh(own.T @ own_solved)
        turned = own_solved @ turn
        slope = turned.T @ centred
        shrunk = VARIANCES / (1 + VARIANCES * np.maximum(values, 0)[:, None])
        residual = solved[:, None] - turned @ (shrunk * slope[:, None])
        freedom = self._diagonal[:, [penalty]] - turned**2 @ shrunk
        errors = np.mean((residual / freedom) ** 2, axis=0) / np.mean(centred**2)
        effects = (turn @ (shrunk * slope[:, None])) * deviations[:, None] * largest
        return errors, effects
