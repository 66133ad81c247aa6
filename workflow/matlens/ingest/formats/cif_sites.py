"""The atom sites of a CIF block: elements and occupancies of each, read rightly or refused."""

import re
from collections.abc import Mapping

import numpy as np

from matlens.crystal.compositions import SYMBOLS
from matlens.crystal.formulas import readings
from matlens.ingest.formats.cif_text import number, rows_of, said
from matlens.ingest.formats.common import NUMBER, TOLERANCE, atomic_number
from matlens.job.batch import BadItem

CAPITALS = re.compile(r"[A-Z]{2}(?!\d*[-+])(\d*)")  # two capitals, with a number that is no charge
HEAVY = {84, *range(100, 119)}  # Po, and elements from fermium: written in capitals, they are rather groups of atoms
GROUPS = re.compile(r"OH|O-H|[Ww]at|NO3")  # words for groups of atoms, which stand for more atoms than one
FACTORS = {"cval": "C", "sival": "Si", "siva": "Si"}  # names of scattering factors
SHARE = re.compile(r"(\d*\.?\d+)?\s*([A-Z][a-z]?)\s*(\d*\.\d+|\d+(?![-+\d.]))?(?:\d*[-+]\d*)?")
NONE = ("?", ".", "")
EMPTY = ("va", "vac", "vacancy")
FORMULA = re.compile(r"([A-Z][a-z]?)\s*([\d.]*)\s*")


def formulas(block: Mapping, names: tuple[str, ...] = ("_chemical_formula_sum",)) -> list[dict[int, float]]:
    """List the readings of a formula that a block states, see `formula`: two of one in capitals, such as 'CO O'."""
    text = (said(block, names) or "").replace("'", "").replace(",", " ").strip()  # a comma parts moieties
    ways = (readings(text) if text.upper() == text else []) or [text]
    return [found for found in map(amounts, ways) if found]


def formula(block: Mapping, names: tuple[str, ...] = ("_chemical_formula_sum",)) -> dict[int, float]:
    """Read a formula such as 'C12 H8 N2' that a block states: atoms by atomic number.

    Empty for one of another form, and for capitals that have two readings.
    """
    found = formulas(block, names)
    return found[0] if len(found) == 1 else {}


def amounts(text: str) -> dict[int, float]:
    """Read a formula as it is written: atoms by atomic number; empty for one of another form."""
    found: dict[int, float] = {}
    if not re.fullmatch(rf"(?:{FORMULA.pattern})+", text):
        return {}
    for symbol, count in FORMULA.findall(text):
        try:
            amount = float(count or 1)
        except ValueError:
            return {}
        if symbol not in NUMBER:
            return {}
        found[NUMBER[symbol]] = found.get(NUMBER[symbol], 0.0) + amount
    return found


def elements(block: Mapping, names: tuple[str, ...]) -> set[int]:
    """List the elements of formulas that a block states, groups and moieties among them; empty for other words."""
    found = re.findall(r"[A-Z][a-z]?", " ".join(said(block, (name,)) or "" for name in names))
    return {NUMBER[symbol] for symbol in found} if all(symbol in NUMBER for symbol in found) else set()


def read(block: Mapping, disorder: str, max_atoms: int) -> tuple[list[dict[int, float]], np.ndarray]:
    """Read the sites of a block: occupancy by atomic number of each, and fractional coordinates (n, 3).

    Raises BadItem if atoms lack positions, stand for several atoms, or have an ambiguous element.
    """
    columns = {name: rows_of(block, f"_atom_site_{name}") for name in NAMES}
    frac, kept = _positions(block, columns, max_atoms)
    columns = {name: [values[row] for row in kept] for name, values in columns.items() if values}
    if hydrogens := sum(_count(word) for word in columns.get("attached_hydrogens", ())):
        raise BadItem(
            f"{hydrogens:g} hydrogens of its asymmetric unit have no positions (_atom_site_attached_hydrogens); give "
            "each hydrogen a row of its own"
        )
    shares = _elements(block, columns)
    for row, word in enumerate(columns.get("occupancy", ())):
        share = 1.0 if word in NONE else number(word)
        if not 0 <= share <= 1 + TOLERANCE:
            raise BadItem(f"site {row + 1} has an occupancy of {share:g}; it lies between 0 and 1: correct it")
        shares[row] = {z: part * share for z, part in shares[row].items()}
    keep = _alternatives(columns, shares, frac, disorder)
    return [shares[row] for row in keep], frac[keep]


