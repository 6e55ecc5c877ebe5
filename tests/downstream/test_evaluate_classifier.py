"""The protocol of Table 3: a classifier of measured samples on predicted ones."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from omitrans.downstream import evaluate_classifier
from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.metrics import classification_scores


@pytest.fixture(scope="module")
def study():
    """A fitted classifier, and measured and predicted profiles of test samples."""
    rng = np.random.default_rng(0)
    y = pd.Series(np.resize(["BRCA", "LIHC", "LUAD"], 180), [f"s{i}" for i in range(180)])
    centres = pd.get_dummies(y).to_numpy(float) @ rng.normal(size=(3, 6))
    table = pd.DataFrame(centres + 0.8 * rng.normal(size=(180, 6)), y.index, list("abcdef"))
    classifier = LogisticRegression().fit(table[:90], y[:90])
    test, y = table[90:], y[90:]
    noise = rng.normal(size=test.shape)
    predictions = {"near": test + 0.1 * noise, "far": test + 3 * noise, "mean": test * 0}
    return classifier, test, predictions, y


def pivot(frame, column="value"):
    return frame.pivot_table(index="model", columns="score", values=column, sort=False)


def test_values_are_the_scores(study):
    classifier, test, predictions, y = study
    frame = evaluate_classifier(*study, n_bootstrap=20, random_state=0)
    for name, table in {"measured": test, **predictions}.items():
        expected = classification_scores(
            y, classifier.predict(table), classifier.predict_proba(table), classifier.classes_
        )
        assert pivot(frame).loc[name].to_dict() == pytest.approx(expected)
    assert (frame["n_samples"] == 90).all()
    assert (frame["n_classes"] == 3).all()
    assert frame["model"].unique().tolist() == ["measured", "near", "far", "mean"]


def test_an_array_is_labelled_as_the_measured_table(study):
    classifier, test, predictions, y = study
    array = {"near": predictions["near"].to_numpy()}
    frames = [
        evaluate_classifier(classifier, test, given, y, n_bootstrap=5, random_state=0)
        for given in (array, {"near": predictions["near"]})
    ]
    pd.testing.assert_frame_equal(*frames)


def test_a_useless_prediction_is_at_chance(study):
    values = pivot(evaluate_classifier(*study, n_bootstrap=20, random_state=0))
    assert values.loc["mean", "auc"] == 0.5
    assert values.loc["mean", "accuracy"] == pytest.approx(1 / 3)
    assert values.loc["measured", "accuracy"] > values.loc["far", "accuracy"] + 0.1


def test_intervals_hold_the_values_and_differences_are_paired(study):
    frame = evaluate_classifier(*study, n_bootstrap=200, random_state=0).set_index("model")
    assert (frame["lower"] <= frame["value"]).all()
    assert (frame["value"] <= frame["upper"]).all()
    measured = frame.loc["measured"]
    assert (measured[["difference", "difference_lower", "difference_upper"]] == 0).all(axis=None)
    near = frame.loc["near"].set_index("score")
    width = near["upper"] - near["lower"]
    # both models err on the same samples, so that their difference varies less than each
    paired = near["difference_upper"] - near["difference_lower"]
    assert (paired < 0.75 * width).all()


def test_patients_are_drawn_together(study):
    """With ten copies of each sample, only draws of patients know how little was measured."""
    classifier, test, _, y = study
    rows = np.tile(np.arange(9), 10)
    test, y = test.iloc[rows].reset_index(drop=True), y.iloc[rows].reset_index(drop=True)
    frames = [
        evaluate_classifier(classifier, test, {}, y, groups=groups, random_state=0)
        for groups in (None, rows)
    ]
    alone, together = ((frame["upper"] - frame["lower"])[0] for frame in frames)
    assert together > 1.5 * alone


def test_a_seed_repeats_the_intervals(study):
    one, two = (evaluate_classifier(*study, n_bootstrap=20, random_state=3) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


def test_a_classifier_without_probabilities_is_ranked_by_its_decisions(study):
    _, test, predictions, y = study
    classifier = LinearSVC(random_state=0).fit(test, y)
    frame = evaluate_classifier(classifier, test, predictions, y, n_bootstrap=10, random_state=0)
    assert pivot(frame).loc["measured", "auc"] > 0.8


def test_a_class_without_test_samples_is_counted_out(study):
    classifier, test, _, y = study
    here = y != "LUAD"
    frame = evaluate_classifier(classifier, test[here], {}, y[here], n_bootstrap=10, random_state=0)
    assert (frame["n_classes"] == 2).all()
    assert frame["value"].notna().all()


class GreatestFeature(ClassifierMixin, BaseEstimator):
    """The class of the greatest feature."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[np.argmax(np.asarray(X)[:, :3], axis=1)]


def test_a_classifier_without_scores_has_no_area(study):
    _, test, predictions, y = study
    frame = evaluate_classifier(
        GreatestFeature().fit(test, y), test, predictions, y, n_bootstrap=5, random_state=0
    )
    no_scores = frame["score"] == "auc"
    assert frame.loc[no_scores, ["value", "lower", "upper", "difference"]].isna().all(axis=None)
    assert frame.loc[~no_scores, ["lower", "upper"]].notna().all(axis=None)


def test_no_seed_leaves_the_global_state_alone(study):
    before = np.random.mtrand._rand.get_state()[1:3]
    evaluate_classifier(*study, n_bootstrap=5)
    after = np.random.mtrand._rand.get_state()[1:3]
    assert before[1] == after[1]
    np.testing.assert_array_equal(before[0], after[0])


@pytest.mark.parametrize("n", [0, 5])
def test_classes_of_too_few_samples_are_refused(study, n):
    classifier, test, predictions, y = study
    arrays = {name: table.to_numpy() for name, table in predictions.items()}
    with pytest.raises(SampleMismatchError, match="y must hold the class of each of the 90"):
        evaluate_classifier(classifier, test.to_numpy(), arrays, y.to_numpy()[:n])


def refused(study, error, message, **change):
    arguments = dict(zip(("classifier", "measured", "predictions", "y"), study, strict=True))
    with pytest.raises(error, match=message):
        evaluate_classifier(**{**arguments, **change}, random_state=0)


def test_bad_input_is_refused(study):
    _, test, _, y = study
    refused(study, ValueError, "y holds one class only \\('BRCA'\\)", y=y.map(lambda _: "BRCA"))
    refused(study, ValueError, "lacks the class of 1 of 90", y=y.mask(y.index == "s100"))
    refused(study, ValueError, "labels lacks \\(UVM\\)", y=y.replace("LUAD", "UVM"))
    refused(study, SampleMismatchError, "different samples", y=y.rename({"s100": "other"}))
    refused(study, ValueError, "a model 'measured'", predictions={"measured": test})
    refused(study, NotFittedError, "not fitted", classifier=LogisticRegression())
    renamed = {"m": test.rename(columns={"a": "z"})}
    refused(study, FeatureMismatchError, "different features", predictions=renamed)
    shuffled = {"m": test.iloc[::-1]}
    refused(study, SampleMismatchError, "another order", predictions=shuffled)
    refused(study, ValueError, "NaN or infinite", predictions={"m": test.mask(test > 2)})
