"""The rows of a plan: columns out of names and texts, and what is wrong with an item before it is opened."""

import re
from collections.abc import Iterable
from pathlib import Path

from matlens import columns as names
from matlens.ingest.finding import printable, stem

RESERVED = {
    names.KEY, names.ITEM, names.FILE, names.TRUTH_FILE, names.STAGE, names.REASON, names.METHOD, names.PIXEL_SIZE,
    names.SAME_AS, names.REMARK, names.EXCLUDE_FILE, names.PIXEL_SIZE_Y, names.PIXEL_SIZE_Z, names.SCALE_NOTE,
    names.GREY_NOTE, names.GREY_LOW, names.GREY_HIGH,
    "axes", "height_px", "width_px", "depth_px", "frames",
}  # fmt: skip


def _pattern(text: str | None, option: str) -> re.Pattern | None:
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise ValueError(f"{option} '{text}' is not a regular expression: {error}; mend it") from error
    wanted = pattern.groupindex if option == "columns" else pattern.groups
    if not wanted:
        form = "(?P<name>...)" if option == "columns" else "(...)"
        raise ValueError(f"{option} '{text}' has no group; put what counts into {form}")
    return pattern


def columns_in(text: str | None) -> list[str]:
    """Name the columns that a pattern with named groups reads out of a name."""
    pattern = _pattern(text, "columns")
    return list(pattern.groupindex) if pattern else []


def from_names(paths: list[Path], group: str | None, columns: str | None) -> dict[str, list]:
    """Read the columns that file names hold; numbers are floats. ValueError when no name fits a pattern."""
    taken, stems = {}, [stem(path) for path in paths]
    for option, text in (("group", group), ("columns", columns)):
        pattern = _pattern(text, option)
        if pattern is None:
            continue
        fits = [pattern.search(name) for name in stems]
        if not any(fits):
            raise ValueError(f"{option} '{text}' fits none of the {len(stems)} names, such as '{stems[0]}'; mend it")
        wanted = {names.GROUP: 1} if option == "group" else dict(pattern.groupindex)
        for column, number in wanted.items():
            texts = [m and m[number] for m in fits]
            taken[column] = texts if option == "group" else as_numbers(texts)
    check_columns(columns_of=taken, where="columns")
    return taken


def check_columns(columns_of: Iterable[str], where: str, allowed: Iterable[str] = ()) -> None:
    """Refuse names of index columns that the project uses for something else."""
    taken = sorted(set(columns_of) & (RESERVED - set(allowed)))
    if taken:
        raise ValueError(
            f"{where}: the name '{taken[0]}' is taken by the project; choose another, such as my_{taken[0]}"
        )


def as_numbers(texts: list) -> list:
    """Turn a column into floats when all that is in it are numbers; "" and None are empty."""
    try:
        return [float(text) if text not in (None, "") else float("nan") for text in texts]
    except (TypeError, ValueError):
        return [None if text in (None, "") else printable(str(text)) for text in texts]


def trouble(path: Path) -> str | None:
    """Say what can be seen to be wrong with an item before it is opened."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return "its file name is not UTF-8; rename it in plain letters"
    try:
        if path.is_symlink() and not path.exists():
            return "a link to a file that is not there; restore it or take it out of the study"
        if path.exists() and not (path.is_file() or path.is_dir()):
            return "it is not a plain file (a pipe, socket or device); give a file"
    except OSError as error:
        return f"it cannot be looked at ({error.strerror}); give the name of a file"
    return None


def first_of_each(rows: list[dict]) -> list[dict]:
    """Mark the second and later rows of one item name as rejected, naming both files."""
    seen = {}
    for row in rows:
        if row.get(names.REASON):
            continue
        if row[names.ITEM] in seen:
            both = f"{seen[row[names.ITEM]]} and {row[names.FILE]}"
            row[names.REASON] = f"a second file gives the same item name: {both}; rename one"
        else:
            seen[row[names.ITEM]] = row[names.FILE]
    return rows


SAYS_MORE = (  # formats of instruments before pictures: they keep the scale, the bits and the detector
    (".dm3", ".dm4", ".emd", ".emi", ".ser", ".h5oina", ".oh5", ".ang", ".ctf", ".cpr", ".mrc", ".czi"),
    (".tif", ".tiff", ".hdf5", ".h5", ".hspy", ".zarr"),
    (".npy", ".png", ".bmp"),
    (".gif", ".jpg", ".jpeg"),
)


def _rank(file: str) -> int:
    """Rank a file by how much its format says of the image: 0 says most."""
    suffix = Path(file).suffix.lower()
    return next((rank for rank, suffixes in enumerate(SAYS_MORE) if suffix in suffixes), len(SAYS_MORE))


def one_of_each(rows: list[dict]) -> list[dict]:
    """Keep, of files with one item name, the one whose format says most; reject the others with the names of both.

    Two files of equally good formats are both in doubt: the first one is kept, as `first_of_each` does.
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
            row[names.REASON] = (
                f"a second file of the same item: {kept} was kept, because its format says more (scale, bits); "
                f"rename {row[names.FILE]} to measure both"
            )
    return first_of_each(rows)
