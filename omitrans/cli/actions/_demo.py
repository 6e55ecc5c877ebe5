"""``omitrans demo``: from a simulated cohort to predicted expression."""

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, GroupShuffleSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from omitrans.baselines import LassoRegressor
from omitrans.cli._output import make_folder, report_progress
from omitrans.cli._report import draw_comparison, draw_model, format_table
from omitrans.comparison import compare_models
from omitrans.datasets import make_paired_omics, simulate_array_version
from omitrans.exceptions import LowCoverageWarning, OmiTransError
from omitrans.inference import describe_model
from omitrans.inference._frame import predict_and_judge
from omitrans.metrics import r2_per_feature, reconstruction_report
from omitrans.persistence import load, save
from omitrans.pipelines import make_translation_pipeline
from omitrans.reports import prediction_report
from omitrans.trust import TrustedRegressor
from omitrans.utils._files import replacing
from omitrans.utils._interval_columns import limits, split_columns
from omitrans.utils._optional import import_optional

UNIT = "log2(FPKM + 1)"
INTERVALS = 0.9
NEW_PATIENTS = 0.15  # share of patients whose expression is set aside

HOW_TO_READ = f"""\
Errors are in {UNIT}; lower is better. R² compares with a constant: 1 is perfect, 0 no better.
"mean" predicts each gene's average: every model has to beat it. Genes differ more from one another
than samples do, so even "mean" has a high R² per sample; look at the R² per gene first."""


def run(options: Any) -> None:
    """Run the command.

    Parameters
    ----------
    options : namespace
        Options and arguments from the command line.
    """
    import_optional("matplotlib", extra="plot", purpose="draw the figures of the demo").use("Agg")
    folder = make_folder(options.output)
    data = make_paired_omics(
        options.samples, options.probes, options.genes, random_state=options.seed
    )
    known, new = _set_patients_aside(data, options.seed)
    n_patients = data.samples["patient"].iloc[known].nunique()
    if options.folds > n_patients:
        raise OmiTransError(
            f"--folds {options.folds} needs as many patients, and {n_patients} are left to learn "
            "from. Lower --folds or raise --samples."
        )
    _describe(data, known, new)
    models = make_models(data, options.seed)
    # tables of this size gain nothing from threads that wait for one another
    with threadpool_limits(limits=1):
        files = _compare(models, data, known, options, folder)
        files |= _train_and_predict(models["OmiTrans"], data, known, new, options)
    print(f"Written to {folder.resolve()}:")
    width = max(map(len, files))
    for name, what in files.items():
        print(f"  {name:<{width}}  {what}")


def make_models(data: Bunch, seed: int) -> dict[str, Pipeline]:
    """Return the models to compare: four regressors with the preprocessing of the paper.

    Parameters
    ----------
    data : Bunch
        Simulated cohort; only its annotation is used.
    seed : int
        Seed of the training of OmiTrans and of the inner folds of the LASSO.

    Returns
    -------
    dict of str to Pipeline
        Unfitted models by name. Penalties are chosen in fit, by folds of the training samples.
    """
    # imports torch
    from omitrans.estimators import OmiTransRegressor

    # two networks instead of five, a short path of penalties and three inner folds: near the best
    # that each can do, in seconds
    regressors = {
        "mean": DummyRegressor(),
        "ridge": make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(1, 5, 13))),
        "LASSO": LassoRegressor(n_alphas=8, eps=0.1, cv=3, shuffle=True, random_state=seed),
        "OmiTrans": OmiTransRegressor(n_networks=2, random_state=seed),
    }
    return {
        name: make_translation_pipeline(
            regressor, probe_annotation=data.probes, gene_annotation=data.genes
        )
        for name, regressor in regressors.items()
    }


