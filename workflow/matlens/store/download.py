"""Fetch one file over HTTP: resume, retry, and verify the checksum before the file gets its name."""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

ATTEMPTS = 4
PAUSE_SECONDS = 1.0  # before the second attempt; doubled before each further one
TIMEOUT_SECONDS = (10.0, 60.0)  # to connect, and between two pieces
PIECE_BYTES = 1 << 18
QUIET_SECONDS = 5.0
MOST_BYTES = 1 << 30  # of a file whose size the catalogue does not say


class DownloadError(OSError):
    """A file could not be fetched; the message has file, address and fix."""


class _Again(Exception):
    """A fault that a retry may fix."""


_SILENT: set[str] = set()  # hosts that did not answer in this process: what else is asked of them is tried once


def _held(folder: Path) -> int | None:
    """Make, open and lock a folder; None if it was removed meanwhile by another process, whose download failed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    fcntl.flock(handle, fcntl.LOCK_EX)
    if folder.exists() and os.path.samestat(os.fstat(handle), folder.stat()):
        return handle
    os.close(handle)
    return None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock a folder, so that two processes never write the same partial file; made for it, it does not stay empty."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    while (handle := _held(folder)) is None:
        pass
    try:
        yield
    finally:
        with suppress(OSError):  # as soon as one holds something
            for one in missing:
                one.rmdir()
        os.close(handle)


def _receive(response, part: Path, have: int, size: int | None) -> None:
    """Append the body of a response to `part`; never more than `size` bytes in all."""
    printed, announced = time.monotonic(), response.headers.get("Content-Length", "")
    whole = size or (have + int(announced) if announced.isdecimal() else None)
    with open(part, "ab" if have else "wb") as handle:
        for piece in response.iter_content(PIECE_BYTES):
            have += len(piece)
            if have > (size or MOST_BYTES):
                raise DownloadError(f"it sends more than {size or MOST_BYTES} bytes: another file is there now")
            handle.write(piece)
            if time.monotonic() - printed > QUIET_SECONDS:
                printed = time.monotonic()
                of = f" of {whole >> 20}" if whole else ""
                print(f"fetching {part.name}: {have >> 20}{of} MiB", file=sys.__stderr__, flush=True)
    if whole and have < whole:
        raise _Again(f"it closed the connection after {have} of {whole} bytes")


def _request(url: str, part: Path, size: int | None) -> None:
    """Request the missing bytes of `part`, or the whole file if the server cannot resume."""
    import requests

    have = part.stat().st_size if part.exists() else 0
    if have == size:
        return
    have = have if have < (size or MOST_BYTES) else 0
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            status = response.status_code
            if status == 416:
                part.unlink(missing_ok=True)
                raise _Again("it cannot resume the partial file")
            if status == 429 or status >= 500:
                raise _Again(f"it answered {status} {response.reason}")
            if status >= 400:
                raise DownloadError(f"it answered {status} {response.reason}")
            resumed = status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            if status == 206 and not resumed:
                part.unlink(missing_ok=True)
                raise _Again("it sent another part than was asked for")
            _receive(response, part, have if resumed else 0, size)
    except requests.RequestException as error:
        got = part.stat().st_size if part.exists() else 0
        raise _Again(f"{type(error).__name__} after {got} of {size or 'unknown'} bytes") from error


def _download(url: str, output: str, _pooch, *, part: Path, size: int | None) -> None:
    """Complete `part` and rename it to `output`: a downloader for pooch, which checks the hash."""
    reason, host = None, urlsplit(url).netloc
    attempts = 1 if host in _SILENT else ATTEMPTS
    for attempt in range(attempts):
        if attempt:
            time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            _request(url, part, size)
        except _Again as error:
            reason = error
        else:
            os.replace(part, output)
            _SILENT.discard(host)
            return
    if not part.exists():
        _SILENT.add(host)
    times = "once" if attempts == 1 else f"{attempts} times"
    raise DownloadError(f"{reason}; tried {times}; run again to go on from there, once it can be reached")


def fetch(url: str, path: Path, sha256: str, size: int | None = None) -> None:
    """Fetch `url` into `path`, if it has the checksum, and `size` bytes where that is known.

    The bytes of an interrupted download stay next to it as `.<name>.part`; the next call resumes. Raises DownloadError
    if the address does not serve this file.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")
    part = path.with_name(f".{path.name}.part")
    with alone(path.parent):
        while not path.exists():
            resumed = part.exists()
            get = partial(_download, part=part, size=size)
            try:
                pooch.retrieve(url, f"sha256:{sha256}", fname=path.name, path=path.parent, downloader=get)
            except ValueError as error:
                if resumed:  # the two halves may come from two versions of the file: once more, from the start
                    continue
                raise DownloadError(
                    f"{path.name}: {url} gives a file with another checksum; the source may have changed: "
                    f"nothing was kept. Get the file from the source named in the catalogue and put it at {path}"
                ) from error
            except DownloadError as error:
                raise DownloadError(f"{path.name} not fetched from {url}: {error}; or put it at {path}") from error
