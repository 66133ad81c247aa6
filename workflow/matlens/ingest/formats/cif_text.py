"""The text of a CIF as names and values (S. R. Hall et al., Acta Cryst. A 47 (1991) 655; CIF 2 names with dots too).

Names are given in lower case, a dot in them as an underscore: `_cell.length_a` of CIF 2 is `_cell_length_a` of CIF 1.
"""

import re

from matlens.job.batch import BadItem

TOKEN = re.compile(
    r"""^;(?P<field>.*?)^;(?=\s|\Z)|'''(?P<three>.*?)'''|\"\"\"(?P<six>.*?)\"\"\"|'(?P<one>[^\n]*?)'(?=\s|\Z)"""
    r"""|"(?P<two>[^\n]*?)"(?=\s|\Z)|(?P<comment>\#[^\n]*)|(?P<word>\S+)""",
    re.M | re.S,
)
NEEDED = ("_atom_site_", "_symmetry_", "_space_group_")  # loops that must be whole; a broken one of others is left out
UNKNOWN = ("?", ".", "")
LABEL = "_atom_site_label"
ONCE = re.compile(  # values that decide the structure: a block must not hold two of one name
    r"_cell_(length_[abc]|angle_(alpha|beta|gamma)|formula_units_z)|_chemical_formula_sum|_symmetry_space_group_name_.*"
    r"|_space_group_name_.*|_space_group_it_number|_symmetry_int_tables_number|_symmetry_equiv_pos_as_xyz"
    r"|_space_group_symop_operation_xyz|_atom_site_(type_symbol|occupancy|fract_[xyz]|disorder_.*|calc_flag"
    r"|attached_hydrogens)"
)


def _places(name: str) -> bool:
    """Check whether a name is of a column of atoms that decides the structure."""
    return name.startswith("_atom_site_") and ONCE.fullmatch(name) is not None


def tokens(text: str) -> list[tuple[str, bool]]:
    """Cut a text into values, each with whether it stood in quotes; comments are left out."""
    found = []
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "word":
            found.append((match[0], False))
        elif kind == "field":
            found.append((" ".join(line.strip() for line in match[kind].splitlines()).strip(), True))
        elif kind != "comment":
            found.append((match[kind].strip(), True))
    return found


def name_of(word: str) -> str:
    """Write a name as this module gives it."""
    return word.lower().replace(".", "_")


def _starts(token: tuple[str, bool]) -> bool:
    """Check whether a token begins something new: a name, a loop, a block, a save frame."""
    word, quoted = token
    return not quoted and (word[0] == "_" or word[:5].lower() in ("loop_", "data_", "save_"))


def blocks(text: str) -> list[dict[str, str | list[str]]]:
    """Read the blocks of a CIF: their values by name, those of a loop as lists."""
    found: list[dict] = [{}]
    stream, at = tokens(text), 0
    while at < len(stream):
        word, quoted = stream[at]
        at += 1
        if quoted or not _starts((word, quoted)):
            continue  # a value too many
        if word[:5].lower() == "data_":
            found.append({})
        elif word[:5].lower() == "loop_":
            at = _loop(stream, at, found[-1])
        elif word[0] == "_":
            there = at < len(stream) and not _starts(stream[at])
            _put(found[-1], name_of(word), stream[at][0] if there else "")
            at += there
    return [block for block in found if block]


def _put(block: dict, name: str, value: str | list[str]) -> None:
    """Add a value; raises BadItem if a name that decides the structure has another value already."""
    before = block.setdefault(name, value)
    if before in UNKNOWN:
        block[name] = value
    elif before != value and ONCE.fullmatch(name) and not _equal(before, value):
        raise BadItem(
            f"it gives {name} twice with different values: two structures in one block; give each a data_ block"
        )


def _equal(one: str | list[str], two: str | list[str]) -> bool:
    """Check whether two values are one number in two spellings, or the second is not known."""
    if not isinstance(one, str) or not isinstance(two, str):
        return False
    try:
        return two in UNKNOWN or number(one) == number(two)
    except ValueError:
        return False


def _loop(stream: list[tuple[str, bool]], at: int, block: dict) -> int:
    """Read a loop that begins at a place in the stream; returns the place behind it."""
    start = at
    while at < len(stream) and not stream[at][1] and stream[at][0][0] == "_":
        at += 1
    names = [name_of(word) for word, _ in stream[start:at]]
    start = at
    while at < len(stream) and not _starts(stream[at]):
        at += 1
    values = [word for word, _ in stream[start:at]]
    if names and len(values) % len(names) == 0:
        rows = values[names.index(LABEL) :: len(names)] if LABEL in names else None
        if rows is not None and block.get(LABEL, rows) != rows and any(map(_places, names)):
            if any(map(_places, block)):
                raise BadItem(f"it lists its atoms in two loops with different {LABEL}; give all columns in one")
            block[LABEL] = rows  # those before had no part in the structure
        for place, name in enumerate(names):
            _put(block, name, values[place :: len(names)])
    elif any(name.startswith(NEEDED) for name in names):
        raise BadItem(
            f"the CIF cannot be read (the loop of {names[0]} has {len(values)} values for {len(names)} columns); "
            "it may be truncated or wrong"
        )
    return at


def rows_of(block: dict, name: str) -> list[str] | None:
    """Return the values of a name as a list, one of which it may be; None where the block lacks it."""
    value = block.get(name)
    return [value] if isinstance(value, str) else value


def said(block: dict, names: tuple[str, ...]) -> str | None:
    """Return the first of some values that a block states."""
    for name in names:
        value = (rows_of(block, name) or [""])[0].strip()
        if value not in ("", "?", "."):
            return value
    return None


def number(text: str) -> float:
    """Read a number with or without its uncertainty: 0.1234(5)."""
    if re.fullmatch(r"[-+]?\d+,\d+(\(\d+\))?", text.strip()):
        raise BadItem(f"its number {text.strip()!r} has a decimal comma; write decimals with a point")
    return float(re.sub(r"\(.*?\)$", "", text.strip()))
