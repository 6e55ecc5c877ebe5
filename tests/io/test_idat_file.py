import gzip
import re
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from idat_writer import idat_bytes, text

from omitrans.exceptions import DataFormatError
from omitrans.io.idat import _idat_file, read_idat_intensities

ADDRESS = np.array([10001, 10007, 10020, 99999])
MEAN = np.array([0, 300, 5000, 65535])
SD = np.array([1, 20, 300, 65535])
N_BEADS = np.array([0, 3, 12, 255])
WHOLE = idat_bytes(ADDRESS, MEAN, SD, N_BEADS)


@pytest.fixture
def write(tmp_path):
    def write_bytes(data, name="a_Grn.idat"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write_bytes


def with_bytes(data, at, new):
    return data[:at] + new + data[at + len(new) :]


def assert_is_whole(read):
    for found, expected in zip(read[:4], (ADDRESS, MEAN, SD, N_BEADS), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_file_comes_back(write):
    read = read_idat_intensities(write(WHOLE))
    assert_is_whole(read)
    assert [values.dtype for values in read[:4]] == ["int32", "uint16", "uint16", "uint8"]
    assert read[4:] == ("200000000001", "BeadChip 8x5", "R01C01")


def test_compressed_file_gives_the_same_whatever_its_name(write):
    packed = gzip.compress(WHOLE)
    assert_is_whole(read_idat_intensities(write(packed, "a_Grn.idat.gz")))
    assert_is_whole(read_idat_intensities(write(packed, "a_Grn.idat")))
    assert_is_whole(read_idat_intensities(write(WHOLE, "a_Grn.idat.gz")))


def test_bead_types_in_any_order_are_sorted(write):
    order = [2, 0, 3, 1]
    data = idat_bytes(ADDRESS[order], MEAN[order], SD[order], N_BEADS[order])
    assert_is_whole(read_idat_intensities(write(data)))


def test_sections_may_stand_in_any_order(write):
    bodies = {
        107: N_BEADS.astype("u1").tobytes(),
        104: MEAN.astype("<u2").tobytes(),
        402: text("x" * 300),
        102: ADDRESS.astype("<i4").tobytes(),
        1000: struct.pack("<i", 4),
        103: SD.astype("<u2").tobytes(),
    }
    header, at = b"", 16 + 10 * len(bodies)
    for code, body in bodies.items():
        header, at = header + struct.pack("<Hq", code, at), at + len(body)
    data = struct.pack("<4sqi", b"IDAT", 3, len(bodies)) + header + b"".join(bodies.values())
    read = read_idat_intensities(write(data))
    assert_is_whole(read)
    assert read[4:] == ("x" * 300, "", "")


ENTRY = 16  # where the list of sections starts: 1000, 102, 103, 104, 107, ...
HOSTILE = {
    "empty": (b"", "it is empty"),
    "text": (b"IlmnID,Name\n", "starts with b'Ilmn', not with b'IDAT'"),
    "parquet": (b"PAR1" + bytes(100), "starts with b'PAR1'"),
    "magic only": (b"IDAT", "ends within its header"),
    "header cut": (WHOLE[:14], "ends within its header"),
    "encrypted": (idat_bytes(ADDRESS, MEAN, version=1), "version 1, which is encrypted"),
    "version 4": (idat_bytes(ADDRESS, MEAN, version=4), "it has version 4;"),
    "no sections": (with_bytes(WHOLE, 12, struct.pack("<i", 0)), "states 0 sections"),
    "minus one section": (with_bytes(WHOLE, 12, struct.pack("<i", -1)), "states -1 sections"),
    "2^31 sections": (with_bytes(WHOLE, 12, struct.pack("<i", 2**31 - 1)), "states 2147483647"),
    "list cut": (WHOLE[:60], "ends within the list of its 18 sections"),
    "negative offset": (
        idat_bytes(ADDRESS, MEAN, offsets={104: -8}),
        "section 104 starts at byte -8, outside",
    ),
    "offset in the header": (idat_bytes(ADDRESS, MEAN, offsets={102: 16}), "102 starts at byte 16"),
    "offset beyond the end": (idat_bytes(ADDRESS, MEAN, offsets={103: 2**40}), "103 starts at"),
    "largest offset": (idat_bytes(ADDRESS, MEAN, offsets={107: 2**63 - 1}), "107 starts at"),
    "section twice": (with_bytes(WHOLE, ENTRY + 20, struct.pack("<H", 102)), "102 is listed twice"),
    "no count": (idat_bytes(ADDRESS, MEAN, omit=[1000]), "lacks the section 1000"),
    "no means": (idat_bytes(ADDRESS, MEAN, omit=[104]), "lacks the section 104"),
    "no data": (idat_bytes(ADDRESS, MEAN, omit=[102, 103, 104, 107]), "102, 103, 104, 107"),
    "zero beads": (idat_bytes(ADDRESS, MEAN, count=0), "states 0 bead types"),
    "negative beads": (idat_bytes(ADDRESS, MEAN, count=-4), "states -4 bead types"),
    "more beads": (idat_bytes(ADDRESS, MEAN, count=5), "overlap"),
    "2^31 beads": (idat_bytes(ADDRESS, MEAN, count=2**31 - 1), "the file has"),
    "count at the end": (
        idat_bytes(ADDRESS, MEAN, offsets={1000: len(idat_bytes(ADDRESS, MEAN)) - 2}),
        "ends within the number of its bead types",
    ),
    "overlap": (idat_bytes(ADDRESS, MEAN, offsets={104: 16 + 18 * 10 + 6}), "overlap"),
    "cut in the means": (WHOLE[: 16 + 180 + 4 + 16 + 8 + 3], "outside of"),
    "cut in the notes": (WHOLE[:-40], "outside of"),
    "repeated address": (idat_bytes([5, 7, 5, 9], MEAN), "1 bead types repeat, the first is 5"),
    "negative address": (idat_bytes([-5, 7, 8, 9], MEAN), "negative address -5"),
    "text beyond the end": (
        idat_bytes(ADDRESS, MEAN, offsets={402: 16 + 180 + 4 + 16 + 8 + 6}),
        "goes beyond its end",
    ),
    "gz cut": (gzip.compress(WHOLE, mtime=0)[:-20], "compressed data is truncated or damaged"),
    "gz checksum": (gzip.compress(WHOLE)[:-8] + bytes(8), "compressed data is truncated"),
    "gz header only": (b"\x1f\x8b", "compressed data is truncated"),
    "gz damaged": (with_bytes(gzip.compress(WHOLE), 20, b"\xff" * 9), "compressed data is"),
    "gz of text": (gzip.compress(b"cg00000029\t0.5\n"), "starts with b'cg00'"),
    "gz of gz": (gzip.compress(gzip.compress(WHOLE)), "starts with b'\\x1f\\x8b"),
    "gz and garbage": (gzip.compress(WHOLE) + b"garbage", "compressed data is"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_idat_file_says_so(write, case):
    data, message = HOSTILE[case]
    path = write(data)
    with pytest.raises(DataFormatError, match=re.escape(message)) as caught:
        read_idat_intensities(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).count(". ") >= 1  # the cure


def test_counts_that_a_file_only_claims_allocate_nothing(write):
    path = write(idat_bytes(ADDRESS, MEAN, count=2**31 - 1))
    tracemalloc.start()
    with pytest.raises(DataFormatError):
        read_idat_intensities(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


@pytest.mark.parametrize("compress", [False, True])
def test_no_more_than_a_limit_is_read(write, monkeypatch, compress):
    monkeypatch.setattr(_idat_file, "_MAX_CHUNKS", 1)
    bomb = WHOLE + bytes(2**24)
    path = write(gzip.compress(bomb) if compress else bomb)
    tracemalloc.start()
    with pytest.raises(DataFormatError, match="holds more than 1 MiB"):
        read_idat_intensities(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


@settings(max_examples=300, deadline=None)
@given(
    at=st.integers(0, len(WHOLE) - 1),
    new=st.binary(min_size=1, max_size=8),
    cut=st.integers(0, len(WHOLE)),
)
def test_damage_gives_a_result_or_the_right_error(tmp_path_factory, at, new, cut):
    path = tmp_path_factory.getbasetemp() / "damaged_Grn.idat"
    path.write_bytes(with_bytes(WHOLE, at, new)[: max(cut, 20)])
    message = str(path)
    try:
        read = read_idat_intensities(path)
        assert len({len(values) for values in read[:4]}) == 1
    except DataFormatError as error:
        message = str(error)
    assert str(path) in message


def test_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idat_intensities(tmp_path / "none_Grn.idat")
