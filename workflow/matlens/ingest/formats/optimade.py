"""Structures of OPTIMADE (specification 1.3, C. W. Andersen et al., Sci. Data 8 (2021) 217)."""

import math
from collections.abc import Mapping

import numpy as np

from matlens.crystal.compositions import SYMBOLS
from matlens.crystal.structures import Crystal
from matlens.ingest.formats import operations
from matlens.ingest.formats.cif_sites import amounts
from matlens.ingest.formats.common import TOLERANCE, atomic_number, build, few, fractional, near
from matlens.job.batch import BadItem

EMPTY = ("vacancy", "va", "vac")
NEAR = 0.02  # by how much a part of a formula may differ from that of the sites


def read(found: Mapping, disorder: str, max_atoms: int, notes: list[str] | None = None) -> Crystal:
    """Make a crystal of the attributes of one entry.

    Raises BadItem if its sites cannot be completed to those of the unit cell, if a site stands for more atoms than it
    has positions, or if the sites do not match the formula.
    """
    if found.get("dimension_types") not in (None, [1, 1, 1]):
        raise BadItem(f"it is not periodic along all axes (dimension_types {found['dimension_types']})")
    if found.get("nperiodic_dimensions") not in (None, 3):
        raise BadItem(f"it is not periodic along all axes (nperiodic_dimensions {found['nperiodic_dimensions']})")
    _check_features(found)
    cell = np.array(found["lattice_vectors"], float).reshape(3, 3)
    frac = _positions(found, cell)
    few(len(frac), max_atoms)
    names = found["species_at_sites"]
    if len(names) != len(frac) or found.get("nsites") not in (None, len(frac)):
        raise BadItem(
            f"it has {len(names)} species, {len(frac)} positions and nsites {found.get('nsites')}; it may be incomplete"
        )
    kinds = {one["name"]: _shares(one) for one in found.get("species") or []}
    strange = sorted({str(name) for name in names} - set(map(str, kinds))) if kinds else []
    if strange:
        raise BadItem(
            f"its sites hold {', '.join(strange)[:60]}, which its list of species lacks; it may be incomplete"
        )
    sites = [dict(kinds[name]) if name in kinds else {atomic_number(name): 1.0} for name in names]
    for nest in found.get("assemblies") or []:
        _choose(nest, sites, disorder)
    frac, sites = _whole(found, cell, frac, sites, max_atoms)
    _check_formula(found, sites)
    _check_elements(found, kinds.values() or sites)
    return build(cell, sites, frac, disorder, notes)


FEATURES = {"site_attachments": "attached atoms", "assemblies": "assemblies", "disorder": "species of several elements"}


def _check_features(found: Mapping) -> None:
    """Refuse an entry that states features of which it holds no data: a part of it was not asked for, or is lost."""
    stated = set(found.get("structure_features") or ())
    if "implicit_atoms" in stated:
        raise BadItem("it has atoms without positions (structure_features: implicit_atoms); give a position for each")
    species = found.get("species") or []
    there = {
        "site_attachments": any(one.get("attached") for one in species),
        "assemblies": bool(found.get("assemblies")),
        "disorder": any(len(one.get("chemical_symbols") or ()) > 1 for one in species) or bool(found.get("assemblies")),
    }
    for feature, what in FEATURES.items():
        if feature in stated and not there[feature]:
            raise BadItem(f"it states the feature {feature} and holds no {what}; ask for species and assemblies, too")


def _check_elements(found: Mapping, sites) -> None:
    """Refuse sites of other elements than those that are listed or counted."""
    there = {z for site in sites for z in site}
    names = [str(name) for name in found.get("elements") or ()]
    if names and all(name in SYMBOLS for name in names) and {SYMBOLS.index(name) + 1 for name in names} != there:
        has = ", ".join(SYMBOLS[z - 1] for z in sorted(there))
        raise BadItem(f"its sites hold {has}, and its elements are {', '.join(names)}; ask for all sites")
    if not names and found.get("nelements") not in (None, len(there)):
        raise BadItem(f"its sites hold {len(there)} elements, and nelements is {found['nelements']}; ask for all sites")


def _positions(found: Mapping, cell: np.ndarray) -> np.ndarray:
    """Read the positions, Cartesian or fractional ones."""
    places, parts = found.get("cartesian_site_positions"), found.get("fractional_site_positions")
    if places is None and parts is None:
        raise BadItem("it has neither cartesian_site_positions nor fractional_site_positions; ask for them")
    made = [] if places is None else [fractional(cell, np.array(places, float).reshape(-1, 3))]
    made += [] if parts is None else [np.array(parts, float).reshape(-1, 3)]
    if len(made) > 1 and (len(made[0]) != len(made[1]) or not near(cell, *made)):
        raise BadItem("its Cartesian and its fractional positions differ; correct one of them")
    return made[0]


