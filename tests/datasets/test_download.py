"""Downloads from a server that breaks off, stalls and sends the wrong bytes."""

import gzip
import json
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from http_server import Answer, running_server

from omitrans.datasets.fetch import _download
from omitrans.datasets.fetch._download import ResumingDownloader
from omitrans.exceptions import DataFormatError

NAME = "matrix.tsv.gz"


@pytest.fixture(scope="module")
def body():
    """A gzip file of some 300 kB, larger than several reads."""
    return gzip.compress(np.random.default_rng(0).bytes(300_000), mtime=0)


@pytest.fixture
def server():
    with running_server() as server:
        yield server


@pytest.fixture
def download(server, tmp_path):
    """Download NAME (or another) from the server; return the path of the result."""

    def run(name=NAME, **options):
        options = {"timeout": 0.3, "delay": 0.001, "progress": False} | options
        output = tmp_path / name
        ResumingDownloader(tmp_path / f"{name}.part", **options)(server.url + name, str(output))
        return output

    return run


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_file_arrives_unchanged(server, download, body, tmp_path):
    server.put(NAME, Answer(body))
    assert download().read_bytes() == body
    assert files(tmp_path) == [NAME]
    assert server.ranges_asked() == [None]


def test_a_broken_transfer_goes_on_where_it_stopped(server, download, body):
    server.put(NAME, Answer(body, stop_after=200_000), Answer(body))
    assert download().read_bytes() == body
    assert server.ranges_asked() == [None, "bytes=200000-"]
    assert server.log[1][1]["If-Range"] == '"1"'


def test_a_later_call_goes_on_where_the_earlier_one_gave_up(server, download, body, tmp_path):
    server.put(NAME, Answer(body, stop_after=200_000), Answer(body))
    with pytest.raises(ConnectionError, match="first 200000 bytes are kept in"):
        download(n_retries=0)
    assert files(tmp_path) == [f"{NAME}.part", f"{NAME}.part.json"]
    assert download().read_bytes() == body
    assert server.ranges_asked() == [None, "bytes=200000-"]
    assert files(tmp_path) == [NAME]


def test_last_modified_serves_where_there_is_no_strong_tag(server, download, body):
    date = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    weak = 'W/"1"'
    server.put(NAME, Answer(body, etag=weak, headers=date, stop_after=150_000), Answer(body))
    assert download().read_bytes() == body
    assert server.log[1][1]["If-Range"] == date["Last-Modified"]


def test_without_a_mark_of_the_version_nothing_is_pieced_together(server, download, body):
    server.put(NAME, Answer(body, etag=None, stop_after=150_000), Answer(body, etag=None))
    assert download().read_bytes() == body
    assert server.ranges_asked() == [None, None]


def test_a_file_that_changed_meanwhile_starts_again(server, download, body):
    old = gzip.compress(np.random.default_rng(1).bytes(280_000))
    server.put(NAME, Answer(old, etag='"old"', stop_after=100_000), Answer(body, etag='"new"'))
    assert download().read_bytes() == body
    assert server.ranges_asked() == [None, "bytes=100000-"]


def test_a_server_without_ranges_starts_again(server, download, body):
    server.put(NAME, Answer(body, ranges=False, stop_after=100_000), Answer(body, ranges=False))
    assert download().read_bytes() == body
    assert server.ranges_asked() == [None, "bytes=100000-"]


def test_a_server_that_always_breaks_off_at_the_same_place_ends_in_an_error(server, download, body):
    server.put(NAME, Answer(body, ranges=False, stop_after=100_000))
    with pytest.raises(ConnectionError, match=r"could not be downloaded.*broke off"):
        download(n_retries=2)
    assert len(server.log) == 3


