"""Steps of a Pipeline that work on a view of the columns instead of a table."""

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from omitrans.preprocessing._align import LocationAligner
from omitrans.preprocessing._column_view import ColumnView, TableSource
from omitrans.preprocessing._columns import ColumnsMixin, check_table, one_dtype, remember_view
from omitrans.preprocessing._missing_rate_filter import MissingRateFilter
from omitrans.preprocessing.probes import ArrayHarmonizer, ProbeFilter
from omitrans.utils._sklearn import get_output_config

# Exactly these: a subclass may do anything.
_CHOOSING = (ProbeFilter, MissingRateFilter, LocationAligner)
COLUMN_STEPS = (ArrayHarmonizer, *_CHOOSING, VarianceThreshold, SimpleImputer)


class ColumnStep:
    """Wrapper of a Pipeline step that passes on views where possible, and tables elsewhere.

    The step behaves as if it were in the Pipeline itself: it learns the same and raises the same
    errors. Where a view is not sufficient, the step gets the table.

    Parameters
    ----------
    step : transformer
        Step to wrap, of one of the classes in ``COLUMN_STEPS``.
    last : bool
        Whether the next step accepts no views.
    """

    def __init__(self, step: Any, *, last: bool) -> None:
        self.step, self.last = step, last

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit the step."""
        if not _fit_view(self.step, X, params):
            self.step.fit(_as_table(X), y, **params)
        return self

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit the step, and return the transformed samples."""
        if isinstance(X, ColumnView) and _reads_values(self.step, X):
            X = X.held()
        if not _fit_view(self.step, X, params):
            if not _begins_view(self.step, X):
                return self.step.fit_transform(_as_table(X), y, **params)
            self.step.fit(X, y, **params)
        view = _view_behind(self.step, X, training=True)
        if view is None:
            return self.step.transform(_as_table(X))
        return view.to_table(last=True) if self.last else view

    def transform(self, X: Any) -> Any:
        """Return the transformed samples."""
        view = _view_behind(self.step, X, training=False)
        if view is None:
            return self.step.transform(_as_table(X))
        return view.to_table() if self.last else view

    def __sklearn_is_fitted__(self) -> bool:
        check_is_fitted(self.step)
        return True

    def __sklearn_tags__(self) -> Tags:
        return get_tags(self.step)


def with_column_steps(steps: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]] | None:
    """Return the steps of a Pipeline, where steps that select or fill columns work on views.

    Parameters
    ----------
    steps : iterable of (str, transformer)
        Steps of the Pipeline.

    Returns
    -------
    list of (str, transformer) or None
        Steps in which consecutive steps of that kind are wrapped in a :class:`ColumnStep`. None if
        there are no such steps.
    """
    steps = list(steps)
    places = [i for i, (_, step) in enumerate(steps) if not _does_nothing(step)]
    views = {i for i in places if type(steps[i][1]) in COLUMN_STEPS}
    found = False
    for i, following in zip(places, [*places[1:], None], strict=False):
        if i not in views:
            continue
        name, step = steps[i]
        last = following not in views
        found |= not last
        steps[i] = name, ColumnStep(step, last=last)
    return steps if found else None


def _does_nothing(step: Any) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def _as_table(X: Any) -> Any:
    return X.to_table() if isinstance(X, ColumnView) else X


def _reads_values(step: Any, view: ColumnView) -> bool:
    """Return whether fit reads the values of a view."""
    if isinstance(step, MissingRateFilter):
        return not view.complete
    return isinstance(step, VarianceThreshold | SimpleImputer)


# --- whether a view is sufficient ---


def _output_of(step: Any) -> str:
    return get_output_config("transform", step)["dense"]


def _named(X: Any) -> bool:
    return isinstance(X, pd.DataFrame)


def _gives_frames_or_arrays(step: Any) -> bool:
    return _output_of(step) in ("default", "pandas")


def _begins_view(step: Any, X: Any) -> bool:
    """Return whether a step can make a view of a table, named like its training table."""
    if isinstance(X, ColumnView) or not _gives_frames_or_arrays(step):
        return False
    if not isinstance(X, pd.DataFrame):
        numbers = isinstance(X, np.ndarray) and X.ndim == 2
    else:
        numbers = X.shape[1] > 0 and isinstance(X.columns[0], str)
    if isinstance(step, ArrayHarmonizer):
        return numbers
    if not numbers or not isinstance(step, ColumnsMixin):
        return False
    dtype = one_dtype(X) if isinstance(X, pd.DataFrame) else X.dtype
    return dtype in (np.float32, np.float64)


def _suits(step: Any, view: ColumnView) -> bool:
    """Return whether a step does the same with a view as with its table."""
    if not _gives_frames_or_arrays(step):
        return False
    if isinstance(step, ColumnsMixin):
        return step.unit is None or view.is_beta
    if isinstance(step, VarianceThreshold):  # of an array it makes one of another layout
        return view.names is not None and _output_of(step) == "pandas"
    return isinstance(step, SimpleImputer) and _is_plain(step)


