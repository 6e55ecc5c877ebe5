"""The imputers that PMI and GAIN-GTEx were compared with, and two more, ready to use."""

from collections.abc import Callable, Iterable
from functools import partial
from numbers import Integral
from typing import Any

from sklearn.ensemble import RandomForestRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 (lets it be imported)
from sklearn.impute import IterativeImputer, KNNImputer

from omitrans.baselines._covariate_imputer import CovariateImputer
from omitrans.baselines._group_median import GroupMedianImputer
from omitrans.baselines._ridge_imputer import RidgeImputer
from omitrans.baselines._surrogate_tissue import SurrogateTissueImputer
from omitrans.baselines._svd import SVDImputer
from omitrans.exceptions import UnknownNameError
from omitrans.utils._sklearn import Interval, validate_params

_COLUMNS = [str, Integral, "array-like", None]


@validate_params(
    {
        "names": ["array-like", None],
        "categorical_covariates": _COLUMNS,
        "numeric_covariates": _COLUMNS,
        "tissue": [str, Integral, None],
        "donor": [str, Integral, None],
        "surrogate": [str, Integral],
        "n_trees": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_imputers(
    names: Iterable[str] | None = None,
    *,
    categorical_covariates: Any = None,
    numeric_covariates: Any = None,
    tissue: str | int | None = None,
    donor: str | int | None = None,
    surrogate: str | int = "Whole Blood",
    n_trees: int = 20,
    n_jobs: int | None = None,
    random_state: Any = None,
) -> dict[str, Any]:
    """Make the imputers that a new imputer should be compared with.

    All of them return the expression columns only:

    - ``"median"``: the median of the gene or, with `tissue`, of the gene in the tissue
      (:class:`GroupMedianImputer`).
    - ``"surrogate"``: values of another tissue of the same donor
      (:class:`SurrogateTissueImputer`). It needs `tissue` and `donor`.
    - ``"knn-1"``, ``"knn-5"``, ``"knn-10"``: the mean of the 1, 5 or 10 nearest samples.
    - ``"svd"``: a low-rank approximation of rank 10 (:class:`SVDImputer`).
    - ``"ridge"``: ridge regression on observed genes (:class:`RidgeImputer`).
    - ``"mice"``: chained Bayesian ridge regressions, up to 100 rounds as published.
    - ``"missforest"``: chained random forests, up to 10 rounds as published.

    k-NN, SVD, ridge, MICE and MissForest use the covariates through :class:`CovariateImputer`.

    Parameters
    ----------
    names : sequence of str, default=None
        Names of the imputers to make. None makes all of them, ``"surrogate"`` only if `tissue` and
        `donor` are given.
    categorical_covariates, numeric_covariates : str, int or list of them, default=None
        Columns of X that are covariates, by name or position.
    tissue, donor : str or int, default=None
        Columns of X that hold the tissue and the donor. Imputers with covariates use the tissue
        only if it is also one of the covariates. All imputers except ``"surrogate"`` ignore the
        donor, which is an identity and not a covariate.
    surrogate : str or int, default="Whole Blood"
        The surrogate tissue of ``"surrogate"``.
    n_trees : int, default=20
        Number of trees per forest of ``"missforest"``. The paper tries 1 to 100.
    n_jobs : int, default=None
        Number of jobs that grow the trees of ``"missforest"`` in parallel.
    random_state : int, RandomState instance or None, default=None
        Seed of ``"svd"``, ``"ridge"``, ``"mice"`` and ``"missforest"``.

    Returns
    -------
    dict of str to transformer
        Imputers by name, which are not fitted yet.

    Raises
    ------
    UnknownNameError
        If a name is not in the list above.
    ValueError
        If `names` holds ``"surrogate"``, but `tissue` or `donor` is None.

    See Also
    --------
    omitrans.comparison.compare_imputers : Compare the imputers of a dict.

    Notes
    -----
    ``"mice"`` and ``"missforest"`` fit one regression per gene and round. Use them for a few
    hundred genes at most. In the paper both ran for more than 7 days on 12,557 genes.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    section 3.5.

    Examples
    --------
    >>> from omitrans.baselines import make_imputers
    >>> list(make_imputers(categorical_covariates=["tissue"], tissue="tissue"))
    ['median', 'knn-1', 'knn-5', 'knn-10', 'svd', 'ridge', 'mice', 'missforest']
    """
    covariate_names = [*_listed(categorical_covariates), *_listed(numeric_covariates)]
    covariates = {
        "categorical_covariates": categorical_covariates,
        "numeric_covariates": numeric_covariates,
        "ignored_columns": [c for c in (tissue, donor) if c not in (*covariate_names, None)],
    }
    others = [name for name in (*covariate_names, donor) if name not in (tissue, None)]
    forest = partial(
        RandomForestRegressor,
        n_trees,
        max_features="sqrt",
        n_jobs=n_jobs,
        random_state=random_state,
    )
    numeric: dict[str, Callable[[], Any]] = {
        "knn-1": partial(KNNImputer, n_neighbors=1),
        "knn-5": partial(KNNImputer, n_neighbors=5),
        "knn-10": partial(KNNImputer, n_neighbors=10),
        "svd": partial(SVDImputer, random_state=random_state),
        "ridge": partial(RidgeImputer, random_state=random_state),
        "mice": partial(IterativeImputer, max_iter=100, random_state=random_state),
        "missforest": lambda: IterativeImputer(forest(), max_iter=10, random_state=random_state),
    }
    makers: dict[str, Callable[[], Any]] = {
        "median": partial(GroupMedianImputer, tissue, ignored_columns=others or None),
        "surrogate": partial(
            SurrogateTissueImputer,
            tissue=tissue,
            donor=donor,
            surrogate=surrogate,
            ignored_columns=[name for name in others if name != donor] or None,
        ),
    }
    for name, make in numeric.items():
        makers[name] = partial(_with_covariates, make, covariates)
    has_surrogate = tissue is not None and donor is not None
    default = [name for name in makers if name != "surrogate" or has_surrogate]
    wanted = list(default if names is None else names)
    unknown = [name for name in wanted if name not in makers]
    if unknown:
        raise UnknownNameError(f"No imputer is called {unknown[0]!r}. Known: {', '.join(makers)}.")
    if "surrogate" in wanted and not has_surrogate:
        raise ValueError(
            f"'surrogate' needs the columns of tissue and donor; tissue={tissue!r}, "
            f"donor={donor!r}. Give both, or leave it out of names."
        )
    return {name: make() for name, make in makers.items() if name in wanted}


def _with_covariates(make: Callable[[], Any], covariates: dict[str, Any]) -> CovariateImputer:
    return CovariateImputer(make(), **covariates)


def _listed(columns: Any) -> list[Any]:
    if columns is None or isinstance(columns, str | Integral):
        return [] if columns is None else [columns]
    return list(columns)
