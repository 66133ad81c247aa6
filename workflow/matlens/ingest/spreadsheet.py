"""Read tables (CSV, TSV, Excel, Parquet, JSON, YAML) as columns and rows."""

import csv
import lzma
import re
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from matlens.ingest import json_rows
from matlens.store import io, text_files

ZIP, PARQUET = b"PK\x03\x04", b"PAR1"
BINARY = {
    b"ARROW1": "a Feather or Arrow table", b"\x80\x02": "a pickle", b"\x80\x03": "a pickle", b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle", b"\x89HDF": "an HDF5 file", b"SQLite format 3": "a database", b"%PDF": "a PDF file",
    b"\x28\xb5\x2f\xfd": "packed by zstd", b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a RAR archive",
    b"{\\rtf": "an RTF document",
}  # fmt: skip
DECIMAL_COMMA = re.compile(r"^([-+]?\d+),(\d+(?:[eE][-+]?\d+)?)$")
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(\.\d{3})+")
SEPARATOR = re.compile(r"\"?sep=(.)\"?")  # first line, by which a table tells Excel its delimiter
SEARCHED_ROWS = 100  # of a sheet of a workbook, in which its header is looked for
MOST_CELL = 1 << 17  # longest cell, in characters
NULL = ("", "~", "null")  # in YAML
# A CSV of Excel in western Europe: beside ASCII, letters and signs of labs alone, which other encodings rarely have.
WESTERN = re.compile(rb"[\t\r\n\x20-\x7e%s]*" % re.escape("äöüÄÖÜßéèêàâçñåÅøØæ°µ±²³·×–".encode("cp1252")))
OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def read(path: str | Path, wanted: str = "") -> tuple[list[str], list[dict]]:
    """Read a table: column names, and rows by column name without empty rows.

    `wanted`: name of a column by which the sheet of a workbook, and its header below a title, are known.
    All may be packed (gzip, bzip2, xz). JSON may be lines or a list of objects, {column: {row: value}},
    {column: [value]}, {columns, index, data}, or an answer of a service; YAML a list of objects. CSV cells are text.
    Raises ValueError if the table cannot be used.
    """
    try:
        data = _unpacked(path)
    except OSError as error:
        raise ValueError(f"table '{path}' cannot be read: {error.strerror}; change its access rights") from error
    if not data:
        raise ValueError(f"table '{path}' is empty; export it again")
    header, rows = _cells(path, data, wanted)
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


