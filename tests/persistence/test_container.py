"""A file is written whole or not at all, and a damaged one is never believed."""

import errno
import hashlib
import io
import os
import pickle
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager

import joblib
import numpy as np
import pytest
import safetensors.torch
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import omitrans
from omitrans.exceptions import ModelFileError
from omitrans.persistence import _container, read_summary

MEMBERS = ["model.json", "arrays.safetensors", "SHA256SUMS"]
X = np.arange(20.0).reshape(5, 4) ** 1.5
Y = np.c_[X.sum(axis=1), X[:, 0]]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.omitrans"
    omitrans.save(make_pipeline(StandardScaler(), Ridge()).fit(X, Y), path)
    return path


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)


# --- what is written ---


def test_three_stored_members_with_checksums_any_tool_reads(path, tmp_path):
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == MEMBERS
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        archive.extractall(tmp_path)
    sums = (tmp_path / "SHA256SUMS").read_text()
    for line, name in zip(sums.splitlines(), MEMBERS[:2], strict=True):
        assert line == f"{hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}  {name}"
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)


def test_the_same_model_gives_the_same_bytes(path, tmp_path):
    again = tmp_path / "again.omitrans"
    omitrans.save(omitrans.load(path), again)
    assert again.read_bytes() == path.read_bytes()


def test_other_readers_of_safetensors_open_the_arrays(path, tmp_path):
    with zipfile.ZipFile(path) as archive:
        archive.extract("arrays.safetensors", tmp_path)
    arrays = safetensors.torch.load_file(tmp_path / "arrays.safetensors")
    scaler = omitrans.load(path)[0]
    np.testing.assert_array_equal(arrays["Pipeline.steps[0][1].mean_"].numpy(), scaler.mean_)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_permissions_follow_the_umask(path):
    (path.parent / "plain").write_bytes(b"")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((path.parent / "plain").stat().st_mode)


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_link_stays_a_link(path):
    link = path.with_name("latest")
    link.symlink_to(path.name)
    omitrans.save(Ridge(alpha=7.0), link)
    assert link.is_symlink()
    assert omitrans.load(path).alpha == 7.0


@contextmanager
def limited(kind, n_bytes):
    """Limit the size of files ("FSIZE") or of the memory ("AS") that this process may take."""
    resource = pytest.importorskip("resource")
    kind = getattr(resource, f"RLIMIT_{kind}")
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


def fail_with(error):
    def fail(*args, **kwargs):
        raise error

    return fail


