"""The report: one self-contained HTML page of the results of a run.

Nothing here opens a file: tables come as parts (an iterable of DataFrames), pictures as bytes, the page as a template.
"""

import base64
import hashlib
import math
import platform
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import metadata

import matlens
from matlens import columns
from matlens.meanings import MEANING

ROWS = 100  # rows of a long table that the page shows; the file has all of them
VALUES = {  # the numbers of the summary: table, its column, and what divides its rows
    "fractions": ("area_fraction", (columns.PHASE_NAME, columns.PHASE), "area fraction"),
    "scores": ("iou", (columns.PHASE_NAME, columns.PHASE), "IoU"),
    "regions": ("equivalent_diameter", (), "equivalent diameter"),
    "grain_size": ("mean_lineal_intercept", ("procedure",), "mean lineal intercept"),
}
NOTES = (columns.REMARK, columns.SCALE_NOTE, columns.GREY_NOTE)  # columns whose texts stand in the summary
SHOWN = 5  # items that are named beside a remark
DIRECTION = "direction_deg"
NUMBER = re.compile(r"\d+(\.\d+)?")
TEXT = (columns.ITEM, columns.GROUP, columns.METHOD, columns.PHASE_NAME, columns.REASON)  # text, whatever it looks like
PACKAGES = ("numpy", "scipy", "pandas", "zarr", "scikit-image", "numba", "torch", "matplotlib", "snakemake")


def number(value: object) -> str:
    """Format a value: five significant digits; empty if missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def digest(parts: Iterable, most: int | None = ROWS) -> dict:
    """Keep the first rows of a table that comes in parts, and count all of them.

    Returns `head` (column names), `rows` (lists of words), `numeric` (per column), `count`, `meaning` (per column), and
    `remarks`: the items of each remark, see `remarks`.
    """
    kept, count, frame, noted = [], 0, None, {}
    for frame in parts:
        _note(noted, frame)
        room = len(frame) if most is None else max(0, most - count)
        if room:
            kept += [[number(v) for v in row] for row in frame.head(room).itertuples(index=False, name=None)]
        count += len(frame)
    head = [] if frame is None else [str(name) for name in frame.columns]
    numeric = [name not in TEXT and _is_numeric(row[i] for row in kept) for i, name in enumerate(head)]
    meaning = [MEANING.get(name, "") for name in head]
    return {"head": head, "rows": kept, "numeric": numeric, "count": count, "meaning": meaning, "remarks": noted}


def _note(noted: dict, frame) -> None:
    """Add the items of a part of a table to those of each method and remark; remarks that differ in numbers are one."""
    for column in NOTES if columns.ITEM in frame else ():
        if column not in frame:
            continue
        part = frame[frame[column].fillna("") != ""]
        part = part.drop_duplicates([name for name in (columns.METHOD, columns.ITEM, column) if name in part])
        methods = part[columns.METHOD] if columns.METHOD in part else [""] * len(part)
        for method, text, item in zip(methods, part[column], part[columns.ITEM], strict=True):
            key = method, NUMBER.sub("#", str(text))
            noted.setdefault(key, (str(text), {}))[1].setdefault(str(item))


def remarks(views: Iterable[Mapping]) -> list[dict]:
    """List the remarks in several tables, those on most items first: method, text, number of items, first items.

    A remark of labels stands before those of their measures and fields, and is listed once.
    """
    every = [(method, *found) for view in views for (method, _), found in view["remarks"].items()]
    joined: dict = {}
    for method, text, items in every:
        known = [first for _, first, _ in every if text.startswith(f"{first}; ")]
        rest = text[len(max(known, key=len)) + 2 :] if known else text
        key = method, NUMBER.sub("#", rest)
        joined.setdefault(key, (rest, {}))[1].update(items)
    found = [
        {"method": method, "text": text, "count": len(items), "items": list(items)[:SHOWN]}
        for (method, _), (text, items) in joined.items()
    ]
    return sorted(found, key=lambda one: -one["count"])


def _is_numeric(cells: Iterable[str]) -> bool:
    """Check whether all nonempty cells of a column are numbers."""
    try:
        return bool([float(cell) for cell in cells if cell])
    except ValueError:
        return False


def averages(table: str, parts: Iterable) -> dict[str, dict[str, tuple[float, float, int]]]:
    """Average the main column of a table by method: {method: {what: (mean, standard deviation, rows)}}.

    The standard deviation is that of the rows (n - 1); not a number for a single row. Rows of items that a method
    learned from, or was chosen by, are left out.
    """
    sums: dict = {}
    column, groups, label = VALUES[table]
    px, um = f"{label} / px", f"{label} / µm"
    forms = {column: label, f"{column}_px": px, f"{column}_um": um}
    items: dict = {px: set(), um: set()}
    for frame in parts:
        if columns.SPLIT in frame:  # what a method learned from says nothing of how good it is
            frame = frame[~frame[columns.SPLIT].isin(columns.LEARNED)]
        if DIRECTION in frame:  # rows of one direction are parts of the row of all directions
            frame = frame[frame[DIRECTION].isna()]
        group = next((name for name in groups if name in frame), None)
        for name in forms.keys() & set(frame) if columns.METHOD in frame else ():
            for key, values in frame.groupby([columns.METHOD, *([group] if group else [])], sort=False)[name]:
                what = f"{forms[name]}: {key[1]}" if group else forms[name]
                values = values.dropna()
                if columns.ITEM in frame and forms[name] in items:
                    items[forms[name]].update(frame[columns.ITEM].loc[values.index])
                old = sums.setdefault(str(key[0]), {}).setdefault(what, [0, 0.0, 0.0])
                for i, more in enumerate((len(values), values.sum(), (values**2).sum())):
                    old[i] += more
    # One length for all: micrometres of those that have a scale where any has; pixels of unequal scales never.
    known = any(found[0] for per in sums.values() for what, found in per.items() if what.startswith(um))
    few = f" ({len(items[um]):,} of {len(items[px]):,} images)" if len(items[um]) < len(items[px]) and known else ""
    kept = {
        m: {
            (w + few if w.startswith(um) else w): found
            for w, found in per.items()
            if found[0] and not w.startswith(px if known else um)
        }
        for m, per in sums.items()
    }
    return {m: {what: _moments(*found) for what, found in per.items()} for m, per in kept.items()}


def _moments(count: int, total: float, squares: float) -> tuple[float, float, int]:
    """Turn sums into mean, standard deviation and count."""
    mean = total / count
    spread = math.sqrt(max(0.0, squares - count * mean**2) / (count - 1)) if count > 1 else math.nan
    return mean, spread, count


def summary(found: Iterable[Mapping], methods: Iterable[str]) -> dict:
    """Put the averages of several tables side by side, a row for each method."""
    found = list(found)
    quantities = list(dict.fromkeys(what for table in found for per in table.values() for what in per))
    rows = []
    for method in methods:
        cells = {what: value for table in found for what, value in table.get(method, {}).items()}
        rows.append([method, *(_with_spread(cells.get(what)) for what in quantities)])
    numeric = [False] + [True] * len(quantities)
    meaning = [
        "",
        *("mean ± standard deviation of the rows, without items the method learned from" for _ in quantities),
    ]
    return {"head": ["method", *quantities], "rows": rows, "numeric": numeric, "count": len(rows), "meaning": meaning}


def _with_spread(found: tuple | None) -> str:
    """Write mean ± standard deviation to the digits that the latter justifies."""
    if found is None:
        return ""
    mean, spread, _ = found
    if not math.isfinite(spread) or spread <= 0:
        return f"{mean:.4g}"
    digits = min(6, max(0, 1 - math.floor(math.log10(spread))))
    return f"{mean:.{digits}f} ± {spread:.{digits}f}"


def items(parts: Iterable, keys: Iterable[int]) -> tuple[int, int, list[str], dict[int, str], int]:
    """Count the items and those of known scale, list their shapes, name those with some keys, count copies of files."""
    count, known, shapes, names, keys, twice = 0, 0, {}, {}, set(keys), 0
    for frame in parts:
        count += len(frame)
        if columns.PIXEL_SIZE in frame:  # crystals have neither scale nor shape
            known += int(frame[columns.PIXEL_SIZE].notna().sum())
            shapes |= dict.fromkeys(zip(frame["width_px"], frame["height_px"], strict=True))
        if columns.SAME_AS in frame:
            twice += int((frame[columns.SAME_AS].fillna("") != "").sum())
        chosen = frame[frame[columns.KEY].isin(keys)]
        names |= dict(zip(chosen[columns.KEY].astype(int), chosen[columns.ITEM].astype(str), strict=True))
    return count, known, [f"{int(w)} × {int(h)} px" for w, h in sorted(shapes)], names, twice


def uri(kind: str, data: bytes) -> str:
    """Write bytes as an address that needs no file."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def allow(text: str) -> str:
    """Name a script or style to the browser by its digest, so that it runs that one and nothing else."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def render(template: str, css: str, js: str, **values) -> str:
    """Fill the template: every value is escaped but for the page's own style and script."""
    import jinja2
    from markupsafe import Markup

    house = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    # The tags hold exactly this text: its digest is in the page's security policy.
    own = {"css": Markup(css), "js": Markup(js), "css_hash": Markup(allow(css)), "js_hash": Markup(allow(js))}
    return house.from_string(template).render(**own, **values)