def _can_be_fitted(step: Any, view: ColumnView) -> bool:
    """Return whether a step can be fitted to a view without warnings or errors."""
    if not _suits(step, view):
        return False
    if isinstance(step, ColumnsMixin):
        return True
    # a column that is missing altogether makes NumPy warn
    return view.shape[1] > 1 and (view.complete or bool(view.missing_rates().max() < 1))


def _is_plain(imputer: SimpleImputer) -> bool:
    """Return whether an imputer fills NaN with one number per column and does nothing else."""
    missing = imputer.missing_values
    return (
        imputer.strategy in ("mean", "median")
        and isinstance(missing, float)
        and np.isnan(missing)
        and not imputer.add_indicator
    )


def _knows(step: Any, view: ColumnView) -> bool:
    """Return whether the columns of a view are those that a step was fitted to."""
    if getattr(step, "n_features_in_", None) != view.shape[1]:
        return False
    known = getattr(step, "feature_names_in_", None)
    if view.names is None or known is None:
        return view.names is known
    names = np.asarray(view.names, dtype=object)
    return names is known or np.array_equal(names, known)


# --- fit ---


def _fit_view(step: Any, X: Any, params: dict[str, Any]) -> bool:
    """Fit a step to a view, and return whether that was possible."""
    if not isinstance(X, ColumnView) or params or not _can_be_fitted(step, X):
        return False
    if isinstance(step, ColumnsMixin):
        step._fit_view(X)
    else:
        _fit_by_blocks(step, X)
    return True


def _fit_by_blocks(step: Any, view: ColumnView) -> None:
    """Fit a step that learns from each column separately, to some columns at a time."""
    parts, faults, widths = [], [], []
    for _, block in view.blocks():
        part = clone(step)
        try:
            part.fit(block)
        except ValueError as fault:  # no column of this block varies enough
            if not hasattr(part, "variances_"):
                raise
            faults.append(fault)
        parts.append(part)
        widths.append(block.shape[1])
    for name, first in vars(parts[0]).items():
        if name in step.get_params(deep=False) or name == "_sklearn_output_config":
            continue
        if isinstance(first, np.ndarray) and first.shape == (widths[0],):
            setattr(step, name, np.concatenate([getattr(part, name) for part in parts]))
        else:
            setattr(step, name, first)
    remember_view(step, view)
    if len(faults) == len(parts):
        raise faults[0]


# --- transform ---


def _view_behind(step: Any, X: Any, *, training: bool) -> ColumnView | None:
    """Return the transformed view of a view or table; None if the step needs the table."""
    check_is_fitted(step)
    if isinstance(X, ColumnView):
        known = _suits(step, X) and _knows(step, X)
        view = _CHANGES[type(step)](step, X) if known else None
    elif not _begins_view(step, X) or _named(X) != hasattr(step, "feature_names_in_"):
        view = None
    elif isinstance(step, ArrayHarmonizer):
        view = _view_of_probes(step, X, training=training)
    else:
        view = _view_of_table(step, X, training=training)
    return None if view is None else _as_output(step, view)


def _as_output(step: Any, view: ColumnView) -> ColumnView:
    """Return the view in the container that a step is set to return."""
    if _output_of(step) == "pandas":
        if view.names is None:
            return view.named(step.get_feature_names_out(), framed=True)
        return view.named(np.asarray(view.names, dtype=object), framed=True)
    if isinstance(step, VarianceThreshold | SimpleImputer):
        return view.named(None, framed=False)
    return view


def _view_of_probes(step: ArrayHarmonizer, X: Any, *, training: bool) -> ColumnView:
    if training:
        return step._view_of_training(X)
    return step._view(*step._check_new(X), judge=True)


def _view_of_table(step: ColumnsMixin, X: Any, *, training: bool) -> ColumnView:
    """Return the view after the first step, which checks the values."""
    if not training:  # fit has checked them
        X = check_table(step, X, reset=False, unit=step.unit)
    framed = isinstance(X, pd.DataFrame)
    source = TableSource(X.to_numpy() if framed else np.asarray(X), complete=False)
    names, index = (X.columns, X.index) if framed else (None, None)
    view = ColumnView(source, names=names, index=index, is_beta=step.unit == "beta")
    return view.take(step.column_indices_)


def _choose_columns(step: ColumnsMixin, view: ColumnView) -> ColumnView:
    return view.take(step.column_indices_)


def _choose_varying(step: VarianceThreshold, view: ColumnView) -> ColumnView | None:
    indices = step.get_support(indices=True)
    return view.take(indices) if len(indices) else None


def _fill_columns(step: SimpleImputer, view: ColumnView) -> ColumnView | None:
    statistics = step.statistics_
    # columns without a mean are dropped, with a warning; means are rounded to the dtype of fit
    if np.isnan(statistics).any() or view.source.dtype != step._fit_dtype:
        return None
    return view.impute(statistics)


_CHANGES: dict[type, Callable[[Any, ColumnView], ColumnView | None]] = {
    **dict.fromkeys(_CHOOSING, _choose_columns),
    VarianceThreshold: _choose_varying,
    SimpleImputer: _fill_columns,
}
