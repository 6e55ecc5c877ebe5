"""Many fits: in parallel, resumed from stored outcomes, with a progress bar."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from sklearn.exceptions import FitFailedWarning
from sklearn.utils.parallel import Parallel, delayed
from tqdm import tqdm

from omitrans.model_selection._cache import read_outcome, write_outcome
from omitrans.model_selection._outcome import Outcome


class Run(NamedTuple):
    """One fit that is to be done.

    Attributes
    ----------
    evaluate : callable
        Returns an Outcome.
    args : tuple
        Its arguments.
    options : dict
        Its keyword arguments.
    path : pathlib.Path or None
        Where the outcome is stored.
    """

    evaluate: Callable[..., Outcome]
    args: tuple[Any, ...]
    options: Mapping[str, Any]
    path: Path | None = None


def carry_out(runs: Mapping[Any, Run], *, n_jobs: int | None, verbose: int) -> dict[Any, Outcome]:
    """Return the outcome of every run, some of which may be stored already.

    Parameters
    ----------
    runs : dict of Run
        By their keys.
    n_jobs : int or None
        How many at once.
    verbose : int
        A progress bar if 1 or more.

    Returns
    -------
    dict of Outcome
        In the order of the runs.
    """
    stored = {key: read_outcome(run.path) for key, run in runs.items() if run.path is not None}
    found: dict[Any, Outcome] = {key: outcome for key, outcome in stored.items() if outcome}
    missing = [key for key in runs if key not in found]
    outcomes = _parallel(n_jobs)(delayed(evaluate_and_store)(*runs[key]) for key in missing)
    bar = tqdm(
        outcomes,
        total=len(runs),
        initial=len(found),
        unit="fit",
        desc="compare",
        disable=verbose < 1,
    )
    found |= dict(zip(missing, bar, strict=True))
    return {key: found[key] for key in runs}


def evaluate_and_store(
    evaluate: Callable[..., Outcome],
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    path: Path | None,
) -> Outcome:
    """Carry out a run and, given a path, write the outcome before handing it back.

    Parameters
    ----------
    evaluate, args, options, path
        Those of a :class:`Run`.

    Returns
    -------
    Outcome
        The outcome.
    """
    outcome = evaluate(*args, **options)
    if path is None:
        return outcome
    return outcome._replace(not_stored=write_outcome(path, outcome))


def check_models(models: Mapping[str, Any], method: str, parameter: str = "models") -> None:
    """Raise unless all are unfitted estimators by name.

    Parameters
    ----------
    models : dict
        Estimators by name.
    method : str
        What they need beside fit.
    parameter : str, default="models"
        What the caller's user calls them.
    """
    if not models:
        raise ValueError(f"{parameter} is empty. Give a dict of names and estimators.")
    for name, model in models.items():
        if not isinstance(name, str):
            raise TypeError(f"The keys of {parameter} must be text; found {name!r}.")
        if isinstance(model, type) or not (hasattr(model, "fit") and hasattr(model, method)):
            raise TypeError(
                f"{parameter}[{name!r}] must be an estimator with fit and {method}; "
                f"found {model!r}."
            )


def report_not_stored(found: Mapping[Any, Outcome], cache_dir: Any) -> None:
    """Warn if outcomes could not be written.

    Parameters
    ----------
    found : dict of Outcome
        All of them.
    cache_dir : str or pathlib.Path or None
        Where they should have gone.
    """
    lost = [outcome.not_stored for outcome in found.values() if outcome.not_stored]
    if lost:
        warnings.warn(
            f"{len(lost)} folds could not be written to cache_dir={str(cache_dir)!r} ({lost[0]}). "
            "The comparison is complete, but would compute them again.",
            stacklevel=4,  # the caller of a comparison and its validating wrapper
        )


def report_failures(found: Mapping[Any, Outcome], columns: list[str]) -> pd.DataFrame:
    """Warn of every model that failed somewhere; raise if nothing succeeded.

    Parameters
    ----------
    found : dict of Outcome
        By keys whose first part is the name of the model.
    columns : list of str
        What the parts of a key are.

    Returns
    -------
    DataFrame
        One row a failure, with these columns and ``error``.
    """
    rows = [(*key, outcome.error) for key, outcome in found.items() if outcome.error]
    errors = pd.DataFrame(rows, columns=[*columns, "error"])
    if len(errors) == len(found):
        raise ValueError(f"All {len(found)} fits failed. The first said: {rows[0][-1]}")
    for name, failures in errors.groupby("model", sort=False):
        first = failures.iloc[0]
        warnings.warn(
            f"Model {name!r} failed in {len(failures)} folds, so its summary is NaN "
            f"(see errors). In fold {first['fold']} it said: {first['error']}",
            FitFailedWarning,
            stacklevel=4,  # the caller of a comparison and its validating wrapper
        )
    return errors


def _parallel(n_jobs: int | None) -> Any:
    """Return a Parallel that hands outcomes over one by one where the backend can."""
    try:
        return Parallel(n_jobs=n_jobs, return_as="generator")
    except ValueError:  # dask's and ray's cannot
        return Parallel(n_jobs=n_jobs)
