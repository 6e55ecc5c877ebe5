import gzip

import pytest

from omitrans.io import read_probemap
from omitrans.preprocessing import LocationAligner

PROBES = """#id\tgene\tchrom\tchromStart\tchromEnd\tstrand
cg00000029\tRBL2\tchr16\t53434200\t53434201\t.
cg00000236\tVDAC3,POLB\tchr8\t42405776\t42405777\t.
cg00000289\t.\t*\t-1\t-1\t.
"""
GENES = """id\tgene\tchrom\tchromStart\tchromEnd\tstrand
ENSG00000223972.5\tDDX11L1\tchr1\t11869\t14409\t+
ENSG00000210049.1\tMT-TF\tchrM\t577\t647\t-
"""


@pytest.fixture
def write(tmp_path):
    def write_bytes(data, name="file.probeMap"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write_bytes


def test_probes(write):
    probes = read_probemap(write(PROBES))
    assert probes["probe_id"].tolist() == ["cg00000029", "cg00000236", "cg00000289"]
    assert probes["chromosome"].tolist()[:2] == ["16", "8"]
    assert probes["position"].tolist()[:2] == [53434200, 42405776]
    assert probes["gene_symbol"].tolist()[:2] == ["RBL2", "VDAC3,POLB"]
    assert probes.iloc[2, 1:].isna().all()


def test_genes(write):
    genes = read_probemap(write(GENES), kind="gene")
    assert genes["gene_id"].tolist() == ["ENSG00000223972.5", "ENSG00000210049.1"]
    assert genes["chromosome"].tolist() == ["1", "MT"]
    assert genes[["start", "end", "position"]].to_numpy().tolist() == [
        [11869, 14409, 11869],
        [577, 647, 577],
    ]
    assert genes["strand"].tolist() == ["+", "-"]
    assert LocationAligner(genes).fit([[1.0, 2.0]]).n_unmapped_ == 0


def test_strand_may_be_missing(write):
    text = "\n".join(line.rpartition("\t")[0] for line in GENES.splitlines())
    assert "strand" not in read_probemap(write(text), kind="gene")


def test_compressed(write):
    zipped = read_probemap(write(gzip.compress(PROBES.encode()), "probes.gz"))
    assert zipped.equals(read_probemap(write(PROBES)))


@pytest.mark.parametrize("text", ["", "probe,chromosome\ncg1,1\n", PROBES.replace("\t", ",")])
def test_no_probemap(write, text):
    with pytest.raises(ValueError, match="no probeMap: its first line lacks the column 'id'"):
        read_probemap(write(text))


def test_missing_column(write):
    with pytest.raises(ValueError, match="lacks the column 'chromStart'"):
        read_probemap(write(PROBES.replace("chromStart", "start")))


def test_truncated(write):
    with pytest.raises(ValueError, match="line 4 has 2 fields instead of 6"):
        read_probemap(write(PROBES.partition("\t*")[0]))
    data = gzip.compress(PROBES.encode())
    with pytest.raises(ValueError, match="truncated or damaged"):
        read_probemap(write(data[:-20]))


def test_duplicated_ids(write):
    twice = PROBES + PROBES.splitlines()[1] + "\n"
    with pytest.raises(ValueError, match="1 duplicated ids"):
        read_probemap(write(twice))


def test_bad_kind(write):
    with pytest.raises(ValueError, match="'kind' parameter"):
        read_probemap(write(PROBES), kind="probes")
