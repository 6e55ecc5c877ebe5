"""Matrices as text and Parquet, either way round, filtered while they are read."""

import gzip
import io
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from omitrans.io import (
    estimate_memory,
    read_matrix,
    read_xena,
)
from omitrans.io.matrix import _stream_parse, _text_matrix
from omitrans.io.matrix._stream_parse import EXACT_NUMBERS


def make_frame(n_features=50, n_samples=12, seed=0):
    """Return features as rows, with missing values and a range of variances."""
    rng = np.random.default_rng(seed)
    values = rng.random((n_features, n_samples)) * rng.random((n_features, 1))
    values[rng.random(values.shape) < 0.15] = np.nan
    return pd.DataFrame(
        values,
        [f"cg{k:08d}" for k in range(n_features)],
        [f"TCGA-{k:03d}" for k in range(n_samples)],
    )


@pytest.fixture
def frame():
    return make_frame()


@pytest.fixture(params=["columns.tsv", "rows.csv", "columns.tsv.gz", "columns.pq", "rows.pq"])
def file(request, frame, tmp_path):
    path = tmp_path / request.param
    table = frame if "columns" in request.param else frame.T
    if path.suffix == ".pq":
        table.to_parquet(path)
    else:
        table.to_csv(path, sep="," if ".csv" in request.param else "\t", na_rep="NA")
    return path


