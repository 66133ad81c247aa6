"""Refusals of generating methods and generated sources that cannot work, before the first job."""

from collections.abc import Mapping

from matlens import generate, ingest, registry
from matlens.columns import OBJECTS_FILE, TRUTH_FILE
from matlens.generate.conditions import FRACTION
from matlens.learn import cards
from matlens.plan import outputs, study
from matlens.plan.structure import Reasons
from matlens.store import catalog, io

Studies = Mapping[str, dict]
SOURCE, TRUTH = "generated", "ground_truth"
FIXED = ("vae",)  # networks for one size of images


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
    for key in ("unseen", "ask"):
        for number, one in enumerate(settings[key]):
            if FRACTION in names and not 0 <= one.get(FRACTION, 0.5) <= 1:
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


def check_sizes(studies: Studies, name: str) -> Reasons:
    """Refuse sizes that a network cannot halve, that patches do not fit, or that the images of the source lack."""
    settings = studies[name].get("generate")
    if not settings:
        return
    method = study.ingest_method(studies[name])
    made = (studies[name]["ingest"][method] or {}).get("size_px")
    size = settings["size_px"] or made
    if settings["size_px"] and made and any(a > b for a, b in zip(size[::-1], made[::-1], strict=False)):
        yield ["generate", "size_px"], f"images of the source are {made} pixels, smaller than {size}; lower it"
    for method in outputs.methods(studies[name], "generate") if size else ():
        options = settings[method]
        step = 2 ** options.get("depth", 0)
        if any(n % step for n in size[-2:]):
            why = f"it halves images {options['depth']} times, and they are {size} pixels; give size_px, "
            yield ["generate", method], f"{why}height and width multiples of {step}"
        if "patch_px" in options and not options["overlap_px"] < options["patch_px"] <= min(size[-2:]):
            why = f"a patch of {options['patch_px']} pixels has to be larger than its overlap, "
            yield ["generate", method, "patch_px"], f"{why}{options['overlap_px']}, and fit into {size}; change it"


def check_generated_source(studies: Studies, name: str) -> Reasons:
    """Refuse a generated source that this run does not make, that goes round, or that has more phases."""
    if study.ingest_method(studies[name]) != SOURCE:
        return
    given = studies[name]["ingest"][SOURCE]
    lender = given["study"]
    if lender == name:
        yield ["ingest", SOURCE, "study"], "a study cannot ingest what it generates itself; name another"
    elif lender not in studies:
        others = [other for other in studies if other != name]
        near = registry.suggest(lender, others) if others else "there is none beside this one"
        yield (
            ["ingest", SOURCE, "study"],
            f"'{lender}' is no study of this run; add it to config key 'studies', or name another: {near}",
        )
    elif name in _behind(studies, lender):
        yield ["ingest", SOURCE, "study"], f"'{lender}' itself is made from the images of '{name}'; name another"
    else:
        known = outputs.methods(studies[lender], "generate")
        if given["method"] not in known:
            have = registry.suggest(given["method"], known) if known else f"'{lender}' has no section 'generate'"
            yield ["ingest", SOURCE, "method"], f"'{lender}' generates nothing by '{given['method']}'; {have}"
        theirs, own = studies[lender]["phases"], studies[name]["phases"]
        if len(theirs) > len(own):
            yield ["phases"], f"labels of '{lender}' are of {', '.join(theirs)}; name a phase for each of them"


def _behind(studies: Studies, name: str) -> set[str]:
    """List the studies whose generated images a study works on, through any number of them."""
    found = set()
    while name in studies and study.ingest_method(studies[name]) == SOURCE:
        name = studies[name]["ingest"][SOURCE]["study"]
        if name in found:
            break
        found.add(name)
    return found


