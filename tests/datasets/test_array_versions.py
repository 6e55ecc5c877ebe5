import numpy as np
import pandas as pd
import pytest

from omitrans.datasets import make_paired_omics, simulate_array_version
from omitrans.preprocessing import ArrayHarmonizer, array_platform


@pytest.fixture(scope="module", name="X")
def betas():
    return make_paired_omics(20, 5000, 10, random_state=0).X


@pytest.mark.parametrize(("platform", "kept"), [("EPIC", 0.932), ("EPICv2", 0.81)])
def test_a_newer_array_keeps_its_share_of_the_probes(X, platform, kept):
    new = simulate_array_version(X, platform, noise=0.01, random_state=0)
    assert new.columns.is_unique
    assert new.index.equals(X.index)
    harmonizer = ArrayHarmonizer(warn_coverage=0, missing="keep").fit(X)
    aligned = harmonizer.transform(new)
    share = aligned.notna().any().mean()
    assert share == pytest.approx(kept, abs=0.01)
    difference = (aligned - X[aligned.columns]).to_numpy()
    assert np.nanstd(difference) == pytest.approx(0.01, rel=0.2)


def test_suffixes_and_replicates_are_those_of_epicv2(X):
    new = simulate_array_version(X, "EPICv2", random_state=0)
    assert array_platform(new.columns) == "EPICv2"
    trimmed = pd.Series(new.columns.str.replace(r"_[TB][CO]\d+$", "", regex=True))
    counts = trimmed.value_counts()
    assert counts.max() in range(2, 11)
    assert (counts > 1).sum() / (0.81 * 5000) == pytest.approx(0.006, abs=0.004)
    assert new.columns.str.startswith("ctl_").sum() == 9


def test_missing_values_stay_missing_and_betas_stay_betas(X):
    new = simulate_array_version(X, "EPIC", noise=0.5, random_state=0)
    assert new.min().min() >= 0
    assert new.max().max() <= 1
    assert new.isna().any().any()


def test_the_seed_decides(X):
    first = simulate_array_version(X, random_state=1)
    pd.testing.assert_frame_equal(first, simulate_array_version(X, random_state=1))
    assert not first.columns.equals(simulate_array_version(X, random_state=2).columns)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept(X, dtype):
    assert set(simulate_array_version(X.astype(dtype), random_state=0).dtypes) == {np.dtype(dtype)}


def test_an_unknown_array_is_refused(X):
    with pytest.raises(ValueError, match="platform"):
        simulate_array_version(X, "EPICv3")