NAMES = ("label", "type_symbol", "occupancy", "fract_x", "fract_y", "fract_z", "calc_flag", "attached_hydrogens")
NAMES += ("disorder_group", "disorder_assembly", "label_alt_id")


def _count(word: str) -> float:
    return 0.0 if word in NONE else number(word)


def _positions(block: Mapping, columns: Mapping, max_atoms: int) -> tuple[np.ndarray, list[int]]:
    """Read the coordinates, and list the rows that are atoms: a site that is called a dummy is none."""
    places = [columns[f"fract_{axis}"] for axis in "xyz"]
    if not all(places):
        if "_atom_site_cartn_x" in block:
            raise BadItem(
                "it is mmCIF, or a CIF with Cartesian coordinates (_atom_site.Cartn_x); save it as a CIF with "
                "fractional coordinates (_atom_site_fract_x)"
            )
        raise BadItem("it has no fractional coordinates (_atom_site_fract_x, y and z); give them")
    if len(places[0]) > max_atoms:
        raise BadItem(f"it has {len(places[0])} atoms or more; {max_atoms} are allowed (max_atoms)")
    if any(values is not None and len(values) != len(places[0]) for values in columns.values()):
        raise BadItem("the CIF cannot be read (its columns of atoms differ in length); it may be truncated or wrong")
    flags = columns["calc_flag"] or [""] * len(places[0])
    kept = [row for row, flag in enumerate(flags) if flag.lower() != "dum"]
    words = [[place[row] for place in places] for row in kept]
    lost = sum(any(value in NONE for value in row) for row in words)
    if lost:
        raise BadItem(f"{lost} of its {len(words)} atoms have no positions ('?' or '.'); give them or take them out")
    return np.array([[number(value) for value in row] for row in words], float).reshape(-1, 3), kept


def _elements(block: Mapping, columns: Mapping) -> list[dict[int, float]]:
    """Find the elements of every site, by its type symbol or, where there is none, by its label."""
    types, labels = columns.get("type_symbol"), columns.get("label")
    if not types and not labels:
        raise BadItem("its atoms have neither type symbols nor labels (_atom_site_type_symbol); give them")
    words = types or ["?"] * len(labels)
    labels = labels or ["?"] * len(words)
    stated, known = formula(block), {}
    for pair in zip(words, labels, strict=True):
        if pair not in known:
            known[pair] = of_label(pair[1], stated) if pair[0] in NONE else of_type(pair[0])
    return [dict(known[pair]) for pair in zip(words, labels, strict=True)]


def of_type(word: str) -> dict[int, float]:
    """Return the element of a type symbol (Fe, Fe3+, 2H), or the shares of several (0.75Si + 0.25Al)."""
    if GROUPS.match(word):
        raise BadItem(f"its site {word!r} is a group of atoms; give the element and the position of each")
    if found := CAPITALS.fullmatch(word):
        several = {word[0], word[1]} <= set(NUMBER)
        if several and word.capitalize()[:2] in NUMBER and (found[1] or NUMBER[word[:2].capitalize()] in HEAVY):
            raise BadItem(
                f"its site {word!r} may be {word[:2].capitalize()}, or a group of {word[0]} and {word[1]}; write the "
                "symbol with a small letter, or give the position of each atom"
            )
    if word.lower() in FACTORS:
        return {NUMBER[FACTORS[word.lower()]]: 1.0}
    single = _single(word)
    bare = re.fullmatch(r"\s*\d{0,3}[A-Za-z]{1,2}(?![A-Za-z])[^A-Za-z,/&]*\w*", word)
    if single and bare and not re.search(r"[A-Z]", word.strip().lstrip("0123456789")[2:]):
        return {single: 1.0}
    if word.lower() in EMPTY:
        return {}
    return _mixed(word)


def _single(word: str) -> int:
    """Return the atomic number of a symbol of one whole atom, else 0."""
    try:
        return atomic_number(word)
    except BadItem:
        return 0


