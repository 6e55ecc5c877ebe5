"""GTEx's layouts, written small and faithful, whole and broken."""

import gzip
import tracemalloc

import numpy as np
import pytest

from omitrans import PMIImputer
from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.io.portals import _gtex_matrix, read_gtex

SAMPLES = ["GTEX-1117F-0226-SM-5GZZ7", "GTEX-1117F-0005-SM-HL9SH", "GTEX-111CU-1826-SM-5GZYN"]
GENES = {
    "ENSG00000223972.5": ("DDX11L1", [0, 1, 3]),
    "ENSG00000227232.5": ("WASH7P", [7, 127, 1023]),
    "ENSG00000182378.13_PAR_Y": ("PLCXD1", [0, 0, 0]),
    "ENSG00000182378.13": ("PLCXD1", [15, 31, 63]),
}
ATTRIBUTES = """SAMPID\tSMATSSCR\tSMTS\tSMTSD
GTEX-1117F-0226-SM-5GZZ7\t0\tAdipose Tissue\tAdipose - Subcutaneous
GTEX-1117F-0005-SM-HL9SH\t\tBlood\tWhole Blood
GTEX-111CU-1826-SM-5GZYN\t1\tBlood\tWhole Blood
GTEX-ZZZZ-0001-SM-AAAAA\t1\tLung\tLung
"""
PHENOTYPES = """SUBJID\tSEX\tAGE\tDTHHRDY
GTEX-1117F\t2\t60-69\t4
GTEX-111CU\t1\t57\t0
"""
BED = """#chr\tstart\tend\tgene_id\tGTEX-1117F\tGTEX-111CU
chr1\t29552\t29553\tENSG00000227232.5\t1.31\t-0.90
chr1\t135894\t135895\tENSG00000268903.1\t-0.40\t0.05
"""


def gct(genes=None, samples=SAMPLES, n_genes=None):
    genes = GENES if genes is None else genes
    lines = ["#1.2", f"{len(genes) if n_genes is None else n_genes}\t{len(samples)}"]
    lines.append("\t".join(["Name", "Description", *samples]))
    lines += ["\t".join([gene, name, *map(str, v)]) for gene, (name, v) in genes.items()]
    return "\n".join(lines) + "\n"


@pytest.fixture
def write(tmp_path):
    def write_bytes(data, name):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write_bytes


@pytest.fixture
def files(write):
    return write(gct(), "tpm.gct"), write(ATTRIBUTES, "sa.txt"), write(PHENOTYPES, "sp.txt")


def test_matrix_with_covariates(files):
    data = read_gtex(*files)
    genes = ["ENSG00000223972", "ENSG00000227232", "ENSG00000182378"]
    assert list(data.X.columns) == [*genes, "tissue", "sex", "age"]
    assert list(data.X.index) == SAMPLES
    np.testing.assert_allclose(data.X[genes], [[0, 3, 4], [1, 7, 5], [2, 10, 6]], rtol=1e-6)
    assert (data.X[genes].dtypes == np.float32).all()
    assert data.X["tissue"].tolist() == ["Adipose - Subcutaneous", "Whole Blood", "Whole Blood"]
    assert data.X["sex"].tolist() == ["female", "female", "male"]
    assert data.X["age"].tolist() == [64.5, 64.5, 57.0]
    assert data.samples["donor"].tolist() == ["GTEX-1117F", "GTEX-1117F", "GTEX-111CU"]
    assert data.genes["gene_symbol"].tolist() == ["DDX11L1", "WASH7P", "PLCXD1"]
    assert data.unit == "log2(TPM + 1)"


@pytest.mark.filterwarnings("ignore::omitrans.exceptions.PatientGroupsWarning")
def test_an_imputer_takes_it(files):
    X = read_gtex(*files).X
    covariates = {"categorical_covariates": ["tissue", "sex"], "numeric_covariates": ["age"]}
    assert PMIImputer(**covariates, max_epochs=1, random_state=0).fit_transform(X).shape == (3, 3)


def test_tissues_and_genes(files):
    data = read_gtex(*files, tissues="Whole Blood", genes=["ENSG00000182378", "ENSG00000223972.9"])
    assert list(data.X.index) == SAMPLES[1:]
    assert list(data.X.columns[:2]) == ["ENSG00000223972", "ENSG00000182378"]
    np.testing.assert_allclose(data.X["ENSG00000182378"], [5, 6])


