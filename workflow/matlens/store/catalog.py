"""Find, fetch and verify the files of the catalogue of public data, `data/catalog.yaml`.

A file is searched in the folder of MATLENS_DATA, in ../shared/data and in data/raw, then fetched into data/raw, and
converted there if its source serves it in another form. As a command: `python -m matlens.store.catalog --help`.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import quote, urljoin

from matlens.registry import suggest
from matlens.store import converted, download, yaml_files
from matlens.store.files import sha256

ROOT = Path(__file__).resolve().parents[3]
CATALOG = ROOT / "data" / "catalog.yaml"
REQUIRED = ("title", "folder", "source", "licence", "files")


@cache
def entries() -> dict[str, dict]:
    """Read the catalogue: entries by the name of the set. Raises ValueError if an entry is incomplete."""
    sets = yaml_files.read_yaml(CATALOG)[0]
    for name, entry in sets.items():
        lacks = [key for key in REQUIRED if key not in entry]
        if lacks:
            raise ValueError(f"{CATALOG.name}: set '{name}' lacks {', '.join(lacks)}")
        for file, facts in entry["files"].items():
            if not {"size", "sha256"} <= set(facts) or Path(file).is_absolute() or ".." in Path(file).parts:
                raise ValueError(f"{CATALOG.name}: set '{name}': '{file}' needs size, sha256 and a path in its folder")
            if "recipe" in facts and not {"fetch", "fetched", "pixels"} <= set(facts):
                raise ValueError(
                    f"{CATALOG.name}: set '{name}': '{file}' has a recipe; it needs fetch, fetched, pixels"
                )
    return sets


def named_in(settings: dict) -> set[str]:
    """Return the sets that a study names anywhere in its settings, alone or before the name of a file of theirs."""
    return {text.partition("/")[0] for text in _texts(settings)} & set(entries())


def _texts(value) -> Iterator[str]:
    """Yield every key and text of nested settings."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield str(key)
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value


def entry(name: str) -> dict:
    """Return the entry of a set. Raises ValueError if the name is unknown, with the nearest known ones."""
    if name not in entries():
        raise ValueError(f"unknown set '{name}' (data/catalog.yaml); {suggest(name, entries())}")
    return entries()[name]


def places() -> list[Path]:
    """List the folders to search for data, in order; relative paths inside and next to the repository."""
    named = [Path(os.environ["MATLENS_DATA"])] if os.environ.get("MATLENS_DATA") else []
    return [*named, *(Path(os.path.relpath(ROOT / place)) for place in ("../shared/data", "data/raw"))]


def address(name: str, file: str) -> str | None:
    """Return the address that serves a file, or the one it is converted from; None if that is not known."""
    source = entry(name)["files"][file].get("fetch")
    return None if source is None else urljoin(entry(name).get("url", ""), quote(source, safe="/:%"))


def advice(name: str, file: str) -> str:
    """Return the message for a file that cannot be fetched: its source, and where to put it."""
    about = entry(name)
    why = f"was converted ({about['converted']})" if about.get("converted") else "has no address in the catalogue"
    at = f" at {about['commit']}" if about.get("commit") else ""
    return (
        f"'{file}' of the set '{name}' is not on this machine, and {why}, so that it cannot be fetched. Its source is "
        f"{about['source']}{at}; put it at {places()[-1] / about['folder'] / file}, or let MATLENS_DATA name the "
        f"folder that holds {about['folder']}"
    )


def find(name: str, file: str) -> Path:
    """Return the path of a file of a set; fetch it if absent. Checks the size, and the checksum of a download.

    Raises ValueError if the name is unknown, FileNotFoundError if the file must be put in place by hand, OSError if
    the file is damaged or the download failed.
    """
    about = entry(name)
    if file not in about["files"]:
        raise ValueError(f"set '{name}' has no file '{file}'; {suggest(file, about['files'])}")
    facts, damaged = about["files"][file], None
    for place in places():
        path = place / about["folder"] / file
        if path.is_file():
            if path.stat().st_size == facts["size"] or _same_pixels(path, facts):
                return path
            damaged = damaged or path
    if damaged:
        raise OSError(
            f"{damaged} has {damaged.stat().st_size} bytes, the catalogue says {facts['size']}: it is truncated or "
            f"another version; remove it and get it again from {address(name, file) or about['source']}"
        )
    path = places()[-1] / about["folder"] / file
    if "archive" in facts:
        archive = find(name, facts["archive"])
        with download.alone(path.parent):
            if not path.is_file():  # it is there when another process held the folder before
                unpack(archive, file, path, facts)
        return path
    url = address(name, file)
    if url is None:
        raise FileNotFoundError(advice(name, file))
    if "recipe" not in facts:
        download.fetch(url, path, facts["sha256"], facts["size"])
        return path
    with download.alone(path.parent):
        if not path.is_file():  # it is there when another process converted it before
            other = path.parent / ".fetched" / Path(facts["fetch"]).name
            download.fetch(url, other, facts["fetched"])
            converted.convert(other, path, facts["recipe"], facts["pixels"])
            other.parent.rmdir()
    return path


