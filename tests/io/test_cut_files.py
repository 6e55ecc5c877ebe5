"""Text files that were cut off inside their last line: refused, or read with a warning."""

import gzip
import warnings

import numpy as np
import pandas as pd
import pytest

from omitrans.exceptions import OmiTransError, TruncatedFileWarning
from omitrans.io import (
    read_gene_table,
    read_geo_series_matrix,
    read_gtex,
    read_matrix,
    read_probemap,
    read_xena,
)

SAMPLES = [f"TCGA-A{k}" for k in range(4)]
VALUES = np.random.default_rng(0).uniform(0.1, 0.9, (12, 4)).round(6)


def matrix(corner="id", sep="\t", values=VALUES):
    lines = [sep.join([corner, *SAMPLES])]
    lines += [sep.join([f"cg{k:08d}", *map(str, row)]) for k, row in enumerate(values)]
    return "\n".join(lines)


def gct():
    lines = ["#1.2", f"{len(VALUES)}\t4", "\t".join(["Name", "Description", *SAMPLES])]
    rows = enumerate(100 * VALUES)
    lines += ["\t".join([f"ENSG{k:011d}.1", f"G{k}", *map("{:.4f}".format, r)]) for k, r in rows]
    return "\n".join(lines)


def probemap():
    lines = ["id\tgene\tchrom\tchromStart\tchromEnd"]
    lines += [f"ENSG{k:011d}.1\tG{k}\tchr1\t{10_000 + k}\t{20_000 + k}" for k in range(12)]
    return "\n".join(lines)


def gtf():
    lines = ["#!genome-build GRCh38"]
    for k in range(12):
        said = f'gene_id "ENSG{k:011d}"; gene_type "protein_coding"; gene_name "SYMB{k:02d}";'
        place = f"chr1\tHAVANA\tgene\t{1000 + k}\t{2000 + k}\t.\t+\t."
        lines.append(f"{place}\t{said}")
    return "\n".join(lines)


def gene_csv():
    lines = ["gene_id,chromosome,start,end,gene_type"]
    kinds = ["protein_coding", "lincRNA"]
    lines += [f"ENSG{k:011d},1,{1000 + k},{2000 + k},{kinds[k % 2]}" for k in range(12)]
    return "\n".join(lines)


def betas_of_geo():
    return matrix("ID_REF").replace("TCGA", "GSM")


# Text without a line end at its end, reader, how large a change of the last number may pass
KINDS = {
    "tsv": (matrix(), lambda path: read_matrix(path, samples="columns")),
    "csv": (matrix(sep=","), lambda path: read_matrix(path, samples="columns")),
    "xena": (matrix("sample"), read_xena),
    "geo betas": (betas_of_geo(), lambda path: read_geo_series_matrix(path)[0]),
    "gct": (gct(), lambda path: read_gtex(path, log=False).X),
    "probemap": (probemap(), lambda path: read_probemap(path, kind="gene")),
    "gtf": (gtf(), read_gene_table),
    "gene table": (gene_csv(), read_gene_table),
}


def outcome(read, path):
    """Return the table, "refused" or "warned"."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return read(path)
    except TruncatedFileWarning as warning:
        said, result = str(warning), "warned"
    except (OmiTransError, ValueError) as error:
        said, result = str(error), "refused"
    assert str(path) in said
    return result


@pytest.mark.parametrize("kind", KINDS)
def test_cut_inside_the_last_line(kind, tmp_path):
    text, read = KINDS[kind]
    path = tmp_path / "table"
    path.write_text(text)  # valid: no warning
    whole = outcome(read, path)
    length = len(text.rpartition("\n")[2])
    found = {}
    for n_lost in range(1, length):
        path.write_text(text[:-n_lost])
        found[n_lost] = outcome(read, path)
    passed = [n for n, result in found.items() if isinstance(result, pd.DataFrame)]
    assert {"warned"} <= {str(result) for result in found.values()}
    # what passes is a last digit more or less, which numbers of usual length may lack
    assert set(passed) <= {1}
    for n_lost in passed:
        np.testing.assert_allclose(found[n_lost].iloc[-1, -1], whole.iloc[-1, -1], atol=1e-4)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", ""])
@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_read_without_a_warning(kind, end, tmp_path):
    text, read = KINDS[kind]
    path = tmp_path / "table"
    path.write_text(text)
    expected = read(path)
    path.write_bytes((text + end).replace("\n", end.strip("\n") + "\n").encode())
    pd.testing.assert_frame_equal(read(path), expected)
    path.write_bytes(gzip.compress((text + end).encode()))
    pd.testing.assert_frame_equal(read(path), expected)


@pytest.mark.parametrize(
    ("last", "odd"),
    [
        ("0.", True),
        ("1.123456e-0", True),
        ("0.1", True),
        ("", True),
        ("NA", False),
        ("0.123456", False),
        ("0.12345", False),
    ],
)
@pytest.mark.parametrize("n_rows", [12, 3000])
def test_odd_last_values(last, odd, n_rows, tmp_path):
    values = np.random.default_rng(1).uniform(0.1, 0.9, (n_rows, 4)).round(6)
    path = tmp_path / "table.tsv"
    path.write_text(matrix(values=values).rpartition("\t")[0] + "\t" + last)
    assert (str(outcome(read_xena, path)) == "warned") == odd or last == ""


@pytest.mark.parametrize("values", [np.arange(48).reshape(12, 4), VALUES.round(1)])
def test_numbers_of_all_lengths_are_usual(values, tmp_path):
    """A count of one digit is usual among counts, and a cut in them cannot be seen."""
    path = tmp_path / "counts.tsv"
    path.write_text(matrix(values=values)[:-1])
    result = outcome(lambda path: read_matrix(path, samples="columns"), path)
    assert isinstance(result, pd.DataFrame) == (values.max() > 1)


def test_few_values_are_not_judged(tmp_path):
    path = tmp_path / "small.tsv"
    path.write_text("id\tTCGA-A\ncg00000029\t0.123456\ncg00000108\t1")
    assert isinstance(outcome(read_matrix, path), pd.DataFrame)


def test_a_line_longer_than_what_is_looked_at(tmp_path):
    names = [f"cg{k:08d}" for k in range(20_000)]
    values = np.random.default_rng(2).random(20_000).round(6).astype(str)
    path = tmp_path / "wide.csv"
    text = ",".join(["id", *names]) + "\n" + ",".join(["TCGA-A", *values[:-1]])
    path.write_text(f"{text},0.123456")
    assert isinstance(outcome(read_matrix, path), pd.DataFrame)
    path.write_text(f"{text},0.1")
    assert str(outcome(read_matrix, path)) == "warned"
