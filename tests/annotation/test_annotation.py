import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omitrans.annotation import (
    CHROMOSOMES,
    check_gene_table,
    check_locations,
    check_probe_table,
    genomic_order,
    normalize_chromosomes,
)
from omitrans.exceptions import FeatureMismatchError


@pytest.fixture
def probes():
    return pd.DataFrame(
        {
            "probe_id": ["cg01", "cg02", "rs03"],
            "chromosome": ["chr1", "chrX", None],
            "position": [100.0, 7.0, np.nan],
            "island_relation": ["island", "open sea", None],
            "on_epic": [1, 0, 1],
            "design": ["I", "II", "II"],
            "batch": [3, 4, 5],
        },
        index=[9, 8, 7],
    )


@pytest.fixture
def genes():
    return pd.DataFrame(
        {
            "gene_id": ["ENSG01", "ENSG02"],
            "chromosome": ["M", 3],
            "start": [5, 6],
            "strand": [-1, 1],
        }
    )


class TestProbeTable:
    def test_fixes_types_and_keeps_the_rest(self, probes):
        before = probes.copy()
        table = check_probe_table(probes)
        assert table["chromosome"].tolist() == ["1", "X", pd.NA]
        assert table["position"].dtype == "Int64"
        assert table["position"].isna().tolist() == [False, False, True]
        assert table["on_epic"].dtype == bool
        assert table["batch"].tolist() == [3, 4, 5]
        assert table.index.tolist() == [0, 1, 2]
        pd.testing.assert_frame_equal(probes, before)

    def test_is_idempotent(self, probes):
        once = check_probe_table(probes)
        pd.testing.assert_frame_equal(check_probe_table(once), once)

    def test_ids_may_be_the_index(self, probes):
        by_index = check_probe_table(probes.set_index("probe_id"))
        pd.testing.assert_frame_equal(by_index, check_probe_table(probes), check_like=True)

    @pytest.mark.parametrize("column", ["probe_id", "chromosome", "position"])
    def test_missing_column(self, probes, column):
        with pytest.raises(ValueError, match=f"probe table lacks the column '{column}'.*Rename"):
            check_probe_table(probes.drop(columns=column))

    def test_not_a_frame(self):
        with pytest.raises(TypeError, match="must be a pandas DataFrame; got dict"):
            check_probe_table({"probe_id": ["cg01"]})

    def test_duplicated_ids(self, probes):
        twice = pd.concat([probes, probes.head(1)])
        with pytest.raises(FeatureMismatchError, match=r"1 duplicated ids .cg01.*drop_duplicates"):
            check_probe_table(twice)

    def test_duplicated_columns(self, probes):
        twice = pd.concat([probes, probes[["position"]]], axis=1)
        with pytest.raises(FeatureMismatchError, match=r"its columns. has 1 dup.*position.*Drop"):
            check_probe_table(twice)

    def test_empty_id(self, probes):
        probes["probe_id"] = ["cg01", None, ""]
        with pytest.raises(ValueError, match="must name every row; 2 are empty"):
            check_probe_table(probes)

    @pytest.mark.parametrize("bad", [-1, 2.5, "far", np.inf])
    def test_position_that_is_none(self, probes, bad):
        probes["position"] = [1, bad, 3]
        with pytest.raises(ValueError, match=r"'position' must hold whole numbers.*for cg02"):
            check_probe_table(probes)

    @pytest.mark.parametrize("bad", ["yes", None, 2])
    def test_flag_that_is_none(self, probes, bad):
        probes["on_epic"] = [True, bad, False]
        with pytest.raises(ValueError, match=r"'on_epic' must hold True or False.*fillna"):
            check_probe_table(probes)

    def test_unknown_island_relation(self, probes):
        probes["island_relation"] = ["N_Shore", None, "island"]
        with pytest.raises(ValueError, match=r"'island_relation' may hold 'island'.*'N_Shore'"):
            check_probe_table(probes)


