import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from omitrans.comparison import compare_models
from omitrans.exceptions import SampleMismatchError
from omitrans.model_selection import PublishedSplit

IDS = [f"TCGA-A1-{i:04d}-01A" for i in range(20)]


@pytest.fixture(name="X")
def source(rng):
    return pd.DataFrame(rng.uniform(size=(20, 4)), index=IDS)


@pytest.fixture
def wanted(tmp_path):
    """Test ids as they are published: one a line, in an order of their own."""
    path = tmp_path / "test_sample_ids.tsv"
    path.write_text("\n".join([IDS[7], IDS[2], IDS[19]]) + "\n", encoding="utf-8")
    return pd.read_csv(path, header=None)[0]


def test_the_samples_named_are_tested(X, wanted):
    cv = PublishedSplit(wanted)

    ((train, test),) = cv.split(X)

    assert cv.get_n_splits() == 1
    assert test.tolist() == [2, 7, 19]
    assert sorted([*train, *test]) == list(range(20))


def test_it_serves_comparisons(X, wanted, rng):
    Y = pd.DataFrame(rng.normal(size=(20, 3)), index=IDS)

    comparison = compare_models({"ridge": Ridge()}, X, Y, cv=PublishedSplit(wanted))

    assert comparison.results["fold"].unique().tolist() == [0]


def test_absent_samples(X, wanted):
    with pytest.raises(SampleMismatchError, match="1 of 3 test_ids are not in the index"):
        next(PublishedSplit(wanted).split(X.iloc[:10]))

    ((_, test),) = PublishedSplit(wanted, absent="ignore").split(X.iloc[:10])

    assert test.tolist() == [2, 7]


@pytest.mark.parametrize("absent", ["raise", "ignore"])
def test_ids_of_another_length_are_refused(X, wanted, absent):
    X.index = X.index.str[:15]

    with pytest.raises(SampleMismatchError, match=r"3 of 3 .*cut both to one length"):
        next(PublishedSplit(wanted, absent=absent).split(X))


def test_unusable_input_is_refused(X):
    with pytest.raises(TypeError, match="X is ndarray"):
        next(PublishedSplit(IDS[:2]).split(np.zeros((20, 4))))
    with pytest.raises(SampleMismatchError, match="none is left to train on"):
        next(PublishedSplit(IDS).split(X))
    with pytest.raises(SampleMismatchError, match="duplicated ids"):
        next(PublishedSplit(IDS[:2]).split(pd.concat([X, X])))
    with pytest.raises(ValueError, match="'raise' or 'ignore'"):
        next(PublishedSplit(IDS[:2], absent="skip").split(X))
