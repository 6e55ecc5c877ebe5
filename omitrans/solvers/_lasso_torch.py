"""LASSO paths of thousands of targets over one design matrix, in batches of targets."""

from typing import NamedTuple

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from omitrans.solvers._lasso_subproblem import Subproblem, descend

_MAX_ROUNDS = 100
_MAX_STALLED = 5  # rounds without a lower gap after which a target is given up
_REACHABLE = 10  # the smallest gap that is asked for, in roundings of one number
_SMALLEST_SET = 32
_TARGETS_A_GROUP = 64
# Subproblems must be solved more exactly than the whole problem, which else would not converge.
_INNER_TOL = 0.3
# Largest number of values in the Gram matrices and the gathered features of a chunk.
_CHUNK_VALUES = {"cpu": 2**24, "cuda": 2**29}


class LassoSolutions(NamedTuple):
    """Solutions of several targets, each at several penalties.

    Parameters
    ----------
    coef : Tensor of shape (n_targets, n_alphas, n_features), sparse
        Coefficients, in COO form.
    gap : Tensor of shape (n_targets, n_alphas)
        Duality gaps reached, relative to ``||y||² / n``.
    n_iter : Tensor of shape (n_targets, n_alphas)
        Number of rounds, each of which gave the target a new working set of features.
    """

    coef: Tensor
    gap: Tensor
    n_iter: Tensor


def lasso_paths(
    X: Tensor, Y: Tensor, alphas: Tensor, *, tol: float = 1e-4, max_iter: int = 10_000
) -> LassoSolutions:
    """Minimise ``||y - X w||² / (2 n) + alpha ||w||_1`` for every target and penalty.

    All targets go through the same rounds together. A round multiplies all residuals with X at
    once, measures the duality gap of every target, and stops the targets that reached `tol`. Each
    of the other targets gets a working set: its support and the features most correlated with its
    residual. The targets are then solved together on their working sets, from batched Gram
    matrices.

    Parameters
    ----------
    X : Tensor of shape (n_samples, n_features)
        Centred (and scaled) features. A transposed contiguous tensor is used without a copy.
    Y : Tensor of shape (n_samples, n_targets)
        Centred targets, in the dtype and on the device of X.
    alphas : Tensor of shape (n_targets, n_alphas)
        Penalties, in descending order along each row. Every solution starts from the one before.
    tol : float, default=1e-4
        Duality gap, in units of ``||y||² / n``, at which the solver stops.
    max_iter : int, default=10_000
        Maximum number of rounds for one penalty, at most 100.

    Returns
    -------
    NamedTuple
        ``coef``, a sparse tensor of coefficients of shape (n_targets, n_alphas, n_features);
        ``gap``, the relative duality gaps, and ``n_iter``, the numbers of rounds, both of shape
        (n_targets, n_alphas).

    Notes
    -----
    Memory grows with n_targets * (n_features + n_samples), because the products of all residuals
    and features are held at once. Solve many targets in blocks.

    This solver is fastest if few features are selected, at penalties of a fifth of alpha_max or
    more. Below a twentieth of alpha_max, with fewer samples than features, supports are as large
    as the number of samples allows; then coordinate descent for each target by itself is faster.

    Targets with more features in their working set than there are samples are solved on it by
    scikit-learn's coordinate descent, on the CPU. A target whose gap has not fallen by a tenth in
    five rounds is given up, and no smaller gap is asked for than ten roundings of the dtype.

    References
    ----------
    The duality gap is that of O. Fercoq, A. Gramfort, J. Salmon, "Mind the duality gap: safer
    rules for the Lasso", ICML 2015.

    Examples
    --------
    >>> import torch
    >>> from omitrans.solvers import lasso_paths
    >>> X = torch.eye(4) * 2
    >>> solved = lasso_paths(X, torch.tensor([[2.0], [1.0], [0.0], [0.0]]), torch.tensor([[0.5]]))
    >>> solved.coef.to_dense()[0, 0]
    tensor([0.5000, 0.0000, 0.0000, 0.0000])
    """
    state = _Batch(X, Y)
    parts = []
    gaps, rounds = torch.zeros_like(alphas), torch.zeros_like(alphas, dtype=torch.int64)
    for a in range(alphas.shape[1]):
        gaps[:, a], rounds[:, a] = state.solve(alphas[:, a], tol, min(max_iter, _MAX_ROUNDS))
        target, place = state.w.nonzero(as_tuple=True)
        where = torch.stack([target, torch.full_like(target, a), state.sets[target, place]])
        parts.append((where, state.w[target, place].to(X.dtype)))
    coef = torch.sparse_coo_tensor(
        torch.cat([where for where, _ in parts], 1),
        torch.cat([values for _, values in parts]),
        (*alphas.shape, X.shape[1]),
        check_invariants=False,
    ).coalesce()
    return LassoSolutions(coef, gaps, rounds)


