"""Values of the same donor's blood, against a loop."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from omitrans.baselines import SurrogateTissueImputer
from omitrans.datasets import hide_values, make_expression
from omitrans.exceptions import UnknownCategoryWarning

NAN = float("nan")
COLUMNS = {"tissue": "tissue", "donor": "donor", "ignored_columns": ["sex", "cohort", "age"]}


@pytest.fixture(scope="module")
def cohort():
    """Samples of few donors, so that most have blood too; a third of the values is hidden."""
    data = make_expression(n_samples=120, n_genes=25, n_tissues=4, n_donors=32, random_state=0)
    whole = data.X.assign(donor=data.samples["donor"])
    genes = list(data.expression.columns)
    others = whole.columns.difference(genes)
    holes, hidden = hide_values(whole, 0.3, exclude=others, random_state=0)
    return SimpleNamespace(whole=whole, holes=holes, hidden=hidden, genes=genes)


def test_is_the_blood_of_the_same_donor(cohort):
    imputer = SurrogateTissueImputer(**COLUMNS)
    filled = imputer.fit_transform(cohort.holes)
    holes, genes = cohort.holes, cohort.holes[cohort.genes]
    medians = genes.groupby(holes["tissue"]).transform("median")
    n_from_blood = 0
    for i, sample in enumerate(genes.index):
        own = holes["donor"] == holes["donor"].iloc[i]
        blood = genes[own & (holes["tissue"] == "Whole Blood")]
        for j, gene in enumerate(cohort.genes):
            expected = genes.iloc[i, j]
            if np.isnan(expected) and len(blood) and holes["tissue"].iloc[i] != "Whole Blood":
                expected = blood[gene].iloc[0]
                n_from_blood += not np.isnan(expected)
            if np.isnan(expected):
                expected = medians.loc[sample, gene]
            assert filled[i, j] == pytest.approx(expected, rel=1e-6)
    report = imputer.report(holes)
    assert report["n_from_surrogate"].sum() == n_from_blood > 100
    assert list(report["n_missing"]) == list(cohort.hidden.sum(axis=1))
    assert report.index.equals(holes.index)


def test_surrogates_are_those_of_fit(cohort):
    """Blood that comes along with a new sample does not count: alone it would be absent."""
    others = cohort.whole["tissue"] != "Whole Blood"
    few = cohort.whole[others | (np.arange(len(cohort.whole)) < 40)]
    imputer = SurrogateTissueImputer(**COLUMNS).fit(few)
    together = imputer.transform(cohort.holes)
    for i in range(0, 120, 7):
        np.testing.assert_array_equal(imputer.transform(cohort.holes.iloc[[i]])[0], together[i])


def test_several_surrogates_of_a_donor_are_averaged():
    X = pd.DataFrame(
        {
            "donor": ["d"] * 3,
            "tissue": ["Whole Blood", "Whole Blood", "Lung"],
            "g": [1.0, 2.0, 9.0],
            "h": [NAN, 4.0, 5.0],
        }
    )
    imputer = SurrogateTissueImputer(tissue="tissue", donor="donor").fit(X)
    new = pd.DataFrame({"donor": ["d"], "tissue": ["Lung"], "g": [NAN], "h": [NAN]})
    np.testing.assert_array_equal(imputer.transform(new), [[1.5, 4.0]])


def test_samples_without_surrogate_get_the_median_of_their_tissue():
    X = pd.DataFrame(
        {
            "donor": ["d", "e", "d", "e", "f"],
            "tissue": ["Blood", "Blood", "Lung", "Lung", "Lung"],
            "g": [1.0, 3.0, 10.0, 11.0, 15.0],
            "h": [NAN, 5.0, 20.0, 24.0, 30.0],
        }
    )
    imputer = SurrogateTissueImputer(tissue="tissue", donor="donor", surrogate="Blood").fit(X)
    cases = {
        ("d", "Lung"): [1.0, 24.0],  # the donor's blood lacks h
        ("f", "Lung"): [11.0, 24.0],  # no blood
        ("d", "Blood"): [2.0, 5.0],  # is blood itself
        (None, "Lung"): [11.0, 24.0],
        ("d", None): [1.0, 20.0 + 2.0],
    }
    for (donor, tissue), expected in cases.items():
        new = pd.DataFrame({"donor": [donor], "tissue": [tissue], "g": [NAN], "h": [NAN]})
        np.testing.assert_array_equal(imputer.transform(new), [expected])
    new["tissue"] = "Liver"
    with pytest.warns(UnknownCategoryWarning, match=r"tissue holds 1 groups .* \(Liver\)"):
        np.testing.assert_array_equal(imputer.transform(new), [[1.0, 22.0]])


def test_codes_of_an_array():
    """Columns are tissue (7 is blood), donor, gene."""
    X = np.array([[7.0, 1.0, 5.0], [7.0, 2.0, 6.0], [8.0, 1.0, 9.0], [8.0, 2.0, NAN]])
    filled = SurrogateTissueImputer(tissue=0, donor=1, surrogate=7).fit_transform(X)
    np.testing.assert_array_equal(filled[:, 0], [5.0, 6.0, 9.0, 6.0])


def test_one_column_of_two(cohort):
    with pytest.raises(ValueError, match="give both columns, or neither"):
        SurrogateTissueImputer(tissue="tissue").fit(cohort.whole)


def test_no_sample_of_the_surrogate(cohort):
    with pytest.raises(ValueError, match="is of the surrogate tissue 'Blood'"):
        SurrogateTissueImputer(**COLUMNS, surrogate="Blood").fit(cohort.whole)
