import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from omitrans.datasets import make_paired_omics
from omitrans.preprocessing import check_expression_unit, detect_expression_unit, to_log2

LOG, DOUBLE = "log2(x + 1)", "log2(log2(x + 1) + 1)"


@cache
def tables(seed=0, n_samples=40, n_genes=200):
    """Return one simulated cohort in all units, by the true unit."""
    Y = make_paired_omics(40, 200, n_genes, random_state=seed).Y.astype(float).iloc[:n_samples]
    fpkm = 2**Y - 1
    counts = fpkm.copy()
    counts[:] = np.random.default_rng(seed).poisson(30 * fpkm)
    sd = Y.std(ddof=0)
    return {
        "log2(FPKM + 1)": Y,
        "log2(counts + 1)": np.log2(counts + 1),
        "FPKM": fpkm,
        "counts": counts,
        "expected counts": counts + 0.25,
        "log2(FPKM + 0.001)": np.log2(fpkm + 0.001),
        "double log": np.log2(Y + 1),
        "log10(FPKM + 1)": np.log10(fpkm + 1),
        "z-scores": (Y - Y.mean()) / sd.where(sd > 0, 1),
        "centred": 2 * (Y - Y.mean()),
    }


DETECTED = {
    "log2(FPKM + 1)": LOG,
    "log2(counts + 1)": LOG,
    "FPKM": "linear",
    "counts": "counts",
    "expected counts": "linear",
    "log2(FPKM + 0.001)": "log2(x + 0.001)",
    "double log": DOUBLE,
    "log10(FPKM + 1)": "unknown",
    "z-scores": "z-scores",
    "centred": "unknown",
}


@pytest.fixture(scope="module")
def cohort():
    return tables()


@pytest.mark.parametrize("truth", DETECTED)
@pytest.mark.parametrize("seed", range(3))
def test_simulated_units_are_told_apart(truth, seed):
    guess = detect_expression_unit(tables(seed)[truth])
    assert guess.unit == DETECTED[truth], guess.reasons
    assert all(reason.endswith(".") for reason in guess.reasons)


@pytest.mark.parametrize(
    "truth", [truth for truth in DETECTED if truth not in {"z-scores", "centred"}]
)
def test_one_sample_is_enough(truth):
    assert detect_expression_unit(tables(n_samples=1)[truth]).unit == DETECTED[truth]


def test_kind_of_table_does_not_matter(cohort):
    Y = cohort["log2(FPKM + 1)"]
    guess = detect_expression_unit(Y)
    assert detect_expression_unit(Y.to_numpy()) == guess
    assert detect_expression_unit(Y.mask(Y > 8)).unit == guess.unit
    assert detect_expression_unit(np.asfortranarray(Y, dtype=np.float32)).unit == guess.unit


def test_a_single_wrong_value_in_a_large_table_is_seen():
    Y = np.tile(np.linspace(0, 12, 100, dtype=np.float32), (30_000, 1))
    Y[17, 3] = 1e4
    with pytest.raises(ValueError, match=r"range from 0 to 1e\+04, too high"):
        check_expression_unit(Y)


@pytest.mark.parametrize(
    ("Y", "reason"),
    [
        ([[1.0, 2.0]], "2 values; 20 are needed"),
        (np.full((5, 5), 3.0), "All values are 3"),
        (np.full((5, 5), np.nan), "0 values"),
        (np.random.default_rng(0).beta(0.5, 0.5, (20, 50)), "methylation betas"),
        (np.random.default_rng(0).integers(-2, 3, (20, 50)), "copy numbers"),
        (np.random.default_rng(0).uniform(0, 100, (20, 50)), "too even for raw"),
        (np.random.default_rng(0).normal(5, 2, (20, 50)), "are negative, as in logged values"),
        (np.where(np.eye(9) > 0, -np.inf, 3.0), "infinite"),
    ],
)
def test_what_is_unclear_is_unknown(Y, reason):
    unit, reasons = detect_expression_unit(Y)
    assert unit == "unknown"
    assert reason in " ".join(reasons)


