"""Names of alloys and steels that look like formulas: CuZn37 has 37 % of weight of zinc, not 37 atoms for one."""

import re
from collections.abc import Iterable

from matlens.crystal.compositions import NUMBER

FEW = 10  # formulas of a table for each one that may be the name of a grade: one of many is a compound
STEEL = re.compile(r"[1-9]\d+(?:(?:Cr|Mn|Mo|Ni|V|Si|W|Al|Co|Nb|Ti|B|S|Pb|N|Cu)\d*)+")  # 42CrMo4, 100Cr6
SHOUTED = re.compile(r"[A-Z]{1,4}(\d{2,4})[A-Z]{0,2}")  # SUS304, IN718, C45, S355
COMPOUNDS = re.compile(  # cages, borides, hydrides, graphite with potassium, beryllides, compounds of zinc
    r"C60|C70|B\d\d|K[CH]\d\d|[UVWY][BH]\d\d|(?:Mg|Ti|Zr|Co)Be\d+|(?:Ti|Zr|Ni|Co)Zn\d+|Zr(?:Ni|Co|Cu)5"
)
_BASE = "Al|Cu|Mg|Ti|Ni|Co|Zn|Zr|Sn|Pb"
_ADDED = f"{_BASE}|Si|Cr|Mn|Mo|V|W|Nb|Ta|Be|Fe|Li|Ag|Sb|Bi"
ALLOY = re.compile(rf"(?:{_BASE})(?:(?:{_ADDED})(?:\d+(?:\.\d+)?)?)+")  # CuZn37, AlSi12, TiAl6Nb7
LEAST = 5.0  # largest amount of a name of that kind: TiAl3 and AlNi3 are compounds


def named(texts: Iterable[str]) -> dict[str, str]:
    """Return the reasons why formulas of one table are names of grades, by formula.

    Names of steels by their carbon (42CrMo4), and capitals with a number of three digits (SUS304, which is no sulphide
    of uranium), are refused always; CuZn37 and C45 where more than one in FEW formulas of the table is like them.
    """
    texts = list(dict.fromkeys(texts))
    alloys = [text for text in texts if _is_alloy(text)]
    shouted = [text for text in texts if _is_shouted(text)]
    found = {text: _reason(text) for text in texts if STEEL.fullmatch(text)}
    found |= {text: _reason(text) for text in shouted if len(SHOUTED.fullmatch(text)[1]) > 2}
    for some in (alloys, shouted):
        if FEW * len(some) >= len(texts):
            found |= {text: _reason(text) for text in some}
    return found


def _is_alloy(text: str) -> bool:
    if not ALLOY.fullmatch(text) or COMPOUNDS.fullmatch(text):
        return False
    return max(map(float, re.findall(r"\d+(?:\.\d+)?", text)), default=0.0) >= LEAST


def _is_shouted(text: str) -> bool:
    letters = [sign for sign in text if sign.isalpha()]
    return bool(SHOUTED.fullmatch(text)) and not COMPOUNDS.fullmatch(text) and all(sign in NUMBER for sign in letters)


def _reason(text: str) -> str:
    """Write the reason, with the formula that is not mistaken where atoms are meant: Cu1Zn37."""
    atoms = re.sub(r"([A-Z][a-z]?)(?![a-z\d.])", r"\g<1>1", text.lstrip("0123456789"))
    return (
        f"its composition {text[:40]!r} may be the name of an alloy or a steel; give a column for each element, and "
        f"unit: wt%, or write {atoms[:40]} if it counts atoms"
    )