FULL_DISK = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("error", [FULL_DISK, KeyboardInterrupt(), MemoryError()], ids=repr)
@pytest.mark.parametrize("step", ["arrays", "copy", "sync", "replace"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_broken_off_save_leaves_the_old_file_and_nothing_else(
    path, monkeypatch, error, step, exists
):
    if not exists:
        path.unlink()
    before = path.read_bytes() if exists else None
    owner, name = {
        "arrays": (_container, "save_file"),
        "copy": (_container, "_copy"),
        "sync": (os, "fsync"),
        "replace": (type(path), "replace"),
    }[step]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail_with(error))
        with pytest.raises(type(error)):
            omitrans.save(Ridge().fit(X, Y), path)
    assert [file.name for file in path.parent.iterdir()] == ([path.name] if exists else [])
    assert before is None or path.read_bytes() == before


def test_a_disk_that_fills_up_while_writing(path, monkeypatch):
    """As above, with every write failing from the middle on, those of the clean-up too."""
    before = path.read_bytes()

    class SmallDisk(io.FileIO):
        def write(self, block):
            if self.tell() > 100_000:
                raise FULL_DISK
            return super().write(block)

    plain_open = type(path).open

    def open_on_small_disk(path, mode="r", **options):
        if mode == "xb":
            return io.BufferedRandom(SmallDisk(path, "x+"))
        return plain_open(path, mode, **options)

    monkeypatch.setattr(type(path), "open", open_on_small_disk)
    model = Ridge()
    model.coef_ = np.zeros(10**6)
    with pytest.raises(OSError, match="No space left"):
        omitrans.save(model, path)
    monkeypatch.undo()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_a_disk_that_does_not_take_the_arrays(path):
    before = path.read_bytes()
    model = Ridge()
    model.coef_ = np.zeros(10**6)
    with limited("FSIZE", 10**5), pytest.raises(OSError, match="Cannot write the arrays to"):
        omitrans.save(model, path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"The folder .*missing does not exist"):
        omitrans.save(Ridge(), tmp_path / "missing" / "model.omitrans")


def test_a_path_that_is_a_folder(tmp_path):
    with pytest.raises(IsADirectoryError, match=r"is a folder\. Give a file"):
        omitrans.save(Ridge(), tmp_path)
    assert not list(tmp_path.iterdir())


# --- what is unpacked while a file is read ---


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """The folder of temporary files."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_nothing_stays_unpacked(path, unpacked, monkeypatch):
    omitrans.load(path)
    assert not list(unpacked.iterdir())
    for error, raised in [(KeyboardInterrupt(), KeyboardInterrupt), (KeyError(), ModelFileError)]:
        monkeypatch.setattr(_container, "read_arrays", fail_with(error))
        with pytest.raises(raised):
            omitrans.load(path)
        assert not list(unpacked.iterdir())


@pytest.fixture
def large(path):
    """A file with an array of 80 MB."""
    model = Ridge()
    model.coef_ = np.zeros(10**7)
    omitrans.save(model, path)
    return path


def test_no_room_to_unpack(large, unpacked):
    with limited("FSIZE", 10**5), pytest.raises(OSError, match="set TMPDIR to a folder with room"):
        omitrans.load(large)
    assert not list(unpacked.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit memory")
def test_short_memory_is_not_the_fault_of_the_file(large, unpacked):
    # a process of its own: memory that earlier tests freed would hide the limit
    command = [sys.executable, "-c", SHORT_OF_MEMORY, str(large)]
    environment = {**os.environ, "TMPDIR": str(unpacked)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "MemoryError\n"
    assert not list(unpacked.iterdir())


SHORT_OF_MEMORY = """
import resource, sys
import psutil, safetensors, sklearn.linear_model
import omitrans

load = omitrans.load
# the arrays fit once, and the file they are read from is mapped beside them
room = psutil.Process().memory_info().vms + 120 * 10**6
resource.setrlimit(resource.RLIMIT_AS, (room, room))
try:
    load(sys.argv[1])
except MemoryError:
    print("MemoryError")
"""


# --- files of another kind ---


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.omitrans"):
        omitrans.load(tmp_path / "none.omitrans")


def test_a_folder(tmp_path):
    with pytest.raises(ModelFileError, match="is a folder"):
        omitrans.load(tmp_path)


def test_an_empty_file(tmp_path):
    (tmp_path / "m").touch()
    with pytest.raises(ModelFileError, match="is empty"):
        omitrans.load(tmp_path / "m")


class Bomb:
    """Its pickle raises when it is read."""

    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was executed')",)


def test_a_pickle_is_not_executed(tmp_path):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelFileError, match="looks like a pickle"):
        omitrans.load(tmp_path / "m.pkl")
    joblib.dump(Ridge(), tmp_path / "m.joblib")
    with pytest.raises(ModelFileError, match="looks like a pickle"):
        omitrans.load(tmp_path / "m.joblib")


@pytest.mark.parametrize("content", [b"PK", b"hello\n", b"{}", b"\x93NUMPY\x01\x00", b"\x00" * 300])
def test_a_file_of_another_kind(tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"not written by omitrans\.save"):
        omitrans.load(tmp_path / "m")


def test_another_zip(tmp_path):
    np.savez(tmp_path / "m.npz", a=np.zeros(2))
    with pytest.raises(ModelFileError, match=r"a zip that holds a\.npy"):
        omitrans.load(tmp_path / "m.npz")


# --- damaged and forged containers ---


def test_every_truncation_is_refused(path):
    content = path.read_bytes()
    for length in range(0, len(content), max(1, len(content) // 150)):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError, match=str(path)):
            omitrans.load(path)


def test_no_flipped_byte_changes_a_model(path):
    content, expected = path.read_bytes(), omitrans.load(path).predict(X)
    refused = 0
    offsets = range(0, len(content), 11)
    for offset in offsets:
        path.write_bytes(content[:offset] + bytes([content[offset] ^ 0x41]) + content[offset + 1 :])
        try:
            model = omitrans.load(path)
        except ModelFileError:
            refused += 1
        else:  # a date or a permission bit of the zip
            np.testing.assert_array_equal(model.predict(X), expected)
    assert refused > 0.9 * len(offsets)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_flipped_byte_in_any_member_is_refused(path, name):
    for position in (0, -1):
        members = members_of(path)
        content = bytearray(members[name])
        content[position] ^= 1
        members[name] = bytes(content)
        altered = path.with_name("altered")
        write_members(altered, members.items())
        with pytest.raises(ModelFileError, match=r"checksum|does not name|truncated, altered"):
            omitrans.load(altered)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_missing_member(path, name):
    write_members(path, ((key, value) for key, value in members_of(path).items() if key != name))
    with pytest.raises(ModelFileError, match="a zip that holds"):
        omitrans.load(path)


@pytest.mark.parametrize(
    "name", ["code.py", "../../evil", "/etc/passwd", "model.json/", "MODEL.JSON"]
)
def test_an_extra_member_is_refused_and_never_unpacked(path, name):
    write_members(path, [*members_of(path).items(), (name, b"x")])
    before = set(path.parent.rglob("*"))
    with pytest.raises(ModelFileError, match="a zip that holds"):
        omitrans.load(path)
    assert set(path.parent.rglob("*")) == before


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_twice(path, name):
    members = members_of(path)
    write_members(path, [*members.items(), (name, members[name])])
    with pytest.raises(ModelFileError, match="a zip that holds"):
        omitrans.load(path)


def test_a_zip_bomb_is_not_unpacked(path):
    members = members_of(path) | {"arrays.safetensors": bytes(10**7)}
    write_members(path, members.items(), zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelFileError, match="is compressed"):
        omitrans.load(path)


@pytest.mark.parametrize("offset", [20, 24], ids=["packed", "unpacked"])
def test_a_huge_declared_size(path, offset):
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")  # the last member in the directory of the zip
    content[entry + offset : entry + offset + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="sizes"):
        omitrans.load(path)


def test_data_before_or_behind_the_zip(path):
    content = path.read_bytes()
    path.write_bytes(b"#!/bin/sh\n" + content)
    with pytest.raises(ModelFileError, match=r"not written by omitrans\.save"):
        omitrans.load(path)
    path.write_bytes(content + bytes(10_000))
    with pytest.raises(ModelFileError, match="sizes of its members"):
        omitrans.load(path)


def test_a_summary_comes_from_a_checked_document(path):
    members = members_of(path)
    members["model.json"] = members["model.json"].replace(
        b'"n_features_in": 4', b'"n_features_in": 5'
    )
    write_members(path, members.items())
    with pytest.raises(ModelFileError, match="checksum"):
        read_summary(path)
