"""Refusals of restorations that lack training pairs or a clean image to compare with."""

from collections.abc import Mapping

from matlens import ingest, registry, restore
from matlens.columns import CLEAN_FILE
from matlens.plan import study
from matlens.plan.structure import Reasons

PAIRS = ("unet_restore", "refocus")  # learn from clean images
BY_CLEAN = ("clean", "oracle")  # controls that see it


def _lacks(settings: dict) -> str:
    """Say why the source of a study has no clean images, and how it would; "" if it may have some."""
    method = study.ingest_method(settings)
    source, bare = settings["ingest"][method] or {}, registry.method_of(method)
    if bare == "files" and not source.get("clean"):
        return "'files' names no clean images; add 'clean: <folder or glob>' to it"
    if bare == "sheet":
        try:
            columns = registry.call(registry.load(ingest.NAMED, method), {}, source)
        except (OSError, ValueError):
            return ""  # an unreadable sheet is refused elsewhere
        return "" if CLEAN_FILE in columns else f"the sheet has no column '{CLEAN_FILE}'; add it"
    imaging = source.get("imaging")
    if isinstance(imaging, Mapping) and not imaging.get("keep_clean"):
        return f"'{method}' keeps no clean images; add 'imaging: {{keep_clean: true}}' to it"
    return ""


def check_pairs(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse methods that learn from pairs, and controls that see clean images, where the source has none."""
    settings = studies[name]
    chosen = settings.get("restore") or {}
    if not chosen or not (lacks := _lacks(settings)):
        return
    for method, options in chosen.items():
        bare = registry.method_of(method)
        if bare in PAIRS and not options.get("weights") and options.get("degrade") is None:
            yield (
                ["restore", method],
                f"it learns from pairs, and {lacks}; or give 'degrade', which makes noisy images of clean ones, "
                "or take 'weights', or noise2void",
            )
        elif bare in BY_CLEAN:
            yield ["restore", method], f"it takes clean images, and {lacks}"


def check_ranges(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse ranges of a model of the microscope whose lowest value is above the highest."""
    for method, options in (studies[name].get("restore") or {}).items():
        if registry.method_of(method) in restore.LEARNERS:
            for key, (low, high) in (options.get("degrade") or {}).items():
                if low > high:
                    yield (
                        ["restore", method, "degrade", key],
                        f"[{low:g}, {high:g}] is no range; give [lowest, highest]",
                    )


def check_domains(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse translations that learn but name no second domain, and kept ranges of grey that are none."""
    for method, options in (studies[name].get("restore") or {}).items():
        if registry.method_of(method) not in restore.TRANSLATIONS:
            continue
        if not options.get("weights") and not options.get("target"):
            yield (
                ["restore", method],
                "it learns from two domains of images; name the items of the second in 'target' "
                "(target: [\"recorded*\"]), or take 'weights'",
            )
        elif set(options["source"]) & set(options["target"]):
            yield ["restore", method], "'source' and 'target' share a pattern; name two domains"
        ranges = [("keep", limits) for limits in options.get("keep") or ()]
        ranges += [("areas", one[end]) for one in options.get("areas") or () for end in ("from", "to")]
        for key, (low, high) in ranges:
            if low > high:
                yield ["restore", method, key], f"[{low:g}, {high:g}] is no range; give [lowest, highest]"


CHECKS = (check_pairs, check_ranges, check_domains)
