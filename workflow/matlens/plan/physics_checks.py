"""Refusals of settings that engines and loops cannot run; see `checks`."""

from collections.abc import Mapping

from matlens import registry, validate
from matlens.crystal import POTENTIALS
from matlens.fit import sublattices
from matlens.plan import outputs
from matlens.plan.engines import engines, fitted, shortlists
from matlens.plan.predictions import potentials
from matlens.plan.structure import Reasons
from matlens.thermo import database, extracts, quantities
from matlens.validate.answerable import unjudged

SECTIONS = ("bridge", "calphad", "diagram", "opencalphad", "thermocalc")  # those of `validate` that name databases
HANDED_OVER = ("opencalphad", "thermocalc")


def check_engines(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse an engine without the candidates, structures or quantities that it is to judge."""
    settings = studies[name]
    if not engines(settings):
        return
    given = settings["validate"]
    if given["candidates"] == "shortlist" and not shortlists(settings):
        yield (
            ["validate", "candidates"],
            "this study makes no shortlist; add a section 'screen', or set it to index",
        )
    if given["structures"] == "relaxed" and not potentials(settings):
        yield (
            ["validate", "structures"],
            f"nothing relaxes them; add '{next(iter(POTENTIALS))}: {{}}' to the section 'predict', or set it to ingest",
        )
    crystals = outputs.methods(settings, "ingest", "crystals")
    for method in engines(settings):
        if validate.NEEDS.get(registry.method_of(method)) == "crystals" and not crystals:
            yield ["validate", method], "it works on crystals, and this study ingests none"
    for quantity in given["accept"] if crystals else ():
        if quantity not in validate.QUANTITIES:
            yield (
                ["validate", "accept"],
                f"no engine computes '{quantity}'; {registry.suggest(quantity, validate.QUANTITIES)}",
            )
        for method in engines(settings) if quantity in validate.ELASTIC else ():
            if not given[method].get("elastic_strains"):
                yield ["validate", "accept"], _no_strains(method, quantity)


def _no_strains(method: str, quantity: str) -> str:
    if registry.method_of(method) not in validate.STRAINED:
        return f"'{method}' computes no '{quantity}'; engines that do: {', '.join(validate.STRAINED)}"
    return f"'{method}' computes no '{quantity}' without strains; add 'elastic_strains: [0.004, 0.008, 0.012]' to it"


def check_databases(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse databases, phases or quantities that are absent."""
    given, loop = studies[name].get("validate", {}), studies[name].get("acquire", {})
    sections = [(["validate", part], given[part]) for part in given if registry.method_of(part) in SECTIONS]
    sections += [(["acquire", "calphad"], loop["calphad"])] if loop.get("calphad") else []
    for keys, own in sections:
        databases = own.get("databases", [])
        if keys == ["validate", "diagram"]:
            yield from _fitted_databases(studies[name], databases, own["elements"])
            databases = [one for one in databases if not fitted(one["database"])]
            if not databases:
                continue
        phases = [phase for one in databases for phase in one["phases"]]
        try:
            quantities.check(own.get("criteria") or [], phases or own["phases"])
            for one in databases:
                database.check(one["database"], one["phases"])
        except ValueError as error:
            yield keys, str(error)
        else:
            if registry.method_of(keys[-1]) in HANDED_OVER:
                lost = unjudged(own.get("criteria") or [], own["temperatures_k"])
                yield from [([*keys, "criteria"], lost)] if lost else []
    if "bridge" in given and "fractions" not in studies[name]["quantify"]:
        yield (
            ["validate", "bridge"],
            "it compares measured fractions; add 'fractions: {}' to the section 'quantify'",
        )


def _fitted_databases(settings: Mapping, databases: list, elements: list[str]) -> Reasons:
    """Refuse databases of fits that the study does not make, and phases and elements that they do not hold."""
    made = {f"fit.{method}": settings["fit"][method] for method in outputs.methods(settings, "fit")}
    for one in databases:
        name = one["database"]
        if fitted(name) and name not in made:
            why = registry.suggest(name, made) if made else "add a section 'fit'"
            yield ["validate", "diagram", "databases"], f"no fit of this study is '{name}'; {why}"
        elif fitted(name):
            known = _phases(made[name])
            for symbol in sorted({*elements} - {*made[name]["elements"]}):
                held = "-".join(made[name]["elements"])
                yield (
                    ["validate", "diagram", "elements"],
                    f"'{name}' is of {held}, without {symbol}; correct one of them",
                )
            for phase in one["phases"]:
                if phase not in known:
                    yield (
                        ["validate", "diagram", "databases"],
                        f"'{name}' has no phase '{phase}'; it has {', '.join(known)}",
                    )


def _phases(given: Mapping) -> list[str]:
    """List the phases of the database that a fit makes."""
    if "phase" in given:
        return [given["phase"]]
    return [*(sublattices.PHASES[one] for one in given["lattices"]), *(given["reference_phases"] or [])]


def check_fits(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse a fit without the ordered and quasi-random cells that it takes, or without their energies."""
    settings = studies[name]
    for method in outputs.methods(settings, "fit"):
        given, own = settings["ingest"].get("superlattices"), settings["fit"][method]
        wanted = own.get("lattices", ["fcc"])
        there = [] if not given else [given["lattice"]] if isinstance(given["lattice"], str) else given["lattice"]
        lacks = [one for one in wanted if one not in there]
        if lacks or given["most_atoms"] < 4:
            yield (
                ["fit", method],
                f"it takes the ordered cells of 'ingest.superlattices' on {' and '.join(wanted)} with most_atoms "
                "4 or more",
            )
            continue
        if sorted(own["elements"]) not in [sorted(pair) for pair in given["pairs"]]:
            listed = "-".join(own["elements"])
            yield ["fit", method, "elements"], f"{listed} is no pair of ingest.superlattices.pairs; add it"
        least = own.get("degree", 2) + 3
        if given["quasi_random_atoms"] < least:
            yield ["fit", method], f"it needs 'ingest.superlattices.quasi_random_atoms: {least}' or more"
        still = [one for one in potentials(settings) if not settings["predict"][one].get("steps", 1)]
        if still:
            why = "a fit takes energies of relaxed cells, and the cells of superlattices have rough volumes"
            yield ["predict", still[0], "steps"], f"{why}; remove 'steps: 0'"
        if not potentials(settings):
            why = f"nothing computes energies; add '{next(iter(POTENTIALS))}: {{}}' to the section 'predict'"
            yield ["fit", method], why
        yield from _reference(method, own)


def _reference(method: str, own: Mapping) -> Reasons:
    """Refuse a reference database that lacks the elements in a structure, or the phases, that a fit takes from it."""
    if not own.get("reference"):
        if own.get("reference_phases"):
            yield ["fit", method, "reference_phases"], "they are phases of 'reference', which is not set; add it"
        return
    symbols = sorted(symbol.upper() for symbol in own["elements"])
    try:
        source = database.text(own["reference"])
        extracts.phases(source, symbols, own["reference_phases"] or [])
    except ValueError as error:
        yield ["fit", method, "reference"], str(error)
        return
    for lattice in own["lattices"]:
        for symbol in symbols:
            if not extracts.pure(source, symbol, lattice):
                why = f"it has no energy of {symbol.capitalize()} in {extracts.PURE[lattice]}; name another database"
                yield ["fit", method, "reference"], why


def check_limits(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse constraints that no value meets."""
    for quantity, limits in studies[name].get("acquire", {}).get("constraints", {}).items():
        low, high = limits.get("min", float("-inf")), limits.get("max", float("inf"))
        if low > high:
            yield (
                ["acquire", "constraints"],
                f"'{quantity}' lies between {low:g} and {high:g}, which nothing does; swap them",
            )


def check_oracle(studies: Mapping[str, dict], name: str) -> Reasons:
    """Refuse objectives and constraints that the oracle of a loop does not compute."""
    loop = studies[name].get("acquire", {})
    oracle = loop.get("oracle")
    if oracle == "calphad":
        yield from _calphad_oracle(loop)
    elif oracle and oracle not in validate.TABLES:
        if not outputs.methods(studies[name], "ingest", "crystals"):
            yield ["acquire", "oracle"], f"'{oracle}' works on crystals, and this study ingests none"
        for wanted in _computed(loop):
            if wanted not in validate.QUANTITIES:
                why = f"'{oracle}' computes no '{wanted}'; {registry.suggest(wanted, validate.QUANTITIES)}"
                yield ["acquire"], why
            elif wanted in validate.ELASTIC and not (loop.get(oracle) or {}).get("elastic_strains"):
                yield ["acquire"], _no_strains(oracle, wanted)


def _computed(loop: Mapping) -> list[str]:
    """List the objectives and constraints that an oracle has to compute; those with known values are columns."""
    known = {name for name, limits in loop["constraints"].items() if limits.get("known")}
    return [wanted for wanted in [*loop["objectives"], *loop["constraints"]] if wanted not in known]


def _calphad_oracle(loop: Mapping) -> Reasons:
    """Refuse limits among the criteria of CALPHAD, and quantities that are no criterion."""
    if "calphad" not in loop:
        yield (
            ["acquire", "calphad"],
            "the oracle has no settings; add databases, temperatures_k and criteria",
        )
        return
    criteria = loop["calphad"]["criteria"] or []
    for wish in criteria:
        if "min" in wish or "max" in wish:
            yield (
                ["acquire", "calphad", "criteria"],
                f"the limits of a loop are its constraints; write that of '{quantities.key(wish)}' there",
            )
    computed = [quantities.key(wish) for wish in criteria]
    for wanted in _computed(loop):
        if wanted not in computed:
            yield (
                ["acquire"],
                f"CALPHAD is not asked for '{wanted}'; "
                f"add it to acquire.calphad.criteria; {registry.suggest(wanted, computed)}",
            )


CHECKS = (check_engines, check_databases, check_fits, check_limits, check_oracle)
