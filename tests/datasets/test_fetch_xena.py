"""The cache of files from a Xena hub: filled once, checked always, usable without a network."""

import gzip
import hashlib
import logging
import sys
import threading
import time
from pathlib import Path

import pooch
import pytest
from http_server import Answer, running_server
from sklearn.utils._param_validation import InvalidParameterError

from omitrans.datasets import fetch_probe_map, fetch_xena
from omitrans.exceptions import DataFormatError, MissingDependencyError, UnknownNameError

NAME = "TCGA-CHOL.star_tpm.tsv.gz"
BODY = gzip.compress(b"Ensembl_ID\tTCGA-A-01A\nENSG1.1\t1.5\n" * 500, mtime=0)
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def server():
    with running_server() as server:
        server.put(NAME, Answer(BODY))
        yield server


@pytest.fixture
def fetch(server, tmp_path):
    """Fetch NAME (or another) from the server into tmp_path."""

    def run(name=NAME, **options):
        options = {"timeout": 0.3, "delay": 0.001, "progress": False} | options
        return fetch_xena(name, base_url=server.url, data_home=tmp_path, **options)

    return run


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_the_second_call_asks_nobody(fetch, server):
    path = fetch()
    assert path.read_bytes() == BODY
    assert fetch() == path
    assert len(server.log) == 1


def test_the_cache_serves_without_a_network(tmp_path):
    with running_server() as server:
        server.put(NAME, Answer(BODY))
        options = {"base_url": server.url, "data_home": tmp_path, "progress": False}
        path = fetch_xena(NAME, **options)
    assert fetch_xena(NAME, **options) == path
    assert fetch_xena(NAME, download_if_missing=False, **options) == path


def test_without_network_and_copy_the_message_says_where_to_put_it(tmp_path):
    with running_server() as server:
        url = server.url
    with pytest.raises(ConnectionError, match=f"By hand: download {url}{NAME} and save it as"):
        fetch_xena(NAME, base_url=url, data_home=tmp_path, delay=0.0, n_retries=1, progress=False)


def test_a_file_put_there_by_hand_is_used(fetch, server):
    with pytest.raises(FileNotFoundError, match="By hand") as caught:
        fetch(download_if_missing=False)
    path = Path(str(caught.value).rpartition(" and save it as ")[2].removesuffix("."))
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY)
    assert fetch(download_if_missing=False) == path
    assert server.log == []
    assert SHA256 in path.with_name(f"{NAME}.sha256").read_text()


def test_a_damaged_file_put_there_by_hand_is_refused_and_left(fetch):
    path = fetch()
    path.with_name(f"{NAME}.sha256").unlink()
    path.write_bytes(BODY[:-20])
    with pytest.raises(DataFormatError, match="no whole gzip file"):
        fetch()
    assert path.exists()


def test_the_first_hash_is_noted_as_sha256sum_reads_it(fetch):
    path = fetch()
    assert path.with_name(f"{NAME}.sha256").read_text() == f"{SHA256}  {NAME}\n"
    assert visible(path.parent) == [NAME, f"{NAME}.sha256"]


def test_a_copy_that_rots_is_replaced(fetch, server):
    path = fetch()
    path.write_bytes(BODY[:-1] + b"!")
    assert fetch().read_bytes() == BODY
    assert len(server.log) == 2


def test_a_copy_that_rots_is_not_used_when_it_may_not_be_replaced(fetch):
    path = fetch()
    path.write_bytes(BODY[:-1] + b"!")
    with pytest.raises(FileNotFoundError, match="damaged or another version"):
        fetch(download_if_missing=False)


def test_a_file_that_the_hub_has_changed_is_noticed(fetch, server):
    path = fetch()
    path.unlink()
    server.put(NAME, Answer(gzip.compress(b"other")))
    with pytest.raises(DataFormatError, match=r"not the expected file.*new version that you trust"):
        fetch()
    assert visible(path.parent) == [f"{NAME}.sha256"]
    path.with_name(f"{NAME}.sha256").unlink()
    assert gzip.decompress(fetch().read_bytes()) == b"other"


