"""downstream_report: what predicted expression is good for, beside trivial controls."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from omitrans.downstream import _tasks as tasks
from omitrans.downstream._controls import control_predictions
from omitrans.downstream._report_checks import check_described, check_ids
from omitrans.downstream._result import COLUMNS, DownstreamReport
from omitrans.downstream._tasks import MEASURED, Options, Setting
from omitrans.exceptions import FeatureMismatchError, UnknownCategoryWarning
from omitrans.inference import predict_frame
from omitrans.utils._callers import user_level
from omitrans.utils._random_state import own_random_state
from omitrans.utils._sklearn import HasMethods, Interval, validate_params
from omitrans.utils._survival import check_survival
from omitrans.utils._validation import _some, check_paired_samples

SETTINGS = ("test", "union")


@validate_params(
    {
        "measured": [pd.DataFrame],
        "train_expression": [pd.DataFrame],
        "methylation": [pd.DataFrame, None],
        "train_methylation": [pd.DataFrame, None],
        "covariates": [pd.DataFrame, None],
        "time": [pd.Series, None],
        "event": [pd.Series, None],
        "classes": [pd.Series, None],
        "classifier": [HasMethods(["fit", "predict_proba"]), None],
        "threshold": [Interval(Real, 0, 1, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="right")],
        "k": [Interval(Integral, 1, None, closed="left")],
        "n_clusters": [Interval(Integral, 2, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_bootstrap": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def downstream_report(
    predictions: Any,
    measured: pd.DataFrame,
    *,
    train_expression: pd.DataFrame,
    methylation: pd.DataFrame | None = None,
    train_methylation: pd.DataFrame | None = None,
    covariates: pd.DataFrame | None = None,
    time: pd.Series | None = None,
    event: pd.Series | None = None,
    classes: pd.Series | None = None,
    classifier: Any = None,
    settings: Any = SETTINGS,
    threshold: float = 0.5,
    alpha: float = 0.05,
    k: int = 100,
    n_clusters: int = 2,
    n_components: int = 5,
    groups: Any = "auto",
    n_bootstrap: int = 200,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> DownstreamReport:
    """Judge predicted expression by what it is used for, beside trivial controls.

    The tasks are those of the TDimpute and OmiTrans papers: genes that methylation drives, genes
    that go with survival, clusters of samples, prediction of survival, and classification by a
    classifier of measured expression. Each is done with the predictions of every model, and with
    those of controls that know nothing of single genes; only what is better than these is due to
    the model.

    Parameters
    ----------
    predictions : DataFrame, fitted regressor, or dict of str to either
        Predicted expression of the test samples, or models that predict it from `methylation`, by
        the name of the model.
    measured : DataFrame of shape (n_test, n_genes)
        Measured expression of the test samples.
    train_expression : DataFrame of shape (n_train, n_genes)
        Measured expression of the training samples, with the same genes.
    methylation : DataFrame of shape (n_test, n_probes), default=None
        Methylation of the test samples, without missing values. Needed for driving genes, for the
        control by components of methylation, and for models.
    train_methylation : DataFrame of shape (n_train, n_probes), default=None
        Methylation of the training samples.
    covariates : DataFrame of shape (n_samples, n_covariates), default=None
        What is known of training and test samples without a model, such as tissue, cohort, tumour
        purity or age, for a control. Rows are found by the ids of the samples.
    time, event : Series of shape (n_samples,), default=None
        Survival of training and test samples by their ids; missing where it is unknown.
    classes : Series of shape (n_samples,), default=None
        Class of training and test samples by their ids, such as the subtype; missing where it is
        unknown.
    classifier : classifier, default=None
        Unfitted classifier that learns from measured training samples, such as
        :class:`~omitrans.OmiEmbedClassifier`. None takes a logistic regression of standardised
        genes.
    settings : sequence of {"test", "union"}, default=("test", "union")
        "test" judges the test samples alone. "union" joins the predicted test samples and the
        measured training samples, as the TDimpute paper does; most of what is found is then found
        in measured samples, which the controls show. Classes are judged on test samples only.
    threshold : float, default=0.5
        Squared correlation above which methylation drives a gene.
    alpha : float, default=0.05
        False discovery rate of driving genes, and p-value below which a gene goes with survival.
    k : int, default=100
        Number of genes in the top lists.
    n_clusters : int, default=2
        Number of clusters of samples.
    n_components : int, default=5
        Number of principal components of methylation in the control.
    groups : "auto", array-like of shape (n_test,) or None, default="auto"
        Patient of each test sample, for intervals of the classification.
    n_bootstrap : int, default=200
        Number of resamples (of genes, or of test samples for classes) for the intervals.
    random_state : int, RandomState instance or None, default=None
        Seed of folds, clusters and resamples.
    verbose : int, default=0
        Whether to show a progress bar: 1 or more shows it.

    Returns
    -------
    DownstreamReport
        The numbers as a table (``frame``), their meaning (``verdict``), and a page (``to_html``).

    Raises
    ------
    FeatureMismatchError
        If the tables hold other genes or probes.
    SampleMismatchError
        If tables of the test samples, or those of the training samples, hold other samples or
        another order, if a table names a sample twice, or if test samples are among the training
        samples.
    TypeError, ValueError
        If `predictions` is nothing of the above, if nothing is given that a task needs, or if a
        time is negative or an event is neither 0 nor 1.

    Warns
    -----
    UserWarning
        If samples have time 0, which are left out of the tasks that need survival.
    PatientGroupsWarning
        If ids of TCGA, TARGET or GTEx say that test samples are of patients with training samples.
    UnknownCategoryWarning
        If test samples of classes without training samples are left out.

    See Also
    --------
    driving_genes, prognosis_genes, cluster_survival, cross_validate_cox, evaluate_classifier : The
        tasks one by one.

    Examples
    --------
    >>> from omitrans.baselines import DualRidgeRegressor
    >>> from omitrans.datasets import make_paired_omics
    >>> from omitrans.downstream import downstream_report
    >>> one_each = {"normal_fraction": 0, "repeat_fraction": 0}  # samples per patient
    >>> data = make_paired_omics(120, 60, 30, missing_rate=0, random_state=0, **one_each)
    >>> train, test = slice(0, 80), slice(80, 120)
    >>> model = DualRidgeRegressor().fit(data.X[train], data.Y[train])
    >>> report = downstream_report(
    ...     {"ridge": model}, data.Y[test], train_expression=data.Y[train],
    ...     methylation=data.X[test], train_methylation=data.X[train],
    ...     threshold=0.2, k=10, settings=["test"], random_state=0,
    ... )
    >>> sorted(set(report.frame["model"]))
    ['mean', 'methylation components', 'ridge']
    """
    names = [settings] if isinstance(settings, str) else list(settings)
    if not names or not set(names) <= set(SETTINGS):
        raise ValueError(f"settings must name some of {SETTINGS}; got {names}.")
    check_ids(measured, train_expression, methylation, train_methylation, groups)
    check_described(covariates=covariates, time=time, event=event, classes=classes)
    train_expression = _same_genes(train_expression, measured, "train_expression")
    tables = _predicted(predictions, measured, methylation)
    controls = control_predictions(
        train_expression,
        methylation=train_methylation,
        new_methylation=methylation,
        covariates=_rows_of(covariates, train_expression),
        new_covariates=_rows_of(covariates, measured),
        n_components=n_components,
        samples=measured.index,
    )
    clash = set(tables) & {MEASURED, *controls}
    if clash:
        raise ValueError(f"predictions must not be named {_some(clash)}; choose other names.")
    seed = _seed(random_state)
    options = Options(threshold, alpha, k, n_clusters, n_bootstrap, seed)
    everything = {MEASURED: measured} | tables | controls
    outcome = _outcome(time, event)
    work: list[_Work] = []
    for name in names:
        setting = _setting(name, everything, train_expression, methylation, train_methylation)
        if setting.methylation is not None:
            work.append(_Work("driving genes", name, partial(tasks.driving, setting, options)))
        if outcome is not None:
            setting = replace(setting, outcome=_known(outcome, setting.measured))
            work += [
                _Work(task, name, partial(compute, setting, options))
                for task, compute in _OF_OUTCOMES.items()
            ]
    if classes is not None:
        judged = partial(_classes, everything, train_expression, classes, classifier, groups)
        work.append(_Work("classes", "test", partial(judged, options)))
    if not work:
        raise ValueError(
            "There is no task: give methylation (for driving genes), time and event (for survival) "
            "or classes."
        )
    rows: list[dict[str, Any]] = []
    for each in tqdm(work, desc="downstream", unit="task", disable=verbose < 1):
        rows += each.rows()
    frame = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return DownstreamReport(frame, tuple(controls), len(measured), len(train_expression))


def _seed(random_state: int | np.random.RandomState | None) -> int:
    return int(own_random_state(random_state).randint(2**31 - 1))


_OF_OUTCOMES = {
    "prognosis genes": tasks.prognosis,
    "clusters": tasks.clusters,
    "survival": tasks.survival,
}


@dataclass(frozen=True)
class _Work:
    """A task in a setting."""

    task: str
    setting: str
    compute: Callable[[], Iterator[dict[str, Any]]]

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of all models, or one that says why the task cannot be done."""
        try:
            return list(self.compute())
        except ValueError as error:
            place = {"task": self.task, "setting": self.setting, "model": MEASURED}
            return [place | {"metric": "", "value": np.nan, "note": str(error)}]


