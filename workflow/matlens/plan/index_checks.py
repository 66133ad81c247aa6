"""Refusals of columns that the index of a study cannot have, and of conditions that are no numbers."""

import re
from collections.abc import Iterator, Mapping

from matlens import ingest, registry
from matlens.columns import FILE, GROUP, PIXEL_SIZE, PIXEL_SIZE_Y, PIXEL_SIZE_Z, SECONDS, SPLIT, TEMPERATURE, TIME
from matlens.generate.conditions import FRACTION, matches, of_row
from matlens.ingest.cell_values import FORMS
from matlens.ingest.models import model_columns
from matlens.learn import features
from matlens.meanings import MEANING
from matlens.plan import outputs, study
from matlens.plan.predictions import learned
from matlens.plan.structure import Reasons
from matlens.validate import TABLES

Studies = Mapping[str, dict]
GENERATED, SHEET = "generated", "sheet"
SHAPE = {"height_px", "width_px", "depth_px", "frames", PIXEL_SIZE, PIXEL_SIZE_Y, PIXEL_SIZE_Z}  # of every image
TEXTS = {
    "item", SPLIT, GROUP, "material", "formula", "place", "axes", "file", "truth_file", "objects_file", "clean_file",
    "exclude_file", "same_as", "format", "instrument", "detector", "remark",
}  # fmt: skip
OTHERWISE = "give each text a number in a column of its own, or name another column"
SINGLE = {".png", ".jpg", ".jpeg", ".bmp"}  # of files that are one image
SLOW = ("aged_alloys",)  # models whose list of items takes a calculation


def wanted_columns(settings: dict) -> list[tuple[list, str]]:
    """List (keys, column) of the columns that a study takes from its table of items."""
    found, given = [], settings.get("predict", {})
    if learned(settings):
        found += [(["predict", "target"], given["target"])] if not given["target_from"] else []
        found += [(["predict", "group"], given["group"])] if given["group"] != GROUP else []
        found += [(["predict", "hits", "among"], column) for column in (given["hits"] or {}).get("among") or ()]
        parts = [feature.partition(".") for feature in given["features"]]
        found += [(["predict", "features"], column) for origin, _, column in parts if origin in features.OF_INDEX]
    loop = settings.get("acquire") or {}
    if loop.get("oracle") in TABLES:
        found += [(["acquire", "objectives"], column) for column in loop["objectives"]]
        found += [(["acquire", "constraints"], column) for column in loop["constraints"]]
    parts = [feature.partition(".") for feature in loop.get("features") or ()]
    found += [(["acquire", "features"], column) for origin, _, column in parts if origin in features.OF_INDEX]
    if by := (settings.get("track") or {}).get("frame_by"):
        found.append((["track", "frame_by"], by))
    found += [(["generate", "conditions"], column) for column in conditions(settings)]
    for measure in outputs.methods(settings, "quantify", "series"):
        by = settings["quantify"][measure]["by"]
        found += [(["quantify", measure], column) for column in (TIME, by) if column]
    return found


def conditions(settings: dict) -> list[str]:
    """List the conditions of a generator that are read from the index."""
    return [name for name in (settings.get("generate") or {}).get("conditions", []) if name != FRACTION]


def columns_given(studies: Studies, name: str) -> list[str] | None:
    """List the columns that the source of a study gives the index; None if that is not known before it is read.

    Raises ValueError if the source cannot be used.
    """
    settings = studies[name]
    method = study.ingest_method(settings)
    bare, options = registry.method_of(method), settings["ingest"][method]
    if bare == GENERATED:
        return list((studies.get(options["study"], {}).get("generate") or {}).get("conditions", []))
    if bare in model_columns.NUMBERS:
        return registry.call(registry.load({bare: ingest.MODELS}, bare), {"method": bare}, options)
    if bare in ingest.NAMED:
        return registry.call(registry.load(ingest.NAMED, method), {}, options)
    return None


def check_index(studies: Studies, name: str) -> Reasons:
    """Refuse columns that the source of a study does not give."""
    settings = studies[name]
    method, wanted = study.ingest_method(settings), wanted_columns(settings)
    bare = registry.method_of(method)
    if not wanted:
        return
    try:
        given = columns_given(studies, name)
    except ValueError as error:
        yield ["ingest", method], str(error)
        return
    for keys, column in wanted if given is not None else ():
        if column not in _allowed(bare, keys[0], column, given):
            have = registry.suggest(column, given) if given else _nothing(bare)
            yield keys, f"there is no column '{column}' in the index; {have}"


def _allowed(method: str, stage: str, column: str, given: list[str]) -> set[str]:
    """Return the columns that a stage may take from the index of a source that gives some of its own.

    Of models of microstructure and generated images all numbers are known; only conditions are held to that.
    """
    known = {*given, *MEANING} - ({GROUP, SPLIT, TIME, SECONDS, TEMPERATURE} - {*given})
    if method == GENERATED or method in model_columns.NUMBERS:
        return {*given, *SHAPE, *TEXTS} if stage == "generate" else {column}
    return known - (model_columns.EVERY - {*given}) if stage == "generate" else known


def _nothing(method: str) -> str:
    """Say that a source gives no columns to choose from."""
    return "neither sheet nor file names give any" if method in ("files", SHEET) else f"'{method}' gives no numbers"


