"""``omitrans info``: describe the content of a model file."""

from collections.abc import Mapping
from typing import Any

from sklearn.exceptions import NotFittedError

from omitrans.cli._output import print_facts, print_json
from omitrans.exceptions import ModelFileError, OmiTransError
from omitrans.inference import describe_model
from omitrans.persistence import load, read_summary


def run(options: Any) -> None:
    """Run the command.

    Parameters
    ----------
    options : namespace
        Options and arguments from the command line.
    """
    model = load(options.model_file)
    try:
        _show(model, options)
    except (OmiTransError, NotFittedError, OSError, MemoryError, ImportError):
        raise
    except Exception as error:  # a forged file can hold models that no fit makes
        raise ModelFileError(
            f"{str(options.model_file)!r} holds a {type(model).__name__} that cannot be described "
            f"({type(error).__name__}: {error}). Save the model anew."
        ) from error


def _show(model: Any, options: Any) -> None:
    described = describe_model(model) | {
        "file": str(options.model_file),
        "bytes": options.model_file.stat().st_size,
        "written_by": read_summary(options.model_file)["versions"],
    }
    if options.json:
        print_json(described)
        return
    facts = _facts(described)
    if described["trust"] is not None:
        facts |= _trust_facts(described["trust"])
    facts["written by"] = _joined(described["written_by"])
    print_facts(facts, title=str(options.model_file))


def _facts(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return a readable description of the model."""
    outer, *inner = described["layers"]
    return {
        "size": f"{described['bytes'] / 1e6:,.1f} MB",
        "model": f"{outer} ({' > '.join(inner)})" if inner else outer,
        "steps": ", ".join(described["steps"]) if described["steps"] else None,
        "array": described["platform"],
        "covariates" if described["covariates"] else "probes": _some(
            described["n_features"], described["features"], described["source_unit"]
        ),
        "genes": _some(described["n_targets"], described["targets"], described["target_unit"]),
        "training samples": described["n_samples"],
        "share of networks": _share(described["network_share"]),
        "flags unlike samples": described["shift_alarm"],
    }


def _trust_facts(trust: Mapping[str, Any]) -> dict[str, Any]:
    """Return a readable summary of the trust card."""
    curve = trust["median_r2_by_coverage"]
    return {
        "cross-validation": f"{trust['n_folds']} folds" + _kept_together(trust.get("n_groups")),
        "predictable genes": f"{trust['n_predictable']:,} of {trust['n_targets']:,} "
        f"(R² above {trust['min_r2']:g})",
        "median R² per gene": trust["median_r2"],
        "... by probes covered": _joined(
            {f"{float(share):.0%}": f"{r2:.3f}" for share, r2 in curve.items() if r2 is not None}
        ),
        "90% interval": f"± {trust['median_half_width_90']:.3g} (median)"
        if trust["median_half_width_90"] is not None
        else "needs more samples",
    }


def _share(share: float | None) -> str | None:
    if share is None:
        return None
    return f"{share:.0%} of the predictions" if share else "none: the backbone predicts alone"


def _kept_together(n_groups: int | None) -> str:
    return "" if n_groups is None else f", samples of {n_groups:,} groups kept together"


def _some(n: int | None, names: list[str] | None, unit: str | None) -> str | None:
    """Return the number of names, their unit, and the first names."""
    if n is None:
        return None
    return (
        f"{n:,}"
        + (f" in {unit}" if unit else "")
        + (f": {', '.join(names)}" if names else "")
        + (", ..." if names and n > len(names) else "")
    )


def _joined(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
