"""LASSO paths of thousands of targets over one design matrix, in batches of targets."""

from typing import NamedTuple

import torch
from torch import Tensor

from omitrans.solvers._lasso_subproblem import Subproblem

_MAX_ROUNDS = 100
_SMALLEST_SET = 32
_TARGETS_A_GROUP = 64
# Subproblems must be solved a little better than the whole, or the whole is never good enough.
_INNER_TOL = 0.3
# Values that the Gram matrices and the gathered features of a chunk may take.
_CHUNK_VALUES = {"cpu": 2**25, "cuda": 2**30}


class LassoSolutions(NamedTuple):
    """Solutions of several targets, each at several penalties.

    Parameters
    ----------
    coef : Tensor of shape (n_targets, n_alphas, n_features), sparse
        Coefficients, in COO form.
    gap : Tensor of shape (n_targets, n_alphas)
        Duality gaps reached, relative to ``||y||² / n``.
    n_iter : Tensor of shape (n_targets, n_alphas)
        Rounds: how often a target got a new set of features.
    """

    coef: Tensor
    gap: Tensor
    n_iter: Tensor


def lasso_paths(
    X: Tensor, Y: Tensor, alphas: Tensor, *, tol: float = 1e-4, max_iter: int = 10_000
) -> LassoSolutions:
    """Minimise ``||y - X w||² / (2 n) + alpha ||w||_1`` for every target and penalty.

    All targets go through the same rounds together. A round multiplies all residuals with X at
    once, measures every target's duality gap, and stops those that reached `tol`. The others get
    a working set: their support and the features most correlated with their residual. On these
    they are solved together, from batched Gram matrices.

    Parameters
    ----------
    X : Tensor of shape (n_samples, n_features)
        Centred (and scaled) features. A transposed contiguous tensor is used without a copy.
    Y : Tensor of shape (n_samples, n_targets)
        Centred targets, in the dtype and on the device of X.
    alphas : Tensor of shape (n_targets, n_alphas)
        Penalties, falling along each row: every solution starts from the one before.
    tol : float, default=1e-4
        Stop at a duality gap of ``tol * ||y||² / n``.
    max_iter : int, default=10_000
        Most rounds for one penalty, up to 100.

    Returns
    -------
    NamedTuple
        ``coef``, a sparse tensor of shape (n_targets, n_alphas, n_features); ``gap``, relative
        duality gaps, and ``n_iter``, rounds, both of shape (n_targets, n_alphas). Memory grows
        with n_targets * (n_features + n_samples), as the products of residuals and features are
        held at once; give blocks of targets.

    Notes
    -----
    It gains most where few features are selected, at penalties of a fifth of alpha_max or more.
    Below a twentieth, with fewer samples than features, supports are as large as the samples
    allow, and coordinate descent for each target by itself is faster.

    References
    ----------
    The gap is that of O. Fercoq, A. Gramfort, J. Salmon, "Mind the duality gap: safer rules for
    the Lasso", ICML 2015.

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
        parts.append((where, state.w[target, place]))
    coef = torch.sparse_coo_tensor(
        torch.cat([where for where, _ in parts], 1),
        torch.cat([values for _, values in parts]),
        (*alphas.shape, X.shape[1]),
        check_invariants=False,
    ).coalesce()
    return LassoSolutions(coef, gaps, rounds)


class _Batch:
    """Targets that are solved together, and where each of them stands.

    ``sets[t]`` names the features that target t works on, ``w[t]`` their coefficients.
    """

    def __init__(self, X: Tensor, Y: Tensor) -> None:
        self.n, n_targets = Y.shape
        self.features = X.t().contiguous()  # one row a feature
        self.targets = Y.t().contiguous()
        self.squares = self.targets.double().square().sum(1)
        self.sets = torch.zeros(n_targets, 0, dtype=torch.int64, device=X.device)
        self.w = torch.zeros(n_targets, 0, dtype=X.dtype, device=X.device)
        self.residual = self.targets.clone()
        self.products = self.residual @ self.features.t()  # of residuals and features
        self.limits = self.products.abs().amax(1)

    def solve(self, alphas: Tensor, tol: float, max_rounds: int) -> tuple[Tensor, Tensor]:
        """Bring every target to its gap at its penalty; return relative gaps and rounds."""
        penalty = alphas * self.n
        best_dual = torch.full_like(self.squares, -torch.inf)
        rounds = torch.zeros(len(alphas), dtype=torch.int64, device=alphas.device)
        unit = torch.where(self.squares > 0, self.squares, 1.0)
        # at alpha_max the solution is zero; rounding must not put single features back
        live = penalty < (1 - 1e-6) * self.limits
        gaps = torch.zeros_like(self.squares)
        for _ in range(max_rounds + 1):
            primal, dual = self._values(penalty)
            best_dual = torch.maximum(best_dual, dual)
            gaps = torch.where(live, 2 * (primal - best_dual) / unit, 0.0)
            todo = (gaps > 2 * tol).nonzero()[:, 0]
            if not len(todo) or int(rounds.max()) == max_rounds:
                break
            rounds[todo] += 1
            # targets of like support together, so that none waits for a large one
            order = (self.w[todo] != 0).sum(1).argsort()
            for group in todo[order].split(_TARGETS_A_GROUP):
                size = self._grow(group)
                self._solve_sets(group, size, penalty, _INNER_TOL * tol * self.squares)
            self.products[todo] = self.residual[todo] @ self.features.t()
        return (gaps / 2).clamp_min(0).to(alphas.dtype), rounds

    def _values(self, penalty: Tensor) -> tuple[Tensor, Tensor]:
        """Return primal and dual objective, times n, in double precision."""
        residual, target = self.residual.double(), self.targets.double()
        norm = self.w.double().abs().sum(1)
        primal = 0.5 * residual.square().sum(1) + penalty * norm
        reach = self.products.abs().amax(1).double()
        scale = (penalty / reach.clamp_min(1e-30)).clamp_max(1)
        distance = (target - scale[:, None] * residual).square().sum(1)
        return primal, 0.5 * (self.squares - distance)

    def _grow(self, todo: Tensor) -> int:
        """Give targets their support and as many others of large product; return the set's size."""
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
        """Solve targets on their sets, and renew their residuals."""
        values = size * (size + self.n)
        limit = _CHUNK_VALUES.get(self.w.device.type, 2**25)
        for chunk in todo.split(max(1, limit // values)):
            features = self.features[self.sets[chunk, :size]]
            target = self.targets[chunk]
            problem = Subproblem(
                torch.bmm(features, features.transpose(1, 2)),
                torch.bmm(features, target[:, :, None])[:, :, 0],
                self.squares[chunk].to(self.w.dtype),
                penalty[chunk],
            )
            w = problem.solve(self.w[chunk, :size], tol[chunk].to(self.w.dtype))
            self.w[chunk, :size] = w
            self.residual[chunk] = target - torch.bmm(w[:, None, :], features)[:, 0]
