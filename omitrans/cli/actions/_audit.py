"""``omitrans audit``: judge synthetic expression from files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.cli._covariates import as_text, read_study, read_text_table
from omitrans.cli._output import (
    check_target,
    is_watched,
    listed,
    print_facts,
    print_json,
    report_progress,
)
from omitrans.cli.actions._generate import beside
from omitrans.exceptions import OmiTransError
from omitrans.generation import SyntheticAudit, audit_synthetic
from omitrans.utils._files import replacing
from omitrans.utils._optional import import_optional

_PARTS = (
    "utility",
    "discrimination",
    "memorisation",
    "attribute privacy",
    "recall",
    "precision",
    "gene clusters",
    "gene correlations",
    "genes",
)


def run(options: Any) -> None:
    """Run the command.

    Parameters
    ----------
    options : namespace
        Options and arguments from the command line.
    """
    _check_targets(options)
    sources = {
        "train": (options.covariates, options.train),
        "test": (options.test_covariates or options.covariates, options.test),
        "synthetic": (_synthetic_covariates(options), options.synthetic),
    }
    network = None if options.network is None else _read_network(options.network)
    tables = {
        name: read_study(*paths, samples=options.samples, categorical=_named(options))
        for name, paths in sources.items()
    }
    _check_apart(tables["train"][1], tables["test"][1])
    _spell_alike([covariates for covariates, _ in tables.values()], _named(options))
    given = [
        table for covariates, expression in tables.values() for table in (expression, covariates)
    ]
    if not options.covariate:
        given[1] = _that_were_drawn(given[1], given[5])
    report_progress("Checking ...")
    audit = audit_synthetic(
        *given,
        covariates=list(options.covariate) or "auto",
        network=network,
        classifier=options.classifier,
        random_state=options.seed,
        n_jobs=options.n_jobs,
        verbose=int(is_watched()),
    )
    _hand_over(audit, options)


def _check_targets(options: Any) -> None:
    """Check before the work that the outputs can be written."""
    given = (options.train, options.test, options.synthetic, options.covariates, options.network)
    inputs = tuple(path for path in given if path is not None)
    for path in (options.output, options.html):
        if path is not None:
            check_target(path, inputs=inputs)
    if options.html is not None:
        import_optional("matplotlib", extra="plot", purpose="draw the figures of the report")
        if options.output is not None and options.html.resolve() == options.output.resolve():
            raise OmiTransError("--html and --output name the same file. Choose two names.")


def _synthetic_covariates(options: Any) -> Path:
    path: Path = options.synthetic_covariates or beside(options.synthetic)
    if not path.is_file():
        raise OmiTransError(
            f"there is no file {str(path)!r}. Give the covariates of the synthetic samples with "
            "--synthetic-covariates."
        )
    return path


def _named(options: Any) -> tuple[str, ...]:
    """Return the covariates that hold categories although they may look like numbers."""
    return tuple(dict.fromkeys((*options.categorical, *options.covariate)))


def _read_network(path: Path) -> pd.DataFrame:
    """Read a network, whose first column is none of ids."""
    network = read_text_table(path).reset_index()
    lacking = [name for name in ("regulator", "target") if name not in network.columns]
    if lacking:
        raise OmiTransError(
            f"--network {str(path)!r} has no column {' or '.join(map(repr, lacking))}; its columns "
            f"are {listed(network.columns, 10)}. Name the column of regulators 'regulator', and "
            "that of their target genes 'target'."
        )
    return network


def _check_apart(train: pd.DataFrame, test: pd.DataFrame) -> None:
    both = train.index.intersection(test.index)
    if len(both):
        raise OmiTransError(
            f"{len(both)} samples are in TRAIN and in TEST (first: {both[0]!r}). Test samples must "
            "be others, or copies of training samples cannot be told."
        )


def _spell_alike(tables: list[pd.DataFrame], names: Iterable[str]) -> None:
    """Write categories that are numbers in all tables in one way: "7" and "7.0" are one level."""
    for name in names:
        numbers = [pd.to_numeric(table[name], errors="coerce") for table in tables]
        if all(
            number.notna().equals(table[name].notna())
            for number, table in zip(numbers, tables, strict=True)
        ):
            for number, table in zip(numbers, tables, strict=True):
                table[name] = number.astype(float).map(as_text).astype(object)


def _that_were_drawn(train: pd.DataFrame, synthetic: pd.DataFrame) -> pd.DataFrame:
    """Return the covariates of training without those that the generator ignored; say so."""
    ignored = train.columns.difference(synthetic.columns, sort=False)
    if len(ignored):
        report_progress(
            f"Not checked, because the covariates of SYNTHETIC lack them: {listed(ignored)}."
        )
    return train.drop(columns=ignored)


def _hand_over(audit: SyntheticAudit, options: Any) -> None:
    """Print the verdict, and write the requested files."""
    if options.output is not None:
        with replacing(options.output) as path:
            audit.frame.to_csv(path, index=False)
    if options.html is not None:
        audit.to_html(options.html)
    kinds = audit.frame["check"].str.partition(",")[0]
    counts = pd.crosstab(kinds, audit.frame["verdict"]).reindex(
        columns=["good", "fair", "poor"], fill_value=0
    )
    if options.json:
        print_json(
            {
                "verdict": audit.verdict,
                "n_samples": audit.n_samples,
                "checks": counts.to_dict(orient="index"),
                "output": options.output,
                "html": options.html,
            }
        )
        return
    facts = {
        name: ", ".join(f"{n} {word}" for word, n in counts.loc[name].items() if n)
        for name in _PARTS
        if name in counts.index and counts.loc[name].any()
    }
    print_facts(facts, title=audit.verdict)
    for path in (options.output, options.html):
        if path is not None:
            print(f"Written to {path}.")
