"""Thermodynamic databases: found by name, cut down to the elements in question as text, and read by pycalphad.

A database is named `pycalphad:alcrni.tdb` (of the installed wheel), `tdb_matcalc/mc_ni_v2.034.pycalphad.tdb` (set and
file of data/catalog.yaml), or by the path of a file of the user's own.
"""

import hashlib
import importlib.util
import re
from functools import cache, lru_cache
from pathlib import Path

from matlens.job.batch import BadItem
from matlens.registry import suggest
from matlens.store import catalog, text_files

WHEEL = "pycalphad:"
FOLDER = "tests/databases"  # where the wheel of pycalphad has its databases
PARAMETER = re.compile(r"^\s*PAR[A-Z]*\s+\w+\(([^,;)]+),([^;)]*)", re.IGNORECASE)
ELEMENT = re.compile(r"^\s*ELEM[A-Z]*\s+(\S+)", re.IGNORECASE)
PHASE = re.compile(r"^\s*PHASE\s+([^\s:]+)", re.IGNORECASE)
# Orders of MatCalc that pycalphad does not know and that say nothing about an equilibrium.
FOREIGN = re.compile(
    r"^\s*(REFERENCE_ELEMENT|ATTACH_CONTRIBUTION|ADD_COMPOSITION_SET|ADD_CONSTITUENT|HMVA|TEMP-LIM)", re.IGNORECASE
)
# What pycalphad reads, by the letters that no two of its orders have in common.
ORDER = re.compile(
    r"(ELE|SPE|TYP|FUN|PHA|CON|PAR|DEF|DAT|VER|REF|ADD|LIS|ASS|TEM|ZER|DIF)[A-Z]*([_-]|\b)", re.IGNORECASE
)
REFERENCES = re.compile(r"(LIST_OF_REF|ADD_REF|REFERENCE)", re.IGNORECASE)
CAVEAT = re.compile(r"FOR TESTING PURPOSES ONLY|NOT FOR RESEARCH", re.IGNORECASE)
HEAD = 4000  # characters at the top of a database that its caveats stand in


@cache
def wheel_names() -> tuple[str, ...]:
    """List the databases of the installed pycalphad."""
    return tuple(sorted(path.name for path in _wheel().glob("*.tdb")))


def _wheel() -> Path:
    found = importlib.util.find_spec("pycalphad")
    if found is None:
        raise ValueError("pycalphad is not installed; `make run` installs it, or pip install pycalphad")
    return Path(found.origin).parent / FOLDER


def find(name: str) -> Path:
    """Return the file of a database; a ValueError says what is wrong with its name, or how to get it."""
    if name.startswith(WHEEL):
        file = name.removeprefix(WHEEL)
        if file not in wheel_names():
            raise ValueError(f"the installed pycalphad has no database '{file}'; {suggest(file, wheel_names())}")
        return _wheel() / file
    path = Path(name).expanduser()
    if path.is_file():
        return path
    part, _, file = name.partition("/")
    if file and part in catalog.entries():
        try:
            return catalog.find(part, file)
        except OSError as error:
            raise ValueError(f"database '{name}': {error}") from error
    known = [f"{one}/{f}" for one, about in catalog.entries().items() for f in about["files"] if f.endswith(".tdb")]
    known += [WHEEL + one for one in wheel_names()]
    raise ValueError(
        f"database '{name}' is neither a file, nor of the catalogue, nor of pycalphad; {suggest(name, known)}"
    )


def sha256(name: str) -> str:
    """Return the SHA-256 of a database."""
    return catalog.sha256(find(name))


