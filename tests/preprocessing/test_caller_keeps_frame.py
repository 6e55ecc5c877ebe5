"""A table that is given to a transformer or a pipeline stays as its owner had it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline

from omitrans.pipelines import TranslationPipeline
from omitrans.preprocessing import ArrayHarmonizer


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("make", [Pipeline, TranslationPipeline])
def test_columns_keep_their_names_after_a_fit_on_an_array(make):
    X = pd.DataFrame(np.random.default_rng(0).random((12, 4)), columns=list("abcd"))
    harmonizer = ArrayHarmonizer(missing="keep", unit="beta").set_output(transform="pandas")
    steps = [("harmonizer", harmonizer), ("imputer", SimpleImputer()), ("ridge", Ridge())]
    model = make(steps).fit(X.to_numpy(), X["a"])
    model.predict(X)
    model["harmonizer"].transform(X)
    assert list(X) == list("abcd")
