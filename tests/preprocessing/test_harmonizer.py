import pickle
import time
from importlib.resources import files
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

import omitrans
from omitrans.baselines import make_baselines
from omitrans.datasets import make_paired_omics
from omitrans.exceptions import FeatureMismatchError, LowCoverageError, LowCoverageWarning
from omitrans.preprocessing import ArrayHarmonizer, beta_to_m

PROBES = [f"cg{number:08d}" for number in (29, 108, 109, 165, 236, 289, 292, 321, 363, 622)]
POLICIES = ["mean", "group", "knn", "components", "keep"]


@pytest.fixture(name="X")
def training_table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.random((30, 10)), [f"s{i}" for i in range(30)], PROBES)


@pytest.fixture(name="new")
def new_table():
    rng = np.random.default_rng(1)
    return pd.DataFrame(rng.random((7, 10)), [f"n{i}" for i in range(7)], PROBES)


def as_epicv2(table):
    """Return the table under EPICv2's names, with a replicate of its first probe."""
    suffixed = table.set_axis([f"{name}_TC11" for name in table.columns], axis=1)
    return suffixed.assign(**{f"{PROBES[0]}_BC12": table[PROBES[0]] + 0.01})


# --- names ---


def test_columns_are_found_by_name_in_any_order(X, new):
    harmonizer = ArrayHarmonizer().fit(X)
    shuffled = new[new.columns[::-1]].assign(cg99999999=0.5, ctl_1234_NEGATIVE=9e3 / 1e4)
    pd.testing.assert_frame_equal(harmonizer.transform(shuffled), new)


def test_what_does_not_measure_methylation_goes(X):
    odd = X.assign(rs1234=0.5, ctl_1_NORM_A=0.1, **{"nv-GRCh38-chr1-1": 0.2, "ch.1.99F": 0.3})
    assert [*ArrayHarmonizer().fit(odd).get_feature_names_out()] == [*PROBES, "ch.1.99F"]
    # a gene is no SNP
    genes = X.set_axis(["RS1", "CTLA4", *PROBES[2:]], axis=1)
    assert [*ArrayHarmonizer().fit(genes).probes_] == [*genes.columns]


def test_values_of_controls_do_not_matter(X, new):
    harmonizer = ArrayHarmonizer().fit(X.assign(ctl_1_NEGATIVE=9000.0))
    assert harmonizer.unit_ == "beta"
    odd = new.assign(ctl_2_STAINING=-5.0, cg99999999=np.inf)
    pd.testing.assert_frame_equal(harmonizer.transform(odd), new)
    assert harmonizer.report(odd)["status"].eq("ok").all()


@pytest.mark.parametrize("method", ["transform", "report"])
def test_report_knows_the_unit_too(X, new, method):
    with pytest.raises(ValueError, match="M-values: convert with"):
        getattr(ArrayHarmonizer().fit(X), method)(beta_to_m(new))


def test_a_model_of_epicv2_reads_450k(X, new):
    harmonizer = ArrayHarmonizer().fit(as_epicv2(X))
    assert [*harmonizer.probes_] == PROBES
    pd.testing.assert_frame_equal(harmonizer.transform(new), new)


@pytest.mark.parametrize("name", ["cg00000029_TC11", "cg00000029_BO21", "cg00000029_TO114"])
def test_every_suffix_is_understood(X, new, name):
    new = new.rename(columns={"cg00000029": name})
    assert [*ArrayHarmonizer().fit(X).transform(new).columns] == PROBES


# --- replicates ---


@pytest.mark.parametrize(
    ("replicates", "values", "expected"),
    [
        ("mean", [0.1, 0.2, 0.6], 0.3),
        ("median", [0.1, 0.2, 0.6], 0.2),
        ("first", [0.1, 0.2, 0.6], 0.1),
        ("mean", [np.nan, 0.2, 0.6], 0.4),
        ("median", [np.nan, 0.2, 0.6], 0.4),
        ("median", [np.nan, np.nan, 0.6], 0.6),
        ("first", [np.nan, 0.2, 0.6], 0.2),
        ("mean", [np.nan] * 3, np.nan),
        ("median", [np.nan] * 3, np.nan),
        ("first", [np.nan] * 3, np.nan),
    ],
)
@pytest.mark.parametrize("trimmed", [False, True])
def test_replicates_become_one_value(X, new, replicates, values, expected, trimmed):
    parts = pd.DataFrame(
        [values] * len(new), new.index, [f"{PROBES[0]}_TC1{i}" for i in range(1, 4)]
    )
    table = pd.concat([new[PROBES[1:]], parts], axis=1)
    if trimmed:
        table.columns = table.columns.str.replace(r"_TC1\d", "", regex=True)
    harmonizer = ArrayHarmonizer(replicates=replicates, missing="keep").fit(X)
    np.testing.assert_allclose(harmonizer.transform(table)[PROBES[0]], expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.sampled_from(["mean", "median"]), st.integers(0, 2**32 - 1))
