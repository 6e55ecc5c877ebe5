import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from omitrans.exceptions import FeatureMismatchError
from omitrans.preprocessing import collapse_genes, map_gene_ids, strip_gene_version

VERSIONS = {
    "ENSG00000223972.5": "ENSG00000223972",
    "ENSG00000223972": "ENSG00000223972",
    "ENSG00000002586.18_PAR_Y": "ENSG00000002586_PAR_Y",
    "ENSG00000223972.5_2": "ENSG00000223972",
    "ENSG00000182378.15_6_PAR_Y": "ENSG00000182378_PAR_Y",
    "ENSGR0000182378.9": "ENSGR0000182378",
    "ENST00000456328.2": "ENST00000456328",
    "ENSMUSG00000051951.6": "ENSMUSG00000051951",
    "RP11-34P13.7": "RP11-34P13.7",
    "AC006547.1": "AC006547.1",
    "TP53": "TP53",
    "7157": "7157",
    "cg00000029": "cg00000029",
    "": "",
}


def frame(columns, values=((1.0, 2.0, 3.0, 4.0), (5.0, 0.0, 1.0, 2.0)), dtype=float):
    values = np.array(values)[:, : len(columns)]
    return pd.DataFrame(values, index=["s1", "s2"], columns=list(columns), dtype=dtype)


@pytest.fixture
def genes():
    return pd.DataFrame(
        {
            "gene_id": [
                "ENSG00000141510.18",
                "ENSG00000002586.20",
                "ENSG00000002586.20_PAR_Y",
                "ENSG00000201405.1",
                "ENSG00000199471.2",
                "ENSG00000111111.1",
            ],
            "gene_symbol": ["TP53", "CD99", "CD99", "Y_RNA", "Y_RNA", None],
            "entrez": [7157, 4267, 4267, None, None, 5],
        }
    )


def test_versions():
    stripped = strip_gene_version(list(VERSIONS))
    assert stripped.tolist() == list(VERSIONS.values())
    assert strip_gene_version(stripped).tolist() == stripped.tolist()
    assert strip_gene_version(pd.Index(VERSIONS)).tolist() == stripped.tolist()
    assert strip_gene_version([]).tolist() == []


def test_columns_lose_their_versions():
    table = frame(["ENSG00000223972.5", "ENSG00000227232.5", "TP53"], dtype=np.float32)
    table.columns.name = "gene_id"
    collapsed, report = collapse_genes(table, return_report=True)
    assert collapsed.columns.tolist() == ["ENSG00000223972", "ENSG00000227232", "TP53"]
    assert collapsed.columns.name == "gene_id"
    assert report["status"].tolist() == ["renamed", "renamed", "kept"]
    assert table.columns[0] == "ENSG00000223972.5"
    assert np.shares_memory(collapsed.to_numpy(), table.to_numpy())
    pd.testing.assert_frame_equal(collapsed, table.set_axis(collapsed.columns, axis=1))


def test_duplicates_are_an_error_by_default():
    table = frame(["ENSG00000223972.5", "A", "ENSG00000223972.4", "A"])
    message = (
        r"2 genes have several columns, 4 in all \(first: ENSG00000223972 in ENSG00000223972.5"
    )
    with pytest.raises(FeatureMismatchError, match=message):
        collapse_genes(table)


