"""Symmetry of a CIF block: the operations that it lists, or those of the space group that it names.

What a block says is looked up among the 530 settings of the space groups (T. Hahn, International Tables for
Crystallography A; the table is spglib's). A name that is not there is an error, never P 1. Operations that are listed
must be a group, and as many as the named group has.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from matlens.ingest.formats import operations
from matlens.ingest.formats.cif_text import rows_of, said
from matlens.job.batch import BadItem

LISTED = ("_symmetry_equiv_pos_as_xyz", "_space_group_symop_operation_xyz")
MAGNETIC = "_space_group_symop_magn_operation_xyz"
CENTRING = ("_space_group_symop_magn_centering_xyz", "_space_group_symop_magn_centring_xyz")
MAGNETIC_NAMES = ("_space_group_magn_name_bns", "_space_group_magn_number_bns", "_space_group_magn_name_og")
MAGNETIC_NAMES += ("_space_group_magn_number_og", "_space_group_magn_name_uni")
HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
NAMES = ("_symmetry_space_group_name_h-m", "_space_group_name_h-m_alt", "_symmetry_space_group_name_h_m")
NAMES += ("_space_group_name_h-m_ref", "_space_group_name_h-m_full", "_space_group_name_h-m")
CODES = ("_space_group_it_coordinate_system_code",)
NUMBERS = ("_space_group_it_number", "_symmetry_int_tables_number")
CHOICES = {"s": "1", "z": "2", "hr": "h", "rh": "r"}  # ICSD's letters for the choices of origin
# Two settings of these groups have one name in the new notation (e: two glide planes), and two in the old one.
TWINS = {"cmma": 316, "cmmb": 317, "abmm": 318, "acmm": 319, "bmcm": 320, "bmam": 321}
TWIN = 67  # A e m m and B m e m are two settings each; C m m e is the standard one
TWIN_ORIGINS = {"ccca": 322, "cccb": 324, "abaa": 326, "acaa": 328, "bbcb": 330, "bbab": 332}  # and the next number
HALVES = {"a": ("x,y+1/2,z+1/2",), "b": ("x+1/2,y,z+1/2",), "c": ("x+1/2,y+1/2,z",)}
HALVES |= {"i": ("x+1/2,y+1/2,z+1/2",), "f": (*HALVES["a"], *HALVES["b"], *HALVES["c"])}
MARKUP = re.compile(r"</?su[bp]>|[~$\\{}]")  # subscripts of web pages, of CIF and of TeX
LOW = str.maketrans("\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2212\u2013\u2010", "0123456---")


class Setting(NamedTuple):
    """One of the 530: its number in Hall's list, the number of the group, the choice of axes or origin.

    `centred`: the letter of a centring that the list does not have (C -1), else "".
    """

    hall: int
    group: int
    choice: str
    centred: str = ""


class Symmetry(NamedTuple):
    """A candidate for the symmetry of a block: its name, rotations (m, 3, 3), translations (m, 3)."""

    said: str
    turns: np.ndarray
    shifts: np.ndarray


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_()'\"]", "", name).lower()


def _hall(symbol: str) -> str:
    """Write a Hall symbol in one way; blanks stay, as P 32 is a screw axis and P 3 2 two axes."""
    return " ".join(symbol.replace("_", " ").replace("=", '"').lower().split())


def _of_hall(symbol: str) -> Setting | None:
    """Find the setting of a Hall symbol; one without blanks has to mean one group."""
    halls = _settings()[1]
    if _hall(symbol) in halls:
        return halls[_hall(symbol)]
    alike = [one for key, one in halls.items() if key.replace(" ", "") == _hall(symbol).replace(" ", "")]
    return alike[0] if len(alike) == 1 else None


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


def _spelled(name: str) -> str:
    """Write a name without the marks of web pages, CIF and TeX; a bar stands before its digit."""
    name = re.sub(r"\s*[(,;]?\s*origin(?:\s+(?:choice|at))?\s*([12])\s*\)?\s*$", r" :\1", name, flags=re.I)
    name = re.sub(r"\\(?:bar|overline)\s*\{?\s*(\d)\}?", r"-\1", name.translate(LOW))
    return MARKUP.sub("", re.sub("([0-9])[\u0305\u0304]", r"-\1", name))


def by_name(name: str) -> list[Setting]:
    """List the settings that a Hermann-Mauguin name may mean; one after ":", or a letter after a blank, says which.

    The number of the group may stand behind the name, as in "Pnma (62)"; then it must be that of the name.
    """
    name = _spelled(name)
    numbered = re.fullmatch(r"(.*\S)\s*(?:\s\(\s*#?|\s#|,?\s*[Nn][Oo]\.?\s*)(\d{1,3})\s*\)?", name)
    if found := _named(name):
        return found
    return [one for one in _named(numbered[1]) if one.group == int(numbered[2])] if numbered else []


def _named(name: str) -> list[Setting]:
    named, _, _ = _settings()
    if _squeezed(name) in named:
        return named[_squeezed(name)]
    if triclinic := re.fullmatch(r"([abcif])(-?)1", _squeezed(name)):
        hall = 2 if triclinic[2] else 1
        return [Setting(hall, hall, "", triclinic[1])]
    found = re.fullmatch(r"(.*?[^\s:])(?:\s*:\s*(\S+)|\s*(HR|RH|[HRSZ]))\s*", name, re.I)
    plain, choice = (found[1], (found[2] or found[3]).lower()) if found else (name, "")
    plain = re.sub(r"(\d)-", r"-\1", _squeezed(plain))  # a bar behind its digit, as old tables have it
    cubic = re.sub(r"^([pfi](?:\d+/)?[mnad])3", r"\1-3", plain)  # Fm3m of before 1992
    listed = named.get(plain) or named.get(cubic, [])
    wanted = CHOICES.get(choice, choice)
    chosen = [one for one in listed if one.choice == wanted or (wanted in ("1", "2") and one.choice[:1] == wanted)]
    return chosen or listed


@lru_cache(maxsize=1024)
def of_setting(one: Setting) -> tuple[np.ndarray, np.ndarray]:
    """Return the operations of a setting, all translations of its centring among them: (m, 3, 3) and (m, 3)."""
    import spglib

    found = spglib.get_symmetry_from_database(one.hall)
    made = found["rotations"].astype(np.int64), found["translations"] % 1.0
    if one.centred:
        made = operations.products(made, operations.parsed(["x,y,z", *HALVES[one.centred]]))
    return made


def listed(block: Mapping) -> tuple[str, tuple[str, ...], tuple[str, ...]] | None:
    """Return the operations that a block lists: their column, they, the centring of magnetic ones; None for none."""
    for name in (*LISTED, MAGNETIC):
        given = rows_of(block, name)
        if given and set(given) - {"?", ".", ""}:
            centring = next((rows_of(block, key) for key in CENTRING if key in block), [])
            return name, tuple(given), tuple(centring) if name == MAGNETIC else ()
    return None


@cache
def _every() -> dict[int, list[Setting]]:
    """Index all settings by the number of their group."""
    found: dict[int, list[Setting]] = {}
    for one in _settings()[1].values():
        found.setdefault(one.group, []).append(one)
    return found


def _check_lists(block: Mapping) -> None:
    """Refuse two lists of operations that differ."""
    lists = [rows_of(block, name) for name in LISTED]
    if not all(given and not set(given) & {"?", ".", ""} for given in lists):
        return
    (turns, shifts), (others, moved) = (operations.group(tuple(given)) for given in lists)
    same = (turns[:, None] == others[None]).all(axis=(2, 3)) & (
        operations.apart(shifts[:, None], moved[None]) < operations.SAME
    )
    if len(turns) != len(others) or not same.any(axis=1).all():
        raise BadItem(f"it lists {len(turns)} and {len(others)} symmetry operations, which differ; delete one list")


def by_number(number: int) -> list[Setting]:
    """List the settings of a group by its number."""
    return _every().get(number, [])


def _stated(block: Mapping) -> list[tuple[str, list[Setting]]]:
    """List the entries of a block that name its space group, each with the settings that it may mean."""
    hall, name, number = (said(block, names) for names in (HALL, NAMES, NUMBERS))
    found = []
    if hall and (one := _of_hall(hall)):
        found.append((hall, [one]))
    if name:
        found.append((name, by_name(name)))
    if number and (digits := re.sub(r"\(.*|\.0*$", "", number)).isdigit():
        found.append((f"number {digits}", by_number(int(digits))))
    return found


def check(block: Mapping, turns: np.ndarray, shifts: np.ndarray, cell: np.ndarray) -> None:
    """Refuse listed operations that do not leave the shape of the cell, or are not those of the named group.

    Where the cell has not the shape that the group's name asks for (a primitive cell), the rotations are counted.
    """
    if not operations.fits(turns, cell):
        raise BadItem("its symmetry operations do not fit the shape of its cell; correct one of them")
    rotations = _rotations(turns.tobytes())
    for words, settings in _stated(block):
        every = [of_setting(one)[0] for one in settings]
        fitting = {len(own) for own in every if operations.fits(own, cell)}
        orders = {_rotations(own.tobytes()) for own in every}
        if settings and (rotations not in orders or (fitting and len(turns) not in fitting)):
            has = " or ".join(map(str, sorted(fitting or orders)))
            raise BadItem(
                f"it lists {len(turns)} symmetry operations, and its space group {words[:30]!r} has {has}; list all "
                "of them, or name the group P 1 where all atoms of the cell are listed"
            )
        own = _number(turns.tobytes(), shifts.tobytes()) if settings else None
        if own and own not in {one.group for one in settings}:
            raise BadItem(
                f"its symmetry operations are those of space group {own}, and it names {words[:30]!r}; correct one"
            )


# The files of a database have some hundred lists of operations between them.
@lru_cache(maxsize=1024)
def _rotations(turns: bytes) -> int:
    """Count the distinct rotations, (m, 3, 3) int64, of some operations."""
    return len(np.unique(np.frombuffer(turns, np.int64).reshape(-1, 9), axis=0))


@lru_cache(maxsize=1024)
def _number(turns: bytes, shifts: bytes) -> int | None:
    """Find the number of the group that operations are, in whatever setting; None where that cannot be found."""
    import spglib

    try:
        own = np.frombuffer(turns, np.int64).reshape(-1, 3, 3), np.frombuffer(shifts).reshape(-1, 3)
        return spglib.get_spacegroup_type_from_symmetry(*own).number
    except Exception:  # spglib raises errors of its own, or gives nothing
        return None


def of_block(block: Mapping, cell: np.ndarray) -> list[Symmetry]:
    """List the possible symmetries of a block; empty if it states none.

    `cell` (3, 3), rows: settings that do not fit it (rhombohedral axes of a hexagonal cell) are left out; of several
    unique axes the first is taken. Two are left where a group has two origins, or two settings of one name, and the
    block does not say which. Raises BadItem if listed operations are not a group or not the named one, or if a name is
    unknown or does not fit.
    """
    if given := listed(block):
        column, *texts = given
        turns, shifts = operations.group(*texts)
        _check_lists(block)
        check({} if column == MAGNETIC else block, turns, shifts, cell)  # a magnetic group is not the one that is named
        return [Symmetry("", turns, shifts)]
    hall, name, number = (said(block, names) for names in (HALL, NAMES, NUMBERS))
    if not (hall or name or number):
        if magnetic := said(block, MAGNETIC_NAMES):
            raise BadItem(f"it names the magnetic group {magnetic[:20]!r} and lists no operations; list them")
        return []
    words, found = _meant(hall, name, number)
    code = (said(block, CODES) or "").lower().removesuffix("abc")
    found = [one for one in found if one.choice == code] or found
    if not found:
        raise BadItem(
            f"its space group {words[:30]!r} is unknown, and it lists no operations; list them, or correct it"
        )
    made = [(one, *of_setting(one)) for one in found]
    made = [each for each in made if operations.fits(each[1], cell)]
    if not made:
        raise BadItem(f"its cell has not the shape that its space group {words[:30]!r} asks for; correct one of them")
    for other, settings in _stated(block):
        if settings and not {one.group for one, *_ in made} & {one.group for one in settings}:
            raise BadItem(f"its space group is {words[:30]!r} and {other[:30]!r}, which differ; correct one of them")
    if not all(one.choice[:1] in ("1", "2") or (one.group == TWIN and one.choice) for one, *_ in made):
        made = made[:1]
    return [Symmetry(f"{words} :{one.choice}" if len(made) > 1 else words, *own) for one, *own in made]


def _meant(hall: str | None, name: str | None, number: str | None) -> tuple[str, list[Setting]]:
    """Choose the statement that says most: the Hall symbol, the name, the number."""
    standard = _settings()[2]
    if hall and (one := _of_hall(hall)):
        return hall, [one]
    if hall and "(" in hall:  # a change of basis, which the name does not tell
        return hall, []
    if name:
        return name, by_name(name)
    if number:
        digits = re.sub(r"\(.*|\.0*$", "", number)
        return digits, standard.get(int(digits), []) if digits.isdigit() else []
    return hall or "", []