def _same_pixels(path: Path, facts: dict) -> bool:
    """Check whether a file is an image of the pixels of the catalogue, which another program wrote."""
    return "pixels" in facts and converted.has_pixels(path, facts["pixels"])


def unpack(archive: Path, member: str, path: Path, facts: dict) -> None:
    """Extract one member of a zip archive to `path`, if it has the size and checksum of `facts`.

    No other member is written. Raises OSError if the member is absent or differs.
    """
    import zipfile

    from matlens.store import io

    try:
        with zipfile.ZipFile(archive) as files, files.open(member) as source, io.atomic(path) as temporary:
            with open(temporary, "wb") as target:
                size = 0
                while (piece := source.read(1 << 20)) and size <= facts["size"]:
                    size += target.write(piece)
            if size != facts["size"] or sha256(temporary) != facts["sha256"]:
                raise OSError(f"'{member}' in {archive} is not the file of the catalogue; get the archive again")
    except (KeyError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise OSError(f"'{member}' cannot be taken out of {archive}: {error}; get the archive again") from error


def available(name: str) -> bool:
    """Check whether any file of a set is on this machine or can be fetched."""
    folder, files = entry(name)["folder"], entry(name)["files"]
    return any((place / folder / file).is_file() for place in places() for file in files) or any(
        address(name, file) for file in files
    )


def verify(name: str) -> list[str]:
    """Compare the files of a set with their sizes and checksums; return a message per wrong or missing file."""
    problems = []
    for file, facts in entry(name)["files"].items():
        paths = [place / entry(name)["folder"] / file for place in places()]
        path = next((path for path in paths if path.is_file()), None)
        if path is None and "archive" not in facts:
            problems.append(f"{name}: {file}: not on this machine")
        elif path and sha256(path) != facts["sha256"] and not _same_pixels(path, facts):
            problems.append(f"{name}: {path}: not the file of the catalogue")
    return problems


def hash_lines(folder: Path) -> list[str]:
    """Return the lines that list the files of a folder in an entry of the catalogue."""
    import yaml

    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SOURCE.txt")
    return [
        f"    {yaml.safe_dump(path.relative_to(folder).as_posix(), width=1000).splitlines()[0]}: "
        f"{{size: {path.stat().st_size}, sha256: {sha256(path)}}}"
        for path in files
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line: list, fetch or verify sets, or hash a folder for a new entry."""
    parser = argparse.ArgumentParser(
        prog="python -m matlens.store.catalog", description="The catalogue of public data."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list the sets with title and licence")
    for command, text in {
        "fetch": "fetch missing files of sets",
        "verify": "verify files of sets",
    }.items():
        commands.add_parser(command, help=text).add_argument("sets", nargs="*", help="names; none for all")
    commands.add_parser("hash", help="list the files of a folder as the catalogue").add_argument("folder", type=Path)
    given = parser.parse_args(arguments)
    problems = []
    try:
        if given.command == "hash":
            print("\n".join(["  files:", *hash_lines(given.folder)]))
        elif given.command == "list":
            print("\n".join(f"{name}: {about['title']} ({about['licence']})" for name, about in entries().items()))
        for name in (given.sets or list(entries())) if given.command in ("fetch", "verify") else []:
            if given.command == "verify":
                problems += verify(name)
                continue
            for file in entry(name)["files"]:
                try:
                    find(name, file)
                except OSError as error:
                    problems.append(f"{name}: {error}")
    except ValueError as error:
        problems.append(str(error))
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