def test_many_genes_in_blocks(write, monkeypatch):
    monkeypatch.setattr(_gtex_matrix, "BLOCK_GENES", 4)
    genes = {f"ENSG{i:011d}.1": (f"G{i}", [i, 2 * i, 100]) for i in range(11)}
    data = read_gtex(write(gct(genes), "a.gct"), log=False)
    np.testing.assert_array_equal(data.X, np.array([v for _, v in genes.values()]).T)
    assert data.unit == "as in the file"


def test_compressed_and_versions(files, write):
    path = write(gzip.compress(gct().encode()), "tpm.gct.gz")
    assert read_gtex(path).X.equals(read_gtex(files[0]).X)
    assert read_gtex(path, keep_versions=True).X.columns[0] == "ENSG00000223972.5"


def test_a_file_of_one_tissue_numbers_its_rows(files, write):
    first, sizes, *rows = gct().splitlines()
    numbers = ["id", *map(str, range(len(GENES)))]
    rows = [f"{number}\t{row}" for number, row in zip(numbers, rows, strict=True)]
    data = read_gtex(write("\n".join([first, sizes, *rows]), "lung.gct"), *files[1:])
    whole = read_gtex(*files)
    assert data.X.equals(whole.X)
    assert data.genes.equals(whole.genes)


def test_normalised_expression_of_one_tissue(files, write):
    data = read_gtex(write(BED, "blood.bed"), subject_phenotypes=files[2], tissues="Whole Blood")
    assert data.X.shape == (2, 5)
    assert data.X["tissue"].tolist() == ["Whole Blood"] * 2
    np.testing.assert_allclose(data.X.iloc[0, :2].astype(float), [1.31, -0.4], rtol=1e-6)
    assert data.unit == "as in the file"


def test_columns_of_a_bed_file_are_donors(files, write):
    path = write(BED, "blood.bed")
    with pytest.raises(ValueError, match=r"describes samples, and the columns of .* are donors"):
        read_gtex(path, files[1])
    with pytest.raises(ValueError, match=r"tissues names 2 \(Lung, Liver\)"):
        read_gtex(path, tissues=["Lung", "Liver"])


def test_logged_values_are_not_logged_again(write):
    genes = {"ENSG00000000001.1": ("A", [0.0, 5.5, 12.25])}
    data = read_gtex(write(gct(genes), "logged.gct"))
    np.testing.assert_array_equal(data.X.to_numpy()[:, 0], [0.0, 5.5, 12.25])
    genes = {"ENSG00000000001.1": ("A", [-1.0, 5.5, 12.25])}
    with pytest.raises(ValueError, match="holds negative values"):
        read_gtex(write(gct(genes), "negative.gct"), log=True)


def test_few_low_genes_are_logged_as_all_are(files):
    """TPM of the genes wanted say little: the whole file decides."""
    data = read_gtex(files[0], genes=["ENSG00000223972"])
    np.testing.assert_allclose(data.X.to_numpy()[:, 0], [0, 1, 2], rtol=1e-6)
    assert data.unit == "log2(TPM + 1)"


def test_missing_values_stay_missing(write):
    data = read_gtex(write(gct().replace("127", "NaN"), "holes.gct"))
    np.testing.assert_allclose(data.X["ENSG00000227232"], [3, np.nan, 10], rtol=1e-6)
    assert data.X.isna().to_numpy().sum() == 1


def test_memory_is_that_of_the_result(write, monkeypatch):
    monkeypatch.setattr(_gtex_matrix, "BLOCK_GENES", 16)
    samples = [f"GTEX-{i:05d}-0001-SM-AAAAA" for i in range(200)]
    genes = {f"ENSG{i:011d}.1": (f"G{i}", [i] * len(samples)) for i in range(3000)}
    matrix = write(gct(genes, samples), "tpm.gct")
    tissues = write("SAMPID\tSMTSD\n" + "\tLung\n".join([*samples, ""]), "sa.txt")
    del genes
    tracemalloc.start()
    data = read_gtex(matrix, tissues)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.X.shape == (200, 3001)
    assert peak < 1.8 * 200 * 3000 * 4


