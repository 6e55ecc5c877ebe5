import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold

import omitrans
from omitrans.baselines import LassoRegressor, PLSRegressor, make_baselines
from omitrans.comparison import compare_models
from omitrans.exceptions import PatientGroupsWarning, UnknownNameError
from omitrans.model_selection import patient_of
from omitrans.pipelines import make_translation_pipeline

NAMES = ["mean", "linear", "ridge", "kernel-ridge", "pls", "lasso"]
NAMES += ["multi-kernel-ridge", "tobmi", "svd"]


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(0)
    ids = [f"TCGA-A1-{i // 2:04d}-{1 + 10 * (i % 2):02d}A" for i in range(90)]
    factors = rng.normal(size=(90, 3))
    X = 1 / (1 + np.exp(-factors @ rng.normal(size=(3, 40)) - rng.normal(size=(90, 40))))
    Y = 5 + factors @ rng.normal(size=(3, 6)) + 0.5 * rng.normal(size=(90, 6))
    return pd.DataFrame(X, ids).add_prefix("cg"), pd.DataFrame(Y, ids).add_prefix("gene")


def test_all_of_them_in_order():
    assert list(make_baselines()) == NAMES


def test_some_of_them_in_the_same_order():
    assert list(make_baselines(["svd", "mean"])) == ["mean", "svd"]


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"'forest'\. Known: mean, linear, ridge"):
        make_baselines(["mean", "forest"])


def test_all_of_them_predict_behind_the_pipeline(frames):
    models = {
        name: make_translation_pipeline(model)
        for name, model in make_baselines(random_state=0).items()
    }

    groups = patient_of(frames[0].index)

    comparison = compare_models(models, *frames, cv=3, groups=groups)

    assert comparison.errors.empty
    mse = comparison.summary()["mse"]
    assert list(mse.index) == NAMES
    assert (mse.drop(["mean", "linear"]) < 0.6 * mse["mean"]).all()


def test_a_number_makes_them_reproducible(frames):
    X, Y = (table.iloc[::2] for table in frames)  # one sample of each patient
    for name in ("pls", "lasso", "svd"):
        model = make_baselines([name], random_state=0)[name]
        first, second = (clone(model).fit(X, Y).predict(X) for _ in range(2))
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("pls", lambda cv: PLSRegressor(cv=cv)),
        ("lasso", lambda cv: LassoRegressor(cv=cv, solver="sklearn")),
    ],
)
def test_inner_folds_are_shuffled_and_keep_patients_together(frames, name, by_hand):
    X, Y = frames
    groups = patient_of(X.index)
    model = make_baselines([name], random_state=0)[name]
    if name == "lasso":
        model.set_params(solver="sklearn")
    for known, cv in (
        (None, KFold(5, shuffle=True, random_state=0)),
        (groups, GroupKFold(5, shuffle=True, random_state=0)),
    ):
        expected = by_hand(cv).fit(X, Y, groups=known).predict(X)
        np.testing.assert_array_equal(model.fit(X, Y, groups=known).predict(X), expected)
    with pytest.warns(PatientGroupsWarning, match="90 samples come from 45 patients"):
        by_default = model.fit(X, Y).predict(X)
    np.testing.assert_array_equal(by_default, expected)


def test_they_can_be_saved(frames, tmp_path):
    X, Y = (table.iloc[::2] for table in frames)
    for name, model in make_baselines(random_state=0).items():
        omitrans.save(model.fit(X, Y), tmp_path / name)
        loaded = omitrans.load(tmp_path / name)
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
