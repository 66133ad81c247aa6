"""Refusals of shortlists that cannot be made; see `checks`."""

from collections.abc import Mapping

from matlens import registry, screen
from matlens.ingest.crystals import structure_columns
from matlens.plan import outputs, study
from matlens.plan.index_checks import TEXTS, columns_given
from matlens.plan.predictions import foretold, learned, rankable, ranked_by
from matlens.plan.structure import Reasons
from matlens.screen import criteria

# Criteria on compositions, and their values that ask for nothing.
CHEMICAL = {"without": [], "only": [], "most_elements": None, "reference": None, "diverse": False}


def check_screens(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a shortlist by properties without values, and criteria that no candidate can meet."""
    settings = studies[name]
    if "screen" not in settings:
        return
    yield from _properties(studies, name)
    if not outputs.methods(settings, "screen"):
        yield ["screen"], f"no method; {registry.suggest('weighted', screen.METHODS)}"
    for keys, fault in criteria.faults(settings["screen"]):
        yield ["screen", *keys], fault
    kind = next(kind for kind in ("crystals", "compositions", "other") if _ingests(settings, kind))
    for key, nothing in CHEMICAL.items():
        if kind == "other" and settings["screen"][key] != nothing:
            yield ["screen", key], "it compares compositions, and the items of this study have none; remove it"


def _ingests(settings: dict, kind: str) -> bool:
    return kind == "other" or bool(outputs.methods(settings, "ingest", kind))


def _properties(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse properties without a value, and a target whose predictions are of no method, or of several."""
    settings = studies[name]
    asked, target, by = settings["screen"], (settings.get("predict") or {}).get("target"), ranked_by(settings)
    able = rankable(settings)
    if by and by not in learned(settings):
        yield ["screen", "predicted_by"], f"no method '{by}' in 'predict' learns; {registry.suggest(by, able)}"
    elif asked["predicted_by"] and not by:
        yield (
            ["screen", "predicted_by"],
            f"the target of 'predict' is '{target}', and no property of the shortlist; remove it, or add '{target}'",
        )
    have = [*foretold(settings), *([target] if able else []), *_numbers(studies, name)]
    for wish in asked["properties"]:
        if wish == target and able and not by and wish not in foretold(settings):
            yield (
                ["screen", "properties"],
                f"several methods predict '{wish}'; name one: predicted_by: {able[0]} (or {', '.join(able[1:])})",
            )
        elif wish not in have:
            method = study.ingest_method(settings)
            table = "targets" in (settings["ingest"][method] or {})
            of_table = f"; if it is a column of your table, list it: ingest.{method}.targets: [{wish}]" if table else ""
            why = f"'{wish}' is neither predicted nor a column of numbers; {registry.suggest(wish, have)}{of_table}"
            yield ["screen", "properties"], why


def _numbers(studies: Mapping[str, dict], name: str) -> list[str]:
    """List the columns of the index that are known before it is read, without those that hold texts."""
    settings = studies[name]
    method = study.ingest_method(settings)
    try:
        given = columns_given(studies, name)
    except ValueError:  # check_index says why, if a column is needed
        return []
    if given is None:
        options = settings["ingest"][method] or {}
        own = structure_columns.INDEX if outputs.methods(settings, "ingest", "crystals") else ()
        grid = [*options.get("elements", ()), options["balance"]] if "balance" in options else ()
        given = [*own, *(f"x_{symbol}" for symbol in grid), *(options.get("targets") or [])]
    return [column for column in dict.fromkeys(given) if column not in TEXTS]