def _set_patients_aside(data: Bunch, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to learn from, and the rows of other patients, who serve as new arrays."""
    split = GroupShuffleSplit(1, test_size=NEW_PATIENTS, random_state=seed)
    known, new = next(split.split(data.X, groups=data.samples["patient"]))
    return known, new


def _describe(data: Bunch, known: np.ndarray, new: np.ndarray) -> None:
    samples = data.samples
    print(
        f"Simulated cohort: {len(samples):,} samples of {samples['patient'].nunique():,} patients, "
        f"{samples['cancer_type'].nunique()} cancer types.\n"
        f"{data.X.shape[1]:,} probes (betas, {data.X.isna().to_numpy().mean():.1%} missing), "
        f"{data.Y.shape[1]:,} genes ({UNIT}).\n"
        f"{len(known):,} samples to learn from; {len(new):,} samples of other patients play new "
        "arrays without RNA.\n"
    )


def _compare(
    models: dict[str, Pipeline],
    data: Bunch,
    known: np.ndarray,
    options: SimpleNamespace,
    folder: Path,
) -> dict[str, str]:
    """Cross-validate, show the table, and return a description of each written file."""
    report_progress(f"Cross-validating {len(models)} models on {options.folds} folds ...")
    comparison = compare_models(
        models,
        data.X.iloc[known],
        data.Y.iloc[known],
        cv=GroupKFold(options.folds),
        groups=data.samples["patient"].iloc[known],
        n_jobs=options.n_jobs,
        verbose=1,
    )
    if len(comparison.errors):
        first = comparison.errors.iloc[0]
        raise OmiTransError(f"{first['model']} failed in fold {first['fold']}: {first['error']}")
    summary = comparison.summary()
    best = summary["median_r2_per_feature"].idxmax()
    print(
        f"Cross-validation, {options.folds} folds, no patient on both sides (means over folds):\n\n"
        f"{format_table(summary)}\n\n{HOW_TO_READ}\n"
        f"Highest median R² per gene here: {best}.\n"
    )
    with replacing(folder / "table1.csv") as path:
        summary.to_csv(path)
    with replacing(folder / "comparison.csv") as path:
        comparison.results.to_csv(path, index=False)
    return {
        "table1.csv": "the table above",
        "comparison.csv": "every model, fold and metric, with the seconds",
        **draw_comparison(comparison.results, folder),
    }


def _train_and_predict(
    model: Pipeline, data: Bunch, known: np.ndarray, new: np.ndarray, options: Any
) -> dict[str, str]:
    """Train on all known samples, predict the new samples, and return the written files."""
    report_progress("Training OmiTrans on all samples with expression, and its trust card ...")
    folder = options.output
    path = folder / "model.omitrans"
    trusted = TrustedRegressor(
        model,
        cv=min(options.folds, 3),
        source_unit="beta",
        target_unit=UNIT,
        n_jobs=options.n_jobs,
        random_state=options.seed,
    )
    groups = data.samples["patient"].iloc[known]
    save(trusted.fit(data.X.iloc[known], data.Y.iloc[known], groups=groups), path)
    trusted = load(path)
    X_new, Y_new = data.X.iloc[new], data.Y.iloc[new]
    predicted, shift = predict_and_judge(trusted, X_new, intervals=INTERVALS)
    plain = predicted[data.Y.columns]
    with replacing(folder / "predicted_expression.csv.gz") as unfinished:
        plain.to_csv(unfinished, float_format="%.4f")
    prediction_report(
        folder / "report.html",
        predicted,
        trust_card=trusted.trust_card_,
        coverage=trusted.estimator_["harmonizer"].report(X_new),
        shift=shift,
        model=describe_model(trusted),
        title="Expression of new arrays",
    )
    _show_score(Y_new, plain, data.truth.genes)
    _show_trust(trusted, X_new, Y_new, predicted, options.seed)
    title = "OmiTrans on new patients"
    return {
        **draw_model(trusted.estimator_, Y_new, plain, folder, title=title, unit=UNIT),
        "predicted_expression.csv.gz": "expression of the new arrays, samples × genes",
        "report.html": "which samples and genes to believe",
        path.name: f"the trained model: omitrans.load({str(path)!r})",
    }


def _show_trust(
    model: TrustedRegressor,
    X_new: pd.DataFrame,
    Y_new: pd.DataFrame,
    predicted: pd.DataFrame,
    seed: int,
) -> None:
    """Print what the trust card expects, and the results for the new samples."""
    genes = model.trust_card_.genes
    believed = genes.index[genes["predictable"]]
    targets, _ = split_columns(predicted)
    inside = np.mean([Y_new[name].between(*limits(predicted, name)) for name in targets])
    print(
        f"{len(believed):,} genes are called predictable by cross-validation. {INTERVALS:.0%} "
        f"intervals hold {inside:.1%} of the new patients' real values."
    )
    if not len(believed):
        return
    newer = simulate_array_version(X_new, "EPICv2", random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LowCoverageWarning)  # said in the next line
        from_newer = pd.DataFrame(model.predict(newer), newer.index, targets)
    r2 = [
        np.nanmedian(r2_per_feature(Y_new[believed], table[believed]))
        for table in (predicted, from_newer)
    ]
    print(
        f"Their median R² is {r2[0]:.3f}; from EPICv2 arrays of the same samples, which lack a "
        f"fifth of the probes, {r2[1]:.3f}.\n"
    )


def _show_score(Y_true: pd.DataFrame, Y_pred: pd.DataFrame, truth: pd.DataFrame) -> None:
    """Print how well the new arrays are predicted, also relative to the best possible R²."""
    report = reconstruction_report(Y_true, Y_pred)
    r2 = r2_per_feature(Y_true, Y_pred)
    genes = truth[truth["predictable"]]
    reached = (r2[genes.index] / genes["r2_ceiling"]).median()
    print(
        f"OmiTrans on the new patients: RMSE {report['rmse']:.4f}, median R² per gene "
        f"{report['median_r2_per_feature']:.4f}, {report['n_r2_per_feature_above']:,.0f} of "
        f"{len(r2):,} genes above 0.3.\n"
        f"What can be reached is known here: methylation says something about {len(genes):,} "
        f"genes, with a median\nceiling of R² {genes['r2_ceiling'].median():.3f}; "
        f"the model reaches {reached:.0%} of a gene's ceiling (median).\n"
    )
