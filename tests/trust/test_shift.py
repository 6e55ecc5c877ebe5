import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold, LeaveOneOut, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from omitrans.datasets import make_paired_omics
from omitrans.preprocessing import beta_to_m
from omitrans.trust import DomainShiftDetector, _shift

# patients of these tables have several samples; grouping has tests of its own
pytestmark = pytest.mark.filterwarnings("ignore::omitrans.exceptions.PatientGroupsWarning")


@pytest.fixture(scope="module", name="cohort")
def make_cohort():
    """Betas of tumours of one simulated cancer type, and which tissue the others are."""
    data = make_paired_omics(1_500, 800, 5, missing_rate=0, n_cancer_types=2, random_state=0)
    return data.X, data.samples


@pytest.fixture(scope="module", name="tumours")
def make_tumours(cohort):
    X, samples = cohort
    return X[samples["cancer_type"].eq("BRCA") & samples["sample_type"].eq("tumour")]


@pytest.fixture(scope="module", name="detector")
def make_detector(tumours):
    return DomainShiftDetector(random_state=0).fit(tumours.iloc[:300])


def oracle_squares(train, new, n_components):
    """Squared distances by scikit-learn's PCA."""
    variance = train.var(axis=0, ddof=1)
    floor = np.median(variance[variance > 0]) / len(train)
    train, new = ((t - train.mean(axis=0)) / np.sqrt(variance + floor) for t in (train, new))
    pca = PCA(n_components, svd_solver="full").fit(train)
    scores = pca.transform(new)
    outside = new - pca.inverse_transform(scores)
    return np.column_stack(
        [(scores**2 / pca.explained_variance_).sum(axis=1), (outside**2).sum(axis=1)]
    )


# --- what is measured ---


@pytest.mark.parametrize("shape", [(40, 100), (100, 12)])
def test_distances_are_those_of_scikit_learns_components(rng, shape):
    X = rng.normal(size=shape) @ rng.normal(size=(shape[1], shape[1]))
    new = rng.normal(size=(7, shape[1]))
    detector = DomainShiftDetector(n_components=4, random_state=0).fit(X)
    expected = np.sqrt(oracle_squares(X, new, 4) @ detector.weights_)
    np.testing.assert_allclose(detector.distance(new), expected)


def test_training_distances_come_from_components_learnt_without_the_sample(rng):
    X = rng.normal(size=(30, 50))
    cv = KFold(3)
    detector = DomainShiftDetector(n_components=2, cv=cv, random_state=0).fit(X)
    squares = np.concatenate([oracle_squares(X[a], X[b], 2) for a, b in cv.split(X)])
    np.testing.assert_allclose(
        detector.training_distances_, np.sqrt(squares @ detector.weights_), rtol=1e-8
    )


def test_a_typical_sample_is_at_distance_one(detector, tumours):
    assert np.median(detector.distance(tumours.iloc[300:])) == pytest.approx(1, abs=0.1)


def test_p_value_is_the_rank_among_training_distances(detector, tumours):
    new = tumours.iloc[300:330]
    distances = detector.distance(new)
    known = detector.training_distances_
    inside = distances < known.max()
    ranks = (1 + (known >= distances[:, np.newaxis]).sum(axis=1)) / (len(known) + 1)
    np.testing.assert_allclose(detector.p_values(new)[inside], ranks[inside])


def test_p_values_fall_on_beyond_the_farthest_training_sample(detector):
    farthest = detector.training_distances_.max()
    p_values = detector._p_values(farthest * np.array([1, 1.001, 2, 4, 1e12]))
    assert (np.diff(p_values) < 0).all()
    assert p_values[1] == pytest.approx(1 / 301, rel=0.05)
    assert p_values[-1] >= 0


def test_answers_agree(detector, tumours, cohort):
    X = pd.concat([tumours.iloc[300:320], cohort[0].iloc[:20]])
    distances = detector.distance(X)
    np.testing.assert_array_equal(detector.score_samples(X), -distances)
    np.testing.assert_array_equal(detector.decision_function(X), detector.threshold_ - distances)
    np.testing.assert_array_equal(detector.predict(X) == -1, distances > detector.threshold_)
    np.testing.assert_array_equal(
        detector.predict(X) == -1, detector.p_values(X) <= detector.false_positive_rate
    )


def test_report(detector, tumours):
    X = tumours.iloc[300:310]
    report = detector.report(X)
    assert list(report.columns) == ["distance", "p_value", "shifted"]
    assert report.index.equals(X.index)
    assert report["shifted"].dtype == bool
    np.testing.assert_array_equal(report["distance"], detector.distance(X))
    np.testing.assert_array_equal(report["p_value"], detector.p_values(X))


