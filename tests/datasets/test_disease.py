"""Simulated healthy and diseased samples: shapes, names, and the truth that it claims."""

import numpy as np
import pandas as pd
import pytest

from omitrans.datasets import make_disease_expression


def test_tables_agree():
    data = make_disease_expression(n_samples=90, n_genes=120, n_drivers=9, random_state=0)
    assert data.expression.shape == (90, 120)
    assert (data.expression.dtypes == np.float32).all()
    assert (data.expression >= 0).all().all()
    assert data.covariates.index.equals(data.expression.index)
    pd.testing.assert_frame_equal(data.samples.drop(columns="donor"), data.covariates)
    assert list(data.genes["gene_id"]) == list(data.expression.columns)
    assert list(data.truth.drivers) == list(
        data.truth.disease_shift.index[data.truth.disease_shift != 0]
    )
    assert len(data.truth.drivers) == 9


def test_shifts_are_those_that_are_claimed():
    data = make_disease_expression(n_samples=3000, n_genes=80, n_drivers=20, random_state=1)
    design = pd.DataFrame(
        {
            "one": 1.0,
            "disease": data.covariates["condition"] == "disease",
            "study": data.covariates["study"] == "study B",
        }
    ).join(pd.get_dummies(data.covariates["tissue"]).iloc[:, 1:])
    expressed = (data.expression > 0).all()
    slopes = np.linalg.lstsq(design.to_numpy(float), data.expression, rcond=None)[0]
    for row, truth in ((1, data.truth.disease_shift), (2, data.truth.study_shift)):
        error = pd.Series(slopes[row], data.expression.columns) - truth
        assert error[expressed].abs().median() < 0.05
    shifts = data.truth.disease_shift[data.truth.drivers]
    assert shifts.abs().mean() == pytest.approx(1, abs=0.1)
    assert (shifts > 0).sum() == 10


@pytest.mark.parametrize(
    ("confounding", "low", "high"), [(0, 0.4, 0.6), (0.6, 0.7, 0.9), (1, 1, 1)]
)
def test_study_and_condition_go_together_as_told(confounding, low, high):
    data = make_disease_expression(400, 60, n_drivers=5, confounding=confounding, random_state=0)
    diseased = data.covariates["condition"] == "disease"
    together = (diseased == (data.covariates["study"] == "study B")).mean()
    assert low <= together <= high
    donors = data.samples.groupby("donor")[["condition", "study"]].nunique()
    assert (donors == 1).all().all()
    assert 0.4 < diseased.mean() < 0.6


def test_too_many_drivers():
    with pytest.raises(ValueError, match=r"n_drivers=50 is more than the \d+ of 20 genes"):
        make_disease_expression(40, 20, random_state=0)
