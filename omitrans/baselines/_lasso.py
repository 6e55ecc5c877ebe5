"""LASSO of every target on all features: the linear baseline of the OmiTrans paper."""

import warnings
from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from omitrans.baselines._cis import columns_in_windows, fit_in_windows, penalties_in_windows
from omitrans.baselines._multi_target import MultiTargetRegressor
from omitrans.model_selection._folds import make_folds, sample_groups
from omitrans.solvers._lasso_paths import choose_solver
from omitrans.solvers._sparse_models import (
    SparseModels,
    fit_models,
    largest_penalties,
    predict_sparse,
)
from omitrans.utils._sklearn import Interval, StrOptions, fit_context

_TARGETS_TO_TUNE_ON = 32
Windows = list[np.ndarray] | None  # the columns that each target may use


class LassoRegressor(MultiTargetRegressor):
    """Predict every target by its own LASSO on all features.

    Each target ``y`` by itself minimises ``||y - X w||² / (2 n) + alpha ||w||₁`` after centring
    and, with ``standardize=True``, after dividing every feature by its standard deviation.

    One `alpha` means different things for targets of different spread: TDimpute's published
    ``alpha=0.1`` on expression divided by 16.5 selects nothing for practically every gene.
    Penalties are therefore counted as fractions of each target's own ``alpha_max``, the smallest
    penalty at which nothing is selected, unless ``alpha_mode="absolute"``.

    Parameters
    ----------
    alpha : float, array-like of shape (n_targets,), "cv" or "cv-common", default="cv-common"
        Penalty, larger than 0: one for all targets, one for each, or chosen by cross-validation.
        "cv" chooses for each target by itself; "cv-common" chooses one fraction of ``alpha_max``
        for all, on 32 targets spread evenly over the columns. On three TCGA cohorts both predicted
        expression about equally well, and the best fraction fell with the number of samples (0.4
        to 0.6 at 60, 0.17 at 350), so that no single number would be a good default.
    alpha_mode : {"relative", "absolute"}, default="relative"
        Whether a number `alpha` is a fraction of each target's ``alpha_max`` or, as in
        scikit-learn, the value in the objective.
    n_alphas : int, default=20
        Length of the path that cross-validation searches.
    eps : float, default=0.02
        Smallest fraction of ``alpha_max`` on that path.
    cv : int, splitter or iterable, default=5
        Folds of the cross-validation. A number means folds of
        :class:`~sklearn.model_selection.KFold`, or of
        :class:`~sklearn.model_selection.GroupKFold` where `fit` knows groups.
    standardize : bool, default=True
        Divide every feature by its standard deviation, so that the penalty weighs on all alike.
        `coef_` is on the scale of X as given in any case.
    fit_intercept : bool, default=True
        Centre features and targets.
    solver : {"auto", "celer", "sklearn", "torch"}, default="auto"
        Working sets of celer, coordinate descent of scikit-learn, or batches of targets in torch,
        on CPU or CUDA. All three stop each target by its own duality gap. "auto" takes torch for
        64 targets or more at penalties of at least 0.15 ``alpha_max``, where it is several times
        faster, and celer, where it is installed, for others and for the paths of the
        cross-validation.
    tol : float, default=1e-4
        Stop at a duality gap of ``tol * ||y||² / n``, ``y`` being centred. Paths of the
        cross-validation stop at ten times that.
    max_iter : int, default=10_000
        Most passes of coordinate descent for one target and penalty (celer: for one working set;
        torch: working sets, 100 at most).
    n_jobs : int, default=None
        Number of processes that share the targets; None means 1, -1 all processors. torch has one
        process and takes as many threads as :func:`torch.set_num_threads` allows.
    window : int, default=None
        Base pairs around a gene's body within which CpGs may enter its model (cis). None lets all
        CpGs in. It needs X and Y as frames, `probes` and `genes`. A gene near which no CpG lies
        is predicted by its mean.
    probes, genes : DataFrame, default=None
        Where CpGs and genes lie, for `window`, as :func:`omitrans.annotation.check_probe_table`
        and :func:`~omitrans.annotation.check_gene_table` take them. A gene reaches from ``start``
        to ``end``, or is the point ``position``.
    device : str, default="auto"
        Where torch solves: "auto" takes CUDA where there is one; else "cpu", "cuda", "cuda:1", ...
    shuffle : bool, default=False
        Whether the folds of a number as `cv` are shuffled. Set it if rows are sorted, e.g. by
        cancer type.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffling.

    Attributes
    ----------
    coef_ : scipy.sparse.csr_array of shape (n_targets, n_features)
        Coefficients on the scale of X.
    intercept_ : ndarray of shape (n_targets,)
        Intercepts.
    alpha_ : ndarray of shape (n_targets,)
        Penalties, absolute.
    dual_gap_ : ndarray of shape (n_targets,)
        Duality gaps reached, relative to ``||y||² / n``.
    n_iter_ : ndarray of shape (n_targets,)
        Passes of coordinate descent (celer, torch: working sets); 0 where nothing was selected.
    solver_ : {"celer", "sklearn", "torch"}
        Solver of the final models.
    n_nearby_ : ndarray of shape (n_targets,)
        How many CpGs lie in the window of each gene; with `window` only.
    n_targets_ : int
        Number of targets.
    target_names_ : ndarray of shape (n_targets,)
        Names of the targets: the columns of y, or y0, y1, ... where y has no names.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    omitrans.predict_frame : Predict with sample and target names.
    sklearn.linear_model.LassoCV : One target, with absolute penalties.

    Notes
    -----
    ``fit`` holds one standardised copy of X and solves blocks of 32 targets (torch: 512), so that
    memory does not grow with the number of targets but through `coef_`. With several processes
    the copy is shared between them.

    References
    ----------
    X. Zhang, Y. Guo, "OmiTrans: generative adversarial networks based omics-to-omics translation
    framework", section Experiments (LASSO connects all CpG sites to every gene; by celer).

    M. Massias, A. Gramfort, J. Salmon, "Celer: a fast solver for the lasso with dual
    extrapolation", ICML 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.baselines import LassoRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(size=(60, 200))
    >>> Y = X[:, :3] * [4.0, -2.0, 1.0] + 0.1 * rng.normal(size=(60, 3))
    >>> model = LassoRegressor(alpha=0.1, solver="sklearn").fit(X, Y)
    >>> model.coef_.shape
    (3, 200)
    >>> bool(model.score(X, Y) > 0.9)
    True
    """

    _parameter_constraints = {
        "alpha": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"cv", "cv-common"}),
            "array-like",
        ],
        "alpha_mode": [StrOptions({"relative", "absolute"})],
        "n_alphas": [Interval(Integral, 2, None, closed="left")],
        "eps": [Interval(Real, 0, 1, closed="neither")],
        "cv": ["cv_object"],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "standardize": ["boolean"],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({"auto", "celer", "sklearn", "torch"})],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "window": [Interval(Integral, 0, None, closed="left"), None],
        "probes": [pd.DataFrame, None],
        "genes": [pd.DataFrame, None],
        "device": [str],
    }

    def __init__(
        self,
        alpha: float | ArrayLike | str = "cv-common",
        *,
        alpha_mode: str = "relative",
        n_alphas: int = 20,
        eps: float = 0.02,
        cv: Any = 5,
        standardize: bool = True,
        fit_intercept: bool = True,
        solver: str = "auto",
        tol: float = 1e-4,
        max_iter: int = 10_000,
        n_jobs: int | None = None,
        window: int | None = None,
        probes: pd.DataFrame | None = None,
        genes: pd.DataFrame | None = None,
        device: str = "auto",
        shuffle: bool = False,
        random_state: Any = None,
    ) -> None:
        self.alpha = alpha
        self.alpha_mode = alpha_mode
        self.n_alphas = n_alphas
        self.eps = eps
        self.cv = cv
        self.standardize = standardize
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.window = window
        self.probes = probes
        self.genes = genes
        self.device = device
        self.shuffle = shuffle
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, groups: Any = "auto") -> Self:
        """Fit one LASSO for each target.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles, e.g. beta values. No missing values.
        y : array-like or DataFrame of shape (n_samples, n_targets) or (n_samples,)
            Target profiles of the same samples in the same order, e.g. log2(FPKM + 1). When both
            are frames, their indexes must be equal.
        groups : "auto", None or array-like of shape (n_samples,), default="auto"
            The group of each sample, e.g. its patient; no group stands on both sides of a fold of
            the cross-validation. "auto" reads patients from the index of a frame X if it holds ids
            of TCGA, TARGET or GTEx and patients have several samples. None switches this off.

        Returns
        -------
        self
            The fitted regressor.

        Raises
        ------
        SampleMismatchError
            If X and y name different samples, the same in another order, or one twice.
        ValueError
            If `alpha` does not fit the targets, if X or y hold unusable values, or if `cv` puts a
            group on both sides of a fold.

        Warns
        -----
        ConvergenceWarning
            Once, if targets stopped at `max_iter`, with their number and the largest gap.
        PatientGroupsWarning
            If `alpha` is chosen by cross-validation and samples were grouped because their ids
            name the same patients.
        """
        source, target = self._check_training_tables(X, y)
        if isinstance(self.alpha, str) or not isinstance(groups, str):
            groups = sample_groups(X, groups, n_samples=len(source))
        windows = self._windows()
        self.solver_ = choose_solver(self.solver)
        self.alpha_ = self._penalties(source, target, windows, groups)
        # with windows every target has features of its own, and nothing to share
        if self.solver == "auto" and windows is None:
            fraction = self.alpha_ / np.maximum(
                self._largest_penalties(source, target, None), 1e-30
            )
            self.solver_ = choose_solver(
                self.solver, n_targets=self.n_targets_, fraction=float(fraction.min())
            )
        blocks = self._fit_models(source, target, self.alpha_[:, None], windows, tol=self.tol)
        solved = [models for _, models in blocks]
        self.coef_ = sparse.vstack([models.coef for models in solved], format="csr")
        self.intercept_ = np.concatenate([models.intercept for models in solved])
        self.dual_gap_ = np.concatenate([models.dual_gap[:, 0] for models in solved])
        self.n_iter_ = np.concatenate([models.n_iter[:, 0] for models in solved])
        self._warn_if_not_converged()
        return self

    def _predict(self, source: np.ndarray) -> np.ndarray:
        return predict_sparse(self.coef_, self.intercept_, source)

    def _penalties(self, X: np.ndarray, Y: np.ndarray, windows: Windows, groups: Any) -> np.ndarray:
        """Return the absolute penalty of each target."""
        if isinstance(self.alpha, str):
            return self._cross_validated(X, Y, windows, groups)
        alpha = np.asarray(self.alpha, dtype=np.float64)
        if alpha.ndim and alpha.shape != (self.n_targets_,):
            raise ValueError(
                f"alpha must be one number or one for each of the {self.n_targets_} targets, "
                f"but has shape {alpha.shape}."
            )
        if not np.all((alpha > 0) & np.isfinite(alpha)):
            raise ValueError("alpha must be positive and finite for every target.")
        unit = self._largest_penalties(X, Y, windows) if self.alpha_mode == "relative" else 1.0
        return alpha * unit * np.ones(self.n_targets_)

    def _cross_validated(
        self, X: np.ndarray, Y: np.ndarray, windows: Windows, groups: Any
    ) -> np.ndarray:
        """Return the penalties with the lowest error on held-out samples."""
        fractions = np.geomspace(1, self.eps, self.n_alphas)
        largest = self._largest_penalties(X, Y, windows)
        if self.alpha == "cv":
            alphas = np.outer(largest, fractions)
            errors = self._held_out_errors(X, Y, alphas, windows, groups)
            return largest * fractions[errors.argmin(axis=1)]
        n_tuned = min(self.n_targets_, _TARGETS_TO_TUNE_ON)
        tuned = np.linspace(0, self.n_targets_ - 1, n_tuned).astype(int)
        alphas = np.outer(largest[tuned], fractions)
        nearby = None if windows is None else [windows[t] for t in tuned]
        errors = self._held_out_errors(X, Y[:, tuned], alphas, nearby, groups)
        # relative to the mean as prediction, so that every target has the same say
        baseline = errors[:, :1]
        relative = np.divide(errors, baseline, out=np.ones_like(errors), where=baseline > 0)
        return largest * fractions[relative.mean(axis=0).argmin()]

    def _largest_penalties(self, X: np.ndarray, Y: np.ndarray, windows: Windows) -> np.ndarray:
        scaling = {"fit_intercept": self.fit_intercept, "scale": self.standardize}
        if windows is None:
            return largest_penalties(X, Y, **scaling)
        return penalties_in_windows(X, Y, windows, **scaling)

    def _held_out_errors(
        self, X: np.ndarray, Y: np.ndarray, alphas: np.ndarray, windows: Windows, groups: Any
    ) -> np.ndarray:
        """Return the mean squared error of each target and penalty, summed over folds."""
        errors = np.zeros(alphas.shape)
        splits = make_folds(
            self.cv, X, Y, groups, self.random_state, each_once=False, shuffle=self.shuffle
        )
        for train, test in splits:
            trained = self._fit_models(X, Y, alphas, windows, rows=train, tol=10 * self.tol)
            for block, models in trained:
                predicted = predict_sparse(models.coef, models.intercept, X, test)
                predicted = predicted.reshape(len(test), -1, self.n_alphas)
                errors[block] += np.mean((Y[test, block, None] - predicted) ** 2, axis=0)
        return errors

    def _fit_models(
        self, X: np.ndarray, Y: np.ndarray, alphas: np.ndarray, windows: Windows, **options: Any
    ) -> Iterator[tuple[slice, SparseModels]]:
        """Yield blocks of targets and their models, trained as the parameters say."""
        options |= {
            "fit_intercept": self.fit_intercept,
            "scale": self.standardize,
            "solver": self.solver_,
            "max_iter": self.max_iter,
            "n_jobs": self.n_jobs,
            "device": self.device,
        }
        if windows is None:
            return fit_models(X, Y, alphas, **options)
        return fit_in_windows(X, Y, alphas, windows, **options)

    def _windows(self) -> Windows:
        """Return the columns of X that each target may use; None for all."""
        if self.window is None:
            return None
        windows = columns_in_windows(
            getattr(self, "feature_names_in_", None),
            self.target_names_,
            probes=self.probes,
            genes=self.genes,
            window=self.window,
        )
        self.n_nearby_ = np.array([len(columns) for columns in windows])
        return windows

    def _warn_if_not_converged(self) -> None:
        late = np.flatnonzero(self.dual_gap_ > 1.01 * self.tol)
        if len(late):
            warnings.warn(
                f"LASSO did not converge for {len(late)} of {self.n_targets_} targets (first: "
                f"{self.target_names_[late[0]]}; largest duality gap {self.dual_gap_.max():.2g}, "
                f"tol={self.tol:g}). Raise max_iter={self.max_iter}, tol or alpha.",
                ConvergenceWarning,
                stacklevel=3,
            )
