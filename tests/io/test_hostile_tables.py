"""Broken, foreign and odd tables: read right, or refused with the place, the find and the cure."""

import bz2
import errno
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from omitrans.exceptions import DataFormatError, FeatureMismatchError
from omitrans.io import (
    estimate_memory,
    read_geo_series_matrix,
    read_matrix,
    read_xena,
)
from omitrans.io.matrix import _stream_sink

SAMPLES = [f"TCGA-{k:02d}" for k in range(5)]
PROBES = [f"cg{k:08d}" for k in range(7)]
VALUES = np.random.default_rng(0).random((7, 5)).round(6)


def lines(sep="\t", corner="id"):
    header = [sep.join([corner, *SAMPLES] if corner is not None else SAMPLES)]
    return header + [
        sep.join([probe, *map(str, row)]) for probe, row in zip(PROBES, VALUES, strict=True)
    ]


def table(sep="\t", end="\n", **changes):
    """Return the table as text, with some of its lines (by number, from 1) changed."""
    rows = lines(sep)
    for number, change in changes.items():
        place = int(number.removeprefix("line")) - 1
        rows[place] = change(rows[place])
    return end.join(rows) + end


def cell(text, column=3, sep="\t"):
    """Return a change that puts a text into a column (from 1)."""

    def change(line):
        fields = line.split(sep)
        fields[column - 1] = text
        return sep.join(fields)

    return change


def append(text):
    return lambda line: line + text


def gz(text):
    return gzip.compress(text.encode(), mtime=0)


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("betas.tsv", table())
    return buffer.getvalue()


def parquet(frame=None, columns=None):
    buffer = io.BytesIO()
    if columns is None:
        frame.to_parquet(buffer)
    else:
        pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def npy(values):
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


def flipped(data, place=0.5):
    data = bytearray(data)
    start = int(place * len(data))
    data[start : start + 8] = bytes(255 - byte for byte in data[start : start + 8])
    return bytes(data)


FRAME = pd.DataFrame(VALUES, PROBES, SAMPLES)


def changed_value():
    """Return a Parquet file with the checksums that this package writes, and a wrong number."""
    buffer = io.BytesIO()
    sink = _stream_sink.ParquetSink(buffer, SAMPLES, np.dtype("float64"))
    sink.add(PROBES, VALUES)
    sink.finish()
    data = bytearray(buffer.getvalue())
    # Snappy leaves numbers that do not repeat as they are
    data[data.index(VALUES[2, 3].tobytes()[:6])] ^= 1
    return bytes(data)


def parquet_with_metadata(text):
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(FRAME).replace_schema_metadata({b"pandas": text}), buffer)
    return buffer.getvalue()


