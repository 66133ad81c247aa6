"""Write files atomically; read and write text, JSON and zip archives."""

import hashlib
import importlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from glob import escape
from pathlib import Path

ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # zip wants a date; a fixed one keeps equal content byte-identical
PACKERS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "lzma"}


@contextmanager
def atomic(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path next to `path`; rename it to `path` if the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        with open(temporary, "rb") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(paths: Iterable[str | os.PathLike]) -> None:
    """Remove temporary files of killed processes next to some paths, which no other process may be writing now."""
    for path in map(Path, paths):
        for left in path.parent.glob(f".{escape(path.name)}.*.partial"):
            left.unlink(missing_ok=True)


def sha256(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_text(path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, value) -> None:
    """Write a value as JSON with sorted keys."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def most_unpacked(stored: int) -> int:
    """Limit the bytes that a compressed file may unpack to: text packs 4 to 30 times, a decompression bomb 1000."""
    return (1 << 26) + 100 * stored


def packer_of(start: bytes) -> str | None:
    """Return the module that unpacks a file, by its first bytes; None if it is not packed."""
    return next((name for magic, name in PACKERS.items() if start.startswith(magic)), None)


def read_packed(path) -> bytes:
    """Read a file, compressed (gzip, bzip2, xz) or not. Raises ValueError if it is a decompression bomb."""
    with open(path, "rb") as handle:
        packer = packer_of(handle.peek(8))
        if packer is None:
            return handle.read()
        most = most_unpacked(os.fstat(handle.fileno()).st_size)
        data = importlib.import_module(packer).open(handle).read(most + 1)
    if len(data) > most:
        raise ValueError(f"{path} unpacks to more than {most} bytes: a decompression bomb; save it again")
    return data


def read_json(path):
    """Read a JSON file, compressed or not. Raises ValueError if it is broken or a decompression bomb."""
    data = read_packed(path)
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError(f"{path} is nested too deep for a JSON file; save it again") from None


def write_bytes_zip(path, files: Mapping[str, bytes]) -> None:
    """Write named byte strings as a zip without dates; the content is stored uncompressed."""
    import zipfile

    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), files[name])


def read_bytes_zip(path) -> dict[str, bytes]:
    """Read the byte strings of a zip by name."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in sorted(archive.namelist())}
