"""BatchAdjuster with covariates, a reference batch and small batches, against sva::ComBat."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import omitrans
from omitrans.exceptions import FeatureMismatchError, SampleMismatchError, UnknownCategoryError
from omitrans.preprocessing import BatchAdjuster

TABLE = pd.read_csv(Path(__file__).parent / "reference" / "combat.csv")
GENES = [name for name in TABLE if name.startswith("g") and name != "group"]
DATA = TABLE[TABLE["setting"] == "data"].reset_index(drop=True)
X, BATCH, HELD = DATA[GENES], DATA["batch"].to_numpy(), DATA[["group", "age"]]


def expected(setting):
    return TABLE.loc[TABLE["setting"] == setting, GENES].to_numpy()


@pytest.mark.parametrize("with_mod", [False, True])
@pytest.mark.parametrize(
    ("setting", "parameters"),
    [
        ("plain", {}),
        ("reference", {"reference_batch": "b"}),
        ("mean_only", {"mean_only": True}),
    ],
)
def test_agrees_with_sva(setting, parameters, with_mod):
    name = f"mod_{setting}".removesuffix("_plain") if with_mod else setting
    adjusted = BatchAdjuster(**parameters).fit_transform(
        X, batch=BATCH, covariates=HELD if with_mod else None
    )
    np.testing.assert_allclose(adjusted, expected(name), rtol=0, atol=1e-4)


@pytest.mark.parametrize("with_mod", [False, True])
def test_a_batch_of_one_sample_as_in_sva(with_mod):
    batch, held = DATA["single"].to_numpy(), HELD if with_mod else None
    with pytest.warns(UserWarning, match="batches d hold 1 sample each.*mean_only=True"):
        adjusted = BatchAdjuster().fit_transform(X, batch=batch, covariates=held)
    np.testing.assert_allclose(
        adjusted, expected("mod_single" if with_mod else "single"), atol=1e-4
    )
    silent = BatchAdjuster(mean_only=True).fit_transform(X, batch=batch, covariates=held)
    np.testing.assert_array_equal(silent, adjusted)


def test_mean_only_removes_the_shifts_of_columns_without_shrinkage(rng):
    batch = np.repeat(["a", "b"], 100)
    table = rng.normal(size=(200, 300))
    table[100:] += rng.normal(scale=0.5, size=300)
    left = [
        BatchAdjuster(mean_only=True, shrink=shrink).fit_transform(table, batch=batch)
        for shrink in (True, False)
    ]
    shifts = [(part[100:].mean(axis=0) - part[:100].mean(axis=0)).std() for part in left]
    assert shifts[0] > 0.4  # as in sva: a batch counts like one sample
    assert shifts[1] < 1e-12


def test_a_new_cohort_of_one_sample():
    adjuster = BatchAdjuster(shrink=False).fit(X)
    with pytest.warns(UserWarning, match="batches new hold 1 sample each"):
        adapted = adjuster.adapt(X[:1])
    np.testing.assert_allclose(adapted.transform(X[:1])[GENES].iloc[0], X.mean(), atol=1e-12)
    assert (adapted.scales_[-1] == 1).all()


def test_the_reference_batch_is_not_changed():
    for held in (None, HELD):
        adjusted = BatchAdjuster(reference_batch="b").fit_transform(X, batch=BATCH, covariates=held)
        np.testing.assert_allclose(adjusted[BATCH == "b"], X[BATCH == "b"], rtol=1e-14)


@pytest.fixture(name="cohort")
def make_cohort(rng):
    """Two batches, most cases in one; a case differs by 1 in every column, a batch by 3."""
    case = np.r_[np.repeat([1, 0], [40, 10]), np.repeat([1, 0], [10, 40])]
    batch = np.repeat(["a", "b"], 50)
    table = rng.normal(size=(100, 30)) + case[:, None] + 3 * (batch == "b")[:, None]
    return table, batch, case


def difference(table, case):
    return float((table[case == 1].mean(axis=0) - table[case == 0].mean(axis=0)).mean())


def test_what_is_held_stays(cohort):
    table, batch, case = cohort
    names = np.where(case == 1, "case", "control")
    for covariates in (case, names, pd.DataFrame({"diagnosis": names}), case == 1):
        adjusted = BatchAdjuster().fit_transform(table, batch=batch, covariates=covariates)
        assert difference(adjusted, case) == pytest.approx(1, abs=0.1)
    assert difference(BatchAdjuster().fit_transform(table, batch=batch), case) < 0.8


def test_a_new_cohort_of_other_composition(cohort, rng):
    table, batch, case = cohort
    adjuster = BatchAdjuster().fit(table, batch=batch, covariates=case)
    new_case = np.repeat([1, 0], [45, 5])
    new = rng.normal(size=(50, 30)) + new_case[:, None] - 4
    adapted = adjuster.adapt(new, covariates=new_case)
    restored = adapted.transform(new, covariates=new_case)
    np.testing.assert_allclose(restored.mean(), adjuster.mean_.mean() + 0.9, atol=0.1)
    alone = [adapted.transform(new[[i]], covariates=new_case[[i]]) for i in range(50)]
    np.testing.assert_array_equal(np.concatenate(alone), restored)


def test_a_missing_value_changes_no_other_column():
    gaps = X.copy()
    gaps.iloc[3, 0] = np.nan
    for shrink in (True, False):
        model = BatchAdjuster(shrink=shrink, mean_only=True)
        whole = model.fit_transform(X, batch=BATCH, covariates=HELD)
        part = model.fit_transform(gaps, batch=BATCH, covariates=HELD)
        near = 0.02 if shrink else 1e-12  # the shrinkage of a batch looks at all its columns
        np.testing.assert_allclose(part[GENES[1:]], whole[GENES[1:]], atol=near)
    known = gaps[GENES[0]].notna().to_numpy()
    model = BatchAdjuster(shrink=False)
    np.testing.assert_allclose(
        model.fit(gaps, batch=BATCH, covariates=HELD).shifts_[:, 0],
        model.fit(X[known], batch=BATCH[known], covariates=HELD[known]).shifts_[:, 0],
    )


def test_mean_only_needs_no_covariates_later():
    model = BatchAdjuster(mean_only=True).fit(X, batch=BATCH, covariates=HELD)
    np.testing.assert_array_equal(
        model.transform(X, batch=BATCH), model.transform(X, batch=BATCH, covariates=HELD)
    )


def test_it_is_saved_and_cloned(tmp_path):
    model = BatchAdjuster(reference_batch="b", mean_only=False).fit(X, batch=BATCH, covariates=HELD)
    omitrans.save(model, tmp_path / "adjuster.omitrans")
    again = omitrans.load(tmp_path / "adjuster.omitrans")
    pd.testing.assert_frame_equal(
        again.transform(X, batch=BATCH, covariates=HELD),
        model.transform(X, batch=BATCH, covariates=HELD),
    )
    assert clone(model).get_params() == model.get_params()


def test_float32_stays():
    adjusted = BatchAdjuster().fit_transform(X.astype("float32"), batch=BATCH, covariates=HELD)
    assert set(adjusted.dtypes) == {np.dtype("float32")}
    np.testing.assert_allclose(adjusted, expected("mod"), atol=1e-4)


def test_confounded_designs():
    site = pd.DataFrame({"site": np.where(BATCH == "a", "north", "south")})
    with pytest.raises(ValueError, match="covariate 'site' is confounded with batch"):
        BatchAdjuster().fit(X, batch=BATCH, covariates=site)
    dose = pd.DataFrame({"dose": pd.Series(BATCH).map({"a": 0.1, "b": 0.7, "c": 3.3})})
    with pytest.raises(ValueError, match="covariate 'dose' is confounded with batch"):
        BatchAdjuster().fit(X, batch=BATCH, covariates=dose)
    twice = HELD.assign(days=HELD["age"] * 365.25 + (BATCH == "b"))
    with pytest.raises(ValueError, match="group, age, days are confounded"):
        BatchAdjuster().fit(X, batch=BATCH, covariates=twice)
    with pytest.raises(ValueError, match="'group' is the same in all samples"):
        BatchAdjuster().fit(X, batch=BATCH, covariates=HELD.assign(group="case"))


def test_bad_covariates():
    fitted = BatchAdjuster().fit(X, batch=BATCH, covariates=HELD)
    with pytest.raises(ValueError, match=r"group, age fixed and needs them.*transform\(X"):
        fitted.transform(X, batch=BATCH)
    with pytest.raises(ValueError, match=r"group, age fixed and needs them.*adapt\(X"):
        fitted.adapt(X)
    with pytest.raises(ValueError, match="fitted without"):
        BatchAdjuster().fit(X, batch=BATCH).transform(X, batch=BATCH, covariates=HELD)
    with pytest.raises(UnknownCategoryError, match=r"'group' holds 'odd'.*fit has not met"):
        fitted.transform(X, batch=BATCH, covariates=HELD.assign(group="odd"))
    with pytest.raises(FeatureMismatchError, match="has the columns age; fit had group, age"):
        fitted.transform(X, batch=BATCH, covariates=HELD[["age"]])
    with pytest.raises(ValueError, match="'age' held numbers in fit and now holds 'old'"):
        fitted.transform(X, batch=BATCH, covariates=HELD.assign(age="old"))
    with pytest.raises(ValueError, match="'age' is missing for 23 samples"):
        BatchAdjuster().fit(X, batch=BATCH, covariates=HELD.assign(age=np.nan))
    with pytest.raises(ValueError, match="'age' holds infinity"):
        BatchAdjuster().fit(X, batch=BATCH, covariates=HELD.assign(age=np.inf))
    with pytest.raises(SampleMismatchError, match="another order"):
        BatchAdjuster().fit(X, batch=BATCH, covariates=HELD[::-1])
    with pytest.raises(SampleMismatchError, match="covariates has 3 rows, X 23 samples"):
        BatchAdjuster().fit(X, batch=BATCH, covariates=[1, 2, 3])
    with pytest.raises(ValueError, match="covariates has no columns"):
        BatchAdjuster().fit(X, batch=BATCH, covariates=HELD[[]])


def test_bad_reference_batch():
    with pytest.raises(ValueError, match="reference_batch='z' is none of the batches"):
        BatchAdjuster(reference_batch="z").fit(X, batch=BATCH)
    with pytest.raises(ValueError, match="reference_batch='d' has 1 sample"):
        BatchAdjuster(reference_batch="d").fit(X, batch=DATA["single"])
