"""Files are replaced whole, with their permissions; what killed writers left is removed."""

import errno
import os
import stat
import time

import pytest

from omitrans.exceptions import DataFormatError
from omitrans.utils import _file_locks
from omitrans.utils._files import replacing

posix = pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    return path


def replace(path, text="new"):
    with replacing(path) as unfinished:
        unfinished.write_text(text)


def names(path):
    return sorted(file.name for file in path.parent.iterdir())


def leave_partial_file(path, name=None):
    """Leave what a killed writer of a file leaves; return its folder."""
    folder = path.with_name(f".{name or path.name}.{'0123456789abcdef'}.partial")
    folder.mkdir()
    (folder / ".omitrans-lock").touch()
    (folder / path.name).write_text("half")
    return folder


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_a_replaced_file_keeps_its_mode(path, mode):
    path.chmod(mode)
    replace(path)
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_new_file_takes_the_umask(path):
    path.unlink()
    before = os.umask(0o027)
    try:
        replace(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@posix
def test_a_group_that_cannot_be_kept_loses_its_rights_to_the_new_one(path, monkeypatch):
    def refuse(*args):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    path.chmod(0o664)
    monkeypatch.setattr(os, "chown", refuse)
    replace(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664  # owner and group are the same
    stat_of = type(path).stat
    monkeypatch.setattr(
        type(path),
        "stat",
        lambda self, **options: (
            os.stat_result([*(result := stat_of(self, **options))[:5], 12345, *result[6:10]])
            if self == path
            else stat_of(self, **options)
        ),
    )
    replace(path)
    monkeypatch.undo()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@posix
def test_nobody_else_reads_what_is_being_written(path):
    with replacing(path) as unfinished:
        assert stat.S_IMODE(unfinished.parent.stat().st_mode) == 0o700
        unfinished.write_text("new")


@pytest.mark.parametrize("length", [5, 150, 240])
def test_what_a_killed_writer_left_is_removed(path, length):
    path = path.with_name("a" * length)
    replace(path, "old")
    with replacing(path) as unfinished:  # to know how it is called
        folder = unfinished.parent
        unfinished.write_text("newer")
    stale = folder.with_name(folder.name.replace(folder.name[-24:-8], "0123456789abcdef"))
    stale.mkdir()
    (stale / "half").write_text("half")
    (stale / "half.arrays").write_text("half")
    replace(path)
    assert names(path) == sorted([path.name, "table.csv"])


def test_what_others_left_stays(path):
    other = leave_partial_file(path, name="table.csv.gz")
    replace(path)
    assert names(path) == [other.name, path.name]


def test_what_is_being_written_stays(path):
    with replacing(path) as first:
        first.write_text("first")
        with replacing(path) as second:
            assert second.parent != first.parent
            second.write_text("second")
        assert path.read_text() == "second"
        assert first.read_text() == "first"
    assert path.read_text() == "first"
    assert names(path) == [path.name]


def test_a_folder_that_another_writer_took_for_stale_is_made_anew(path, monkeypatch):
    """Between the making and the locking of a folder another writer may remove it."""
    from omitrans.utils import _files

    taken = []

    def take_lock(lock):
        if not taken:
            lock.parent.rmdir()
            taken.append(lock)
        return _file_locks.take_lock(lock)

    monkeypatch.setattr(_files, "take_lock", take_lock)
    replace(path)
    assert taken
    assert path.read_text() == "new"
    assert names(path) == [path.name]


def test_without_locks_only_old_partial_files_are_removed(path, monkeypatch):
    monkeypatch.setattr(_file_locks, "_lock", lambda descriptor: False)
    stale = leave_partial_file(path)
    replace(path)
    assert names(path) == [stale.name, path.name]
    for file in stale.iterdir():
        os.utime(file, (time.time() - 2 * 24 * 3600,) * 2)
    replace(path)
    assert names(path) == [path.name]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
@pytest.mark.parametrize("hidden", [False, True])
def test_a_full_disk_is_explained(path, number, hidden):
    """Also where a library hides the number of the error, as torch, HDF5 and safetensors do."""
    text = os.strerror(number)
    error = RuntimeError(f"write failed: {text}") if hidden else OSError(number, text)
    with (  # noqa: PT012
        pytest.raises(OSError, match=rf"{text}.* MiB are free in .*left as it was") as caught,
        replacing(path) as unfinished,
    ):
        unfinished.write_text("half")
        raise error
    assert caught.value.errno == number
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert names(path) == [path.name]


def test_a_full_disk_is_found_where_the_library_says_nothing(path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with (  # noqa: PT012
            pytest.raises(OSError, match=r"ulimit -f.*says: unexpected pos 64"),
            replacing(path) as unfinished,
        ):
            unfinished.write_text("half" * 1000)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4000, before[1]))
            raise RuntimeError("unexpected pos 64 vs 0")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "error", [DataFormatError("x"), RuntimeError("x"), OSError(errno.EIO, "x"), KeyError("x")]
)
def test_other_errors_stay_as_they_are(path, error):
    with pytest.raises(type(error)) as caught, replacing(path) as unfinished:  # noqa: PT012
        unfinished.write_text("half")
        raise error
    assert caught.value is error
    assert names(path) == [path.name]


@posix
def test_devices_are_not_replaced():
    with pytest.raises(OSError, match="/dev/null is a device"), replacing("/dev/null"):
        pass