def test_joined_replicates_agree_with_pandas(n_replicates, replicates, seed):
    rng = np.random.default_rng(seed)
    probe = np.repeat(PROBES, n_replicates)
    values = rng.random((4, len(probe)))
    values[rng.random(values.shape) < 0.3] = np.nan
    table = pd.DataFrame(values, columns=probe)
    model = ArrayHarmonizer(replicates=replicates, missing="keep", warn_coverage=0, min_coverage=0)
    model.fit(pd.DataFrame(rng.random((3, 10)), columns=PROBES))
    expected = table.T.groupby(level=0).agg(replicates).T[PROBES]
    np.testing.assert_allclose(model.transform(table), expected, rtol=1e-12)


# --- what is missing ---


def test_missing_values_become_training_means(X, new):
    X.iloc[:5, 3] = np.nan
    new.iloc[2, 4] = np.nan
    filled = (
        ArrayHarmonizer(min_coverage=0, warn_coverage=0)
        .fit(X)
        .transform(new.drop(columns=PROBES[3]))
    )
    expected = new.assign(**{PROBES[3]: X[PROBES[3]].mean()}).fillna(
        {PROBES[4]: X[PROBES[4]].mean()}
    )
    pd.testing.assert_frame_equal(filled, expected)


def test_keep_leaves_gaps_to_a_later_step(X, new):
    new.iloc[2, 4] = np.nan
    harmonizer = ArrayHarmonizer(missing="keep", warn_coverage=0.8).fit(X)
    assert np.shares_memory(harmonizer.transform(new), new)  # no copy where nothing changes
    lacking = harmonizer.transform(new.drop(columns=PROBES[3]))
    assert lacking[PROBES[3]].isna().all()


@pytest.fixture(name="tissues")
def two_tissues():
    """Two groups far apart, and their labels."""
    rng = np.random.default_rng(2)
    labels = np.repeat(["blood", "liver"], 20)
    level = np.where(labels == "blood", 0.2, 0.8)[:, None]
    values = level + 0.01 * rng.standard_normal((40, 10))
    return pd.DataFrame(values, columns=PROBES), labels


@pytest.mark.parametrize("given", [True, False])
def test_the_nearest_group_is_found(tissues, given):
    X, labels = tissues
    harmonizer = ArrayHarmonizer(missing="group", n_groups=2, random_state=0)
    harmonizer.fit(X[::2], groups=labels[::2] if given else None)
    new = X[1::2].drop(columns=PROBES[0])
    filled = harmonizer.transform(new)
    means = X[::2].groupby(labels[::2])[PROBES[0]].mean()
    np.testing.assert_allclose(filled[PROBES[0]], means[labels[1::2]], rtol=1e-6)


def test_neighbours_are_training_samples(tissues):
    X, _ = tissues
    harmonizer = ArrayHarmonizer(missing="knn", n_neighbors=3).fit(X[::2])
    new = X[1::2].drop(columns=PROBES[0])
    known = X[::2].drop(columns=PROBES[0]).to_numpy()
    for name, row in new.iterrows():
        nearest = np.argsort(((known - row.to_numpy()) ** 2).sum(axis=1))[:3]
        expected = X[::2][PROBES[0]].iloc[nearest].mean()
        assert harmonizer.transform(new.loc[[name]])[PROBES[0]].item() == pytest.approx(expected)


def test_components_give_the_expectation_of_the_model_they_are():
    """Of one component: a probe is expected at its loading times the score of the others."""
    rng = np.random.default_rng(3)
    score, loadings = rng.standard_normal(2000), np.linspace(0.02, 0.1, 10)
    values = 0.5 + score[:, None] * loadings + 0.01 * rng.standard_normal((2000, 10))
    X = pd.DataFrame(values, columns=PROBES)
    harmonizer = ArrayHarmonizer(missing="components", n_components=1).fit(X[:1000])
    filled = harmonizer.transform(X[1000:].drop(columns=PROBES[9]))
    known = loadings[:9]
    expected = (values[1000:, :9] - 0.5) @ known * loadings[9] / (known @ known + 0.01**2) + 0.5
    expected = np.clip(expected, values[:1000].min(), values[:1000].max())
    np.testing.assert_allclose(filled[PROBES[9]], expected, atol=0.005)