class _Batch:
    """Targets that are solved together, and the state of each target.

    ``sets[t]`` holds the features in the working set of target t, ``w[t]`` their coefficients.
    """

    def __init__(self, X: Tensor, Y: Tensor) -> None:
        self.n, n_targets = Y.shape
        self.features = X.t().contiguous()  # one row per feature
        self.targets = Y.t().contiguous()
        self.squares = self.targets.double().square().sum(1)
        self.sets = torch.zeros(n_targets, 0, dtype=torch.int64, device=X.device)
        self.w = torch.zeros(n_targets, 0, dtype=torch.float64, device=X.device)
        self.residual = self.targets.clone()
        self.products = self.residual @ self.features.t()  # of residuals and features
        self.limits = self.products.abs().amax(1)

    def solve(self, alphas: Tensor, tol: float, max_rounds: int) -> tuple[Tensor, Tensor]:
        """Solve every target at its penalty; return relative duality gaps and rounds."""
        penalty = alphas * self.n
        best_dual = torch.full_like(self.squares, -torch.inf)
        rounds = torch.zeros(len(alphas), dtype=torch.int64, device=alphas.device)
        unit = torch.where(self.squares > 0, self.squares, 1.0)
        # at alpha_max the solution is zero; rounding must not select single features
        live = penalty < (1 - 1e-6) * self.limits
        gaps = torch.zeros_like(self.squares)
        lowest, stalled = torch.full_like(gaps, torch.inf), torch.zeros_like(rounds)
        tol = max(tol, _REACHABLE * torch.finfo(alphas.dtype).eps)
        for _ in range(max_rounds + 1):
            primal, dual = self._values(penalty)
            best_dual = torch.maximum(best_dual, dual)
            gaps = torch.where(live, 2 * (primal - best_dual) / unit, 0.0)
            stalled = torch.where(gaps < 0.9 * lowest, 0, stalled + 1)
            lowest = torch.minimum(gaps, lowest)
            todo = ((gaps > 2 * tol) & (stalled < _MAX_STALLED)).nonzero()[:, 0]
            if not len(todo) or int(rounds.max()) == max_rounds:
                break
            rounds[todo] += 1
            # targets of similar support size together, so that none waits for a larger one
            order = (self.w[todo] != 0).sum(1).argsort()
            for group in todo[order].split(_TARGETS_A_GROUP):
                size = self._grow(group)
                self._solve_sets(group, size, penalty, _INNER_TOL * tol * self.squares)
            self.products[todo] = self.residual[todo] @ self.features.t()
        return (gaps / 2).clamp_min(0).to(alphas.dtype), rounds

    def _values(self, penalty: Tensor) -> tuple[Tensor, Tensor]:
        """Return the primal and the dual objective, times n, in double precision."""
        residual, target = self.residual.double(), self.targets.double()
        norm = self.w.double().abs().sum(1)
        primal = 0.5 * residual.square().sum(1) + penalty * norm
        reach = self.products.abs().amax(1).double()
        scale = (penalty / reach.clamp_min(1e-30)).clamp_max(1)
        distance = (target - scale[:, None] * residual).square().sum(1)
        return primal, 0.5 * (self.squares - distance)

    def _grow(self, todo: Tensor) -> int:
        """Give targets working sets of at least twice their support; return the set size."""
        n_features = len(self.features)
        support = (self.w[todo] != 0).sum(1)
        size = min(n_features, max(_SMALLEST_SET, 2 * int(support.max())))
        rank = self.products[todo].abs()
        owner, place = (self.w[todo] != 0).nonzero(as_tuple=True)
        held = self.sets[todo][owner, place]
        rank[owner, held] = torch.inf
        chosen = rank.topk(size, dim=1).indices
        dense = torch.zeros(len(todo), n_features, dtype=self.w.dtype, device=self.w.device)
        dense[owner, held] = self.w[todo][owner, place]
        if size > self.sets.shape[1]:
            more = size - self.sets.shape[1]
            self.sets = torch.nn.functional.pad(self.sets, (0, more))
            self.w = torch.nn.functional.pad(self.w, (0, more))
        self.sets[todo], self.w[todo] = 0, 0
        self.sets[todo, :size] = chosen
        self.w[todo, :size] = dense.gather(1, chosen)
        return size

    def _solve_sets(self, todo: Tensor, size: int, penalty: Tensor, tol: Tensor) -> None:
        """Solve targets on their working sets, and compute their new residuals.

        With more features than samples the equations of a guess are singular, and guesses fail.
        """
        values = size * (size + self.n)
        limit = _CHUNK_VALUES.get(self.w.device.type, 2**24)
        for chunk in todo.split(max(1, limit // values)):
            features = self.features[self.sets[chunk, :size]].double()
            target = self.targets[chunk].double()
            problem = Subproblem(
                torch.bmm(features, features.transpose(1, 2)),
                torch.bmm(features, target[:, :, None])[:, :, 0],
                self.squares[chunk],
                penalty[chunk].double(),
            )
            w = self.w[chunk, :size]
            if size <= max(self.n, _SMALLEST_SET):
                w = problem.solve(w, tol[chunk])
            open_ = problem.gap(w, problem.image(w)) > tol[chunk]
            for i in open_.nonzero()[:, 0].tolist():
                t = int(chunk[i])
                relative = float(tol[t] / self.squares[t])
                w[i] = descend(features[i], target[i], float(penalty[t]), w[i], relative)
            self.w[chunk, :size] = w
            residual = target - torch.bmm(w[:, None, :], features)[:, 0]
            self.residual[chunk] = residual.to(self.residual.dtype)


def lasso_paths_of_arrays(
    X: np.ndarray,
    Y: np.ndarray,
    alphas: np.ndarray,
    *,
    tol: float,
    max_iter: int,
    device: str = "auto",
) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Solve NumPy arrays with :func:`~omitrans.solvers.lasso_paths` on a device.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), Fortran order
        Centred (and scaled) features.
    Y : ndarray of shape (n_samples, n_targets)
        Centred targets.
    alphas : ndarray of shape (n_targets, n_alphas)
        Penalties, in descending order along each row. Every solution starts from the one before.
    tol : float
        Duality gap, in units of ``||y||² / n``, at which the solver stops.
    max_iter : int
        Maximum number of rounds for one penalty, at most 100.
    device : str, default="auto"
        Device of the solver. "auto" takes a CUDA device if there is one, else the CPU.

    Returns
    -------
    coef : csr_array of shape (n_targets * n_alphas, n_features)
        Coefficients, with row ``target * n_alphas + alpha`` for each target and penalty.
    gap, n_iter : ndarray of shape (n_targets, n_alphas)
        Relative duality gaps and numbers of rounds.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    tables = (torch.from_numpy(table).to(device) for table in (X, Y, alphas.astype(X.dtype)))
    solved = lasso_paths(*tables, tol=tol, max_iter=max_iter)
    target, alpha, feature = solved.coef.indices().cpu().numpy()
    n_targets, n_alphas = alphas.shape
    coef = sparse.csr_array(
        (solved.coef.values().cpu().numpy(), (target * n_alphas + alpha, feature)),
        shape=(n_targets * n_alphas, X.shape[1]),
    )
    return coef, solved.gap.cpu().numpy().astype(np.float64), solved.n_iter.cpu().numpy()
