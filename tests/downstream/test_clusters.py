import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from omitrans.downstream import cluster_survival, prognosis_genes
from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.metrics import kaplan_meier, log_rank_test

pytest.importorskip("lifelines")


@pytest.fixture
def severe():
    """Return expression, times and events of two hidden kinds of samples, and the kinds."""
    rng = np.random.default_rng(0)
    kind = np.resize([0, 1, 1], 120)
    expression = rng.normal(6, 1, size=(120, 60))
    expression[:, :15] += 2.5 * kind[:, None]
    expression[:, 20:40] *= 0.01  # hardly vary
    expression[:, 50:] = np.maximum(rng.normal(-1, 1, size=(120, 10)), 0)  # rarely expressed
    index = [f"s{i}" for i in range(120)]
    table = pd.DataFrame(expression, index, [f"gene{i}" for i in range(60)])
    time = pd.Series(rng.exponential(np.where(kind, 20.0, 200.0)), index)
    return table, time, pd.Series(rng.random(120) < 0.8, index), pd.Series(kind, index)


def test_kinds_are_found_and_compared(severe):
    expression, time, event, kind = severe
    reference = kind.map({0: "mild", 1: "severe"}).where(np.arange(120) > 3)
    result = cluster_survival(
        expression, time, event, n_genes=12, reference=reference, random_state=0
    )
    assert ((result.labels == 2) == (kind == 1)).mean() > 0.95  # the last has the highest rate
    assert result.labels.index.equals(expression.index)
    assert set(result.genes) <= set(expression.columns[:15])
    known = reference.notna()
    compared = reference[known], result.labels[known]
    assert result.ari == adjusted_rand_score(*compared)
    np.testing.assert_allclose(result.nmi, normalized_mutual_info_score(*compared))
    assert (result.statistic, result.p_value) == log_rank_test(time, event, result.labels)
    assert result.p_value < 1e-6
    whole = kaplan_meier(time, event, result.labels).query("group == 2").reset_index(drop=True)
    ours = result.curves.query("group == 2").reset_index(drop=True)
    pd.testing.assert_frame_equal(ours, whole)


def test_genes_are_those_of_the_protocol(severe):
    expression, time, event, _ = severe
    result = cluster_survival(expression, time, event, n_genes=7, mad_share=0.6, random_state=0)
    expressed = expression.loc[:, (expression > 0).mean() > 0.5]
    deviation = (expressed - expressed.median()).abs().median()
    variable = deviation.nlargest(30).index  # 0.6 of 50
    p = prognosis_genes(expressed[variable], time, event, test="score")["p"]
    assert set(result.genes) == set(p.nsmallest(7).index)


def test_given_genes_are_used(severe):
    expression, time, event, _ = severe
    result = cluster_survival(expression, time, event, genes=["gene3", "gene1"], random_state=0)
    assert list(result.genes) == ["gene3", "gene1"]
    assert np.isnan(result.ari)
    assert np.isnan(result.nmi)
    assert not (expression["gene3"] - 6).abs().isna().any()


def test_scale_of_genes_does_not_matter(severe):
    expression, time, event, _ = severe
    scaled = expression * np.geomspace(1, 1e4, 60)
    genes = expression.columns[:20]
    first, second = (
        cluster_survival(table, time, event, genes=genes, random_state=0).labels
        for table in (expression, scaled)
    )
    pd.testing.assert_series_equal(first, second)


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_huge_and_tiny_units_lose_nothing(severe, unit):
    expression, time, event, _ = severe
    first, second = (
        cluster_survival(table, time, event, random_state=0)
        for table in (expression, expression * unit)
    )
    assert list(first.genes) == list(second.genes)
    pd.testing.assert_series_equal(first.labels, second.labels)


def test_table_is_left_alone(severe):
    expression, time, event, _ = severe
    before = expression.copy()
    cluster_survival(expression, time, event, random_state=0)
    pd.testing.assert_frame_equal(expression, before)


def test_more_clusters_are_ordered_by_rate(severe):
    expression, time, event, _ = severe
    result = cluster_survival(expression, time, event, n_clusters=3, random_state=0)
    rates = event.groupby(result.labels).sum() / time.groupby(result.labels).sum()
    assert list(rates.index) == [1, 2, 3]
    assert rates.is_monotonic_increasing


def test_centred_values_need_a_choice(severe):
    expression, time, event, _ = severe
    centred = expression - expression.mean()
    with pytest.raises(ValueError, match="Give min_expressed=None"):
        cluster_survival(centred, time, event)
    cluster_survival(centred, time, event, min_expressed=None, random_state=0)


def test_nothing_to_cluster_by(severe):
    expression, time, event, _ = severe
    with pytest.raises(ValueError, match="No gene is left to cluster by: of 60, 0 pass"):
        cluster_survival(expression * 0, time, event)
    with pytest.raises(ValueError, match=r"n_clusters=2 needs .* found 1 among 120"):
        cluster_survival(expression * 0 + 1, time, event, genes=["gene0"])
    with pytest.raises(FeatureMismatchError, match=r"lacks 1 .absent"):
        cluster_survival(expression, time, event, genes=["gene0", "absent"])
    with pytest.raises(FeatureMismatchError, match="names 0 genes"):
        cluster_survival(expression, time, event, genes=[])


def test_bad_outcomes_and_reference(severe):
    expression, time, event, kind = severe
    with pytest.raises(ValueError, match="all are censored"):
        cluster_survival(expression, time, event & False)
    with pytest.raises(SampleMismatchError):
        cluster_survival(expression, time[::-1], event)
    with pytest.raises(SampleMismatchError, match="reference 5"):
        cluster_survival(expression, time, event, reference=[1] * 5)
    with pytest.raises(SampleMismatchError, match="reference"):
        cluster_survival(expression, time, event, reference=kind[::-1])
