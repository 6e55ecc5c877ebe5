"""``omitrans fit``: train a model on two tables and write a model file."""

from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.annotation import check_probe_table
from omitrans.cli._groups import check_groups, read_groups
from omitrans.cli._input import read_pair
from omitrans.cli._models import make_regressor
from omitrans.cli._output import (
    check_target,
    is_watched,
    print_facts,
    print_json,
    report_progress,
    working,
)
from omitrans.exceptions import OmiTransError
from omitrans.io import read_gene_table, read_illumina_manifest, read_probemap
from omitrans.io._parquet import read_parquet
from omitrans.io._text import naming
from omitrans.model_selection._folds import sample_groups
from omitrans.persistence import save
from omitrans.pipelines import make_translation_pipeline
from omitrans.preprocessing import check_expression_unit
from omitrans.trust import TrustedRegressor
from omitrans.utils._validation import check_no_missing_targets
from omitrans.utils._wrapped import fit_with_groups

# switch of the probe filter -> column of the annotation that it reads
_RULES = {
    "drop_off_epic": "on_epic",
    "drop_snp": "snp_within_5bp",
    "drop_multi_mapped": "multi_mapped",
}


def run(options: Any) -> None:
    """Run the command.

    Parameters
    ----------
    options : namespace
        Options and arguments from the command line.
    """
    check_target(options.output, inputs=(options.source, options.target))
    check_groups(options.groups)
    for path in (options.probe_annotation, options.gene_annotation):
        if path is not None and not path.is_file():
            raise OmiTransError(f"there is no file {str(path)!r}.")
    X, Y = read_pair(
        options.source, options.target, samples=options.samples, cure="--samples columns"
    )
    _check_unit(Y, _unit(options.target_unit))
    check_no_missing_targets(Y)
    groups = sample_groups(X, read_groups(options.groups, X.index))
    model = _make_model(options)
    if options.model == "omitrans":
        report_progress(
            "omitrans trains up to five networks in each fit; --model omitrans-fast gives a first "
            "look in seconds."
        )
    with working(f"Training {options.model} on {len(X):,} samples ..."):
        fit_with_groups(model, X, Y, groups)
    save(model, options.output)
    result = _summary(model, X, Y, groups, options)
    if options.json:
        print_json(result)
    else:
        print_facts(_facts(result), title=f"Written to {options.output}:")


def _unit(stated: str) -> str | None:
    return None if stated == "none" else stated


def _check_unit(Y: pd.DataFrame, unit: str | None) -> None:
    if unit is None:
        return
    try:
        check_expression_unit(Y, unit)
    except ValueError as error:
        raise OmiTransError(
            f"{error} State the unit of Y with --target-unit; with none it is not checked."
        ) from error


def _make_model(options: Any) -> Any:
    """Return the unfitted model."""
    probes, genes = _probe_table(options.probe_annotation), options.gene_annotation
    pipeline = make_translation_pipeline(
        make_regressor(options.model, options.seed),
        probe_annotation=probes,
        gene_annotation=None if genes is None else read_gene_table(genes),
        source_unit=_unit(options.source_unit),
    )
    if probes is not None:
        without = [rule for rule, column in _RULES.items() if column not in probes]
        pipeline.set_params(**{f"probe_filter__{rule}": False for rule in without})
        for rule in without:
            report_progress(
                f"{options.probe_annotation} does not say {_RULES[rule]!r}: no probe is dropped "
                "for that."
            )
    if options.no_trust:
        return pipeline
    return TrustedRegressor(
        pipeline,
        cv=options.cv,
        source_unit=_unit(options.source_unit),
        target_unit=_unit(options.target_unit),
        random_state=options.seed,
        verbose=10 * is_watched(),  # one line per fold
    )


def _probe_table(path: Path | None) -> pd.DataFrame | None:
    """Read a probe table from a manifest or a probeMap."""
    if path is None:
        return None
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(("probemap", ".tsv", ".txt")):
        return read_probemap(path)
    if name.endswith(".parquet"):
        try:
            return check_probe_table(read_parquet(path))
        except ValueError as error:
            raise naming(path, error) from error
    return read_illumina_manifest(path)


def _summary(
    model: Any, X: pd.DataFrame, Y: pd.DataFrame, groups: Any, options: Any
) -> dict[str, Any]:
    """Return a summary of the fitted model, as plain numbers."""
    result = {
        "model": str(options.output),
        "name": options.model,
        "n_samples": len(X),
        "n_groups": None if groups is None else len(pd.unique(groups)),
        "n_probes": X.shape[1],
        "n_genes": Y.shape[1],
        "target_unit": _unit(options.target_unit),
        "median_r2": None,
        "n_predictable": None,
    }
    if not options.no_trust:
        genes = model.trust_card_.genes
        result["median_r2"] = float(genes["r2"].median())
        result["n_predictable"] = int(genes["predictable"].sum())
    return result


def _facts(result: dict[str, Any]) -> dict[str, Any]:
    """Return the summary with readable names."""
    predictable = result["n_predictable"]
    return {
        "model": result["name"],
        "samples": result["n_samples"],
        "groups": result["n_groups"],
        "probes": result["n_probes"],
        "genes": result["n_genes"],
        "unit": result["target_unit"],
        "median R² per gene": result["median_r2"],
        "predictable genes": None
        if predictable is None
        else f"{predictable:,} of {result['n_genes']:,}",
    }
