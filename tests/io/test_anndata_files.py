import gzip
import resource
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pandas.testing import assert_frame_equal
from scipy import sparse

from omitrans.annotation import check_gene_table
from omitrans.exceptions import (
    DataFormatError,
    FeatureMismatchError,
    MissingDependencyError,
    SampleMismatchError,
)
from omitrans.io import read_h5ad, read_h5mu, write_h5ad, write_h5mu

anndata = pytest.importorskip("anndata")
mudata = pytest.importorskip("mudata")
h5py = pytest.importorskip("h5py")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "table.h5ad"


@pytest.fixture
def frame(rng):
    values = rng.random((7, 5), dtype=np.float32)
    values[2, 3] = values[0, 0] = np.nan
    samples = pd.Index([f"TCGA-{i}-01A" for i in (3, 1, 2, 9, 4, 8, 7)], name="sample_id")
    return pd.DataFrame(values, samples, pd.Index([f"cg{i}" for i in range(5)], name="probe_id"))


def edit(path):
    return h5py.File(path, "r+")


def left_over(path):
    return [other.name for other in path.parent.iterdir() if other != path]


def test_round_trip_is_exact(frame, path):
    assert write_h5ad(frame, path, unit="beta") is None
    back = read_h5ad(path, unit="beta")
    assert_frame_equal(back, frame, check_exact=True, check_index_type=False)
    assert back.attrs == {"unit": "beta"}
    assert left_over(path) == []
    write_h5ad(back, path, compression="gzip")
    assert read_h5ad(str(path)).attrs["unit"] == "beta"


def test_anndata_reads_it(frame, path):
    write_h5ad(frame, path, obs=pd.DataFrame({"age": range(7)}, frame.index), unit="beta")
    data = anndata.read_h5ad(path)
    assert_frame_equal(data.to_df(), frame, check_index_type=False)
    assert data.uns["unit"] == "beta"
    assert data.obs["age"].tolist() == list(range(7))


@settings(max_examples=25, deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(0, 4), st.integers(0, 4))),
    st.lists(
        st.text(st.characters(exclude_characters="\0", codec="utf-8")),
        min_size=8,
        max_size=8,
        unique=True,
    ),
)
def test_round_trip_of_anything(tmp_path_factory, values, names):
    path = tmp_path_factory.mktemp("any") / "x.h5ad"
    n_samples, n_features = values.shape
    table = pd.DataFrame(values, names[:n_samples], names[4 : 4 + n_features])
    write_h5ad(table, path)
    back = read_h5ad(path)
    assert back.to_numpy().tobytes() == np.ascontiguousarray(values).tobytes()
    assert back.index.tolist() == table.index.tolist()
    assert back.columns.tolist() == table.columns.tolist()


@pytest.mark.parametrize("dtype", ["float64", "int32", "Float32", "Int64", "bool"])
def test_other_numbers_become_float32(frame, path, dtype):
    table = frame.fillna(0).round().astype(dtype)
    if dtype[0].isupper():
        table.iloc[1, 1] = pd.NA
    write_h5ad(table, path)
    assert_frame_equal(
        read_h5ad(path), table.astype("Float32").astype(np.float32), check_index_type=False
    )


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_sparse(path, rng, monkeypatch, kind, dtype):
    monkeypatch.setattr("omitrans.io.anndata._hdf5.BLOCK_VALUES", 50)  # several blocks
    dense = rng.poisson(0.3, (23, 11)).astype(dtype)
    data = anndata.AnnData(kind(dense.astype(np.float32)), layers={"raw": kind(dense)})
    data.write_h5ad(path)
    for layer in (None, "raw"):
        assert np.array_equal(read_h5ad(path, layer=layer), dense)


