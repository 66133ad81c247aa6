"""Numbers that are written in another unit than the name of their option states: 50 nm of `pixel_size_um` is 0.05."""

import re

KINDS = (  # each unit over the first of its kind
    {"um": 1.0, "pm": 1e-6, "a": 1e-4, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6},
    {"gpa": 1.0, "mpa": 1e-3, "kpa": 1e-6, "pa": 1e-9, "kbar": 0.1, "n/mm2": 1e-3},
    {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0, "h": 3600.0, "d": 86400.0},
    {"ev": 1.0, "mev": 1e-3, "ry": 13.605693, "ha": 27.211386},
    {"deg": 1.0, "rad": 57.29577951308232},
    {"px": 1.0},
    {"w/mk": 1.0, "w/cmk": 100.0, "w/mmk": 1000.0},
    {"m2/s": 1.0, "cm2/s": 1e-4, "mm2/s": 1e-6, "um2/s": 1e-12, "nm2/s": 1e-18},
    {"pas": 1.0, "mpas": 1e-3, "cp": 1e-3},
    {"g/cm3": 1.0, "kg/m3": 1e-3},
)
SPELLINGS = {
    "µm": "um", "μm": "um", "micron": "um", "microns": "um", "å": "a", "angstrom": "a", "n/mm²": "n/mm2", "sec": "s",
    "seconds": "s", "hour": "h", "hours": "h", "minutes": "min", "days": "d", "°": "deg", "degrees": "deg",
    "pixel": "px", "pixels": "px",
}  # fmt: skip
SHOWN = {"gpa": "GPa", "mpa": "MPa", "kpa": "kPa", "pa": "Pa", "ev": "eV", "mev": "meV", "k": "K",
         "pas": "Pa s", "w/mk": "W/(m K)"}  # fmt: skip
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
CELSIUS = ("c", "°c")  # begins elsewhere than kelvin


def _known(unit: str) -> bool:
    return unit in ("k", "c") or any(unit in kind for kind in KINDS)


def of_option(name: str) -> str:
    """Return the unit in which the name of an option ends: "um" of pixel_size_um, "w/mk" of ..._w_per_m_k; "" if none.

    A last word behind `per` or behind another unit is a part of a unit that is not known here.
    """
    return _ends(name)[1]


def _ends(name: str) -> tuple[str, str]:
    """Part the name of an option into the words before its unit, and the unit."""
    words = name.lower().split("_")
    for first in range(1, len(words)):
        unit = "_".join(words[first:]).replace("_per_", "/").replace("_", "")
        if not (_known(unit) or (unit[-1:] in ("2", "3") and _known(unit[:-1]))):
            continue
        part = words[first - 1] == "per" or (first > 1 and _known(words[first - 1]))
        return (name, "") if part else ("_".join(words[:first]), unit)
    return name, ""


def _parted(unit: str) -> tuple[str, int]:
    """Part a unit into its plain spelling and its power: um2 is (um, 2)."""
    text = re.sub(r"[\s()·*^]", "", unit.lower().replace("²", "2").replace("³", "3"))
    if text in SPELLINGS or any(text in kind for kind in KINDS):
        return SPELLINGS.get(text, text), 1
    power = int(text[-1]) if text[-1:] in ("2", "3") else 1
    bare = text[:-1] if power > 1 else text
    return SPELLINGS.get(bare, bare), power


def converted(number: float, unit: str, wanted: str) -> float | None:
    """Convert a number of a unit to another one; None where they are not of one kind."""
    own, power = _parted(unit)
    other, same = _parted(wanted)
    if (own in CELSIUS and other == "k") or (other in CELSIUS and own == "k"):
        return float(f"{number + (273.15 if other == 'k' else -273.15):.10g}")
    kind = next((kind for kind in KINDS if own in kind and other in kind), None)
    if kind is None or power != same:
        return None
    return float(f"{number * (kind[own] / kind[other]) ** power:.10g}")


def advice(number: str, unit: str, option: str) -> str:
    """Say how to write a number with a unit as the value of an option."""
    wanted = of_option(option)
    if not wanted and unit.strip() == "%" and not option.endswith("percent"):
        return f"write {float(number) / 100:.10g}, a part of 1"
    if not wanted or _parted(unit) == _parted(wanted):
        return f"write {number}, without a unit: the name of the option states it"
    made, shown = converted(float(number), unit, wanted), SHOWN.get(wanted, wanted)
    if made is None:
        return f"it is in {shown}, not in {unit.strip()}; write the number of {shown} alone"
    return f"write {made:.10g}, the number in {shown}, without a unit"


def renamed(name: str, value, allowed) -> str:
    """Say that the option that was meant has another unit than the name that was written; "" if none does."""
    stem, unit = _ends(name)
    alike = (_ends(each) for each in allowed) if unit else ()
    other = next((own for words, own in alike if words == stem and own and own != unit), "")
    if not other:
        return ""
    made, shown = None, SHOWN.get(other, other)
    if NUMBER.fullmatch(str(value)):
        made = converted(float(value), unit, other)
    example = "" if made is None else f": {value} {SHOWN.get(unit, unit)} are {made:.10g} {shown}"
    return f"; mind the unit, {shown}{example}"


WRITTEN = re.compile(r"\s?(nm|um|µm|μm|mm|ms|min|h|s|d|°?C|K|MPa|GPa|kPa|eV|meV)(?![A-Za-z0-9µμ])")
UNITS_OF_NAMES = ("nm", "um", "mm", "ms", "min", "h", "s", "d", "c", "k", "mpa", "gpa", "kpa", "ev", "mev")

TEMPERATURE = re.compile(r"temp|^t_|_t_|anneal|aged|aging|ageing|heat|quench|sinter|solution|furnace")


def behind(number: float, text: str, option: str) -> float:
    """Convert a number to the unit in which the name of its column ends, from the unit that follows it in a text.

    30 of "30min_650C" is 0.5 in the column `time_h`. Numbers that no known unit follows stay as they are, and so do
    those of a column that ends in c or k and is none of temperatures, such as `grade_c`.
    """
    found, wanted = WRITTEN.match(text), of_option(option)
    if wanted in ("c", "k") and not TEMPERATURE.search(option.lower()):
        return number
    if not found or wanted not in UNITS_OF_NAMES or _parted(found[1]) == _parted(wanted):
        return number
    made = converted(number, found[1], wanted)
    return number if made is None else made
