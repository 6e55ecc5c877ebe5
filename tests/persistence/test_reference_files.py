"""Files that earlier versions wrote still load and predict what they did."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import omitrans
from omitrans.persistence import read_summary

FILES = sorted((Path(__file__).parents[1] / "reference").glob("*.omitrans"))


def test_there_is_a_file_of_every_format():
    assert {read_summary(path)["format"] for path in FILES} == {1}


@pytest.mark.filterwarnings("ignore:The model was saved with scikit-learn")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_predictions_are_as_stored(path):
    expected = json.loads(path.with_suffix(".json").read_text())
    X = pd.DataFrame(expected["X"], columns=expected["columns"])
    np.testing.assert_allclose(omitrans.load(path).predict(X), expected["predicted"], rtol=1e-12)
    assert read_summary(path)["format"] == expected["format"]