def test_components_do_better_than_means():
    X = make_paired_omics(300, 800, 10, random_state=0).X
    hidden = X.columns[::5]
    error = {}
    for missing in ("mean", "components"):
        harmonizer = ArrayHarmonizer(missing=missing, warn_coverage=0).fit(X[:200])
        filled = harmonizer.transform(X[200:].drop(columns=hidden))
        hidden_here = [name for name in hidden if name in filled]
        error[missing] = ((filled[hidden_here] - X[200:][hidden_here]) ** 2).mean().mean()
    assert error["components"] < 0.6 * error["mean"]
    assert filled.min().min() >= 0
    assert filled.max().max() <= 1


def test_with_few_samples_components_are_means(X, new):
    tables = [
        ArrayHarmonizer(missing=missing, warn_coverage=0).fit(X[:3]).transform(new.iloc[:, 2:])
        for missing in ("mean", "components")
    ]
    pd.testing.assert_frame_equal(*tables)


def test_groups_of_another_length_are_refused(X):
    with pytest.raises(ValueError, match="one label for each of the 30 samples"):
        ArrayHarmonizer(missing="group").fit(X, groups=["a", "b"])


@pytest.mark.parametrize("missing", POLICIES)
@pytest.mark.parametrize("replicates", ["mean", "median", "first"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sample_alone_is_as_in_the_batch_bit_for_bit(X, new, missing, replicates, dtype):
    new = as_epicv2(new).drop(columns=f"{PROBES[4]}_TC11").astype(dtype)
    new.iloc[::2, 2] = np.nan
    harmonizer = ArrayHarmonizer(
        missing=missing, replicates=replicates, warn_coverage=0, min_coverage=0, random_state=0
    ).fit(X)
    batch = harmonizer.transform(new)
    alone = pd.concat([harmonizer.transform(new.iloc[[i]]) for i in range(len(new))])
    pd.testing.assert_frame_equal(batch, alone, check_exact=True)


@pytest.mark.parametrize("missing", POLICIES)
def test_transform_changes_neither_its_input_nor_the_harmonizer(X, new, missing):
    new.iloc[1, 1] = np.nan
    harmonizer = ArrayHarmonizer(missing=missing, random_state=0).fit(X)
    before, state = new.copy(), pickle.dumps(harmonizer)
    harmonizer.transform(new)
    harmonizer.report(new)
    pd.testing.assert_frame_equal(new, before)
    assert pickle.dumps(harmonizer) == state


def test_probes_missing_in_training_are_not_learned(X):
    X[PROBES[0]] = np.nan
    X.iloc[:10, 1] = np.nan
    assert [*ArrayHarmonizer(min_coverage=0, warn_coverage=0).fit(X).probes_] == PROBES[1:]
    assert [*ArrayHarmonizer(max_missing_rate=0.3).fit(X).probes_] == PROBES[2:]
    X[:] = np.nan
    with pytest.raises(ValueError, match="left none of the 10 probes"):
        ArrayHarmonizer().fit(X)


# --- coverage ---


def test_report_says_what_can_be_used(X, new):
    table = as_epicv2(new)
    table.iloc[1, 1:3] = np.nan
    table.iloc[2, 1:6] = np.nan
    report = ArrayHarmonizer().fit(X).report(table)
    assert (report["platform"] == "EPICv2").all()
    assert report["status"].tolist() == ["ok", "low", "refused", "ok", "ok", "ok", "ok"]
    assert report["n_probes"].tolist() == [10, 8, 5, 10, 10, 10, 10]
    np.testing.assert_allclose(report["coverage"], report["n_probes"] / 10)
    assert report.index.equals(table.index)


def test_samples_of_two_arrays_in_one_table_are_told_apart():
    known = pd.read_csv(str(files("omitrans.preprocessing.probes") / "_array_ids.csv"))
    names = known["number"].map("cg{:08d}".format)
    arrays = known["arrays"].str.split().map(set)
    on_450k, on_27k = (arrays.map(lambda on, name=name: name in on) for name in ("450K", "27K"))
    table = pd.DataFrame(0.5, ["old", "new", "gaps"], names[on_450k | on_27k].to_numpy())
    table.loc["old", names[on_450k & ~on_27k]] = np.nan
    table.loc[["new", "gaps"], names[on_27k & ~on_450k]] = np.nan
    table.iloc[2, ::10] = np.nan
    report = ArrayHarmonizer().fit(table).report(table)
    assert report["platform"].to_dict() == {"old": "27K", "new": "450K", "gaps": "450K"}
    assert report["coverage"]["old"] < 0.2


def test_a_few_gaps_do_not_change_the_array():
    known = pd.read_csv(str(files("omitrans.preprocessing.probes") / "_array_ids.csv"))
    names = known["number"].map("cg{:08d}".format)
    table = pd.DataFrame(0.5, ["whole", "gaps"], [*names, names[0]])  # EPICv2 without suffixes
    table.iloc[1, 3::50] = np.nan
    assert ArrayHarmonizer().fit(table).report(table)["platform"].tolist() == ["EPICv2"] * 2


def test_low_coverage_warns_and_very_low_coverage_is_refused(X, new):
    harmonizer = ArrayHarmonizer().fit(X)
    new.loc["n3", PROBES[:2]] = np.nan
    with pytest.warns(LowCoverageWarning, match=r"1 of 7 samples hold less .* n3 \(80.0%\)"):
        harmonizer.transform(new)
    new.loc["n3", PROBES[:4]] = np.nan
    with pytest.raises(LowCoverageError, match=r"min_coverage=0.7 of the model's 10 .* n3 \(60.0%"):
        harmonizer.transform(new)


def test_arrays_keep_their_columns(X, new):
    harmonizer = ArrayHarmonizer().fit(X.to_numpy())
    values = new.to_numpy().copy()
    values[0, 0] = np.nan
    filled = harmonizer.transform(values)
    assert filled[0, 0] == pytest.approx(X[PROBES[0]].mean())
    np.testing.assert_array_equal(filled[1:], values[1:])
    with pytest.raises(ValueError, match="9 features, but"):
        harmonizer.transform(values[:, 1:])


# --- wrong tables ---


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t * 100, "percentages: divide by 100"),
        (lambda t: beta_to_m(t), "M-values: convert with"),
        (lambda t: t + 0.1, r"clip them, X = X.clip\(0, 1\)"),
        (lambda t: t * 1e6, "neither betas nor M-values"),
        (lambda t: t.T, "transposed: the model's probes are its rows"),
        (lambda t: t.T.rename(index="{}_TC11".format), "transposed"),
        (lambda t: t.add_prefix("gene"), "holds none of the model's 10 probes"),
        (lambda t: t.set_axis(range(10), axis=1), "holds none of the model's"),
        (lambda t: t.replace(t.iloc[0, 0], np.inf), "infinity"),
        (lambda t: t.assign(cg00000029="high"), "begins with 'high', which is no number"),
        (lambda t: t.assign(gene=1.0).rename(columns={PROBES[1]: "gene"}), "duplicated ids"),
        (lambda t: t.iloc[:0], "0 sample"),
        (lambda t: t.rename(columns={PROBES[1]: 7}), "mixes 1 unnamed columns"),
    ],
)
def test_a_wrong_table_is_named(X, new, change, message):
    with pytest.raises((ValueError, TypeError), match=message):
        ArrayHarmonizer().fit(X).transform(change(new))


