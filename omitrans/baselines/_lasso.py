"""LASSO regression of every target on all features, the linear baseline of the OmiTrans paper."""

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
    """Predict every target by its own LASSO regression on all features.

    For each target ``y``, ``||y - X w||² / (2 n) + alpha ||w||₁`` is minimised after centring
    and, with ``standardize=True``, after dividing every feature by its standard deviation.

    The same `alpha` has different effects on targets of different variance: TDimpute's published
    ``alpha=0.1`` on expression divided by 16.5 selects no feature for almost every gene.
    Penalties are therefore counted as fractions of each target's own ``alpha_max``, the smallest
    penalty at which no feature is selected, unless ``alpha_mode="absolute"``.

    Parameters
    ----------
    alpha : float, array-like of shape (n_targets,), "cv" or "cv-common", default="cv-common"
        Penalty, larger than 0: one number for all targets, one number per target, or a choice by
        cross-validation. "cv" chooses a penalty for each target by itself. "cv-common" chooses one
        fraction of ``alpha_max`` for all targets, on 32 targets spread evenly over the columns. On
        three TCGA cohorts both predicted expression about equally well. The best fraction fell
        with the number of samples (0.4 to 0.6 at 60, 0.17 at 350), so no single number would be a
        good default.
    alpha_mode : {"relative", "absolute"}, default="relative"
        Unit of a number `alpha`. "relative" counts it as a fraction of each target's
        ``alpha_max``; "absolute" takes it as the value in the objective, as in scikit-learn.
    n_alphas : int, default=20
        Number of penalties that cross-validation tries.
    eps : float, default=0.02
        Smallest penalty that cross-validation tries, as a fraction of ``alpha_max``.
    cv : int, splitter or iterable, default=5
        Folds of the cross-validation. A number makes this number of folds with
        :class:`~sklearn.model_selection.KFold`, or with
        :class:`~sklearn.model_selection.GroupKFold` if `fit` knows groups.
    standardize : bool, default=True
        Whether to divide every feature by its standard deviation, so that the penalty is the same
        for all features. `coef_` is always on the scale of the given X.
    fit_intercept : bool, default=True
        Whether to centre features and targets.
    solver : {"auto", "celer", "sklearn", "torch"}, default="auto"
        Name of the solver. "celer" uses working sets, "sklearn" uses scikit-learn's coordinate
        descent, and "torch" solves batches of targets on the CPU or a CUDA device. All three stop
        each target by its own duality gap. "auto" takes torch for at least 64 targets at penalties
        of at least 0.15 ``alpha_max``, where it is several times faster. Otherwise, and for the
        cross-validation, "auto" takes celer if it is installed, and scikit-learn if not.
    tol : float, default=1e-4
        Duality gap, in units of ``||y||² / n`` for a centred ``y``, at which the solver stops. In
        the cross-validation it stops at ten times this gap.
    max_iter : int, default=10_000
        Maximum number of passes of coordinate descent for one target and penalty (celer: for one
        working set; torch: maximum number of working sets, at most 100).
    n_jobs : int, default=None
        Number of processes that share the targets. None means 1, and -1 means all processors.
        "torch" uses one process and as many threads as :func:`torch.set_num_threads` allows.
    window : int, default=None
        Number of base pairs around a gene's body within which CpGs may enter its model (cis). None
        allows all CpGs. A window needs X and Y as frames, `probes` and `genes`. A gene without
        CpGs in its window is predicted by its mean.
    probes, genes : DataFrame, default=None
        Positions of CpGs and genes for `window`, in tables as
        :func:`omitrans.annotation.check_probe_table` and
        :func:`~omitrans.annotation.check_gene_table` take them. A gene reaches from ``start`` to
        ``end``, or is the point ``position``.
    device : str, default="auto"
        Device of the torch solver. "auto" takes a CUDA device if there is one, else the CPU. Or
        name the device: "cpu", "cuda", "cuda:1", ...
    shuffle : bool, default=False
        Whether to shuffle the samples before they are split into folds, if `cv` is a number. Set
        it if rows are sorted, e.g. by cancer type.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffling.

    Attributes
    ----------
    coef_ : scipy.sparse.csr_array of shape (n_targets, n_features)
        Coefficients on the scale of X.
    intercept_ : ndarray of shape (n_targets,)
        Intercepts.
    alpha_ : ndarray of shape (n_targets,)
        Penalty of each target in absolute units.
    dual_gap_ : ndarray of shape (n_targets,)
        Duality gaps reached, relative to ``||y||² / n``.
    n_iter_ : ndarray of shape (n_targets,)
        Number of passes of coordinate descent (celer, torch: of working sets) for each target; 0 if
        no feature was selected.
    solver_ : {"celer", "sklearn", "torch"}
        Name of the solver of the final models.
    n_nearby_ : ndarray of shape (n_targets,)
        Number of CpGs in the window of each gene. Only with `window`.
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
    sklearn.linear_model.LassoCV : LASSO of one target with absolute penalties.

    Notes
    -----
    ``fit`` holds one standardised copy of X and solves blocks of 32 targets (torch: 512), so
    only `coef_` grows with the number of targets. Several processes share the copy.

    References
    ----------
    X. Zhang, Y. Guo, "OmiTrans: generative adversarial networks based omics-to-omics translation
    framework", section Experiments (LASSO of every gene on all CpG sites, solved by celer).

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
            The group of each sample, e.g. its patient. The cross-validation never splits a group
            between training and test samples. "auto" reads the patients from the index of a frame
            X if it holds ids of TCGA, TARGET or GTEx and patients have several samples. None
            switches grouping off.

        Returns
        -------
        self
            The fitted regressor.

        Raises
        ------
        SampleMismatchError
            If X and y name different samples, the same samples in another order, or a sample twice.
        ValueError
            If `alpha` is not positive or has the wrong shape, if X or y hold missing or infinite
            values, or if `cv` splits a group between training and test samples.

        Warns
        -----
        ConvergenceWarning
            If targets stopped at `max_iter`, or because the gap no longer fell. One warning tells
            their number and the largest gap.
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
        # with windows every target has its own features, so solving together gains nothing
        if self.solver == "auto" and windows is None:
            fraction = self.alpha_ / np.maximum(
                self._largest_penalties(source, target, None), np.finfo(float).tiny
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
        # relative to the error of predicting the mean, so that every target has the same weight
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
                # in float64, where squares of extreme targets neither overflow nor vanish
                residual = np.subtract(Y[test, block, None], predicted, dtype=np.float64)
                errors[block] += np.mean(residual**2, axis=0)
        return errors

    def _fit_models(
        self, X: np.ndarray, Y: np.ndarray, alphas: np.ndarray, windows: Windows, **options: Any
    ) -> Iterator[tuple[slice, SparseModels]]:
        """Yield blocks of targets and their models, trained with the parameters of this object."""
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
        """Return the columns of X that each target may use; None means all columns."""
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
                f"tol={self.tol:g}). Raise max_iter={self.max_iter}, tol or alpha"
                + (", or take solver='celer'." if self.solver_ == "torch" else "."),
                ConvergenceWarning,
                stacklevel=3,
            )
