"""``omitrans downstream``: judge predicted expression by its use, from files."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.cli._clinical import read_clinical
from omitrans.cli._command import one_line
from omitrans.cli._input import check_samples, read_source
from omitrans.cli._output import (
    check_target,
    is_watched,
    listed,
    print_json,
    report_progress,
    working,
)
from omitrans.downstream import DownstreamReport, downstream_report
from omitrans.downstream._controls import COMPONENTS, COVARIATES, MEAN
from omitrans.downstream._tasks import MEASURED
from omitrans.exceptions import FeatureMismatchError, OmiTransError, SampleMismatchError
from omitrans.inference import predict_frame
from omitrans.persistence import load
from omitrans.utils._files import replacing
from omitrans.utils._optional import import_optional
from omitrans.utils._printable import printable

_TAKEN = (MEASURED, MEAN, COVARIATES, COMPONENTS)
_TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".h5ad", ".omitrans")


def run(options: Any) -> None:
    """Run the command.

    Parameters
    ----------
    options : namespace
        Options and arguments from the command line.
    """
    files = _files(options.predicted, "--predicted")
    model_files = _files(options.model, "--model", taken=files)
    _check_targets(options, [*files.values(), *model_files.values()])
    clinical = _read_clinical(options)
    models = {name: _load(path) for name, path in model_files.items()}
    expression, methylation = _read_test(options, files)
    train, train_methylation = _read_training(options)
    _check_apart(expression[MEASURED], train, options)
    _check_clinical(clinical, expression[MEASURED], train, options)
    files |= model_files | {MEASURED: options.measured}
    for name, model in models.items():
        expression[name] = _predict(model, methylation, model_files[name])
    expression, train = _with_shared_genes(expression, train, files, options)
    methylation, train_methylation = _with_shared_probes(methylation, train_methylation, options)
    measured = expression.pop(MEASURED)
    report_progress("Judging ...")
    report = downstream_report(
        expression,
        measured,
        train_expression=train,
        methylation=methylation,
        train_methylation=train_methylation,
        **clinical,
        settings=list(dict.fromkeys(options.setting)),
        threshold=options.threshold,
        alpha=options.alpha,
        k=options.top,
        n_clusters=options.clusters,
        random_state=options.seed,
        verbose=int(is_watched()),
    )
    _hand_over(report, options)


# --- before the work ---


def _files(given: tuple[str, ...], option: str, *, taken: Collection[str] = ()) -> dict[str, Path]:
    """Return the files of ``NAME=FILE`` or ``FILE`` by name."""
    found: dict[str, Path] = {}
    for text in given:
        name, sign, path = text.partition("=")
        if not sign or Path(text).exists():
            name, path = _stem(text), text
        name = name.strip()
        if not name or not path:
            raise OmiTransError(f"{option} {text!r} must be NAME=FILE, or FILE alone.")
        if name in _TAKEN:
            raise OmiTransError(
                f"{option} {text!r}: the name {name!r} is that of measured expression or of a "
                f"control. Choose another one: {option} NAME={path}."
            )
        if name in found or name in taken:
            raise OmiTransError(
                f"{option} {text!r}: the name {name!r} is given twice. Choose another one: "
                f"{option} NAME={path}."
            )
        if not Path(path).is_file():
            raise OmiTransError(f"{option} {text!r}: there is no file {path!r}.")
        found[name] = Path(path)
    return found


def _stem(text: str) -> str:
    name = Path(text).name.removesuffix(".gz")
    return Path(name).stem if name.lower().endswith(_TABLE_ENDINGS) else name


def _check_targets(options: Any, sources: list[Path]) -> None:
    """Check before the work that the outputs can be written and the inputs are there."""
    tables = {
        "MEASURED": options.measured,
        "--train-expression": options.train_expression,
        "--methylation": options.methylation,
        "--train-methylation": options.train_methylation,
        "--clinical": options.clinical,
    }
    given = {name: path for name, path in tables.items() if path is not None}
    for name, path in given.items():
        if not path.exists():
            raise OmiTransError(f"{name}: there is no file {str(path)!r}.")
    for path in (options.output, options.html):
        if path is not None:
            check_target(path, inputs=(*given.values(), *sources))
    if options.html is not None:
        import_optional("matplotlib", extra="plot", purpose="draw the figures of the report")
        if options.output is not None and options.html.resolve() == options.output.resolve():
            raise OmiTransError("--html and --output name the same file. Choose two names.")


def _load(path: Path) -> Any:
    model = load(path)
    if not hasattr(model, "predict"):
        raise OmiTransError(
            f"{str(path)!r} holds {type(model).__name__}, which does not predict. Give a model "
            "that omitrans fit wrote."
        )
    return model


# --- samples ---


def _read_clinical(options: Any) -> dict[str, Any]:
    if options.clinical is None:
        return {}
    return read_clinical(
        options.clinical,
        time=options.time,
        event=options.event,
        classes=options.classes,
        covariates=options.covariate,
    )


def _read_test(
    options: Any, files: Mapping[str, Path]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame | None]:
    """Return expression by name, and methylation, of the samples that all tables hold."""
    paths = {MEASURED: options.measured, **files}
    expression = {name: _read(path, options) for name, path in paths.items()}
    tables = [(paths[name], table.index) for name, table in expression.items()]
    methylation = None
    if options.methylation is not None:
        methylation = _read(options.methylation, options)
        tables.append((options.methylation, methylation.index))
    samples = _shared(tables, "samples")
    report_progress(
        f"{len(samples):,} test samples are in all of {len(tables)} tables (of "
        f"{listed([f'{len(index):,}' for _, index in tables])})."
    )
    expression = {name: _rows(table, samples) for name, table in expression.items()}
    return expression, None if methylation is None else _rows(methylation, samples)


def _read_training(options: Any) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    train = _read(options.train_expression, options)
    if options.train_methylation is None:
        report_progress(f"{len(train):,} training samples.")
        return train, None
    methylation = _read(options.train_methylation, options)
    tables = [
        (options.train_expression, train.index),
        (options.train_methylation, methylation.index),
    ]
    samples = _shared(tables, "samples")
    report_progress(
        f"{len(samples):,} training samples are in both tables (of {len(train):,} and "
        f"{len(methylation):,})."
    )
    return _rows(train, samples), _rows(methylation, samples)


def _read(path: Path, options: Any) -> pd.DataFrame:
    table = read_source(path, samples=options.samples)
    check_samples(table, repr(str(path)))
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise OmiTransError(f"{str(path)!r} holds {twice[0]!r} twice. Keep one of them.")
    return table


def _rows(table: pd.DataFrame, samples: pd.Index) -> pd.DataFrame:
    """Return the samples; a copy of a large table is not made for nothing."""
    return table if table.index.equals(samples) else table.loc[samples]


def _shared(tables: list[tuple[Path, pd.Index]], what: str) -> pd.Index:
    """Return the names that all tables hold, in the order of the first."""
    (first, kept), *others = tables
    for path, names in others:
        both = kept[kept.isin(names)]
        if not len(both):
            kind = SampleMismatchError if what == "samples" else FeatureMismatchError
            raise kind(
                f"{str(first)!r} and {str(path)!r} share no {what}: the first holds {what} such as "
                f"{listed(kept, 2)}, the second such as {listed(names, 2)}. They must be written "
                "alike in both. See --samples if samples are taken for features."
            )
        kept = both
    return kept


def _check_apart(measured: pd.DataFrame, train: pd.DataFrame, options: Any) -> None:
    both = measured.index[measured.index.isin(train.index)]
    if len(both):
        raise SampleMismatchError(
            f"{len(both)} test samples of {str(options.measured)!r} are also in "
            f"--train-expression {str(options.train_expression)!r} (first: {both[0]}). Leave them "
            "out of one of the two."
        )


def _check_clinical(
    clinical: dict[str, Any], measured: pd.DataFrame, train: pd.DataFrame, options: Any
) -> None:
    """Say how many samples the clinical table describes; none is an error."""
    if not clinical:
        return
    described = next(table.index for table in clinical.values() if table is not None)
    n_test, n_train = (int(table.index.isin(described).sum()) for table in (measured, train))
    if not n_test:
        raise SampleMismatchError(
            f"--clinical {str(options.clinical)!r} describes no test sample: it holds ids such as "
            f"{listed(described, 2)}, and the samples are named such as "
            f"{listed(measured.index, 2)}. Ids must be exactly alike: write those of the samples, "
            "and not those of their patients, into the clinical table."
        )
    if options.classes or options.covariate:
        role = "--classes" if options.classes else "--covariate"
        if not n_train:
            raise SampleMismatchError(
                f"--clinical {str(options.clinical)!r} describes no training sample, which {role} "
                f"needs: it holds ids such as {listed(described, 2)}, and the training samples are "
                f"named such as {listed(train.index, 2)}."
            )
    report_progress(
        f"Clinical data describe {n_test:,} of {len(measured):,} test samples and {n_train:,} of "
        f"{len(train):,} training samples."
    )


# --- genes and probes ---


def _predict(model: Any, methylation: pd.DataFrame | None, path: Path) -> pd.DataFrame:
    with working(f"Predicting with {path} ..."):
        try:
            return predict_frame(model, methylation)
        except ValueError as error:
            raise OmiTransError(f"{str(path)!r} cannot predict: {one_line(error)}") from error


def _with_shared_genes(
    expression: dict[str, pd.DataFrame],
    train: pd.DataFrame,
    files: Mapping[str, Path],
    options: Any,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the tables with the genes that all hold and that are measured in all samples."""
    tables = [(files[name], table.columns) for name, table in expression.items()]
    tables.append((options.train_expression, train.columns))
    genes = _shared(tables, "genes")
    measured = expression[MEASURED]
    genes = _complete(genes, [measured, train], [options.measured, options.train_expression])
    report_progress(f"{len(genes):,} of {measured.shape[1]:,} genes are judged.")
    expression = {name: table.loc[:, genes] for name, table in expression.items()}
    for name, table in expression.items():
        n_lacking = int(table.isna().any().sum())
        if n_lacking:
            raise OmiTransError(
                f"the predictions of {str(files[name])!r} hold missing values in {n_lacking:,} of "
                f"{len(genes):,} genes. Leave these genes out of it."
            )
    return expression, train.loc[:, genes]