def test_attempts_that_bring_new_bytes_do_not_wear_out_the_retries(server, download, body):
    server.put(NAME, Answer(body, stop_after=40_000))  # of every answer, so that all progress
    assert download(n_retries=1).read_bytes() == body
    assert len(server.log) == -(-len(body) // 40_000)


def test_a_complete_part_is_not_asked_for_again(server, download, body, tmp_path):
    """The process died between the last byte and the renaming."""
    note = {"url": server.url + NAME, "validator": '"1"', "size": len(body)}
    (tmp_path / f"{NAME}.part").write_bytes(body)
    (tmp_path / f"{NAME}.part.json").write_text(json.dumps(note))
    assert download().read_bytes() == body
    assert server.log == []


@pytest.mark.parametrize("note", ["", "{}", "[]", '{"url": "http://elsewhere/", "validator": "1"}'])
def test_a_part_of_unknown_origin_is_not_used(server, download, body, tmp_path, note):
    server.put(NAME, Answer(body))
    (tmp_path / f"{NAME}.part").write_bytes(b"something else")
    (tmp_path / f"{NAME}.part.json").write_text(note)
    assert download().read_bytes() == body
    assert server.ranges_asked() == [None]


def test_a_part_longer_than_the_file_is_dropped(server, download, body, tmp_path):
    note = {"url": server.url + NAME, "validator": '"1"', "size": 10**6}
    (tmp_path / f"{NAME}.part").write_bytes(bytes(900_000))
    (tmp_path / f"{NAME}.part.json").write_text(json.dumps(note))
    server.put(NAME, Answer(body))
    assert download().read_bytes() == body
    assert server.ranges_asked() == ["bytes=900000-", None]


def test_a_stalled_server_is_left_and_asked_again(server, download, body):
    server.put(NAME, Answer(body, stall_after=150_000), Answer(body))
    assert download().read_bytes() == body
    start = int(server.ranges_asked()[1].removeprefix("bytes=").removesuffix("-"))
    assert 0 < start <= 150_000


def test_a_server_that_stalls_for_good_ends_in_an_error(server, download, body):
    server.put(NAME, Answer(body, stall_after=0))
    with pytest.raises(ConnectionError, match=r"nothing arrived for 0\.2 s"):
        download(timeout=0.2, n_retries=1)
    assert len(server.log) == 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(server, download, body, status):
    server.put(NAME, Answer(status=status), Answer(body))
    assert download().read_bytes() == body


def test_a_server_that_stays_busy_ends_in_an_error(server, download):
    server.put(NAME, Answer(status=503))
    with pytest.raises(ConnectionError, match="answered 503 Service Unavailable"):
        download(n_retries=2)
    assert len(server.log) == 3


def test_the_waits_between_attempts_double(server, download, monkeypatch):
    waits = []
    monkeypatch.setattr(_download.time, "sleep", waits.append)
    server.put(NAME, Answer(status=503))
    with pytest.raises(ConnectionError):
        download(n_retries=7, delay=2.0)
    assert waits == [2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("status", [403, 404])
def test_an_absent_file_is_asked_for_once(server, download, status):
    server.put(NAME, Answer(status=status))
    with pytest.raises(FileNotFoundError, match=f"There is nothing at .*answered {status}"):
        download()
    assert len(server.log) == 1


def test_other_refusals_are_not_repeated(server, download):
    server.put(NAME, Answer(status=401))
    with pytest.raises(ConnectionError, match="answered 401"):
        download()
    assert len(server.log) == 1


def test_redirects_are_followed(server, download, body):
    server.put(NAME, Answer(status=302, headers={"Location": f"{server.url}moved"}))
    server.put("moved", Answer(body))
    assert download().read_bytes() == body


def test_redirects_in_a_circle_end_in_an_error(server, download):
    server.put(NAME, Answer(status=302, headers={"Location": server.url + NAME}))
    with pytest.raises(ConnectionError, match="redirects"):
        download()


def test_nobody_listens(tmp_path):
    with running_server() as server:
        url = server.url + NAME
    downloader = ResumingDownloader(tmp_path / "x.part", delay=0.001, n_retries=1, progress=False)
    with pytest.raises(ConnectionError, match="could not be reached"):
        downloader(url, str(tmp_path / "x"))
    assert files(tmp_path) == []


def test_a_server_that_never_answers(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/{NAME}"
        downloader = ResumingDownloader(tmp_path / "x.part", 0.1, n_retries=0, progress=False)
        with pytest.raises(ConnectionError, match=r"did not answer within 0\.1 s"):
            downloader(url, str(tmp_path / "x"))


def test_an_address_of_another_kind(tmp_path):
    downloader = ResumingDownloader(tmp_path / "x.part", progress=False)
    with pytest.raises(ConnectionError, match="ftp://localhost/x could not be downloaded"):
        downloader("ftp://localhost/x", str(tmp_path / "x"))


PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        (NAME, PAGE, "web page or an error message"),
        ("genes.probemap", b"  \n" + PAGE, "web page or an error message"),
        ("genes.probemap", b'<?xml version="1.0"?><Error/>', "web page or an error message"),
        (NAME, b"plain\ttext\n", r"no whole gzip file.*plain"),
        (NAME, b"", "is empty"),
        (NAME, gzip.compress(bytes(1000), mtime=0)[:-6], "no whole gzip file"),
        (NAME, gzip.compress(bytes(1000), mtime=0)[:-8] + bytes(8), "no whole gzip file.*CRC"),
        (NAME, gzip.compress(b"text", mtime=0)[:12] + b"\xff" * 30, "no whole gzip file"),
    ],
)
def test_wrong_bytes_are_refused_and_removed(server, download, tmp_path, name, wrong, message):
    server.put(name, Answer(wrong))
    with pytest.raises(DataFormatError, match=message):
        download(name)
    assert files(tmp_path) == []


def test_plain_text_is_taken_as_it_is(server, download):
    server.put("genes.probemap", Answer(b"#id\tgene\n"))
    assert download("genes.probemap").read_bytes() == b"#id\tgene\n"


def test_gzip_by_the_server_is_not_undone(server, download, body):
    """A stored .gz that is announced as an encoding must stay what its name says."""
    server.put(NAME, Answer(body, headers={"Content-Encoding": "gzip"}))
    assert download().read_bytes() == body
    assert server.log[0][1]["Accept-Encoding"] == "identity"


def test_a_length_that_is_too_short_cuts_the_file(server, download, body, tmp_path):
    server.put(NAME, Answer(body, length=1000))
    with pytest.raises(DataFormatError, match="no whole gzip file"):
        download()
    assert files(tmp_path) == []


def test_a_length_that_is_too_long_is_an_interruption(server, download, body):
    server.put(NAME, Answer(body, length=len(body) + 5))
    with pytest.raises(ConnectionError, match="5 more expected"):
        download(n_retries=0)
    with pytest.raises(ConnectionError, match="could not be downloaded"):
        download(n_retries=3)


def test_without_a_length_the_gzip_trailer_decides(server, download, body):
    server.put(NAME, Answer(body, length=False))
    assert download().read_bytes() == body
    server.put(NAME, Answer(body, length=False, stop_after=200_000))
    with pytest.raises(DataFormatError, match="no whole gzip file"):
        download()


def test_a_rest_without_a_length_must_reach_the_size_known_before(server, download, body):
    server.put(
        NAME,
        Answer(body, stop_after=100_000),
        Answer(body, length=False, stop_after=50_000),
        Answer(body),
    )
    assert download().read_bytes() == body
    assert server.ranges_asked() == [None, "bytes=100000-", "bytes=150000-"]


def test_space_is_asked_for_before_the_first_byte(server, download, body, tmp_path):
    server.put(NAME, Answer(body, length=10**18))
    with pytest.raises(OSError, match=r"disk is too full: the download needs 10{18} bytes"):
        download()
    assert not (tmp_path / f"{NAME}.part").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_disk_that_fills_up(server, download, body, tmp_path, monkeypatch):
    server.put(NAME, Answer(body, length=False))
    monkeypatch.setattr(ResumingDownloader, "_discard", lambda self: None)
    os.symlink("/dev/full", tmp_path / f"{NAME}.part")  # noqa: PTH211
    with pytest.raises(OSError, match=r"disk is too full.*OMITRANS_DATA"):
        download()


def test_the_progress_bar_counts_what_is_there_already(server, download, body, capsys):
    server.put(NAME, Answer(body, stop_after=200_000), Answer(body))
    download(progress=True)
    shown = capsys.readouterr().err
    assert NAME in shown
    assert "100%" in shown


def test_the_progress_bar_can_be_silent(server, download, body, capsys):
    server.put(NAME, Answer(body))
    download()
    assert capsys.readouterr() == ("", "")
