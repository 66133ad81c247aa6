"""Find the files of a path, folder or glob; name their items; digest them to detect changes."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from glob import escape, glob, has_magic
from importlib import import_module
from pathlib import Path

SIDECARS = {".txt", ".csv", ".tsv", ".json", ".xml", ".md", ".yaml", ".yml", ".hdr", ".ini", ".log", ".db", ".xlsx"}
IMAGES = {".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".dm3", ".dm4", ".emd", ".ser", ".emi", ".mrc"}
FOLDERS = {".zarr"}  # folders that are one image
DESCRIBED = {".crc": (".cpr", r"$"), ".ser": (".emi", r"_\d+$")}  # data files and their header files
HEADERS = {".nhdr": "nrrd", ".mhd": "metaimage"}  # files that name the files of their pixels
HINTS = 3
QUOTES = "'\"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}"


def printable(name: str) -> str:
    """Escape the bytes of a file name that are not UTF-8, so that tables and logs can hold it."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def expanded(path: str) -> str:
    return os.path.normpath(os.path.expanduser(path)) if path else path


def search_root(pattern: str) -> Path:
    """Return the folder in which a file, folder or glob is searched."""
    if not has_magic(pattern) or os.path.lexists(pattern):
        return Path(pattern) if _is_listed(pattern) else Path(pattern).parent
    parts = Path(pattern).parts
    return Path(*parts[: next((k for k in range(len(parts)) if _is_glob(parts, k)), len(parts) - 1)])


def _is_glob(parts: tuple[str, ...], at: int) -> bool:
    """Check whether a part of a path is a glob, and not the name of a folder that is there ("copy [1]")."""
    return has_magic(parts[at]) and not (at + 1 < len(parts) and os.path.lexists(os.path.join(*parts[: at + 1])))


def _escaped(pattern: str) -> str:
    """Escape the names of folders in a glob that would be taken for one."""
    parts = Path(pattern).parts
    first = next((k for k in range(len(parts)) if _is_glob(parts, k)), len(parts))
    return os.path.join(*(escape(part) for part in parts[:first]), *parts[first:])


def _is_listed(path: str) -> bool:
    """Check whether a path is a folder of images, not a folder that is one image (OME-Zarr)."""
    return os.path.isdir(path) and Path(path).suffix.lower() not in FOLDERS


def matching(pattern: str) -> list[str]:
    """List the matches of a glob; `**` enters every folder once, so that links to a parent do not loop."""
    parts = Path(pattern).parts
    if "**" not in parts:
        return glob(pattern)
    at, found, entered = parts.index("**"), [], set()
    rest = parts[at + 1 :] or ("*",)
    for top in sorted(glob(os.path.join(*parts[:at]))) if at else ["."]:
        for folder, inner, _ in os.walk(top, followlinks=True):
            if (place := os.path.realpath(folder)) in entered:
                inner.clear()
                continue
            entered.add(place)
            found += matching(os.path.join(escape(folder), *rest))
            # Folders before links to folders: an item has the name of the place where it lies.
            inner[:] = sorted((n for n in inner if n[0] != "."), key=lambda n: (os.path.islink(f"{folder}/{n}"), n))
    return found


def nearest(pattern: str) -> str:
    """Describe the searched folder and its names nearest to the pattern."""
    folder = search_root(pattern)
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    there = sorted(printable(entry.name) for entry in os.scandir(folder) if not entry.name.startswith("."))
    rest = Path(pattern).parts[len(folder.parts) :] or ("",)
    near = get_close_matches(rest[0].replace("*", ""), there[:10000], HINTS, 0.4) or there[:HINTS]
    more = f" and {len(there) - len(near)} more" if len(there) > len(near) else ""
    return f"looked in {folder.absolute()}, which holds {', '.join(near)}{more}" if there else f"{folder} is empty"