def test_betas_for_a_model_of_m_values(X, new):
    harmonizer = ArrayHarmonizer().fit(beta_to_m(X))
    with pytest.raises(ValueError, match="look like betas"):
        harmonizer.transform(new)
    assert harmonizer.transform(beta_to_m(new)).shape == new.shape


def test_fit_refuses_a_transposed_table(X):
    with pytest.raises(FeatureMismatchError, match="its rows are probes"):
        ArrayHarmonizer().fit(X.T)


def test_fit_refuses_nothing_but_controls(X):
    with pytest.raises(ValueError, match="all are control, SNP or mutation probes"):
        ArrayHarmonizer().fit(X.set_axis([f"rs{i}" for i in range(10)], axis=1))


# --- inside other tools ---


def test_at_the_head_of_a_pipeline(X, new, tmp_path):
    Y = pd.DataFrame({"a": X[PROBES[0]] * 2, "b": X[PROBES[1]] + 1})
    model = make_pipeline(ArrayHarmonizer(), make_baselines(["ridge"])["ridge"])
    assert cross_validate(model, X, Y, cv=3, n_jobs=2)["test_score"].shape == (3,)
    fitted = clone(model).fit(X, Y)
    omitrans.save(fitted, tmp_path / "model.omitrans")
    loaded = omitrans.load(tmp_path / "model.omitrans")
    np.testing.assert_array_equal(loaded.predict(as_epicv2(new).iloc[:, :10]), fitted.predict(new))


