"""Write files so that a failed write leaves no partial file."""

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path

from omitrans.exceptions import OmiTransError
from omitrans.utils._file_locks import LockHeldError, take_lock

DISK_FULL = {errno.ENOSPC, errno.EFBIG, *filter(None, [getattr(errno, "EDQUOT", None)])}
FREE = "MiB are free in"
_MAX_AGE = 24 * 3600  # seconds, where locks do not tell whether a partial file is being written
_LOCK = ".omitrans-lock"
_LONGEST_LABEL = 180  # bytes; names may have 255
_PROBE = b"\0" * 65536


@contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path to write to; rename the file to `path` if the block succeeds.

    After an error, a full disk or Ctrl-C no partial file is left, and an existing file is
    unchanged. What a killed process left is removed by the next write of the same file. Several
    processes may write one file at once: the last to finish wins.

    Parameters
    ----------
    path : path-like
        Path of the file to make or replace; a link stays a link. A replaced file keeps its
        permissions and, where the system allows it, its owner and group.

    Yields
    ------
    pathlib.Path
        Path of a new file of the same name, in a hidden folder beside `path` that only this
        process writes to and only this user may open.

    Raises
    ------
    IsADirectoryError
        If `path` is a folder.
    FileNotFoundError
        If the folder of `path` does not exist.
    OSError
        If the file cannot be written. When the disk is full, `errno` says so, and the message gives
        the path and the free space.
    """
    target = Path(os.path.realpath(path))
    _check_target(target, path)
    folder = None
    try:
        _remove_stale(target)
        folder, lock = _make_folder(target)
        temporary = folder / target.name
        try:
            yield temporary
            _sync(temporary)
            _copy_permissions(target, temporary)
            temporary.replace(target)
        finally:
            os.close(lock)
    except Exception as error:
        full = _why_full(error, folder)
        if full is None:
            raise
        raise _explained(full, error, path, target.parent) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _explained(full: OSError, error: Exception, path: str | PathLike[str], folder: Path) -> OSError:
    """Return an error that says which file the disk does not take, and how much space is left."""
    try:
        free = f"{shutil.disk_usage(folder).free / 2**20:,.1f} {FREE} {folder}"
    except OSError:
        free = f"the free space of {folder} is unknown"
    reason = os.strerror(full.errno or 0)
    if full.errno == errno.EFBIG:
        reason += ", by its file system or a limit of this process (ulimit -f)"
    said = "" if full in _causes(error) else f" The library that writes says: {error}."
    kept = " The file that was there is left as it was." if os.path.lexists(path) else ""
    return OSError(
        full.errno,
        f"could not be written: {reason} ({free}).{said}{kept} Make room, or choose another folder",
        os.fspath(path),
    )


def _check_target(target: Path, path: str | PathLike[str]) -> None:
    if target.is_dir() or os.fspath(path).endswith(("/", os.sep)):
        raise IsADirectoryError(f"{path} is a folder. Give a file in it.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"The folder {target.parent} does not exist. Make it first.")
    if target.exists() and not target.is_file():
        raise OSError(f"{path} is a device or a pipe. Give the name of an ordinary file.")


def _label(target: Path) -> str:
    """Return the beginning of the names of all temporary folders of a file."""
    name = target.name
    if len(os.fsencode(name)) > _LONGEST_LABEL:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:40]
    return f".{name}."


def _make_folder(target: Path) -> tuple[Path, int]:
    """Make a folder that no other writer uses; return it and the descriptor of its lock."""
    while True:
        folder = target.with_name(f"{_label(target)}{secrets.token_hex(8)}.partial")
        folder.mkdir(mode=0o700)
        try:
            lock, _ = take_lock(folder / _LOCK)
        except (LockHeldError, FileNotFoundError):  # another writer took it for a stale one
            if not target.parent.is_dir():
                raise
            continue
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if (folder / _LOCK).exists():
            return folder, lock
        os.close(lock)


def _remove_stale(target: Path) -> None:
    """Remove what killed writers of a file left; what is being written stays."""
    pattern = re.compile(re.escape(_label(target)) + "[0-9a-f]{16}[.]partial")
    with suppress(OSError), os.scandir(target.parent) as entries:
        stale = [
            Path(entry.path)
            for entry in entries
            if pattern.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
        for folder in stale:
            _remove_if_stale(folder)


def _remove_if_stale(folder: Path) -> None:
    try:
        lock, locked = take_lock(folder / _LOCK)
    except (LockHeldError, OSError):  # being written, or removed meanwhile, or another user's
        return
    try:
        if locked or time.time() - _last_change(folder) > _MAX_AGE:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
    if locked and os.name == "nt":  # which removes no open file, such as the lock
        shutil.rmtree(folder, ignore_errors=True)


def _last_change(folder: Path) -> float:
    with os.scandir(folder) as entries:
        return max((entry.stat().st_mtime for entry in entries), default=time.time())


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _copy_permissions(target: Path, temporary: Path) -> None:
    """Give a file the owner, group and mode of the file that it replaces."""
    try:
        old = target.stat()
    except FileNotFoundError:
        return  # a new file has what the umask gives
    new = temporary.stat()
    mode = stat.S_IMODE(old.st_mode)
    if hasattr(os, "chown") and (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        try:
            os.chown(temporary, old.st_uid, old.st_gid)
        except OSError:
            try:
                os.chown(temporary, -1, old.st_gid)
            except OSError:  # what was for one group is not opened to another one
                mode &= ~0o070 | (mode & 0o007) << 3
    temporary.chmod(mode)


def _causes(error: BaseException | None) -> list[BaseException]:
    causes: list[BaseException] = []
    while error is not None and error not in causes:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes


def _why_full(error: Exception, folder: Path | None) -> OSError | None:
    """Return the error that says that the disk takes no more; None if that is not the fault."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause if cause.errno in DISK_FULL else None
    if folder is None or isinstance(error, OmiTransError | MemoryError):
        return None
    # torch, HDF5 and safetensors do not hand on the number
    for number in DISK_FULL:
        if os.strerror(number) in str(error):
            return OSError(number, os.strerror(number))
    # or nothing but a position: does the disk take more?
    try:
        for path in folder.iterdir():
            with open(path, "ab") as file:  # noqa: PTH123
                file.write(_PROBE)
                file.flush()
                os.fsync(file.fileno())
    except OSError as full:
        return full if full.errno in DISK_FULL else None
    return None