def found(path: str, what: str = "path") -> tuple[Path, list[Path]]:
    """List the files of a path, folder or glob, sorted, and the folder that item names are relative to.

    A folder, or a glob that ends in `*`, returns its files (not those of its folders) and its OME-Zarr folders, without
    hidden files and sidecars (.txt, .csv, ...). Any other glob returns all matches, except folders whose name is not
    that of an image. Data files with a header file (.ser of .emi, .crc of .cpr) are read through it. Raises ValueError
    if nothing matches.
    """
    pattern = expanded(path)
    if not pattern:
        raise ValueError(f"{what} is empty; give a file, a folder or a glob")
    exact = os.path.lexists(pattern)
    listed = exact and _is_listed(pattern)
    if listed:
        matches = [os.path.join(pattern, name) for name in os.listdir(pattern) if not name.startswith(".")]
    else:
        matches = [pattern] if exact else matching(_escaped(pattern))
    broad = listed or Path(pattern).name in ("*", "**")
    kept = [Path(m) for m in matches if (exact and not listed) or _is_item(m, broad)]
    inner = {p for p in kept if p.suffix.lower() in FOLDERS and p.is_dir()}
    kept = [p for p in kept if not inner.intersection(p.parents)]
    kept = sorted(set(kept) - _described(kept))
    if not kept:
        deeper = " (a folder stands for the files in it; use folder/** to include its subfolders)" if listed else ""
        raise ValueError(
            f"{what} '{path}' matches no file{deeper}; {(not exact and _mistake(path)) or nearest(pattern)}"
        )
    return search_root(pattern), kept


def _mistake(path: str) -> str:
    """Return what is usually meant by a path that matches nothing; "" if it looks like a path."""
    if "://" in path:
        return "an address is not read; download the files, and give their folder"
    if re.match(r"[A-Za-z]:\\|\\\\|.*\\[A-Za-z]", path):
        return "it is a path of Windows; write it with / as this system names it, such as /mnt/c/Users/me"
    if "$" in path or re.search(r"%\w+%", path):
        return "variables are not replaced; write the path out, or begin it with ~ for your home folder"
    if path[0] in QUOTES:
        return "the quotes are taken as part of the path; leave the inner ones out"
    if path != path.strip():
        return "a blank begins or ends it; leave the blank out"
    if re.search(r"\{[^}]*,[^}]*\}", path):
        return "braces are not expanded; use * or [ab], or list the files in a table (sheet)"
    if "," in path and os.path.lexists(expanded(path.split(",")[0].strip())):
        return "one path, folder or glob is taken; list files of several places in a table (sheet)"
    other = sorted(Path(name).name for name in matching(_escaped(_any_case(expanded(path)))))
    shown = ", ".join(map(printable, other[:HINTS]))
    return f"upper and lower case differ: {shown} would match" if other else ""


def _any_case(pattern: str) -> str:
    """Make the last part of a glob match letters of either case."""
    folder, name = os.path.split(pattern)
    either = "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() and c.isascii() else c for c in name)
    return os.path.join(folder, name if "[" in name else either)


def _is_item(path: str, broad: bool) -> bool:
    suffix = Path(path).suffix.lower()
    if os.path.isdir(path):
        return suffix in FOLDERS or (suffix in IMAGES and not broad)
    return not (broad and suffix in SIDECARS)


def _described(paths: Iterable[Path]) -> set[Path]:
    """List the files that are read through another file of the list."""
    every = {(p.parent, p.stem.lower(), p.suffix.lower()) for p in paths}
    return {file for path in paths for file in _pixels_of(path)} | {
        p
        for p in paths
        if (rule := DESCRIBED.get(p.suffix.lower()))
        and (p.parent, re.sub(rule[1], "", p.stem).lower(), rule[0]) in every
        and (rule[0] != ".emi" or re.search(rule[1], p.stem))
    }


def _pixels_of(path: Path) -> list[Path]:
    """List the files of pixels that a header file names; [] for other files and broken headers."""
    if path.suffix.lower() not in HEADERS:
        return []
    module = import_module(f"matlens.ingest.readers.{HEADERS[path.suffix.lower()]}")
    try:
        return [Path(os.path.normpath(file)) for file in module.files(str(path))]
    except (OSError, ValueError):
        return []  # the job that reads the item reports the reason


