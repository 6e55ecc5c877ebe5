import gzip

import pandas as pd
import pytest

from omitrans.annotation import check_probe_table
from omitrans.io import read_illumina_manifest

HM450 = """Illumina, Inc.,,,,,,,,
[Heading],,,,,,,,
Descriptor File Name,HumanMethylation450_15017482_v.1.2.bpm,,,,,,,
Assay Format,Infinium 2,,,,,,,
Date Manufactured,5/18/2011,,,,,,,
Loci Count ,5,,,,,,,
[Assay],,,,,,,,
IlmnID,Name,Infinium_Design_Type,CHR,MAPINFO,Probe_SNPs,Probe_SNPs_10,UCSC_RefGene_Name,\
Relation_to_UCSC_CpG_Island
cg00035864,cg00035864,II,Y,8553009,,,TTTY18,N_Shore
cg00050873,cg00050873,I,Y,9363356,,rs9341313;rs13447379,TSPY4;FAM197Y2;TSPY4,Island
cg00061679,cg00061679,II,Y,25314171,rs1,,"DAZ1;DAZ4",
ch.1.1234F,ch.1.1234F,II,1,31729340,,,,S_Shelf
rs10796216,rs10796216,II,,,,,,
[Controls],,,,,,,,
21630339,Staining,-99,DNP(20K)
24669308,Staining,-99,DNP(20K)
"""

EPIC_V2 = """Illumina, Inc.
[Heading]
Loci Count,4
[Assay]
IlmnID,Name,Infinium_Design_Type,CHR,MAPINFO,SNP_DISTANCE,Relation_to_UCSC_CpG_Island
cg00000029_TC21,cg00000029,II,chr16,53434200,0;31,N_Shore
cg00000109_TC21,cg00000109,II,chr3,172198247,15;25,OpenSea
cg00002033_TC11,cg00002033,I,chr12,2,-5,Island
cg00002033_TC12,cg00002033,I,chr12,2,,Island
[Controls]
1,2,3
"""


@pytest.fixture
def write(tmp_path):
    def write_text(text, name="manifest.csv"):
        path = tmp_path / name
        data = text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write_text


def test_450k_layout(write):
    probes = read_illumina_manifest(write(HM450))
    expected = pd.DataFrame(
        {
            "probe_id": ["cg00035864", "cg00050873", "cg00061679", "ch.1.1234F", "rs10796216"],
            "chromosome": ["Y", "Y", "Y", "1", None],
            "position": [8553009, 9363356, 25314171, 31729340, None],
            "design": ["II", "I", "II", "II", "II"],
            "gene_symbol": ["TTTY18", "TSPY4;FAM197Y2", "DAZ1;DAZ4", None, None],
            "island_relation": ["shore", "island", "open sea", "shelf", None],
            "snp_within_10bp": [False, True, False, False, False],
        }
    )
    pd.testing.assert_frame_equal(probes, check_probe_table(expected))


@pytest.mark.parametrize("name", ["manifest.csv.gz", "named_as_text.csv"])
def test_compressed(write, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(HM450.encode()))
    pd.testing.assert_frame_equal(
        read_illumina_manifest(str(path)), read_illumina_manifest(write(HM450, "plain.csv"))
    )


def test_windows_line_ends_and_byte_order_mark(write):
    windows = "\ufeff" + HM450.replace("\n", "\r\n")
    pd.testing.assert_frame_equal(
        read_illumina_manifest(write(windows)), read_illumina_manifest(write(HM450, "plain.csv"))
    )


def test_epic_v2_layout(write):
    probes = read_illumina_manifest(write(EPIC_V2))
    assert probes["probe_id"].tolist()[-2:] == ["cg00002033_TC11", "cg00002033_TC12"]
    assert probes["chromosome"].tolist() == ["16", "3", "12", "12"]
    assert probes["snp_within_5bp"].tolist() == [True, False, True, False]


def test_replicates_share_a_name(write):
    probes = read_illumina_manifest(write(EPIC_V2), id_column="Name")
    assert probes["probe_id"].tolist() == ["cg00000029", "cg00000109", "cg00002033"]
    assert probes["snp_within_5bp"].tolist() == [True, False, True]


def test_header_in_another_case(write):
    probes = read_illumina_manifest(write(EPIC_V2.replace("CHR,MAPINFO", "Chr,MapInfo")))
    assert probes["position"].tolist() == [53434200, 172198247, 2, 2]


def test_unplaced(write):
    text = EPIC_V2.replace("chr16,53434200", "chr0,0")
    first = read_illumina_manifest(write(text)).iloc[0]
    assert first[["chromosome", "position"]].isna().all()


def test_controls_may_be_missing_when_all_loci_are_there(write):
    text = EPIC_V2.partition("[Controls]")[0]
    assert len(read_illumina_manifest(write(text))) == 4


def test_no_manifest(write, tmp_path):
    with pytest.raises(ValueError, match=r"no Illumina manifest.*\[Assay\].*\.bpm"):
        read_illumina_manifest(write("probe_id,chromosome,position\ncg1,1,5\n"))
    with pytest.raises(ValueError, match="no Illumina manifest"):
        read_illumina_manifest(write(""))
    with pytest.raises(FileNotFoundError):
        read_illumina_manifest(tmp_path / "absent.csv")


def test_missing_column(write):
    with pytest.raises(ValueError, match=r"lacks the column 'MAPINFO' under \[Assay\].*original"):
        read_illumina_manifest(write(HM450.replace("MAPINFO", "Coordinate")))


def test_truncated_gzip(write):
    path = write(HM450, "manifest.csv.gz")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"truncated or damaged.*Fetch it again"):
        read_illumina_manifest(path)


def test_damaged_gzip(write):
    path = write(HM450, "manifest.csv.gz")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(ValueError, match="truncated or damaged"):
        read_illumina_manifest(path)


def test_truncated_text(write):
    whole_rows = HM450.partition("ch.1.1234F")[0]
    with pytest.raises(ValueError, match="heading states 5 loci, it holds 3"):
        read_illumina_manifest(write(whole_rows))
    with pytest.raises(ValueError, match=r"row 4 under \[Assay\] is cut off"):
        read_illumina_manifest(write(whole_rows + "ch.1.1234F,ch.1"))


def test_bad_parameter(write):
    with pytest.raises(ValueError, match="'id_column' parameter"):
        read_illumina_manifest(write(HM450), id_column="name")
