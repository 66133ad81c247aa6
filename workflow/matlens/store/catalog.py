"""The catalogue of public data, `data/catalog.yaml`: where each file is, whence it came, and whether it is intact.

A file is looked for in the folder that MATLENS_DATA names, in ../shared/data and in data/raw, and fetched into data/raw
where it is nowhere and its source serves it as it is. As a command: `python -m matlens.store.catalog --help`.
"""

import argparse
import hashlib
import os
import sys
from functools import cache
from pathlib import Path
from urllib.parse import quote, urljoin

from matlens.registry import suggest
from matlens.store import download, yaml_files

ROOT = Path(__file__).resolve().parents[3]
CATALOG = ROOT / "data" / "catalog.yaml"
REQUIRED = ("title", "folder", "source", "licence", "files")


@cache
def entries() -> dict[str, dict]:
    """Read the catalogue: the name of a set, and what is known of it; a ValueError says what an entry lacks."""
    sets = yaml_files.read_yaml(CATALOG)[0]
    for name, entry in sets.items():
        lacks = [key for key in REQUIRED if key not in entry]
        if lacks:
            raise ValueError(f"{CATALOG.name}: set '{name}' lacks {', '.join(lacks)}")
        for file, facts in entry["files"].items():
            if not {"size", "sha256"} <= set(facts) or Path(file).is_absolute() or ".." in Path(file).parts:
                raise ValueError(f"{CATALOG.name}: set '{name}': '{file}' needs size, sha256 and a path in its folder")
    return sets


def entry(name: str) -> dict:
    """Return what the catalogue says of a set; a ValueError answers an unknown name with the right ones."""
    if name not in entries():
        raise ValueError(f"unknown set '{name}' (data/catalog.yaml); {suggest(name, entries())}")
    return entries()[name]


def places() -> list[Path]:
    """List the folders that data are looked for in, the first one first; relative where the repository is."""
    named = [Path(os.environ["MATLENS_DATA"])] if os.environ.get("MATLENS_DATA") else []
    return [*named, *(Path(os.path.relpath(ROOT / place)) for place in ("../shared/data", "data/raw"))]


def address(name: str, file: str) -> str | None:
    """Return the address that serves a file as it is, or None: it was converted, or its address is not known."""
    source = entry(name)["files"][file].get("fetch")
    return None if source is None else urljoin(entry(name).get("url", ""), quote(source, safe="/:%"))


def advice(name: str, file: str) -> str:
    """Say where a file comes from that cannot be fetched, and where to put it."""
    about = entry(name)
    why = f"was converted ({about['converted']})" if about.get("converted") else "has no address in the catalogue"
    at = f" at {about['commit']}" if about.get("commit") else ""
    return (
        f"'{file}' of the set '{name}' is not on this machine, and {why}, so that it cannot be fetched. Its source is "
        f"{about['source']}{at}; put it at {places()[-1] / about['folder'] / file}, or let MATLENS_DATA name the "
        f"folder that holds {about['folder']}"
    )


def find(name: str, file: str) -> Path:
    """Return where a file of a set is, fetched if need be; its size is checked, its checksum when it is fetched.

    Raises ValueError for names that the catalogue does not have, FileNotFoundError for a file that must be put in
    place by hand, OSError for a damaged file or a failed download.
    """
    about = entry(name)
    if file not in about["files"]:
        raise ValueError(f"set '{name}' has no file '{file}'; {suggest(file, about['files'])}")
    facts, damaged = about["files"][file], None
    for place in places():
        path = place / about["folder"] / file
        if path.is_file():
            if path.stat().st_size == facts["size"]:
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
    if address(name, file) is None:
        raise FileNotFoundError(advice(name, file))
    download.fetch(address(name, file), path, facts["sha256"], facts["size"])
    return path


def unpack(archive: Path, member: str, path: Path, facts: dict) -> None:
    """Write one member of a zip archive to `path`, which appears only when it has the size and checksum of `facts`.

    Nothing else of the archive is written, whatever its members are called; OSError where it is not that member.
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
    """Tell whether any file of a set is here or can be fetched."""
    folder, files = entry(name)["folder"], entry(name)["files"]
    return any((place / folder / file).is_file() for place in places() for file in files) or any(
        address(name, file) for file in files
    )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def verify(name: str) -> list[str]:
    """Compare every file of a set that is here with its size and checksum; return what is wrong, or missing."""
    problems = []
    for file, facts in entry(name)["files"].items():
        paths = [place / entry(name)["folder"] / file for place in places()]
        path = next((path for path in paths if path.is_file()), None)
        if path is None and "archive" not in facts:
            problems.append(f"{name}: {file}: not on this machine")
        elif path and (path.stat().st_size != facts["size"] or sha256(path) != facts["sha256"]):
            problems.append(f"{name}: {path}: not the file of the catalogue")
    return problems


def hash_lines(folder: Path) -> list[str]:
    """Make the lines that list the files of a folder in an entry of the catalogue."""
    import yaml

    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SOURCE.txt")
    return [
        f"    {yaml.safe_dump(path.relative_to(folder).as_posix(), width=1000).splitlines()[0]}: "
        f"{{size: {path.stat().st_size}, sha256: {sha256(path)}}}"
        for path in files
    ]


def main(arguments: list[str] | None = None) -> int:
    """Answer the command line: list the sets, fetch or verify some, or hash a folder for an entry of its own."""
    parser = argparse.ArgumentParser(
        prog="python -m matlens.store.catalog", description="The catalogue of public data."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name the sets and say what they are")
    for command, text in {"fetch": "fetch what is missing of some sets", "verify": "check sums of some sets"}.items():
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