@pytest.mark.parametrize(
    ("truth", "stated"),
    [
        ("log2(FPKM + 1)", "log2(x + 1)"),
        ("log2(FPKM + 1)", "log2(fpkm-uq+1)"),
        ("log2(counts + 1)", "log2(norm_count + 1)"),
        ("FPKM", "TPM"),
        ("counts", "counts"),
        ("counts", "linear"),
        ("expected counts", "linear"),
        ("log2(FPKM + 0.001)", "log2(tpm + 0.001)"),
        ("z-scores", "z-scores"),
    ],
)
def test_true_statements_pass(cohort, truth, stated):
    before = cohort[truth].copy()
    assert check_expression_unit(cohort[truth], stated) is None
    pd.testing.assert_frame_equal(cohort[truth], before)


@pytest.mark.parametrize(
    ("truth", "stated", "message"),
    [
        ("FPKM", LOG, r"too high for logarithms. Convert it: to_log2\(Y, \"linear\"\)"),
        ("counts", LOG, r"too high for logarithms. Convert it: to_log2\(Y, \"counts\"\)"),
        ("double log", LOG, "logged twice"),
        ("log2(FPKM + 0.001)", LOG, r"look like log2\(x \+ 0.001\): to_log2\(Y"),
        ("z-scores", LOG, "look like z-scores"),
        ("centred", LOG, "log ratios"),
        ("log2(FPKM + 1)", "FPKM", "Logging them again would spoil"),
        ("log2(FPKM + 1)", "counts", "Logging them again would spoil"),
        ("double log", "linear", "Logging them again would spoil"),
        ("expected counts", "counts", "fractions"),
        ("log2(FPKM + 0.001)", "linear", "negative values"),
        ("counts", "z-scores", "range from 0"),
        ("FPKM", "log2(x + 0.001)", "too high for logarithms"),
        ("z-scores", "log2(x + 0.5)", "-1 is the lowest"),
    ],
)
def test_false_statements_are_refused(cohort, truth, stated, message):
    with pytest.raises(ValueError, match=message):
        check_expression_unit(cohort[truth], stated)
    if stated != "z-scores":
        with pytest.raises(ValueError, match=message):
            to_log2(cohort[truth], stated)


def test_whole_transcriptomes_have_highly_expressed_genes(rng):
    expressed = rng.random(10_000) < 0.3
    log = np.log2(2 ** (np.where(expressed, 4, -5) + rng.normal(0, 2, (3, 10_000))) + 1)
    check_expression_unit(log)
    check_expression_unit(2**log - 1, "FPKM")
    for low in (np.log2(log + 1), log * np.log10(2)):
        with pytest.raises(ValueError, match="too low for a transcriptome of 10000 genes"):
            check_expression_unit(low)
        with pytest.raises(ValueError, match=r"too low for 10000 genes\. Were they logged"):
            to_log2(low, "FPKM")
    with pytest.raises(ValueError, match="Logging them again"):
        to_log2(log, "FPKM")
    single_cells = rng.poisson(0.2, (3, 10_000))
    check_expression_unit(single_cells, "counts")


def test_improbable_tables_are_let_through_with_a_warning(cohort):
    log, raw = cohort["log2(FPKM + 1)"], cohort["FPKM"]
    with pytest.warns(UserWarning, match="as in values logged twice"):
        check_expression_unit(cohort["double log"].iloc[:, :40])
    with pytest.warns(UserWarning, match="Logging them again"):
        check_expression_unit(log.iloc[:, :40], "linear")
    corrected = log.mask((log == 0) & (np.arange(200) % 9 == 0), -0.01)
    with pytest.warns(UserWarning, match=r"Batch correction .* Y.clip\(lower=0\)"):
        check_expression_unit(corrected)
    with pytest.warns(UserWarning, match="methylation betas"):
        check_expression_unit(log / 20)
    with pytest.warns(UserWarning, match="skewed as raw ones"):
        check_expression_unit(raw * 49 / raw.to_numpy().max())
    with pytest.warns(UserWarning, match="with this pseudocount zeros would be"):
        check_expression_unit(log, "log2(x + 0.001)")


