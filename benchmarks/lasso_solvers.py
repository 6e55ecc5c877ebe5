"""Time celer and scikit-learn in LassoRegressor on simulated data.

python benchmarks/lasso_solvers.py [n_samples n_features n_targets]
"""

import sys
from time import perf_counter

import numpy as np

from omitrans.baselines import LassoRegressor


def make_data(n_samples, n_features, n_targets):
    """Correlated features, twenty of which drive each target; half of its variance is noise."""
    rng = np.random.default_rng(0)
    programmes = rng.normal(size=(n_samples, 30)) @ rng.normal(size=(30, n_features))
    X = 0.3 * programmes + rng.normal(size=(n_samples, n_features))
    weights = np.zeros((n_features, n_targets))
    for column in weights.T:
        column[rng.choice(n_features, 20, replace=False)] = rng.normal(size=20)
    Y = X @ weights
    return X, Y + Y.std(axis=0) * rng.normal(size=Y.shape)


def main():
    shape = tuple(map(int, sys.argv[1:])) or (400, 2000, 200)
    X, Y = make_data(*shape)
    print("{} samples, {} features, {} targets".format(*shape))
    print("solver   alpha      tol     seconds  ms/target  largest gap  features/target")
    LassoRegressor(0.5, solver="celer").fit(X[:20], Y[:20])  # imports celer
    for alpha in (0.2, "cv-common"):
        for tol in (1e-4, 1e-6):
            for solver in ("celer", "sklearn"):
                start = perf_counter()
                model = LassoRegressor(alpha, solver=solver, tol=tol).fit(X, Y)
                seconds = perf_counter() - start
                each = 1e3 * seconds / shape[2], model.coef_.nnz / shape[2]
                print(
                    f"{solver:8} {alpha!s:10} {tol:<7.0e} {seconds:7.2f}  {each[0]:9.1f}"
                    f"  {model.dual_gap_.max():11.1e}  {each[1]:15.1f}"
                )


if __name__ == "__main__":
    main()