def test_layers_and_obs(frame, path):
    obs = pd.DataFrame({"sex": list("fmfmffm"), "age": np.arange(7.0)}, frame.index)
    data = anndata.AnnData(frame.to_numpy(), obs=obs, var=pd.DataFrame(index=frame.columns))
    data.layers["m"] = frame.to_numpy(np.float64) * 2
    data.write_h5ad(path)
    table, back = read_h5ad(path, layer="m", obs=True)
    assert_frame_equal(table, frame * 2, check_index_type=False)
    assert_frame_equal(back.astype({"sex": obs["sex"].dtype}), obs, check_index_type=False)
    with pytest.raises(DataFormatError, match=r"no layer 'M'. It holds: X \(layer=None\), m"):
        read_h5ad(path, layer="M")


def test_obs_and_var_of_many_kinds(frame, path):
    obs = pd.DataFrame(
        {
            "text": ["a", None, "b", "c", "a", np.nan, "b"],
            "string": pd.array(["x", pd.NA, *"abcde"], dtype="string"),
            "nothing": np.full(7, None, dtype=object),
            "flag": pd.array([True, None, *[False] * 5], dtype="boolean"),
            "odd flag": np.array([True, None, *[False] * 5], dtype=object),
            "count": pd.array([1, None, *range(5)], dtype="Int64"),
            "kind": pd.Categorical(list("xyxyxyx")),
            "age": np.arange(7.0),
            7: np.arange(7),
        },
        frame.index,
    )
    genes = check_gene_table(
        pd.DataFrame({"gene_id": frame.columns, "chromosome": [*"12X", None, "MT"], "start": 5})
    ).set_index("gene_id")
    write_h5ad(frame, path, obs=obs.sample(frac=1, random_state=0), var=genes)
    _, back = read_h5ad(path, obs=True)
    assert back.index.tolist() == frame.index.tolist()
    assert back["text"].tolist()[:3] == ["a", np.nan, "b"]
    assert back["string"].isna().tolist() == obs["string"].isna().tolist()
    assert back["nothing"].isna().all()
    for name in ("flag", "odd flag"):
        assert back[name].tolist() == obs["flag"].tolist()
    assert back["count"].tolist() == obs["count"].tolist()
    assert back["kind"].tolist() == obs["kind"].tolist()
    assert back["7"].tolist() == list(range(7))
    data = anndata.read_h5ad(path)
    assert data.var["start"].tolist() == [5] * 5
    assert data.var["chromosome"].isna().tolist() == [False, False, False, True, False]


@pytest.mark.parametrize(
    "column", [[1, "a", *range(5)], pd.date_range("2020", periods=7), [{}] * 7]
)
def test_obs_that_cannot_be_stored(frame, path, column):
    obs = pd.DataFrame({"odd": pd.Series(column, index=frame.index)})
    with pytest.raises(TypeError, match=r"The column 'odd' of obs .*obs\['odd'\].astype\(str\)"):
        write_h5ad(frame, path, obs=obs)
    assert left_over(path) == []
    assert not path.exists()


def test_obs_must_describe_all_samples(frame, path):
    obs = pd.DataFrame({"age": 1}, frame.index[1:])
    with pytest.raises(SampleMismatchError, match=r"obs lacks 1 of 7 samples \(TCGA-3-01A"):
        write_h5ad(frame, path, obs=obs)
    with pytest.raises(FeatureMismatchError, match="var lacks 5 of 5 features"):
        write_h5ad(frame, path, var=obs)
    twice = pd.DataFrame({"age": 1}, [*frame.index, frame.index[0]])
    with pytest.raises(SampleMismatchError, match="1 duplicated ids"):
        write_h5ad(frame, path, obs=twice)


def test_units_are_compared(frame, path):
    write_h5ad(frame, path, unit="log2(FPKM + 1)")
    with pytest.raises(
        DataFormatError, match=r"in 'log2\(FPKM \+ 1\)' by its note .*not in 'beta'"
    ):
        read_h5ad(path, unit="beta")
    write_h5ad(frame, path)
    assert read_h5ad(path).attrs == {}
    assert read_h5ad(path, unit="beta").attrs == {"unit": "beta"}


