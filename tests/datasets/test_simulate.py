"""make_paired_omics: the tables, their randomness and their size."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from omitrans.annotation import check_gene_table, check_probe_table
from omitrans.datasets import make_paired_omics
from omitrans.utils._sklearn import InvalidParameterError

SMALL = {"n_samples": 40, "n_probes": 150, "n_genes": 60}


def same(one, other):
    return one.X.equals(other.X) and one.Y.equals(other.Y) and one.samples.equals(other.samples)


def test_tables_belong_together(cohort):
    assert cohort.X.shape == (300, 2000)
    assert cohort.Y.shape == (300, 500)
    assert cohort.X.index.equals(cohort.samples.index)
    assert cohort.Y.index.equals(cohort.samples.index)
    assert cohort.X.columns.tolist() == sorted(cohort.probes["probe_id"])
    assert cohort.Y.columns.tolist() == cohort.genes["gene_id"].tolist()
    assert "Nothing in these tables was measured" in cohort.DESCR


def test_columns_and_dtypes(cohort):
    assert set(cohort.X.dtypes) == set(cohort.Y.dtypes) == {np.dtype(np.float32)}
    assert [*cohort.samples] == [
        "patient", "cancer_type", "sample_type", "purity", "batch", "age", "sex",
        "survival_time", "event",
    ]  # fmt: skip
    assert [*cohort.probes] == [
        "probe_id", "chromosome", "position", "island_relation", "snp_within_5bp",
        "multi_mapped", "on_epic", "gene_symbol",
    ]  # fmt: skip
    assert [*cohort.genes] == ["gene_id", "gene_symbol", "chromosome", "start", "end", "strand"]
    assert len(check_probe_table(cohort.probes)) == 2000
    assert len(check_gene_table(cohort.genes)) == 500


def test_betas_are_bimodal_and_low_in_islands(cohort):
    betas = cohort.X.to_numpy()
    seen = betas[~np.isnan(betas)]
    assert seen.min() >= 0.01
    assert seen.max() <= 0.99
    low, middle, high = (
        np.mean((seen > a) & (seen <= b)) for a, b in [(0, 0.2), (0.4, 0.6), (0.8, 1)]
    )
    assert low > 2 * middle
    assert high > 2 * middle
    median = cohort.X.median().groupby(cohort.probes["island_relation"].to_numpy()).median()
    assert median["island"] < 0.2
    assert median["open sea"] > 0.7


def test_expression_looks_like_log_fpkm(cohort):
    values = cohort.Y.to_numpy()
    assert values.min() == 0
    assert 10 < values.max() < 20
    assert 0.05 < (values == 0).mean() < 0.5
    partly_zero = ((values == 0).mean(axis=0) > 0) & (values.max(axis=0) > 0)
    assert partly_zero.sum() > 50


def test_the_same_seed_gives_the_same_data():
    first = make_paired_omics(**SMALL, random_state=3)
    assert same(first, make_paired_omics(**SMALL, random_state=3))
    assert_frame_equal(first.truth.genes, make_paired_omics(**SMALL, random_state=3).truth.genes)
    other = make_paired_omics(**SMALL, random_state=4)
    assert not np.allclose(first.Y, other.Y)
    assert not first.probes.equals(other.probes)


def test_a_random_state_object_is_drawn_from():
    state = np.random.RandomState(0)
    first = make_paired_omics(**SMALL, random_state=state)
    assert not np.allclose(first.Y, make_paired_omics(**SMALL, random_state=state).Y)
    again = make_paired_omics(**SMALL, random_state=np.random.RandomState(0))
    assert same(first, again)


def test_no_seed_gives_new_data():
    # that the global state stays untouched is checked around every test
    assert not same(make_paired_omics(**SMALL), make_paired_omics(**SMALL))


def test_more_samples_are_samples_of_the_same_biology():
    few = make_paired_omics(**SMALL, random_state=0)
    many = make_paired_omics(**{**SMALL, "n_samples": 90}, random_state=0)
    for name in ("probes", "genes"):
        assert_frame_equal(few[name], many[name])
    for name in ("edges", "gene_loadings", "probe_loadings", "clock", "prognostic"):
        assert_frame_equal(few.truth[name], many.truth[name])
    assert few.truth.genes["kind"].equals(many.truth.genes["kind"])


def test_missing_values_hide_what_is_there_anyway():
    size = {"n_samples": 50, "n_probes": 4000, "n_genes": 20, "random_state": 0}
    whole = make_paired_omics(**size, missing_rate=0)
    holes = make_paired_omics(**size, missing_rate=0.05)
    assert whole.X.notna().all(axis=None)
    seen = holes.X.notna()
    assert_frame_equal(holes.X, whole.X.where(seen))
    assert_frame_equal(holes.Y, whole.Y)
    rates = 1 - seen.mean()
    assert rates.mean() == pytest.approx(0.05, abs=0.005)
    # concentrated: a filter for more than 10 % finds some probes and leaves most
    assert 0.02 < (rates > 0.1).mean() < 0.3


def test_columns_are_contiguous_and_read_without_a_copy(cohort):
    for table in (cohort.X, cohort.Y):
        assert table.to_numpy().flags.f_contiguous
        assert np.shares_memory(table.to_numpy(), table.to_numpy())


@pytest.mark.parametrize(
    "extreme",
    [
        {"n_samples": 2, "n_probes": 10, "n_genes": 1},
        {"n_programmes": 1, "n_cancer_types": 1, "n_batches": 1},
        {"n_cancer_types": 33},
        {"normal_fraction": 0.5, "repeat_fraction": 0.5},
        {"normal_fraction": 0, "repeat_fraction": 0.5},
        {"noise": 0, "probe_noise": 0, "batch_effect": 0},
        {"noise": 5, "probe_noise": 3, "batch_effect": 3},
        {"missing_rate": 0.99},
        {"zero_fraction": 1},
        {"n_prognostic_genes": 0, "predictable_fraction": 0},
        {"n_probes": 3000, "n_genes": 1},
        {"n_probes": 10, "n_genes": 3000},
    ],
    ids=str,
)
def test_extremes(extreme):
    size = {**SMALL, **extreme}
    data = make_paired_omics(**size, random_state=0)
    assert data.X.shape == (size["n_samples"], size["n_probes"])
    assert np.isfinite(data.Y.to_numpy()).all()
    assert data.X.isna().all(axis=None) or data.X.min(axis=None) >= 0.01
    assert data.truth.genes["r2_ceiling"].between(0, 1).all()
    assert data.samples.notna().all(axis=None)


@settings(max_examples=15, deadline=None)
@given(
    n_samples=st.integers(2, 60),
    n_probes=st.integers(10, 300),
    n_genes=st.integers(1, 200),
    normal_fraction=st.floats(0, 0.5),
    repeat_fraction=st.floats(0, 0.5),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_size(n_samples, n_probes, n_genes, normal_fraction, repeat_fraction, seed):
    data = make_paired_omics(
        n_samples,
        n_probes,
        n_genes,
        normal_fraction=normal_fraction,
        repeat_fraction=repeat_fraction,
        random_state=seed,
    )
    assert data.X.shape == (n_samples, n_probes)
    assert data.Y.shape == (n_samples, n_genes)
    assert data.samples.index.is_unique
    assert data.probes["probe_id"].is_unique
    assert data.genes["gene_id"].is_unique
    normals = (data.samples["sample_type"] == "normal").sum()
    assert normals == int(n_samples * normal_fraction)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_samples": 1},
        {"n_probes": 5},
        {"n_genes": 0},
        {"n_cancer_types": 34},
        {"normal_fraction": 0.6},
        {"noise": -1},
        {"missing_rate": 1.0},
        {"random_state": "seed"},
    ],
    ids=str,
)
def test_bad_parameters_are_named(wrong):
    with pytest.raises(InvalidParameterError, match=f"'{next(iter(wrong))}' parameter"):
        make_paired_omics(**wrong)


MEASURE = """
import json, resource, sys
from omitrans.datasets import make_paired_omics
make_paired_omics(random_state=0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
data = make_paired_omics({n_samples}, 60_000, 10_000, random_state=0)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
outputs = data.X.to_numpy().nbytes + data.Y.to_numpy().nbytes
print(json.dumps([(after - before) * 1024, outputs]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes on Linux only")
def test_memory_is_the_output_and_a_constant():
    def overhead(n_samples):
        done = subprocess.run(
            [sys.executable, "-c", MEASURE.format(n_samples=n_samples)],
            check=True,
            capture_output=True,
            text=True,
        )
        grown, outputs = json.loads(done.stdout)
        return grown - outputs

    few, many = overhead(100), overhead(1500)
    # 0.4 GB of output more; a second copy of anything full-size would show
    assert few < 200 * 2**20
    assert many - few < 60 * 2**20
