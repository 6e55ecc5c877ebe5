"""Many fits: in parallel, resumed from stored outcomes, with a progress bar."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from sklearn.exceptions import FitFailedWarning
from sklearn.utils.parallel import Parallel, delayed
from tqdm import tqdm

from omitrans.comparison._cache import read_outcome, write_outcome
from omitrans.comparison._outcome import Outcome
from omitrans.utils._callers import user_level


class Run(NamedTuple):
    """One job, which gives one or several outcomes.

    Attributes
    ----------
    evaluate : callable
        Called as ``evaluate(*args, parts=[...], **options)``; returns an Outcome for each part.
    args : tuple
        Positional arguments of `evaluate`.
    options : dict
        Keyword arguments of `evaluate`.
    parts : dict of (object, pathlib.Path or None)
        For the key of each outcome, the part to evaluate and the path where the outcome is stored.
    """

    evaluate: Callable[..., list[Outcome]]
    args: tuple[Any, ...]
    options: Mapping[str, Any]
    parts: Mapping[Any, tuple[Any, Path | None]]


def carry_out(runs: Sequence[Run], *, n_jobs: int | None, verbose: int) -> dict[Any, Outcome]:
    """Return the outcomes of all runs, some of which may be stored already.

    Parameters
    ----------
    runs : sequence of Run
        Runs to carry out.
    n_jobs : int or None
        Number of runs in parallel.
    verbose : int
        Whether to show a progress bar: 1 or more shows it.

    Returns
    -------
    dict of Outcome
        Outcomes by their keys, in the order of the runs.
    """
    found: dict[Any, Outcome] = {}
    for run in runs:
        for key, (_, path) in run.parts.items():
            outcome = None if path is None else read_outcome(path)
            if outcome is not None:
                found[key] = outcome
    rests = [
        run._replace(parts={key: part for key, part in run.parts.items() if key not in found})
        for run in runs
    ]
    missing = [run for run in rests if run.parts]
    outcomes = tqdm(
        _parallel(n_jobs)(delayed(evaluate_and_store)(run) for run in missing),
        total=len(runs),
        initial=len(runs) - len(missing),
        unit="fit",
        desc="compare",
        disable=verbose < 1,
    )
    for run, results in zip(missing, outcomes, strict=True):
        found |= dict(zip(run.parts, results, strict=True))
    return {key: found[key] for run in runs for key in run.parts}


def evaluate_and_store(run: Run) -> list[Outcome]:
    """Carry out a run, write those of its outcomes that have a path, and return all outcomes.

    Parameters
    ----------
    run : Run
        Run to carry out.

    Returns
    -------
    list of Outcome
        Outcomes, one per part.
    """
    parts = [part for part, _ in run.parts.values()]
    outcomes = run.evaluate(*run.args, parts=parts, **run.options)
    paths = [path for _, path in run.parts.values()]
    return [
        outcome if path is None else outcome._replace(not_stored=write_outcome(path, outcome))
        for outcome, path in zip(outcomes, paths, strict=True)
    ]


def check_models(models: Mapping[str, Any], method: str, parameter: str = "models") -> None:
    """Raise an error unless all models are estimators with the given method.

    Parameters
    ----------
    models : dict
        Estimators by their names.
    method : str
        Name of the method that every model needs beside ``fit``.
    parameter : str, default="models"
        Name of the parameter that holds the models, for error messages.
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
        All outcomes.
    cache_dir : str or pathlib.Path or None
        Folder to which the outcomes should have been written.
    """
    lost = [outcome.not_stored for outcome in found.values() if outcome.not_stored]
    if lost:
        warnings.warn(
            f"{len(lost)} folds could not be written to cache_dir={str(cache_dir)!r} ({lost[0]}). "
            "The comparison is complete, but would compute them again.",
            stacklevel=user_level(),
        )


def report_failures(found: Mapping[Any, Outcome], columns: list[str]) -> pd.DataFrame:
    """Warn about every model that failed in a run; raise an error if no run succeeded.

    Parameters
    ----------
    found : dict of Outcome
        Outcomes by keys whose first part is the name of the model.
    columns : list of str
        Names of the parts of a key.

    Returns
    -------
    DataFrame
        Table with one row per failure, with these columns and ``error``.
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
            stacklevel=user_level(),
        )
    return errors


def _parallel(n_jobs: int | None) -> Any:
    """Return a Parallel that returns outcomes one by one where the backend supports it."""
    try:
        return Parallel(n_jobs=n_jobs, return_as="generator")
    except ValueError:  # dask's and ray's cannot
        return Parallel(n_jobs=n_jobs)
