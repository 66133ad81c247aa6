"""Symmetry of a CIF block that names its space group and does not list the operations.

What a block says is looked up among the 530 settings of the space groups (T. Hahn, International Tables for
Crystallography A; the table is spglib's). A name that is not there is an error, never P 1.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from matlens.job.batch import BadItem

LISTED = ("_symmetry_equiv_pos_as_xyz", "_space_group_symop_operation_xyz", "_space_group_symop_magn_operation.xyz")
HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
NAMES = ("_symmetry_space_group_name_h-m", "_space_group_name_h-m_alt", "_symmetry_space_group_name_h_m")
NAMES += ("_space_group_name_h-m_ref", "_space_group_name_h-m_full", "_space_group_name_h-m")
NUMBERS = ("_space_group_it_number", "_symmetry_int_tables_number")
SHAPE = 0.05  # by how much of a length squared the cell may differ from what the operations make of it
CHOICES = {"s": "1", "z": "2", "hr": "h", "rh": "r"}  # ICSD's letters for the choices of origin
# Two settings of these groups have one name in the new notation (e: two glide planes), and two in the old one.
TWINS = {"cmma": 316, "cmmb": 317, "abmm": 318, "acmm": 319, "bmcm": 320, "bmam": 321}
TWIN_ORIGINS = {"ccca": 322, "cccb": 324, "abaa": 326, "acaa": 328, "bbcb": 330, "bbab": 332}  # and the next number


class Setting(NamedTuple):
    """One of the 530: its number in Hall's list, the number of the group, the choice of axes or origin."""

    hall: int
    group: int
    choice: str


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_()'\"]", "", name).lower()


def _hall(symbol: str) -> str:
    return re.sub(r"[\s_]", "", symbol).lower().replace("=", '"')


def _old(name: str) -> list[str]:
    """Write a name with e in the notation before 1992: a, b or c, whichever is not the centred face's own."""
    return [name.replace("e", glide) for glide in sorted(set("abc") - set(name[0]))] if "e" in name else []


@cache
def _settings() -> tuple[dict[str, list[Setting]], dict[str, Setting], dict[int, list[Setting]]]:
    """Index the settings: by Hermann-Mauguin name, by Hall symbol, and the standard ones by number of the group."""
    import spglib

    named, halls, standard, first, every = {}, {}, {}, {}, {}
    for hall in range(1, 531):
        about = spglib.get_spacegroup_type(hall)
        one = Setting(hall, about.number, about.choice.lower())
        every[hall] = halls[_hall(about.hall_symbol)] = one
        full = about.international_full
        names = [_squeezed(full), _squeezed(about.international.split("=")[-1])]
        if 3 <= one.group <= 15:
            names.append(_squeezed(re.sub(r"(?<= )1(?= |$)", "", full)))
        if one.group in (39, 41, 64):
            names += _old(names[1])
        for name in dict.fromkeys(names):
            named.setdefault(name, []).append(one)
        if first.setdefault(one.group, names[-1]) == names[-1] and not (one.group in (67, 68) and "-" in one.choice):
            standard.setdefault(one.group, []).append(one)
    named |= {name: [every[hall]] for name, hall in TWINS.items()}
    named |= {name: [every[hall], every[hall + 1]] for name, hall in TWIN_ORIGINS.items()}
    return named, halls, standard


def by_name(name: str) -> list[Setting]:
    """List the settings that a Hermann-Mauguin name may mean; one after ":", or a letter after a blank, says which."""
    named, _, _ = _settings()
    if _squeezed(name) in named:
        return named[_squeezed(name)]
    found = re.fullmatch(r"(.*?[^\s:])(?:\s*:\s*(\S+)|\s*(HR|RH|[HRSZ]))\s*", name, re.I)
    plain, choice = (found[1], (found[2] or found[3]).lower()) if found else (name, "")
    plain = _squeezed(plain)
    listed = named.get(plain) or named.get(re.sub(r"^([pfi][mnad])3", r"\1-3", plain), [])  # Fm3m of before 1992
    wanted = CHOICES.get(choice, choice)
    chosen = [one for one in listed if one.choice == wanted or (wanted in ("1", "2") and one.choice[:1] == wanted)]
    return chosen or listed