def test_ids_must_be_text_and_unique(frame, path):
    with pytest.raises(TypeError, match=r"text ids; got 0\. .*frame.index.astype\(str\)"):
        write_h5ad(frame.reset_index(drop=True), path)
    with pytest.raises(TypeError, match=r"frame.columns.astype\(str\)"):
        write_h5ad(frame.set_axis(range(5), axis=1), path)
    with pytest.raises(SampleMismatchError, match="1 duplicated ids"):
        write_h5ad(frame.iloc[[0, 0]], path)
    with pytest.raises(FeatureMismatchError, match="1 duplicated ids"):
        write_h5ad(frame.iloc[:, [0, 0]], path)
    with pytest.raises(TypeError, match=r"its column 'cg1' is of type (object|str)"):
        write_h5ad(frame.assign(cg1="a"), path)


def test_numbers_must_fit(frame, path):
    with pytest.raises(ValueError, match="frame holds numbers beyond float32"):
        write_h5ad(frame.astype(float) * 1e300, path)
    with pytest.raises(TypeError, match="of type complex128"):
        write_h5ad(frame.astype(complex), path)


def test_an_empty_table(frame, path):
    for empty in (frame.iloc[:0], frame.iloc[:, :0]):
        write_h5ad(empty, path)
        assert read_h5ad(path).shape == empty.shape


@pytest.mark.parametrize(
    ("part", "error"), [("obs", SampleMismatchError), ("var", FeatureMismatchError)]
)
def test_duplicated_names_in_a_file(frame, path, part, error):
    write_h5ad(frame, path)
    with edit(path) as file:
        ids = file[part][file[part].attrs["_index"]]
        ids[0] = ids[1]
    with pytest.raises(error, match=rf"1 duplicated ids .*{part}_names_make_unique"):
        read_h5ad(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "It is empty"),
        (b"sample,cg1\ns1,0.5\n", "It is text: read a table with omitrans.io.read_matrix"),
        (gzip.compress(b"x", mtime=0), "compressed by gzip"),
        (b"PK\3\4\0", "zip archive"),
        (b"PAR1\0", "Parquet file"),
        (b"<!DOCTYPE html>", "web page"),
        (b"\0\1\2", "Check its name"),
    ],
)
@pytest.mark.parametrize("read", [read_h5ad, read_h5mu])
def test_files_of_other_kinds(path, read, data, message):
    path.write_bytes(data)
    with pytest.raises(DataFormatError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_truncated(frame, path):
    write_h5ad(frame, path)
    data = path.read_bytes()
    for size in (8, 100, 2000, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(DataFormatError, match="truncated or damaged"):
            read_h5ad(path)


def test_damaged_in_the_middle(frame, path):
    write_h5ad(pd.concat([frame] * 1, axis=1), path, compression="gzip")
    with h5py.File(path) as file:
        chunk = file["X"].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    data[chunk.byte_offset + 2 : chunk.byte_offset + 12] = b"\xff" * 10
    path.write_bytes(data)
    with pytest.raises(DataFormatError, match="truncated or damaged"):
        read_h5ad(path)


def spoil(change):
    return pytest.param(change, id=change.__name__)


def no_matrix(file):
    del file["X"]


def no_samples(file):
    del file["obs"]


def text_instead_of_numbers(file):
    del file["X"]
    file["X"] = np.full((7, 5), b"a")


def other_shape(file):
    del file["X"]
    file["X"] = np.zeros((5, 7))


def too_large_numbers(file):
    del file["X"]
    file["X"] = np.full((7, 5), 1e300)


def no_index(file):
    del file["var"].attrs["_index"]


def a_table_as_matrix(file):
    del file["X"]
    file.copy("obs", "X")


def old_anndata(file):
    del file["obs"]
    file["obs"] = np.zeros(7, dtype=[("index", "S3")])


def sparse_outside(file):
    del file["X"]
    anndata.io.write_elem(file, "X", sparse.csr_matrix(np.eye(7, 5, dtype=np.float32)))
    file["X/indices"][3] = 10**6


def sparse_too_short(file):
    del file["X"]
    anndata.io.write_elem(file, "X", sparse.csr_matrix(np.eye(7, 5, dtype=np.float32)))
    del file["X/indptr"]
    file["X/indptr"] = np.array([0, 1, 2])


def sparse_falling(file):
    del file["X"]
    anndata.io.write_elem(file, "X", sparse.csr_matrix(np.eye(7, 5, dtype=np.float32)))
    file["X/indptr"][2:4] = [3, 1]


MESSAGES = {
    no_matrix: "holds no matrix X. It holds no layers",
    no_samples: "no AnnData file: it lacks obs",
    text_instead_of_numbers: "holds no numbers",
    other_shape: r"of shape \(5, 7\), and it names 7 samples and 5 features",
    too_large_numbers: "beyond float32",
    no_index: "truncated or damaged",
    a_table_as_matrix: "holds its matrix as 'dataframe'",
    old_anndata: "AnnData file of before 2019",
    sparse_outside: "truncated or damaged: ",
    sparse_too_short: "indptr has 3 entries instead of 8",
    sparse_falling: "truncated or damaged: ",
}


@pytest.mark.parametrize("change", [spoil(change) for change in MESSAGES])
def test_spoilt_files(frame, path, change):
    write_h5ad(frame, path)
    with edit(path) as file:
        change(file)
    with pytest.raises(DataFormatError, match=MESSAGES[change]) as caught:
        read_h5ad(path)
    assert str(path) in str(caught.value)


def test_missing_matrix_with_layers(path):
    anndata.AnnData(layers={"counts": np.ones((2, 3), dtype=np.float32)}).write_h5ad(path)
    with pytest.raises(
        DataFormatError, match=r"holds no matrix X\. Name one of its layers: counts"
    ):
        read_h5ad(path)
    assert read_h5ad(path, layer="counts").shape == (2, 3)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["matrix/barcodes"], "10x Genomics"),
        (["matrix", "row_attrs/x"], "Loom file"),
        (["betas"], "At its top it holds: betas"),
        ([], "At its top it holds: nothing"),
    ],
)
def test_other_hdf5_files(path, names, message):
    with h5py.File(path, "w") as file:
        for name in names:
            file[name] = np.ones(3)
    for read in (read_h5ad, read_h5mu):
        with pytest.raises(DataFormatError, match=message):
            read(path)


