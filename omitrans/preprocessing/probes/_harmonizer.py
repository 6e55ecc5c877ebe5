"""Transformer that converts tables of any methylation array to the probes of a model."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from omitrans.preprocessing._column_view import ColumnView, TableSource
from omitrans.preprocessing._columns import as_matrix, check_first_row, check_table
from omitrans.preprocessing.probes._fill import (
    REFERENCES,
    Filler,
    learn_reference,
    probe_statistics,
)
from omitrans.preprocessing.probes._probe_columns import (
    REPLICATES,
    ProbeColumns,
    check_known_probes,
    check_probe_columns,
    every_column,
    find_probes,
    methylation_probes,
    refuse_transposed,
    remember_columns,
    take_probes,
    unchanged,
)
from omitrans.preprocessing.probes._probe_names import array_platform, sample_platforms
from omitrans.preprocessing.probes._sample_checks import (
    CoverageLimits,
    check_unit,
    coverage_report,
    judge_coverage,
    learn_unit,
)
from omitrans.preprocessing.probes._survey import ProbeSource, Survey, survey
from omitrans.utils._sklearn import (
    Interval,
    StrOptions,
    check_feature_names_in,
    fit_context,
)


class ArrayHarmonizer(TransformerMixin, BaseEstimator):
    """Align the probes of any array with those of the training samples, and fill what is missing.

    Use it as the first step of a Pipeline. A model that was trained on 450K arrays then accepts
    EPIC and EPICv2 tables without conversion: probes are found by name, replicates of a probe
    (cg00000029_TC21, cg00000029_TC22, or the same without suffixes) become one value, control, SNP
    (rs) and mutation (nv) probes are dropped, and missing values are filled from the training
    samples only. A sample therefore gets the same result alone and in a batch.

    Parameters
    ----------
    missing : {"mean", "group", "knn", "components", "keep"}, default="mean"
        Value that replaces a missing value. "mean": mean of the probe over the training samples.
        "group": mean over the most similar group of training samples. "knn": mean over the
        `n_neighbors` most similar training samples; the training samples are then part of the
        model. "components": value that is expected from the other probes of the sample, by
        principal components of the training samples. "keep": missing values stay missing, for an
        imputer later in the Pipeline.
    replicates : {"mean", "median", "first"}, default="mean"
        How replicates of a probe are combined to one value; missing replicates are ignored.
    warn_coverage : float, default=0.9
        Fraction of observed probes of a sample below which `transform` warns.
    min_coverage : float, default=0.7
        Fraction of observed probes of a sample below which `transform` raises an error.
    max_missing_rate : float, default=1.0
        Largest fraction of missing values among the training samples of a probe that is learned.
        Probes without any observed value are never learned.
    unit : {"auto", "beta"} or None, default="auto"
        Unit of the values. With "beta", values outside [0, 1] are an error whose message says what
        they look like. "auto" means "beta" if all training values lie in [0, 1].
    n_neighbors : int, default=5
        Number of training samples that "knn" averages.
    n_groups : int, default=8
        Number of groups that "group" makes by k-means if no groups are passed to `fit`.
    n_components : int, default=30
        Number of principal components for "components", at most one per four training samples.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers of k-means.

    Attributes
    ----------
    probes_ : ndarray of str
        Names of the returned probes, without suffixes, in their order.
    means_ : ndarray of shape (n_probes,)
        Means of these probes over the training samples.
    unit_ : {"beta"} or None
        Unit that `transform` checks; None checks nothing.
    platform_ : str
        Array of the training samples, as :func:`array_platform` names it.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    Notes
    -----
    The coverage of a sample is the fraction of ``probes_`` with an observed value. Similarity is
    the mean squared difference over those of the 5,000 most variable probes that the sample holds.
    The principal components are probabilistic and are learned from at most 1,000 training samples.

    Tables without column names must have the columns seen in fit; low coverage is then only a
    warning.

    References
    ----------
    M. E. Tipping and C. M. Bishop. Probabilistic principal component analysis. Journal of the
    Royal Statistical Society B 61, 611-622 (1999).

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.preprocessing import ArrayHarmonizer
    >>> X = pd.DataFrame(
    ...     {"cg00000029": [0.2, 0.4], "cg00000108": [0.9, 0.8], "cg00000109": [0.5, 0.6]}
    ... )
    >>> harmonizer = ArrayHarmonizer(min_coverage=0.5, warn_coverage=0.6).fit(X)
    >>> new = pd.DataFrame(
    ...     {"cg00000109_TC21": [0.1], "cg00000029_TC21": [0.2], "cg00000029_TC22": [0.3]},
    ...     index=["patient"],
    ... )
    >>> harmonizer.transform(new)
             cg00000029  cg00000108  cg00000109
    patient        0.25        0.85         0.1
    >>> harmonizer.report(new)
            platform  n_probes  coverage status
    patient   EPICv2         2  0.666667     ok
    """

    _parameter_constraints = {
        "missing": [StrOptions({"mean", "group", "knn", "components", "keep"})],
        "replicates": [StrOptions(set(REPLICATES))],
        "warn_coverage": [Interval(Real, 0, 1, closed="both")],
        "min_coverage": [Interval(Real, 0, 1, closed="both")],
        "max_missing_rate": [Interval(Real, 0, 1, closed="both")],
        "unit": [StrOptions({"auto", "beta"}), None],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_groups": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        missing: str = "mean",
        replicates: str = "mean",
        warn_coverage: float = 0.9,
        min_coverage: float = 0.7,
        max_missing_rate: float = 1.0,
        unit: str | None = "auto",
        n_neighbors: int = 5,
        n_groups: int = 8,
        n_components: int = 30,
        random_state: Any = None,
    ) -> None:
        self.missing = missing
        self.replicates = replicates
        self.warn_coverage = warn_coverage
        self.min_coverage = min_coverage
        self.max_missing_rate = max_missing_rate
        self.unit = unit
        self.n_neighbors = n_neighbors
        self.n_groups = n_groups
        self.n_components = n_components
        self.random_state = random_state

    # --- fit ---

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Self:
        """Learn the probes, and the replacements for missing values.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training samples as rows; NaN is a missing value. The columns of a DataFrame are probe
            names.
        y : None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            Group of each sample, such as its tissue; used with ``missing="group"``.

        Returns
        -------
        ArrayHarmonizer
            The fitted harmonizer.

        Raises
        ------
        ValueError
            If the table is transposed, no probe is left, or values do not have the stated unit.
        """
        refuse_transposed(X)
        if isinstance(X, pd.DataFrame):
            check_probe_columns(X)
            remember_columns(self, X)
            check_first_row(X)
        else:
            X = check_table(self, X, reset=True)
        where = self._learn_probes(X)
        self.unit_ = learn_unit(self._limits, self.unit)
        self._reference: dict[str, np.ndarray] = {}
        if self.missing in REFERENCES:
            values = take_probes(X, where, self.replicates)
            self._reference = learn_reference(
                values,
                self.missing,
                means=self.means_,
                variances=self._variances,
                groups=groups,
                n_groups=self.n_groups,
                n_components=self.n_components,
                random_state=self.random_state,
            )
        return self

    def _learn_probes(self, X: Any) -> ProbeColumns:
        """Learn the probes to return, and find their columns in X."""
        if isinstance(X, pd.DataFrame) and isinstance(X.columns[0], str):
            names = np.asarray(X.columns, dtype=object)
            self.platform_ = array_platform(names)
            probes = methylation_probes(names)
            if not len(probes):
                raise ValueError(
                    f"ArrayHarmonizer left none of the {len(names)} columns (first: {names[0]!r}): "
                    "all are control, SNP or mutation probes."
                )
            where = find_probes(names, probes)
        else:
            self.platform_ = "unknown"
            probes = np.array([f"x{i}" for i in range(X.shape[1])], dtype=object)
            where = every_column(probes)
        # of the probes alone: controls may hold intensities
        means, missing_rate, variances, self._limits = probe_statistics(X, where, self.replicates)
        kept = ~np.isnan(means) & (missing_rate <= self.max_missing_rate)
        if not kept.any():
            raise ValueError(
                f"ArrayHarmonizer left none of the {len(probes)} probes: each misses more than "
                f"max_missing_rate={self.max_missing_rate} of its values (at least "
                f"{missing_rate.min():.3g}). Raise it, or check how X was read."
            )
        where = where.subset(np.flatnonzero(kept))
        self.probes_, self.means_ = where.probes, means[kept]
        self._probe_columns, self._variances = where.first, variances[kept]
        self._replicate_columns = where.replicates.to_numpy()
        return where

    # --- transform ---

    def transform(self, X: Any) -> Any:
        """Return the probes of the training samples, with missing values filled.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples of any array; NaN is a missing value. A DataFrame may hold any columns in any
            order.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_probes)
            Samples with aligned and filled probes, as a DataFrame with the same sample index if X
            is a DataFrame.

        Raises
        ------
        LowCoverageError
            If a sample holds a smaller fraction of the probes than `min_coverage`.
        FeatureMismatchError
            If the table holds none of the probes, is transposed, or holds a column more than once.
        ValueError
            If the values do not have the unit of the training samples.

        Warns
        -----
        LowCoverageWarning
            If a sample holds a smaller fraction of the probes than `warn_coverage`.
        """
        check_is_fitted(self)
        return self._view(*self._check_new(X), judge=True).to_table()

    def fit_transform(self, X: Any, y: Any = None, groups: Any = None) -> Any:
        """Fit, and return the training samples with missing values filled; none is refused.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training samples as rows.
        y : None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            Group of each sample, such as its tissue; used with ``missing="group"``.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_probes)
            Samples with aligned and filled probes, as a DataFrame with the same sample index if X
            is a DataFrame.
        """
        self.fit(X, y, groups)
        return self._view_of_training(X).to_table()

    def _view_of_training(self, X: Any) -> ColumnView:
        """Return the view of the samples that fit has just seen; none is refused."""
        X = X if isinstance(X, pd.DataFrame) else check_table(self, X, reset=False)
        return self._view(X, self._columns_of(X), judge=False)

    def _view(self, X: Any, where: ProbeColumns, *, judge: bool) -> ColumnView:
        """Return the aligned and filled view of a checked table; `judge` refuses low coverage."""
        values = as_matrix(X)
        found = self._survey(X, values, where, fill=self.missing != "keep")
        if judge:
            check_unit(found.limits, self.unit_, self._limits)
            self._judge(found.coverage, X)
        index, is_beta = getattr(X, "index", None), self.unit_ == "beta"
        same, observed = where.are_all(X), bool(found.coverage.min() == 1)
        if same and (observed or self.missing == "keep"):
            table = unchanged(X, values, self.probes_ if self._by_name(X) else None)
            source = TableSource(values, complete=observed)
            names = getattr(table, "columns", None)
            return ColumnView(source, names=names, index=index, table=table, is_beta=is_beta)
        filled = ProbeSource(
            values,
            where,
            self.replicates,
            order="C" if same else None,
            gaps=found.gaps,
            complete=observed or found.gaps is not None,
        )
        names = None if index is None else self.probes_
        return ColumnView(filled, names=names, index=index, is_beta=is_beta)

    def _survey(self, X: Any, values: np.ndarray, where: ProbeColumns, *, fill: bool) -> Survey:
        """Return the coverage of each sample, and the replacements for its missing values."""
        filler = Filler(
            self.means_,
            self._reference,
            absent=where.first < 0,
            limits=self._limits,
            n_neighbors=1 if self.missing == "group" else self.n_neighbors,
        )
        framed = isinstance(X, pd.DataFrame)
        names = self.probes_ if framed else np.arange(len(self.probes_))
        return survey(values, where, self.replicates, filler if fill else None, names=names)

    def _judge(self, coverage: np.ndarray, X: Any) -> None:
        limits = self._thresholds()
        if not self._by_name(X):  # it cannot be of another array; sporadic gaps are filled
            limits = limits._replace(refuse=0.0)
        judge_coverage(coverage, getattr(X, "index", None), len(self.probes_), limits)

    def report(self, X: Any) -> pd.DataFrame:
        """Report how many of the model's probes each sample holds, without refusing any sample.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples of any array.

        Returns
        -------
        DataFrame
            One row per sample: ``platform`` (:func:`array_platform` of its probes), ``n_probes``
            (number of observed ``probes_``), ``coverage`` (their fraction) and ``status``: "ok",
            "low" (`transform` warns) or "refused" (`transform` raises an error).
        """
        check_is_fitted(self)
        X, where = self._check_new(X)
        found = self._survey(X, as_matrix(X), where, fill=False)
        check_unit(found.limits, self.unit_, self._limits)
        platform = sample_platforms(X) if self._by_name(X) else "unknown"
        samples, n_probes = getattr(X, "index", None), len(self.probes_)
        return coverage_report(
            found.coverage, samples, n_probes, self._thresholds(), platform=platform
        )

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the probes that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X; they must be the names seen in fit.

        Returns
        -------
        ndarray of str
            Names of the probes.
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        return self.probes_ if hasattr(self, "feature_names_in_") else names[self._probe_columns]

    def _check_new(self, X: Any) -> tuple[Any, ProbeColumns]:
        """Return a checked table, and the columns of its probes."""
        if not self._by_name(X):
            X = check_table(self, X, reset=False)
            where = self._columns_of(X)
        else:
            known = self._known_columns(X)
            if known is None:
                check_probe_columns(X)
            where = self._columns_of(X) if known is None else known
            check_known_probes(X, where)
            check_first_row(X)
        return X, where

    def _by_name(self, X: Any) -> bool:
        return isinstance(X, pd.DataFrame) and hasattr(self, "feature_names_in_")

    def _thresholds(self) -> CoverageLimits:
        return CoverageLimits(warn=self.warn_coverage, refuse=self.min_coverage)

    def _columns_of(self, X: Any) -> ProbeColumns:
        if not self._by_name(X):
            return every_column(self.probes_)._replace(first=self._probe_columns)
        known = self._known_columns(X)
        return find_probes(map(str, X.columns), self.probes_) if known is None else known

    def _known_columns(self, X: pd.DataFrame) -> ProbeColumns | None:
        """Return the columns of the probes if X has the columns seen in fit, else None."""
        names = np.asarray(X.columns, dtype=object)
        # files of earlier versions do not know the replicates
        if not hasattr(self, "_replicate_columns") or not np.array_equal(
            names, self.feature_names_in_
        ):
            return None
        replicates = pd.DataFrame(self._replicate_columns, columns=["column", "probe"])
        return ProbeColumns(self.probes_, self._probe_columns, replicates)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
