"""Cache of downloaded files: its folder, the check of hashes, and a lock for writing."""

import hashlib
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from omitrans.datasets.fetch._download import ResumingDownloader, check_content
from omitrans.exceptions import DataFormatError
from omitrans.utils._files import replacing
from omitrans.utils._optional import import_optional

_PURPOSE = "download data sets"


def find_data_home(data_home: str | PathLike[str] | None) -> Path:
    """Return the cache folder: the argument, ``OMITRANS_DATA`` or the system's cache folder."""
    pooch = import_optional("pooch", extra="fetch", purpose=_PURPOSE)
    return Path(
        data_home or os.environ.get("OMITRANS_DATA") or pooch.os_cache("omitrans")
    ).expanduser()


def fetch_file(
    url: str,
    path: Path,
    *,
    known_hash: str | None,
    download_if_missing: bool,
    n_retries: int,
    delay: float,
    timeout: float,
    progress: bool,
) -> Path:
    """Return the path of the cached file; download the file if it is absent or damaged.

    Parameters
    ----------
    url : str
        Address of the file.
    path : Path
        Path of the file in the cache.
    known_hash : str or None
        SHA-256 of the file, or another hash as "algorithm:digest". With None, the file must have
        the SHA-256 that was stored beside it (``<name>.sha256``) at the first download.
    download_if_missing : bool
        Whether the file may be downloaded.
    n_retries, delay, timeout, progress
        See :class:`omitrans.datasets.fetch._download.ResumingDownloader`.

    Returns
    -------
    Path
        The given `path`.

    Raises
    ------
    OSError
        If the file is absent and cannot or may not be downloaded.
    DataFormatError
        If the file is not the expected one.
    """
    pooch = import_optional("pooch", extra="fetch", purpose=_PURPOSE)
    record = path.with_name(path.name + ".sha256")
    expected = _checked_hash(known_hash) or _read_record(record)
    if expected and path.exists() and pooch.hashes.hash_matches(path, expected):
        return path  # without a lock: the cache may be read-only
    if not download_if_missing and not path.exists():
        raise FileNotFoundError(
            f"{path} is absent and download_if_missing=False. {_by_hand(url, path)}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with _sole_writer(path, progress=progress):
        expected = known_hash or _read_record(record)
        if path.exists() and expected is None:
            check_content(path, path.name, origin=str(path))
        downloader = ResumingDownloader(
            path.with_name(path.name + ".part"), timeout, n_retries, delay, progress
        )
        _retrieve(url, path, expected, downloader if download_if_missing else _refuse)
        _write_record(record, pooch.file_hash(str(path)))
    return path


def _retrieve(url: str, path: Path, expected: str | None, downloader: Any) -> None:
    """Let pooch compare the cached file with its hash, and replace it if necessary."""
    pooch = import_optional("pooch", extra="fetch", purpose=_PURPOSE)
    cache = pooch.create(
        path.parent, base_url="", registry={path.name: expected}, urls={path.name: url}
    )
    try:
        with _quiet(pooch.get_logger()):
            cache.fetch(path.name, downloader=downloader)
    except DataFormatError:
        raise
    except ConnectionError as error:
        raise ConnectionError(f"{error} {_by_hand(url, path)}") from error
    except ValueError as error:
        raise DataFormatError(
            f"{url} is not the expected file, and the download was removed: {error} If the hub has "
            "published a new version that you trust, give its known_hash, or remove "
            f"{path.name}.sha256 from {path.parent}."
        ) from error


def _refuse(url: str, output_file: str, pooch: Any) -> None:
    raise FileNotFoundError(
        f"The cached copy of {url} is damaged or another version, and download_if_missing=False. "
        "Allow the download, or remove the file with its .sha256."
    )


def _by_hand(url: str, path: Path) -> str:
    return f"By hand: download {url} and save it as {path}."


def _checked_hash(known_hash: str | None) -> str | None:
    """Return the hash; raise an error before any download if it is not a valid hash."""
    if known_hash is None:
        return None
    algorithm, _, digest = known_hash.rpartition(":")
    try:
        n_digits = 2 * hashlib.new(algorithm or "sha256").digest_size
        right = len(digest) == n_digits and int(digest, 16) >= 0
    except ValueError:
        right = False
    if not right:
        raise ValueError(
            "known_hash must be 64 hexadecimal digits (SHA-256), or an algorithm of hashlib and "
            f"its digest as in 'md5:...'. Got {known_hash!r}."
        )
    return known_hash


def _read_record(record: Path) -> str | None:
    """Return the stored SHA-256, or None if there is none."""
    try:
        return _checked_hash(record.read_text(encoding="utf-8").split()[0])
    except FileNotFoundError:
        return None
    except (ValueError, IndexError) as error:
        raise DataFormatError(
            f"{record} does not hold a SHA-256. Remove it, and the file is trusted as it is."
        ) from error


def _write_record(record: Path, digest: str) -> None:
    """Store the SHA-256 in the format that ``sha256sum --check`` reads."""
    with replacing(record) as new:
        new.write_text(f"{digest}  {record.name.removesuffix('.sha256')}\n", encoding="utf-8")


@contextmanager
def _sole_writer(path: Path, *, progress: bool) -> Iterator[None]:
    """Prevent the same download in other processes; the system frees the lock of a dead process."""
    filelock = import_optional("filelock", extra="fetch", purpose=_PURPOSE)
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        if progress:
            tqdm.write(f"Waiting for another process that downloads {path.name}.", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Silence a logger, since the progress bar shows the state."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