class TestGeneTable:
    def test_position_is_the_start_unless_given(self, genes):
        assert check_gene_table(genes)["position"].tolist() == [5, 6]
        given_position = genes.assign(position=[50, 60])
        assert check_gene_table(given_position)["position"].tolist() == [50, 60]

    def test_strand(self, genes):
        assert check_gene_table(genes)["strand"].tolist() == ["-", "+"]
        with pytest.raises(ValueError, match="'strand' may hold"):
            check_gene_table(genes.assign(strand=["forward", "+"]))

    def test_needs_a_place(self, genes):
        with pytest.raises(ValueError, match=r"'position' or 'start'.*Rename"):
            check_gene_table(genes.drop(columns="start"))

    def test_bad_end(self, genes):
        with pytest.raises(ValueError, match="'end' must hold whole numbers"):
            check_gene_table(genes.assign(end=[-5, 9]))


class TestLocations:
    def test_both_kinds(self, probes, genes):
        assert check_locations(probes).loc["cg01"].tolist() == ["1", 100]
        assert check_locations(genes.set_index("gene_id")).loc["ENSG01"].tolist() == ["MT", 5]

    def test_probe_table_may_name_genes(self, probes):
        assert check_locations(probes.assign(gene_id="ENSG01")).index.name == "probe_id"

    def test_neither(self, genes):
        with pytest.raises(ValueError, match=r"'probe_id' or 'gene_id'.*'name'"):
            check_locations(genes.rename(columns={"gene_id": "name"}))
        with pytest.raises(TypeError, match="got list"):
            check_locations(["cg01"])


class TestChromosomes:
    @pytest.mark.parametrize(
        ("given_name", "name"),
        [
            ("chr1", "1"),
            ("1", "1"),
            (1, "1"),
            (1.0, "1"),
            (np.int64(22), "22"),
            ("CHRX", "X"),
            ("y", "Y"),
            ("M", "MT"),
            ("chrM", "MT"),
            ("MT", "MT"),
            (" 7 ", "7"),
            ("chrUn_GL000219v1", "chrUn_GL000219v1"),
            ("23", "23"),
        ],
    )
    def test_one_way_of_writing(self, given_name, name):
        assert normalize_chromosomes([given_name]).tolist() == [name]

    @pytest.mark.parametrize("nowhere", [None, np.nan, pd.NA, "", "0", 0, "*", ".", "chr0"])
    def test_unknown_place(self, nowhere):
        assert normalize_chromosomes(["1", nowhere]).isna().tolist() == [False, True]

    def test_keeps_the_index(self):
        names = normalize_chromosomes(pd.Series(["chr2"], index=["g"], dtype="category"))
        assert names.loc["g"] == "2"


class TestGenomicOrder:
    def test_order_of_chromosomes(self):
        names = ["scaffold_b", "MT", *map(str, range(22, 0, -1)), None, "Y", "X", "scaffold_a"]
        ordered = [names[i] for i in genomic_order(names, np.ones(len(names)))]
        assert ordered == [*CHROMOSOMES, "scaffold_a", "scaffold_b", None]

    def test_unmapped_come_last_as_given(self):
        order = genomic_order(["1", None, "1", "2", None], [None, 9, 5, 1, 1])
        assert order.tolist() == [2, 3, 0, 1, 4]

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(["chr2", "10", "X", "MT"]), st.integers(0, 5))))
    def test_agrees_with_a_stable_sort(self, places):
        rank = {"chr2": 2, "10": 10, "X": 23, "MT": 25}
        expected = sorted(range(len(places)), key=lambda i: (rank[places[i][0]], places[i][1]))
        order = genomic_order([c for c, _ in places], [p for _, p in places])
        assert order.tolist() == expected

    def test_lengths_differ(self):
        with pytest.raises(ValueError, match="one length; got 2 and 1"):
            genomic_order(["1", "2"], [5])
