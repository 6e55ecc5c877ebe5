"""The workflow of the paper from raw beta values to expression, as one Pipeline."""

from typing import Any

import pandas as pd
from sklearn.base import clone
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer

from omitrans.baselines import MultiKernelRidgeRegressor
from omitrans.pipelines._aligned_target import AlignedTargetRegressor
from omitrans.pipelines._translation_pipeline import TranslationPipeline
from omitrans.preprocessing import (
    ArrayHarmonizer,
    LocationAligner,
    MissingRateFilter,
    ProbeFilter,
)


def make_translation_pipeline(
    regressor: Any = None,
    *,
    probe_annotation: pd.DataFrame | None = None,
    gene_annotation: pd.DataFrame | None = None,
    harmonizer: Any = "default",
    max_missing_rate: float | None = 0.1,
    min_variance: float | None = 0.0,
    source_unit: str | None = "beta",
    verbose: bool = False,
) -> TranslationPipeline:
    """Make a pipeline that filters, imputes and sorts methylation and predicts expression.

    The steps are ``harmonizer``, ``probe_filter``, ``missing_rate_filter``, ``variance_filter``,
    ``imputer``, ``location_aligner`` and ``regressor``. All steps learn from the training samples
    only. The transformers pass on DataFrames, so that the regressor knows the names of its probes.

    Parameters
    ----------
    regressor : estimator or None, default=None
        Any regressor that predicts many targets. None takes :class:`omitrans.OmiTransRegressor`.
    probe_annotation : DataFrame or None, default=None
        Probe table (:func:`omitrans.annotation.check_probe_table`). With it, X must be a DataFrame
        whose columns are probe ids. None applies only the rules that need no table, and keeps the
        order.
    gene_annotation : DataFrame or None, default=None
        Gene table (:func:`omitrans.annotation.check_gene_table`). With it, the regressor is wrapped
        in an :class:`AlignedTargetRegressor` and trains on genes sorted along the genome;
        predictions are in the order of Y. With both annotations, the kernel backbone of
        :class:`omitrans.OmiTransRegressor` knows which probes lie near each gene.
    harmonizer : ArrayHarmonizer or None, default="default"
        Step that finds the training probes in tables of other arrays and fills missing values
        (:class:`omitrans.preprocessing.ArrayHarmonizer`). The default harmonizer has
        ``missing="components"`` and learns probes up to `max_missing_rate`. If the harmonizer has
        ``missing="keep"``, the imputer fills missing values with training means. With None, tables
        must have the columns seen in fit.
    max_missing_rate : float or None, default=0.1
        Largest fraction of missing values of a probe that is kept; None keeps all probes.
    min_variance : float or None, default=0.0
        Variance that a probe must exceed to be kept: 0.0 drops constant probes, None keeps all
        probes. The paper uses 0.05 (in squared beta units).
    source_unit : {"beta"} or None, default="beta"
        Unit of X: "beta" makes values outside [0, 1] an error in `fit` and `predict`. Use None for
        M-values.
    verbose : bool, default=False
        Whether to print the time of each step.

    Returns
    -------
    TranslationPipeline
        Unfitted pipeline with these steps. Steps that are skipped are "passthrough".

    Notes
    -----
    Parameters of a step are set and searched under the name of the step, for example
    ``probe_filter__drop_off_epic=False``, ``variance_filter__threshold`` or ``regressor__lr``; with
    a gene annotation, the last example becomes ``regressor__regressor__lr``. A transformer that
    replaces one of the steps needs ``set_output(transform="pandas")``.

    The paper drops probes by variance and fills missing values with means over all samples,
    including the test set. Here both are learned from the training samples only.

    References
    ----------
    The OmiTrans preprint, section Datasets.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import Ridge
    >>> from omitrans.pipelines import make_translation_pipeline
    >>> X = pd.DataFrame({"cg1": [0.1, 0.5, 0.9], "cg2": [0.2, None, 0.4], "rs3": [0.0, 0.5, 1.0]})
    >>> Y = pd.Series([3.0, 2.0, 1.0], name="gene")
    >>> model = make_translation_pipeline(Ridge(), max_missing_rate=0.5)
    >>> model[:-1].fit_transform(X)
       cg1  cg2
    0  0.1  0.2
    1  0.5  0.3
    2  0.9  0.4
    >>> model.fit(X, Y).predict(X[::2]).round(1)
    array([2.3, 1.7])
    """
    if regressor is None:
        # imports torch
        from omitrans.estimators import OmiTransRegressor

        regressor = OmiTransRegressor()
    if probe_annotation is not None and gene_annotation is not None:
        regressor = _with_places(regressor, probe_annotation, gene_annotation)
    if gene_annotation is not None:
        aligner = LocationAligner(gene_annotation)
        regressor = AlignedTargetRegressor(regressor, transformer=aligner)
    if isinstance(harmonizer, str) and harmonizer == "default":
        unit = "auto" if source_unit is None else source_unit
        most = 1.0 if max_missing_rate is None else max_missing_rate
        harmonizer = ArrayHarmonizer(missing="components", max_missing_rate=most, unit=unit)
    steps = [
        ("harmonizer", "passthrough" if harmonizer is None else harmonizer),
        ("probe_filter", ProbeFilter(probe_annotation, unit=source_unit)),
        ("missing_rate_filter", _unless_none(MissingRateFilter, max_missing_rate)),
        ("variance_filter", _unless_none(VarianceThreshold, min_variance)),
        ("imputer", SimpleImputer()),
        ("location_aligner", LocationAligner(probe_annotation)),
        ("regressor", regressor),
    ]
    return TranslationPipeline(steps, verbose=verbose).set_output(transform="pandas")


def _with_places(regressor: Any, probes: pd.DataFrame, genes: pd.DataFrame) -> Any:
    """Return the regressor, told where probes and genes lie if it can use that and was not told."""
    params = regressor.get_params(deep=False) if hasattr(regressor, "get_params") else {}
    inner = params.get("backbone")
    if isinstance(inner, str):
        inner = MultiKernelRidgeRegressor()
    for model, outer in ((regressor, None), (inner, "backbone")):
        if isinstance(model, MultiKernelRidgeRegressor):
            if model.probes is not None or model.genes is not None:
                return regressor
            told = clone(model).set_params(probes=probes, genes=genes)
            return told if outer is None else clone(regressor).set_params(**{outer: told})
    return regressor


def _unless_none(transformer: Any, threshold: float | None) -> Any:
    return "passthrough" if threshold is None else transformer(threshold=threshold)
