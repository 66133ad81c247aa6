"""Read tables (CSV, TSV, Excel, JSON, YAML) as columns and rows."""

import csv
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from matlens.store import io, text_files

EXCEL = b"PK\x03\x04"
DECIMAL_COMMA = re.compile(r"^([-+]?\d+),(\d+(?:[eE][-+]?\d+)?)$")
SEPARATOR = re.compile(r"\"?sep=(.)\"?")  # first line, by which a table tells Excel its delimiter
MOST_CELL = 1 << 17  # longest cell, in characters
NULL = ("", "~", "null")  # in YAML
OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def read(path: str | Path) -> tuple[list[str], list[dict]]:
    """Read a table: column names, and rows by column name without empty rows.

    JSON may be a list of objects, {column: {row: value}} or {columns, index, data}, packed or not; YAML a list of
    objects. CSV cells are text.
    Raises ValueError if the table cannot be used.
    """
    try:
        head = Path(path).read_bytes()[:8]
    except OSError as error:
        raise ValueError(f"table '{path}' cannot be read: {error.strerror}; change its access rights") from error
    if not head:
        raise ValueError(f"table '{path}' is empty; export it again")
    if head.startswith(OLD_EXCEL):
        raise ValueError(f"table '{path}' is an old Excel file (.xls); save it as .xlsx or CSV")
    if head.startswith(EXCEL):
        header, rows = _excel(path)
    elif Path(path).name.lower().endswith((".csv.gz", ".tsv.gz")):
        header, rows = _text(path)
    elif Path(path).name.lower().removesuffix(".gz").endswith((".yaml", ".yml")):
        header, rows = _records(path, _yaml(path), "YAML")
    elif head.startswith((b"\x1f\x8b", b"BZ")) or head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        header, rows = _json(path)
    else:
        header, rows = _text(path)
    header = [str(name).strip() if name is not None else "" for name in header]
    double = sorted({name for name in header if name and header.count(name) > 1})
    if double:
        raise ValueError(f"table '{path}' has the column '{double[0]}' twice; rename one")
    long = next((number for number, row in enumerate(rows, 2) if len(row) > len(header)), None)
    if long:
        raise ValueError(
            f"table '{path}': row {long} has more cells than the header ({', '.join(header)[:60]}); quote cells that "
            "hold a comma, and let the first line be the header"
        )
    found = [dict(zip(header, [*row, *[None] * len(header)], strict=False)) for row in rows]
    found = [{name: value for name, value in row.items() if name} for row in found if any(map(_there, row.values()))]
    if not found:
        raise ValueError(f"table '{path}' has a header but no rows; add one row per item")
    return [name for name in header if name], found


def _there(value) -> bool:
    return value is not None and str(value).strip() != ""


def pointed(cell: str) -> str:
    """Replace a decimal comma by a point."""
    return re.sub(DECIMAL_COMMA, r"\1.\2", cell)


def _text(path) -> tuple[list, list]:
    try:
        data = io.read_packed(path)
        text = data.decode(text_files.encoding(data))
    except (OSError, EOFError) as error:
        raise ValueError(f"table '{path}' cannot be unpacked ({error}); it may be truncated") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"table '{path}' is not UTF-8 text (byte {error.start}); save it as CSV UTF-8") from error
    if "\0" in text:
        raise ValueError(f"table '{path}' holds binary data; give CSV, TSV, Excel (.xlsx) or JSON")
    if text.lstrip()[:1] == "<":
        raise ValueError(f"table '{path}' is a web page, not a table: a failed download; fetch it again")
    lines = text.splitlines(keepends=True)  # line breaks within a quoted cell belong to it
    first = next((line for line in lines if line.strip()), "")
    delimiter = text_files.delimiter_of(first)
    if stated := SEPARATOR.fullmatch(first.strip()):
        lines, delimiter = lines[lines.index(first) + 1 :], stated[1]
    before = csv.field_size_limit(MOST_CELL)  # process-wide limit: structures in cells are larger
    try:
        cells = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error as error:
        raise ValueError(f"table '{path}' is no table ({error}); save it as CSV UTF-8") from error
    finally:
        csv.field_size_limit(before)
    if delimiter != ",":  # spreadsheets use another delimiter where the comma is the decimal mark
        cells = [[pointed(cell) for cell in row] for row in cells]
    cells = [row for row in cells if any(row)]
    if not cells:
        raise ValueError(f"table '{path}' is empty; export it again")
    while cells[0] and all(len(row) <= len(cells[0]) or row[-1] == "" for row in cells) and cells[0][-1] == "":
        cells = [row[: len(cells[0]) - 1] for row in cells]  # delimiters at the ends of all lines
    return cells[0], cells[1:]


def _trimmed(row: tuple) -> list:
    """Drop the empty cells at the end of a row."""
    last = max(place for place, cell in enumerate(row) if _there(cell))
    return list(row[: last + 1])


def _excel(path) -> tuple[list, list]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise ValueError(f"reading '{path}' needs the package openpyxl; install it, or save the sheet as CSV") from None
    try:
        with zipfile.ZipFile(path) as parts:  # no more than the stated size of a part is ever read
            size = sum(part.file_size for part in parts.infolist())
        if size > io.most_unpacked(Path(path).stat().st_size):
            raise ValueError(f"it unpacks to {size} bytes: a decompression bomb")
        book = load_workbook(path, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # a file may state the largest possible sheet, and every row would be padded
        cells = [_trimmed(row) for row in sheet.iter_rows(values_only=True) if any(map(_there, row))]
    except Exception as error:
        raise ValueError(f"table '{path}' cannot be read as Excel ({error}); save it again, or as CSV") from error
    if not cells:
        raise ValueError(f"the first sheet of '{path}' is empty; put the table there")
    return cells[0], cells[1:]


def _json(path) -> tuple[list, list]:
    try:
        found = io.read_json(path)
    except (ValueError, OSError, EOFError) as error:
        kind = "JSON" if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError)) else "packed JSON"
        raise ValueError(f"table '{path}' is not valid {kind} ({error}); it may be truncated") from error
    if isinstance(found, Mapping) and {"columns", "data"} <= set(found) and isinstance(found["data"], list):
        return list(found["columns"]), [list(row) for row in found["data"]]
    if isinstance(found, Mapping) and found and all(isinstance(column, Mapping) for column in found.values()):
        rows = list(dict.fromkeys(row for column in found.values() for row in column))
        return list(found), [[column.get(row) for column in found.values()] for row in rows]
    return _records(path, found, "JSON")


def _records(path, found, kind: str) -> tuple[list, list]:
    """Turn a list of objects into columns and rows."""
    if isinstance(found, list) and found and all(isinstance(row, Mapping) for row in found):
        names = list(dict.fromkeys(name for row in found for name in row))
        return names, [[row.get(name) for name in names] for row in found]
    raise ValueError(f"table '{path}' is {kind} without rows; give a list of objects, one per item")


def _yaml(path):
    """Read a YAML document; scalars are text, as in CSV. Aliases, which may unpack to any size, are refused."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        text = io.read_packed(path).decode("utf-8-sig")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=loader)):
            raise ValueError(f"table '{path}' has aliases (*name); write the values out")
        found = yaml.load(text, Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError, EOFError, OSError, RecursionError) as error:
        raise ValueError(f"table '{path}' is not valid YAML ({' '.join(str(error).split())[:120]})") from error
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        return found
    return [{name: None if value in NULL else value for name, value in row.items()} for row in found]