def check_labels(studies: Studies, name: str) -> Reasons:
    """Refuse to learn from the truth of a source that has no labels."""
    settings = studies[name]
    lacks = lacks_labels(settings)
    for method in outputs.methods(settings, "generate") if lacks else ():
        given = [*outputs.given_of(settings, "generate", method), *outputs.sources(settings, "generate")][0]
        bare = registry.method_of(outputs.source_of("generate", given)[1])
        if bare == TRUTH:
            yield (
                ["generate", method],
                f"it learns from the labels of '{given}', and {lacks}, or set 'of: segment.<another method>'",
            )
            return


def lacks_labels(settings: dict) -> str:
    """Say why a source has no labels, and how it would; "" if it may have some."""
    method = study.ingest_method(settings)
    bare, options = registry.method_of(method), settings["ingest"][method] or {}
    if bare == "files" and not (options.get("masks") or options.get("objects")):
        return "'files' names no masks; add 'masks: <folder or glob>'"
    if bare == "sheet":
        try:
            named = registry.call(registry.load(ingest.NAMED, method), {}, options)
        except (OSError, ValueError):
            return ""  # an unreadable sheet is refused elsewhere
        return "" if {TRUTH_FILE, OBJECTS_FILE} & {*named} else f"the sheet has no column '{TRUTH_FILE}'; add it"
    about = catalog.entries().get(options.get("set"), {}).get("items", {}) if bare == "catalog" else {}
    if about and not (about.get("truth") or about.get("objects")):
        return f"the set '{options['set']}' has no labels; take another set"
    return ""


def check_weights(studies: Studies, name: str) -> Reasons:
    """Refuse weights of a generator that was trained for other conditions, phases, or sizes of images."""
    settings = studies[name].get("generate") or {}
    for method in outputs.methods(studies[name], "generate"):
        lender = str(settings[method].get("weights") or "")
        place = ["generate", method, "weights"]
        if not lender:
            continue
        names, phases, size = _trained_for(studies, lender)
        if names is not None and list(names) != list(settings["conditions"]):
            yield place, f"the weights are for the conditions {_listed(names)}; give the study these, in this order"
        if phases is not None and list(phases) != list(studies[name]["phases"]):
            yield place, f"the weights are of phases {_listed(phases)}; give the study these, in this order"
        own = settings["size_px"]
        if registry.method_of(method) in FIXED and own and size and list(own)[-2:] != list(size):
            yield place, f"the weights make images of {list(size)} pixels, and size_px is {list(own)}; change it"


def _trained_for(studies: Studies, lender: str) -> tuple:
    """Return conditions, phases and sides of the images of weights: of their card, or of the study that trains them."""
    if lender.endswith(".safetensors"):
        card = io.read_json(cards.card_file(lender))
        return card.get("conditions", {}).get("names"), card.get("phases"), card.get("network", {}).get("sides")
    theirs = studies[lender.partition("/")[0]]
    return theirs["generate"]["conditions"], theirs["phases"], theirs["generate"]["size_px"]


def _listed(names) -> str:
    return ", ".join(map(str, names)) or "none"


def check_inverse(studies: Studies, name: str) -> Reasons:
    """Refuse an inverse search without conditions to choose from, or without a method that has latent numbers."""
    settings = studies[name].get("generate")
    if not settings or not settings["picks"]:
        return
    if not settings["conditions"]:
        yield ["generate", "picks"], "an inverse search chooses conditions, and 'conditions' is empty; name columns"
    if not outputs.methods(studies[name], "generate", "coders"):
        yield ["generate", "picks"], "it searches by the latent numbers of 'vae'; add 'vae: {conditioned: false}'"
    for method in outputs.methods(studies[name], "generate", "coders"):
        if settings[method].get("conditioned") and not settings[method].get("weights"):
            yield (
                ["generate", method, "conditioned"],
                "a network that sees the conditions leaves them out of its latent numbers, by which 'picks' searches; "
                "set it to false",
            )


CHECKS = (
    check_inverse,
    check_conditions,
    check_phase,
    check_sizes,
    check_labels,
    check_generated_source,
    check_weights,
)
