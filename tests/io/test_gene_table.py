import gzip

import pandas as pd
import pytest

from omitrans.exceptions import DataFormatError, FeatureMismatchError
from omitrans.io import read_gene_table, read_probemap
from omitrans.preprocessing import map_gene_ids

COLUMNS = ["gene_id", "gene_symbol", "chromosome", "start", "end", "strand", "gene_type"]
GENCODE = """##description: evidence-based annotation
##provider: GENCODE
chr1\tHAVANA\tgene\t11869\t14409\t.\t+\t.\tgene_id "ENSG00000223972.5"; gene_type "lncRNA"; \
gene_name "DDX11L1"; level 2; tag "a; b";
chr1\tHAVANA\ttranscript\t11869\t14409\t.\t+\t.\tgene_id "ENSG00000223972.5"; gene_name "DDX11L1";
chrY\tHAVANA\tgene\t2691187\t2741309\t.\t-\t.\tgene_id "ENSG00000002586.18_PAR_Y"; \
gene_type "protein_coding"; gene_name "CD99";
chrM\tENSEMBL\tgene\t577\t647\t.\t+\t.\tgene_id "ENSG00000210049.1"; gene_type "Mt_tRNA";
"""
ENSEMBL = """#!genome-build GRCh38.p14
1\tensembl\tgene\t11869\t14409\t.\t+\t.\tgene_id "ENSG00000223972"; gene_version "6"; \
gene_name "DDX11L1"; gene_source "havana"; gene_biotype "lncRNA";
1\tensembl\texon\t11869\t12227\t.\t+\t.\tgene_id "ENSG00000223972"; exon_number "1";
"""
GFF3 = """##gff-version 3
chr1\tHAVANA\tgene\t11869\t14409\t.\t+\t.\tID=ENSG00000223972.5;gene_id=ENSG00000223972.5;\
gene_type=lncRNA;gene_name=DDX11L1
1\tensembl\tncRNA_gene\t20\t30\t.\t-\t.\tID=gene:ENSG00000227232;Name=WASH7P%3Bx;biotype=lncRNA
###
1\tensembl\tmRNA\t20\t30\t.\t-\t.\tID=transcript:ENST1;Parent=gene:ENSG00000227232
"""
PROBEMAP = """id\tgene\tchrom\tchromStart\tchromEnd\tstrand
ENSG00000223972.5\tDDX11L1\tchr1\t11869\t14409\t+
ENSG00000210049.1\tMT-TF\tchrM\t577\t647\t-
"""
BIOMART = """ensembl_gene_id,chromosome_name,start_position,end_position,strand,\
external_gene_name,entrez
ENSG00000223972,1,11869,14409,1,DDX11L1,100287102
ENSG00000223972,1,11869,14409,1,DDX11L1,727856
ENSG00000210049,MT,577,647,-1,"MT,TF",
ENSG00000999999,KI270728.1,5,9,1,,
"""