# --- tables ---


def _same_genes(table: pd.DataFrame, measured: pd.DataFrame, name: str) -> pd.DataFrame:
    lacking = measured.columns.difference(table.columns, sort=False)
    if len(lacking):
        raise FeatureMismatchError(
            f"{name} lacks {len(lacking)} of {measured.shape[1]} genes of measured "
            f"({_some(lacking)}). Give all tables the same genes."
        )
    return table[measured.columns]


def _predicted(
    predictions: Any, measured: pd.DataFrame, methylation: pd.DataFrame | None
) -> dict[str, pd.DataFrame]:
    """Return predicted expression by the name of the model, with the genes of `measured`."""
    if not isinstance(predictions, Mapping):
        predictions = {"model": predictions}
    tables = {}
    for name, given in predictions.items():
        table = given
        if hasattr(given, "predict"):
            if methylation is None:
                raise ValueError(f"methylation is needed, from which {name!r} predicts.")
            table = predict_frame(given, methylation)
        if not isinstance(table, pd.DataFrame):
            raise TypeError(
                f"predictions of {name!r} must be a DataFrame or a fitted regressor; got "
                f"{type(given).__name__}."
            )
        if set(table.index) == set(measured.index) and table.index.is_unique:
            table = table.loc[measured.index]
        check_paired_samples(measured, table, names=("measured", f"predictions of {name!r}"))
        tables[str(name)] = _same_genes(table, measured, f"The predictions of {name!r}")
    return tables


