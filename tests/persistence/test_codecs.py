"""What goes into a model file comes out of it: same values, types and sharing."""

import math
import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy import sparse
from sklearn.feature_selection import f_regression
from sklearn.linear_model import Ridge
from sklearn.utils import Bunch

import omitrans
from omitrans.exceptions import ModelFileError

few_examples = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def round_trip(tmp_path):
    def through_a_file(value):
        path = tmp_path / "value.omitrans"
        omitrans.save(Ridge(alpha=value), path)
        return omitrans.load(path).alpha

    return through_a_file


def assert_same(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype.newbyteorder("=")
        assert found.shape == expected.shape
        if expected.dtype == object:
            assert_same(found.ravel().tolist(), expected.ravel().tolist())
        else:
            assert found.tobytes() == expected.astype(found.dtype).tobytes()
    elif isinstance(expected, dict):
        assert_same(list(found.items()), list(expected.items()))
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, float | np.floating) and math.isnan(expected):
        assert math.isnan(found)
    else:
        assert found == expected


texts = st.text(max_size=5)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    texts,
    st.builds(np.float32, st.floats(width=32)),
    st.builds(np.float64, st.floats()),
    st.builds(np.int16, st.integers(-(2**15), 2**15 - 1)),
    st.builds(np.uint64, st.integers(0, 2**64 - 1)),
    st.builds(np.bool_, st.booleans()),
    st.builds(np.str_, texts),
    st.builds(slice, st.none() | st.integers(), st.integers(), st.none()),
    st.builds(range, st.integers(-5, 5), st.integers(-5, 5)),
)
hashables = st.one_of(
    st.none(), st.booleans(), st.integers(), texts, st.tuples(texts, st.integers())
)
trees = st.recursive(
    scalars,
    lambda children: st.one_of(
        st.lists(children, max_size=4),
        st.lists(children, max_size=4).map(tuple),
        st.dictionaries(texts, children, max_size=4),
        st.dictionaries(hashables, children, max_size=4),
        st.sets(hashables, max_size=4),
        st.frozensets(hashables, max_size=4),
        st.dictionaries(st.sampled_from(string.ascii_lowercase), children, max_size=4).map(
            lambda children: Bunch(**children)
        ),
    ),
    max_leaves=12,
)
arrays = npst.arrays(
    dtype=st.one_of(
        npst.boolean_dtypes(),
        npst.integer_dtypes(),
        npst.unsigned_integer_dtypes(),
        npst.floating_dtypes(sizes=(16, 32, 64)),
        npst.complex_number_dtypes(sizes=(64, 128)),
        npst.unicode_string_dtypes(max_len=4),
        npst.byte_string_dtypes(max_len=4),
        npst.datetime64_dtypes(),
        npst.timedelta64_dtypes(),
    ),
    shape=npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@few_examples
@given(tree=trees)
def test_trees_of_python_values(round_trip, tree):
    assert_same(round_trip(tree), tree)


@few_examples
@given(array=arrays)
def test_arrays_of_any_dtype_and_shape(round_trip, array):
    assert_same(round_trip(array), array)


@few_examples
@given(array=arrays.filter(lambda array: array.ndim > 1))
def test_order_is_kept_and_gaps_are_closed(round_trip, array):
    fortran = np.asfortranarray(array)
    found = round_trip(fortran)
    assert_same(found, array)
    assert found.flags.f_contiguous == fortran.flags.f_contiguous
    assert_same(round_trip(array[::-2, 1:]), array[::-2, 1:])


@pytest.mark.parametrize(
    "array",
    [
        np.array(["TP53", "β-actin", None, 7, "\ud800"], dtype=object),
        np.array([["a", 1.5], [np.float32(2), math.inf]], dtype=object),
        np.array(None, dtype=object),
        np.empty((0, 3), dtype=object),
        np.array([np.arange(2), np.arange(3.0), ["x"], ()], dtype=object),
        np.array([pd.NA, pd.NaT, math.nan], dtype=object),
    ],
    ids=["names", "mixed", "scalar", "empty", "ragged", "missing"],
)
def test_arrays_of_objects(round_trip, array):
    found = round_trip(array)
    assert found.dtype == object
    assert found.shape == array.shape
    for one, other in zip(found.ravel().tolist(), array.ravel().tolist(), strict=True):
        if other is pd.NA or other is pd.NaT:
            assert one is other
        else:
            assert_same(one, other)


def test_memory_maps_become_arrays(round_trip, tmp_path):
    mapped = np.memmap(tmp_path / "mapped", dtype="f4", mode="w+", shape=(3, 2))
    mapped[:] = [[1, 2], [3, 4], [5, 6]]
    assert_same(round_trip(mapped), np.array(mapped))


def test_loaded_arrays_can_be_written_to(round_trip):
    array = np.arange(3.0)
    array.flags.writeable = False
    assert round_trip(array).flags.writeable


@pytest.mark.parametrize("dtype", ["f8", ">i4", "?", "M8[ns]", "U7", "O"])
def test_dtypes(round_trip, dtype):
    assert round_trip(np.dtype(dtype)) == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize(
    "kind", [float, int, str, object, np.float32, np.int64, np.log1p, f_regression]
)
def test_types_and_functions_that_parameters_take(round_trip, kind):
    assert round_trip(kind) is kind


@pytest.mark.parametrize(
    "kind", ["csr_array", "csc_array", "coo_array", "csr_matrix", "csc_matrix", "coo_matrix"]
)
def test_sparse(round_trip, kind):
    matrix = getattr(sparse, kind)(np.array([[0, 1.5, 0], [0, 0, -2]], dtype=np.float32))
    found = round_trip(matrix)
    assert type(found) is type(matrix)
    assert found.dtype == matrix.dtype
    np.testing.assert_array_equal(found.toarray(), matrix.toarray())


PROBES = pd.DataFrame(
    {
        "probe_id": ["cg1", "cg2", "ch.3"],
        "position": pd.array([10, None, 30], dtype="Int64"),
        "island": pd.Categorical(
            ["shore", None, "shelf"], categories=["shelf", "shore"], ordered=True
        ),
        "design": pd.array(["I", None, "II"], dtype="string"),
        "gene": np.array(["TP53;WRAP53", None, math.nan], dtype=object),
        "on_epic": [True, False, True],
        "masked": pd.array([True, None, False], dtype="boolean"),
        "weight": np.array([0.5, math.nan, 1], dtype=np.float32),
        "effect": [1.0, 2.0, 3.0],
        "score": pd.array([0.5, None, 1.5], dtype="Float32"),
        "date": pd.to_datetime(["2020-01-01", None, "2021-05-06"]),
        7: [np.int8(1), np.int8(2), np.int8(3)],
    }
)


@pytest.mark.parametrize(
    "frame",
    [
        PROBES,
        PROBES.set_index("probe_id"),
        PROBES.set_index("island").iloc[:, ::-1],
        PROBES.iloc[:0],
        PROBES[[]],
        PROBES.iloc[::2],
        pd.DataFrame(np.arange(6.0).reshape(2, 3), columns=["b", "a", "b"], index=[2.5, 1.5]),
        pd.DataFrame(np.eye(2, dtype="f4")).rename_axis(index="sample", columns="gene"),
    ],
    ids=[
        "all",
        "index",
        "categorical index",
        "no rows",
        "no columns",
        "step",
        "duplicates",
        "names",
    ],
)
def test_frames(round_trip, frame):
    found = round_trip(frame)
    pd.testing.assert_frame_equal(found, frame, check_index_type="exact", check_column_type="exact")


@pytest.mark.parametrize("name", PROBES.columns)
def test_series_and_indexes(round_trip, name):
    series = PROBES[name]
    pd.testing.assert_series_equal(round_trip(series), series, check_index_type="exact")
    if name not in ("position", "masked", "score"):  # pandas compares these indexes as it likes
        index = pd.Index(series)
        pd.testing.assert_index_equal(round_trip(index), index, exact=True)


def test_text_with_nan_for_missing(round_trip):
    try:
        dtype = pd.StringDtype(na_value=np.nan)
    except TypeError:
        pytest.skip("pandas has this type from 2.3 on")
    text = pd.Series(["a", None, "c"], dtype=dtype)
    pd.testing.assert_series_equal(round_trip(text), text)


@pytest.mark.parametrize(
    "make", [np.random.RandomState, np.random.default_rng]
    + [lambda seed, kind=kind: np.random.Generator(kind(seed))
       for kind in (np.random.MT19937, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64)]
    + [lambda seed: np.random.RandomState(np.random.PCG64(seed))],
)  # fmt: skip
def test_random_states_go_on_where_they_stood(round_trip, make):
    generator = make(3)
    generator.standard_normal(7)
    found = round_trip(generator)
    assert type(found) is type(generator)
    np.testing.assert_array_equal(found.standard_normal(700), generator.standard_normal(700))


def test_one_object_in_two_places_stays_one(round_trip):
    array, names, inner = np.arange(3.0), np.array(["a"], dtype=object), Ridge(alpha=2.0)
    inner.coef_ = array
    first, second, third, fourth, fifth = round_trip([array, names, inner, names, inner])
    assert second is fourth
    assert third is fifth
    assert third.coef_ is first


def test_equal_arrays_in_two_places_stay_two(round_trip):
    first, second = round_trip([np.zeros(2), np.zeros(2)])
    assert first is not second


def test_short_lived_arrays_are_not_taken_for_one_another(tmp_path):
    """Values that die while a model is saved must not lend their id to the next ones."""
    frames = [pd.DataFrame({"a": [float(i)], "b": [str(i)]}) for i in range(50)]
    omitrans.save(Ridge(alpha=frames), tmp_path / "m")
    for found, frame in zip(omitrans.load(tmp_path / "m").alpha, frames, strict=True):
        pd.testing.assert_frame_equal(found, frame)


def test_arrays_in_places_that_look_alike(round_trip):
    keys = [Ridge(alpha=np.array([float(i)] * 3)) for i in range(3)]
    found = round_trip({key: np.full(3, i) for i, key in enumerate(keys)})
    assert [key.alpha[0] for key in found] == [0, 1, 2]
    assert [value[0] for value in found.values()] == [0, 1, 2]


class Unknown:
    """Something that no file can hold."""


def a_function(values):
    return values


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (a_function, r"Ridge\.alpha is the function a_function\. omitrans\.save stores data only"),
        (lambda values: values, r"Ridge\.alpha is the function .*<lambda>.*joblib\.dump"),
        (np.mean, r"Ridge\.alpha is the function mean"),
        (Unknown, r"Ridge\.alpha is the class Unknown.*Give a name that is registered"),
        ({"a": [0, (1, Unknown())]}, r"Ridge\.alpha\['a'\]\[1\]\[1\] is an object of .*\.Unknown"),
        (np.ma.masked_array([1], [True]), r"Ridge\.alpha is an array \(MaskedArray\)"),
        (np.zeros(2, dtype="i4,f4"), r"Ridge\.alpha is an array \(ndarray\) of the dtype \[\('f0'"),
        (b"bytes", r"Ridge\.alpha is an object of builtins\.bytes"),
        (pd.MultiIndex.from_tuples([(1, 2)]), r"Ridge\.alpha is an object of pandas.*MultiIndex"),
        (pd.DataFrame({"a": [Unknown()]}), r"Ridge\.alpha\.iloc\[:, 0\]\[0\] is an object of"),
    ],
)  # fmt: skip
def test_what_is_not_data_is_refused_with_its_place(tmp_path, value, message):
    with pytest.raises(ModelFileError, match=message):
        omitrans.save(Ridge(alpha=value), tmp_path / "m.omitrans")
    assert not list(tmp_path.iterdir())


def test_a_list_in_itself_is_refused(tmp_path):
    endless: list = []
    endless.append(endless)
    with pytest.raises(ModelFileError, match="contains itself"):
        omitrans.save(Ridge(alpha=endless), tmp_path / "m.omitrans")
