"""Rows of a plan: columns from file names, reserved names, duplicate items, faults visible before opening."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from matlens import columns as names
from matlens import units
from matlens.ingest.file_search import printable, stem

RESERVED = {
    names.KEY, names.ITEM, names.FILE, names.TRUTH_FILE, names.STAGE, names.REASON, names.METHOD, names.PIXEL_SIZE,
    names.SAME_AS, names.REMARK, names.EXCLUDE_FILE, names.CLEAN_FILE, names.OBJECTS_FILE, names.PIXEL_SIZE_Y,
    names.PIXEL_SIZE_Z, names.SCALE_NOTE, names.GREY_NOTE, names.GREY_LOW, names.GREY_HIGH,
    names.PARENT, names.PARENT_UNUSED, "block_z_px", "block_y_px", "block_x_px",
    "axes", "height_px", "width_px", "depth_px", "frames",
}  # fmt: skip
MISSING = {  # words for a value that was not measured
    "", "-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}", ".", "?", "na", "n/a", "n.a.", "n.a", "#n/a",
    "#na", "nan", "null", "none", "nd", "n.d.", "tbd", "unknown", "missing", "not measured", "not available", "<na>",
}  # fmt: skip
SCALES = (names.PIXEL_SIZE, names.PIXEL_SIZE_Y, names.PIXEL_SIZE_Z)


def _pattern(text: str | None, option: str) -> re.Pattern | None:
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise ValueError(f"{option} '{text}' is not a regular expression: {error}; correct it") from error
    wanted = pattern.groupindex if option == "columns" else pattern.groups
    if not wanted:
        form = "(?P<name>...)" if option == "columns" else "(...)"
        raise ValueError(f"{option} '{text}' has no group; put the part to read into {form}")
    return pattern


def columns_in(text: str | None) -> list[str]:
    """List the columns that a pattern with named groups reads from a file name."""
    pattern = _pattern(text, "columns")
    return list(pattern.groupindex) if pattern else []


def from_names(paths: list[Path], group: str | None, columns: str | None) -> dict[str, list]:
    """Read columns from file names, or from names with their folders where no file name alone fits ("650C/a").

    Numbers become floats, with a decimal point or comma, in the unit of their column (see `in_unit`). Columns of pixel
    sizes in micrometres are the scale of their items. Raises ValueError if no name matches a pattern, or a pixel size
    is no number.
    """
    taken, stems, deep = {}, [stem(path) for path in paths], with_folders(paths)
    for option, text in (("group", group), ("columns", columns)):
        pattern = _pattern(text, option)
        if pattern is None:
            continue
        fits = [pattern.search(name) for name in stems]
        fits = fits if any(fits) else [pattern.search(name) for name in deep]
        if not any(fits):
            raise ValueError(f"{option} '{text}' matches none of {len(deep)} names, such as '{deep[0]}'; correct it")
        wanted = {names.GROUP: 1} if option == "group" else dict(pattern.groupindex)
        for column, number in wanted.items():
            texts = [m and m[number] for m in fits]
            if column in SCALES:
                _check_whole(column, [m for m in fits if m and m[number]], number)
            plain = [text and re.sub(r"^(\d+),(\d+)$", r"\1.\2", text) for text in texts]
            taken[column] = texts if option == "group" else in_unit(column, as_numbers(plain), fits, number)
    check_columns(columns_of=taken, where="columns", allowed=SCALES)
    for name in taken:
        if other_scale(name):
            raise ValueError(f"columns: '{name}' is not read; call it '{names.PIXEL_SIZE}' or, if it is another thing, "
                             f"my_{name}")  # fmt: skip
        if name in SCALES and (words := [value for value in taken[name] if isinstance(value, str)]):
            raise ValueError(f"columns: {name} reads '{words[0]}' from a name, which is no number; correct the pattern")
    return taken


def in_unit(column: str, values: list, fits: list, number: int) -> list:
    """Convert the numbers of a column to the unit of its name, where names state another unit behind them: 30min."""
    if any(isinstance(value, str) for value in values):
        return values
    return [
        value if fit is None or fit[number] is None else units.behind(value, fit.string[fit.end(number) :], column)
        for value, fit in zip(values, fits, strict=True)
    ]


def with_folders(paths: list[Path]) -> list[str]:
    """Name files with the folders that tell them apart, without extension: "s1/650C/a"."""
    if not paths:
        return []
    top = Path(os.path.commonpath([os.path.abspath(path.parent) for path in paths]))
    return [(Path(os.path.abspath(path)).relative_to(top).parent / stem(path)).as_posix() for path in paths]


def _check_whole(column: str, fits: list[re.Match], number: int) -> None:
    """Raise ValueError if a pattern reads a part of a number, as 5 of 0,5."""
    for fit in fits:
        whole = next(m[0] for m in re.finditer(r"[\d.,]*\d|$", fit.string) if m.end() >= fit.end(number))
        if len(whole) > len(fit[number]):
            read = f"'{fit[number]}' from '{fit.string}'"
            raise ValueError(f"columns: {column} reads {read}; make it read all of '{whole}'")


def other_scale(name: str) -> bool:
    """Check whether the name of a column means a pixel size, in another spelling or unit than those that are read."""
    low = re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")
    return name not in SCALES and low.startswith(("pixel_size", "pixelsize", "px_size"))


def check_columns(columns_of: Iterable[str], where: str, allowed: Iterable[str] = ()) -> None:
    """Raise ValueError if a column has a name that the project reserves."""
    taken = sorted(set(columns_of) & (RESERVED - set(allowed)))
    if taken:
        raise ValueError(f"{where}: the column name '{taken[0]}' is reserved; choose another, such as my_{taken[0]}")


def is_missing(text) -> bool:
    """Check whether a cell is empty, or holds a word that people write where a number is missing."""
    return text is None or str(text).strip().lower() in MISSING


def _is_empty(text) -> bool:
    """Check whether a cell holds nothing, or NaN: no word that may be the value of a column of words."""
    return text is None or str(text).strip().lower() in ("", "nan")


def as_numbers(texts: list) -> list:
    """Convert a column to floats if all its values are numbers; "", None, and n/a or - among numbers are empty.

    1_10 and 11_0 are names: Python would read both as 110.
    """
    try:
        if not any(isinstance(text, str) and "_" in text for text in texts):
            numbers = [float("nan") if is_missing(text) else float(text) for text in texts]
            if any(value == value for value in numbers) or all(map(_is_empty, texts)):
                return numbers  # otherwise words alone, such as n/a
    except (TypeError, ValueError):
        pass
    return [None if text in (None, "") else printable(str(text)) for text in texts]


def trouble(path: Path) -> str | None:
    """Return the reason why a file cannot be opened, or None."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return "its file name is not UTF-8; rename it in plain letters"
    try:
        if path.is_symlink() and not path.exists():
            return "it is a link to a missing file; restore the file or remove the link"
        if path.exists() and not (path.is_file() or path.is_dir()):
            return "it is not a plain file (a pipe, socket or device); give a file"
    except OSError as error:
        return f"it cannot be accessed ({error.strerror}); give the name of a file"
    return None


