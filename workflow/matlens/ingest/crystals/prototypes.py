"""Hypothetical crystals: elements substituted into prototypes of known structure."""

import gzip
import itertools
import json
import math
import warnings
from functools import cache
from importlib.resources import files

import numpy as np

from matlens import columns
from matlens.crystal.structures import Crystal
from matlens.ingest.crystals import structures
from matlens.ingest.crystals.prototype_table import PROTOTYPES
from matlens.ingest.formats.common import NUMBER, matrix
from matlens.job.batch import BadItem
from matlens.registry import suggest

LETTERS = "ABCDEFGX"
MOST = 1_000_000
FIRST_SHELL = 1.15  # times the shortest distance: neighbours up to there coordinate a cation
DUMMIES = ("Li", "Na", "K", "Rb", "Cs", "F", "Cl", "Br")


@cache
def _aflow() -> dict[str, dict]:
    """Index the prototypes that pymatgen ships by their AFLOW label, such as AB3_cP4_221_a_c."""
    data = files("pymatgen.analysis").joinpath("prototypes/aflow_prototypes.json.gz").read_bytes()
    return {entry["tags"]["aflow"]: entry["snl"] for entry in json.loads(gzip.decompress(data))}


def known(name: str) -> bool:
    """Check whether a prototype is known, by a name in PROTOTYPES or by an AFLOW label."""
    return name in PROTOTYPES or ("_" in name and name[0].isupper() and name in _aflow())


@cache
def template(name: str) -> tuple[np.ndarray, tuple[str, ...], np.ndarray, str]:
    """Return the primitive cell of a prototype: cell, letter of each atom, fractional coordinates, bonding.

    The letters of an AFLOW prototype follow its label: elements in alphabetical order.
    """
    from pymatgen.core import Lattice, Structure

    if name not in PROTOTYPES:
        entry = _aflow()[name]
        elements = [site["species"][0]["element"] for site in entry["sites"]]
        letters = dict(zip(sorted(set(elements)), LETTERS, strict=False))
        frac = np.array([site["abc"] for site in entry["sites"]], float)
        return np.array(entry["lattice"]["matrix"], float), tuple(letters[e] for e in elements), frac, "any"
    about = PROTOTYPES[name]
    dummy = dict(zip(dict.fromkeys(letter for letter, _ in about.sites), DUMMIES, strict=False))
    species, coords = zip(*[(dummy[letter], at) for letter, at in about.sites], strict=True)
    whole = Structure.from_spacegroup(about.group, Lattice(matrix(*about.cell)), species, coords, tol=1e-4)
    small = whole.get_primitive_structure(tolerance=1e-3)
    letter = {symbol: name for name, symbol in dummy.items()}
    order = sorted(range(len(small)), key=lambda k: letter[small[k].specie.symbol])
    return (
        small.lattice.matrix.copy(),
        tuple(letter[small[k].specie.symbol] for k in order),
        small.frac_coords[order],
        about.bonding,
    )


@cache
def exchanges(name: str) -> tuple[tuple[int, ...], ...]:
    """List the permutations of the letters that leave the crystal unchanged (A and X of rock salt).

    Compared by pymatgen's StructureMatcher with dummy elements.
    """
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.core import Lattice, Structure

    cell, letters, frac, _ = template(name)
    distinct = sorted(set(letters))
    matcher = StructureMatcher(ltol=0.05, stol=0.05, angle_tol=1, primitive_cell=False)

    def dressed(order):
        return Structure(Lattice(cell), [DUMMIES[order[distinct.index(letter)]] for letter in letters], frac)

    plain = dressed(range(len(distinct)))
    return tuple(
        order
        for order in itertools.permutations(range(len(distinct)))
        if order == tuple(range(len(distinct))) or matcher.fit(plain, dressed(order))
    )


@cache
def same(name: str, other: str, order: tuple[int, ...]) -> bool:
    """Check whether two prototypes are one crystal type if the letters of `other` are those of `name` in `order`.

    Compared by pymatgen's StructureMatcher on primitive cells of equal volume, with tolerances of 5 % in length, 1
    degree, and 0.05 of the mean distance of atoms. Its default tolerances would not distinguish B2 from L1_0. Elements
    are ignored.
    """
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.core import Lattice, Structure

    def dressed(prototype, symbols):
        cell, letters, frac, _ = template(prototype)
        distinct = sorted(set(letters))
        return Structure(Lattice(cell), [symbols[distinct.index(letter)] for letter in letters], frac)

    matcher = StructureMatcher(ltol=0.05, stol=0.05, angle_tol=1)
    return bool(matcher.fit(dressed(name, DUMMIES), dressed(other, [DUMMIES[k] for k in order])))