def test_report_of_an_array_counts_the_samples(rng):
    X = rng.normal(size=(20, 5))
    assert DomainShiftDetector(random_state=0).fit(X).report(X).index.equals(pd.RangeIndex(20))


# --- how often the alarm is raised ---


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_false_positive_rate_is_the_one_asked_for(tumours, rate):
    new = tumours.iloc[300:]
    detector = DomainShiftDetector(false_positive_rate=rate, random_state=0).fit(tumours.iloc[:300])
    n_flagged = (detector.predict(new) == -1).sum()
    # the threshold is estimated from 300 samples, which spreads the rate by as much again
    low, high = binom.interval(0.999, 300, rate)
    assert low / 300 - 0.01 <= n_flagged / len(new) <= high / 300 + 0.01


@pytest.mark.parametrize("rate", [0.29, 0.07, 0.01, 0.009, 1e-4])
def test_threshold_is_where_the_p_value_reaches_the_rate(rng, rate):
    X = rng.normal(size=(99, 20))
    detector = DomainShiftDetector(false_positive_rate=rate, random_state=0).fit(X)
    just_above, just_below = detector.threshold_ * np.array([1 + 1e-9, 1 - 1e-9])
    assert detector._p_values(np.array([just_above])) <= rate * (1 + 1e-6)
    assert detector._p_values(np.array([just_below])) > rate * (1 - 1e-6)


def test_few_samples_do_not_raise_the_false_positive_rate(rng):
    flagged = []
    for _ in range(40):
        X = rng.normal(size=(60, 6)) @ rng.normal(size=(6, 80)) + rng.normal(size=(60, 80))
        detector = DomainShiftDetector(false_positive_rate=0.05, random_state=0).fit(X[:10])
        flagged.append((detector.predict(X[10:]) == -1).mean())
    assert np.mean(flagged) < 0.1


def shift(X, kind):
    rng = np.random.default_rng(1)
    if kind == "M-values":
        return beta_to_m(X)
    if kind == "batch offset":
        return (X + rng.normal(0, 0.1, X.shape[1])).clip(0, 1)
    if kind == "percent":
        return X * 100
    order = rng.permutation(X.shape[1])
    return X.to_numpy()[:, order]


@pytest.mark.parametrize("kind", ["M-values", "batch offset", "percent", "swapped probes"])
def test_faults_of_processing_are_found(detector, tumours, kind):
    X = shift(tumours.iloc[300:400], kind)
    if not isinstance(X, pd.DataFrame):
        X = pd.DataFrame(X, columns=tumours.columns)
    assert (detector.predict(X) == -1).mean() > 0.99


def test_samples_of_another_biology_are_found(detector, tumours):
    other = make_paired_omics(60, 800, 5, missing_rate=0, random_state=1).X
    other.columns = tumours.columns
    assert (detector.predict(other) == -1).all()


def test_another_cancer_type_is_flagged_far_more_often(detector, cohort):
    X, samples = cohort
    other = X[samples["cancer_type"].ne("BRCA")]
    assert (detector.predict(other) == -1).mean() > 0.3
    assert np.median(detector.p_values(other)) < 0.2


def test_ten_samples_are_enough_to_find_a_gross_shift(tumours):
    detector = DomainShiftDetector(random_state=0).fit(tumours.iloc[:10])
    assert detector.n_components_ == 1
    report = detector.report(beta_to_m(tumours.iloc[10:30]))
    assert report["shifted"].all()
    assert (report["p_value"] < 0.01).all()


def test_an_odd_sample_in_training_does_not_blind_the_detector(rng):
    X = rng.normal(size=(200, 60))
    X[0] *= 10
    detector = DomainShiftDetector(random_state=0).fit(X)
    assert detector.training_distances_.argmax() == 0
    assert (detector.predict(rng.normal(size=(100, 60)) + 4) == -1).all()


def test_a_column_constant_in_training_counts(rng):
    X = rng.normal(size=(120, 30))
    X[:, 3] = 0.1
    detector = DomainShiftDetector(random_state=0).fit(X)
    new = rng.normal(size=(1, 30))
    new[0, 3] = 0.1
    assert detector.predict(new) == 1
    new[0, 3] = 5
    assert detector.predict(new) == -1


# --- contract ---


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", ["C", "F"])
def test_a_sample_alone_is_as_in_company(rng, dtype, layout):
    X = rng.normal(size=(150, 301)).astype(dtype)
    detector = DomainShiftDetector(n_components=7, random_state=0).fit(X)
    X = np.asarray(X, order=layout)
    together = detector.distance(X)
    alone = np.concatenate([detector.distance(X[[i]]) for i in range(len(X))])
    np.testing.assert_array_equal(together, alone)