@pytest.fixture(params=[True, False], ids=["small blocks", "one block"])
def blocks(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(_text_matrix.TextFormat, "__new__", _small_blocks)


def _small_blocks(cls, *args, __new__=_text_matrix.TextFormat.__new__, **kwargs):
    return __new__(cls, *args, **(kwargs | {"block_bytes": 100}))


def as_read(frame):
    ids = (axis.astype(object) for axis in frame.T.axes)  # whatever pandas' type of text is
    return pd.DataFrame(frame.to_numpy(np.float32).T, *ids)


def test_values_and_names(file, frame, blocks):
    X = read_matrix(file)
    assert_frame_equal(X, as_read(frame))
    assert (X.dtypes == np.float32).all()


def test_no_second_copy(file):
    X = read_matrix(file)
    assert X.to_numpy().base is not None
    assert np.shares_memory(X.to_numpy(), X.to_numpy())


@pytest.mark.parametrize("n_jobs", [1, 2, 5])
def test_order_whatever_the_threads(file, frame, blocks, n_jobs):
    assert_frame_equal(read_matrix(file, n_jobs=n_jobs), as_read(frame))


def test_filters(file, frame, blocks):
    conditions = {"max_missing_rate": 2 / 12, "min_variance": 0.01}
    kept = (frame.isna().mean(axis=1) <= 2 / 12) & (frame.var(axis=1, ddof=0) >= 0.01)
    assert 3 < kept.sum() < 40
    assert_frame_equal(read_matrix(file, **conditions), as_read(frame[kept]))
    wanted = ["cg00000049", "cg00000003", "cg77777777", *frame.index[20:40]]
    kept &= frame.index.isin(wanted)
    X = read_matrix(file, keep_features=wanted, **conditions)
    assert_frame_equal(X, as_read(frame[kept]))
    assert_frame_equal(
        read_matrix(file, keep_features=set(wanted)),
        as_read(frame[frame.index.isin(wanted)]),
    )


def test_a_feature_without_values_has_no_variance(tmp_path):
    frame = make_frame()
    frame.iloc[3] = np.nan
    frame.to_csv(tmp_path / "betas.tsv", sep="\t")
    X = read_matrix(tmp_path / "betas.tsv", min_variance=0.0)
    assert_frame_equal(X, as_read(frame.drop(index="cg00000003")))
    assert_frame_equal(read_matrix(tmp_path / "betas.tsv", max_missing_rate=1.0), as_read(frame))


@pytest.mark.parametrize("name", ["out.npy", "out.parquet"])
def test_into_a_file(file, frame, name, tmp_path):
    out = tmp_path / name
    conditions = {"max_missing_rate": 0.2}
    expected = as_read(frame[frame.isna().mean(axis=1) <= 0.2])
    X = read_matrix(file, out=out, **conditions)
    assert list(X.index) == list(expected.index)
    if name == "out.npy":
        assert_frame_equal(X, expected)
        assert isinstance(X.to_numpy().base.base, np.memmap) or isinstance(
            X.to_numpy().base, np.memmap
        )
        assert np.load(out).shape == expected.shape
    assert_frame_equal(read_matrix(out), expected)
    assert not list(tmp_path.glob(".*"))


def test_missing_values_and_decimal_commas(tmp_path):
    path = tmp_path / "betas.csv"
    path.write_text("id;TCGA-1;TCGA-2;TCGA-3\ncg00000001;0,5;-;\ncg00000002;1,25e1;NA;2\n")
    X = read_matrix(path, decimal=",", missing_values=["", "NA", "-"])
    assert_array_equal(X, np.array([[0.5, 12.5], [np.nan, np.nan], [np.nan, 2]], np.float32))


@pytest.mark.parametrize("spelling", _stream_parse.MISSING_VALUES)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_spellings_of_missing_values(spelling, place, tmp_path):
    cells = ["1", "2", "3"]
    cells[place] = spelling
    path = tmp_path / "betas.tsv"
    path.write_text("id\tTCGA-1\tTCGA-2\tTCGA-3\ncg00000001\t" + "\t".join(cells) + "\r\n")
    assert np.isnan(read_matrix(path)["cg00000001"]).tolist() == [k == place for k in range(3)]


def test_float64_is_exact(frame, tmp_path):
    frame.to_csv(tmp_path / "betas.tsv", sep="\t")
    assert_array_equal(read_matrix(tmp_path / "betas.tsv", dtype="float64"), frame.T)


CELLS = st.one_of(
    st.floats(-1e30, 1e30).map(repr),
    st.floats(0, 1).map("{:.17g}".format),
    st.integers(-(10**18), 10**18).map(str),
    st.sampled_from(["", "NA", "nan", "0", "-0.0", "1e-60", "007", ".5", "5."]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cells=hnp.arrays(object, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=CELLS),
    sep=st.sampled_from(["\t", ",", ";"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_agrees_with_pandas(cells, sep, end, tmp_path):
    lines = [sep.join(["id", *(f"TCGA-{k}" for k in range(cells.shape[1]))])]
    lines += [sep.join([f"cg{k:08d}", *row]) for k, row in enumerate(cells)]
    path = tmp_path / "betas.txt"
    path.write_bytes((end.join(lines) + end).encode())
    X = read_matrix(path, sep=sep)
    expected = pd.read_csv(path, sep=sep, index_col=0, **EXACT_NUMBERS)
    np.testing.assert_array_max_ulp(
        X.to_numpy().T, expected.to_numpy(np.float64).astype(np.float32), maxulp=0
    )
    assert (list(X.columns), list(X.index)) == (list(expected.index), list(expected.columns))


def test_without_pyarrow(frame, tmp_path, monkeypatch):
    path = tmp_path / "betas.tsv"
    frame.to_csv(path, sep="\t", na_rep="NA")
    with_pyarrow = read_matrix(path)
    monkeypatch.setattr(_stream_parse.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.csv", None)
    assert_frame_equal(read_matrix(path), with_pyarrow)
    assert_array_equal(read_matrix(path, dtype="float64"), frame.T)


def test_which_way_round(tmp_path):
    frame = pd.DataFrame([[1.0, 2.0]], ["TP53"], ["a", "b"])
    path = tmp_path / "genes.tsv"
    frame.to_csv(path, sep="\t")
    assert read_matrix(path, samples="columns").shape == (2, 1)
    assert read_matrix(path, samples="rows").shape == (1, 2)


@pytest.mark.parametrize(
    ("feature", "sample"),
    [
        ("cg00000029", "x"),
        ("cg00000029_TC21", "x"),
        ("ch.1.1024R", "x"),
        ("rs10457834", "x"),
        ("ENSG00000223972.5", "x"),
        ("TP53", "TCGA-OR-A5J1-01"),
        ("TP53", "GTEX-1117F-0226-SM-5GZZ7"),
        ("TP53", "GSM12345"),
        ("TP53", "4207113116_R01C01"),
    ],
)
def test_ids_that_tell_which_way_round(feature, sample, tmp_path):
    frame = pd.DataFrame([[1.0]], [sample], [feature])
    for table in (frame, frame.T):
        table.to_csv(tmp_path / "table.csv")
        assert read_matrix(tmp_path / "table.csv").columns.tolist() == [feature]


def test_ids_are_text(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('id,001,002\n007,1,2\n"a,b",3,4\nNA,5,6\n1e5,7,8\n')
    X = read_matrix(path, samples="columns")
    assert X.columns.tolist() == ["007", "a,b", "NA", "1e5"]
    assert X.index.tolist() == ["001", "002"]


def test_many_narrow_rows_and_few_wide_ones(tmp_path):
    for shape in ((20_000, 3), (3, 40_000)):
        frame = make_frame(*shape)
        frame.round(4).to_csv(tmp_path / "betas.tsv.gz", sep="\t")
        assert_frame_equal(read_matrix(tmp_path / "betas.tsv.gz"), as_read(frame.round(4)))


def test_progress_bar(file, capsys):
    read_matrix(file, progress=True)
    shown = capsys.readouterr().err
    assert ("100%" in shown) is (file.suffix != ".pq")


@pytest.mark.parametrize("n_features", [7, 3000])
def test_estimate(n_features, tmp_path):
    frame = make_frame(n_features, 40)
    buffer = io.StringIO()
    frame.to_csv(buffer, sep="\t")
    for name, data in (
        ("betas.tsv", buffer.getvalue().encode()),
        ("betas.tsv.gz", gzip.compress(buffer.getvalue().encode())),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        estimate = estimate_memory(path)
        assert estimate.n_columns == 40
        assert estimate.n_rows == pytest.approx(n_features, rel=0.15)
        assert estimate.result == estimate.n_rows * 40 * 4
        assert estimate.peak > estimate.result
    frame.to_parquet(path)
    assert estimate_memory(path, dtype="float64").result == n_features * 40 * 8
    on_disk = estimate_memory(path, to_file=True)
    assert on_disk.peak == estimate_memory((n_features, 40), to_file=True).peak
    assert f"{n_features:,} x 40 values" in str(on_disk)


@pytest.mark.parametrize("corner", ["sample", "Composite Element REF", "xena_sample", "Ensembl_ID"])
def test_xena(corner, frame, tmp_path):
    path = tmp_path / "HumanMethylation450.gz"
    frame.rename_axis(index=corner).to_csv(path, sep="\t", na_rep="NA")
    wanted = frame.index[:9]
    X = read_xena(path, keep_features=wanted, max_missing_rate=0.3)
    kept = frame.loc[wanted][frame.loc[wanted].isna().mean(axis=1) <= 0.3]
    assert_frame_equal(X, as_read(kept))