def _deduplicated(rows: list[dict]) -> list[dict]:
    """Keep the first of equal crystals from different prototypes; its column `also` names the others.

    Only crystals of one reduced formula are compared, and each pair of prototypes once for every order of the letters.
    """
    groups, kept = {}, []
    for row in rows:
        letters = template(row["prototype"])[1]
        counts = [letters.count(letter) for letter in sorted(set(letters))]
        elements = [row[f"site_{letter}"] for letter in sorted(set(letters))]
        divisor = math.gcd(*counts)
        formula = tuple(sorted((e, n // divisor) for e, n in zip(elements, counts, strict=True)))
        group = groups.setdefault(formula, [])
        for first, chosen in group:
            order = tuple(chosen.index(element) for element in elements)
            if first["prototype"] != row["prototype"] and same(first["prototype"], row["prototype"], order):
                first["also"] = f"{first['also']},{row[columns.ITEM]}" if first["also"] else row[columns.ITEM]
                break
        else:
            kept.append({**row, "also": ""})
            group.append((kept[-1], elements))
    return kept


@cache
def _states(symbol: str, which: str) -> tuple[int, ...]:
    from pymatgen.core import Element

    element = Element(symbol)
    return tuple(element.common_oxidation_states if which == "common" else element.oxidation_states)


@cache
def _electronegativity(symbol: str) -> float:
    from pymatgen.core import Element

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(Element(symbol).X)


def charges(elements: tuple[str, ...], counts: tuple[int, ...], *, which: str, ordered: bool) -> tuple[int, ...] | None:
    """Return the oxidation states, one per element, that make a compound neutral; None if there are none.

    `which`: "common" or "all" states that pymatgen lists. `ordered`: anions must be more electronegative (Pauling) than
    all cations. Of several solutions the smallest charges are taken.
    """
    best = None
    for states in itertools.product(*(_states(symbol, which) for symbol in elements)):
        if sum(s * n for s, n in zip(states, counts, strict=True)) or not any(states):
            continue
        cations = [_electronegativity(e) for e, s in zip(elements, states, strict=True) if s > 0]
        anions = [_electronegativity(e) for e, s in zip(elements, states, strict=True) if s < 0]
        if ordered and not max(cations) < min(anions):
            continue
        rank = (sum(abs(s) * n for s, n in zip(states, counts, strict=True)), states)
        best = min(best, rank) if best else rank
    return best[1] if best else None


@cache
def radius(symbol: str, charge: int = 0) -> float:
    """Return the Shannon radius of an ion, or the metallic (12 neighbours) or else atomic radius of a neutral atom."""
    from pymatgen.core import Element

    element = Element(symbol)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if charge:
            near = min(element.ionic_radii, key=lambda state: abs(state - charge), default=None)
            if near is not None and near * charge > 0:
                return float(element.ionic_radii[near])
        found = (element.metallic_radius, element.atomic_radius, element.atomic_radius_calculated)
    radius = next((float(value) for value in found if value and math.isfinite(float(value))), None)
    if radius is None:
        raise BadItem(f"no radius of {symbol} is known, so the volume cannot be estimated; remove {symbol}")
    return radius


def scale(cell: np.ndarray, frac: np.ndarray, radii: np.ndarray, states: np.ndarray) -> float:
    """Return the factor that scales the lengths of a cell to the size of its atoms.

    Ionic (some states are not 0): until the first cation and anion touch, with Shannon's radii for six neighbours (Acta
    Cryst. A 32 (1976) 751), times (z/6)^(1/8) for a cation with z (L. Pauling, The Nature of the Chemical Bond, 1960,
    section 13-3, with Born's exponent 9). Metallic: until
    the volume is that of the elements in close packing, 4 sqrt(2) r^3 an atom (Zen's law of additive volumes, with
    Goldschmidt's radii for 12 neighbours). Lengths of known compounds are met to 7 %.
    """
    if not states.any():
        return float(np.cbrt((4 * math.sqrt(2) * radii**3).sum() / abs(np.linalg.det(cell))))
    shifts = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    between = frac[None, :, None] - frac[:, None, None] + shifts[None, None]
    cations, anions = states > 0, states < 0
    images = np.linalg.norm(between @ cell, axis=-1)[cations][:, anions]
    nearest = images.min(axis=(1, 2))
    coordination = (images < FIRST_SHELL * nearest[:, None, None]).sum(axis=(1, 2))
    touching = (radii[cations][:, None] + radii[anions]) * (coordination[:, None] / 6) ** (1 / 8)
    return float((touching / images.min(axis=2)).max())


def plan(
    *,
    prototypes: list[str],
    elements: dict[str, list[str]],
    neutral: bool = True,
    oxidation_states: str = "common",
    electronegativity: bool = True,
    deduplicate: bool = False,
):
    """List the crystals formed by elements in prototypes.

    `prototypes`: names, see PROTOTYPES, or AFLOW labels of those that pymatgen ships. `elements`: allowed symbols for
    each letter of these prototypes; the symbols of one crystal are all different. `neutral`: drop compounds that no
    `oxidation_states` ("common", or "all" in pymatgen's list) make neutral, except in metallic prototypes.
    `electronegativity`: anions must also be more electronegative than cations. Crystals that differ only in the names
    of their sites are listed once. Returns a DataFrame with item, prototype, and the element and charge of each letter.
    Raises ValueError if a prototype, element or letter is unknown, or if there are more than 10^6 crystals.
    """
    import pandas as pd

    check(prototypes=prototypes, elements=elements)
    rows = {}
    for name in prototypes:
        _, letters, _, bonding = template(name)
        distinct = sorted(set(letters))
        lists = [list(dict.fromkeys(elements[letter])) for letter in distinct]
        counts = tuple(letters.count(letter) for letter in distinct)
        for chosen in itertools.product(*lists):
            if len(set(chosen)) < len(chosen):
                continue
            states = None
            if bonding != "metallic":
                states = charges(chosen, counts, which=oxidation_states, ordered=electronegativity)
                if neutral and states is None:
                    continue
            first = min(tuple(chosen[k] for k in order) for order in exchanges(name))
            row = {"prototype": name, **{f"site_{letter}": e for letter, e in zip(distinct, chosen, strict=True)}}
            row |= {f"charge_{letter}": float(s) for letter, s in zip(distinct, states or (0,) * 9, strict=False)}
            rows.setdefault((name, first), {columns.ITEM: "-".join([name, *chosen]), **row})
    if not rows:
        raise ValueError("no combination of these elements passes; add elements, or set neutral: false")
    listed = list(rows.values())
    return pd.DataFrame(_deduplicated(listed) if deduplicate else listed)


def check(*, prototypes: list[str], elements: dict[str, list[str]]) -> None:
    """Raise ValueError if `plan` would fail, without building any crystal."""
    for name in prototypes:
        if not known(name):
            raise ValueError(
                f"prototypes: unknown '{name}'; {suggest(name, PROTOTYPES)}, or an AFLOW label of pymatgen"
            )
        letters = _letters(name)
        for letter in letters:
            if letter not in elements:
                raise ValueError(f"elements: prototype '{name}' has a site {letter}; list its elements")
        count = math.prod(len(set(elements[letter])) for letter in letters)
        if count > MOST:
            raise ValueError(f"{name}: {count:.3g} combinations, the limit is {MOST}; list fewer elements")
    for letter, symbols in elements.items():
        for symbol in symbols:
            if symbol not in NUMBER:
                raise ValueError(f"elements.{letter}: unknown element '{symbol}'; {suggest(symbol, NUMBER)[:60]}")


def _letters(name: str) -> list[str]:
    """List the letters of a prototype, without making its cell."""
    if name in PROTOTYPES:
        return sorted({letter for letter, _ in PROTOTYPES[name].sites})
    return list(LETTERS[: len({site["species"][0]["element"] for site in _aflow()[name]["sites"]})])


def read(item: dict) -> tuple[Crystal, dict]:
    """Build one crystal of the plan, in the primitive cell of its prototype, with an estimated volume."""
    cell, letters, frac, _ = template(item["prototype"])
    symbols = [item[f"site_{letter}"] for letter in letters]
    states = np.array([int(item[f"charge_{letter}"]) for letter in letters])
    radii = np.array([radius(symbol, int(s)) for symbol, s in zip(symbols, states, strict=True)])
    grown = cell * scale(cell, frac, radii, states)
    crystal = Crystal(grown, np.array([NUMBER[s] for s in symbols], np.uint8), frac)
    return structures.check(crystal, max_atoms=10_000, min_distance_a=0.5), {}