def _unpacked(path) -> bytes:
    try:
        return io.read_packed(path)
    except (EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise ValueError(f"table '{path}' cannot be unpacked ({error}); it may be truncated") from error
    except OSError as error:
        if error.errno:
            raise
        raise ValueError(f"table '{path}' cannot be unpacked ({error}); it may be truncated") from error


def _cells(path, data: bytes, wanted: str) -> tuple[list, list]:
    """Read the cells of a table by the format of its bytes, which are unpacked."""
    if data.startswith(OLD_EXCEL):
        raise ValueError(f"table '{path}' is an old Excel file (.xls); save it as .xlsx or CSV")
    if data.startswith(ZIP):
        return _excel(path, data, wanted)
    if data.startswith(PARQUET):
        return _parquet(path, data)
    if data[257:262] == b"ustar":
        raise ValueError(f"table '{path}' is a tar archive; unpack it, and name the table in it")
    if kind := next((kind for start, kind in BINARY.items() if data.startswith(start)), None):
        raise ValueError(f"table '{path}' is {kind}, which is not read; save it as CSV, Excel (.xlsx), Parquet or JSON")
    if Path(path).name.lower().removesuffix(".gz").endswith((".yaml", ".yml")):
        return _records(path, _yaml(path, data), "YAML")
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return _json(path, data)
    return _text(path, data)


def _there(value) -> bool:
    return value is not None and str(value).strip() != ""


def pointed(cell: str) -> str:
    """Replace a decimal comma by a point."""
    return re.sub(DECIMAL_COMMA, r"\1.\2", cell)


def _text(path, data: bytes) -> tuple[list, list]:
    try:
        text = data.decode(text_files.encoding(data))
    except UnicodeDecodeError as error:
        if not WESTERN.fullmatch(data):
            raise ValueError(f"table '{path}' is not UTF-8 text (byte {error.start}); save it as CSV UTF-8") from error
        text = data.decode("cp1252")
    if "\0" in text:
        raise ValueError(
            f"table '{path}' holds binary data, or UTF-16 without its mark; give CSV (UTF-8), Excel (.xlsx), Parquet "
            "or JSON"
        )
    if text.startswith(text_files.LFS):
        raise ValueError(f"table '{path}' is {text_files.NOT_FETCHED}")
    if text.lstrip()[:1] == "<":
        raise ValueError(f"table '{path}' is a web page, not a table: a failed download; fetch it again")
    lines = text.splitlines(keepends=True)  # line breaks within a quoted cell belong to it
    first = next((line for line in lines if line.strip()), "")
    delimiter = text_files.delimiter_of(first)
    if stated := SEPARATOR.fullmatch(first.strip()):
        lines, delimiter = lines[lines.index(first) + 1 :], stated[1]
    before = csv.field_size_limit(MOST_CELL)  # process-wide limit: structures in cells are larger
    try:
        cells = [
            [cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        ]
    except csv.Error as error:
        raise ValueError(f"table '{path}' is no table ({error}); save it as CSV UTF-8") from error
    finally:
        csv.field_size_limit(before)
    if delimiter != ",":  # spreadsheets use another delimiter where the comma is the decimal mark
        check_thousands(path, cells, next((row for row in cells if any(row)), []))
        cells = [[pointed(cell) for cell in row] for row in cells]
    cells = [row for row in cells if any(row)]
    if not cells:
        raise ValueError(f"table '{path}' is empty; export it again")
    while cells[0] and all(len(row) <= len(cells[0]) or row[-1] == "" for row in cells) and cells[0][-1] == "":
        cells = [row[: len(cells[0]) - 1] for row in cells]  # delimiters at the ends of all lines
    return cells[0], cells[1:]


def check_thousands(path, cells: list[list[str]], head: list[str]) -> None:
    """Refuse a column of decimal commas with a number such as 1.234, which may be 1234. `head`: names of columns."""
    commas = {at for row in cells for at, cell in enumerate(row) if DECIMAL_COMMA.match(cell)}
    for row in cells if commas else ():
        for at in commas & set(range(len(row))):
            if THOUSANDS.fullmatch(row[at]):
                name = head[at] if at < len(head) else at + 1
                raise ValueError(
                    f"table '{path}': the column '{name}' has decimal commas and {row[at]}, which may be "
                    f"{row[at].replace('.', '')}; write all numbers without points between thousands"
                )


def _trimmed(row: tuple) -> list:
    """Drop the empty cells at the end of a row."""
    last = max(place for place, cell in enumerate(row) if _there(cell))
    return list(row[: last + 1])


class _NotExcel(ValueError):
    """A zip file that is no workbook, or one whose cells have no values."""


def _not_computed(data: bytes, place: int) -> tuple[str, str] | None:
    """Return the first cell of a sheet that has a formula and no value, with the formula; else None.

    An empty text, as of =IF(A2="","",A2/2), is a value: Excel stores it as the type of a formula's text, "str".
    """
    from openpyxl import load_workbook

    both = [load_workbook(BytesIO(data), read_only=True, data_only=one).worksheets[place] for one in (False, True)]
    for sheet in both:
        sheet.reset_dimensions()
    for row, known in zip(*(sheet.iter_rows() for sheet in both), strict=False):
        for cell, value in zip(row, known, strict=False):
            computed = value.value is not None or value.data_type == "str"
            if not computed and isinstance(cell.value, str) and cell.value.startswith("="):
                return cell.coordinate, cell.value
    return None


def _excel(path, data: bytes, wanted: str) -> tuple[list, list]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise ValueError(f"reading '{path}' needs the package openpyxl; install it, or save the sheet as CSV") from None
    try:
        with zipfile.ZipFile(BytesIO(data)) as parts:  # no more than the stated size of a part is ever read
            names, size = parts.namelist(), sum(part.file_size for part in parts.infolist())
        if not any(name.startswith("xl/") for name in names):
            kind = "an OpenDocument sheet; save it as .xlsx" if "content.xml" in names else "a zip archive; unpack it"
            raise _NotExcel(f"table '{path}' is {kind}, and name that file")
        if size > io.most_unpacked(len(data)):
            raise ValueError(f"it unpacks to {size} bytes: a decompression bomb")
        book = load_workbook(BytesIO(data), read_only=True, data_only=True)
        place, first = _place(book.worksheets, wanted)
        sheet = book.worksheets[place]
        sheet.reset_dimensions()  # a file may state the largest possible sheet, and every row would be padded
        cells = [_trimmed(row) for row in sheet.iter_rows(values_only=True) if any(map(_there, row))][first:]
        gaps = len(set(map(len, cells))) > 1 or any(cell is None for row in cells for cell in row)
        if lost := gaps and _not_computed(data, place):
            raise _NotExcel(
                f"table '{path}': the cell {lost[0]} has the formula {lost[1][:40]!r} and no value: what wrote it "
                "computes nothing; open the file in a spreadsheet program and save it, or write values"
            )
    except _NotExcel:
        raise
    except Exception as error:
        raise ValueError(f"table '{path}' cannot be read as Excel ({error}); save it again, or as CSV") from error
    if not cells:
        raise ValueError(f"the first sheet of '{path}' is empty; put the table there{note_of_sheets(path, '; ')}")
    return cells[0], cells[1:]


def _place(sheets: list, wanted: str) -> tuple[int, int]:
    """Find the first sheet with a row that holds the column `wanted`, and that row among those with cells; or 0, 0."""
    for place, sheet in enumerate(sheets if wanted else ()):
        sheet.reset_dimensions()
        rows = (row for row in sheet.iter_rows(max_row=SEARCHED_ROWS, values_only=True) if any(map(_there, row)))
        for first, row in enumerate(rows):
            if wanted in (str(cell).strip() for cell in row):
                return place, first
    return 0, 0


def note_of_sheets(path: str | Path, start: str = "", wanted: str = "") -> str:
    """Return a note on a workbook of several sheets with cells: which is read, and the columns of the others; else "".

    `start`: what stands in front of a note, such as "; ". `wanted`: see `read`.
    """
    try:
        with open(path, "rb") as handle:
            if handle.read(len(ZIP)) != ZIP:
                return ""
        from openpyxl import load_workbook

        headers = []
        book = load_workbook(path, read_only=True, data_only=True)
        taken, _ = _place(book.worksheets, wanted)
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = sheet.iter_rows(max_row=SEARCHED_ROWS, values_only=True)
            headers.append((sheet.title, next((_trimmed(row) for row in rows if any(map(_there, row))), [])))
    except Exception:  # a file that is no workbook has its reason when it is read
        return ""
    others = [
        f"'{title}' ({', '.join(str(cell) for cell in cells if _there(cell))[:100]})"
        for place, (title, cells) in enumerate(headers)
        if cells and place != taken
    ]
    if not others:
        return ""
    which = "the first is read" if taken == 0 else f"that with the column '{wanted}' is read"
    return f"{start}of the {len(headers)} sheets {which}, '{headers[taken][0]}', and not {', '.join(others)[:400]}"


def _parquet(path, data: bytes) -> tuple[list, list]:
    try:
        frame = io.read_table(BytesIO(data))
    except Exception as error:
        raise ValueError(f"table '{path}' cannot be read as Parquet ({str(error)[:120]}); save it again") from error
    frame = frame.reset_index() if frame.index.name else frame
    return list(frame.columns), frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


def _json(path, data: bytes) -> tuple[list, list]:
    try:
        found = json_rows.parsed(data)
    except ValueError as error:
        raise ValueError(f"table '{path}' is not valid JSON ({error}); it may be truncated") from error
    try:
        return json_rows.table(found)
    except ValueError as error:
        raise ValueError(f"table '{path}' is JSON {error}") from error


def _records(path, found, kind: str) -> tuple[list, list]:
    """Turn a list of objects into columns and rows."""
    if isinstance(found, list) and found and all(isinstance(row, Mapping) for row in found):
        names = list(dict.fromkeys(name for row in found for name in row))
        return names, [[row.get(name) for name in names] for row in found]
    raise ValueError(f"table '{path}' is {kind} without rows; give a list of objects, one per item")


def _yaml(path, data: bytes):
    """Read a YAML document; scalars are text, as in CSV. Aliases, which may unpack to any size, are refused."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        text = data.decode("utf-8-sig")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=loader)):
            raise ValueError(f"table '{path}' has aliases (*name); write the values out")
        found = yaml.load(text, Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"table '{path}' is not valid YAML ({' '.join(str(error).split())[:120]})") from error
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        return found
    return [{name: None if value in NULL else value for name, value in row.items()} for row in found]