def _mixed(word: str) -> dict[int, float]:
    """Read the shares of a site of several elements: 0.75Si + 0.25Al, Si0.75Al0.25, (Ca0.5,Sr0.5)."""
    plain = re.sub(r"(?<=[A-Za-z])\d[-+](?=$|[^\d.])", "", word)  # charges
    found = SHARE.findall(re.sub(r"[()\[\]{}]", " ", plain))
    found = [(before or after, symbol) for before, symbol, after in found]
    if not found or any(symbol not in NUMBER and symbol.lower() not in EMPTY for _, symbol in found):
        raise BadItem(f"unknown element {word[:20]!r}; give a chemical symbol")
    if not all(share for share, _ in found):
        raise BadItem(
            f"its site {word[:30]!r} is disordered, shared by several elements without the share of each; write a row "
            "for each element with its occupancy"
        )
    shares: dict[int, float] = {}
    for share, symbol in found:
        if symbol.lower() not in EMPTY:
            shares[NUMBER[symbol]] = shares.get(NUMBER[symbol], 0.0) + float(share)
    if not 0 < sum(shares.values()) <= 1 + TOLERANCE:
        raise BadItem(f"the shares of its site {word[:30]!r} add up to {sum(shares.values()):g}; correct them")
    return shares


def of_label(label: str, stated: Mapping[int, float]) -> dict[int, float]:
    """Return the element that a label means, where it can mean but one: Na1, Cl-, O1W.

    `stated`: the atoms of the formula, which decide ambiguous labels (CA1: C or Ca). Raises BadItem if they do not.
    """
    if GROUPS.match(label):
        raise BadItem(f"its site {label!r} is a group of atoms; give the element and the position of each")
    letters = re.match(r"\d{0,3}([A-Za-z]*)", label)[1]
    two, one = letters[:2], letters[:1].upper()
    can = [NUMBER[two.capitalize()]] if len(two) == 2 and two.capitalize() in NUMBER else []
    plain = len(two) == 2 and two[0].isupper() and two[1].islower()  # written as a symbol is
    if one in NUMBER and one != "T" and not (can and plain):  # T: a tetrahedral site of any element
        can.append(NUMBER[one])
    can = list(dict.fromkeys(can))
    if len(can) > 1 and stated:
        can = [z for z in can if z in stated] or can
    if len(can) != 1:
        may = " or ".join(SYMBOLS[z - 1] for z in can) or "no element that is known"
        raise BadItem(
            f"its label {label[:20]!r} is ambiguous without a type symbol: it may be {may}; give _atom_site_type_symbol"
        )
    return {can[0]: 1.0}


def _alternatives(columns: Mapping, shares: list[dict[int, float]], frac: np.ndarray, disorder: str) -> list[int]:
    """List the sites to keep where disorder groups exclude each other; those of the group that is kept become whole.

    Groups of one assembly exclude each other, and a group below 0 its own images. By the rule `majority` the group with
    the highest mean occupancy is kept (the first among equals). Groups of the same atoms at the same places (H and D)
    exclude nothing.
    """
    words = columns.get("disorder_group") or columns.get("label_alt_id") or ["."] * len(shares)
    nests = columns.get("disorder_assembly") or ["."] * len(shares)
    groups: dict[str, dict[str, list[int]]] = {}
    for row, (nest, word) in enumerate(zip(nests, words, strict=True)):
        if word not in (*NONE, "0"):
            groups.setdefault(nest, {}).setdefault(word, []).append(row)
    out: set[int] = set()
    for own in groups.values():
        if any(word.startswith("-") for word in own):
            raise BadItem(
                f"its disorder group {min(own)} lies on a symmetry element and excludes its own images: disordered; "
                "give the atoms of one alternative, in a group of lower symmetry"
            )
        alike = [sorted((*np.round(frac[row], 4), *shares[row]) for row in rows) for rows in own.values()]
        if all(one == alike[0] for one in alike):
            continue
        if disorder == "reject":
            raise BadItem(
                f"its disorder groups {' and '.join(sorted(own))} exclude each other: disordered; give the atoms of "
                "one, or set disorder: majority"
            )
        means = {word: np.mean([sum(shares[row].values()) for row in rows]) for word, rows in sorted(own.items())}
        best = max(means, key=means.get)
        for word, rows in own.items():
            if word != best:
                out.update(rows)
        for row in own[best]:
            total = sum(shares[row].values())
            shares[row] = {z: share / total for z, share in shares[row].items()} if total else shares[row]
    return [row for row in range(len(shares)) if row not in out]
