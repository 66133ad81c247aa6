"""Spellings of chemical formulas: what is unmistakable is written plainly, what is not has its reason."""

import ast
import json
import re
from collections.abc import Mapping

from matlens.crystal.compositions import NUMBER

DASHES = re.compile("[\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}]")
TEX = re.compile(r"\$|\\(?:mathrm|mathsf|text|rm|ce)\b|\\[()]")  # marks of TeX around a formula
LOWERED = re.compile(r"_\{\s*([\d.,/]+)\s*\}|<sub>\s*([\d.,/]+)\s*</sub>|_([\d.]+)")  # Fe_{2}O<sub>3</sub>, Fe_2O_3
FRACTION = re.compile(r"(?<=[A-Za-z)\]])(\d+)/(\d+)(?![\d.])")  # of Pb(Mg1/3Nb2/3)O3
STATE = re.compile(r"\s*\((?:s|l|g|cr|aq|gas|liq)\)$")  # NaCl(s), H2O (g)
CHARGE = re.compile(r".*[A-Za-z\d)\]](?:\^\{?\d*[+-]*\}?|[+-]+)$")
_LETTER = "[xyz\N{GREEK SMALL LETTER DELTA}]"
_SIGN = "[-+\N{PLUS-MINUS SIGN}]"
VARIABLE = re.compile(  # O3-d, Fe(1-x), Srx
    rf"(?:[A-Z][a-z]?|[)\]])?\(?\d[\d.]*\s*{_SIGN}\s*(?:{_LETTER}|[dn])(?![a-z])\)?|"
    rf"(?:[A-Z][a-z]?|[)\]]){_LETTER}(?![a-z])"
)
WATER = re.compile(r"(?<=[A-Za-z\d)\]])\s*[x\N{MULTIPLICATION SIGN}]\s*(?=\d+\s*H2O$)")  # CuSO4 x 5 H2O
MIXED = re.compile(r"-(?=0?\.\d)")  # 0.7PbTiO3-0.3BiFeO3: mole fractions of compounds
MIXED_PART = re.compile(r"(0?\.\d+)([A-Z(\[].*[A-Z(].*)")
SHARED = re.compile(r"\(([A-Z][A-Za-z\d]*(?:,\s*[A-Z][A-Za-z\d]*)+)\)")  # (Ba,Sr)
SYMBOL = re.compile(r"[A-Z][a-z]?")
PART = re.compile(r"(?:[A-Z][a-z]?[\d.]*|[()\[\]][\d.]*)+")
STATES = re.compile(r"(?:[A-Z][a-z]?\d*\.?\d*[+-]\d*){2,}")  # Na+1Cl-1
DOPED = re.compile(r"[A-Z][A-Za-z\d.()]*:[A-Z][A-Za-z\d.]*")  # ZnO:Al
VACANCY = re.compile(r"Va(?![a-z])|\N{WHITE SQUARE}|\[\]")
TEX_SIGN = re.compile(r"[$\\{<]")


def mapping(text: str) -> dict | None:
    """Read a mapping that was printed into a cell, as {'Ni': 3, 'Al': 1}; None if the text is none."""
    if not (text.startswith("{") and ":" in text and text.endswith("}")):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, Mapping):
            return dict(found)
    return None


def plain(text: str) -> str:
    """Write a formula without the marks of TeX and HTML, its fractions as decimals, and no state of aggregation.

    An underscore is such a mark in braces, between dollars, or where all numbers of the formula have one and another
    symbol follows: NaCl_2 may be the second entry of NaCl.
    """
    text = DASHES.sub("-", text)
    marked = "_" in text or "<sub>" in text
    if marked and (
        TEX_SIGN.search(text) or (re.search(r"_[\d.]+[A-Z(]", text) and not re.search(r"[A-Za-z)]\d", text))
    ):
        text = LOWERED.sub(lambda found: next(filter(None, found.groups())), TEX.sub("", text))
        text = text.strip()
        text = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    text = WATER.sub("*", FRACTION.sub(_divided, text))
    return _added(STATE.sub("", text))


def _added(text: str) -> str:
    """Write a mixture of compounds whose mole fractions sum to 1 with the mark between its parts that adds them up."""
    parts = [MIXED_PART.fullmatch(part.strip()) for part in MIXED.split(text.replace(" ", ""))]
    whole = len(parts) > 1 and all(parts) and abs(sum(float(part[1]) for part in parts) - 1) < 1e-3
    return "*".join(part[0] for part in parts) if whole else text


def _divided(found: re.Match) -> str:
    above, below = int(found[1]), int(found[2])
    return repr(above / below) if 0 < above < below else found[0]  # Al2O3/2SiO2 are two


def reason(text: str) -> str | None:
    """Return why a formula that cannot be read is none, with the remedy; None if its fault is another one."""
    if VACANCY.search(text):
        return "names vacancies; leave them out of the formula"
    if STATES.fullmatch(text) or (CHARGE.fullmatch(text) and not VARIABLE.search(text)):
        return "has an oxidation state, a charge or an isotope; write it without"
    if found := VARIABLE.search(text):
        return f"has an amount that is not stated ({found[0]!r}); write the number, such as O2.95, or the nominal one"
    if found := SHARED.search(text):
        names = re.split(r",\s*", found[1])
        names = [name if SYMBOL.fullmatch(name) else f"({name})" for name in names]
        equal = "".join(f"{name}{1 / len(names):.3g}" for name in names)
        return f"does not state the shares of {found[1]}; write their amounts, such as ({equal})"
    if DOPED.fullmatch(text):
        return "names a dopant without its amount; write it like Zn0.98Al0.02O"
    if re.search(r"_\d+$", text):
        return f"has a number behind an underscore; write {text.replace('_', '')}, or leave it out if it counts entries"
    pieces = [piece for piece in re.split(r"[\s/|,;&+-]+", text) if piece]
    formulas = [piece for piece in pieces if _is_formula(piece)]
    if len(formulas) > 1 and len(formulas) == len(pieces):
        return "joins several formulas without their amounts; write it like (CaO)60(Al2O3)40, or each on a row"
    pieces = [piece for piece in re.split(r"[\s/|,;&_-]+|[()\[\]]", text) if piece]
    words = [piece for piece in pieces if not _is_formula(piece)]
    if words and len(pieces) - len(words) == 1:
        (one,) = (piece for piece in pieces if _is_formula(piece))
        return f"holds {words[0][:20]!r}, which is no part of a formula; write {one} alone, the rest in another column"
    return None


def _is_formula(piece: str) -> bool:
    return bool(PART.fullmatch(piece)) and all(symbol in NUMBER for symbol in SYMBOL.findall(piece))