def stem(path: str | Path) -> str:
    """Drop the extension of a file name, both parts of `.ome.tif`; digits after a dot are kept."""
    name = Path(path).name
    shorter = re.sub(r"(?<=.)(\.ome)?\.[A-Za-z][A-Za-z0-9]{0,7}$", "", name)
    return shorter or name


def composed(name: str) -> str:
    """Write accents as one letter: a name that macOS stored may have a letter and its accent instead."""
    return unicodedata.normalize("NFC", name)


def item_name(path: Path, root: Path) -> str:
    """Name an item: its path relative to the searched folder, with `/`, without extension."""
    try:
        folder = path.relative_to(root).parent
    except ValueError:
        folder = Path()
    return printable((folder / stem(path)).as_posix())


def _read_with(path: Path) -> list[Path]:
    """List the files that may be read together with a file: notes of its microscope, its pixels, names of classes."""
    base, kind = path.with_suffix(""), path.suffix[1:].lower()
    suffixes = (".txt", ".hdr", ".crc", f"-{kind}.hdr")
    near = [Path(f"{base}{suffix}") for suffix in suffixes]
    near += [Path(f"{base}{suffix.upper()}") for suffix in suffixes]
    near += [Path(f"{path}{suffix}") for suffix in (".txt", ".hdr")]
    near.append(path.with_name(path.stem + "_1.ser"))
    if kind == "ser":
        near += [Path(re.sub(r"_\d+$", "", str(base)) + suffix) for suffix in (".emi", ".EMI")]
    if kind == "txt":
        from matlens.ingest.annotations import yolo

        near += yolo.lists_near(path)
    return [file for file in near if file != path]


def digest(paths: Iterable[Path]) -> str:
    """Digest names, sizes and times of files, of those read with them, and of the contents of OME-Zarr folders."""
    seen = hashlib.sha256()
    for path in paths:
        folder = os.path.isdir(path)  # Path.is_dir raises where a name is too long
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if folder else []
        for file in [path, *_read_with(path), *inside, *_pixels_of(path)]:
            try:
                status = file.stat()
            except (OSError, ValueError):
                if file is not path:
                    continue
                seen.update(f"{printable(str(file))} lost\n".encode())
            else:
                seen.update(f"{printable(str(file))} {status.st_size} {status.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def skipped(path: str, kept: Iterable[Path]) -> str:
    """Return one line that lists the files and folders of a path that are not items; "" if there are none."""
    pattern = expanded(path)
    listed = os.path.lexists(pattern) and _is_listed(pattern)
    if os.path.lexists(pattern) and not listed:
        return ""
    met = [os.path.join(pattern, name) for name in os.listdir(pattern)] if listed else matching(_escaped(pattern))
    kept = set(kept)
    inner, named = {p for p in kept if p.suffix.lower() in FOLDERS}, {file for p in kept for file in _pixels_of(p)}
    counts: dict[str, list[str]] = {}
    for place in sorted({Path(m) for m in met} - kept):
        if inner.intersection(place.parents):
            continue
        if place.name.startswith("."):
            why = "hidden"
        elif place.is_dir() and "**" in Path(pattern).parts:
            continue  # it is entered
        elif place.is_dir():
            why = f"folders, use {path.rstrip('/*')}/** to enter them"
        elif place.suffix.lower() in DESCRIBED or place in named:
            why = "parts of another file"
        else:
            why = "text and tables"
        counts.setdefault(why, []).append(printable(place.name))
    parts = []
    for why, names in counts.items():
        noun = why if len(names) > 1 else why.replace("folders", "folder", 1)
        parts.append(f"{len(names)} {noun} ({', '.join(names[:HINTS])}{', ...' if len(names) > HINTS else ''})")
    return f"not items of '{path}': {'; '.join(parts)}" if parts else ""