def test_cohort_and_preamble_of_protected_tables(files, write):
    table = PHENOTYPES.replace("DTHHRDY", "COHORT").replace("\t4\n", "\tPostmortem\n")
    path = write("# Study accession: phs000424\n#\n\n" + table, "protected.txt")
    data = read_gtex(files[0], files[1], path)
    assert data.X["cohort"].tolist() == ["Postmortem", "Postmortem", "0"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "neither a GCT file"),
        ("gene,s1\nA,1\n", r"its first line begins with 'gene,s1'"),
        ("#1.2\nmany genes\n", "line 2 must hold the numbers"),
        ("#1.2\n1\t3\nName\tDescription\ts1\n", "line 3 must name Name, Description and 3 samples"),
        (gct(n_genes=9), "it holds 4 genes; its header says 9"),
        (gct(n_genes=2), "it holds .* genes; its header says 2"),
        (gct().replace("\t127\t", "\t"), "line 5 has 4 fields instead of 5"),
        (gct().replace("127", "high"), "line 5, gene ENSG00000227232.5: could not convert"),
        (gct().replace("127", "inf"), "line 5, gene ENSG00000227232.5: values must be finite"),
        (gct().replace("127", "1e60"), "1e60 is not"),
        (
            gct().replace("GTEX-111CU", "GTEX-Ä").encode("latin-1"),
            "its header holds bytes that are",
        ),
        (gct().replace("ENSG00000227232.5", "GÄ").encode("latin-1"), "line 5 holds bytes that are"),
        (gzip.compress(gct().encode())[:-20], "truncated or damaged"),
        (gzip.compress(BED.encode())[:-8], "truncated or damaged"),
        ("#1.2\n1\t0\nName\tDescription\nENSG1.1\tA\n", "holds no sample"),
        (BED.replace("gene_id", "score"), r"nor a BED file .* begins with '#chr"),
        (BED.replace("\t0.05", ""), "line 3 has 5 fields instead of 6"),
    ],
)
def test_broken_matrices(text, message, write):
    path = write(text, "broken.gct")
    with pytest.raises(ValueError, match=message):
        read_gtex(path)


def test_samples_twice(write):
    with pytest.raises(SampleMismatchError, match="holds samples twice: GTEX-1117F"):
        read_gtex(write(gct(samples=[SAMPLES[0], SAMPLES[0], SAMPLES[2]]), "twice.gct"))


def test_genes_twice(write):
    genes = {"ENSG00000000001.1": ("A", [1, 2, 3]), "ENSG00000000001.2": ("A", [1, 2, 3])}
    path = write(gct(genes), "twice.gct")
    with pytest.raises(FeatureMismatchError, match=r"1 gene ids stand twice .*keep_versions=True"):
        read_gtex(path)
    assert read_gtex(path, keep_versions=True).X.shape == (3, 2)
    text = gct(n_genes=5) + gct().splitlines()[3] + "\n"
    with pytest.raises(FeatureMismatchError, match=r"1 gene ids .*5\). Read it without them"):
        read_gtex(write(text, "same.gct"), keep_versions=True)


def test_no_gene_and_no_tissue(files):
    with pytest.raises(FeatureMismatchError, match="holds none of the 1 genes wanted"):
        read_gtex(files[0], genes=["TP53"])
    with pytest.raises(SampleMismatchError, match=r"no samples of Lung. It holds: Adipose"):
        read_gtex(*files, tissues=["Lung"])
    with pytest.raises(ValueError, match="tissues needs sample_attributes"):
        read_gtex(files[0], tissues=["Lung"])
    with pytest.raises(ValueError, match="tissues is empty"):
        read_gtex(*files, tissues=[])


def test_genes_that_the_file_lacks_are_left_out(files):
    data = read_gtex(files[0], genes=["ENSG99999999999", "ENSG00000182378"])
    assert list(data.X.columns) == ["ENSG00000182378"]


def test_unknown_sex(files, write):
    data = read_gtex(*files[:2], write(PHENOTYPES.replace("\t2\t", "\t99\t"), "unknown.txt"))
    assert data.X["sex"].isna().tolist() == [True, True, False]


def test_tables_of_another_release(files, write):
    attributes = ATTRIBUTES.replace("GTEX-111CU", "GTEX-999")
    with pytest.raises(SampleMismatchError, match=r"1 of 3 samples of .*same GTEx release"):
        read_gtex(files[0], write(attributes, "old.txt"))
    with pytest.raises(SampleMismatchError, match=r"1 of 2 donors of .*same GTEx release"):
        read_gtex(*files[:2], write(PHENOTYPES.replace("111CU", "999"), "old.txt"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SUBJID\tSEX\nGTEX-1117F\t2\n", "lacks the columns AGE"),
        (PHENOTYPES.replace("60-69", "old"), "AGE holds old"),
        (PHENOTYPES.replace("\t2\t", "\tF\t"), r"SEX holds F; it must be 1 \(male\)"),
        (PHENOTYPES.replace("57\t0", "57"), "the row of GTEX-111CU has 3 of 4 fields"),
        (PHENOTYPES + "GTEX-1117F\t2\t60-69\t4\n", "holds 1 ids twice"),
    ],
)
def test_broken_phenotypes(text, message, files, write):
    with pytest.raises(ValueError, match=message):
        read_gtex(files[0], files[1], write(text, "broken.txt"))