def _setting(
    name: str,
    expression: dict[str, pd.DataFrame],
    train_expression: pd.DataFrame,
    methylation: pd.DataFrame | None,
    train_methylation: pd.DataFrame | None,
) -> Setting:
    if name == "test":
        return Setting(name, expression, methylation, None)
    joined = {model: pd.concat([table, train_expression]) for model, table in expression.items()}
    both = methylation is not None and train_methylation is not None
    probes = pd.concat([methylation, train_methylation]) if both else None
    return Setting(name, joined, probes, None)


def _rows_of(table: pd.DataFrame | None, samples: pd.DataFrame) -> pd.DataFrame | None:
    """Return the rows of the samples in their order; an absent sample has missing values."""
    return None if table is None else table.reindex(samples.index)


def _outcome(time: pd.Series | None, event: pd.Series | None) -> pd.DataFrame | None:
    """Return time and event of the samples for which both are known."""
    if time is None and event is None:
        return None
    if time is None or event is None:
        raise ValueError("time and event must be given together.")
    outcome = pd.DataFrame({"time": time, "event": event}).dropna()
    at_start = outcome.index[outcome["time"] == 0]
    if len(at_start):
        warnings.warn(
            f"{len(at_start)} samples have time 0 ({_some(at_start)}) and are left out of the "
            "tasks that need survival.",
            UserWarning,
            stacklevel=user_level(),
        )
        outcome = outcome.drop(index=at_start)
    check_survival(outcome["time"], outcome["event"])
    return outcome


def _known(outcome: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    return outcome.reindex(samples.index).dropna()


def _classes(
    expression: dict[str, pd.DataFrame],
    train_expression: pd.DataFrame,
    classes: pd.Series,
    classifier: Any,
    groups: Any,
    options: Options,
) -> Iterator[dict[str, Any]]:
    """Fit the classifier to measured training samples, and classify the test samples."""
    if classifier is None:
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    known, learned = (
        classes.reindex(table.index).dropna().infer_objects()  # booleans beside missing ones
        for table in (expression[MEASURED], train_expression)
    )
    strange = ~known.isin(learned.unique())
    if strange.any():
        warnings.warn(
            f"{int(strange.sum())} of {len(known)} test samples are of classes without training "
            f"samples ({_some(known[strange].unique())}), and are left out of the classification.",
            UnknownCategoryWarning,
            stacklevel=user_level(),
        )
        known = known[~strange]
    if learned.nunique() < 2 or known.nunique() < 2:
        raise ValueError(
            f"The training samples have {learned.nunique()} classes and the test samples "
            f"{known.nunique()}; two or more are needed in both."
        )
    fitted = clone(classifier).fit(train_expression.loc[learned.index], learned.to_numpy())
    own = groups
    if not isinstance(groups, str) and groups is not None:
        own = pd.Series(np.asarray(groups), expression[MEASURED].index)[known.index].to_numpy()
    setting = Setting("test", expression, None, None)
    yield from tasks.classes(setting, options, classifier=fitted, labels=known, groups=own)
