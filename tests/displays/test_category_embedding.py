import numpy as np
import pandas as pd
import pytest

from omitrans import PMIImputer
from omitrans.displays import CategoryEmbeddingDisplay

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture
def vectors(rng):
    """Two families of tissues, far from one another."""
    families = np.repeat(["brain", "gut"], 4)
    values = rng.normal(size=(8, 5)) + 20 * (families == "gut")[:, None]
    return pd.DataFrame(values, [f"tissue{i}" for i in range(8)]), families


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_families_lie_together(vectors, method):
    embedding, families = vectors
    display = CategoryEmbeddingDisplay.from_embedding(
        embedding,
        families=dict(zip(embedding.index, families, strict=True)),
        method=method,
        random_state=0,
    )
    places = display.places.to_numpy()
    centres = np.stack([places[families == name].mean(0) for name in ("brain", "gut")])
    nearest = np.linalg.norm(places[:, None] - centres, axis=2).argmin(1)
    assert list(np.array(["brain", "gut"])[nearest]) == list(families)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["brain", "gut"]


def test_every_category_is_named(vectors):
    display = CategoryEmbeddingDisplay.from_embedding(vectors[0])
    assert [text.get_text() for text in display.ax_.texts] == list(vectors[0].index)
    assert display.ax_.get_legend() is None


def test_of_a_fitted_imputer(rng):
    X = pd.DataFrame(rng.normal(size=(30, 4)), columns=list("abcd"))
    X["tissue"] = ["Lung", "Liver", "Skin"] * 10
    imputer = PMIImputer(categorical_covariates=["tissue"], max_epochs=1, random_state=0).fit(X)
    display = CategoryEmbeddingDisplay.from_imputer(imputer)
    assert list(display.places.index) == ["Liver", "Lung", "Skin"]


def test_bad_input(vectors):
    embedding, _ = vectors
    with pytest.raises(ValueError, match="at least 3 categories; found 2"):
        CategoryEmbeddingDisplay.from_embedding(embedding[:2])
    with pytest.raises(ValueError, match=r"no entry for \['tissue7'\]"):
        CategoryEmbeddingDisplay.from_embedding(
            embedding, families=dict.fromkeys(embedding.index[:7], "brain")
        )
    with pytest.raises(ValueError, match="method must be one of"):
        CategoryEmbeddingDisplay.from_embedding(embedding, method="mds")