def test_warning_points_at_the_caller(cohort):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_expression_unit(cohort["log2(FPKM + 1)"] / 20)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("unit", ["log", "ln(x + 1)", "log2(x)", "log2(x + 0)", "M", ""])
def test_unknown_unit(unit):
    with pytest.raises(ValueError, match=r"is not known\. Use 'log2"):
        check_expression_unit([[1.0]], unit)


@pytest.mark.parametrize("truth", ["FPKM", "counts", "log2(FPKM + 0.001)", "log2(FPKM + 1)"])
def test_conversion(cohort, truth):
    expected = cohort["log2(counts + 1)" if truth == "counts" else "log2(FPKM + 1)"]
    pd.testing.assert_frame_equal(to_log2(cohort[truth], truth), expected, atol=1e-9)


def test_conversion_keeps_the_kind_of_table(cohort):
    Y = cohort["FPKM"].astype(np.float32).mask(cohort["FPKM"] == 0)
    logged = to_log2(Y, "FPKM")
    assert set(logged.dtypes) == {np.dtype(np.float32)}
    assert logged.isna().equals(Y.isna())
    assert to_log2(Y.to_numpy(), "FPKM").dtype == np.float32
    assert_allclose(to_log2(Y.to_numpy(), "FPKM"), np.log2(Y + 1), rtol=1e-5)


@pytest.mark.parametrize("function", [detect_expression_unit, check_expression_unit])
@pytest.mark.parametrize(
    "Y", [pd.DataFrame(), pd.DataFrame({"a": []}), np.empty((0, 3)), [1.0, 2.0], [["a"]]]
)
def test_what_is_no_table(function, Y):
    with pytest.raises(ValueError, match=r"0 sample|0 feature|1D array|could not convert"):
        function(Y)


def test_unchecked_conversion(cohort):
    log = cohort["log2(FPKM + 1)"]
    assert_allclose(to_log2(log, "linear", check=False), np.log2(log + 1))
    with pytest.raises(ValueError, match="negative values"):
        to_log2(-log, "linear", check=False)
    with pytest.raises(ValueError, match="cannot be converted"):
        to_log2(cohort["z-scores"], "z-scores")


@settings(max_examples=30, deadline=None)
@given(
    mean=st.floats(3, 9),
    between=st.floats(2, 4),
    zeros=st.floats(0, 0.5),
    seed=st.integers(0, 2**31),
)
def test_any_plausible_transcriptome_passes_in_its_own_unit_only(mean, between, zeros, seed):
    rng = np.random.default_rng(seed)
    log = rng.normal(mean, between, 2000) + rng.normal(0, 0.5, (5, 2000))
    log = np.where(rng.random(2000) < zeros, 0, np.maximum(log, 0))
    raw = 2**log - 1
    check_expression_unit(log)
    check_expression_unit(raw, "linear")
    assert_allclose(to_log2(raw, "linear"), log, atol=1e-9)
    with pytest.raises(ValueError, match="too high for logarithms"):
        check_expression_unit(raw)
    with pytest.raises(ValueError, match="Logging them again"):
        to_log2(log, "linear")
    assert detect_expression_unit(np.log2(log + 1)).unit in {DOUBLE, "unknown"}


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1e9), st.sampled_from([1.0, 0.5, 0.001]))
def test_conversion_between_pseudocounts(x, pseudocount):
    logged = np.log2(x + pseudocount)
    back = to_log2([[logged]], f"log2(x + {pseudocount})", check=False)
    assert_allclose(back, np.log2(x + 1), atol=1e-8)


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        st.sampled_from([np.float32, np.float64]),
        st.tuples(st.integers(1, 9), st.integers(1, 9)),
        elements=st.one_of(st.just(0.0), st.just(np.nan), st.floats(width=32), st.just(3.0)),
    )
)
def test_any_numbers_are_judged_without_a_stumble(values):
    assert detect_expression_unit(values).reasons
    assert detect_expression_unit(np.full_like(values[:, :1], 3)).unit == "unknown"