@pytest.fixture
def write(tmp_path):
    def write_bytes(data, name="genes.txt"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write_bytes


def rows(table):
    return table[[name for name in COLUMNS if name in table]].astype(object).to_numpy().tolist()


def test_gencode(write):
    table = read_gene_table(write(GENCODE))
    assert rows(table) == [
        ["ENSG00000223972.5", "DDX11L1", "1", 11869, 14409, "+", "lncRNA"],
        ["ENSG00000002586.18_PAR_Y", "CD99", "Y", 2691187, 2741309, "-", "protein_coding"],
        ["ENSG00000210049.1", pd.NA, "MT", 577, 647, "+", "Mt_tRNA"],
    ]
    assert table["position"].tolist() == [11869, 2691187, 577]
    zipped = read_gene_table(write(gzip.compress(GENCODE.encode()), "genes.gtf.gz"))
    pd.testing.assert_frame_equal(zipped, table)
    pd.testing.assert_frame_equal(read_gene_table(write(GENCODE.replace("\n", "\r\n"))), table)


def test_ensembl(write):
    expected = [["ENSG00000223972", "DDX11L1", "1", 11869, 14409, "+", "lncRNA"]]
    assert rows(read_gene_table(write(ENSEMBL))) == expected


def test_gff3(write):
    assert rows(read_gene_table(write(GFF3))) == [
        ["ENSG00000223972.5", "DDX11L1", "1", 11869, 14409, "+", "lncRNA"],
        ["ENSG00000227232", "WASH7P;x", "1", 20, 30, "-", "lncRNA"],
    ]


@pytest.mark.parametrize("text", [PROBEMAP, "#" + PROBEMAP])
def test_probemap(write, text):
    path = write(text)
    pd.testing.assert_frame_equal(read_gene_table(path), read_probemap(path, kind="gene"))


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_biomart(write, separator):
    table = read_gene_table(write(BIOMART.replace('"MT,TF"', "MT-TF").replace(",", separator)))
    assert rows(table) == [
        ["ENSG00000223972", "DDX11L1", "1", 11869, 14409, "+"],
        ["ENSG00000210049", "MT-TF", "MT", 577, 647, "-"],
        ["ENSG00000999999", pd.NA, "KI270728.1", 5, 9, "+"],
    ]
    assert table["entrez"].tolist()[0] == "100287102"  # of two rows the first


def test_quoted_separator(write):
    assert read_gene_table(write(BIOMART))["gene_symbol"].tolist()[1] == "MT,TF"


def test_names_of_the_web_page_of_biomart(write):
    header = "Gene stable ID\tGene stable ID version\tChromosome/scaffold name\t"
    header += "Gene start (bp)\tGene end (bp)\tStrand\tGene name\tGene type\n"
    line = "ENSG00000223972\tENSG00000223972.5\t1\t11869\t14409\t1\tDDX11L1\tlncRNA\n"
    table = read_gene_table(write(header + line))
    assert rows(table) == [["ENSG00000223972.5", "DDX11L1", "1", 11869, 14409, "+", "lncRNA"]]
    assert table["Gene stable ID"].tolist() == ["ENSG00000223972"]


def test_parquet(tmp_path, write):
    expected = read_gene_table(write(BIOMART))
    raw = pd.read_csv(tmp_path / "genes.txt", dtype={"strand": "Int32"}).drop(columns="entrez")
    raw.to_parquet(tmp_path / "plain.bin")
    raw.set_index("ensembl_gene_id").to_parquet(tmp_path / "indexed.bin")
    for name in ("plain.bin", "indexed.bin"):
        table = read_gene_table(tmp_path / name)
        pd.testing.assert_frame_equal(table, expected.drop(columns="entrez"))


def test_row_names_of_r(write):
    named = '"","chr","start","symbol"\n"ENSG1","chr1",5,"A"\n'
    expected = [["ENSG1", "A", "1", 5]]
    assert rows(read_gene_table(write(named))) == expected
    assert rows(read_gene_table(write(named.replace('"",', "")))) == expected


def test_columns_by_name(write):
    text = "id number,Approved symbol,chr,begin,gene\n1,TP53,17,5,x\n"
    columns = {"gene_id": "Approved symbol", "gene_symbol": "Approved symbol", "start": "begin"}
    table = read_gene_table(write(text), columns=columns)
    assert rows(table) == [["TP53", "TP53", "17", 5]]
    assert table["id number"].tolist() == ["1"]
    with pytest.raises(ValueError, match="columns cannot name 'symbol', only: gene_id, "):
        read_gene_table(write(text), columns={"symbol": "gene"})
    with pytest.raises(DataFormatError, match=r"no column 'x'; it has: 'id number', .*columns="):
        read_gene_table(write(text), columns={"gene_id": "x"})


def test_transcription_starts(write):
    assert read_gene_table(write(GENCODE), position="tss")["position"].tolist() == [
        11869,
        2741309,
        577,
    ]
    with pytest.raises(DataFormatError, match=r"it lacks end\. Use position='start'"):
        read_gene_table(write("gene_id,chr,start,strand\nA,1,5,+\n"), position="tss")
    with pytest.raises(ValueError, match="'position' parameter"):
        read_gene_table(write(GENCODE), position="end")


def test_one_id_at_two_places(write):
    twice = "gene_id,chr,start\nA,1,5\nA,2,5\n"
    with pytest.raises(FeatureMismatchError, match=r"1 duplicated ids \(A\)"):
        read_gene_table(write(twice))


def test_genes_without_id_are_left_out(write):
    assert rows(read_gene_table(write("gene_id,chr,start\nA,1,5\nNA,2,5\n"))) == [["A", "1", 5]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "nothing but comments"),
        (b"# a\n# b\n\n", "nothing but comments"),
        (b"hello\n", "no gene table: its first line is 'hello"),
        (b"\x89HDF\r\n\x1a\n\0\0,\0", "no gene table"),
        (b"PAR1 and then nothing of the kind", "truncated or damaged"),
        (b"a,b\n1,2\n", "no column that is known as gene_id; it has: 'a', 'b'"),
        (b"gene_id,chr\nA,1\n", "no column that is known as start"),
        (b"gene_id,start\nA,1\n", "no column that is known as chromosome"),
        (b"gene_id,chr,start\nA,1,5\nB,1\n", "line 3 has 2 fields instead of 3"),
        (b"# x\ngene_id,chr,start\nA,1,5\nB,1,2,3,4\n", "line 4 has 5 fields instead of 3"),
        (b"gene_id,chr,start\nA,1,here\n", "'start' must hold whole numbers"),
        (b"gene_id,chr,start\nA,1,-5\n", "'start' must hold whole numbers"),
        (b"gene_id,chr,start,strand\nA,1,5,forward\n", "'strand' may hold"),
        (b"gene_id,chr,start\nA,1," + b"9" * 200_000, "field larger than field limit"),
        (
            GENCODE.replace("\tgene\t", "\texon\t").encode(),
            "no features of type 'gene', only: exon",
        ),
        (GENCODE.replace("577\t647", "577\tx").encode(), "line 6 gives '577' to 'x'"),
        (GENCODE.replace("577\t647", "647\t577").encode(), "line 6 gives '647' to '577'"),
        (GENCODE.partition("\t2741309")[0].encode(), "line 5 has 4 fields instead of 9"),
        (GENCODE.replace("\ttranscript", ";transcript").encode(), "line 4 has 8 fields"),
        (b"gene_id,chr,start\nA,1,5\nA,2,5\n", "1 duplicated ids"),
        ("gene_id,chr,start\nGÄ,1,5\n".encode("latin-1"), "1 ids hold bytes that are no UTF-8"),
        (GENCODE.encode() + b"chr1\tHAV", "line 7 has 2 fields instead of 9"),
        (GENCODE.replace("gene_id", "id").encode(), "line 3 holds a gene without gene_id"),
        (PROBEMAP.replace("14409", "end").encode(), "'end' must hold whole numbers"),
        (PROBEMAP.replace("\t+", "").encode(), "line 2 has 5 fields instead of 6"),
        (gzip.compress(GENCODE.encode(), mtime=0)[:-9], "truncated or damaged"),
        (gzip.compress(GENCODE.encode(), mtime=0)[:40], "truncated or damaged"),
    ],
)
def test_bad_files(write, data, message):
    path = write(data, "bad.gtf")
    with pytest.raises((DataFormatError, FeatureMismatchError), match=message) as caught:
        read_gene_table(path)
    assert str(path) in str(caught.value)


def test_blank_lines_and_sequences_are_passed_over(write):
    expected = rows(read_gene_table(write(GFF3)))
    assert rows(read_gene_table(write("\n" + GFF3 + "\n##FASTA\n>chr1\nACGT\n"))) == expected
    assert len(read_gene_table(write(BIOMART.replace("\n", "\n\n")))) == 3


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_gene_table(tmp_path / "absent.gtf")


def test_genes_are_renamed_by_it(write):
    table = pd.DataFrame([[1.0, 2.0]], columns=["ENSG00000223972.4", "ENSG00000002586.18_PAR_Y"])
    renamed = map_gene_ids(table, read_gene_table(write(GENCODE)))
    assert renamed.columns.tolist() == ["DDX11L1", "CD99"]
