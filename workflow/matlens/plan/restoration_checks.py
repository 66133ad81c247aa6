"""Refusals of restorations that lack training pairs or a clean image to compare with."""

from collections.abc import Mapping

from matlens import ingest, registry, restore, segment
from matlens.columns import CLEAN_FILE
from matlens.ingest import file_search
from matlens.plan import outputs, study
from matlens.plan.structure import Reasons
from matlens.store import catalog

PAIRS = ("unet_restore", "refocus")  # learn from clean images
BY_CLEAN = ("clean", "oracle")  # controls that see it
NEVER_CLEAN = ("generated", "growth")  # sources that keep none
BUNDLE = ".npz"  # may hold an image and its clean one


def _lacks(settings: dict) -> str:
    """Say why the source of a study has no clean images, and how it would; "" if it may have some."""
    method = study.ingest_method(settings)
    source, bare = settings["ingest"][method] or {}, registry.method_of(method)
    if bare == "files" and not source.get("clean"):
        return "" if _bundles(source["path"]) else "'files' names no clean images; add 'clean: <folder or glob>' to it"
    if bare == "catalog" and source.get("set") in catalog.entries():
        names = catalog.entry(source["set"])["files"]
        return "" if any(name.endswith(BUNDLE) for name in names) else f"the set '{source['set']}' has no clean images"
    if bare in NEVER_CLEAN:
        return f"'{method}' keeps no clean images"
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


def _bundles(path: str) -> bool:
    """Check whether files of a study are bundles of arrays; a pattern that fits none is refused elsewhere."""
    try:
        return any(file.suffix.lower() == BUNDLE for file in file_search.found(path)[1])
    except ValueError:
        return False


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


def check_sizes(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse to compare images of more pixels with those of ingest, or their labels with a truth."""
    settings = studies[name]
    finer = {one for one, options in (settings.get("restore") or {}).items() if options.get("points") == "measured"}

    def grown(stage: str, method: str) -> str:
        """Return the restoration that a method works on, if that makes more pixels, else ""."""
        found = [outputs.source_of(stage, one) for one in outputs.given_of(settings, stage, method)]
        return next((of for source, of in found if source == "restore" and of in finer), "")

    for method in settings.get("restore") or ():
        if of := grown("restore", method):
            yield (
                ["restore", method, "of"],
                f"'{of}' makes more pixels than the images of ingest have, and these judge a restoration; "
                f"restore first, and let '{of}' work on that",
            )
    scored = {each for one in settings.get("quantify") or () if registry.method_of(one) == "scores"
              for each in outputs.measured(settings, "quantify", one)}  # fmt: skip
    for method, options in (settings.get("segment") or {}).items():
        learns = registry.method_of(method) in segment.LEARNERS and not options.get("weights")
        if (of := grown("segment", method)) and (learns or method in scored):
            yield (
                ["segment", method, "of"],
                f"'{of}' makes more pixels than the truth has; give '{of}' points: thinned to judge by a truth",
            )


def check_domains(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse translations that learn but name no second domain, and ranges of grey that are none."""
    for method, options in (studies[name].get("restore") or {}).items():
        if options.get("range") and options["range"][0] > options["range"][1]:
            low, high = options["range"]
            yield ["restore", method, "range"], f"[{low:g}, {high:g}] is no range; give [lowest, highest]"
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
        ranges += [
            ("areas", one[end]) for one in options.get("areas") or () for end in ("from", "to", "rest") if end in one
        ]
        for key, (low, high) in ranges:
            if low > high:
                yield ["restore", method, key], f"[{low:g}, {high:g}] is no range; give [lowest, highest]"
        for one in options.get("areas") or ():
            yield from ((["restore", method, "areas"], reason) for reason in _unclear(one))


def _unclear(area: Mapping):
    """Yield why an area with `rest` cannot be met: of its pixels a part becomes `to`, the others `rest`."""
    if "rest" not in area:
        return
    if area["ratio"] > 1:
        yield f"ratio {area['ratio']:g} is above 1, and with 'rest' only pixels of 'from' become 'to'; drop 'rest'"
    if area["to"][0] <= area["rest"][1] and area["rest"][0] <= area["to"][1]:
        yield "'to' and 'rest' overlap, and greys tell them apart; give two ranges of the target"


CHECKS = (check_pairs, check_ranges, check_sizes, check_domains)
