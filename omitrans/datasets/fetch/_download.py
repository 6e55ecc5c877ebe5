"""Download one file over HTTP: resume it after a break, retry it, and check its content."""

import errno
import gzip
import json
import re
import shutil
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm.auto import tqdm

from omitrans.exceptions import DataFormatError
from omitrans.utils._optional import import_optional

# bytes per read, which is what a stalled connection can lose
_CHUNK_SIZE = 2**16
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_ABSENT = frozenset({403, 404, 410})  # a public bucket answers 403 for a name that it lacks
_LONGEST_DELAY = 60.0


class _RetryableError(Exception):
    """The transfer ended early; another attempt may continue it."""


@dataclass
class ResumingDownloader:
    """Downloader for pooch that keeps the bytes that were received and requests only the rest.

    Parameters
    ----------
    part : Path
        Path of the file that collects the bytes. A file of that name, left by an interrupted
        download, is continued if the server still holds the same file, and started again if not.
    timeout : float
        Seconds without a byte after which a connection counts as stalled.
    n_retries : int
        Number of attempts after the first that may fail in a row. An attempt that receives new
        bytes starts the count again.
    delay : float
        Seconds to wait before the first retry; each further wait is twice as long, at most a
        minute.
    progress : bool
        Whether to show a progress bar.
    """

    part: Path
    timeout: float = 30.0
    n_retries: int = 3
    delay: float = 1.0
    progress: bool = True

    def __call__(self, url: str, output_file: str, pooch: Any = None) -> None:
        """Download `url` to `output_file`, which must be in the folder of `part`."""
        self._collect(url)
        try:
            check_content(self.part, urlsplit(url).path, origin=url)
        except DataFormatError:
            self._discard()
            raise
        self._note.unlink(missing_ok=True)
        self.part.replace(output_file)

    def _collect(self, url: str) -> None:
        """Repeat the transfer until it is complete or no attempt receives new bytes."""
        best, failures = self._n_bytes(), 0
        while True:
            try:
                return self._transfer(url)
            except _RetryableError as reason:
                failures = 1 if self._n_bytes() > best else failures + 1
                best = max(best, self._n_bytes())
                if failures > self.n_retries:
                    raise ConnectionError(self._give_up(url, reason)) from reason
                time.sleep(min(self.delay * 2 ** (failures - 1), _LONGEST_DELAY))

    def _give_up(self, url: str, reason: Exception) -> str:
        kept = (
            f" The first {self._n_bytes()} bytes are kept in {self.part}: the next call goes on "
            "from there if the server allows it."
            if self._n_bytes()
            else ""
        )
        return f"{url} could not be downloaded: {reason}.{kept}"

    def _transfer(self, url: str) -> None:
        """Request the missing bytes of the file once."""
        offset, note = self._kept(url)
        if offset and offset == note.get("size"):
            return
        headers = {"Accept-Encoding": "identity"}  # the bytes as stored, of the length announced
        if offset:
            headers |= {"Range": f"bytes={offset}-", "If-Range": note["validator"]}
        with _request(url, headers, self.timeout) as response:
            if response.status_code in {206, 416}:
                if _span(response) != (offset, note.get("size")):
                    self._discard()
                    raise _RetryableError(
                        "the server could not continue the file that it had begun"
                    )
            else:
                offset, note = 0, _describe(url, response)
                self._discard()
                self._note.write_text(json.dumps(note), encoding="utf-8")
            self._receive(response, offset, note["size"])

    def _receive(self, response: Any, offset: int, size: int | None) -> None:
        """Append the received bytes to the partial file."""
        errors = import_optional("urllib3.exceptions", extra="fetch", purpose="download data sets")
        self._check_space(offset, size)
        bar = tqdm(
            desc=self.part.name.removesuffix(".part"),
            initial=offset,
            total=size,
            unit="B",
            unit_scale=True,
            disable=not self.progress,
        )
        with bar, self.part.open("ab") as file:
            try:
                for chunk in response.raw.stream(_CHUNK_SIZE, decode_content=False):
                    file.write(chunk)
                    bar.update(len(chunk))
                file.flush()
            except errors.ReadTimeoutError as error:
                raise _RetryableError(f"nothing arrived for {self.timeout:g} s") from error
            except errors.HTTPError as error:
                raise _RetryableError(f"the connection broke off ({error})") from error
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise self._disk_full(offset, size) from error
                raise
        if size is not None and self._n_bytes() != size:
            raise _RetryableError(f"{self._n_bytes()} of {size} bytes arrived")

    def _check_space(self, offset: int, size: int | None) -> None:
        if size is not None and size - offset > shutil.disk_usage(self.part.parent).free:
            raise self._disk_full(offset, size)

    def _disk_full(self, offset: int, size: int | None) -> OSError:
        needed = "an unknown number of" if size is None else str(size - offset)
        free = shutil.disk_usage(self.part.parent).free
        return OSError(
            errno.ENOSPC,
            f"The disk is too full: the download needs {needed} bytes and {free} are free. Make "
            "room, or choose another folder by data_home or the variable OMITRANS_DATA",
            str(self.part.parent),
        )

    @property
    def _note(self) -> Path:
        """Return the path of the note about the file whose beginning was received."""
        return self.part.with_name(self.part.name + ".json")

    def _n_bytes(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _kept(self, url: str) -> tuple[int, dict[str, Any]]:
        """Return the number of bytes that need not be sent again, and the note about the file."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            usable = note["url"] == url and isinstance(note["validator"], str)
        except (OSError, ValueError, LookupError, TypeError):
            usable = False
        return (self._n_bytes(), note) if usable else (0, {})

    def _discard(self) -> None:
        self.part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


def _request(url: str, headers: Mapping[str, str], timeout: float) -> Any:
    """Open the URL; raise an error that allows a retry where another attempt may succeed."""
    requests = import_optional("requests", extra="fetch", purpose="download data sets")
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=timeout)
    except requests.Timeout as error:
        raise _RetryableError(f"the server did not answer within {timeout:g} s") from error
    except requests.ConnectionError as error:
        raise _RetryableError(f"the server could not be reached ({error})") from error
    except requests.RequestException as error:
        raise ConnectionError(f"{url} could not be downloaded: {error}.") from error
    status = response.status_code
    if status in {200, 206} or (status == 416 and "Range" in headers):
        return response
    response.close()
    answer = f"the server answered {status} {response.reason}"
    if status in _BUSY:
        raise _RetryableError(answer)
    if status in _ABSENT:
        raise FileNotFoundError(
            f"There is nothing at {url}: {answer}. Check the names of the hub and of the file."
        )
    raise ConnectionError(f"{url} could not be downloaded: {answer}.")


def _span(response: Any) -> tuple[int | None, int | None]:
    """Return the first byte of a partial answer and the length of the whole file."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    return (int(found[1]), int(found[2])) if found else (None, None)


def _describe(url: str, response: Any) -> dict[str, Any]:
    """Return the size of the file, and the tag by which the server identifies its version."""
    headers = response.headers
    tag = headers.get("ETag", "")
    if not tag or tag.startswith("W/"):  # a weak tag does not promise the same bytes
        tag = headers.get("Last-Modified")
    length = headers.get("Content-Length", "")
    return {"url": url, "validator": tag, "size": int(length) if length.isdecimal() else None}


def check_content(path: Path, name: str, *, origin: str) -> None:
    """Raise an error if a file is empty, a web page, or damaged gzip.

    Parameters
    ----------
    path : Path
        Path of the file.
    name : str
        Final name of the file: a file whose name ends in ``.gz`` is read to its end, where gzip
        keeps a checksum.
    origin : str
        Address of the file, for error messages.

    Raises
    ------
    DataFormatError
        If the content does not fit the name.
    """
    with path.open("rb") as file:
        start = file.read(256)
    if not start:
        raise DataFormatError(f"{origin} is empty.")
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<error")):
        raise DataFormatError(
            f"{origin} is a web page or an error message instead of data: it begins with "
            f"{start[:60]!r}. A proxy or a login page may stand between; open the address in a "
            "browser."
        )
    if not name.endswith(".gz"):
        return
    try:
        with gzip.open(path) as file:
            while file.read(2**20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataFormatError(
            f"{origin} is no whole gzip file: {error}. It begins with {start[:16]!r}. Download it "
            "again; if that does not help, the server's file is damaged."
        ) from error
