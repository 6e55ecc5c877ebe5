"""The common base of the imputers with neural networks: fit, transform and several draws."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted, check_scalar

from omitrans.covariates import CovariateEncoder
from omitrans.covariates._columns import CovariateTable
from omitrans.covariates._encoder import COLUMNS
from omitrans.covariates._expression_imputer import ExpressionImputerMixin, constant_genes
from omitrans.engine import (
    FitDraws,
    MaskedNet,
    OmicsNet,
    PairedRows,
    Sizes,
    count_weights,
    device_memory_errors,
    impute_profiles,
    residual_deviation,
)
from omitrans.estimators._category_embedding import CategoryEmbeddingMixin
from omitrans.estimators._forked import refuse_lost_threads
from omitrans.estimators._trained_net import TrainedNetEstimator, check_widths
from omitrans.model_selection._folds import sample_groups
from omitrans.networks.imputers import MaskedMLP
from omitrans.utils._draws import drawing_from
from omitrans.utils._sklearn import Interval, StrOptions, fit_context


class TorchImputer(CategoryEmbeddingMixin, ExpressionImputerMixin, TrainedNetEstimator):
    """Base class of imputers whose network a :class:`~omitrans.engine.MaskedNet` trains.

    Subclasses define the parameters named in ``_parameter_constraints`` in their ``__init__``.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **TrainedNetEstimator._parameter_constraints,
        "categorical_covariates": COLUMNS,
        "numeric_covariates": COLUMNS,
        "ignored_columns": COLUMNS,
        "hidden_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "norm": [StrOptions({"batch", "sample", "none"})],
        "observed_rate": [tuple, list],
        "scaling": [StrOptions({"none", "standard"})],
        "restore_best": ["boolean"],
        "add_indicator": ["boolean"],
    }
    net_: MaskedNet

    # --- fit ---

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None, groups: Any = "auto") -> Self:
        """Train on a table, which may have missing values.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression, e.g. log2(TPM + 1), and covariates; NaN marks a missing value. Early
            stopping uses observed values only.
        y : None
            Ignored.
        groups : "auto", array-like of shape (n_samples,) or None, default="auto"
            The donor of each sample. Early stopping sets whole donors aside, so that it does not
            validate on a donor that the network has seen. "auto" reads the donors or patients from
            sample ids of GTEx, TCGA or TARGET if some have several samples. None switches grouping
            off.

        Returns
        -------
        self
            The fitted imputer. After Ctrl-C it holds the weights learned so far, and a
            `TrainingInterrupted` warning is given.

        Raises
        ------
        FeatureMismatchError
            If a covariate is absent or listed twice, or column names are duplicated.
        DeviceMemoryError
            If memory runs out. The message gives sizes and remedies.
        TrainingDivergedError
            If a loss becomes NaN or infinite.
        ValueError
            If a parameter is out of range, if a gene has no value at all, or if a value is
            infinite.
        """
        self._forget_net()
        self._check_network_params()
        self.covariates_ = CovariateEncoder(
            categorical_covariates=self.categorical_covariates,
            numeric_covariates=self.numeric_covariates,
            ignored_columns=self.ignored_columns,
            encoding="codes",
        )
        table = self.covariates_.fit_split(X, owner=self, ensure_min_samples=2)
        self._constant_genes = np.flatnonzero(constant_genes(self, table.expression))
        covariates = self.covariates_.encode(table)
        self._n_categories = tuple(len(known) for known in self.covariates_.categories_)
        self._fit_indicator(table.expression)
        self._train(
            covariates,
            table.expression,
            groups=sample_groups(X, groups) if self.early_stopping else None,
            finish=self._finish,
        )
        self.net_.trim_for_prediction()
        return self

    def _check_network_params(self) -> None:
        check_widths(self, at_least=1)
        self._check_rate("observed_rate")

    def _check_rate(self, parameter: str) -> None:
        rate = getattr(self, parameter)
        numbers = all(isinstance(value, Real) for value in rate)
        if len(rate) != 2 or not numbers or not 0 <= rate[0] <= rate[1] <= 1:
            raise ValueError(
                f"The '{parameter}' parameter of {type(self).__name__} must be two numbers "
                f"0 <= alpha <= beta <= 1. Got {rate!r} instead."
            )

    def _net_sizes(self) -> dict[str, Any]:
        columns = self.covariates_.columns_
        return {
            "module__n_source": len(columns["categorical"]) + len(columns["numeric"]),
            "module__n_target": len(columns["expression"]),
            "module__n_categories": self._n_categories,
        }

    def _network_options(self) -> dict[str, Any]:
        """Return the options that the nets of both imputers share."""
        return {
            "module__hidden_layer_sizes": tuple(self.hidden_layer_sizes),
            "module__dropout": self.dropout,
            "module__norm": self.norm,
            "observed_rate": tuple(self.observed_rate),
            "target_scaling": self.scaling,
        }

    def _finish(self, net: OmicsNet, held_out: PairedRows) -> None:
        """Set what training cannot learn, and measure the error of imputed values."""
        # codes of all samples, because views share the table
        codes = held_out.X[:, : len(self._n_categories)]
        never_met = [bool((codes[:, j] > 0).all()) for j in range(codes.shape[1])]
        network: MaskedMLP = net.module_
        network.covariates.settle_unknown(never_met)
        network.silence(self._constant_genes)  # they are filled with their one value
        self.residual_sd_ = residual_deviation(net, held_out)

    # --- transform ---

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Fill the missing values of the expression.

        A sample gets the same result alone and among others, to the last bit.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression and covariates with the columns seen in fit; NaN marks a missing value.

        Returns
        -------
        ndarray of shape (n_samples, n_genes)
            The complete expression, without covariates, in float32 if X is float32, else in
            float64. Observed values are unchanged. With ``add_indicator`` the indicator columns
            follow.

        Raises
        ------
        FeatureMismatchError
            If columns are missing, unknown or in another order.
        ValueError
            If X holds infinite values, or text in columns of numbers.

        Warns
        -----
        UnknownCategoryWarning
            If a covariate holds categories that were not seen in fit.
        """
        table, covariates = self._split(X)
        return self._with_indicator(self._impute(table.expression, covariates), table.expression)

    def transform_samples(
        self,
        X: ArrayLike,
        n_draws: int = 5,
        *,
        residual: bool = True,
        random_state: int | np.random.RandomState | None = None,
    ) -> list[Any]:
        """Fill the missing values several times at random (multiple imputation).

        Each draw keeps dropout on (and, for GAIN, draws the noise of the network), so the draws
        differ more where the network is less certain. `residual` adds normal noise with the
        measured error of imputed values (``residual_sd_``). Without it confidence intervals would
        be too narrow.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression and covariates with the columns seen in fit; NaN marks a missing value.
        n_draws : int, default=5
            Number of tables to return.
        residual : bool, default=True
            Whether to add residual noise.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        list of ndarray or DataFrame of shape (n_samples, n_genes)
            The tables, which are frames if X is a frame. Observed values are the same in all
            tables.

        Raises
        ------
        ValueError
            If nothing would be random, without dropout, noise and residual.

        See Also
        --------
        omitrans.metrics.pool_estimates : Pool the estimates from all tables (Rubin's rules).
        """
        check_is_fitted(self, "net_")
        check_scalar(n_draws, "n_draws", Integral, min_val=1)
        if not residual and not self._has_random_network():
            raise ValueError(
                f"residual=False needs a network that draws at random, and this "
                f"{type(self).__name__} has dropout=0. Fit it with dropout, or leave residual=True."
            )
        table, covariates = self._split(X)
        sd = np.nan_to_num(self.residual_sd_, nan=0.0) if residual else None
        device = torch.device(self.net_.device)
        with drawing_from(FitDraws.seeded(random_state, device)):
            draws = [
                self._impute(table.expression, covariates, sample=True, residual_sd=sd)
                for _ in range(n_draws)
            ]
        if not isinstance(X, pd.DataFrame):
            return draws
        names = self.covariates_.expression_names()
        return [pd.DataFrame(draw, index=X.index, columns=names) for draw in draws]

    def _split(self, X: Any) -> tuple[CovariateTable, np.ndarray]:
        check_is_fitted(self, "net_")
        table = self.covariates_.split(X, owner=self)
        return table, self.covariates_.encode(table)

    def _impute(self, expression: np.ndarray, covariates: np.ndarray, **options: Any) -> np.ndarray:
        refuse_lost_threads()
        sizes = Sizes(4 * expression.size, count_weights(self.net_))
        with device_memory_errors(sizes, torch.device(self.net_.device)):
            return impute_profiles(self.net_, expression, covariates, **options)

    def _has_random_network(self) -> bool:
        return self._training_params["dropout"] > 0
