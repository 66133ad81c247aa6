"""Refusals before the first job: settings that are well-formed each by itself and cannot work together.

A check is a pure function of all studies and the name of one; it yields (keys, reason): the place in the study, and
cause and fix.
"""

from collections.abc import Mapping

from matlens import detect, ingest, registry, segment
from matlens.columns import FILE, OBJECTS_FILE, TRUTH_FILE
from matlens.fields.settings import faults as field_faults
from matlens.plan import (
    figures,
    generation_checks,
    index_checks,
    measure_checks,
    message,
    outputs,
    pattern_checks,
    physics_checks,
    prediction_checks,
    restoration_checks,
    screen_checks,
    stages,
    study,
    weights_checks,
)
from matlens.plan.inputs import needs
from matlens.plan.predictions import potentials
from matlens.plan.structure import Reasons
from matlens.segment import checks as segment_checks

Studies = Mapping[str, dict]


def check_kinds(studies: Studies, name: str) -> Reasons:
    """Refuse a stage that does not work on the kind of items that the study ingests."""
    settings = studies[name]
    method = study.ingest_method(settings)
    kind = next(kind for kind in stages.STAGES["ingest"].families if outputs.methods(settings, "ingest", kind))
    for stage, about in stages.STAGES.items():
        if settings.get(stage) and about.kinds and kind not in about.kinds:
            wanted = " or ".join(about.kinds)
            yield (
                [stage],
                f"'{method}' ingests {kind}, and '{stage}' works on {wanted}; "
                f"take '{stage}' out, or put it into a study of {wanted}",
            )


def check_of(studies: Studies, name: str) -> Reasons:
    """Refuse `of` with a name that the study does not make, and methods that work on themselves."""
    settings = studies[name]
    for stage in stages.STAGES:
        for method in outputs.methods(settings, stage):
            for given in outputs.given_of(settings, stage, method):
                allowed, why = outputs.sources(settings, stage), ""
                if given not in allowed:
                    why = f"this study makes no '{given}'; {registry.suggest(given, allowed)}"
                elif (stage, method) in _behind(settings, stage, method):
                    why = f"'{given}' works on '{method}' itself; begin with the images of ingest"
                if why:
                    yield [stage, method, "of"], why


def check_regions(studies: Studies, name: str) -> Reasons:
    """Refuse regions of images, and detections in labels."""
    settings = studies[name]
    for method in outputs.methods(settings, "detect"):
        given = outputs.given_of(settings, "detect", method)
        labels = any(outputs.source_of("detect", each)[0] == "segment" for each in given)
        if registry.method_of(method) == "regions" and not labels:
            yield ["detect", method, "of"], "it takes the regions of a segmentation; write 'of: segment.<method>'"
        elif labels and registry.method_of(method) != "regions":
            yield ["detect", method, "of"], "it works on images, not on labels; take 'regions' for the objects of these"


def _behind(settings: dict, stage: str, method: str) -> list[tuple[str, str]]:
    """List the methods that a method works on, and those that these work on, as far as they are made."""
    found, todo = [], [(stage, method)]
    while todo:
        at, name = todo.pop()
        for given in outputs.given_of(settings, at, name):
            one = outputs.source_of(at, given)
            if one not in found:
                found.append(one)
                todo.append(one)
    return found


def check_items(studies: Studies, name: str) -> Reasons:
    """Refuse settings of the items that leave no item."""
    method = study.ingest_method(studies[name])
    if registry.method_of(method) in ingest.CHECKS:
        try:
            offers = {"phases": studies[name]["phases"]}
            registry.call(registry.load(ingest.CHECKS, method), offers, studies[name]["ingest"][method])
        except ValueError as error:
            yield ["ingest", method], str(error)


def check_fields(studies: Studies, name: str) -> Reasons:
    """Refuse properties, loads and schemes that no item could be solved with."""
    settings = studies[name].get("fields")
    if settings:
        methods = {method: settings[method] for method in outputs.methods(studies[name], "fields")}
        size = (studies[name]["ingest"][study.ingest_method(studies[name])] or {}).get("size_px") or [0] * 3
        for keys, why in field_faults(settings, studies[name]["phases"], methods, "zyx"[-len(size) :]):
            yield ["fields", *keys], why


def check_series(studies: Studies, name: str) -> Reasons:
    """Refuse a measure over a series without the measures whose tables it works on."""
    settings = studies[name]
    for measure in outputs.methods(settings, "quantify", "series"):
        for need in needs(registry.method_of(measure)):
            full = outputs.named(need, settings, "quantify", measure)
            if full not in settings["quantify"]:
                yield ["quantify", measure], f"works on the table of '{need}'; add '{need}' to 'quantify'"
                continue
            for method in outputs.measured(settings, "quantify", measure):
                if method not in outputs.measured(settings, "quantify", full):
                    why = f"works on the table of '{full}', which is not made of '{method}'"
                    yield ["quantify", measure], f"{why}; write the same 'of' for both"


def check_proposals(studies: Studies, name: str) -> Reasons:
    """Refuse proposals by a method that does not learn."""
    settings = studies[name]
    method = settings.get("propose", {}).get("method")
    able = [each for each in settings["segment"] if registry.method_of(each) in segment.PROBABILITIES]
    if method and method not in able:
        yield (
            ["propose", "method"],
            f"'{method}' is no trained method of this study; "
            f"{registry.suggest(method, able) if able else 'add one to the section segment'}",
        )


