"""Scores of gene lists against sums by hand, numerical integrals and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from sklearn.metrics import average_precision_score

from omitrans.exceptions import FeatureMismatchError
from omitrans.metrics import enrichment_factor, pr_auc, top_overlap


def integrated(labels, scores):
    """Davis and Goadrich's interpolation, gene by gene, with a numerical integral of each step."""
    area, before = 0.0, (0, 0)
    for threshold in sorted(set(scores), reverse=True):
        passed = scores >= threshold
        now = int(labels[passed].sum()), int((~labels[passed]).sum())
        gained = now[0] - before[0]
        if gained:
            slope = (now[1] - before[1]) / gained
            start, false = before

            def precision(t, start=start, false=false, slope=slope):
                return t / (t + false + slope * (t - start)) if t else 1 / (1 + slope)

            area += quad(precision, before[0], now[0], epsabs=1e-12)[0]
        before = now
    return area / labels.sum()


def test_area_by_hand():
    # one of two positives first: precision is 1 up to recall 1/2; then one false positive, and from
    # (1, 1) to (2, 1): the integral of t / (t + 1) from 1 to 2, which is 1 - log(3/2)
    expected = (1 + 1 - np.log(3 / 2)) / 2
    assert pr_auc([1, 0, 1, 0], [4, 3, 2, 1]) == pytest.approx(expected, abs=1e-14)
    # all tied: precision is the fraction of positives everywhere
    assert pr_auc([1, 0, 1, 0], [3, 3, 3, 3]) == pytest.approx(0.5, abs=1e-14)
    # a tie of one positive and one negative behind one negative: (0, 1) to (1, 2), slope 1: the
    # integral of t / (2 t + 1) from 0 to 1, which is 1/2 - log(3) / 4
    assert pr_auc([0, 1, 0], [2, 1, 1]) == pytest.approx(0.5 - np.log(3) / 4, abs=1e-14)
    assert pr_auc([1, 1, 0, 0], [4, 3, 2, 1]) == 1


@pytest.mark.parametrize("ties", [False, True])
def test_area_is_the_integral_of_the_curve(rng, ties):
    for n_genes in (5, 40):
        labels = rng.random(n_genes) < 0.3
        labels[0] = True
        scores = rng.normal(size=n_genes) + labels
        scores = np.round(scores, 0) if ties else scores
        assert pr_auc(labels, scores) == pytest.approx(integrated(labels, scores), abs=1e-10)


def test_average_precision_is_that_of_scikit_learn(rng):
    labels, scores = rng.random(50) < 0.3, rng.normal(size=50)
    expected = average_precision_score(labels, scores)
    assert pr_auc(labels, scores, method="average-precision") == pytest.approx(expected)


def test_a_random_order_scores_the_fraction_of_positives(rng):
    labels = rng.random(20_000) < 0.1
    assert pr_auc(labels, rng.normal(size=20_000)) == pytest.approx(labels.mean(), abs=0.01)


def test_overlap_of_tops():
    reference = pd.Series([5.0, 4, 3, 2, 1], list("abcde"))
    assert top_overlap(reference, reference, k=2) == 1
    assert top_overlap(reference, -reference, k=2) == 0
    assert top_overlap(reference, [5.0, 1, 4, 2, 3], k=3) == pytest.approx(2 / 3)


def test_ties_at_the_end_of_a_top_count_by_their_share(rng):
    reference = np.array([9.0, 8, 1, 1, 1])
    scores = np.array([9.0, 5, 5, 5, 1])
    # k = 2: the second place of the scores is shared by three genes, one of them in the reference
    assert top_overlap(reference, scores, k=2) == pytest.approx((1 + 1 / 3) / 2)
    order = rng.permutation(5)
    assert top_overlap(reference[order], scores[order], k=2) == top_overlap(reference, scores, k=2)


def test_enrichment():
    selected = [f"g{i}" for i in range(20)]
    active = {f"g{i}" for i in range(15, 25)}
    assert enrichment_factor(selected, active, n_genes=100) == pytest.approx((5 / 20) / (10 / 100))
    assert enrichment_factor(["a"], ["b"], n_genes=2) == 0


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 0, 0], [1, 2, 3], "none of 3 genes as positive"),
        ([0, 1, 1], [1, np.nan, 3], r"scores holds NaN.*1 of 3 genes \(first: 1\)"),
        ([0, 1, 2], [1, 2, 3], "labels must be 0 or 1"),
        ([0, 1, None], [1, 2, 3], "labels must be 0 or 1"),
        ([0, 1], [1, 2, 3], "labels holds 2 genes and scores 3"),
        ([[0, 1]], [1, 2], "labels must have one dimension"),
        ([0, 1], [[1, 2]], "scores must have one dimension"),
    ],
)
def test_bad_input_of_the_area(labels, scores, message):
    with pytest.raises(ValueError, match=message):
        pr_auc(labels, scores)


def test_missing_label_of_pandas():
    with pytest.raises(ValueError, match=r"1 are not \(first: <NA>\)"):
        pr_auc(pd.Series([True, False, None], dtype="boolean"), [1, 2, 3])


def test_other_genes():
    labels = pd.Series([True, False, True], list("abc"))
    for function in (pr_auc, top_overlap):
        first = labels if function is pr_auc else labels.astype(float)
        with pytest.raises(FeatureMismatchError, match=r"different genes \(first: c, x\)"):
            function(first, pd.Series([1.0, 2, 3], list("abx")))
        with pytest.raises(FeatureMismatchError, match="genes in another order"):
            function(first, pd.Series([1.0, 2, 3], list("acb")))


def test_bad_lists():
    with pytest.raises(ValueError, match=r"k=4 genes were asked for.*hold 3"):
        top_overlap([1.0, 2, 3], [1.0, 2, 3], k=4)
    with pytest.raises(ValueError, match="selected names no gene"):
        enrichment_factor([], ["a"], n_genes=3)
    with pytest.raises(FeatureMismatchError, match="active names 1 genes twice"):
        enrichment_factor(["a"], ["b", "b"], n_genes=3)
    with pytest.raises(ValueError, match="name 3 genes together"):
        enrichment_factor(["a", "b"], ["c"], n_genes=2)
