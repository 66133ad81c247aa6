"""Chemical formulas as users write them: hydrates, brackets, decimal commas, capitals with several readings."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import islice, product

from matlens.crystal import grades, spellings
from matlens.crystal.compositions import NUMBER, SYMBOLS
from matlens.job.batch import BadItem

ADDUCT = re.compile("[\N{MIDDLE DOT}\N{DOT OPERATOR}\N{BULLET OPERATOR}\N{BULLET}*]")  # CuSO4, dot, 5H2O
HYDRATE = re.compile(r"[A-Z].*\.\d*(H2O|\(H2O\))\d*")
ADDED = re.compile(r"([A-Z][a-z]?)(?!0\.)\d*\.\d+(?=[A-Z(\[])")  # Al2O3.2SiO2; O0.2 is a number
LEADING = re.compile(r"\s*\d[\d.]*\s*\D.*\d\s*[A-Z(\[].*|\s*\d[\d.]*\s*[(\[].*")  # 50Fe50Co, 20Na2O80SiO2, 2(CaO)SiO2
ALLOY = re.compile(r"[A-Z][a-z]?(?:-\d+(?:\.\d+)?[A-Z][a-z]?)+")  # Ti-6Al-4V
GRADES = ("Ti6Al4V", "Ti6Al7Nb", "Ti3Al2.5V", "Ti5Al2.5Sn", "Ti6Al2Sn4Zr2Mo", "AlSi10Mg", "AlSi7Mg")  # in % of weight
ROMAN = re.compile(r"\((?:I{1,3}|IV|VI{0,3})\)")  # Fe(III): pymatgen reads iodine
RAISED = "\N{SUPERSCRIPT ONE}\N{SUPERSCRIPT TWO}\N{SUPERSCRIPT THREE}" + "".join(map(chr, range(0x2070, 0x207C)))
PLAIN = re.compile(r"(?:[A-Z][a-z]?\d*)+", re.ASCII)
PART = re.compile(r"([A-Z][a-z]?)(\d*)", re.ASCII)
SURE = re.compile(f"(?:(?:{'|'.join(sorted(SYMBOLS, key=len, reverse=True))})(?:[1-9][0-9]*)?)+")
ISOTOPES = {"D": "H", "T": "H"}
NOTHING = ("", "-", "\N{EN DASH}", "\N{EM DASH}", "nan", "none", "null", "n/a")
COLUMNS = (  # of tables, in small letters with underscores, the likeliest first
    "composition", "formula", "pretty_formula", "formula_pretty", "chemical_formula", "reduced_formula",
    "chemical_formula_reduced", "composition_reduced", "compound",
)  # fmt: skip
SHORT = 40  # characters of a faulty value that a message quotes
LIKELY = {*SYMBOLS[:94]} - {"Po", "Np"}  # elements that two capitals may mean: PO is a phosphate sooner than polonium
MOST = 3  # readings of a formula that are listed
RARELY = 10  # formulas with small letters for each one in capitals that is a slip of the pen
LONE = re.compile(r"[A-Z][a-z]\d+")  # Co2: an element with a number is no formula that anyone writes
ENOUGH = 20  # formulas of single letters that show that their table does not write Si as SI


def amounts(text, capitals: Mapping[str, str] | None = None) -> dict[str, float]:
    """Parse a formula into amounts of atoms by symbol. Raises BadItem if it is not a formula.

    `capitals`: reasons of `unclear` for the formulas of its table. A comma between digits is a decimal mark. Parts
    with a dot between them (CuSO4, dot, 5H2O) are added up. A mapping of symbols to amounts is taken as it is.
    """
    if isinstance(text, Mapping):
        return checked({str(symbol): _number(amount, symbol) for symbol, amount in text.items()})
    given = _normal(text)
    if given.lower() in NOTHING:
        raise BadItem("it has no composition; fill it in")
    if capitals and given in capitals:
        raise BadItem(capitals[given])
    raised = not str(text).isascii() and any(sign in RAISED for sign in str(text))
    if PLAIN.fullmatch(given) and given not in GRADES and not raised:
        return checked(_counted(given))
    if (printed := spellings.mapping(given)) is not None:
        return amounts(printed)
    shown = f"its composition {given[:SHORT]!r}"
    given = spellings.plain(given)
    if raised or ROMAN.search(given):
        raise BadItem(f"{shown} has an oxidation state, a charge or an isotope; write it without")
    if ALLOY.fullmatch(given) or given in GRADES:
        raise BadItem(f"{shown} states percents of weight; give a column for each element, and unit: wt%")
    found: dict[str, float] = {}
    parts = ADDUCT.split(re.sub(r"(?<=\d),(?=\d)", ".", given))
    if len(parts) == 1 and LEADING.fullmatch(given):
        raise BadItem(
            f"{shown} begins with a number, which may be meant for all of it or for its first part; write it like "
            "Fe50Co50, or (SiO2)80(Na2O)20"
        )
    for part in parts:
        if HYDRATE.fullmatch(part) or _may_be_added(part):
            raise BadItem(f"{shown} has a point that may be decimal or that of a hydrate; write it like CuSO4(H2O)5")
        times, formula = re.fullmatch(r"\s*(\d+(?:\.\d+)?)?\s*(.*?)\s*", part, re.S).groups()
        for symbol, amount in _parsed(formula, shown).items():
            found[symbol] = found.get(symbol, 0.0) + amount * float(times or 1)
    return checked(found)


def _normal(text) -> str:
    text = "" if text is None else str(text)
    if text.isascii():
        return text.strip()
    seen = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")  # signs without width
    return unicodedata.normalize("NFKC", seen).strip()


def _number(amount, symbol) -> float:
    try:
        return float(amount)
    except (TypeError, ValueError):
        raise BadItem(f"its amount of {symbol} is {str(amount)[:SHORT]!r}, not a number; correct it") from None


def _may_be_added(part: str) -> bool:
    """Check whether a point of a formula may add a second one: the element before it occurs again behind it."""
    return any(re.search(rf"{found[1]}(?![a-z])", part[found.end() :]) for found in ADDED.finditer(part))


def _parsed(part: str, shown: str) -> dict[str, float]:
    """Parse a formula without dots; unknown elements are refused by their letters."""
    from pymatgen.core import Composition

    try:
        found = {str(symbol): float(amount) for symbol, amount in Composition(part).as_dict().items()}
    except Exception as error:
        why = spellings.reason(part) or f"cannot be read ({str(error)[:80]}); write it like Ni3Al"
        raise BadItem(f"{shown} {why}") from error
    return {re.sub(r"\d*[+-]$", "", symbol): amount for symbol, amount in found.items()}


def _counted(formula: str) -> dict[str, float]:
    """Count the atoms of a formula of symbols and whole numbers; D and T are hydrogen."""
    found: dict[str, float] = {}
    for symbol, amount in PART.findall(formula):
        symbol = ISOTOPES.get(symbol, symbol)
        found[symbol] = found.get(symbol, 0.0) + float(amount or 1)
    return found


def checked(found: Mapping[str, float]) -> dict[str, float]:
    """Check a composition. Returns the amounts above zero by atomic number. Raises BadItem if it is not one."""
    for symbol, amount in found.items():
        if symbol not in NUMBER:
            raise BadItem(f"unknown element {str(symbol)[:SHORT]!r}; give a chemical symbol")
        if not math.isfinite(amount):
            raise BadItem(f"its amount of {symbol} is not finite; correct it")
        if amount < 0:
            raise BadItem(f"its amount of {symbol} is negative ({amount:g}); correct it")
    there = {symbol: float(found[symbol]) for symbol in sorted(found, key=NUMBER.get) if found[symbol] > 0}
    if not there:
        raise BadItem("it has no element above zero; fill in its composition")
    return there


def readings(formula: str) -> list[str]:
    """List up to MOST formulas that a formula in capitals may mean, those with the longer symbols first.

    SIO2 may be SiO2 or SIO2, NACL only NaCl. Empty if no division of its letters gives symbols alone.
    """
    pieces = re.split(r"([A-Z]+)", formula)
    divided = [_divisions(piece) if piece.isalpha() else [piece] for piece in pieces]
    return ["".join(each) for each in islice(product(*divided), MOST)]


def _divisions(letters: str) -> list[str]:
    """List up to MOST ways to divide capitals into symbols, from the last letter to the first."""
    ends: list[list[str]] = [[""]]  # of the last k letters
    for k in range(1, len(letters) + 1):
        one, two = letters[-k], letters[-k : len(letters) - k + 2].capitalize()
        found = [two + rest for rest in ends[k - 2]] if k > 1 and two in LIKELY else []
        found += [one + rest for rest in ends[k - 1]] if one in NUMBER else []
        ends.append(found[:MOST])
    return ends[-1]


def unclear(formulas: Iterable) -> dict[str, str]:
    """Return the reasons why formulas of one table cannot be used, by formula as `_normal` writes it.

    They are names of alloys (see `grades`), or their capitals have several readings.

    NACL has symbols only if it is NaCl. SIO2, which may be Si O2 or S I O2, is refused with its readings where more
    than a tenth as many formulas are like NACL as have small letters, or where none has any and fewer than ENOUGH show
    that none is needed. Other tables mean what they write: CO2 among Fe2O3 and SiO2, and CO2 instead of Co2 where no
    formula is like NACL.
    """
    texts = dict.fromkeys(_normal(text) for text in formulas if not isinstance(text, Mapping))
    texts = [text for text in texts if any(map(str.isalpha, text)) and text.lower() not in NOTHING]
    capitals = {text: found for text in texts if text.upper() == text and (found := readings(text))}
    shouted = [text for text, found in capitals.items() if text not in found]
    small = sum(text.upper() != text for text in texts)
    doubtful = RARELY * len(shouted) > small if shouted else not small and len(texts) < ENOUGH
    if not shouted:
        capitals = {text: [way for way in found if not LONE.fullmatch(way)] for text, found in capitals.items()}
    return grades.named(texts) | {
        text: _why(text, found)
        for text, found in capitals.items()
        if text not in found or (doubtful and found != [text])
    }


def _why(text: str, found: list[str]) -> str:
    """Write the reason of one formula, with the readings as they are unmistakable: S1I1O2."""
    ways = [re.sub(r"[A-Z](?=[A-Z])", r"\g<0>1", way) for way in found] if len(found) > 1 else found
    if len(ways) == 1:
        return f"its composition {text[:SHORT]!r} is in capitals; write {ways[0][:SHORT]!r}"
    listed = " or ".join(repr(way[:SHORT]) for way in ways)
    return f"its composition {text[:SHORT]!r} in capitals may be {listed}; write the one that is meant"


def column_in(header: Iterable[str], names: Iterable[str] = COLUMNS) -> str | None:
    """Return the column of formulas of a header, the likeliest of `names` first; None if it has none."""
    plain = {re.sub(r"[\s_-]+", "", name.lower()): name for name in reversed(list(header))}
    return next((plain[key] for key in (name.replace("_", "") for name in names) if key in plain), None)


def fault_in(formulas: Iterable) -> tuple[str, str] | None:
    """Return the first formula of a table that cannot be read, with the reason; None if all can."""
    formulas = list(formulas)
    capitals = unclear(formulas)
    for text in formulas:
        if SURE.fullmatch(str(text)) and not (text in capitals or text in GRADES):
            continue  # a reference of 100,000 formulas is read before every job
        try:
            amounts(text, capitals)
        except BadItem as error:
            return text, str(error)
    return None
