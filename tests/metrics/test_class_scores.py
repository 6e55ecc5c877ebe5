"""Scores of predicted classes, against scikit-learn and by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, precision_recall_fscore_support, roc_auc_score

from omitrans.metrics import classification_scores
from omitrans.metrics._classification import scored_classes

ABSENT = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")


def draw(n_classes=5, n=150, digits=1, seed=0):
    """Return true classes, predicted classes and scores with many ties."""
    rng = np.random.default_rng(seed)
    scores = rng.random((n, n_classes)).round(digits) + 1e-9
    scores /= scores.sum(axis=1, keepdims=True)
    y = rng.integers(n_classes, size=n)
    return np.array(list("edcba"))[y], np.array(list("edcba"))[scores.argmax(axis=1)], scores


def oracle(y, predicted, area):
    precision, recall, f1, _ = precision_recall_fscore_support(
        y, predicted, average="macro", labels=np.unique(y), zero_division=0
    )
    return {
        "accuracy": accuracy_score(y, predicted),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "auc": area,
    }


def test_scores_are_those_of_scikit_learn():
    y, predicted, scores = draw()
    found = classification_scores(y, predicted, scores[:, ::-1])  # columns of a, b, c, d, e
    area = roc_auc_score(y, scores[:, ::-1], multi_class="ovo")
    assert found == pytest.approx(oracle(y, predicted, area), rel=1e-12)


def test_columns_of_a_frame_are_the_labels():
    y, predicted, scores = draw()
    frame = pd.DataFrame(scores, columns=list("edcba"))
    assert classification_scores(y, predicted, frame) == classification_scores(
        y, predicted, scores, labels=list("edcba")
    )


@pytest.mark.parametrize("columns", [1, 2])
def test_two_classes(columns):
    rng = np.random.default_rng(0)
    y, p = rng.integers(2, size=60), rng.random(60).round(1)
    scores = p if columns == 1 else np.column_stack([1 - p, p])
    found = classification_scores(y, (p > 0.5).astype(int), scores, labels=[0, 1])
    assert found == pytest.approx(oracle(y, p > 0.5, roc_auc_score(y, p)))


def test_a_weight_is_a_number_of_copies():
    y, predicted, scores = draw()
    weights = np.random.default_rng(1).integers(0, 3, size=len(y))
    rows = np.repeat(np.arange(len(y)), weights)
    weighted = scored_classes(y, predicted, scores, list("edcba")).scores(weights.astype(float))
    copied = scored_classes(y[rows], predicted[rows], scores[rows], list("edcba")).scores()
    assert weighted == pytest.approx(copied, rel=1e-12)


def test_an_absent_class_is_left_out_and_said():
    y, predicted, scores = draw()
    here = y != "c"
    with pytest.warns(UndefinedMetricWarning, match=r"1 of 5 classes .*y_true \(c\)"):
        found = classification_scores(y[here], predicted[here], scores[here], labels=list("edcba"))
    assert (predicted[here] == "c").any()
    pairs = []
    present = [0, 1, 3, 4]
    for i, k in enumerate(present):
        for m in present[i + 1 :]:
            rows = np.isin(y, ["edcba"[k], "edcba"[m]])
            own = y[rows] == "edcba"[k]
            pairs += [roc_auc_score(own, scores[rows, k]), roc_auc_score(~own, scores[rows, m])]
    assert found == pytest.approx(oracle(y[here], predicted[here], np.mean(pairs)))


@ABSENT
def test_one_class_has_an_accuracy_and_no_area():
    found = classification_scores(["a", "a"], ["a", "b"], [[0.9, 0.1], [0.4, 0.6]])
    assert found["accuracy"] == found["recall"] == 0.5
    assert np.isnan(found["auc"])


def test_without_scores_there_is_no_area():
    found = classification_scores([0, 1], [0, 1])
    assert np.isnan(found.pop("auc"))
    assert set(found.values()) == {1.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_true": ["a", None, "b"]}, "y_true lacks the class of 1 of 3 samples"),
        ({"y_pred": ["a", "b"]}, "inconsistent numbers of samples"),
        ({"labels": ["a", "c"]}, r"y_true holds 1 classes that labels lacks \(b\)"),
        ({"y_score": np.ones((3, 4))}, r"shape \(3, 4\) for 3 samples and 2 classes"),
        ({"y_score": [[np.nan, 1]] * 3}, "y_score contains NaN"),
        ({"y_true": [], "y_pred": []}, "y_true holds no samples"),
    ],
)
def test_bad_input_is_refused(change, message):
    given = {"y_true": ["a", "b", "b"], "y_pred": ["a", "b", "a"], **change}
    with pytest.raises(ValueError, match=message):
        classification_scores(**given)


def test_a_class_named_twice_is_refused():
    with pytest.raises(ValueError, match="labels names b twice"):
        classification_scores(["a", "b"], ["a", "b"], labels=["a", "b", "b"])
