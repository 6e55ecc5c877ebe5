"""``omitrans predict``: predict expression of new arrays, and how reliable it is."""

from typing import Any

import pandas as pd

from omitrans.cli._input import check_samples, check_table_target, read_source, write_table
from omitrans.cli._output import (
    check_target,
    listed,
    print_facts,
    print_json,
    report_progress,
    working,
)
from omitrans.exceptions import LowCoverageError, OmiTransError
from omitrans.inference import describe_model
from omitrans.inference._frame import predict_and_judge
from omitrans.persistence import load
from omitrans.preprocessing import ArrayHarmonizer
from omitrans.reports import prediction_report
from omitrans.utils._interval_columns import LOWER, UPPER, split_columns
from omitrans.utils._optional import import_optional
from omitrans.utils._wrapped import find_attribute, parts


def run(options: Any) -> None:
    """Run the command.

    Parameters
    ----------
    options : namespace
        Options and arguments from the command line.
    """
    _check_targets(options)
    model = load(options.model_file)
    _check_model(model, options)
    X = read_source(
        options.arrays, samples=options.samples, kind=options.kind, manifest=options.manifest
    )
    check_samples(X, str(options.arrays))
    coverage = _coverage(model, X)
    X, refused = _leave_out(X, coverage, skip=options.skip_refused)
    with working(f"Predicting {len(X):,} samples ..."):
        predicted, shift = predict_and_judge(model, X, intervals=options.intervals)
    card = _trust_card(model)
    if card is not None:
        predicted.attrs["unit"] = card.summary()["target_unit"]  # for files that keep it
    write_table(predicted, options.output)
    if options.report is not None:
        prediction_report(
            options.report,
            predicted,
            trust_card=card,
            coverage=coverage,
            shift=shift,
            model=describe_model(model),
        )
    result = _summary(predicted, coverage, shift, card, options) | {"refused": refused}
    if options.json:
        print_json(result)
    else:
        print_facts(_facts(result), title=f"Written to {options.output}:")


def _check_targets(options: Any) -> None:
    """Check before the work that the outputs can be written."""
    inputs = (options.model_file, options.arrays)
    check_table_target(options.output, inputs=inputs)
    if options.report is not None:
        import_optional("matplotlib", extra="plot", purpose="draw the figures of the report")
        check_target(options.report, inputs=inputs)
        if options.report.resolve() == options.output.resolve():
            raise OmiTransError("--report and --output name the same file. Choose two names.")


def _check_model(model: Any, options: Any) -> None:
    """Raise an error unless this is a fitted regressor, with intervals if they are requested."""
    if not hasattr(model, "predict"):
        raise OmiTransError(
            f"{str(options.model_file)!r} holds {type(model).__name__}, which does not predict. "
            "Give a model that omitrans fit wrote."
        )
    if options.intervals is not None and _trust_card(model) is None:
        raise OmiTransError(
            f"--intervals needs a model with a trust card, and {str(options.model_file)!r} has "
            "none. Train it without --no-trust."
        )


def find_harmonizer(model: Any) -> ArrayHarmonizer | None:
    """Return the fitted step of a model that matches probes by name.

    Parameters
    ----------
    model : estimator
        Fitted model, such as a Pipeline or a wrapper of one.

    Returns
    -------
    ArrayHarmonizer or None
        The fitted step, or None if the model has no such step.
    """
    return next((part for part in parts(model) if isinstance(part, ArrayHarmonizer)), None)


def _trust_card(model: Any) -> Any:
    """Return the trust card of a model, or None if it has none."""
    return find_attribute(model, "trust_card_", of_targets=True)


def _coverage(model: Any, X: pd.DataFrame) -> pd.DataFrame | None:
    harmonizer = find_harmonizer(model)
    return None if harmonizer is None else harmonizer.report(X)


def _leave_out(
    X: pd.DataFrame, coverage: pd.DataFrame | None, *, skip: bool
) -> tuple[pd.DataFrame, list[str]]:
    """Return the samples that can be predicted, and the names of the other samples."""
    if coverage is None:
        return X, []
    low = (coverage["status"] == "refused").to_numpy()
    if not low.any():
        return X, []
    refused = [str(name) for name in coverage.index[low]]
    what = (
        f"{len(refused)} of {len(X)} samples hold too few of the model's probes "
        f"({listed(refused)}; highest coverage {coverage['coverage'][low].max():.1%})"
    )
    if low.all():
        raise LowCoverageError(
            f"{what}. Is this a methylation array, with probe ids for names? See also --samples."
        )
    if not skip:
        raise LowCoverageError(f"{what}. Leave them out with --skip-refused.")
    report_progress(f"Left out: {what}.")
    return X.loc[~low], refused


def _summary(
    predicted: pd.DataFrame, coverage: Any, shift: Any, card: Any, options: Any
) -> dict[str, Any]:
    """Return a summary of a prediction, as plain numbers."""
    result: dict[str, Any] = {
        "output": str(options.output),
        "report": None if options.report is None else str(options.report),
        "n_samples": len(predicted),
        "n_genes": len(split_columns(predicted)[0]),
        "intervals": options.intervals,
    }
    if coverage is not None:
        coverage = coverage[coverage["status"] != "refused"]
        result["platforms"] = {
            str(name): int(n) for name, n in coverage["platform"].value_counts().items()
        }
        result["coverage"] = {
            "lowest": float(coverage["coverage"].min()),
            "median": float(coverage["coverage"].median()),
        }
        result["low_coverage"] = [str(s) for s in coverage.index[coverage["status"] == "low"]]
    if shift is not None:
        result["shifted"] = [str(sample) for sample in shift.index[shift["shifted"]]]
    if card is not None:
        result["n_predictable"] = int(card.genes["predictable"].sum())
        result["median_r2"] = float(card.genes["r2"].median())
    return result


def _facts(result: dict[str, Any]) -> dict[str, Any]:
    """Return the summary with readable names and shortened lists."""
    facts: dict[str, Any] = {"samples": result["n_samples"], "genes": result["n_genes"]}
    if "platforms" in result:
        share = result["coverage"]
        facts["platform"] = ", ".join(f"{name} ({n:,})" for name, n in result["platforms"].items())
        facts["probes covered"] = f"{share['median']:.1%} (lowest {share['lowest']:.1%})"
        facts["low coverage"] = _some(result["low_coverage"])
    facts["left out"] = _some(result["refused"])
    if "shifted" in result:
        facts["unlike the training cohort"] = _some(result["shifted"]) or "none"
    if "n_predictable" in result:
        facts["predictable genes"] = f"{result['n_predictable']:,} of {result['n_genes']:,}"
    if result["intervals"] is not None:
        facts["intervals"] = f"{result['intervals']:.0%}: GENE{LOWER} to GENE{UPPER}"
    facts["report"] = result["report"]
    return facts


def _some(names: list[str]) -> str | None:
    return f"{len(names):,}: {listed(names)}" if names else None