def _shares(one: Mapping) -> dict[int, float]:
    """Read the occupancies of a species by atomic number. Raises BadItem if attached atoms have no positions."""
    if one.get("attached") or any(one.get("nattached") or []):
        more = ", ".join(map(str, one.get("attached") or []))
        raise BadItem(
            f"its species {one['name']!r} has attached atoms ({more[:30]}) without positions; give them sites"
        )
    shares: dict[int, float] = {}
    for symbol, share in zip(one["chemical_symbols"], one["concentration"], strict=True):
        if str(symbol).lower() not in EMPTY:
            number = atomic_number(symbol)
            shares[number] = shares.get(number, 0.0) + float(share)
    return shares


def _choose(nest: Mapping, sites: list[dict[int, float]], disorder: str) -> None:
    """Keep the likeliest group of an assembly, whose groups of sites exclude each other, or refuse a choice."""
    groups, chances = nest["sites_in_groups"], [float(one) for one in nest["group_probabilities"]]
    if len(groups) != len(chances) or not all(0 <= site < len(sites) for group in groups for site in group):
        raise BadItem("its assemblies name sites or groups that are not there; ask for all sites")
    if max(chances, default=1.0) >= 1 - TOLERANCE:
        best = chances.index(max(chances)) if chances else 0
    elif disorder == "reject":
        raise BadItem(
            f"its groups of sites exclude each other, with probabilities {chances} (assemblies): disordered; order it, "
            "or set disorder: majority"
        )
    else:
        best = chances.index(max(chances))
    for at, group in enumerate(groups):
        for site in group if at != best else ():
            sites[site] = {}


def _whole(found: Mapping, cell, frac, sites: list, max_atoms: int) -> tuple[np.ndarray, list]:
    """Make sites of the unit cell of those that are given; only a whole list of operations makes them so."""
    span = found.get("site_coordinate_span")
    if span in (None, "unit_cell"):
        kept = [at for at, site in enumerate(sites) if site]
        return frac[kept], [sites[at] for at in kept]
    texts = found.get("space_group_symmetry_operations_xyz")
    start = f"its sites are not those of the unit cell (site_coordinate_span: {str(span)[:30]})"
    if span != "asymmetric_unit" or not texts:
        raise BadItem(f"{start}, and no symmetry operations make them so; ask for the sites of the unit cell")
    turns, shifts = operations.group(tuple(texts))
    number = found.get("space_group_it_number")
    if number and len(np.unique(turns, axis=0)) != _order(int(number)):
        raise BadItem(
            f"{start}, and its {len(turns)} symmetry operations are not those of its space group {number}; ask for the "
            "sites of the unit cell"
        )
    if not operations.fits(turns, cell):
        raise BadItem(f"{start}, and its symmetry operations do not fit the shape of its cell; correct one of them")
    places, member = operations.expanded(frac, turns, shifts, max_atoms)
    if len(np.unique(operations.together(places))) != len(places):
        raise BadItem(f"{start}, and images of several share a place; ask for the sites of the unit cell")
    kept = [at for at, site in enumerate(member.tolist()) if sites[site]]
    return places[kept], [sites[member[at]] for at in kept]


def _order(number: int) -> int:
    """Count the rotations of a space group."""
    from matlens.ingest.formats import symmetry

    settings = symmetry.by_number(number)
    return len(np.unique(symmetry.of_setting(settings[0])[0], axis=0)) if settings else 0


def _check_formula(found: Mapping, sites: list[dict[int, float]]) -> None:
    """Refuse sites that are not those of the reduced formula."""
    stated = amounts(str(found.get("chemical_formula_reduced") or "").strip())
    if not stated:
        return
    there = dict.fromkeys(stated, 0.0)
    for site in sites:
        for z, share in site.items():
            there[z] = there.get(z, 0.0) + share
    whole, total = sum(stated.values()), math.fsum(there.values())
    if total and any(abs(there[z] / total - stated.get(z, 0.0) / whole) > NEAR for z in there):
        has = " ".join(f"{SYMBOLS[z - 1]}{amount:g}" for z, amount in there.items())
        raise BadItem(
            f"its sites ({has}) are not those of its formula {found['chemical_formula_reduced']}: atoms are missing or "
            "too many; ask for all sites"
        )
