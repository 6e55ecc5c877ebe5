"""What a comparison of imputers found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omitrans.comparison._model_comparison import ModelComparison
from omitrans.reports import comparison_report


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
        R² of every gene, mean over masks and folds; columns (model, missing_rate). NaN for an
        imputer that failed in one of them.
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
        """Return the comparison at one missing rate, in which every mask of a fold is a fold.

        Its tests average the masks of a fold first, as :meth:`tests` does.

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
            One row per pair.

        Raises
        ------
        ValueError
            If there are fewer than two folds, as in place, where masks alone vary.
        """
        return self.at(missing_rate).tests(metric, **options)

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
    """A comparison whose folds are masks of folds: they show spread, but are no new samples."""

    n_folds: int = 1

    def tests(self, metric: str = "median_r2_per_feature", **options: Any) -> pd.DataFrame:
        """Test over folds, with the masks of each averaged."""
        fold = self.results["fold"] % self.n_folds
        keys = ["model", "fold", "metric"]
        values = self.results.assign(fold=fold).groupby(keys, sort=False)["value"]
        results = values.apply(lambda part: part.mean(skipna=False)).reset_index()
        return ModelComparison(results, self.errors, folds=self.folds).tests(metric, **options)