def _said(block: Mapping, names: tuple[str, ...]) -> str | None:
    """Give the first of some values that a block states."""
    for name in names:
        value = block.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, str) and value.strip() not in ("", "?", "."):
            return value.strip()
    return None


def listed(block: Mapping) -> list[str] | None:
    """Give the operations that a block lists, None where it lists none."""
    for key, value in block.items():
        given = [value] if isinstance(value, str) else list(value)
        if key.lower().rstrip("_") in LISTED and set(given) - {"?", "."}:
            return given
    return None


def fits(rotations: np.ndarray, cell: np.ndarray) -> bool:
    """Tell whether rotations (m, 3, 3), which act on fractional coordinates, leave the shape of a cell (3, 3)."""
    metric = cell @ cell.T
    turned = np.einsum("mji,jk,mkl->mil", rotations, metric, rotations)
    size = np.sqrt(np.outer(metric.diagonal(), metric.diagonal()))
    return bool((np.abs(turned - metric) <= SHAPE * size).all())


def check(operations: list[str], cell: np.ndarray) -> None:
    """Refuse operations, as x,y,z, that cannot be read or would change the shape of a cell."""
    from pymatgen.core.operations import SymmOp

    try:
        turns = np.array([SymmOp.from_xyz_str(re.sub(r",[-+]1$", "", text)).rotation_matrix for text in operations])
    except ValueError:
        turns = np.zeros((1, 3, 3))
    if not np.allclose(np.abs(np.linalg.det(turns)), 1):  # of what is no operation pymatgen makes zeros
        raise BadItem("its symmetry operations cannot be read; write each as one word, such as x,-y,z+1/2")
    if not fits(turns, cell):
        raise BadItem("its symmetry operations do not fit the shape of its cell; correct one of them")


def candidates(block: Mapping, cell: np.ndarray) -> list[tuple[str, list[str]]]:
    """List what the symmetry of a block may be: the setting, and its operations as x,y,z.

    `cell` (3, 3), rows: settings that do not fit it (rhombohedral axes of a hexagonal cell) are left out; of several
    unique axes the first is taken. Two are left where a group has two origins and the block does not say which. None is
    listed where a block says nothing. BadItem where it names a group that is unknown, or one that does not fit.
    """
    import spglib
    from pymatgen.core.operations import SymmOp

    small = {key.lower().rstrip("_"): value for key, value in block.items()}
    hall, name, number = (_said(small, names) for names in (HALL, NAMES, NUMBERS))
    _, halls, standard = _settings()
    if hall and _hall(hall) in halls:
        found, said = [halls[_hall(hall)]], hall
    elif hall and "(" in hall:  # a change of basis, which the name does not tell
        found, said = [], hall
    elif name:
        found, said = by_name(name), name
    elif number:
        said = re.sub(r"\(.*|\.0*$", "", number)
        found = standard.get(int(said), []) if said.isdigit() else []
    elif hall:
        found, said = [], hall
    else:
        return []
    if not found:
        raise BadItem(f"its space group {said[:30]!r} is unknown, and it lists no operations; list them, or correct it")
    made = []
    for one in found:
        symmetry = spglib.get_symmetry_from_database(one.hall)
        if fits(symmetry["rotations"], cell):
            made.append((one, symmetry))
    if not made:
        raise BadItem(f"its cell has not the shape that its space group {said[:30]!r} asks for; correct one of them")
    if not all(one.choice[:1] in ("1", "2") for one, _ in made):
        made = made[:1]
    texts = []
    for one, symmetry in made:
        pairs = zip(symmetry["rotations"], symmetry["translations"], strict=True)
        written = [SymmOp.from_rotation_and_translation(turn, shift).as_xyz_str() for turn, shift in pairs]
        texts.append((f"{said} :{one.choice}" if len(made) > 1 else said, written))
    return texts