def test_blocks_and_samples_left_out_of_the_components(rng, monkeypatch):
    X = rng.normal(size=(90, 40)) @ np.diag(np.linspace(5, 1, 40))
    whole = DomainShiftDetector(random_state=0).fit(X)
    monkeypatch.setattr(_shift, "BLOCK_VALUES", 200)
    blocks = DomainShiftDetector(random_state=0).fit(X)
    np.testing.assert_allclose(blocks.distance(X), whole.distance(X))
    monkeypatch.setattr(_shift, "_MAX_SAMPLES", 50)
    some = DomainShiftDetector(random_state=0).fit(X)
    assert np.corrcoef(some.distance(X), whole.distance(X))[0, 1] > 0.9


def test_seed_decides_the_folds(rng):
    X = rng.normal(size=(40, 20))
    one, same, other = (DomainShiftDetector(random_state=seed).fit(X) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.training_distances_, same.training_distances_)
    assert (one.training_distances_ != other.training_distances_).any()


def test_groups_are_held_out_together(rng):
    X = np.repeat(rng.normal(size=(30, 50)), 2, axis=0)  # every sample twice
    groups = np.repeat(np.arange(30), 2)
    apart = DomainShiftDetector(random_state=0).fit(X).training_distances_
    together = DomainShiftDetector(random_state=0).fit(X, groups=groups).training_distances_
    np.testing.assert_allclose(together[::2], together[1::2])
    assert np.abs(apart[::2] - apart[1::2]).max() > 1e-3


def test_components_follow_from_the_number_of_samples(rng):
    for n_samples, expected in ((10, 1), (50, 5), (300, 20)):
        X = rng.normal(size=(n_samples, 400))
        assert DomainShiftDetector(random_state=0).fit(X).n_components_ == expected


def test_samples_that_span_less_give_fewer_components(rng):
    X = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 40))
    detector = DomainShiftDetector(n_components=10, random_state=0).fit(X)
    assert detector.n_components_ == 2
    assert (detector.predict(rng.normal(size=(5, 40)) * 5) == -1).all()


def test_works_in_a_pipeline(rng):
    X = rng.random((60, 20))
    pipeline = make_pipeline(MinMaxScaler(), DomainShiftDetector(random_state=0)).fit(X)
    assert set(pipeline.predict(X)) <= {-1, 1}
    assert clone(pipeline).fit(X).score_samples(X).shape == (60,)


# --- what is refused ---


def test_missing_values(tumours):
    X = tumours.iloc[:20].copy()
    X.iloc[3, 5] = np.nan
    with pytest.raises(ValueError, match=rf"1 such values.*{X.columns[5]}.*SimpleImputer"):
        DomainShiftDetector(random_state=0).fit(X)


def test_too_few_samples(rng):
    with pytest.raises(ValueError, match="minimum of 5 is required"):
        DomainShiftDetector(random_state=0).fit(rng.normal(size=(4, 10)))


def test_no_variation():
    with pytest.raises(ValueError, match="X does not vary"):
        DomainShiftDetector(random_state=0).fit(np.full((10, 4), 0.1))


def test_one_sample_repeated():
    X = np.zeros((20, 1))
    X[:2] = [[-1], [1]]
    with pytest.raises(ValueError, match="Half of the training samples or more are identical"):
        DomainShiftDetector(random_state=0).fit(X)


def test_folds_that_leave_samples_out(rng):
    X = rng.normal(size=(20, 4))
    with pytest.raises(ValueError, match="cv must hold each of the 20 samples out once"):
        DomainShiftDetector(cv=ShuffleSplit(3, random_state=0)).fit(X)
    assert DomainShiftDetector(cv=LeaveOneOut(), random_state=0).fit(X).threshold_ > 0


def test_groups_of_another_length(rng):
    with pytest.raises(ValueError, match=r"shape \(2,\) for 20 samples"):
        DomainShiftDetector(random_state=0).fit(rng.normal(size=(20, 4)), groups=[1, 2])


def test_a_single_group(rng):
    with pytest.raises(ValueError, match="single group"):
        DomainShiftDetector(random_state=0).fit(rng.normal(size=(20, 4)), groups=np.zeros(20))


def test_a_fold_with_one_training_sample(rng):
    with pytest.raises(ValueError, match="A fold has a single training sample"):
        DomainShiftDetector(random_state=0).fit(rng.normal(size=(5, 4)), groups=[0, 1, 1, 1, 1])