@pytest.mark.parametrize(
    "known_hash", [SHA256, f"sha256:{SHA256}", f"md5:{hashlib.md5(BODY).hexdigest()}"]
)
def test_a_known_hash_is_accepted(fetch, server, known_hash):
    assert fetch(known_hash=known_hash) == fetch(known_hash=known_hash) == fetch()
    assert len(server.log) == 1


def test_a_wrong_hash_leaves_nothing(fetch, tmp_path):
    with pytest.raises(
        DataFormatError, match="not the expected file, and the download was removed"
    ):
        fetch(known_hash="0" * 64)
    (folder,) = (tmp_path / "xena").iterdir()
    assert visible(folder) == []


def test_a_known_hash_overrules_the_noted_one(fetch, server):
    path = fetch()
    new = gzip.compress(b"new version")
    server.put(NAME, Answer(new))
    assert fetch(known_hash=hashlib.sha256(new).hexdigest()).read_bytes() == new
    assert fetch().read_bytes() == new
    assert path.with_name(f"{NAME}.sha256").read_text() == (
        f"{hashlib.sha256(new).hexdigest()}  {NAME}\n"
    )


@pytest.mark.parametrize("known_hash", ["abc", "z" * 64, "crc99:1234", "md5:" + "0" * 64, ""])
def test_a_hash_that_cannot_be_one_costs_no_download(fetch, server, known_hash):
    with pytest.raises(ValueError, match="known_hash must be 64 hexadecimal digits"):
        fetch(known_hash=known_hash)
    assert server.log == []


@pytest.mark.parametrize("note", ["", "nonsense"])
def test_an_unreadable_note_is_named(fetch, note):
    record = fetch().with_name(f"{NAME}.sha256")
    record.write_text(note)
    with pytest.raises(DataFormatError, match=r"\.sha256 does not hold a SHA-256"):
        fetch()


def test_an_interrupted_download_is_continued_by_the_next_call(fetch, server):
    server.put(NAME, Answer(BODY, stop_after=50), Answer(BODY))
    with pytest.raises(ConnectionError, match=r"first 50 bytes are kept.*By hand"):
        fetch(n_retries=0)
    path = fetch()
    assert server.ranges_asked() == [None, "bytes=50-"]
    assert visible(path.parent) == [NAME, f"{NAME}.sha256"]


def test_a_web_page_leaves_nothing(fetch, server, tmp_path):
    server.put(NAME, Answer(b"<html>captive portal</html>"))
    with pytest.raises(DataFormatError, match="web page"):
        fetch()
    (folder,) = (tmp_path / "xena").iterdir()
    assert visible(folder) == []


def test_an_absent_file_is_named(fetch):
    with pytest.raises(FileNotFoundError, match=r"There is nothing at .*TCGA-XXXX"):
        fetch("TCGA-XXXX.star_tpm.tsv.gz")


def test_names_with_folders_are_quoted(fetch, server):
    name = "TCGA.BRCA.sampleMap/HiSeqV2.gz"
    server.put(name, Answer(BODY))
    path = fetch(name)
    assert path.parts[-2:] == ("TCGA.BRCA.sampleMap", "HiSeqV2.gz")
    assert server.log[0][0] == "/TCGA.BRCA.sampleMap%2FHiSeqV2.gz"


@pytest.mark.parametrize(
    "name", ["", "../x", "a/../x", "/etc/passwd", "a//b", "a\\b", ".hidden", "a/", "c:x", "a%2Fb"]
)
def test_names_that_leave_the_cache_are_refused(fetch, server, name):
    with pytest.raises(ValueError, match="must be the name of a file in the hub"):
        fetch(name)
    assert server.log == []


@pytest.mark.parametrize("base_url", ["gdc-hub.s3.amazonaws.com", "file:///etc", "http://"])
def test_mirrors_need_an_address(tmp_path, base_url):
    with pytest.raises(ValueError, match=r"base_url must begin with http:// or https://"):
        fetch_xena(NAME, base_url=base_url, data_home=tmp_path)


