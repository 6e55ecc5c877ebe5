"""Samples of a patient are never judged by a model that has seen the patient."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omitrans.baselines import PLSRegressor
from omitrans.comparison import compare_imputers, compare_models
from omitrans.exceptions import PatientGroupsWarning
from omitrans.pipelines import AlignedTargetRegressor
from omitrans.trust import DomainShiftDetector, TrustedRegressor

N_PATIENTS = 60


@pytest.fixture(scope="module", name="cohort")
def two_vials_of_each_patient():
    """Methylation nearly equal in both, and noise for expression that they share."""
    rng = np.random.default_rng(0)
    patients = [f"TCGA-A1-{i:04d}" for i in range(N_PATIENTS)]
    ids = [f"{patient}-01{vial}" for vial in "AB" for patient in patients]
    X = np.tile(rng.normal(size=(N_PATIENTS, 30)), (2, 1)) + 0.01 * rng.normal(size=(120, 30))
    Y = np.tile(rng.normal(size=(N_PATIENTS, 8)), (2, 1)) + 0.1 * rng.normal(size=(120, 8))
    shuffled = rng.permutation(120)
    X = pd.DataFrame(X, ids).add_prefix("cg").iloc[shuffled]
    Y = pd.DataFrame(Y, ids).add_prefix("gene").iloc[shuffled]
    return X, Y, X.index.str[:12].to_numpy()


def nearest(**options):
    return TrustedRegressor(KNeighborsRegressor(1), random_state=0, **options)


def test_a_splitter_that_tears_patients_apart_is_refused(cohort):
    X, Y, patients = cohort
    cv = KFold(5, shuffle=True, random_state=0)
    with pytest.raises(ValueError, match=r"Fold 0 has \d+ groups in both training and test"):
        nearest(cv=cv).fit(X, Y, groups=patients)
    with pytest.raises(ValueError, match=r"Fold 0 has \d+ groups in both training and test"):
        DomainShiftDetector(cv=cv).fit(X, groups=patients)


def test_noise_is_not_predictable_by_default(cohort):
    X, Y, patients = cohort
    with pytest.warns(PatientGroupsWarning, match="120 samples come from 60 patients") as caught:
        model = nearest().fit(X, Y)
    assert len(caught) == 1
    genes = model.trust_card_.genes
    assert genes["r2"].max() < 0
    assert not genes["predictable"].any()
    # intervals hold what they promise of patients that are new
    rng = np.random.default_rng(1)
    new, real = rng.normal(size=(500, 30)), rng.normal(size=(500, 8))
    lower, upper = model.predict_interval(pd.DataFrame(new, columns=X.columns), 0.9)
    assert ((lower <= real) & (real <= upper)).mean() > 0.85
    by_hand = nearest().fit(X, Y, groups=patients)
    pd.testing.assert_frame_equal(by_hand.trust_card_.genes, genes)


def test_grouping_can_be_switched_off(cohort):
    X, Y, _ = cohort
    model = nearest().fit(X, Y, groups=None)
    assert model.trust_card_.genes["r2"].median() > 0.5
    assert model.trust_card_.facts["n_groups"] is None


def test_the_card_says_how_many_groups_there_were(cohort):
    X, Y, patients = cohort
    model = nearest().fit(X, Y, groups=patients)
    assert model.trust_card_.facts["n_groups"] == N_PATIENTS
    assert model.trust_card_.summary()["n_groups"] == N_PATIENTS


def test_the_detector_groups_too(cohort):
    X, _, patients = cohort
    with pytest.warns(PatientGroupsWarning, match="60 patients"):
        by_default = DomainShiftDetector(random_state=0).fit(X)
    by_hand = DomainShiftDetector(random_state=0).fit(X, groups=patients)
    np.testing.assert_array_equal(by_default.training_distances_, by_hand.training_distances_)


class GroupsSeen(KNeighborsRegressor):
    """Keeps the groups that it is fitted with."""

    seen: list = []

    def fit(self, X, y, groups="auto"):
        self.seen.append(groups)
        return super().fit(X, y)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        lambda model: make_pipeline(StandardScaler(), model),
        lambda model: TransformedTargetRegressor(model, transformer=StandardScaler()),
        lambda model: TransformedTargetRegressor(make_pipeline(StandardScaler(), model)),
        lambda model: AlignedTargetRegressor(make_pipeline(StandardScaler(), model)),
    ],
    ids=["alone", "pipeline", "target", "pipeline in target", "pipeline in aligned target"],
)
@pytest.mark.parametrize("given", [True, False])
def test_the_regressor_gets_the_groups_of_its_samples(cohort, wrap, given):
    X, Y, patients = cohort
    GroupsSeen.seen.clear()
    groups = patients if given else None
    model = TrustedRegressor(wrap(GroupsSeen(1)), cv=3, detect_shift=False, random_state=0)
    model.fit(X, Y, groups=groups)
    if not given:
        assert GroupsSeen.seen == [None] * 4
        return
    np.testing.assert_array_equal(GroupsSeen.seen[0], patients)
    assert [len(part) for part in GroupsSeen.seen[1:]] == [80, 80, 80]
    assert all(len(set(part)) == 40 for part in GroupsSeen.seen[1:])


def test_groups_reach_the_folds_of_a_search(cohort):
    X, Y, patients = cohort
    grid = {"plsregressor__max_components": [1, 2]}
    model = make_pipeline(StandardScaler().set_output(transform="pandas"), PLSRegressor(cv=3))
    for cv in (GroupKFold(3), 3):  # folds of a number do not read groups
        search = GridSearchCV(model, grid, cv=cv)
        trusted = TrustedRegressor(search, cv=3, random_state=0).fit(X, Y, groups=patients)
        assert trusted.trust_card_.genes["r2"].max() < 0.2


@pytest.mark.parametrize("wrap", [lambda model: model, AlignedTargetRegressor])
@pytest.mark.parametrize("requested", [True, False])
def test_groups_are_routed_where_routing_is_enabled(cohort, requested, wrap):
    X, Y, patients = cohort
    GroupsSeen.seen.clear()
    with sklearn.config_context(enable_metadata_routing=True):
        step = GroupsSeen(1).set_fit_request(groups=requested)
        model = wrap(make_pipeline(StandardScaler(), step))
        TrustedRegressor(model, cv=3, random_state=0).fit(X, Y, groups=patients)
    kinds = {type(groups) for groups in GroupsSeen.seen}
    assert kinds == ({np.ndarray} if requested else {str})


def test_groups_are_routed_to_a_trusted_regressor(cohort):
    X, Y, patients = cohort
    with sklearn.config_context(enable_metadata_routing=True):
        trusted = nearest().set_fit_request(groups=True)
        model = make_pipeline(StandardScaler(), trusted).fit(X, Y, groups=patients)
    assert model[-1].trust_card_.facts["n_groups"] == N_PATIENTS


@pytest.mark.parametrize("given", [True, False])
def test_comparisons_group_by_default_and_hand_groups_on(cohort, given):
    X, Y, patients = cohort
    GroupsSeen.seen.clear()
    models = {"nearest": GroupsSeen(1)}
    if given:
        found = compare_models(models, X, Y, cv=3, groups=patients)
    else:
        with pytest.warns(PatientGroupsWarning, match="60 patients"):
            found = compare_models(models, X, Y, cv=3)
    assert found.summary()["median_r2_per_feature"].max() < 0
    assert all(len(set(part)) == 40 for part in GroupsSeen.seen)
    leaky = compare_models(models, X, Y, cv=3, groups=None)
    gain = leaky.summary()["median_r2_per_feature"] - found.summary()["median_r2_per_feature"]
    assert gain.min() > 0.5
    with pytest.raises(ValueError, match="groups in both training and test"):
        compare_models(models, X, Y, cv=KFold(3), groups=patients)


def test_a_cached_fold_is_not_taken_for_one_with_other_groups(cohort, tmp_path):
    X, Y, patients = cohort
    GroupsSeen.seen.clear()
    cv = list(GroupKFold(3).split(X, groups=patients))
    for groups in (patients, None, patients):
        compare_models({"a": GroupsSeen(1)}, X, Y, cv=cv, groups=groups, cache_dir=tmp_path)
    assert len(GroupsSeen.seen) == 6


class FillSeen(StandardScaler):
    """Keeps the groups that it is fitted with."""

    seen: list = []

    def fit(self, X, y=None, groups="auto"):
        self.seen.append(groups)
        return super().fit(X)

    def transform(self, X):
        return np.nan_to_num(X)


def test_imputers_get_the_groups_of_their_samples(cohort):
    X, _, patients = cohort
    FillSeen.seen.clear()
    options = {"cv": 3, "n_masks": 1, "random_state": 0}
    compare_imputers({"zero": FillSeen()}, X, groups=patients, **options)
    with pytest.warns(PatientGroupsWarning, match="60 patients"):
        compare_imputers({"zero": FillSeen()}, X, **options)
    assert [len(set(part)) for part in FillSeen.seen] == [40] * 6


def test_imputers_look_for_groups_themselves_in_place(cohort):
    X, _, patients = cohort
    FillSeen.seen.clear()
    options = {"scenario": "in-place", "n_masks": 1, "random_state": 0}
    for groups in (patients, None):
        compare_imputers({"zero": FillSeen()}, X, groups=groups, **options)
    compare_imputers({"zero": FillSeen()}, X, **options)  # nothing is split, and nothing said
    np.testing.assert_array_equal(FillSeen.seen[0], patients)
    assert FillSeen.seen[1:] == [None, "auto"]


def test_nothing_is_said_where_no_patient_repeats(cohort):
    X, Y, _ = cohort
    first = ~X.index.str[:12].duplicated()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = nearest().fit(X[first], Y[first])
        compare_models({"nearest": KNeighborsRegressor(1)}, X[first], Y[first], cv=3)
    again = nearest().fit(X[first], Y[first], groups=None)
    pd.testing.assert_frame_equal(model.trust_card_.genes, again.trust_card_.genes)
