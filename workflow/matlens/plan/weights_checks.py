"""Refusals of weights before the first job: of methods that this run does not know, of files absent or unfit."""

import os
from collections.abc import Iterator, Mapping

from matlens import registry
from matlens.fields.settings import unlike
from matlens.learn import cards
from matlens.nets import FIELD_NETS
from matlens.plan import outputs
from matlens.plan.learning import STAGES_THAT_LEARN
from matlens.plan.structure import Reasons
from matlens.store import io


def check_weights(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse weights that a study cannot use."""
    for stage in STAGES_THAT_LEARN:
        for method, chosen in (studies[name].get(stage) or {}).items():
            for option in ("weights", "initial_weights"):
                lender = str(chosen.get(option) or "") if isinstance(chosen, Mapping) else ""
                for why in _faults(studies, name, stage, method, option, lender) if lender else ():
                    yield [stage, method, option], why


def check_members(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse the number of a network that an ensemble lacks."""
    for method, chosen in (studies[name].get("detect") or {}).items():
        member = chosen.get("member") if isinstance(chosen, Mapping) else None
        if member is None:
            continue
        lender = str(chosen.get("weights") or f"{name}/{method}")
        lends, _, lent = lender.partition("/")
        if lender.endswith(".safetensors"):
            try:
                count = len(io.read_json(cards.card_file(lender)).get("members", [None]))
            except (OSError, ValueError, AttributeError):  # check_weights says why
                continue
        else:
            count = ((studies.get(lends, {}).get("detect") or {}).get(lent) or {}).get("members", 1)
        if member >= count:
            yield ["detect", method, "member"], f"'{lender}' has {count} networks, counted from 0; name one of them"


def check_fields(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse networks that have learned another problem: none of the fields of the study would be theirs."""
    own = studies[name].get("fields") or {}
    solvers = [each for each in own if registry.method_of(each) == "fft"]
    for method in (each for each in own if registry.method_of(each) in FIELD_NETS):
        lender, known = str(own[method]["weights"] or ""), None
        scheme = own[own[method]["truth"] or solvers[0]]["scheme"]
        lends = studies.get(lender.partition("/")[0])
        if lender.endswith(".safetensors"):
            try:
                card = io.read_json(cards.card_file(lender))
                known = {"phases": card["phases"], **card["settings"]}
            except (OSError, ValueError, KeyError, TypeError):  # check_weights says why
                continue
        elif lends and lends.get("fields"):
            known = {"phases": lends["phases"], **lends["fields"]}
        if known and (why := unlike(known, {"phases": studies[name]["phases"], **own, "scheme": scheme})):
            yield ["fields", method, "weights"], f"{why}; train it in this study, or take other weights"


def _faults(studies: Mapping, name: str, stage: str, method: str, option: str, lender: str) -> Iterator[str]:
    if lender.endswith(".safetensors"):
        fits = option == "weights"  # a training may start from weights for other phases
        yield from _of_file(lender, method if fits else "", studies[name]["phases"] if stage == "segment" else None)
        yield from _of_scale(lender, studies[name][stage][method]) if fits and stage == "restore" else ()
        return
    lends, _, lent = lender.partition("/")
    if lent in (studies.get(lends, {}).get(stage) or {}):
        if stage == "segment" and option == "weights":
            yield from _of_phases(studies[lends]["phases"], studies[name]["phases"])
        return
    if lends in studies:
        has = outputs.methods(studies[lends], stage)
        near = registry.suggest(lent, has) if has else "it has no method there"
        yield f"the study '{lends}' of '{lender}' makes no '{lent}' in {stage}; {near}"
        return
    run = ",".join([*studies, lends])
    yield (
        f"'{lender}' is not a method of a study of this run; what is finished is kept: make run STUDIES={run}, "
        "or name a .safetensors file"
    )


def _of_scale(path: str, options: Mapping) -> Iterator[str]:
    """Return why weights cannot be used that make another number of pixels of one than a restoration shall."""
    try:
        own = io.read_json(cards.card_file(path)).get("scale")
    except (OSError, ValueError, AttributeError):  # said already
        return
    if "scale" in options and isinstance(own, int) and own != options["scale"]:
        yield f"the weights are of scale {own}, not {options['scale']}; give 'scale: {own}', or other weights"


def _of_file(path: str, method: str, phases: list | None) -> Iterator[str]:
    """Return why a file of weights cannot be used; `method`: the applying method, "" if training starts from it."""
    for file, what in ((path, "weights"), (cards.card_file(path), "card of the weights")):
        if not os.path.isfile(file):
            yield f"there is no file '{file}' ({what}); correct the path"
            return
    try:
        card = io.read_json(cards.card_file(path))
        known, trained = card.get("phases"), card.get("method")
    except (OSError, ValueError, AttributeError) as error:
        yield f"the card '{cards.card_file(path)}' cannot be read ({error}); copy it again"
        return
    if method and trained and trained != registry.method_of(method):
        yield f"the weights are of method '{trained}'; apply them by '{trained}'"
    elif method and phases is not None and known is not None:
        yield from _of_phases(known, phases)


def _of_phases(known: list, phases: list) -> Iterator[str]:
    """Return why weights of some phases cannot be applied in a study of others; their order counts."""
    if list(known) != list(phases):
        yield (
            f"the weights are of phases {', '.join(known)}, the study has {', '.join(phases)}; "
            "give the study the phases of the weights, or train it"
        )