def check_phases(studies: Studies, name: str) -> Reasons:
    """Refuse segmentations that cannot make the phases of their study, or have no file to read."""
    for key, reason in segment_checks.impossible(studies[name]):
        yield key.split("."), reason
    for method, options in studies[name]["segment"].items():
        if registry.method_of(method) in segment.CHECKS:
            try:
                registry.call(registry.load(segment.CHECKS, method), {}, options)
            except ValueError as error:
                yield ["segment", method, "path"], str(error)


def check_painted(studies: Studies, name: str) -> Reasons:
    """Refuse to paint detections that the study does not make."""
    settings = studies[name]
    there = outputs.methods(settings, "detect")
    for each, chosen in settings["segment"].items():
        if registry.method_of(each) == "painted":
            by = (chosen or {}).get("by")
            if not there:
                yield ["segment", each], "it paints detections, and the study makes none; add a section 'detect'"
            elif by and by not in there:
                why = f"this study detects nothing by '{by}'; {registry.suggest(by, there)}"
                yield ["segment", each, "by"], why


def check_masks(studies: Studies, name: str) -> Reasons:
    """Refuse training on images whose source has neither masks nor annotated objects."""
    settings = studies[name]
    method = study.ingest_method(settings)
    source = settings["ingest"][method] or {}
    if method == "files" and not (source.get("masks") or source.get("objects")):
        lacks = "'files' names no masks; add 'masks: <folder or glob>', or take 'weights' of another study"
    elif method == "sheet" and not {TRUTH_FILE, OBJECTS_FILE} & _named(source):
        lacks = f"the sheet has no column '{TRUTH_FILE}'; add it, or take 'weights' of another study"
    else:
        return
    objects = source.get("objects") if method == "files" else OBJECTS_FILE in _named(source)
    phases = objects and source.get("masks_are") == "phases"
    for stage, learners, taught in (("segment", segment.LEARNERS, phases), ("detect", detect.LEARNERS, objects)):
        for each in outputs.methods(settings, stage):
            if registry.method_of(each) in learners and not taught and not settings[stage][each].get("weights"):
                also = "; outlines or points of other programs do, too: 'objects'" if stage == "detect" else ""
                yield [stage, each], f"it learns from masks, and {lacks}{also}"


def check_judged(studies: Studies, name: str) -> Reasons:
    """Refuse scores, and controls that are the truth, where no item has one: the tables would be empty."""
    settings = studies[name]
    if not (lacks := generation_checks.lacks_labels(settings)):
        return
    for stage, judged in (("quantify", ("scores",)), ("segment", ("ground_truth",)), ("detect", ("ground_truth",))):
        for each in outputs.methods(settings, stage):
            if registry.method_of(each) in judged:
                yield [stage, each], f"it needs the truth, and {lacks}, or leave it out"


def _named(source: Mapping) -> set[str]:
    """List the columns of a sheet; an unreadable sheet is refused elsewhere."""
    from matlens.ingest import spreadsheet

    try:
        return set(spreadsheet.read(source["path"], FILE)[0])
    except (OSError, ValueError, IndexError, KeyError):
        return {TRUTH_FILE, OBJECTS_FILE}


def check_figures(studies: Studies, name: str) -> Reasons:
    """Refuse figures of outputs that a study does not make, of unknown columns, and comparisons with absent files."""
    yield from figures.lacking(studies[name], name)
    yield from figures.unknown_columns(studies[name])
    yield from figures.against_the_loop(studies[name])
    if "hull" in map(registry.method_of, studies[name]["figures"]) and not potentials(studies[name]):
        yield ["figures", "hull"], "it is drawn from energies by a potential; add 'chgnet: {}' to the section 'predict'"
    for figure, options in studies[name]["figures"].items():
        if reference := (options or {}).get("reference"):
            try:
                figures.published(reference)
            except (OSError, ValueError, KeyError) as error:
                yield ["figures", figure, "reference"], str(error)


CHECKS = (
    check_kinds,
    check_of,
    check_regions,
    check_items,
    check_series,
    check_fields,
    weights_checks.check_weights,
    weights_checks.check_members,
    weights_checks.check_fields,
    check_proposals,
    *generation_checks.CHECKS,
    *prediction_checks.BEFORE_INDEX,
    *index_checks.CHECKS,
    check_phases,
    check_painted,
    check_masks,
    *restoration_checks.CHECKS,
    pattern_checks.check_patterns,
    *prediction_checks.CHECKS,
    screen_checks.check_screens,
    *physics_checks.CHECKS,
    check_figures,
    check_judged,
    measure_checks.check_measures,
)


def faults(studies: Studies, name: str) -> list[tuple[list, str]]:
    """List the reasons of the first check that refuses a study; later checks may stumble over the same fault."""
    for check in CHECKS:
        if found := list(check(studies, name)):
            return found
    return []


def refusals(studies: Studies) -> list[str]:
    """List one line per refusal, with file, line, key, cause and fix; none if all studies can run."""
    return [message.line(name, keys, reason) for name in studies for keys, reason in faults(studies, name)]


def studies_of(names) -> dict[str, dict]:
    """Load the studies of a run with their defaults; stop the run with all refusals if there are any."""
    try:
        studies = study.load_all(names, "config/studies")
    except study.StudyError as error:
        message.stop(str(error))
    if found := refusals(studies):
        message.stop("\n".join(found))
    return studies