def first_of_each(rows: list[dict]) -> list[dict]:
    """Reject the second and later rows of one item name; the reason names both files."""
    seen = {}
    for row in rows:
        if row.get(names.REASON):
            continue
        if row[names.ITEM] in seen:
            both = f"{seen[row[names.ITEM]]} and {row[names.FILE]}"
            row[names.REASON] = f"two files have the same item name: {both}; rename one"
        else:
            seen[row[names.ITEM]] = row[names.FILE]
    return rows


SAYS_MORE = (  # instrument formats rank before pictures: they keep scale, bit depth and detector
    (
        ".dm3",
        ".dm4",
        ".emd",
        ".emi",
        ".ser",
        ".h5oina",
        ".oh5",
        ".ang",
        ".ctf",
        ".cpr",
        ".mrc",
        ".nrrd",
        ".nhdr",
        ".mha",
        ".mhd",
    ),
    (".tif", ".tiff", ".hdf5", ".h5", ".hspy", ".zarr"),
    (".npy", ".npz", ".png", ".bmp"),
    (".gif", ".jpg", ".jpeg"),
)


def _rank(file: str) -> int:
    """Rank a file by the metadata of its format; 0 has most."""
    suffix = Path(file).suffix.lower()
    return next((rank for rank, suffixes in enumerate(SAYS_MORE) if suffix in suffixes), len(SAYS_MORE))


def one_of_each(rows: list[dict]) -> list[dict]:
    """Keep, of files with one item name, the format with most metadata; reject the others with both names.

    Of two formats of equal rank the first file is kept, as by `first_of_each`.
    """
    best = {}
    for row in rows:
        if not row.get(names.REASON):
            held = best.get(row[names.ITEM])
            if held is None or _rank(row[names.FILE]) < _rank(held):
                best[row[names.ITEM]] = row[names.FILE]
    for row in rows:
        kept = best.get(row[names.ITEM])
        if not row.get(names.REASON) and _rank(kept) < _rank(row[names.FILE]):
            read = _rank(row[names.FILE]) < len(SAYS_MORE)
            why = "its format holds more metadata (scale, bits)" if read else "the format of this one may not be read"
            row[names.REASON] = (
                f"a second file of the same item: {kept} was kept: {why}; rename {row[names.FILE]} to measure both"
            )
    return first_of_each(rows)


def check_units(table: list[dict], targets: list[str] | None) -> None:
    """Raise ValueError if a column of units next to targets names several: values are read as they are.

    `table`: rows with the cells by column. Such a column is called unit, units, or like a target with one of these.
    """
    words = ("unit", "units")
    for target in targets or []:
        likely = {*words, *(f"{target.lower()}{mark}{word}" for mark in ("_", " ", "") for word in words)}
        for name in {name: None for row in table for name in row if str(name).strip().lower() in likely}:
            found = {str(row.get(name)).strip() for row in table if row.get(name) not in (None, "")}
            if len(found) > 1:
                shown = ", ".join(sorted(found)[:4])
                raise ValueError(
                    f"targets: the column '{name}' names several units ({shown}); '{target}' is read without units: "
                    "convert it to one, or rename the column if it means something else"
                )