def _with_shared_probes(
    methylation: pd.DataFrame | None, train: pd.DataFrame | None, options: Any
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Return the tables with the probes that both hold, without missing values."""
    if methylation is None:
        return None, None
    tables, paths = [methylation], [options.methylation]
    if train is not None:
        tables.append(train)
        paths.append(options.train_methylation)
    probes = _shared(
        [(path, table.columns) for path, table in zip(paths, tables, strict=True)], "probes"
    )
    probes = _complete(probes, tables, paths)
    methylation, *others = (
        table if table.columns.equals(probes) else table.loc[:, probes] for table in tables
    )
    return methylation, others[0] if others else None


def _complete(names: pd.Index, tables: list[pd.DataFrame], paths: list[Path]) -> pd.Index:
    """Return the features without missing values in any of the tables."""
    kept = names
    for table in tables:
        lacking = table.columns[table.isna().any()]
        kept = kept[~kept.isin(lacking)]
    where = " and ".join(repr(str(path)) for path in paths)
    if not len(kept):
        raise OmiTransError(
            f"all {len(names):,} features of {where} have missing values. Fill them, or leave out "
            "the samples that lack most."
        )
    if len(kept) < len(names):
        report_progress(
            f"Left out: {len(names) - len(kept):,} of {len(names):,} features of {where} that have "
            "missing values."
        )
    return kept


# --- results ---


def _hand_over(report: DownstreamReport, options: Any) -> None:
    """Print the verdict, and write the requested files."""
    if options.output is not None:
        with replacing(options.output) as path:
            report.frame.to_csv(path, index=False)
    if options.html is not None:
        report.to_html(options.html)
    notes = report.frame.loc[
        report.frame["note"].notna(), ["task", "setting", "model", "note"]
    ].drop_duplicates()
    if options.json:
        print_json(
            {
                "verdict": report.verdict,
                "judgements": report.judgements.to_dict(orient="records"),
                "notes": notes.to_dict(orient="records"),
                "controls": report.controls,
                "n_test": report.n_test,
                "n_train": report.n_train,
                "output": options.output,
                "html": options.html,
            }
        )
        return
    for line in report.verdict.splitlines():
        print(printable(line))
    for found in notes.itertuples():
        who = "" if found.model == MEASURED else f" by {found.model}"
        note = " ".join(found.note.split())
        print(printable(f"Not done: {found.task}{who} ({found.setting}). {note}"))
    for path in (options.output, options.html):
        if path is not None:
            print(f"Written to {path}.")
