"""Refusals of generating methods and generated sources that cannot work, before the first job."""

from collections.abc import Mapping

from matlens import generate, registry
from matlens.generate.conditions import FRACTION
from matlens.plan import outputs, study
from matlens.plan.structure import Reasons

Studies = Mapping[str, dict]
SOURCE, TRUTH = "generated", "ground_truth"


def check_conditions(studies: Studies, name: str) -> Reasons:
    """Refuse conditions in `unseen` and `ask` that the study does not name, and asks that leave one out."""
    settings = studies[name].get("generate")
    if not settings:
        return
    names = settings["conditions"]
    if not any(method not in generate.CONTROLS for method in outputs.methods(studies[name], "generate")):
        yield ["generate"], "no method: there are only controls; add 'gaussian_field: {}'"
    for key in ("unseen", "ask"):
        for number, one in enumerate(settings[key]):
            for column in one:
                if column not in names:
                    have = registry.suggest(column, names) if names else "'conditions' is empty"
                    yield ["generate", key, number], f"'{column}' is no condition of this study; {have}"
            lacking = [column for column in names if column not in one]
            if key == "ask" and lacking:
                yield ["generate", key, number], f"it leaves out '{lacking[0]}'; give a value for every condition"
    for method in outputs.methods(studies[name], "generate"):
        for column in settings[method].get("steered_by") or ():
            if column not in names:
                have = registry.suggest(column, names) if names else "'conditions' is empty"
                yield ["generate", method, "steered_by"], f"'{column}' is no condition of this study; {have}"
    if FRACTION in names:
        for key in ("unseen", "ask"):
            for number, one in enumerate(settings[key]):
                if not 0 <= one.get(FRACTION, 0.5) <= 1:
                    yield ["generate", key, number, FRACTION], "a fraction is a number from 0 to 1; correct it"


def check_phase(studies: Studies, name: str) -> Reasons:
    """Refuse phases that the study lacks, methods for two phases with more, and sizes of the wrong axes."""
    settings = studies[name].get("generate")
    if not settings:
        return
    phases = studies[name]["phases"]
    if settings["phase"] >= len(phases):
        yield ["generate", "phase"], f"the study names {len(phases)} phases, counted from 0; give a smaller number"
    for method in outputs.methods(studies[name], "generate"):
        bare = registry.method_of(method)
        if bare in generate.TWO_PHASES and len(phases) != 2:
            yield ["generate", method], f"it makes two phases, and the study names {len(phases)}; take another method"
        if bare in generate.AXES and settings["size_px"] and len(settings["size_px"]) != generate.AXES[bare]:
            yield ["generate", method], f"it needs {generate.AXES[bare]} numbers in size_px; change one of them"


def check_generated_source(studies: Studies, name: str) -> Reasons:
    """Refuse a generated source of a study or method that this run does not know."""
    if study.ingest_method(studies[name]) != SOURCE:
        return
    given = studies[name]["ingest"][SOURCE]
    lender = given["study"]
    if lender == name:
        yield ["ingest", SOURCE, "study"], "a study cannot ingest what it generates itself; name another"
    elif lender not in studies:
        yield (
            ["ingest", SOURCE, "study"],
            f"'{lender}' is no study of this run; add it to config key 'studies', or name one of: "
            f"{', '.join(sorted(studies))}",
        )
    else:
        known = outputs.methods(studies[lender], "generate")
        if given["method"] not in known:
            have = registry.suggest(given["method"], known) if known else f"'{lender}' has no section 'generate'"
            yield ["ingest", SOURCE, "method"], f"'{lender}' generates nothing by '{given['method']}'; {have}"


def check_labels(studies: Studies, name: str) -> Reasons:
    """Refuse to learn from the truth of files that have no masks."""
    settings = studies[name]
    source = settings["ingest"].get("files")
    for method in outputs.methods(settings, "generate"):
        given = [*outputs.given_of(settings, "generate", method), *outputs.sources(settings, "generate")][0]
        bare = registry.method_of(outputs.source_of("generate", given)[1])
        if source and not source.get("masks") and bare == TRUTH:
            yield (
                ["generate", method],
                f"it learns from the labels of '{given}', and 'files' names no masks; "
                "add 'masks: <folder or glob>', or set 'of: segment.<another method>'",
            )
            return


def check_inverse(studies: Studies, name: str) -> Reasons:
    """Refuse an inverse search without conditions to choose from, or without a method that has latent numbers."""
    settings = studies[name].get("generate")
    if not settings or not settings["picks"]:
        return
    if not settings["conditions"]:
        yield ["generate", "picks"], "an inverse search chooses conditions, and 'conditions' is empty; name columns"
    if not outputs.methods(studies[name], "generate", "coders"):
        yield ["generate", "picks"], "it searches by the latent numbers of 'vae'; add 'vae: {conditioned: false}'"


CHECKS = (check_inverse, check_conditions, check_phase, check_labels, check_generated_source)
