import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge

from omitrans.exceptions import FeatureMismatchError
from omitrans.preprocessing import LocationAligner

SORTED = ["g1", "g2", "g10", "gX", "gY"]


@pytest.fixture
def genes():
    return pd.DataFrame(
        {
            "gene_id": ["gY", "g10", "gX", "g2", "g1", "lost"],
            "chromosome": ["Y", "chr10", "X", "2", "2", None],
            "start": [1, 1, 1, 9, 8, None],
        }
    )


@pytest.fixture(name="Y")
def make_y(genes):
    names = genes["gene_id"]
    return pd.DataFrame(np.arange(12.0).reshape(2, 6), columns=names.tolist(), index=["a", "b"])


def test_sorts_along_the_genome(genes, Y):
    aligned = LocationAligner(genes).fit_transform(Y)
    assert aligned.columns.tolist() == [*SORTED, "lost"]
    pd.testing.assert_frame_equal(aligned, Y[[*SORTED, "lost"]])


@settings(max_examples=20, deadline=None)
@given(st.permutations(SORTED))
def test_order_of_the_columns_does_not_matter(names):
    genes = pd.DataFrame(
        {"gene_id": SORTED, "chromosome": ["1", "2", "10", "X", "Y"], "position": 5}
    )
    Y = pd.DataFrame([range(5)], columns=SORTED, dtype=float)[list(names)]
    aligner = LocationAligner(genes)
    aligned = aligner.fit_transform(Y)
    assert aligned.columns.tolist() == SORTED
    pd.testing.assert_frame_equal(aligner.inverse_transform(aligned), Y)


def test_unmapped(genes, Y):
    last = LocationAligner(genes).fit(Y)
    assert last.n_unmapped_ == 1
    dropping = LocationAligner(genes, unmapped="drop").fit(Y)
    assert dropping.get_feature_names_out().tolist() == SORTED
    restored = dropping.inverse_transform(dropping.transform(Y))
    assert restored["lost"].isna().all()
    with pytest.raises(FeatureMismatchError, match=r"does not place 1 of the 6.*lost.*'drop'"):
        LocationAligner(genes, unmapped="error").fit(Y)


def test_columns_that_are_not_listed_are_unmapped(genes, Y):
    Y.insert(0, "new", 0.0)
    aligner = LocationAligner(genes).fit(Y)
    assert aligner.get_feature_names_out().tolist() == [*SORTED, "new", "lost"]
    assert aligner.n_unmapped_ == 2


def test_ids_that_x_lacks_are_ignored(genes, Y):
    aligner = LocationAligner(genes).fit(Y[["gX", "g1"]])
    assert aligner.get_feature_names_out().tolist() == ["g1", "gX"]


def test_nothing_placed(genes, Y):
    with pytest.raises(ValueError, match="none of the 1 columns: the annotation places none"):
        LocationAligner(genes, unmapped="drop").fit(Y[["lost"]])


def test_version_suffix_is_not_stripped_silently(genes, Y):
    versioned = Y.rename(columns=lambda name: f"{name}.12")
    with pytest.raises(FeatureMismatchError, match=r"None of the 6.*version suffix they match"):
        LocationAligner(genes).fit(versioned)
    renamed = versioned.set_axis(versioned.columns.str.replace(r"\.\d+$", "", regex=True), axis=1)
    assert LocationAligner(genes).fit(renamed).n_unmapped_ == 1


def test_another_annotation(genes, Y):
    with pytest.raises(FeatureMismatchError, match=r"is in the annotation of 6 rows .first: gY."):
        LocationAligner(genes).fit(Y.add_prefix("other_"))


def test_without_annotation_the_order_stays(Y):
    pd.testing.assert_frame_equal(LocationAligner().fit_transform(Y), Y)


def test_array_is_described_by_the_rows(genes, Y):
    by_name = LocationAligner(genes).fit_transform(Y)
    by_row = LocationAligner(genes).fit_transform(Y.to_numpy())
    np.testing.assert_array_equal(by_row, by_name.to_numpy())
    with pytest.raises(FeatureMismatchError, match=r"the 6 rows .* must describe its 5 columns"):
        LocationAligner(genes).fit(Y.to_numpy()[:, :5])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_in_a_transformed_target_regressor(genes, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 3)).astype(dtype)
    Y = pd.DataFrame(rng.normal(size=(20, 6)).astype(dtype), columns=genes["gene_id"])
    model = TransformedTargetRegressor(Ridge(), transformer=LocationAligner(genes)).fit(X, Y)
    plain = Ridge().fit(X, Y)
    np.testing.assert_allclose(model.predict(X), plain.predict(X), rtol=1e-4)
    order = [Y.columns.get_loc(name) for name in [*SORTED, "lost"]]
    np.testing.assert_allclose(model.regressor_.coef_, plain.coef_[order], rtol=1e-4)


def test_bad_parameter(Y):
    with pytest.raises(ValueError, match="'unmapped' parameter"):
        LocationAligner(unmapped="first").fit(Y)
