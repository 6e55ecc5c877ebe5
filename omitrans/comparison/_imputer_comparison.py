"""Result of a comparison of imputers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omitrans.comparison._model_comparison import ModelComparison
from omitrans.reports import comparison_report


@dataclass(frozen=True, eq=False)
class ImputerComparison:
    """Result of :func:`compare_imputers`: the metrics of every imputer, mask and fold.

    Parameters
    ----------
    results : DataFrame
        Table with one metric value per row and the columns ``model``, ``missing_rate``, ``mask``,
        ``fold``, ``metric`` and ``value``. The metrics, computed over hidden entries, are ``rmse``,
        ``mean_r2_per_feature`` (the papers' number), ``median_r2_per_feature``,
        ``fraction_r2_per_feature_above`` (0.3), then ``fit_seconds``, ``predict_seconds`` and
        ``peak_memory_mib``. NaN where an imputer failed.
    errors : DataFrame
        Table with one row per failure and the columns ``model``, ``missing_rate``, ``mask``,
        ``fold``, ``error``.
    per_feature : DataFrame of shape (n_genes, n_models * n_rates)
        R² of every gene, averaged over masks and folds; the columns are pairs (model,
        missing_rate). NaN for an imputer that failed for one of the masks or folds.
    per_group : DataFrame of shape (n_genes, n_models * n_rates * n_groups), default=None
        R² of every gene within each group of samples, averaged over masks and folds; the columns
        are triples (model, missing_rate, group).
    folds : DataFrame, default=None
        Number of samples in each fold, with the columns ``n_train`` and ``n_test``.
    imputations : dict of (model, missing_rate, mask, fold) to ndarray, default=None
        The imputed tables, if `return_imputations` was True.

    See Also
    --------
    compare_imputers : Compares imputers and returns this object.
    """

    results: pd.DataFrame
    errors: pd.DataFrame
    per_feature: pd.DataFrame
    per_group: pd.DataFrame | None = None
    folds: pd.DataFrame | None = None
    imputations: dict[Any, np.ndarray] | None = None

    @property
    def missing_rates(self) -> list[float]:
        """Return the fractions of values that were hidden.

        Returns
        -------
        list of float
            Missing rates in ascending order.
        """
        return sorted(self.results["missing_rate"].unique().tolist())

    def at(self, missing_rate: float | None = None) -> ModelComparison:
        """Return the comparison at one missing rate, in which every mask of a fold is a fold.

        The tests of the returned comparison average the masks of a fold first, as :meth:`tests`
        does.

        Parameters
        ----------
        missing_rate : float, default=None
            Missing rate to select; may be None if there is only one.

        Returns
        -------
        ModelComparison
            Comparison at this missing rate, with its own summary, tests and figures.

        Raises
        ------
        ValueError
            If the comparison has no such missing rate.
        """
        rate = self._rate(missing_rate)
        n_folds = int(self.results["fold"].max()) + 1
        tables = []
        for table in (self.results, self.errors):
            rows = table[table["missing_rate"] == rate]
            rows = rows.assign(fold=rows["mask"] * n_folds + rows["fold"])
            tables.append(rows.drop(columns=["missing_rate", "mask"]).reset_index(drop=True))
        results, errors = tables
        return _OneRate(results, errors, folds=self.folds, n_folds=n_folds)

    def summary(
        self, missing_rate: float | None = None, *, std: bool = False, costs: bool = False
    ) -> pd.DataFrame:
        """Return one row per imputer and one column per metric: the mean over masks and folds.

        Parameters
        ----------
        missing_rate : float, default=None
            Missing rate to select; may be None if there is only one.
        std : bool, default=False
            Return text, "mean ± standard deviation over masks and folds", instead of numbers.
        costs : bool, default=False
            Add the seconds of fit and transform and the peak memory (MiB).

        Returns
        -------
        DataFrame of shape (n_models, n_metrics)
            Imputers in the order in which they were given. NaN for an imputer that failed in a
            fold.
        """
        return self.at(missing_rate).summary(std=std, costs=costs)

    def tests(
        self,
        metric: str = "mean_r2_per_feature",
        *,
        missing_rate: float | None = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Test whether imputers differ by more than chance differences between folds explain.

        Masks of the same fold are averaged first, because they hold the same samples.

        Parameters
        ----------
        metric : str, default="mean_r2_per_feature"
            Name of a metric in the column ``metric`` of `results`.
        missing_rate : float, default=None
            Missing rate to select; may be None if there is only one.
        **options
            Further parameters of :meth:`ModelComparison.tests`.

        Returns
        -------
        DataFrame
            Table with one row per pair of imputers.

        Raises
        ------
        ValueError
            If there are fewer than two folds, as in scenario "in-place", where only the masks vary.
        """
        return self.at(missing_rate).tests(metric, **options)

    def to_html(
        self, path: Any, *, missing_rate: float | None = None, title: str = "Comparison of imputers"
    ) -> Path:
        """Write tables and figures of one missing rate to one HTML page.

        Parameters
        ----------
        path : str or pathlib.Path
            Path of the HTML file to write.
        missing_rate : float, default=None
            Missing rate to select; may be None if there is only one.
        title : str, default="Comparison of imputers"
            Heading of the page.

        Returns
        -------
        pathlib.Path
            Path of the written file.
        """
        return comparison_report(self.at(missing_rate), path, title=title)

    def _rate(self, missing_rate: float | None) -> float:
        known = self.missing_rates
        if missing_rate is None:
            if len(known) > 1:
                raise ValueError(f"missing_rate must be given: there are {known}.")
            return known[0]
        for rate in known:
            if np.isclose(rate, missing_rate):
                return rate
        raise ValueError(f"missing_rate={missing_rate} was not compared. Available: {known}.")


@dataclass(frozen=True, eq=False)
class _OneRate(ModelComparison):
    """Comparison whose "folds" are masks of folds, which repeat the same samples."""

    n_folds: int = 1

    def tests(self, metric: str = "median_r2_per_feature", **options: Any) -> pd.DataFrame:
        """Test over folds, with the masks of each fold averaged."""
        fold = self.results["fold"] % self.n_folds
        keys = ["model", "fold", "metric"]
        values = self.results.assign(fold=fold).groupby(keys, sort=False)["value"]
        results = values.apply(lambda part: part.mean(skipna=False)).reset_index()
        return ModelComparison(results, self.errors, folds=self.folds).tests(metric, **options)