def text(name: str) -> str:
    """Read a database; a ValueError says why it is none."""
    path = find(name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"database '{name}' cannot be read: {error}") from error
    found = data.decode(text_files.encoding(data), errors="replace")
    told = orders(found)
    if not any(ELEMENT.match(order) for order in told):
        raise ValueError(f"database '{name}' ({path}) has no ELEMENT: it is no TDB file")
    if not _ends(found) and not REFERENCES.match(told[-1].strip()):
        raise ValueError(
            f"database '{name}' ({path}) is cut off: its last order, '{_short(told[-1])}', does not end in '!'; get it "
            "anew"
        )
    strange = next((one for one in told if not ORDER.match(one.strip()) and not FOREIGN.match(one)), None)
    if strange is not None:
        raise ValueError(
            f"database '{name}' ({path}) has the order '{_short(strange)}', which pycalphad does not know; delete it "
            "in a copy of the file, if it says nothing about equilibria"
        )
    return found


def _short(order: str) -> str:
    return " ".join(order.split())[:60]


def _ends(source: str) -> bool:
    """Tell whether the last order of a database ends as it should; comments may follow."""
    lines = [line.split("$")[0] for line in source.splitlines()]
    return "\n".join(line[: line.rfind("!") + 1] or line for line in lines).rstrip().endswith("!")


def caveat(source: str) -> str:
    """Return "for testing only" where a database says so of itself, else ""."""
    return "for testing only" if CAVEAT.search(source[:HEAD]) else ""


def orders(source: str) -> list[str]:
    """Split a database into its orders, as pycalphad does: each ends in `!`, what follows on that line is a comment."""
    lines = [line.split("$")[0].partition("!") for line in source.expandtabs(1).splitlines()]
    return [order for order in "\n".join(head + end for head, end, _ in lines).split("!") if order.strip()]


def elements(source: str) -> list[str]:
    """List the elements of a database, by symbol in capitals; vacancies and electrons are none."""
    found = [match[1].upper() for match in map(ELEMENT.match, orders(source)) if match]
    return sorted(one for one in found if one not in ("VA", "/-"))


def check(name: str, phases: list[str]) -> None:
    """Refuse a database that is not there, or phases that it does not have, without reading its parameters."""
    known = [match[1].upper() for match in map(PHASE.match, orders(text(name))) if match]
    for phase in phases:
        if phase not in known:
            raise ValueError(f"phases: database {name} has no '{phase}'; {suggest(phase, known)}")


def reduced(source: str, wanted: list[str]) -> str:
    """Leave out every parameter of an element that is not wanted, and orders that say nothing about an equilibrium.

    The phases stay as they are. It is read several times faster, and any equilibrium of the wanted elements is the
    same: a parameter of a constituent that is not there is never used.
    """
    strange = set(elements(source)) - {symbol.upper() for symbol in wanted}

    def kept(order: str) -> bool:
        match = PARAMETER.match(" ".join(order.split()))
        inside = re.split(r"[,:\s]+", match[2].upper().replace("%", "").replace("#", "")) if match else ()
        return not strange & set(inside) and not FOREIGN.match(order)

    return "!\n".join(order for order in orders(source) if kept(order)) + "!\n"


@lru_cache(maxsize=8)
def load(name: str, wanted: tuple[str, ...]):
    """Read a database for some elements (symbols in capitals, sorted) as a pycalphad Database.

    ValueError: it is none. BadItem: it lacks an element.
    """
    from pycalphad import Database

    source = text(name)
    lacks = [symbol.capitalize() for symbol in wanted if symbol not in elements(source)]
    if lacks:
        has = ", ".join(symbol.capitalize() for symbol in elements(source))
        raise BadItem(
            f"database {name} has no {', '.join(lacks)}; it has {has}: take another database, or alloys without "
            + ", ".join(lacks)
        )
    try:
        return Database.from_string(reduced(source, list(wanted)), fmt="tdb")
    except Exception as error:
        raise ValueError(f"database '{name}' cannot be read: {str(error)[:300]}") from error


def digest(names: list[str]) -> str:
    """Digest databases by their content, so that a changed one is seen."""
    return hashlib.sha256("".join(sha256(name) for name in names).encode()).hexdigest()
