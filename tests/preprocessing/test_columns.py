"""What all transformers of the room promise alike."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from omitrans.exceptions import FeatureMismatchError
from omitrans.preprocessing import (
    ArrayHarmonizer,
    BetaToM,
    LocationAligner,
    MissingRateFilter,
    ProbeFilter,
)

PROBES = pd.DataFrame(
    {
        "probe_id": ["cg03", "cg02", "cg01", "rs04"],
        "chromosome": ["X", "2", "1", None],
        "position": [1, 2, 3, None],
        "on_epic": [True, False, True, True],
        "snp_within_5bp": False,
        "multi_mapped": False,
    }
)
TRANSFORMERS = [
    ProbeFilter(PROBES),
    ProbeFilter(),
    MissingRateFilter(0.4),
    LocationAligner(PROBES),
    LocationAligner(PROBES, unmapped="drop"),
    LocationAligner(),
    BetaToM(),
]


@pytest.fixture(params=TRANSFORMERS, ids=str)
def transformer(request):
    return clone(request.param)


@pytest.fixture(name="X")
def make_x():
    values = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, np.nan, 0.7, 0.8], [0.9, np.nan, 0.2, np.nan]])
    return pd.DataFrame(values, columns=PROBES["probe_id"].rename(None), index=["s1", "s2", "s3"])


def test_frame_in_frame_out(transformer, X):
    before = X.copy()
    out = transformer.fit_transform(X)
    assert isinstance(out, pd.DataFrame)
    assert out.index.equals(X.index)
    assert out.columns.tolist() == transformer.get_feature_names_out().tolist()
    pd.testing.assert_frame_equal(X, before)


def test_set_output_agrees(transformer, X):
    kept = transformer.fit_transform(X)
    for choice in ("pandas", "default"):
        out = clone(transformer).set_output(transform=choice).fit_transform(X)
        pd.testing.assert_frame_equal(out, kept)
    with config_context(transform_output="pandas"):
        pd.testing.assert_frame_equal(clone(transformer).fit_transform(X), kept)


@pytest.mark.parametrize(
    "transformer", [ProbeFilter(), MissingRateFilter(0.4), LocationAligner(PROBES), BetaToM()]
)
def test_array_in_array_out(transformer, X):
    out = clone(transformer).fit_transform(X.to_numpy())
    assert isinstance(out, np.ndarray)
    transformer = clone(transformer).set_output(transform="pandas")
    framed = transformer.fit_transform(X.to_numpy())
    np.testing.assert_array_equal(framed.to_numpy(), out)
    assert framed.columns.tolist() == transformer.get_feature_names_out().tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_keeps_the_dtype(transformer, X, dtype):
    out = transformer.fit_transform(X.astype(dtype))
    assert set(out.dtypes) == {np.dtype(dtype)}
    assert set(transformer.inverse_transform(out).dtypes) == {np.dtype(dtype)}


def test_one_sample_alone(transformer, X):
    together = transformer.fit_transform(X)
    for sample in X.index:
        pd.testing.assert_frame_equal(
            transformer.transform(X.loc[[sample]]), together.loc[[sample]]
        )


def test_inverse_restores_what_was_kept(transformer, X):
    restored = transformer.fit(X).inverse_transform(transformer.transform(X))
    assert restored.columns.equals(X.columns)
    assert restored.index.equals(X.index)
    kept = restored.columns[restored.notna().any()]
    assert len(kept) == len(transformer.get_feature_names_out())
    pd.testing.assert_frame_equal(restored[kept], X[kept])


def test_clone_and_pickle(transformer, X):
    out = transformer.fit_transform(X)
    revived = pickle.loads(pickle.dumps(transformer))
    pd.testing.assert_frame_equal(revived.transform(X), out)
    pd.testing.assert_frame_equal(clone(transformer).fit_transform(X), out)


def test_layouts_give_the_same(transformer, X):
    out = transformer.fit_transform(X)
    by_columns = pd.DataFrame(np.asfortranarray(X), columns=X.columns, index=X.index)
    in_pieces = pd.concat([X.iloc[:, :2], X.iloc[:, 2:].astype(object)], axis=1).astype(float)
    for other in (by_columns, in_pieces):
        pd.testing.assert_frame_equal(clone(transformer).fit_transform(other), out)


def test_other_columns_raise(transformer, X):
    transformer.fit(X)
    for other in (X.iloc[:, ::-1], X.iloc[:, :3], X.rename(columns={"cg01": "cg99"})):
        with pytest.raises(FeatureMismatchError, match="columns seen in fit, in their order"):
            transformer.transform(other)


def test_bad_tables_raise(transformer, X):
    with pytest.raises(NotFittedError):
        transformer.transform(X)
    with pytest.raises(FeatureMismatchError, match="duplicated ids"):
        transformer.fit(pd.concat([X, X], axis=1))
    with pytest.raises(TypeError, match="mixes 1 unnamed columns"):
        transformer.fit(X.rename(columns={"cg01": 7}))
    with pytest.raises(ValueError, match=r"contains infinity .first in column 'cg01'"):
        transformer.fit(X.assign(cg01=[0.1, np.inf, 0.2]))
    with pytest.raises(ValueError, match="could not convert string to float"):
        transformer.fit(X.assign(cg01=["0.1", "low", "0.2"]))
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        transformer.fit(X.iloc[:0])


def test_selectors_check_what_they_invert(X):
    aligner = LocationAligner(PROBES).fit(X)
    with pytest.raises(ValueError, match=r"must have the 4 columns .* shape \(3, 2\)"):
        aligner.inverse_transform(X.iloc[:, :2])
    with pytest.raises(FeatureMismatchError, match="Reorder"):
        aligner.inverse_transform(X)


def test_support(X):
    probe_filter = ProbeFilter(PROBES).fit(X)
    assert probe_filter.get_support().tolist() == [True, False, True, False]
    assert probe_filter.get_support(indices=True).tolist() == [0, 2]


@pytest.mark.parametrize("order", ["C", "F"])
def test_no_second_copy(order):
    rng = np.random.default_rng(0)
    values = np.asarray(rng.random((600, 20_000), dtype=np.float32), order=order)
    values[:, 0] = np.nan
    X = pd.DataFrame(values, columns=[f"cg{i}" for i in range(20_000)])
    size = values.nbytes
    for transformer in (MissingRateFilter(), ProbeFilter(unit="beta"), BetaToM(unit="beta")):
        tracemalloc.start()
        transformer.fit(X)
        fit_peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        out = transformer.transform(X)
        transform_peak = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        assert fit_peak < 0.3 * size
        assert transform_peak < 1.1 * size
        del out


def test_a_column_of_text_is_named():
    X = pd.DataFrame({"tissue": ["lung", "skin"], "cg01": [0.1, 0.2], "cg02": [0.3, 0.4]})
    harmonizer = ArrayHarmonizer().fit(X[["cg01", "cg02"]])
    for call in (ArrayHarmonizer().fit, harmonizer.transform):
        with pytest.raises(ValueError, match=r"Column 'tissue' of X begins with 'lung'.*drop"):
            call(X)


def test_missing_values_of_pandas_own_types_are_missing():
    X = pd.DataFrame({"cg01": [0.1, 0.2], "cg02": [0.3, 0.5]})
    gaps = pd.DataFrame({"cg01": [np.nan, 0.2], "cg02": [0.3, 0.4]})
    harmonizer = ArrayHarmonizer(min_coverage=0, warn_coverage=0).fit(X)
    expected = harmonizer.transform(gaps)
    pd.testing.assert_frame_equal(harmonizer.transform(gaps.astype("Float64")), expected)
    assert ArrayHarmonizer().fit(gaps.convert_dtypes()).means_.tolist() == pytest.approx(
        [0.2, 0.35]
    )