@pytest.mark.parametrize(
    ("duplicates", "expected", "status"),
    [
        ("first", [[1, 2], [5, 0]], ["chosen", "kept", "not chosen", "not chosen"]),
        ("max_mean", [[1, 2], [5, 0]], ["chosen", "kept", "not chosen", "not chosen"]),
        ("mean", [[8 / 3, 2], [8 / 3, 0]], ["merged", "kept", "merged", "merged"]),
        ("sum", [[8, 2], [8, 0]], ["merged", "kept", "merged", "merged"]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_policies(duplicates, expected, status, dtype):
    table = frame(["A", "B", "A", "A"], dtype=dtype)
    merged, report = collapse_genes(table, duplicates=duplicates, return_report=True)
    pd.testing.assert_frame_equal(merged, frame(["A", "B"], expected, dtype))
    assert report["status"].tolist() == status
    assert report["gene"].tolist() == ["A", "B", "A", "A"]
    assert report.index.equals(table.columns)
    assert table.equals(frame(["A", "B", "A", "A"], dtype=dtype))


def test_highest_mean_ignores_missing_values():
    table = frame("AAA", [[np.nan, 2, np.nan], [1, 1, np.nan]])
    assert collapse_genes(table, duplicates="max_mean")["A"].tolist() == [2, 1]
    table = frame("AAA", [[np.nan, 2, np.nan], [3, 1, np.nan]])
    assert_allclose(collapse_genes(table, duplicates="max_mean")["A"], [np.nan, 3])


def test_missing_values_are_left_out_of_mean_and_sum():
    table = frame("AAB", [[np.nan, 2, 5], [np.nan, np.nan, np.nan]])
    for duplicates in ("mean", "sum"):
        merged = collapse_genes(table, duplicates=duplicates)
        assert_allclose(merged, [[2, 5], [np.nan, np.nan]])


def test_logarithms_are_undone_where_the_unit_is_stated():
    abundance = frame("AAB", [[3.0, 5.0, 1.0], [0.0, 0.0, 7.0]])
    for pseudocount, unit in ((1, "log2(FPKM + 1)"), (0.001, "log2(tpm + 0.001)")):
        logged = np.log2(abundance + pseudocount)
        for duplicates, of_a in (("sum", [8, 0]), ("mean", [4, 0])):
            merged = collapse_genes(logged, duplicates=duplicates, unit=unit)
            expected = np.log2(frame("AB", [[of_a[0], 1], [of_a[1], 7]]) + pseudocount)
            pd.testing.assert_frame_equal(merged, expected)
    raw = collapse_genes(abundance, duplicates="sum", unit="FPKM")
    assert raw["A"].tolist() == [8, 0]
    with pytest.raises(ValueError, match="unit 'ln' is not known"):
        collapse_genes(logged, duplicates="sum", unit="ln")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=12),
    st.sampled_from(["mean", "sum", "first"]),
    st.integers(0, 2**31),
)
def test_policies_agree_with_pandas(columns, duplicates, seed):
    values = np.random.default_rng(seed).normal(size=(3, len(columns)))
    values[values > 1.2] = np.nan
    table = pd.DataFrame(values, columns=columns)
    grouped = table.T.groupby(level=0, sort=False)
    if duplicates == "first":
        expected = table.loc[:, ~table.columns.duplicated()]
    else:
        expected = grouped.mean().T if duplicates == "mean" else grouped.sum(min_count=1).T
    merged = collapse_genes(table, duplicates=duplicates)
    assert merged.columns.tolist() == expected.columns.tolist()
    assert_allclose(merged, expected)
    alone = collapse_genes(table.iloc[[1]], duplicates=duplicates)
    pd.testing.assert_frame_equal(alone, merged.iloc[[1]])


def test_copies_on_y():
    table = frame(["ENSG00000002586.18", "ENSG00000002586.18_PAR_Y", "ENSGR0000182378.9", "TP53"])
    kept = collapse_genes(table)
    assert kept.columns[1:3].tolist() == ["ENSG00000002586_PAR_Y", "ENSGR0000182378"]
    dropped, report = collapse_genes(table, par_y="drop", return_report=True)
    assert dropped.columns.tolist() == ["ENSG00000002586", "TP53"]
    assert report["status"].tolist() == ["renamed", "par_y", "par_y", "kept"]
    assert report["gene"].isna().tolist() == [False, True, True, False]
    merged = collapse_genes(table, par_y="merge", duplicates="sum")
    assert merged.columns.tolist() == ["ENSG00000002586", "ENSG00000182378", "TP53"]
    assert merged.iloc[0].tolist() == [3, 3, 4]
    with pytest.raises(FeatureMismatchError, match="1 genes have several columns"):
        collapse_genes(table, par_y="merge")


def test_symbols(genes):
    table = frame(["ENSG00000141510.11", "ENSG00000111111", "ENSG00000002586.20", "unknown"])
    renamed, report = map_gene_ids(table, genes, return_report=True)
    pd.testing.assert_frame_equal(renamed, frame(["TP53", "CD99"], [[1, 3], [5, 1]]))
    assert report["status"].tolist() == ["renamed", "unmapped", "renamed", "unmapped"]
    kept, report = map_gene_ids(table, genes, unmapped="keep", return_report=True)
    assert kept.columns.tolist() == ["TP53", "ENSG00000111111", "CD99", "unknown"]
    assert report["status"].tolist() == ["renamed", "unmapped", "renamed", "unmapped"]
    with pytest.raises(FeatureMismatchError, match=r"2 of 4 columns .*\(ENSG00000111111, unknown"):
        map_gene_ids(table, genes, unmapped="error")


def test_symbols_of_several_ids(genes):
    table = frame(["ENSG00000201405", "ENSG00000199471", "ENSG00000141510"])
    with pytest.raises(FeatureMismatchError, match="Y_RNA in ENSG00000201405, ENSG00000199471"):
        map_gene_ids(table, genes)
    assert map_gene_ids(table, genes, duplicates="sum")["Y_RNA"].tolist() == [3, 5]
    copies = frame(["ENSG00000002586.20", "ENSG00000002586.20_PAR_Y"])
    with pytest.raises(FeatureMismatchError, match=r"collapse_genes\(table, par_y='drop'\)"):
        map_gene_ids(copies, genes)
    assert map_gene_ids(copies, genes, duplicates="first")["CD99"].tolist() == [1, 5]


def test_from_symbols_to_ids(genes):
    table = frame(["TP53", "CD99", "Y_RNA", "absent"])
    renamed, report = map_gene_ids(table, genes, to="gene_id", return_report=True)
    assert renamed.columns.tolist() == ["ENSG00000141510.18", "ENSG00000002586.20"]
    assert report["status"].tolist() == ["renamed", "renamed", "ambiguous", "unmapped"]
    with pytest.raises(FeatureMismatchError, match="2 of 4 columns have no name or several"):
        map_gene_ids(table, genes, to="gene_id", unmapped="error")


def test_an_exact_version_comes_first():
    genes = pd.DataFrame(
        {"gene_id": ["ENSG00000141510.1", "ENSG00000141510.2"], "gene_symbol": ["OLD", "NEW"]}
    )
    assert map_gene_ids(frame(["ENSG00000141510.2"]), genes).columns.tolist() == ["NEW"]
    with pytest.raises(FeatureMismatchError, match="None of the 1 columns"):
        map_gene_ids(frame(["ENSG00000141510.3"]), genes)  # it may be either


def test_other_columns_of_the_gene_table(genes):
    table = frame(["TP53", "CD99"])
    renamed = map_gene_ids(table, genes, source="gene_symbol", to="entrez")
    assert renamed.columns.tolist() == [7157, 4267]
    with pytest.raises(ValueError, match="genes lacks the column 'hgnc'; it has: gene_id"):
        map_gene_ids(table, genes, to="hgnc")


def test_empty_tables(genes):
    table = frame(["ENSG00000141510.11"])
    for empty in (table.iloc[:0], table.iloc[:, :0]):
        for duplicates in ("error", "max_mean", "mean"):
            assert collapse_genes(empty, duplicates=duplicates).shape == empty.shape
            assert map_gene_ids(empty, genes, duplicates=duplicates).shape == empty.shape


def test_no_rows_to_merge():
    assert collapse_genes(frame("AAB").iloc[:0], duplicates="mean").columns.tolist() == ["A", "B"]
    assert collapse_genes(frame("AAB").iloc[:0], duplicates="max_mean").shape == (0, 2)


def test_nothing_found(genes):
    message = r"None of the 2 columns \(first: Trp53, Cd99\).*'gene_id' begins with ENSG00000141510"
    with pytest.raises(FeatureMismatchError, match=message):
        map_gene_ids(frame(["Trp53", "Cd99"]), genes)


def test_result_of_one_row_does_not_depend_on_the_others(genes):
    columns = ["ENSG00000201405", "ENSG00000199471", "ENSG00000141510"]
    table = frame(columns, dtype=np.float32)
    for duplicates in ("mean", "sum", "first"):
        options = {"duplicates": duplicates, "unit": "log2(FPKM + 1)"}
        whole = map_gene_ids(table, genes, **options)
        pd.testing.assert_frame_equal(
            map_gene_ids(table.iloc[[1]], genes, **options), whole.iloc[[1]], check_exact=True
        )
        assert set(whole.dtypes) == {np.dtype(np.float32)}