def check_frames(studies: Studies, name: str) -> Reasons:
    """Refuse tracks over files of one image each that no column orders: all would be rejected at the end."""
    from matlens.ingest import file_search

    settings = studies[name]
    method = study.ingest_method(settings)
    path = settings["ingest"][method].get("path") if registry.method_of(method) == "files" else None
    if not path or not outputs.methods(settings, "track") or settings["track"].get("frame_by"):
        return
    try:
        kinds = {file.suffix.lower() for file in file_search.found(path)[1]}
    except (ValueError, OSError):  # another check says why
        return
    if kinds and kinds <= SINGLE:
        yield (
            ["track"],
            "every file is a single image, and a track needs frames; name the column of their order, frame_by: frame, "
            'and where it stands in their names, columns: "(?P<frame>[0-9]+)$" in ingest.files; or give a video',
        )


def check_numbers(studies: Studies, name: str) -> Reasons:
    """Refuse conditions that are texts."""
    settings = studies[name]
    method = study.ingest_method(settings)
    wanted = conditions(settings)
    rows = _sheet(settings["ingest"][method]) if wanted and registry.method_of(method) == SHEET else [{}]
    for column in wanted:
        if column in TEXTS or (column in rows[0] and all(of_row(row, [column]) is None for row in rows)):
            first = next((str(row[column]).strip() for row in rows if row.get(column) not in (None, "")), "")
            fix = next((how.format(first) for form, how in FORMS if re.fullmatch(form, first)), OTHERWISE)
            yield ["generate", "conditions"], f"'{column}' holds no number, and a condition is a number; {fix}"


def check_measured(studies: Studies, name: str) -> Reasons:
    """Refuse the condition `fraction`, which is measured on labels, where the source has a column of that name."""
    if FRACTION not in (studies[name].get("generate") or {}).get("conditions", []):
        return
    try:
        given = columns_given(studies, name) or []
    except ValueError:  # check_index says why
        return
    if FRACTION in given:
        yield (
            ["generate", "conditions"],
            f"'{FRACTION}' is measured on the labels, and the source has a column of that name, which would not be "
            f"read; rename the column (my_{FRACTION}), or drop it",
        )


def check_unseen(studies: Studies, name: str) -> Reasons:
    """Refuse entries of `unseen` that no real image has, and entries that leave nothing to learn from.

    Known are the rows of a sheet, numbers in file names, and the conditions of a model of microstructure.
    """
    settings = studies[name].get("generate") or {}
    names, unseen = conditions(studies[name]), settings.get("unseen", [])
    rows = _rows(studies[name], names) if unseen and names and names == settings["conditions"] else []
    known = [values for values in (of_row(row, names) for row in rows) if values is not None]
    for number, one in enumerate(unseen if known else []):
        if not any(matches(values, names, [one]) for values in known):
            spans = [f"{key} {_listed({values[names.index(key)] for values in known})}" for key in one]
            yield (
                ["generate", "unseen", number],
                f"no real image has this condition; there are {'; '.join(spans)}; correct it, or move it to 'ask'",
            )
    if known and all(matches(values, names, unseen) for values in known):
        yield ["generate", "unseen"], "every real image has an unseen condition, nothing is learned from; take one out"


def check_learned(studies: Studies, name: str) -> Reasons:
    """Refuse to generate from a sheet whose column `split` marks no row as train."""
    settings = studies[name]
    method = study.ingest_method(settings)
    if not settings.get("generate") or registry.method_of(method) != SHEET:
        return
    marked = {str(row[SPLIT]) for row in _sheet(settings["ingest"][method]) if row.get(SPLIT) not in (None, "")}
    if marked and "train" not in marked:
        have = ", ".join(sorted(marked))
        yield ["ingest", method], f"its column '{SPLIT}' has {have} and no 'train': nothing is learned from; mark rows"


def _listed(values: set[float], most: int = 8) -> str:
    """List numbers: all of a few, else their range."""
    ranked = sorted(values)
    return ", ".join(f"{value:g}" for value in ranked) if len(ranked) <= most else f"{ranked[0]:g} to {ranked[-1]:g}"


def _sheet(options: Mapping) -> list[dict]:
    """Return the rows of a sheet; an unreadable one is refused elsewhere."""
    from matlens.ingest import file_search, spreadsheet

    try:
        return spreadsheet.read(file_search.expanded(options["path"]), FILE)[1]
    except (OSError, ValueError, IndexError, KeyError):
        return [{}]


def _from_names(options: Mapping) -> list[dict]:
    """Return rows of the columns that file names give; none if these are refused elsewhere."""
    from matlens.ingest import file_search, plan_rows

    try:
        found = plan_rows.from_names(file_search.found(options["path"])[1], None, options["columns"])
    except (OSError, ValueError, KeyError):
        return []
    return [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]


def _rows(settings: dict, names: list[str]) -> list[dict] | Iterator[dict]:
    """Return rows with the conditions of the real images of a study; none if they are not known before."""
    method = study.ingest_method(settings)
    bare, options = registry.method_of(method), settings["ingest"][method]
    if bare == SHEET:
        return _sheet(options)
    if bare == "files":
        return _from_names(options)
    if bare in SLOW or bare not in model_columns.NUMBERS:
        return []
    plan = registry.call(registry.load(ingest.PLANS, method), {}, {**options, "images": 1})
    return plan.to_dict("records") if set(names) <= {*plan} else []


CHECKS = (check_index, check_frames, check_numbers, check_measured, check_unseen, check_learned)
