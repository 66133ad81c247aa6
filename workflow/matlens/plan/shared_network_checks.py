"""Refusals of networks that another study of the run has trained, see `learned_in`."""

from collections.abc import Iterator, Mapping

from matlens import registry
from matlens.plan import outputs, study
from matlens.plan.predictions import graph_options, used_folds
from matlens.plan.structure import Reasons

FOLDS = ("split", "folds", "seed", "group", "allow_incomplete")  # settings that divide the items
FREE = ("learned_in", "device")


def check_learned_in(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse networks of another study that have not learned the target, or not on the same graphs and folds."""
    for method in outputs.methods(studies[name], "predict", "crystals"):
        if studies[name]["predict"][method]["learned_in"]:
            for why in list(_faults(studies, name, method))[:1]:
                yield ["predict", method, "learned_in"], why


def _faults(studies: Mapping[str, dict], name: str, method: str) -> Iterator[str]:
    """Yield why the networks of another study cannot be taken, and the fix; the first fault counts."""
    here, chosen = studies[name], studies[name]["predict"][method]["learned_in"]
    lends, _, lent = chosen.partition("/")
    there = studies.get(lends)
    if lends == name:
        yield "it names this study itself; leave it out"
    if there is None:
        run = ",".join([*studies, lends])
        yield f"'{lends}' is not a study of this run; what is finished is kept: make run STUDIES={run}"
        return
    known = outputs.methods(there, "predict", "crystals")
    if lent not in known:
        yield f"the study '{lends}' trains no network '{lent}'; {registry.suggest(lent, known) if known else 'add it'}"
        return
    own, theirs, asked = here["predict"], there["predict"], here["predict"]["target"]
    if theirs[lent]["learned_in"]:
        yield f"'{chosen}' takes its networks from another study; name '{theirs[lent]['learned_in']}'"
    if registry.method_of(lent) != registry.method_of(method):
        yield f"its networks are '{registry.method_of(lent)}'; call this method {registry.method_of(lent)}, too"
        return
    if asked not in (learned := [theirs["target"], *theirs[lent]["also"]]):
        yield f"its networks learned {', '.join(learned)}; add also: [{asked}] to '{lent}' in the study '{lends}'"
    yield from _other_options(own[method], theirs[lent], method, chosen)
    if (graphs := graph_options(there, lent)) != graph_options(here, method):
        yield f"its networks learned on other graphs; set connect: {graphs}"
    for key in FOLDS:
        if own[key] != theirs[key]:
            yield f"its folds are others; set predict.{key}: {theirs[key]} in both studies"
    if lost := sorted({*used_folds(here)} - {*used_folds(there)}):
        yield f"it has no network of fold {int(lost[0])}; set predict.use_folds alike in both studies"
    transform = theirs["transform"] if asked == theirs["target"] else "none"
    if own["transform"] != transform:
        yield f"its networks learned '{asked}' with transform: {transform}; set predict.transform: {transform}"


def _other_options(own: Mapping, theirs: Mapping, method: str, chosen: str) -> Iterator[str]:
    """Yield the options that are set here, and that the networks were not trained with."""
    schema = study.read_schema("predict.schema.yaml")["properties"][registry.method_of(method)]["properties"]
    for key, value in own.items():
        if key not in FREE and value not in (schema[key]["default"], theirs[key]):
            yield f"the networks of '{chosen}' have {key}: {theirs[key]}; remove '{key}' here"