def gallery(files: Mapping[str, bytes], names: Mapping[int, str]) -> list[dict]:
    """List the pictures of a method: key, item, a small and a large picture."""
    keys = sorted({int(name[:8]) for name in files})
    return [
        {
            "key": key,
            "item": names.get(key, str(key)),
            "thumb": uri("image/jpeg", files[f"{key:08d}.thumb.jpg"]),
            "large": uri("image/jpeg", files[f"{key:08d}.large.jpg"]),
        }
        for key in keys
    ]


def links(view: Mapping, pictures: Mapping[str, Iterable[int]], names: Mapping[int, str], study: str) -> list[str]:
    """Name for each row of a table the picture of its item, "" if there is none.

    `pictures`: keys of the items drawn, by method; a row without a method leads to the first that has its item.
    """
    keys = {name: key for key, name in names.items()}
    places = [view["head"].index(name) if name in view["head"] else None for name in (columns.ITEM, columns.METHOD)]
    found = []
    for row in view["rows"] if places[0] is not None else []:
        key, method = keys.get(row[places[0]]), row[places[1]] if places[1] is not None else None
        of = next((m for m, drawn in pictures.items() if key in drawn and method in (None, m)), None)
        found.append(f"{study}-{of}-{key}" if of else "")
    return found


def rejected(views: Mapping[str, Mapping]) -> dict[str, int]:
    """Count the rejected rows by stage."""
    view = views.get("rejected", {"head": [], "rows": []})
    place = view["head"].index(columns.STAGE) if columns.STAGE in view["head"] else None
    counts: dict[str, int] = {}
    for row in view["rows"] if place is not None else []:
        counts[row[place]] = counts.get(row[place], 0) + 1
    return counts


def versions() -> dict[str, str]:
    """List the versions of installed packages that the run used."""
    found = {"python": platform.python_version(), "matlens": matlens.__version__}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def settings_text(settings: Mapping) -> str:
    """Write the settings of a study as they could stand in its file, defaults included."""
    import yaml

    return yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True, width=100)
