"""Refusals of patterns of names that no item of a study has, where its items are known without reading them."""

import difflib
import fnmatch
from collections.abc import Iterator, Mapping

from matlens import detect, ingest, registry
from matlens.columns import GROUP, ITEM
from matlens.ingest import file_search, plan_rows
from matlens.plan import study
from matlens.plan.structure import Reasons

STAGES = ("restore", "segment", "detect", "fields")
DOMAINS = ("source", "target")  # of a translation: items; `hold_out` names groups, too
WEIGHTS = "weights"  # of another study: nothing is learned here, so that nothing has to be there


def _named(settings: dict) -> list[tuple[str, str | None]]:
    """List the names of the items of a study, with their groups; [] if they are not known before its files are read."""
    method = study.ingest_method(settings)
    source = settings["ingest"][method] or {}
    try:
        if source.get("block_px"):
            return []
        if method == "files":
            root, paths = file_search.found(source["path"])
            groups = plan_rows.from_names(paths, source.get(GROUP), None).get(GROUP, [None] * len(paths))
            return [(file_search.item_name(path, root), group) for path, group in zip(paths, groups, strict=True)]
        if method == "sheet":
            rows = registry.call(registry.load(ingest.PLANS, method), {}, source)
            groups = rows[GROUP] if GROUP in rows else [None] * len(rows)
            return [(item, group if group == group else None) for item, group in zip(rows[ITEM], groups, strict=True)]
    except (OSError, ValueError):
        pass  # refused elsewhere
    return []


def _lists(settings: dict) -> Iterator[tuple[list, list[str]]]:
    """Yield (keys, patterns) of every list of patterns that something is learned by."""
    for stage in STAGES:
        given = settings.get(stage) or {}
        methods = [([stage, name], options) for name, options in given.items() if isinstance(options, Mapping)]
        for keys, options in [([stage], given), *methods]:
            if not options.get(WEIGHTS):
                wanted = ("hold_out", *DOMAINS) if stage == "restore" else ("hold_out",)
                yield from (([*keys, key], options[key]) for key in wanted if isinstance(options.get(key), list))


def check_patterns(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse patterns that match no item: what they hold out would be learned from, or a domain would be empty."""
    lists = [(keys, patterns) for keys, patterns in _lists(studies[name]) if patterns]
    named = _named(studies[name]) if lists else []
    for keys, patterns in lists:
        rows = [row if keys[-1] not in DOMAINS else row[:1] for row in named]
        known = sorted({one for row in rows for one in row if one})
        for pattern in patterns:
            if known and not any(fnmatch.fnmatchcase(one, pattern) for one in known):
                near = difflib.get_close_matches(pattern, known, n=3, cutoff=0) or known[:3]
                what = "no item" if keys[-1] in DOMAINS else "no item and no group"
                yield keys, f"'{pattern}' matches {what}; some are {', '.join(near)}"
        if keys[-1] == "hold_out" and not _is_tuned(keys) and rows and all(_held(row, patterns) for row in rows):
            yield keys, "every item is held out, so that nothing is left to learn from; take a pattern out"


def _is_tuned(keys: list) -> bool:
    """Check whether a method only chooses a threshold by what is not held out, and can do without."""
    return keys[0] == "detect" and registry.method_of(keys[1]) in detect.THRESHOLDS


def _held(row: tuple, patterns: list[str]) -> bool:
    """Check whether an item or its group matches a pattern."""
    return any(fnmatch.fnmatchcase(one, pattern) for one in row if one for pattern in patterns)
