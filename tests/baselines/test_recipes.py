import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from omitrans.baselines import make_baselines
from omitrans.comparison import compare_models
from omitrans.exceptions import UnknownNameError
from omitrans.model_selection import PatientGroupKFold
from omitrans.pipelines import make_translation_pipeline

NAMES = ["mean", "linear", "ridge", "kernel-ridge", "pls", "lasso", "tobmi", "svd"]


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

    comparison = compare_models(models, *frames, cv=PatientGroupKFold(3))

    assert comparison.errors.empty
    mse = comparison.summary()["mse"]
    assert list(mse.index) == NAMES
    assert (mse.drop(["mean", "linear"]) < 0.6 * mse["mean"]).all()


def test_a_number_makes_them_reproducible(frames):
    X, Y = frames
    for name in ("pls", "lasso", "svd"):
        model = make_baselines([name], random_state=0)[name]
        first, second = (clone(model).fit(X, Y).predict(X) for _ in range(2))
        np.testing.assert_array_equal(first, second)