def test_missing_packages(frame, path, monkeypatch):
    write_h5ad(frame, path)
    monkeypatch.setitem(sys.modules, "mudata", None)
    with pytest.raises(MissingDependencyError, match=r"mudata is needed .*'omitrans\[anndata\]'"):
        write_h5mu({"methylation": frame}, path)
    monkeypatch.setitem(sys.modules, "anndata", None)
    with pytest.raises(MissingDependencyError, match=r"anndata is needed to read"):
        read_h5ad(path)
    with pytest.raises(MissingDependencyError, match=r"anndata is needed to write"):
        write_h5ad(frame, path)


def test_paths(tmp_path, frame):
    with pytest.raises(FileNotFoundError):
        read_h5ad(tmp_path / "absent.h5ad")
    with pytest.raises(IsADirectoryError, match=r"anndata\.read_zarr"):
        read_h5ad(tmp_path)
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write_h5ad(frame, tmp_path)
    with pytest.raises(FileNotFoundError, match=r"does not exist\. Make it first"):
        write_h5ad(frame, tmp_path / "absent" / "x.h5ad")


def test_a_link_stays_a_link(frame, tmp_path):
    link, target = tmp_path / "link.h5ad", tmp_path / "target.h5ad"
    target.touch()
    link.symlink_to(target)
    write_h5ad(frame, link)
    assert link.is_symlink()
    assert read_h5ad(target).shape == frame.shape


