"""What a comparison of imputers found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omitrans.evaluation import comparison_report
from omitrans.model_selection._comparison import ModelComparison


@dataclass(frozen=True, eq=False)
class ImputerComparison:
    """What :func:`compare_imputers` found.

    Parameters
    ----------
    results : DataFrame
        One number a row, with the columns ``model``, ``missing_rate``, ``mask``, ``fold``,
        ``metric`` and ``value``. The metrics, over hidden entries: ``rmse``,
        ``mean_r2_per_feature`` (the papers' number), ``median_r2_per_feature``,
        ``fraction_r2_per_feature_above`` (0.3), then ``fit_seconds``, ``predict_seconds`` and
        ``peak_memory_mib``. NaN where an imputer failed.
    errors : DataFrame
        What failed, with the columns ``model``, ``missing_rate``, ``mask``, ``fold``, ``error``.
    per_feature : DataFrame of shape (n_genes, n_models * n_rates)
        R² of every gene, mean over masks and folds; columns (model, missing_rate).
    per_group : DataFrame of shape (n_genes, n_models * n_rates * n_groups), default=None
        The same within groups; columns (model, missing_rate, group).
    folds : DataFrame, default=None
        Sizes of the folds, with the columns ``n_train`` and ``n_test``.
    imputations : dict of (model, missing_rate, mask, fold) to ndarray, default=None
        The imputed tables, if asked for.

    See Also
    --------
    compare_imputers : Makes a comparison.
    """

    results: pd.DataFrame
    errors: pd.DataFrame
    per_feature: pd.DataFrame
    per_group: pd.DataFrame | None = None
    folds: pd.DataFrame | None = None
    imputations: dict[Any, np.ndarray] | None = None

    @property
    def missing_rates(self) -> list[float]:
        """Return the shares of values that were hidden.

        Returns
        -------
        list of float
            In ascending order.
        """
        return sorted(self.results["missing_rate"].unique().tolist())

    def at(self, missing_rate: float | None = None) -> ModelComparison:
        """Return the comparison at one missing rate, in which every mask and fold is a fold.

        Parameters
        ----------
        missing_rate : float, default=None
            Which; None where there is only one.

        Returns
        -------
        ModelComparison
            With its summary, tests and figures.

        Raises
        ------
        ValueError
            If there is no such rate.
        """
        rows = self._rows(missing_rate)
        n_folds = int(rows["fold"].max()) + 1
        fold = rows["mask"] * n_folds + rows["fold"]
        results = rows.assign(fold=fold)[["model", "fold", "metric", "value"]]
        return ModelComparison(results.reset_index(drop=True), self.errors)

    def summary(
        self, missing_rate: float | None = None, *, std: bool = False, costs: bool = False
    ) -> pd.DataFrame:
        """Return one row an imputer and one column a metric: the mean over masks and folds.

        Parameters
        ----------
        missing_rate : float, default=None
            Which; None where there is only one.
        std : bool, default=False
            Return text, "mean ± standard deviation over masks and folds", instead of numbers.
        costs : bool, default=False
            Add fit and transform seconds and peak memory (MiB).

        Returns
        -------
        DataFrame of shape (n_models, n_metrics)
            Imputers in the order they were given. NaN where one failed in a fold.
        """
        return self.at(missing_rate).summary(std=std, costs=costs)

    def tests(
        self,
        metric: str = "mean_r2_per_feature",
        *,
        missing_rate: float | None = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Test whether imputers differ by more than their folds let expect.

        Masks of the same fold are averaged first: they are no new samples.

        Parameters
        ----------
        metric : str, default="mean_r2_per_feature"
            A metric of `results`.
        missing_rate : float, default=None
            Which; None where there is only one.
        **options
            Passed to :meth:`ModelComparison.tests`.

        Returns
        -------
        DataFrame
            One row a pair.

        Raises
        ------
        ValueError
            If there are fewer than two folds, as in place, where masks alone vary.
        """
        rows = self._rows(missing_rate)
        keys = ["model", "fold", "metric"]
        results = rows.groupby(keys, sort=False)["value"].apply(lambda v: v.mean(skipna=False))
        return self._folds_only(results.reset_index()).tests(metric, **options)

    def to_html(
        self, path: Any, *, missing_rate: float | None = None, title: str = "Comparison of imputers"
    ) -> Path:
        """Write tables and figures of one missing rate to one HTML page.

        Parameters
        ----------
        path : str or pathlib.Path
            The file.
        missing_rate : float, default=None
            Which; None where there is only one.
        title : str, default="Comparison of imputers"
            Its heading.

        Returns
        -------
        pathlib.Path
            The file.
        """
        return comparison_report(self.at(missing_rate), path, title=title)

    def _folds_only(self, results: pd.DataFrame) -> ModelComparison:
        return ModelComparison(results, self.errors, folds=self.folds)

    def _rows(self, missing_rate: float | None) -> pd.DataFrame:
        known = self.missing_rates
        if missing_rate is None:
            if len(known) > 1:
                raise ValueError(f"missing_rate must be given: there are {known}.")
            missing_rate = known[0]
        rows = self.results[np.isclose(self.results["missing_rate"], missing_rate)]
        if rows.empty:
            raise ValueError(f"missing_rate={missing_rate} was not compared. Available: {known}.")
        return rows
