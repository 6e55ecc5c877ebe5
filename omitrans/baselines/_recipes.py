"""The baselines of the papers and stronger ones, ready to be compared."""

from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any

from sklearn.dummy import DummyRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omitrans.baselines._dual_ridge import DualRidgeRegressor
from omitrans.baselines._lasso import LassoRegressor
from omitrans.baselines._multi_kernel_ridge import MultiKernelRidgeRegressor
from omitrans.baselines._pls import PLSRegressor
from omitrans.baselines._svd_regressor import SVDRegressor
from omitrans.baselines._tobmi import TOBMIRegressor
from omitrans.exceptions import UnknownNameError
from omitrans.utils._sklearn import validate_params


@validate_params(
    {
        "names": ["array-like", None],
        "cv": ["cv_object"],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    },
    prefer_skip_nested_validation=True,
)
def make_baselines(
    names: Iterable[str] | None = None,
    *,
    cv: Any = 5,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> dict[str, Any]:
    """Make the baselines that a new method should be compared with.

    They choose their own parameters inside ``fit``, from the training samples alone:

    - ``"mean"``: the mean of each target (:class:`~sklearn.dummy.DummyRegressor`).
    - ``"linear"``: least squares regression (:class:`DualRidgeRegressor`). If there are more
      features than samples, it takes the solution with the smallest coefficients.
    - ``"ridge"``: ridge regression on features scaled to variance 1, with one penalty for all
      targets, chosen by leave-one-out error (:class:`DualRidgeRegressor`).
    - ``"kernel-ridge"``: ``"ridge"`` with an RBF kernel, whose width is chosen as well.
    - ``"pls"``: partial least squares of scaled features and targets (:class:`PLSRegressor`). The
      number of components, up to 16, is chosen by cross-validation.
    - ``"lasso"``: one LASSO per target (:class:`LassoRegressor`). The penalty is chosen by
      cross-validation.
    - ``"multi-kernel-ridge"``: ridge regression on a mixture of six kernels, with penalties for
      each target and each principal component of the targets (:class:`MultiKernelRidgeRegressor`).
    - ``"tobmi"``: the weighted mean of similar samples (:class:`TOBMIRegressor`), as published.
    - ``"svd"``: singular vectors of the joint table (:class:`SVDRegressor`), with the published
      rank.

    Parameters
    ----------
    names : sequence of str, default=None
        Names of the baselines to make; None makes all of them.
    cv : int, splitter or iterable, default=5
        Folds of the inner cross-validation of ``"pls"`` and ``"lasso"``. A number makes shuffled
        folds, which keep the samples of a patient together if sample ids or ``groups`` name the
        patients. A splitter gets arrays, so it cannot read sample ids.
    random_state : int, RandomState instance or None, default=None
        Seed of the inner folds and of ``"svd"``. A number makes the results reproducible.
    n_jobs : int, default=None
        Number of processes that share the targets of ``"lasso"``.

    Returns
    -------
    dict of str to estimator
        Estimators by name, which are not fitted yet, in the order of the list above.

    Raises
    ------
    UnknownNameError
        If a name is not in the list above.

    See Also
    --------
    omitrans.comparison.compare_models : Compare the estimators of a dict.

    Notes
    -----
    None of the baselines accepts missing values. Put them after
    :func:`~omitrans.pipelines.make_translation_pipeline` or a
    :class:`~sklearn.impute.SimpleImputer`.

    Examples
    --------
    >>> from omitrans.baselines import make_baselines
    >>> print(*make_baselines())
    mean linear ridge kernel-ridge pls lasso multi-kernel-ridge tobmi svd
    >>> make_baselines(["mean", "tobmi"])
    {'mean': DummyRegressor(), 'tobmi': TOBMIRegressor()}
    """
    folds = {"cv": cv, "shuffle": True, "random_state": random_state}
    makers: dict[str, Callable[[], Any]] = {
        "mean": DummyRegressor,
        "linear": lambda: DualRidgeRegressor(alpha=0.0),
        "ridge": lambda: make_pipeline(StandardScaler(), DualRidgeRegressor()),
        "kernel-ridge": lambda: make_pipeline(StandardScaler(), DualRidgeRegressor(kernel="rbf")),
        "pls": lambda: PLSRegressor(**folds),
        "lasso": lambda: LassoRegressor(**folds, n_jobs=n_jobs),
        "multi-kernel-ridge": MultiKernelRidgeRegressor,
        "tobmi": TOBMIRegressor,
        "svd": lambda: SVDRegressor(random_state=random_state),
    }
    wanted = list(makers if names is None else names)
    unknown = [name for name in wanted if name not in makers]
    if unknown:
        raise UnknownNameError(f"No baseline is called {unknown[0]!r}. Known: {', '.join(makers)}.")
    return {name: make() for name, make in makers.items() if name in wanted}
