import gzip

import pandas as pd
import pytest
from idat_writer import SimulatedArray

from omitrans.exceptions import DataFormatError
from omitrans.io import read_bead_manifest, read_idat

HM450 = """Illumina, Inc.,,,,,,
[Heading],,,,,,
Loci Count ,3,,,,,
[Assay],,,,,,
IlmnID,Name,AddressA_ID,AlleleA_ProbeSeq,AddressB_ID,Infinium_Design_Type,Color_Channel
cg00035864,cg00035864,0031729416,AAAACACTAACAATCTTATCC,,II,
cg00050873,cg00050873,0032735311,ACAAAAAAACAACACACAACT,0031717405,I,Red
cg00061679,cg00061679,0028780415,AAAACATTAAAAAACTAATTC,0029732402,I,Grn
[Controls],,,,,,
21630339,STAINING,Red,DNP (High),,,
24669308,NEGATIVE,Green,Negative 1,,,
24669308,NEGATIVE,Green,Negative 1,,,
27630314,norm_a,Red,Norm_A1,,,
"""

HM27 = """Illumina, Inc.
[Heading]
Loci Count,2
[Assay]
IlmnID,Name,AddressA_ID,AddressB_ID,Next_Base,Color_Channel
cg00000292,cg00000292,990370,6660678,T,Red
cg00005847,cg00005847,4850717,1260113,C,Grn
"""

TABLE = pd.DataFrame(
    {"M": [11, None, None], "U": [12, 31, 51], "col": ["R", "2", "2"]},
    index=["cg1", "cg2", "ctl_51_NORM_A"],
)


@pytest.fixture
def write(tmp_path):
    def write_text(text, name="manifest.csv"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
        return path

    return write_text


@pytest.mark.parametrize("name", ["m.csv", "m.csv.gz"])
def test_manifest_of_the_450k_array(write, name):
    read = read_bead_manifest(write(HM450, name))
    assert read.index.tolist() == [
        "cg00035864",
        "cg00050873",
        "cg00061679",
        "ctl_21630339_STAINING",
        "ctl_24669308_NEGATIVE",
        "ctl_27630314_NORM_A",
    ]
    assert read["U"].tolist() == [31729416, 32735311, 28780415, 21630339, 24669308, 27630314]
    assert read["M"].fillna(0).tolist() == [0, 31717405, 29732402, 0, 0, 0]
    assert read["col"].tolist() == ["2", "R", "G", "2", "2", "2"]
    assert read["control"].fillna("").tolist() == ["", "", "", "STAINING", "NEGATIVE", "NORM_A"]


def test_manifest_of_the_27k_array_has_one_design_and_no_column_for_it(write):
    read = read_bead_manifest(write(HM27))
    assert read["M"].tolist() == [6660678, 1260113]
    assert read["U"].tolist() == [990370, 4850717]
    assert read["col"].tolist() == ["R", "G"]
    assert read["control"].isna().all()


def test_zero_as_second_address_and_suffixed_names_of_epic_v2(write):
    text = HM450.replace("TCTTATCC,,II", "TCTTATCC,0,II").replace("cg00035864,", "cg9_TC21,", 1)
    read = read_bead_manifest(write(text))
    assert read.loc["cg9_TC21"].fillna("none").tolist() == ["none", 31729416, "2", "none"]


def test_table_with_ids_as_index_or_column_and_from_parquet(tmp_path):
    read = read_bead_manifest(TABLE)
    pd.testing.assert_frame_equal(read_bead_manifest(TABLE.reset_index(names="probe_id")), read)
    pd.testing.assert_frame_equal(read_bead_manifest(read), read)
    read.to_parquet(tmp_path / "m.parquet")
    pd.testing.assert_frame_equal(read_bead_manifest(tmp_path / "m.parquet"), read)
    assert read["control"].fillna("").tolist() == ["", "", "NORM_A"]


def test_control_without_a_type(write):
    assert read_bead_manifest(TABLE.rename({"ctl_51_NORM_A": "ctl_51"})).loc[
        "ctl_51", "control"
    ] == ("unknown")


@pytest.mark.parametrize("colour", ["2", "", None, "Y"])
def test_unstated_colour_of_two_bead_types_is_missing(colour):
    read = read_bead_manifest(TABLE.assign(col=[colour, "2", "2"]))
    assert read["col"].isna().tolist() == [True, False, False]


def test_csv_and_table_give_the_same_betas(tmp_path):
    array = SimulatedArray(100, 100)
    table = array.manifest
    probes = table.iloc[:200]
    lines = ["[Heading]", "Loci Count,200", "[Assay]"]
    lines += ["IlmnID,AddressA_ID,AddressB_ID,Infinium_Design_Type,Color_Channel"]
    design = {"2": "II,", "R": "I,Red", "G": "I,Grn"}
    for probe, m, u, colour in probes.astype({"M": "string"}).fillna("").itertuples():
        lines.append(f"{probe},{u:010d},{m},{design[colour]}")
    lines.append("[Controls]")
    lines += [f"{a},{name.split('_', 2)[2]}" for name, a in table["U"].iloc[200:].items()]
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join(lines))
    path = array.write(tmp_path)
    for options in ({}, {"dye_bias": "controls", "background": "negative"}):
        expected = read_idat(path, table, **options)
        pd.testing.assert_frame_equal(read_idat(path, manifest, **options), expected)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE.drop(columns="M"), r"manifest lacks the column M\. Give"),
        (TABLE[[]], "lacks the column M, U, col"),
        (TABLE.iloc[:0], "has no rows"),
        (TABLE.assign(U=[1, None, 2]), "gives no address U for cg2"),
        (TABLE.assign(U=["1", "x", "2"]), "gives 'x' as address U of cg2"),
        (TABLE.assign(U=[1, 2.5, 2]), r"gives '2\.5' as address U of cg2"),
        (TABLE.assign(M=[-4, None, None]), r"gives '-4\.0' as address M of cg1"),
        (TABLE.assign(U=[1, 2**40, 2]), "gives '1099511627776' as address U"),
        (TABLE.rename({"cg2": "cg1"}), "holds 1 probe ids twice, the first is cg1"),
    ],
)
def test_tables_that_are_no_manifest(table, message):
    with pytest.raises(DataFormatError, match=message):
        read_bead_manifest(table)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cg1,0.5\ncg2,0.1\n", "is no Illumina manifest"),
        (HM450.replace("AddressB_ID", "Other"), "lacks the column 'AddressB_ID'"),
        (HM450.replace("0032735311", "003273531x"), "gives '003273531x' as address U"),
        (HM450[:300], "damaged"),
        (HM450.replace("AAAACA", "A" * 200_000), "damaged: field larger than field limit"),
        (HM450.replace("24669308,NEG", "2466x,NEG"), "gives '2466x' as address U of ctl_2466x"),
    ],
)
def test_files_that_are_no_manifest(write, text, message):
    path = write(text)
    with pytest.raises(ValueError, match=message) as caught:
        read_bead_manifest(path)
    assert str(path) in str(caught.value)


def test_damaged_parquet(tmp_path):
    path = tmp_path / "m.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataFormatError, match=r"m.parquet is truncated or damaged"):
        read_bead_manifest(path)
