"""Groups of columns, for networks with one block a chromosome."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import omitrans
from omitrans.exceptions import FeatureMismatchError


def test_by_name_and_by_width_agree(quick, frames):
    X, Y = frames
    chromosomes = pd.Series(["1"] * 5 + ["X"] * 4 + ["Y"] * 3, index=X.columns)
    table = chromosomes.rename_axis("probe_id").rename("chromosome").reset_index()
    table["position"] = range(len(table))
    found = [
        quick(generator="chromosome-fc", column_groups=groups).fit(X, Y).predict(X)
        for groups in ([5, 4, 3], chromosomes, chromosomes.to_dict(), table)
    ]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_a_saved_model_needs_no_names(quick, frames, tmp_path):
    X, Y = frames
    groups = dict.fromkeys(X.columns[:7], "1") | dict.fromkeys(X.columns[7:], "2")
    model = quick(generator="chromosome-fc", discriminator="chromosome-fc")
    model.set_params(column_groups=groups).fit(X, Y)
    omitrans.save(model, tmp_path / "model.omitrans")
    loaded = omitrans.load(tmp_path / "model.omitrans")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_that_do_not_fit_are_refused(quick, frames):
    X, Y = frames
    model = quick(generator="chromosome-fc")
    with pytest.raises(ValueError, match="add up to the 12 columns of X"):
        clone(model).set_params(column_groups=[5, 5]).fit(X, Y)
    with pytest.raises(FeatureMismatchError, match="column_groups lacks 1 of the 12"):
        model.set_params(column_groups=dict.fromkeys(X.columns[1:], "1")).fit(X, Y)
    mixed = dict(zip(X.columns, ["1", "2"] * 6, strict=True))
    with pytest.raises(ValueError, match=r"2 groups lie in 12 pieces.*LocationAligner"):
        model.set_params(column_groups=mixed).fit(X, Y)
    with pytest.raises(ValueError, match="X has no column names"):
        model.set_params(column_groups=mixed).fit(X.to_numpy(), Y.to_numpy())
