"""The LASSO of a batch of targets, each on its own few features, from their Gram matrices."""

import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lasso_path
from torch import Tensor

_MAX_STEPS = 10
_GRADIENT_STEPS = 8
_MAX_PASSES = 1000  # of coordinate descent over the features of one target
_WORTH_COPYING = 0.7  # drop the solved targets when at most this share is left to solve
_FRACTIONS = (1.0, 0.5, 0.25, 0.1)  # steps tried on the way to the solution on a guessed support


class Subproblem:
    """Minimise ``w'Gw / 2 - c'w + penalty ||w||_1`` for a batch of targets.

    All tensors are float64. Gram matrices of more features than samples are singular, and in
    float32 their rounding errors exceed the differences that decide about a step.

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
        """Return solutions, starting from `w`, most of which have gaps of at most `tol`.

        Each step guesses the support and the signs of the solution, solves the linear equations
        that they imply, and goes towards that solution as long as the objective falls. Then it
        takes a few proximal gradient steps. The objective never rises. Ten steps are enough if few
        features are selected. Supports as large as the number of samples are hard to guess; see
        :func:`descend` for those.
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


def descend(features: Tensor, target: Tensor, penalty: float, w: Tensor, tol: float) -> Tensor:
    """Solve one target by scikit-learn's coordinate descent, on the CPU.

    Parameters
    ----------
    features : Tensor of shape (k, n_samples)
        The features of the target, in float64.
    target : Tensor of shape (n_samples,)
        The target, in float64.
    penalty : float
        Penalty of the unscaled objective, ``n * alpha``.
    w : Tensor of shape (k,)
        Coefficients to start from.
    tol : float
        Duality gap, in units of ``||y||²``, at which to stop. The descent also stops after 1,000
        passes over the features.

    Returns
    -------
    Tensor of shape (k,)
        The coefficients, on the device of `features`.
    """
    X, y = np.asfortranarray(features.cpu().numpy().T), target.cpu().numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the caller measures the gap
        _, coef, _ = lasso_path(
            X,
            y,
            alphas=[penalty / len(y)],
            precompute=np.ascontiguousarray(X.T @ X),
            Xy=X.T @ y,
            coef_init=w.cpu().numpy(),
            tol=tol,
            max_iter=_MAX_PASSES,
            check_input=False,
            random_state=0,  # unused, but None would draw from NumPy's global generator
        )
    return torch.from_numpy(coef[:, 0].copy()).to(features.device)
