"""Figures of imputers: what they show is what was computed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from omitrans.baselines import make_imputers
from omitrans.comparison import compare_imputers
from omitrans.datasets import make_expression
from omitrans.displays import GroupR2Display, MissingRateDisplay
from omitrans.metrics import masked_r2_by_group

pytestmark = pytest.mark.usefixtures("pyplot")

COVARIATES = ["tissue", "sex", "cohort", "age"]


@pytest.fixture(scope="module")
def comparison():
    data = make_expression(80, 15, n_tissues=3, random_state=0)
    return compare_imputers(
        make_imputers(
            ["median", "knn-5"],
            categorical_covariates=COVARIATES[:3],
            numeric_covariates="age",
            tissue="tissue",
        ),
        data.X,
        covariates=COVARIATES,
        scenario="in-place",
        missing_rates=[0.2, 0.6],
        n_masks=2,
        group_by="tissue",
        random_state=0,
    )


def test_boxes_are_quartiles_in_the_order_of_medians(rng):
    Y = rng.normal(size=(60, 40))
    hidden = rng.random(Y.shape) < 0.5
    tissues = np.repeat(["Lung", "Liver", "Skin"], 20)
    noise = np.select([tissues == "Lung", tissues == "Liver"], [0.9, 0.1], 0.5)
    imputed = Y + noise[:, None] * rng.normal(size=Y.shape)
    display = GroupR2Display.from_imputation(Y, imputed, hidden, tissues)
    r2 = masked_r2_by_group(Y, imputed, hidden, tissues)
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == ["Lung", "Skin", "Liver"]
    box = display.ax_.patches[0].get_path().vertices[:, 0]
    assert_allclose([box.min(), box.max()], r2["Lung"].quantile([0.25, 0.75]))


def test_boxes_of_a_comparison(comparison):
    display = GroupR2Display.from_comparison(comparison, "knn-5", missing_rate=0.6)
    assert_allclose(display.r2, comparison.per_group["knn-5"][0.6])
    with pytest.raises(ValueError, match=r"must be one of \[0.2, 0.6\]"):
        GroupR2Display.from_comparison(comparison, "knn-5")
    with pytest.raises(ValueError, match="holds no 'pmi' at"):
        GroupR2Display.from_comparison(comparison, "pmi", missing_rate=0.6)


def test_lines_are_means_over_masks(comparison):
    display = MissingRateDisplay.from_comparison(comparison)
    rows = comparison.results.query("metric == 'mean_r2_per_feature' and model == 'knn-5'")
    line = display.ax_.lines[1]
    assert_allclose(line.get_xdata(), [20, 60])
    assert_allclose(line.get_ydata(), rows.groupby("missing_rate")["value"].mean())
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["median", "knn-5"]


def test_one_rate_makes_no_line(comparison):
    with pytest.raises(ValueError, match="holds no metric 'mse'"):
        MissingRateDisplay.from_comparison(comparison, metric="mse")
    comparison = type(comparison)(
        comparison.results.query("missing_rate == 0.2"), comparison.errors, comparison.per_feature
    )
    with pytest.raises(ValueError, match="two missing rates"):
        MissingRateDisplay.from_comparison(comparison)
    with pytest.raises(ValueError, match="no groups"):
        GroupR2Display.from_comparison(comparison, "knn-5")