REFUSED = {
    "truncated gz": (gz(table())[:-20], "truncated or damaged"),
    "gz without its checksum": (gz(table())[:-4], "truncated or damaged"),
    "damaged gz": (flipped(gz(table())), "truncated or damaged"),
    "gz with a wrong checksum": (flipped(gz(table()), 0.98), "truncated or damaged"),
    "gz of nothing": (gz(""), "is empty"),
    "gz twice": (gzip.compress(gz(table()), mtime=0), "compressed by gzip twice.*gunzip"),
    "short row": (table(line4=lambda line: line.rpartition("\t")[0]), "line 4 has 5 fields inst"),
    "long row": (table(line4=append("\t0.5")), "line 4 has 7 fields instead of 6"),
    "short last row": (table(line8=lambda line: line[:15]), "line 8 has . fields instead of 6"),
    "only an id": (table(line4=lambda line: line[:10]), "line 4 has 1 fields instead of 6"),
    "a short and a long row": (
        table(line4=lambda line: line.rpartition("\t")[0], line5=append("\t0.5")),
        "line 4 has 5 fields",
    ),
    "mixed separators": (
        table(line6=lambda line: line.replace("\t", ",")),
        "line 6 has 1 fields.*one separator",
    ),
    "one wrong separator": (
        table(line6=lambda line: line.replace("\t0", ";0", 1)),
        "line 6 has 5 fields.*';'",
    ),
    "no separator": ("id\ncg00000029\n", "no separator"),
    "duplicate headers": (
        table(line1=cell("TCGA-00")),
        "line 1: 1 names of columns stand twice.*TCGA-00",
    ),
    "duplicate ids": (table(line6=cell("cg00000001", 1)), "'cg00000001', lines 3, 6.*Rename"),
    "empty header cell": (table(line1=cell("", 4)), "line 1: column 4 of the header has no name"),
    "a name lacks in the header": (
        table(line1=lambda line: line.rpartition("\t")[0]),
        "line 1: the header has 5 fields and the line below it 6",
    ),
    "two names lack in the header": (table(line1=lambda line: line[:22]), "line 2 has 6 fields"),
    "separator at the ends of rows": (
        table(**{f"line{k}": append("\t") for k in range(2, 9)}),
        "line 1: the header has 6 fields and the line below it 7.*ends of lines",
    ),
    "separator at the ends of lines": (
        table(**{f"line{k}": append("\t") for k in range(1, 9)}),
        "column 7 of the header has no name.*ends of lines",
    ),
    "row without id": (table(line3=cell("", 1)), "line 3: the row has no id"),
    "text": (
        table(line4=cell("high")),
        r"line 4, column 3 \(TCGA-01\): 'high' is no number.*Correct it",
    ),
    "text in the last line": (table(line8=cell("high", 6)), r"line 8, column 6 \(TCGA-04\): 'high"),
    "column of text": (
        table(**{f"line{k}": cell("chr1", 2) for k in range(2, 9)}),
        r"line 2, column 2 \(TCGA-00\): 'chr1'",
    ),
    "huge integer": (table(line4=cell("9" * 60)), "line 4, column 3.*beyond the range of float32"),
    "beyond float32": (table(line4=cell("1e39")), "line 4.*'1e39' is beyond the range of float32"),
    "beyond float64": (table(line4=cell("-1e999")), "line 4.*'-1e999' is beyond the range"),
    "infinite": (table(line4=cell("-Inf")), "line 4.*'-Inf' is no number.*finite"),
    "NUL early": (table(line4=cell("0\0.5")), "byte .* is NUL"),
    "NUL late": (table() + "\n" * 5000 + "cg1\t\0\t1\t1\t1\t1\n", "line 5009.* is no number"),
    "NUL in an id": (table() + "\n" * 5000 + "cg\0\t1\t1\t1\t1\t1\n", "line 5009: the id holds"),
    "empty": (b"", "is empty"),
    "blank": (b"\n \n\n", "is empty"),
    "header only": (lines()[0] + "\n", "a header and no rows"),
    "header without line end": (lines()[0], "a header and no rows"),
    "only ids": ("id\n" + "\n".join(PROBES), "no separator"),
    "header of numbers": ("\n".join(lines()[1:]), "line 1: the header holds numbers"),
    "UTF-16": (table().encode("utf-16"), "UTF-16 text. Save it as UTF-8"),
    "UTF-16 without mark": (table().encode("utf-16-le"), "NUL, as in binary files and UTF-16"),
    "Latin-1 in an id": (
        table(line4=cell("Zür", 1)).encode("latin-1"),
        r"line 4: byte 2 \(0xfc\) is no UTF-8",
    ),
    "Latin-1 in the header": (
        table(line1=cell("Zür", 2)).encode("latin-1"),
        r"line 1: byte 5 \(0xfc\) is no UTF-8",
    ),
    "binary": (bytes(range(256)) * 20, "NUL"),
    "decimal commas": (table().replace(".", ","), "'0,.*is no number.*decimal=','"),
    "thousands separators": (table(line4=cell("1,234.5")), "'1,234.5'.*without thousands"),
    "quoted thousands separators": (
        table(",", line4=cell('"1,234.5"', sep=",")),
        r"line 4, column 3 \(TCGA-01\): '1,234.5'.*without thousands",
    ),
    "unterminated quote": (table(line4=cell('"0.5')), "line 4: .*quote not closed"),
    "unterminated quote of an id": (table(line4=cell('"cg1', 1)), "line 4: .*quote not closed"),
    "a separator in a quoted id hides a short row": (
        table(",", line4=lambda line: '"cg1,5"' + line[10:].rpartition(",")[0]),
        "line 4 has 5 fields",
    ),
    "hexadecimal": (table(line4=cell("0x1A")), "'0x1A' is no number.*hexadecimal"),
    "complex": (table(line4=cell("1+2j")), "'1.2j' is no number.*[Cc]omplex"),
    "underscores": (table(line4=cell("1_000")), "'1_000' is no number"),
    "date": (table(line4=cell("2-Mar")), "'2-Mar' is no number"),
    "percent": (table(line4=cell("50%")), "'50%' is no number"),
    "two points": (table(line4=cell("0.5.1")), "'0.5.1' is no number"),
    "other digits": (table(line4=cell("٣")), "'٣' is no number"),
    "lines end with CR": (table(end="\r"), "carriage return alone"),
    "zip": (zipped(), "zip archive.*Unpack"),
    "bz2": (bz2.compress(table().encode()), "bzip2"),
    "xz": (lzma.compress(table().encode()), "xz"),
    "web page": ("<!DOCTYPE html><html>Not found</html>", "web page.*Fetch it again"),
    "GCT": ("#1.2\n7\t5\n" + table(), "GCT file. Read it with read_gtex"),
    "GEO series matrix": ('!Series_title\t"Liver"\n', "read_geo_series_matrix"),
    "IDAT": (b"IDAT\3\0\0\0" + bytes(30), "IDAT file"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(30), "HDF5"),
    "detection p-values": (
        table(line1=cell("TCGA-00 Detection Pval", 3)),
        "detection p-values.*read_geo_series_matrix",
    ),
    "undecided": ("id\ta\tb\nx\t1\t2\n", "samples='rows' or 'columns'"),
    "Parquet truncated": (parquet(FRAME)[:-30], "truncated or damaged"),
    "Parquet cut at the start": (parquet(FRAME)[:40], "truncated or damaged"),
    "Parquet with text": (parquet(FRAME.assign(gene="A")), "column 'gene' holds .*string"),
    "Parquet nested": (
        parquet(columns={"id": PROBES, "TCGA-1": [[1.0]] * 7}),
        "column 'TCGA-1' holds list",
    ),
    "Parquet without ids": (parquet(FRAME.reset_index(drop=True)), "no column with ids"),
    "Parquet with ids only": (parquet(FRAME[[]]), "ids and no values"),
    "Parquet infinite": (
        parquet(FRAME.mask(FRAME.eq(VALUES[3, 2]), np.inf)),
        r"row 4 \(cg00000003\), column 'TCGA-02': values must be finite",
    ),
    "Parquet with another byte among its values": (changed_value(), "[Cc]hecksum|CRC"),
    "Parquet with a strange schema": (parquet_with_metadata(b"{"), "truncated or damaged"),
    "Parquet with ids twice": (parquet(FRAME.rename({PROBES[3]: PROBES[1]})), "'cg00000001'"),
    "npy without ids": (npy(VALUES), "values without ids.*read_matrix"),
    "npy with a damaged header": (b"\x93NUMPY" + bytes(100), "truncated or damaged"),
    "npy of objects": (npy(np.array([[print]], dtype=object)), "truncated or damaged"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_place_and_cure(case, tmp_path):
    data, message = REFUSED[case]
    path = tmp_path / "betas.tsv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(DataFormatError, match=rf"(?s)betas\.tsv.*{message}"):
        read_matrix(path)
    assert [file.name for file in tmp_path.iterdir()] == ["betas.tsv"]


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("name", ["betas.npy", "betas.parquet"])
def test_refused_leaves_nothing_written(case, name, tmp_path):
    data, _ = REFUSED[case]
    path = tmp_path / "in"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(DataFormatError):
        read_matrix(path, out=tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == ["in"]


READ = {
    "as it is": table(),
    "commas": table(","),
    "semicolons": table(";"),
    "spaces": table(" "),
    "gz": gz(table()),
    "gz in two parts": gz(table()[:100]) + gz(table()[100:]),
    "byte-order mark": b"\xef\xbb\xbf" + table().encode(),
    "CRLF": table(end="\r\n"),
    "CRLF and gz": gz(table(end="\r\n")),
    "no last line end": table().rstrip("\n"),
    "blank lines": table().replace("\ncg00000004", "\n\n\r\ncg00000004") + "\n\n",
    "quoted ids": table(**{f"line{k}": lambda x: f'"{x[:10]}"{x[10:]}' for k in range(2, 9)}),
    "all quoted": '"' + table().replace("\t", '"\t"').replace("\n", '"\n"')[:-1],
    "all quoted, CRLF": '"' + table(",").replace(",", '","').replace("\n", '"\r\n"')[:-1],
    "no corner cell": "\n".join(lines(corner=None)),
    "empty corner cell": "\n".join(lines(corner="")),
    "comments": "# made by hand\n#again\n\n" + table(),
    "leading plus": table().replace("\t0", "\t+0"),
    "blanks around numbers": table(",").replace(",0", ", 0").replace("\n", " \n"),
    "exponents": "\n".join(
        [lines()[0], *("\t".join([p, *map("{:.9E}".format, v)]) for p, v in FRAME.iterrows())]
    ),
    "no leading zero": table().replace("\t0.", "\t."),
    "Parquet": parquet(FRAME),
    "Parquet, ids in a column": parquet(columns={"id": PROBES, **dict(FRAME.items())}),
    "Parquet, float32 and integers": parquet(FRAME.astype("float32").assign(**{SAMPLES[0]: 1})),
}


@pytest.mark.parametrize("case", READ)
def test_harmless_oddities_are_read_right(case, tmp_path):
    path = tmp_path / "betas.with.wrong.extension.xls"
    data = READ[case]
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    X = read_matrix(path)
    expected = FRAME.T.astype("float32")
    if "integers" in case:
        expected.loc[SAMPLES[0]] = 1
    names = {"check_index_type": False, "check_column_type": False}  # pandas 3 has its own
    pd.testing.assert_frame_equal(X, expected, **names)
    assert estimate_memory(path).n_columns == 5


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.tsv"):
        read_matrix(tmp_path / "nowhere.tsv")
    with pytest.raises(DataFormatError, match=r"is a folder\. Name a file"):
        read_matrix(tmp_path)
    with pytest.raises(DataFormatError, match=r"is a folder\. Name a file"):
        estimate_memory(tmp_path)


@pytest.fixture
def betas(tmp_path):
    path = tmp_path / "betas.tsv"
    path.write_text(table())
    return path


@pytest.mark.parametrize("name", ["out.npy", "out.parquet"])
@pytest.mark.parametrize("kind", ["NpySink", "ParquetSink"])
@pytest.mark.parametrize(
    "error", [(OSError, errno.ENOSPC, "No space left on device"), (KeyboardInterrupt,)]
)
def test_no_half_file_after_full_disk_or_interrupt(betas, monkeypatch, name, kind, error):
    def fail(*args):
        raise error[0](*error[1:])

    monkeypatch.setattr(getattr(_stream_sink, kind), "add", fail)
    out = betas.with_name(name)
    out.write_text("what was there before")
    if kind[:3].lower() in name:
        with pytest.raises(error[0]) as caught:
            read_matrix(betas, out=out)
        if error[0] is OSError:
            assert caught.value.filename == str(out)
        assert out.read_text() == "what was there before"
    else:
        assert read_matrix(betas, out=out).index.tolist() == SAMPLES
    assert not list(betas.parent.glob("*.partial")) + list(betas.parent.glob(".*"))


def test_interrupt_while_parsing(betas, monkeypatch):
    betas.write_text(table() + "".join(f"cg9{k:07d}\t1\t2\t3\t4\t5\n" for k in range(30_000)))
    n_calls = []

    def interrupted(self, ids, values, add=_stream_sink.NpySink.add):
        n_calls.append(len(ids))
        if len(n_calls) == 2:
            raise KeyboardInterrupt
        add(self, ids, values)

    monkeypatch.setattr(_stream_sink.NpySink, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_matrix(betas, out=betas.with_name("out.npy"))
    assert len(n_calls) == 2
    assert [path.name for path in betas.parent.iterdir()] == ["betas.tsv"]


def test_out_of_another_kind(betas):
    with pytest.raises(ValueError, match=r"out must end in \.npy or \.parquet"):
        read_matrix(betas, out=betas.with_name("out.csv"))


def test_npy_cut_or_of_two_files(betas):
    """One file: of two, a killed writer would leave one old and one new."""
    out = betas.with_name("out.npy")
    whole = read_matrix(betas, out=out)
    assert sorted(path.name for path in betas.parent.iterdir()) == ["betas.tsv", "out.npy"]
    data = out.read_bytes()
    start = 256 + whole.to_numpy().nbytes
    for cut in (100, start - 1, start + 1, start + 100, len(data) - 1):
        out.write_bytes(data[:cut])
        with pytest.raises(DataFormatError, match=r"out\.npy is truncated or damaged"):
            read_matrix(out)
    out.write_bytes(npy(np.zeros((2, 2), np.float32)) + data[start:])
    with pytest.raises(DataFormatError, match=r"names 5 samples and 7 features\. Write"):
        read_matrix(out)


def test_no_feature_left(betas):
    for conditions in ({"keep_features": ["cg99"]}, {"min_variance": 9.0}):
        with pytest.raises(FeatureMismatchError, match=r"betas\.tsv: no feature is left"):
            read_matrix(betas, **conditions)


@pytest.mark.parametrize(
    ("corner", "message"),
    [("sampleID", "clinical table.*pandas.read_csv"), ("Gene Symbol", "not 'Gene Symbol'.*read_m")],
)
def test_no_xena_matrix(betas, corner, message):
    betas.write_text(table(line1=cell(corner, 1)))
    with pytest.raises(DataFormatError, match=message):
        read_xena(betas)


SERIES = """!Series_title\t"Liver"

!Sample_geo_accession\t"GSM1"\t"GSM2"
!Sample_characteristics_ch1\t"age: 52"\t"age: 61"
!series_matrix_table_begin
"ID_REF"\t"GSM1"\t"GSM2"
"cg00000029"\t0.5\t0.25
!series_matrix_table_end
"""
BROKEN_SERIES = {
    "cut in the matrix": (SERIES[:-20], "truncated: the line '!series_matrix_table_end' is miss"),
    "cut in the header": (
        SERIES.partition("!Sample_char")[0],
        "no line '!series_matrix_table_begin'",
    ),
    "text": (SERIES.replace("0.25", "low"), r"line 7, column 3 \(GSM2\): 'low' is no number"),
    "other samples": (SERIES.replace('"GSM2"\n"cg', '"GSM3"\n"cg'), "are not those of"),
    "fields lack": (
        SERIES.replace('\t"age: 61"', ""),
        "line 4: .*another number of fields, 1, than",
    ),
    "header twice": (SERIES.replace('"GSM1"\t"GSM2"\n"cg', '"GSM1"\t"GSM1"\n"cg'), "stand twice"),
    "ragged": (SERIES.replace("0.5\t0.25", "0.5"), "line 7 has 2 fields instead of 3"),
    "no p-values": (
        "ID_REF\tA.AVG_Beta\tB.AVG_Beta\tA Detection Pval\ncg1\t1\t1\t0\n",
        "lack for B",
    ),
    "a sample twice": ("ID_REF\tA.AVG_Beta\tA.AVG_Beta\ncg1\t1\t1\n", "stand twice"),
}


@pytest.mark.parametrize("case", BROKEN_SERIES)
def test_broken_series_matrices(case, tmp_path):
    text, message = BROKEN_SERIES[case]
    path = tmp_path / "GSE1_series_matrix.txt"
    path.write_text(text)
    with pytest.raises(DataFormatError, match=rf"GSE1_series_matrix.*{message}"):
        read_geo_series_matrix(path)
    path.write_bytes(gz(text)[:-9])
    with pytest.raises(DataFormatError, match="GSE1_series_matrix"):
        read_geo_series_matrix(path)
