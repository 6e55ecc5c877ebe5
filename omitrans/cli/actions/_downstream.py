"""``omitrans downstream``: judge predicted expression by its use, from files."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.cli._clinical import read_clinical
from omitrans.cli._command import one_line
from omitrans.cli._downstream_tables import read_tables, with_shared_genes, with_shared_probes
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
from omitrans.exceptions import OmiTransError, SampleMismatchError
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
    test = {MEASURED: options.measured, **files}
    expression, methylation = _read(test, options.methylation, "test", options)
    known = {MEASURED: options.train_expression}
    training, train_methylation = _read(known, options.train_methylation, "training", options)
    measured, train = expression.pop(MEASURED), training[MEASURED]
    _check_apart(measured, train, options)
    _check_clinical(clinical, measured, train, options)
    predicted = {name: (files[name], table) for name, table in expression.items()} | {
        name: (model_files[name], _predict(model, methylation, model_files[name]))
        for name, model in models.items()
    }
    (measured, train), expression = with_shared_genes(
        [(options.measured, measured), (options.train_expression, train)], predicted
    )
    methylation, train_methylation = _with_shared_probes(methylation, train_methylation, options)
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


# --- tables ---


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


def _read(
    expression: dict[str, Path], methylation: Path | None, what: str, options: Any
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame | None]:
    return read_tables(expression, methylation, what=what, samples=options.samples)


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


def _with_shared_probes(
    methylation: pd.DataFrame | None, train: pd.DataFrame | None, options: Any
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    if methylation is None:
        return None, None
    tables = [(options.methylation, methylation)]
    if train is None:
        return with_shared_probes(tables)[0], None
    first, second = with_shared_probes([*tables, (options.train_methylation, train)])
    return first, second


def _predict(model: Any, methylation: pd.DataFrame | None, path: Path) -> pd.DataFrame:
    with working(f"Predicting with {path} ..."):
        try:
            return predict_frame(model, methylation)
        except ValueError as error:
            raise OmiTransError(f"{str(path)!r} cannot predict: {one_line(error)}") from error


# --- results ---


def _hand_over(report: DownstreamReport, options: Any) -> None:
    """Print the verdict, and write the requested files."""
    if options.output is not None:
        with replacing(options.output) as path:
            report.frame.to_csv(path, index=False)
    if options.html is not None:
        report.to_html(options.html)
    notes = report.notes.drop_duplicates()
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
    for found in notes[notes["model"] != MEASURED].itertuples():  # the verdict has the others
        note = " ".join(str(found.note).split())
        print(printable(f"Not done: {found.task} by {found.model} ({found.setting}). {note}"))
    for path in (options.output, options.html):
        if path is not None:
            print(f"Written to {path}.")