def test_two_mirrors_do_not_share_files(fetch, server, tmp_path):
    server.put(f"mirror/{NAME}", Answer(gzip.compress(b"mirrored")))
    other = fetch_xena(NAME, base_url=f"{server.url}mirror", data_home=tmp_path, progress=False)
    assert other != fetch()
    assert gzip.decompress(other.read_bytes()) == b"mirrored"


def test_the_hubs_have_folders_of_their_own(tmp_path):
    for hub, host in {"gdc": "gdc-hub", "tcga": "tcga-xena-hub"}.items():
        message = rf"https://{host}\.s3\.us-east-1\.amazonaws\.com/download/{NAME}.*{hub}/{NAME}\.$"
        with pytest.raises(FileNotFoundError, match=message):
            fetch_xena(NAME, hub=hub, data_home=tmp_path, download_if_missing=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["variable", "system"])
def test_the_folder_of_the_cache(server, tmp_path, monkeypatch, given):
    if given == "variable":
        monkeypatch.setenv("OMITRANS_DATA", str(tmp_path))
    else:
        monkeypatch.delenv("OMITRANS_DATA", raising=False)
        monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / project)
    path = fetch_xena(NAME, base_url=server.url, progress=False)
    assert path.is_relative_to(tmp_path / ("" if given == "variable" else "omitrans"))


def test_silence_is_silent_and_the_logger_is_left_as_it_was(fetch, capsys, monkeypatch):
    before, told = pooch.get_logger().level, []
    monkeypatch.setattr(pooch.get_logger().handlers[0], "emit", told.append)
    fetch()
    assert told == []
    assert capsys.readouterr() == ("", "")
    assert pooch.get_logger().level == before != logging.WARNING


def test_the_bar_is_all_that_is_shown(fetch, capsys):
    fetch(progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert NAME in shown.err
    assert "known_hash" not in shown.err


def test_threads_that_ask_at_once_download_once(fetch, server):
    paths = []
    threads = [threading.Thread(target=lambda: paths.append(fetch())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 1
    assert len(paths) == 4
    assert len(server.log) == 1


def test_who_waits_for_another_is_told(fetch, server, capsys):
    server.put(NAME, Answer(BODY, stall_after=10), Answer(BODY))
    first = threading.Thread(target=fetch)
    first.start()
    while not server.log:
        time.sleep(0.001)
    fetch(progress=True)
    first.join()
    assert f"Waiting for another process that downloads {NAME}." in capsys.readouterr().err
    assert server.ranges_asked() == [None, None]


def test_without_the_extra_the_message_says_how_to_get_it(fetch, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'omitrans\[fetch\]'"):
        fetch()


@pytest.mark.parametrize(
    "wrong", [{"hub": "toil"}, {"n_retries": -1}, {"timeout": 0}, {"progress": "no"}]
)
def test_parameters_are_checked(fetch, wrong):
    with pytest.raises(InvalidParameterError, match=next(iter(wrong))):
        fetch(**wrong)


MAP = b"""\
#id	gene	chrom	chromStart	chromEnd	strand
cg1	DDX11L1	chr1	11869	11870	+
"""


@pytest.mark.parametrize(
    ("hub", "features", "name", "key"),
    [
        ("gdc", "450K", "HM450.hg38.manifest.gencode.v36.probeMap", "probe_id"),
        ("gdc", "genes", "gencode.v36.annotation.gtf.gene.probemap", "gene_id"),
        ("tcga", "450K", "probeMap/illuminaMethyl450_hg19_GPL16304_TCGAlegacy", "probe_id"),
    ],
)
def test_probe_maps_are_read(server, tmp_path, hub, features, name, key):
    server.put(name, Answer(MAP))
    table = fetch_probe_map(
        features, hub=hub, base_url=server.url, data_home=tmp_path, progress=False
    )
    assert table[key].tolist() == ["cg1"]


def test_maps_that_a_hub_lacks():
    with pytest.raises(
        UnknownNameError, match="'27K' is known for the hub 'tcga', which has '450K"
    ):
        fetch_probe_map("27K", hub="tcga")
