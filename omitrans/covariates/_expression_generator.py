"""The common base of the generators of expression: what they are told, what they draw."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import Tags, check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted

from omitrans.covariates._columns import CovariateTable, find_columns
from omitrans.covariates._encoder import COLUMNS, CovariateEncoder
from omitrans.exceptions import FeatureMismatchError, UnknownCategoryError
from omitrans.utils._labelled_draws import check_n_samples, labelled_draws
from omitrans.utils._validation import (
    _some,
    check_column_names,
    check_no_missing_targets,
    check_paired_samples,
    holds_numbers,
    target_names,
)


class ExpressionGeneratorMixin:
    """Base of estimators that learn to draw expression under given covariates.

    A subclass has the parameters ``categorical_covariates``, ``numeric_covariates`` and
    ``ignored_columns``. Its ``fit`` calls :meth:`_check_tables`, and it implements :meth:`_draw`.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "categorical_covariates": COLUMNS,
        "numeric_covariates": COLUMNS,
        "ignored_columns": COLUMNS,
    }
    covariates_: CovariateEncoder
    target_names_: np.ndarray
    n_targets_: int
    categorical_covariates: Any
    numeric_covariates: Any
    ignored_columns: Any

    def _check_tables(self, covariates: Any, expression: Any) -> tuple[CovariateTable, np.ndarray]:
        """Validate both training tables, and set the attributes that describe them.

        Parameters
        ----------
        covariates : array-like or DataFrame of shape (n_samples, n_columns)
            One row per sample, one column per covariate.
        expression : array-like or DataFrame of shape (n_samples, n_genes)
            Expression of the same samples.

        Returns
        -------
        table : CovariateTable
            The covariates; its part "expression" is empty.
        expression : ndarray of shape (n_samples, n_genes)
            The expression in float32 or float64.
        """
        check_paired_samples(covariates, expression, names=("covariates", "expression"))
        values = self._check_expression(expression)
        frame = _as_frame(covariates)
        check_consistent_length(frame, values)
        kinds = self._kinds_of_columns(frame)
        self.covariates_ = CovariateEncoder(
            categorical_covariates=kinds["categorical"],
            numeric_covariates=kinds["numeric"],
            ignored_columns=kinds["ignored"],
            encoding="codes",
        )
        X = frame if isinstance(covariates, pd.DataFrame) else frame.to_numpy()
        table = self.covariates_.fit_split(X, owner=self, only_covariates=True)
        table = table._replace(numeric=np.ascontiguousarray(table.numeric))
        if self.covariates_.numeric_scaler_ is not None:
            # means of a frame and of an array round otherwise, and so would their draws
            self.covariates_.numeric_scaler_.fit(table.numeric)
        self.n_targets_ = values.shape[1]
        self.target_names_ = target_names(expression, self.n_targets_)
        return table, values

    def _check_expression(self, expression: Any) -> np.ndarray:
        if expression is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: give "
                "the expression of the samples as the second table."
            )
        if isinstance(expression, pd.DataFrame):
            check_no_missing_targets(expression)
        try:
            values = check_array(
                expression,
                dtype=(np.float64, np.float32),
                ensure_2d=False,
                ensure_min_samples=2,
                input_name="y",
            )
        except ValueError as error:
            if "could not convert" not in str(error):
                raise
            raise ValueError(
                f"The expression holds text ({error}). Covariates are the first table and "
                "expression is the second: exchange them if they are swapped, or leave out the "
                "columns of text."
            ) from error
        return values.reshape(len(values), -1)

    def _check_more_tables(
        self, covariates: Any, expression: Any, *, name: str
    ) -> tuple[CovariateTable, np.ndarray]:
        """Validate tables of other samples, after :meth:`_check_tables`; returns what that does.

        `name` says in messages what the samples are for.
        """
        names = (f"{name} covariates", f"{name} expression")
        check_paired_samples(covariates, expression, names=names)
        table, _ = self._sampling_table(covariates)
        values = self._check_expression(expression)
        if len(values) != len(table.categorical):
            raise ValueError(
                f"{name} holds {len(table.categorical)} rows of covariates and {len(values)} of "
                "expression. Give the same samples in both."
            )
        genes = list(expression.columns) if isinstance(expression, pd.DataFrame) else None
        if values.shape[1] != self.n_targets_ or genes not in (None, list(self.target_names_)):
            raise FeatureMismatchError(
                f"The expression of {name} must hold the {self.n_targets_} genes of y in the same "
                f"order; it holds {values.shape[1]} genes. Select those of y by name first."
            )
        return table, values

    def _kinds_of_columns(self, frame: pd.DataFrame) -> dict[str, list[int]]:
        """Return the positions of categorical, numeric and ignored columns."""
        given = {
            "categorical": self.categorical_covariates,
            "numeric": self.numeric_covariates,
            "ignored": self.ignored_columns,
        }
        keys = {kind: None if _is_auto(key) else key for kind, key in given.items()}
        found = find_columns(frame, keys, only_covariates=True)
        named = np.concatenate(list(found.values()))
        for i in np.setdiff1d(np.arange(frame.shape[1]), named):
            _refuse_dates(frame.iloc[:, i])
            kind = "numeric" if holds_numbers(frame.iloc[:, i]) else "categorical"
            kind = kind if _is_auto(given[kind]) else "ignored"
            found[kind] = np.append(found[kind], i)
        return {kind: sorted(map(int, found[kind])) for kind in given}

    # --- sampling ---

    def sample_y(
        self,
        X: ArrayLike,
        n_samples: int = 1,
        random_state: int | np.random.RandomState | None = None,
    ) -> pd.DataFrame:
        """Draw expression under given covariates.

        The random numbers depend on `random_state` and on the number of the row, and not on the
        covariates. So two calls with the same seed draw the same latent states under different
        covariates, such as the same sample with and without a disease.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_columns)
            The covariates of the samples to draw, one row per sample. A frame needs the covariates
            seen in fit only, in any order.
        n_samples : int, default=1
            Number of draws for each row.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        DataFrame of shape (n_rows * n_samples, n_genes)
            Expression in the units of fit; float32 if it was float32 in fit, else float64. The
            index is that of X. With several draws a second level, ``draw``, is added,
            and all rows of a draw stand together.

        Raises
        ------
        UnknownCategoryError
            If a covariate holds a category that fit has not met. The message lists the known ones.
        FeatureMismatchError
            If a covariate seen in fit is absent.
        ValueError
            If a number is infinite, or `n_samples` is not a positive number.
        """
        check_is_fitted(self, "covariates_")
        check_n_samples(n_samples)
        table, index = self._sampling_table(X)
        return labelled_draws(
            lambda random: self._draw(table, random),
            index,
            self.target_names_,
            n_samples,
            random_state,
        )

    def _draw(self, table: CovariateTable, random: np.random.Generator) -> np.ndarray:
        """Return one draw for each row of the covariates, of shape (n_rows, n_genes).

        Row i must use the same random numbers whatever the other rows and the covariates are.
        """
        raise NotImplementedError

    def _sampling_table(self, covariates: Any) -> tuple[CovariateTable, pd.Index]:
        """Return the covariates in the layout of fit, and the index of the rows."""
        names = getattr(self, "feature_names_in_", None)
        frame = _as_frame(covariates)
        index = frame.index
        if names is not None and isinstance(covariates, pd.DataFrame):
            columns = self.covariates_.columns_
            used = names[[*columns["categorical"], *columns["numeric"]]]
            lacking = [name for name in used if name not in frame.columns]
            if lacking:
                raise FeatureMismatchError(
                    f"covariates lack {len(lacking)} of {len(used)} columns seen in fit "
                    f"({_some(lacking)}). Add them; the columns are {_some(frame.columns, 8)}."
                )
            frame = frame.reindex(columns=names)
        table = self.covariates_.split(
            frame if isinstance(covariates, pd.DataFrame) else frame.to_numpy(), owner=self
        )
        self._refuse_unknown(table.categorical)
        return table, index

    def _refuse_unknown(self, categorical: np.ndarray) -> None:
        """Raise an error if a category was not seen in fit."""
        encoder: Any = self.covariates_.category_encoder_
        for j, name in enumerate(self.covariates_.labels("categorical")):
            known = encoder.categories_[j]
            met = {value for value in known if value == value}
            present = [value for value in categorical[:, j] if value == value]
            odd = set(present) - met
            lost = len(present) < len(categorical) and len(met) == len(known)
            if not odd and not lost:
                continue
            what = f"the level {_some(_quoted(odd))}" if odd else "missing values"
            raise UnknownCategoryError(
                f"Covariate {name!r} holds {what}, which fit has not met. Known levels: "
                f"{_some(_quoted(met), 30)}. Use one of these, or fit on samples that have the "
                "other, or without this covariate."
            )

    # --- names and tags ---

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the genes that are drawn.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str, dtype object
            The names of the genes.
        """
        check_is_fitted(self, "covariates_")
        return np.array(self.target_names_, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()  # type: ignore[misc]  # of the estimator
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _quoted(levels: set[Any]) -> list[str]:
    """Return levels in quotes, because they may hold commas."""
    return [repr(str(level)) for level in sorted(levels, key=str)]


def _refuse_dates(column: pd.Series) -> None:
    if column.dtype.kind in "mM" or isinstance(column.dtype, pd.PeriodDtype):
        raise ValueError(
            f"The covariate {column.name!r} holds {column.dtype}, which is neither a category nor "
            "a number. Turn it into one of these, such as days since the first date, or name it in "
            "ignored_columns."
        )


def _is_auto(key: Any) -> bool:
    return isinstance(key, str) and key == "auto"


def _as_frame(covariates: Any) -> pd.DataFrame:
    """Return a table of covariates as a frame; columns of an array may differ in kind."""
    check_column_names(covariates, "covariates")
    if isinstance(covariates, pd.DataFrame):
        return covariates
    array = check_array(covariates, dtype=None, ensure_all_finite=False, input_name="X")
    return pd.DataFrame(array).infer_objects()
