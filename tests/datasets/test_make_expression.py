"""Simulated expression of several tissues: shapes, names, and the truth that it claims."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score

from omitrans.datasets import make_expression


@pytest.fixture(scope="module")
def data():
    return make_expression(n_samples=600, n_genes=300, random_state=0)


def test_tables_agree(data):
    assert data.X.shape == (600, 304)
    assert np.array_equal(data.X[data.expression.columns], data.expression)
    assert list(data.genes["gene_id"]) == list(data.expression.columns)
    assert (data.expression.dtypes == np.float32).all()
    assert (data.expression >= 0).all().all()
    pd.testing.assert_frame_equal(
        data.X[["tissue", "sex", "age"]], data.samples[["tissue", "sex", "age"]]
    )
    assert data.X.index.is_unique
    assert data.X.index.str.fullmatch(r"GTEX-1[0-9A-Z]{4}-\d{4}-SM-[0-9A-Z]{5}").all()
    assert "Whole Blood" in set(data.samples["tissue"])


def test_no_tissue_of_a_donor_comes_twice(data):
    assert not data.samples.duplicated(["donor", "tissue"]).any()
    per_donor = data.samples.groupby("donor")[["sex", "age", "cohort"]].nunique()
    assert (per_donor == 1).all().all()
    assert data.samples["donor"].str.len().eq(10).all()


def test_drivers_reach_the_ceiling_and_no_more(data):
    """The noise-free mean explains the stated share of each gene's variance."""
    genes = data.truth.genes
    varies = genes["kind"] != "constant-zero"
    predicted = np.maximum(data.truth.mean, 0)
    r2 = r2_score(data.expression, predicted, multioutput="raw_values")
    difference = (r2 - genes["r2_ceiling"])[varies]
    assert abs(difference.median()) < 0.02
    assert difference.abs().quantile(0.9) < 0.08


def test_drivers_reach_the_ceiling_within_tissues(data):
    within = data.samples["tissue"]
    expression = data.expression - data.expression.groupby(within).transform("mean")
    predicted = np.maximum(data.truth.mean, 0)
    predicted -= predicted.groupby(within).transform("mean")
    genes = data.truth.genes.query("kind != 'constant-zero'")
    r2 = r2_score(expression[genes.index], predicted[genes.index], multioutput="raw_values")
    difference = r2 - genes["r2_ceiling_within_tissue"]
    assert abs(difference.median()) < 0.02
    assert difference.abs().quantile(0.9) < 0.08


def test_tissue_means_are_those_of_many_samples(data):
    """Sex, age and cohort move a tissue's mean a little; genes of Y are not those of all."""
    varies = (data.truth.genes["kind"] != "constant-zero").to_numpy()
    kept = (data.genes["chromosome"] != "Y").to_numpy() & varies
    expected = data.truth.tissue_means.loc[:, kept]
    found = data.truth.mean.groupby(data.samples["tissue"]).mean().loc[expected.index, kept]
    difference = (found - expected).abs().to_numpy()
    assert np.median(difference) < 0.1
    assert difference.max() < 1.5


def test_age_moves_its_genes(data):
    genes = data.truth.genes
    shift = genes["age_shift"][(genes["kind"] == "noise") & (genes["age_shift"].abs() > 0.4)]
    age = (data.samples["age"] - 20) / 50
    slopes = np.polyfit(age, data.expression[shift.index], 1)[0]
    assert len(shift) > 1
    np.testing.assert_allclose(slopes, shift, atol=0.3)


def test_kinds_of_genes(data):
    genes = data.truth.genes
    zero = genes["kind"] == "constant-zero"
    assert zero.any()
    assert (data.expression.loc[:, zero] == 0).all().all()
    tissue_means = data.expression.groupby(data.samples["tissue"]).transform("mean")
    explained = tissue_means.var() / data.expression.var()
    median = explained.groupby(genes["kind"]).median()
    assert median["tissue"] > 0.6
    assert median["noise"] < 0.1
    within = genes.groupby("kind")["r2_ceiling_within_tissue"].median()
    assert within["programme"] > 0.5 > 0.2 > within["tissue"]
    assert within["noise"] < 0.05


def test_tissues_of_a_family_are_near():
    data = make_expression(n_samples=800, n_genes=300, n_tissues=16, random_state=0)
    means = data.expression.groupby(data.samples["tissue"]).mean()
    correlation = means.T.corr()
    families = data.truth.families[correlation.index].to_numpy()
    same = families[:, None] == families
    off_diagonal = ~np.eye(len(families), dtype=bool)
    values = correlation.to_numpy()
    assert values[same & off_diagonal].mean() > values[~same].mean() + 0.1


def test_samples_of_a_donor_are_near(data):
    residual = (data.expression - data.truth.mean).loc[:, data.truth.genes["kind"] == "noise"]
    residual = residual / residual.std()
    donors = data.samples["donor"].to_numpy()
    similar = np.corrcoef(residual)
    same = (donors[:, None] == donors) & ~np.eye(len(donors), dtype=bool)
    assert similar[same].mean() > 0.1 > abs(similar[donors[:, None] != donors].mean())


def test_sexes_differ_on_y(data):
    on_y = data.genes["chromosome"].to_numpy() == "Y"
    on_y &= data.truth.genes["kind"].to_numpy() != "constant-zero"
    assert on_y.any()
    women = data.samples["sex"] == "female"
    assert (data.expression.loc[women, on_y] == 0).all().all()
    assert (data.expression.loc[~women, on_y].mean() > 0).all()


def test_genes_do_not_depend_on_who_is_measured():
    few = make_expression(n_samples=20, n_genes=50, random_state=3)
    many = make_expression(n_samples=200, n_genes=50, random_state=3)
    pd.testing.assert_frame_equal(few.genes, many.genes)
    pd.testing.assert_frame_equal(few.truth.gene_loadings, many.truth.gene_loadings)
    pd.testing.assert_frame_equal(few.truth.tissue_means, many.truth.tissue_means)


def test_missing_values_leave_the_others_alone():
    whole = make_expression(n_samples=50, n_genes=60, random_state=1)
    holes = make_expression(n_samples=50, n_genes=60, missing_rate=0.3, random_state=1)
    pd.testing.assert_frame_equal(holes.expression, whole.expression)
    mask = holes.X[whole.expression.columns].isna()
    assert 0.25 < mask.to_numpy().mean() < 0.35
    assert holes.X[whole.expression.columns].equals(whole.expression.mask(mask))


def test_same_seed_same_data():
    first, second = (make_expression(30, 20, random_state=5) for _ in range(2))
    pd.testing.assert_frame_equal(first.X, second.X)


def test_too_few_donors():
    with pytest.raises(ValueError, match="Take 50 donors or more"):
        make_expression(300, 20, n_donors=49)
    assert make_expression(300, 20, n_donors=50, random_state=0).samples["donor"].nunique() == 50
