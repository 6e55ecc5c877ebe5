import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omitrans.comparison import compare_models
from omitrans.exceptions import PatientGroupsWarning
from omitrans.model_selection import PatientGroupKFold, patient_of


@pytest.fixture
def frames(rng):
    """Every patient has a tumour and a normal sample, far apart in the table."""
    ids = [f"TCGA-A1-{i % 15:04d}-{1 + 10 * (i // 15):02d}A" for i in range(30)]
    X = pd.DataFrame(rng.uniform(size=(30, 5)), ids).add_prefix("cg")
    return X, pd.DataFrame(rng.normal(size=(30, 3)), ids).add_prefix("gene")


@pytest.mark.parametrize(
    ("sample", "id_format", "patient"),
    [
        ("TCGA-A1-A0SB-01A-11R-A144-07", "tcga", "TCGA-A1-A0SB"),
        ("TCGA-A1-A0SB-01", "tcga", "TCGA-A1-A0SB"),
        ("TCGA-A1-A0SB", "tcga", "TCGA-A1-A0SB"),
        ("tcga-a1-a0sb-01", "tcga", "TCGA-A1-A0SB"),
        ("TCGA.A1.A0SB.01A.11R.A144.07", "tcga", "TCGA-A1-A0SB"),
        ("TARGET-20-PABLDZ-09A", "target", "TARGET-20-PABLDZ"),
        ("TARGET.20.PABLDZ.09A.01R", "target", "TARGET-20-PABLDZ"),
        ("GTEX-1117F-0226-SM-5GZZ7", "gtex", "GTEX-1117F"),
        ("GTEX.1117F.0226.SM.5GZZ7", "gtex", "GTEX-1117F"),
        ("GTEX-X4EP", "gtex", "GTEX-X4EP"),
        ("p7_left", lambda one: one.partition("_")[0], "p7"),
    ],
)
def test_patient_of_an_id(sample, id_format, patient):
    assert patient_of([sample], id_format=id_format).tolist() == [patient]


@pytest.mark.parametrize(
    ("sample", "id_format"),
    [
        ("TCGA_A1_A0SB_01", "tcga"),
        ("TCGAA1A0SB", "tcga"),
        ("TCGA-A1-A0SBX-01", "tcga"),
        ("GTEX-1117F-0226", "tcga"),
        ("TCGA-A1-A0SB-01", "gtex"),
        (7, "tcga"),
    ],
)
def test_strange_ids_are_refused(sample, id_format):
    good = {"tcga": "TCGA-A1-A0SB-01A", "gtex": "GTEX-1117F-0226"}[id_format]
    with pytest.raises(ValueError, match=f"1 of 2 sample ids .* {sample!r}.*Give groups="):
        patient_of([good, sample], id_format=id_format)


def test_patients_stay_on_one_side(frames):
    X, _ = frames
    tested = []
    for train, test in PatientGroupKFold(4).split(X):
        assert not set(patient_of(X.index[train])) & set(patient_of(X.index[test]))
        tested += list(test)
    assert sorted(tested) == list(range(30))


@pytest.mark.parametrize("shuffle", [{}, {"shuffle": True, "random_state": 3}])
def test_folds_are_those_of_a_group_k_fold(frames, shuffle):
    X, _ = frames
    ours = PatientGroupKFold(3, **shuffle).split(X)
    theirs = GroupKFold(3, **shuffle).split(X, groups=X.index.str[:12])
    for mine, other in zip(ours, theirs, strict=True):
        assert_array_equal(mine[0], other[0])
        assert_array_equal(mine[1], other[1])


def test_groups_go_first(frames):
    X, _ = frames
    groups = np.repeat(np.arange(10), 3)
    for train, test in PatientGroupKFold(5).split(X.to_numpy(), groups=groups):
        assert not set(groups[train]) & set(groups[test])


def test_donors_of_gtex():
    X = pd.DataFrame({"a": range(6)}, [f"GTEX-D{i // 2}-{i:04d}" for i in range(6)])
    tests = [list(test) for _, test in PatientGroupKFold(3, id_format="gtex").split(X)]
    assert sorted(tests) == [[0, 1], [2, 3], [4, 5]]


def test_arrays_are_refused(frames):
    with pytest.raises(TypeError, match=r"X is ndarray.*DataFrame indexed by sample ids"):
        next(PatientGroupKFold(3).split(frames[0].to_numpy()))


def test_fewer_patients_than_folds(frames):
    with pytest.raises(ValueError, match="number of groups: 2"):
        next(PatientGroupKFold(3).split(frames[0].iloc[[0, 1, 15]]))


def test_it_serves_scikit_learn_and_comparisons(frames):
    X, Y = frames
    cv = PatientGroupKFold(3)
    assert len(cross_validate(Ridge(), X, Y, cv=cv)["test_score"]) == 3
    model = make_pipeline(StandardScaler(), Ridge())
    search = GridSearchCV(model, {"ridge__alpha": [1.0, 10.0]}, cv=cv).fit(X, Y)
    assert search.n_splits_ == 3
    with pytest.warns(PatientGroupsWarning, match="30 samples come from 15 patients"):
        comparison = compare_models({"ridge": Ridge()}, X, Y, cv=cv)
    assert comparison.results["fold"].nunique() == 3
    groups = pd.Series(patient_of(X.index), index=X.index)
    again = compare_models({"ridge": Ridge()}, X, Y, cv=cv, groups=groups)
    pd.testing.assert_frame_equal(again.summary(), comparison.summary())


def test_groups_are_routed(frames):
    X, Y = frames
    groups = np.repeat(np.arange(3), 10)
    with config_context(enable_metadata_routing=True):
        scores = cross_validate(
            Ridge(), X, Y, cv=PatientGroupKFold(3), params={"groups": groups}, return_indices=True
        )
    assert sorted(test.min() for test in scores["indices"]["test"]) == [0, 10, 20]


def test_it_can_be_copied_and_shown():
    cv = PatientGroupKFold(4, id_format="gtex")
    assert cv.get_n_splits() == 4
    assert "PatientGroupKFold(id_format='gtex', n_splits=4" in repr(cv)
    assert clone(cv, safe=False).id_format == "gtex"
