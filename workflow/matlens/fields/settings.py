"""Quantities with their properties and units, components by name, and settings that no item could be solved with."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from matlens import registry

SETTINGS = (
    "quantity",
    "properties",
    "loading",
    "plane",
    "boundary",
    "cut",
    "checked_part",
    "hot_spots",
    "cracks",
    "slip_dissolution",
)  # shared by the methods of the stage


INFINITE = ("yield_gpa", "viscosity_pa_s")  # properties that may be infinite: of an elastic phase, of a solid
STIFFEST_GPA = 5e4  # forty times diamond: rigid phases of a model are allowed, pascals are not
LARGEST_STRAIN = 0.3  # of an elastoplastic cell
UNIT_STRAIN = 1.0  # of an elastic cell, where fields are proportional to the load
STEPS = 20  # of the load of an elastoplastic cell
OPTIONAL = {"elastic": ("eigenstrain",)}  # properties that are 0 where they are not given
DIAMOND_GPA = 1250.0  # no solid is stiffer


SAME = ("quantity", "properties", "loading", "plane", "boundary", "scheme")  # of all that a network is applied to


class Quantity(NamedTuple):
    """Properties that a quantity needs of every phase; names and units of its two fields; unit of effective values."""

    properties: tuple[str, ...]
    cause: str
    cause_unit: str
    answer: str
    answer_unit: str
    unit: str


_ELASTIC = ("strain", "1", "stress", "GPa", "GPa")
QUANTITIES = {
    "elastic": Quantity(("youngs_gpa", "poisson"), *_ELASTIC),
    "elastoplastic": Quantity(("youngs_gpa", "poisson", "yield_gpa", "hardening_gpa"), *_ELASTIC),
    "conduction": Quantity(("conductivity_w_per_m_k",), "gradient", "K/m", "flux", "W/m2", "W/(m K)"),
    "diffusion": Quantity(("diffusivity_m2_per_s",), "gradient", "mol/m4", "flux", "mol/(m2 s)", "m2/s"),
    "stokes": Quantity(("viscosity_pa_s",), "force", "Pa/m", "velocity", "m/s", "m2"),  # .inf: a solid
}


def unneeded(given: Mapping, name: str) -> float | None:
    """Return the value of a property that a phase may lack, since nothing depends on it: of a void all but its
    stiffness, of a phase that never yields its hardening; None of a property that is needed."""
    if given.get("youngs_gpa") == 0:
        return {"poisson": 0.0, "yield_gpa": math.inf, "hardening_gpa": 0.0}.get(name)
    return 0.0 if name == "hardening_gpa" and given.get("yield_gpa") == math.inf else None


def is_tensor(quantity: str) -> bool:
    """Tell whether the load and the fields of a quantity are tensors (strain, stress) or vectors (gradient, flux)."""
    return quantity.startswith("elast")


def components(axes: str, quantity: str) -> list[str]:
    """Name the components of a field in the order that they are stored: xx, yy, zz, yz, xz, xy, or x, y, z."""
    letters = sorted(axes)
    if not is_tensor(quantity):
        return letters
    pairs = [f"{a}{b}" for n, a in enumerate(letters) for b in letters[n + 1 :]]
    return [letter * 2 for letter in letters] + sorted(pairs, key=lambda pair: -ord(pair[1]) * 256 - ord(pair[0]))


def faults(
    settings: Mapping, phases: list, methods: Mapping[str, Mapping], axes: str = "zyx"
) -> list[tuple[list, str]]:
    """List (keys, reason) of settings that no item could be solved with; `methods`: their options by name; `axes`: of
    all items, where they are known."""
    settings = {**settings, "loading": {str(name): value for name, value in settings["loading"].items()}}
    found, quantity = [], settings["quantity"]
    if not methods:
        found.append(([], "no method: there are only controls; add 'fft: {}'"))
    found += [(["properties"], why) for why in _properties(settings["properties"], phases, quantity)]
    found += _not_finite(settings) + _units(settings) + _without_effect(settings)
    allowed = components(axes, quantity)
    for name in settings["loading"]:
        if name not in allowed:
            found.append((["loading"], f"there is no component '{name}'; {_suggest(name, allowed)}"))
    loads = {name for name, value in settings["loading"].items() if value}
    free = quantity in OPTIONAL and any((given or {}).get("eigenstrain") for given in settings["properties"].values())
    if not loads and not free:
        found.append((["loading"], "every component is 0: there is nothing to solve"))
    if settings["boundary"] == "mirrored" and is_tensor(quantity) and any(len({*name}) > 1 for name in loads):
        why = "a mirrored cell can be loaded along its axes alone; leave out the shear, or set boundary: periodic"
        found.append((["loading"], why))
    if settings["plane"] == "stress" and quantity != "elastic":
        found.append((["plane"], f"plane stress is there for 'elastic', not for '{quantity}'; set plane: strain"))
    found += _places(settings, phases)
    found += [(["cracks"], why) for why in _cracks(settings, phases)]
    found += _methods(settings, methods)
    return found


def written(value):
    """Return settings as JSON can hold them: an infinite number, as the yield stress of an elastic phase, as text."""
    if isinstance(value, Mapping):
        return {name: written(part) for name, part in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def unlike(known: Mapping, own: Mapping) -> str:
    """Say in which setting a study differs from what a network has learned with; empty if in none. The order of the
    phases counts: labels are their numbers."""
    for name in ("phases", *SAME):
        if name in own and name in known and written(own[name]) != written(known[name]):
            return f"it has learned with the {name} {known[name]}, and the study has {own[name]}"
    return ""


def _suggest(name: str, allowed: list[str]) -> str:
    """Say which component was meant: of 'yx' and '12', 'xy'; of 'x' and '11', 'xx'."""
    turned = "".join(sorted(name.translate(str.maketrans("123", "xyz"))))
    turned = turned * 2 if turned * 2 in allowed else turned
    return registry.suggest(turned if turned in allowed else name, allowed)


def _not_finite(settings: Mapping) -> list[tuple[list, str]]:
    """List values that are no finite numbers; of a property that may be infinite, those that are no numbers."""
    given = [(["loading", name], value, False) for name, value in settings["loading"].items()]
    for phase, values in settings["properties"].items():
        given += [(["properties", phase, name], value, name in INFINITE) for name, value in (values or {}).items()]
    why = "it is {}; give a finite number"
    return [
        (keys, why.format(value))
        for keys, value, infinite in given
        if math.isnan(value) or (math.isinf(value) and not infinite)
    ]


def _without_effect(settings: Mapping) -> list[tuple[list, str]]:
    """List stress-free strains of phases that have no stiffness to strain others with."""
    return [
        (["properties", phase, "eigenstrain"], f"'{phase}' has no stiffness, and its strain moves nothing; remove it")
        for phase, values in settings["properties"].items()
        if (values or {}).get("eigenstrain") and not values.get("youngs_gpa", 1.0)
    ]


def _places(settings: Mapping, phases: list) -> list[tuple[list, str]]:
    """List what the hot spots could not be searched, or no crack could be followed, with."""
    found, phase = [], (settings.get("hot_spots") or {}).get("phase")
    about = QUANTITIES[settings["quantity"]]
    carries = (settings["properties"].get(phase) or {}).get(about.properties[0], 1.0)
    if phase is not None and phase not in phases:
        found.append((["hot_spots", "phase"], f"there is no phase '{phase}'; {registry.suggest(phase, phases)}"))
    elif carries == 0 or math.isinf(carries):
        why = f"the {about.answer} of '{phase}' is 0 everywhere: its {about.properties[0]} is {carries:g}"
        found.append((["hot_spots", "phase"], f"{why}; name another phase"))
    if settings.get("slip_dissolution") and not is_tensor(settings["quantity"]):
        found.append(
            (["slip_dissolution"], f"cracks grow by stress, and '{settings['quantity']}' has none; leave it out")
        )
    elif settings.get("slip_dissolution") and _pressed(settings):
        why = "the equivalent stress of von Mises is as large in compression, where no crack opens"
        found.append((["hot_spots", "stress"], f"{why}; set stress: principal, or load it in tension"))
    return found


def _pressed(settings: Mapping) -> bool:
    """Check whether the hot spots are those of von Mises under loads that press alone."""
    stress = (settings.get("hot_spots") or {}).get("stress", "von_mises")
    loads = {name: value for name, value in settings["loading"].items() if value}
    presses = all(value < 0 and len({*name}) == 1 for name, value in loads.items())
    return stress == "von_mises" and bool(loads) and presses


def _units(settings: Mapping) -> list[tuple[list, str]]:
    """List stiffnesses, yield stresses, hardenings and strains that belong to another unit."""
    found, quantity = [], settings["quantity"]
    for phase, values in settings["properties"].items():
        youngs = (values or {}).get("youngs_gpa", math.nan)
        if math.isfinite(youngs) and youngs > STIFFEST_GPA:
            why = f"{youngs:g} GPa is stiffer than any solid; if it is in Pa or MPa, give GPa (steel: 210)"
            found.append((["properties", phase, "youngs_gpa"], why))
        for name, about in (("yield_gpa", "yield stress"), ("hardening_gpa", "hardening")):
            own = (values or {}).get(name, math.nan)
            if math.isfinite(own) and 0 < youngs < own:
                why = f"a {about} of {own:g} GPa is above Young's modulus, {youngs:g} GPa; if it is in MPa, give GPa"
                found.append((["properties", phase, name], why))
    for name, value in settings["loading"].items() if is_tensor(quantity) else ():
        if quantity == "elastoplastic" and math.isfinite(value) and abs(value) > LARGEST_STRAIN:
            why = f"a strain of {value:g} is not small, and plasticity here is for small strains; 0.01 is 1 %"
            found.append((["loading", name], why))
        elif len(name) == 2 and math.isfinite(value) and abs(value) > UNIT_STRAIN:
            why = f"a load is a mean strain, no stress, and {value:g} is {100 * value:g} %; 0.01 is 1 %"
            found.append((["loading", name], why))
    return found


def _cracks(settings: Mapping, phases: list) -> list[str]:
    """List reasons why no stress intensity could be found."""
    name, loads = settings.get("cracks"), [key for key, value in settings["loading"].items() if value]
    if name is None:
        return []
    if name not in phases:
        return [f"there is no phase '{name}'; {registry.suggest(name, phases)}"]
    if settings["quantity"] != "elastic" or len(loads) != 1 or len({*loads[0]}) != 1:
        return ["stress intensities are there for 'elastic' under one load along an axis, such as {yy: 0.01}"]
    if (settings["properties"].get(name) or {}).get("youngs_gpa"):
        return [f"a crack carries no load; set youngs_gpa: 0 of '{name}'"]
    if settings["loading"][loads[0]] < 0:
        return ["a crack closes under compression, and its faces bear on each other; load it in tension"]
    if any((given or {}).get("eigenstrain") for given in settings["properties"].values()):
        return ["stress intensities are there for loads alone; leave out eigenstrain, or cracks"]
    return []


SOLVERS = {"fft": "elastic, elastoplastic, conduction and diffusion", "stokes": "stokes"}


def _methods(settings: Mapping, methods: Mapping[str, Mapping]) -> list[tuple[list, str]]:
    """List what no item could be solved with among the options of the methods."""
    found, quantity = [], settings["quantity"]
    exact = [name for name in methods if name.partition(".")[0] in SOLVERS]
    for name, options in methods.items():
        bare = name.partition(".")[0]
        if bare in SOLVERS and (bare == "stokes") != (quantity == "stokes"):
            right = "stokes" if quantity == "stokes" else "fft"
            found.append(([name], f"it solves {SOLVERS[bare]}, not '{quantity}'; take '{right}'"))
        if bare not in SOLVERS:
            found += [([name, *key], why) for key, why in _learned(settings, options, exact)]
        if options.get("scheme") == "hexahedra" and quantity != "elastic":
            why = f"hexahedra are there for 'elastic', not for '{quantity}'; set scheme: rotated"
            found.append(([name, "scheme"], why))
        if options.get("steps", STEPS) != STEPS and quantity != "elastoplastic":
            found.append(([name, "steps"], f"'{quantity}' is linear and has no steps of the load; leave it out"))
    return found


def _learned(settings: Mapping, options: Mapping, exact: list[str]) -> list[tuple[list, str]]:
    """List what a network could not be trained or judged with."""
    found, quantity = [], settings["quantity"]
    if quantity == "stokes":
        found.append(([], "networks learn fields of elasticity, conduction and diffusion; take 'stokes'"))
    if not exact:
        found.append(([], "a network is judged by the fields of a solver; add 'fft: {}'"))
    elif options.get("truth") not in (None, *exact):
        why = f"there is no solver '{options['truth']}' in the study; {registry.suggest(options['truth'], exact)}"
        found.append((["truth"], why))
    if options.get("refine") and quantity == "elastoplastic":
        found.append((["refine"], "steps from a field are taken in elasticity and conduction, not in plasticity; 0"))
    if options.get("scale", 1.0) != 1.0 and not options.get("weights"):
        why = "it is the scale of weights that are ready, and this network is trained on items of the study"
        found.append((["scale"], f"{why}; give weights, or leave it out"))
    loads = [name for name, value in settings["loading"].items() if value]
    if settings["boundary"] == "mirrored" and not is_tensor(quantity) and len(loads) > 1:
        why = f"networks take mirrored cells under a load along one axis, not along {' and '.join(loads)}"
        found.append(([], f"{why}; load one, or set boundary: periodic"))
    return found


def _properties(given: Mapping, phases: list, quantity: str) -> list[str]:
    """List faults of the properties of the phases."""
    found, needed = [], QUANTITIES[quantity].properties
    for phase in phases:
        own = given.get(phase) or {}
        lacking = [name for name in needed if name not in own and unneeded(own, name) is None]
        if lacking:
            found.append(f"the phase '{phase}' lacks {', '.join(lacking)}; add it")
        unused = [name for name in own if name not in (*needed, *OPTIONAL.get(quantity, ()))]
        if unused:
            found.append(f"the phase '{phase}' has {', '.join(unused)}, which '{quantity}' leaves out; remove it")
    found += [f"there is no phase '{name}'; {registry.suggest(name, phases)}" for name in given if name not in phases]
    if not found and quantity == "stokes":
        fluids = {given[phase][needed[0]] for phase in phases} - {float("inf")}
        if all(math.isfinite(given[phase][needed[0]]) for phase in phases):
            found.append(f"no phase is a solid that holds the fluid back; give {needed[0]}: .inf to every solid")
        elif len(fluids) != 1:
            found.append(f"one fluid flows between solids; give {needed[0]} once, and .inf to every solid")
    elif not found and not any(given[phase][needed[0]] for phase in phases):
        found.append(f"{needed[0]} is 0 in every phase: there is nothing to solve")
    return found
