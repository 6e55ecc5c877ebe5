"""The writers of the package: how each writes one of two versions of a file, and reads it back."""

import contextlib
import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd

SHAPE = 40, 60
FIGURE_BYTES = 14_000  # of the first version less, of the second more


class Writer(NamedTuple):
    """How a file is written, and how its version is told."""

    name: str
    write: Callable  # called with the path and the version; may return an error message
    read: Callable  # called with the path; returns the version
    prepare: Callable = lambda folder: None
    beside: tuple = ()  # files that stand in the same folder


def frame(version):
    values = np.random.default_rng(version).random(SHAPE).astype(np.float32)
    samples = [f"TCGA-{version}{k}" for k in range(SHAPE[0])]
    return pd.DataFrame(values, samples, [f"cg{version}{k:07d}" for k in range(SHAPE[1])])


def version_of(table):
    """Return which version a table is, -1 if it is neither."""
    for version in (0, 1):
        expected = frame(version)
        if table.shape == expected.shape and list(table.index) == list(expected.index):
            whole = np.allclose(table.to_numpy(), expected.to_numpy(), rtol=1e-5)
            return version if whole and list(table.columns) == list(expected.columns) else -1
    return -1


def write_inputs(folder):
    for version in (0, 1):
        frame(version).to_csv(folder / f"in{version}.csv")


INPUTS = ("in0.csv", "in1.csv")


def save_model(path, version):
    from sklearn.linear_model import Ridge

    import omitrans

    model = Ridge()
    model.coef_ = frame(version).to_numpy()
    omitrans.save(model, path)


def version_of_model(path):
    import omitrans

    coefficients = omitrans.load(path).coef_
    return next((v for v in (0, 1) if np.array_equal(frame(v), coefficients)), -1)


def stream(path, version):
    from omitrans.io import read_matrix

    read_matrix(path.with_name(f"in{version}.csv"), samples="rows", out=path)


def convert(path, version):
    """Run the command; return its message if it fails."""
    from omitrans.cli.__main__ import main

    said = io.StringIO()
    source = path.with_name(f"in{version}.csv")
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(["convert", str(source), str(path), "--samples", "rows"])
    return said.getvalue() if code else None


def store_outcome(path, version):
    from omitrans.comparison._cache import write_outcome
    from omitrans.comparison._outcome import Outcome

    return write_outcome(path, Outcome({"r2": float(version)}, arrays={"y": frame(version)}))


def checkpoint(path, version):
    import torch

    from omitrans.engine import Checkpoint, FitDraws

    net = SimpleNamespace(
        modules_state=lambda: {"net": {"w": torch.as_tensor(frame(version).to_numpy())}},
        _optimizers=[],
        device="cpu",
        history=[{"epoch": version}],
    )
    Checkpoint(path, 1, None, FitDraws(0, torch.device("cpu"))).write(net)


def version_of_checkpoint(path):
    import torch

    state = torch.load(path, weights_only=True)
    same = np.array_equal(state["modules"]["net"]["w"].numpy(), frame(state["history"][0]["epoch"]))
    return state["history"][0]["epoch"] if same else -1


def report(path, version):
    from omitrans.reports import prediction_report

    prediction_report(path, frame(version).iloc[:5, :5], title=f"Version {version}.")


def version_of_page(path):
    text = path.read_text(encoding="utf-8")
    return text.count("<title>Version 1.") if text.rstrip().endswith("</html>") else -1


def draw(path, version):
    from matplotlib.figure import Figure

    from omitrans.cli._report import _write as write_figure

    figure = Figure()
    for axes in figure.subplots(1, 1 + version, squeeze=False).flat:
        axes.imshow(frame(version).iloc[:10])
    write_figure(SimpleNamespace(figure_=figure), path)


def version_of_figure(path):
    """Tell the versions by their shape, which is in the size of the file."""
    data = path.read_bytes()
    if not data.endswith(b"IEND\xaeB`\x82"):
        return -1
    return int(len(data) > FIGURE_BYTES)


def record(path, version):
    from omitrans.datasets.fetch._cache import _write_record

    _write_record(path, f"{version}" * 64)


def recorded(path):
    from omitrans.datasets.fetch._cache import _read_record

    return int(_read_record(path)[0])


def stored_outcome(path):
    from omitrans.comparison._cache import read_outcome

    return int(read_outcome(path).metrics["r2"])


def write_table(path, version):
    from omitrans.cli import _input

    _input.write_table(frame(version), path)


def by_rows(path):
    from omitrans.io import read_matrix

    return version_of(
        read_matrix(path) if path.suffix == ".npy" else read_matrix(path, samples="rows")
    )


def read_anndata(path):
    from omitrans.io import read_h5ad

    return version_of(read_h5ad(path))


def write_mudata(path, version):
    from omitrans.io import write_h5mu

    write_h5mu({"a": frame(version)}, path)


def read_mudata(path):
    from omitrans.io import read_h5mu

    return version_of(read_h5mu(path)["a"])


WRITERS = [
    Writer("model.omitrans", save_model, version_of_model),
    Writer("table.csv", write_table, by_rows),
    Writer("table.csv.gz", write_table, by_rows),
    Writer("table.parquet", write_table, by_rows),
    Writer("table.h5ad", write_table, read_anndata),
    Writer("table.h5mu", write_mudata, read_mudata),
    Writer("out.npy", stream, by_rows, write_inputs, INPUTS),
    Writer("out.parquet", stream, by_rows, write_inputs, INPUTS),
    Writer("new.tsv", convert, by_rows, write_inputs, INPUTS),
    Writer("fit.npz", store_outcome, stored_outcome),
    Writer("a.checkpoint", checkpoint, version_of_checkpoint),
    Writer("report.html", report, version_of_page),
    Writer("figure.png", draw, version_of_figure),
    Writer("file.sha256", record, recorded),
]