def test_an_older_file_outlives_a_full_disk(frame, path, rng):
    write_h5ad(frame, path)
    large = pd.DataFrame(rng.random((300, 300)), columns=[f"g{i}" for i in range(300)])
    large.index = large.columns
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"could not be written.* left as it was"):
            write_h5ad(large, path)
        with pytest.raises(OSError, match=r"could not be written.* left as it was"):
            write_h5mu({"expression": large}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_frame_equal(read_h5ad(path), frame, check_index_type=False)
    assert left_over(path) == []


def test_an_older_file_outlives_an_interrupt(frame, path, monkeypatch):
    write_h5ad(frame, path)

    def interrupted(self, filename, **options):
        filename.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(anndata.AnnData, "write_h5ad", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_h5ad(frame * 2, path)
    assert_frame_equal(read_h5ad(path), frame, check_index_type=False)
    assert left_over(path) == []


def test_modalities_may_hold_different_samples(frame, tmp_path, rng):
    path = tmp_path / "cohort.h5mu"
    expression = pd.DataFrame(
        rng.random((4, 2), dtype=np.float32), frame.index[[5, 1, 0, 2]], ["cg1", "TP53"]
    )
    tables = {"methylation": frame, "expression": expression}
    obs = pd.DataFrame({"age": np.arange(7), "sex": [*"fmfmf", None, "m"]}, frame.index)
    units = {"methylation": "beta", "expression": "log2(FPKM + 1)"}
    write_h5mu(tables, path, obs=obs, units=units)
    back = read_h5mu(path)
    assert list(back) == list(tables)
    for name, table in tables.items():
        assert_frame_equal(back[name], table, check_exact=True, check_index_type=False)
        assert back[name].attrs["unit"] == units[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its next version, and of names that both hold
        data = mudata.read_h5mu(path)
    assert data.n_obs == 7
    assert data.obs["age"].loc[frame.index].tolist() == list(range(7))
    assert left_over(path) == []


def test_chosen_modalities(frame, tmp_path):
    path = tmp_path / "cohort.h5mu"
    write_h5mu({"methylation": frame, "expression": frame, "protein": frame}, path)
    assert list(read_h5mu(path, ["protein", "methylation"])) == ["protein", "methylation"]
    assert list(read_h5mu(path, "protein")) == ["protein"]
    message = "no modality 'rna'. It holds: methylation, expression, protein"
    with pytest.raises(DataFormatError, match=message):
        read_h5mu(path, ["rna"])
    with pytest.raises(DataFormatError, match=message):
        read_h5mu(path, units={"rna": "TPM"})


def test_units_of_modalities(frame, tmp_path):
    path = tmp_path / "cohort.h5mu"
    write_h5mu({"methylation": frame}, path, units={"methylation": "beta"})
    with pytest.raises(
        DataFormatError, match=r"cohort.h5mu \(methylation\) holds values in 'beta'"
    ):
        read_h5mu(path, units={"methylation": "M-value"})
    with pytest.raises(ValueError, match="units names 'rna', and tables holds: methylation"):
        write_h5mu({"methylation": frame}, path, units={"rna": "TPM"})


def test_one_kind_of_file_for_the_other(frame, path):
    write_h5ad(frame, path)
    with pytest.raises(DataFormatError, match=r"read it with omitrans\.io\.read_h5ad"):
        read_h5mu(path)
    write_h5mu({"methylation": frame}, path.with_suffix(".h5mu"))
    with pytest.raises(
        DataFormatError, match=r"MuData file of methylation. Read it with .*read_h5mu"
    ):
        read_h5ad(path.with_suffix(".h5mu"))


@pytest.mark.parametrize(
    ("tables", "error", "message"),
    [
        ({}, ValueError, "tables is empty"),
        ({"a/b": pd.DataFrame()}, ValueError, "cannot be named 'a/b'"),
        ({3: pd.DataFrame()}, ValueError, "cannot be named 3"),
        ({"x": np.ones((2, 2))}, TypeError, r"tables\['x'\] must be a DataFrame; got ndarray"),
    ],
)
def test_bad_modalities(tmp_path, tables, error, message):
    with pytest.raises(error, match=message):
        write_h5mu(tables, tmp_path / "x.h5mu")
