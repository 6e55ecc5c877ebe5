"""LASSO paths of thousands of targets over one design matrix, in batches of targets."""

from typing import NamedTuple

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

_MAX_STEPS = 50
_GRADIENT_STEPS = 8
_WORTH_COPYING = 0.7  # drop the solved targets when at most this share is left to solve
_FRACTIONS = (1.0, 0.5, 0.25, 0.1)  # steps tried on the way to the solution on a guessed support


class Subproblem:
    """Minimise ``w'Gw / 2 - c'w + penalty ||w||_1`` for a batch of targets.

    Parameters
    ----------
    gram : Tensor of shape (n_targets, k, k)
        G, the inner products of the features.
    products : Tensor of shape (n_targets, k)
        c, the inner products of features and target.
    squares : Tensor of shape (n_targets,)
        ``||y||²`` of each target.
    penalty : Tensor of shape (n_targets,)
        Penalties of the unscaled objective, ``n * alpha``.
    """

    def __init__(self, gram: Tensor, products: Tensor, squares: Tensor, penalty: Tensor) -> None:
        self.gram, self.products = gram, products
        self.squares, self.penalty = squares, penalty[:, None]
        self.diagonal = gram.diagonal(dim1=1, dim2=2).clamp_min(torch.finfo(gram.dtype).tiny)
        # an upper bound of the largest eigenvalue
        self.curvature = gram.abs().sum(2).amax(1, keepdim=True).clamp_min(1e-30)

    def image(self, w: Tensor) -> Tensor:
        """Return the product Gw."""
        return torch.bmm(self.gram, w[:, :, None])[:, :, 0]

    def objective(self, w: Tensor, image: Tensor) -> Tensor:
        """Return the objective of each target."""
        smooth = (w * (0.5 * image - self.products)).sum(1)
        return smooth + self.penalty[:, 0] * w.abs().sum(1)

    def gap(self, w: Tensor, image: Tensor) -> Tensor:
        """Return the duality gap of each target."""
        along = (self.products * w).sum(1)
        norm = (w * image).sum(1)
        reach = (self.products - image).abs().amax(1)
        s = (self.penalty[:, 0] / reach.clamp_min(1e-30)).clamp_max(1)
        primal = 0.5 * (self.squares - 2 * along + norm) + self.penalty[:, 0] * w.abs().sum(1)
        distance = (1 - s) ** 2 * self.squares + 2 * s * (1 - s) * along + s**2 * norm
        return primal - 0.5 * (self.squares - distance)

    def solve(self, w: Tensor, tol: Tensor) -> Tensor:
        """Return solutions with gaps of at most `tol`, starting from `w`.

        Each step guesses the support and the signs of the solution, solves the linear equations
        that they imply, and goes towards that solution as long as the objective falls. Then it
        takes a few proximal gradient steps, which guarantee convergence.
        """
        problem, solution = self, w.clone()
        rows = torch.arange(len(w), device=w.device)  # rows of the targets that are not solved
        image = self.image(w)
        for _ in range(_MAX_STEPS):
            open_ = problem.gap(w, image) > tol
            n_open = int(open_.sum())
            if n_open <= _WORTH_COPYING * len(rows):
                solution[rows] = w
                problem, rows = problem.subset(open_), rows[open_]
                w, image, tol = w[open_], image[open_], tol[open_]
            if n_open == 0:
                break
            w, image = problem._towards_guess(w, image)
            for _ in range(_GRADIENT_STEPS):
                downhill = w - (image - problem.products) / problem.curvature
                w = shrink(downhill, problem.penalty / problem.curvature)
                image = problem.image(w)
        solution[rows] = w
        return solution

    def subset(self, rows: Tensor) -> "Subproblem":
        """Return the subproblem of the targets at `rows`."""
        return Subproblem(
            self.gram[rows], self.products[rows], self.squares[rows], self.penalty[rows, 0]
        )

    def _towards_guess(self, w: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Step towards the solution that the guessed support and signs imply."""
        moved = w - (image - self.products) / self.diagonal
        support = moved.abs() > self.penalty / self.diagonal
        width = max(1, int(support.sum(1).max()))
        inside, places = support.to(w.dtype).topk(width, dim=1)
        columns = places[:, None, :].expand(-1, width, -1)
        rows = places[:, :, None].expand(-1, -1, w.shape[1])
        equations = self.gram.gather(1, rows).gather(2, columns)
        equations = equations * inside[:, :, None] * inside[:, None, :]
        # w = 0 outside of the support; a tiny ridge helps if features are copies of others
        ridge = 1 - inside + 1e-7 * self.diagonal.gather(1, places)
        equations.diagonal(dim1=1, dim2=2).add_(ridge)
        factor, failed = torch.linalg.cholesky_ex(equations)
        right = (self.products - self.penalty * moved.sign()).gather(1, places) * inside
        solved = torch.cholesky_solve(right[:, :, None], factor)[:, :, 0]
        usable = (failed == 0) & torch.isfinite(solved).all(1)
        guess = torch.zeros_like(w).scatter(1, places, solved * inside)
        guess = torch.where(usable[:, None], guess, w)
        step, step_image = guess - w, self.image(guess) - image
        best, fraction = self.objective(w, image), torch.zeros_like(self.squares)
        for candidate in _FRACTIONS:
            value = self.objective(w + candidate * step, image + candidate * step_image)
            better = value < best
            best = torch.where(better, value, best)
            fraction = torch.where(better, candidate, fraction)
        return w + fraction[:, None] * step, image + fraction[:, None] * step_image


def shrink(values: Tensor, by: Tensor) -> Tensor:
    """Reduce the absolute values by `by`; smaller values become zero (soft thresholding)."""
    return values.sign() * (values.abs() - by).clamp_min(0)


_MAX_ROUNDS = 100
_SMALLEST_SET = 32
_TARGETS_A_GROUP = 64
# Subproblems must be solved more exactly than the whole problem, which else would not converge.
_INNER_TOL = 0.3
# Largest number of values in the Gram matrices and the gathered features of a chunk.
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
        parts.append((where, state.w[target, place]))
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
        self.w = torch.zeros(n_targets, 0, dtype=X.dtype, device=X.device)
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
        for _ in range(max_rounds + 1):
            primal, dual = self._values(penalty)
            best_dual = torch.maximum(best_dual, dual)
            gaps = torch.where(live, 2 * (primal - best_dual) / unit, 0.0)
            todo = (gaps > 2 * tol).nonzero()[:, 0]
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
        """Solve targets on their working sets, and compute their new residuals."""
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
