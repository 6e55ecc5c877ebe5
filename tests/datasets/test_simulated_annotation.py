"""Probes and genes of a simulated cohort: names, rates and places."""

import numpy as np
import pytest

from omitrans.datasets import make_paired_omics
from omitrans.datasets.simulate._genome import (
    CHROMOSOME_LENGTHS,
    CHROMOSOMES,
    PROBE_COUNTS,
    apportion,
)


@pytest.fixture(scope="module")
def array():
    return make_paired_omics(n_samples=2, n_probes=120_000, n_genes=5000, random_state=0)


def kinds_of_probe(probes):
    return probes["probe_id"].str.extract(r"^(cg|ch|rs)", expand=False).value_counts()


def test_probe_ids_follow_the_array(array):
    ids = array.probes["probe_id"]
    assert ids.is_unique
    assert ids.str.fullmatch(r"cg\d{8}|ch\.(?:\d+|X|Y)\.\d+[FR]|rs\d+").all()
    counts = kinds_of_probe(array.probes)
    assert counts["ch"] == round(120_000 * 3091 / 485_577)
    assert counts["rs"] == round(120_000 * 65 / 485_577)


def test_small_tables_hold_a_few_special_probes():
    data = make_paired_omics(n_samples=2, n_probes=20, n_genes=5, random_state=0)
    counts = kinds_of_probe(data.probes)
    assert counts["ch"] == counts["rs"] == 2


def test_gene_ids_look_like_ensembl(array):
    assert array.genes["gene_id"].str.fullmatch(r"ENSG00000\d{6}").all()
    assert array.genes["gene_id"].is_unique
    assert array.genes["gene_symbol"].is_unique
    assert (array.genes["start"] < array.genes["end"]).all()
    assert set(array.genes["strand"]) == {"+", "-"}


@pytest.mark.parametrize(
    ("flag", "rate"),
    [("snp_within_5bp", 0.0165), ("multi_mapped", 0.0082), ("on_epic", 0.9336)],
)
def test_flags_occur_at_the_rates_of_the_array(array, flag, rate):
    assert array.probes[flag].dtype == bool
    assert array.probes[flag].mean() == pytest.approx(rate, abs=0.002)


def test_relations_to_islands_occur_at_the_rates_of_the_array(array):
    share = array.probes["island_relation"].value_counts(normalize=True)
    for relation, expected in {"island": 0.31, "shore": 0.23, "shelf": 0.10}.items():
        assert share[relation] == pytest.approx(expected, abs=0.03)


def test_chromosomes_have_the_shares_of_the_array(array):
    share = array.probes["chromosome"].value_counts(normalize=True)
    assert set(share.index) == set(CHROMOSOMES)
    np.testing.assert_allclose(share[CHROMOSOMES], PROBE_COUNTS / PROBE_COUNTS.sum(), atol=1e-4)


def test_positions_lie_on_their_chromosome(array):
    length = dict(zip(CHROMOSOMES, CHROMOSOME_LENGTHS, strict=True))
    for frame, columns in ((array.probes, ["position"]), (array.genes, ["start", "end"])):
        limit = frame["chromosome"].map(length)
        for column in columns:
            assert frame[column].between(1, limit).all()


def test_ids_do_not_follow_the_genome(array):
    on_one = array.probes[array.probes["chromosome"] == "1"]
    assert abs(np.corrcoef(np.arange(len(on_one)), on_one["position"])[0, 1]) < 0.1


def test_gene_symbol_names_the_nearest_start(array):
    start = array.genes["start"].where(array.genes["strand"] == "+", array.genes["end"])
    symbols = array.genes["gene_symbol"].to_numpy()
    for chromosome in ("7", "Y"):
        there = (array.genes["chromosome"] == chromosome).to_numpy()
        probes = array.probes[array.probes["chromosome"] == chromosome]
        distance = np.abs(probes["position"].to_numpy()[:, None] - start.to_numpy()[there])
        own = symbols[there] == probes["gene_symbol"].to_numpy()[:, None]
        # equal distances may go either way
        np.testing.assert_array_equal(distance[own], distance.min(axis=1))


def test_probes_cluster_around_starts(array):
    start = array.genes["start"].where(array.genes["strand"] == "+", array.genes["end"])
    start.index = array.genes["gene_symbol"]
    distance = (array.probes["position"] - array.probes["gene_symbol"].map(start)).abs()
    assert (distance <= 1500).mean() > 0.3
    # while the spacing of these genes is about 600 kb
    assert distance.median() < 50_000


@pytest.mark.parametrize("n", [0, 1, 7, 1000])
def test_apportion_is_exact_and_proportional(n):
    weights = np.array([5.0, 1.0, 0.0, 2.5])
    counts = apportion(n, weights)
    assert counts.sum() == n
    assert (np.abs(counts - n * weights / weights.sum()) < 1).all()
    assert counts[2] == 0