def test_probes_are_found_in_a_time_linear_in_their_number():
    names = [f"cg{number:08d}" for number in range(100_000)]
    X = pd.DataFrame(np.full((2, len(names)), 0.5, np.float32), columns=names)
    harmonizer = ArrayHarmonizer().fit(X)
    start = perf_counter()
    harmonizer.transform(X)
    assert perf_counter() - start < 20  # comparing all with all takes minutes


# --- tables of other dtypes and layouts ---


def strided(table):
    """Return the table on values of which every second row and column is its own."""
    values = np.repeat(np.repeat(table.to_numpy(), 2, axis=0), 2, axis=1)[::2, ::2]
    return pd.DataFrame(values, table.index, table.columns, copy=False)


def read_only(table):
    """Return the table on values that nobody may write to."""
    values = table.to_numpy(copy=True)
    values.flags.writeable = False
    return pd.DataFrame(values, table.index, table.columns, copy=False)


@pytest.mark.parametrize("missing", POLICIES)
@pytest.mark.parametrize("layout", [strided, read_only, lambda t: pd.DataFrame(dict(t.items()))])
def test_the_layout_of_a_table_does_not_matter(X, new, missing, layout):
    X.iloc[::3, 1] = new.iloc[::2, 2] = np.nan
    expected, result = (
        ArrayHarmonizer(missing=missing, warn_coverage=0, random_state=0)
        .fit(table(X))
        .transform(table(new))
        for table in (lambda t: t, layout)
    )
    pd.testing.assert_frame_equal(result, expected, rtol=1e-12)


@pytest.mark.parametrize("missing", POLICIES)
@pytest.mark.parametrize("dtype", ["float16", "Float32", object])
def test_a_sample_gets_the_same_dtype_alone_and_in_the_batch(X, new, missing, dtype):
    new = new.astype("float16").astype(dtype)
    new.iloc[2, 4] = pd.NA if dtype == "Float32" else np.nan
    harmonizer = ArrayHarmonizer(missing=missing, random_state=0).fit(X)
    batch = harmonizer.transform(new)
    assert set(batch.dtypes) == {np.dtype(np.float64)}
    alone = pd.concat([harmonizer.transform(new.iloc[[i]]) for i in range(len(new))])
    pd.testing.assert_frame_equal(batch, alone, check_exact=True)


def test_columns_of_two_float_dtypes_come_out_in_the_wider(X, new):
    new = new.astype({PROBES[0]: "float32"})
    filled = ArrayHarmonizer().fit(X).transform(new)
    pd.testing.assert_frame_equal(filled, new.astype("float64"))


def test_samples_may_share_an_id(X, new):
    new.index = ["same"] * len(new)
    harmonizer = ArrayHarmonizer().fit(X)
    assert harmonizer.report(new).index.equals(new.index)
    assert harmonizer.transform(new).index.equals(new.index)


@pytest.mark.parametrize("method", ["fit", "transform"])
def test_columns_of_several_levels_are_refused(X, method):
    levels = X.set_axis(pd.MultiIndex.from_product([["beta"], PROBES]), axis=1)
    with pytest.raises(TypeError, match="have 2 levels"):
        getattr(ArrayHarmonizer().fit(X), method)(levels)


def test_time_grows_with_the_number_of_probes_and_not_with_its_square():
    """Half a million names must not be compared with each other: that takes an hour."""
    rng = np.random.default_rng(0)
    names = [f"cg{number:08d}" for number in range(60_000)]
    X = pd.DataFrame(rng.random((3, len(names)), dtype=np.float32), columns=names)
    harmonizer = ArrayHarmonizer().fit(X)
    start = time.process_time()
    harmonizer.transform(X.add_suffix("_TC21"))
    assert time.process_time() - start < 5


def test_the_number_of_threads_changes_nothing():
    rng = np.random.default_rng(0)
    values = rng.random((40, 5)) @ rng.random((5, 20_000)) / 5
    values[rng.random(values.shape) < 0.01] = np.nan
    X = pd.DataFrame(values, columns=[f"cg{i:08d}" for i in range(20_000)])
    filled = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            filled.append(ArrayHarmonizer(missing="components").fit_transform(X))
    pd.testing.assert_frame_equal(*filled, check_exact=True)
