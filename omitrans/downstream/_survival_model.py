"""Survival predicted from many genes: ridge-penalised Cox models, judged by nested folds."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from omitrans.metrics._survival import concordance_index, uno_concordance_index
from omitrans.model_selection._folds import Split, make_folds, sample_groups
from omitrans.solvers._cox import cox_fits
from omitrans.solvers._cox_ridge import Directions, cox_loglik, cox_ridge_path
from omitrans.solvers._risk_sets import TIES, RiskSets
from omitrans.solvers._workers import workers
from omitrans.utils._random_state import own_random_state
from omitrans.utils._sklearn import Interval, StrOptions, validate_params
from omitrans.utils._survival import check_expression, check_survival, require_events

STRENGTHS = np.logspace(4, -1, 16)
_INDICES = ("harrell", "uno")


@dataclass(frozen=True, eq=False)
class CoxValidation:
    """Result of :func:`cross_validate_cox`: survival predicted for held-out samples, and how well.

    Parameters
    ----------
    risk : Series
        Log relative hazard of each sample by the model that it had no part in. Models of different
        folds have different baselines, so risks are compared within a fold.
    folds : DataFrame
        One row per fold: ``n_train``, ``n_test`` and ``n_events``, the events among the test
        samples; ``n_genes``, the genes that passed the screening; ``strength``, the chosen penalty
        relative to the information in the data; ``penalty``; and ``harrell`` and ``uno``, the
        concordance indices, NaN if no pair of test samples is comparable.
    fold_of_sample : Series
        Fold in which each sample was tested.
    scores : DataFrame
        One row per index, ``harrell`` and ``uno``: ``mean`` over the folds that have it, ``lower``
        and ``upper`` (see `cross_validate_cox`), and ``n_folds``.
    """

    risk: pd.Series
    folds: pd.DataFrame
    fold_of_sample: pd.Series
    scores: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Problem:
    """Checked tables, and how models are fitted to rows of them."""

    values: np.ndarray
    time: np.ndarray
    event: np.ndarray
    ties: str
    screen: float | None
    min_genes: int
    strengths: np.ndarray

    def sets(self, rows: np.ndarray) -> RiskSets:
        return RiskSets.of(self.time[rows], self.event[rows], None, self.ties)

    def screened(self, rows: np.ndarray) -> np.ndarray:
        """Return the genes that go with survival in these rows, by the score test."""
        if self.screen is None:
            return np.arange(self.values.shape[1])
        fits = cox_fits(
            self.values[rows], self.time[rows], self.event[rows], ties=self.ties, score_only=True
        )
        p = np.where(np.isnan(fits.score), 1.0, stats.chi2.sf(fits.score, 1))
        passed = np.flatnonzero(p < self.screen)
        if len(passed) < self.min_genes:
            passed = np.sort(np.argsort(p, kind="stable")[: self.min_genes])
        return passed

    def penalties(self, directions: Directions, sets: RiskSets) -> np.ndarray:
        """Return penalties; strength 1 equals the information along a direction, on average."""
        # the sum over directions, of which there are none if no gene varies in a fold
        spread = np.sum(directions.scores**2) / len(directions.scores)
        return (
            self.strengths
            * max(spread, np.finfo(float).tiny)
            * sets.event.sum()
            / len(directions.scores)
        )

    def gain(self, train: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """Return, for each penalty, the likelihood that models of `kept` give the rest of `train`.

        It is the log-likelihood of all of `train` less that of the samples of the fit (P. Verweij
        and H. van Houwelingen, Statistics in Medicine 12(24), 1993).
        """
        genes = self.screened(kept)
        directions = Directions.of(self.values[np.ix_(kept, genes)])
        sets = self.sets(kept)
        path = cox_ridge_path(directions.scores, sets, self.penalties(directions, sets))
        fitted = directions.scores @ path
        rest = np.setdiff1d(train, kept)
        others = directions.rotate(self.values[np.ix_(rest, genes)]) @ path
        everyone = self.sets(np.concatenate([kept, rest]))
        both = np.concatenate([fitted, others])
        return cox_loglik(everyone, both) - cox_loglik(sets, fitted)

    def predict(self, train: np.ndarray, test: np.ndarray, best: int) -> tuple[np.ndarray, dict]:
        """Return the risk of test samples with the chosen penalty, and facts about the model."""
        genes = self.screened(train)
        directions = Directions.of(self.values[np.ix_(train, genes)])
        sets = self.sets(train)
        penalties = self.penalties(directions, sets)[: best + 1]
        beta = cox_ridge_path(directions.scores, sets, penalties)[:, -1]
        facts = {
            "n_genes": len(genes),
            "strength": self.strengths[best],
            "penalty": penalties[-1],
        }
        return directions.rotate(self.values[np.ix_(test, genes)]) @ beta, facts


@validate_params(
    {
        "inner_folds": [Interval(Integral, 2, None, closed="left")],
        "screen": [Interval(Real, 0, 1, closed="right"), None],
        "min_genes": [Interval(Integral, 1, None, closed="left")],
        "strengths": ["array-like", None],
        "ties": [StrOptions(set(TIES))],
        "tau": [Interval(Real, 0, None, closed="neither"), None],
        "level": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def cross_validate_cox(
    expression: Any,
    time: Any,
    event: Any,
    *,
    folds: Any = 5,
    inner_folds: int = 10,
    screen: float | None = 0.05,
    min_genes: int = 100,
    strengths: Any = None,
    ties: str = "efron",
    tau: float | None = None,
    groups: Any = "auto",
    level: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
) -> CoxValidation:
    """Predict survival by ridge-penalised Cox models, and test it on held-out samples.

    In each fold, genes are screened, standardised and fitted together on the training samples
    alone. The penalty is chosen by cross-validation within the training samples, which screens
    again in each of its folds, so that no sample helps to choose anything by which it is judged.

    Parameters
    ----------
    expression : array-like or DataFrame of shape (n_samples, n_genes)
        Expression in any unit, without missing values.
    time : array-like or Series of shape (n_samples,)
        Time of the event or of censoring, in any unit; numbers above 0.
    event : array-like or Series of shape (n_samples,)
        True or 1 where the event was seen, False or 0 where the sample was censored.
    folds : int, splitter or iterable, default=5
        Folds of the test samples. A number makes shuffled folds with equal shares of events.
    inner_folds : int, default=10
        Number of folds within training samples, for the choice of the penalty.
    screen : float, default=0.05
        Genes are kept if the p-value of their score test (a Cox model of one gene) is below this.
        None keeps all genes.
    min_genes : int, default=100
        If fewer genes pass, this many with the smallest p-values are kept.
    strengths : array-like of shape (n_strengths,), default=None
        Penalties to choose from, as multiples of the information that the data hold along a
        direction on average: 1 halves an average coefficient. None tries 16 values from 10,000
        down to 0.1.
    ties : {"efron", "breslow"}, default="efron"
        Treatment of events at the same time.
    tau : float, default=None
        Time up to which Uno's index counts events; see
        :func:`omitrans.metrics.uno_concordance_index`. Censoring is estimated from the training
        samples.
    groups : "auto", array-like of shape (n_samples,) or None, default="auto"
        Patient of each sample; all samples of a patient stand on one side of each split. "auto"
        reads patients from sample ids of TCGA, TARGET or GTEx.
    level : float, default=0.95
        Level of the intervals.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds.

    Returns
    -------
    CoxValidation
        Risks of held-out samples, results by fold, and mean indices with intervals. The interval
        is Student's over folds, with the variance enlarged by ``n_test / n_train`` because the
        training samples of folds overlap (Nadeau and Bengio).

    Raises
    ------
    SampleMismatchError
        If the tables do not hold the same samples in the same order.
    ValueError
        If there are too few samples, events or groups for the folds, if times, events or
        expression are unusable, or if no gene varies.

    See Also
    --------
    prognosis_genes : Test genes one by one.

    Notes
    -----
    A model of n training samples costs a few times n³ operations for each penalty, however many
    genes there are.

    References
    ----------
    X. Zhou et al., "Imputing missing RNA-sequencing data from DNA methylation by using a transfer
    learning-based neural network", GigaScience 9(7), 2020, whose protocol this follows, with the
    screening inside the inner folds, too.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.downstream import cross_validate_cox
    >>> rng = np.random.default_rng(0)
    >>> expression = rng.normal(size=(150, 40))
    >>> time = rng.exponential(np.exp(-2 * expression[:, 0]))
    >>> event = rng.uniform(size=150) < 0.7
    >>> result = cross_validate_cox(expression, time, event, inner_folds=3, random_state=0)
    >>> bool(result.scores.loc["harrell", "mean"] > 0.7)
    True
    """
    values, samples, _ = check_expression(expression)
    times, events = check_survival(time, event, expression)
    if (values == values[0]).all():
        raise ValueError(
            f"All {values.shape[1]} genes are the same in all samples, so that no model can tell "
            "the samples apart. Give expression that varies."
        )
    problem = _Problem(values, times, events, ties, screen, min_genes, _sorted_strengths(strengths))
    random = own_random_state(random_state)
    groups = sample_groups(expression, groups)
    splits = _event_folds(folds, events, groups, random, "folds")
    tasks, numbers = [], []
    for number, (train, _) in enumerate(splits):
        inner_groups = None if groups is None else groups[train]
        inner = _event_folds(inner_folds, events[train], inner_groups, random, "inner_folds")
        tasks += [(train, train[kept]) for kept, _ in inner]
        numbers += [number] * len(inner)
    gains = np.zeros((len(splits), len(problem.strengths)))
    with workers() as pool:
        for number, gain in zip(
            numbers, pool.results(lambda task: problem.gain(*task), tasks), strict=True
        ):
            gains[number] += gain
        best = np.argmax(gains, axis=1)
        jobs = [(*split, number) for split, number in zip(splits, best, strict=True)]
        predicted = list(pool.results(lambda job: problem.predict(*job), jobs))
    return _result(problem, samples, splits, predicted, tau, level)


def _sorted_strengths(strengths: Any) -> np.ndarray:
    """Return the strengths of penalties from the greatest to the smallest."""
    values = STRENGTHS if strengths is None else np.asarray(strengths, dtype=np.float64).ravel()
    if not len(values) or not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"strengths must hold finite numbers above 0; found {strengths!r}.")
    return np.sort(values)[::-1]


def _event_folds(
    folds: Any, event: np.ndarray, groups: np.ndarray | None, random: Any, name: str
) -> list[Split]:
    """Return folds with equal shares of events, or those of a given splitter."""
    if isinstance(folds, Integral):
        n_folds = int(folds)
        if n_folds < 2:
            raise ValueError(f"{name} must be 2 or more; found {n_folds}.")
        require_events(event, at_least=n_folds, why=f"{name}={n_folds} needs")
        n_units = len(event) if groups is None else len(np.unique(groups))
        if n_units < n_folds:
            what = "samples" if groups is None else "groups, such as patients"
            raise ValueError(f"{name}={n_folds} needs at least that many {what}; found {n_units}.")
        make = StratifiedKFold if groups is None else StratifiedGroupKFold
        folds = make(n_folds, shuffle=True, random_state=random)
        labels = event if (~event).sum() >= n_folds else np.zeros(len(event))
    else:
        labels = event
    splits = [
        (np.asarray(train), np.asarray(test))
        for train, test in make_folds(folds, event, labels, groups, each_once=True)
    ]
    for train, _ in splits:
        require_events(event[train], at_least=2, why=f"Each training part of {name} needs")
    return splits


def _result(
    problem: _Problem,
    samples: pd.Index,
    splits: list[Split],
    predicted: list[tuple[np.ndarray, dict]],
    tau: float | None,
    level: float,
) -> CoxValidation:
    """Judge the predictions of all folds."""
    risk, fold_of_sample = np.empty(len(samples)), np.empty(len(samples), dtype=int)
    rows = []
    for number, ((train, test), (risks, facts)) in enumerate(zip(splits, predicted, strict=True)):
        risk[test], fold_of_sample[test] = risks, number
        outcome = problem.time[test], problem.event[test], risks
        past = {"train_time": problem.time[train], "train_event": problem.event[train]}
        row: dict[str, Any] = {
            "n_train": len(train),
            "n_test": len(test),
            "n_events": int(outcome[1].sum()),
        }
        row |= facts
        row["harrell"] = _or_nan(concordance_index, *outcome)
        row["uno"] = _or_nan(uno_concordance_index, *outcome, **past, tau=tau)
        rows.append(row)
    table = pd.DataFrame(rows).rename_axis("fold")
    scores = pd.DataFrame([_mean_with_interval(table, name, level) for name in _INDICES])
    return CoxValidation(
        risk=pd.Series(risk, samples, name="risk"),
        folds=table,
        fold_of_sample=pd.Series(fold_of_sample, samples, name="fold"),
        scores=scores.set_index(pd.Index(_INDICES, name="index")),
    )


def _or_nan(index: Any, *outcome: np.ndarray, **options: Any) -> float:
    """Return a concordance index, or NaN where nothing is comparable."""
    try:
        return index(*outcome, **options)
    except ValueError:  # the only fault left in outcomes that were checked before
        return np.nan


def _mean_with_interval(folds: pd.DataFrame, name: str, level: float) -> dict[str, float]:
    """Return the mean over folds and its interval."""
    values = folds[name].dropna()
    n = len(values)
    mean = float(values.mean()) if n else np.nan
    margin = np.nan
    if n > 1:
        ratio = float((folds["n_test"] / folds["n_train"]).mean())
        error = float(np.sqrt((1 / n + ratio) * values.var()))
        margin = float(stats.t.isf((1 - level) / 2, n - 1)) * error
    lower, upper = np.clip([mean - margin, mean + margin], 0.0, 1.0)
    return {"mean": mean, "lower": lower, "upper": upper, "n_folds": n}
