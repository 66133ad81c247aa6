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
from matlens.store import catalog, files, text_files
from matlens.thermo import end_members, interactions, ranges, type_definitions, unused
from matlens.thermo import orders as tdb_orders

WHEEL = "pycalphad:"
FOLDER = "tests/databases"  # where the wheel of pycalphad has its databases
CAVEAT = re.compile(r"FOR TESTING PURPOSES ONLY|NOT FOR RESEARCH", re.IGNORECASE)
# Parameters of diffusion, flow, surfaces and conduction, which no energy uses.
TRANSPORT = re.compile(r"\s*PAR[A-Z]*\s+(?:MQ|MF|DQ|DF|VS|VISC|ELRS|THCD|SIGM|XI)\b", re.IGNORECASE)
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
    """Return the file of a database. Raises ValueError if its name is invalid or the file is absent."""
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
    return files.sha256(find(name))


def text(name: str) -> str:
    """Read a database. Raises ValueError if the text is invalid, or if a command would be lost."""
    path = find(name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"database '{name}' cannot be read: {error}") from error
    found = data.decode(text_files.encoding(data), errors="replace")
    fault = _fault(found)
    if fault:
        where = "" if str(path) == name else f" ({path})"
        raise ValueError(f"database '{name}'{where} {fault}")
    return found


@lru_cache(maxsize=8)
def _fault(source: str) -> str:
    """Return the reason why a text is not a complete database, else ""."""
    given = tdb_orders.split(source)
    if not any(order.word == "ELEMENT" for order in given):
        return "has no ELEMENT: it is no TDB file"
    last = given[-1]
    if not last.ends and last.word not in tdb_orders.PROSE:
        return f"is cut off: its last order, '{last.short()}' (line {last.line}), does not end in '!'; get it anew"
    lost = tdb_orders.swallowed(given)
    if lost:
        return f"is not whole: {lost}"
    again = tdb_orders.twice(given) or unused.fault(given) or type_definitions.fault(given)
    if again:
        return again
    strange = next((one for one in given if not one.word and not tdb_orders.FOREIGN.match(one.text)), None)
    if strange is not None:
        return (
            f"has the order '{strange.short()}', which pycalphad does not know; delete it in a copy of the file (line "
            f"{strange.line}), if it says nothing about equilibria"
        )
    return ""


def caveat(source: str) -> str:
    """Return "for testing only" if the text of a database says so, else ""."""
    return "for testing only" if CAVEAT.search(source[:HEAD]) else ""


def elements(source: str) -> list[str]:
    """List the elements of a database, by symbol in capitals; vacancies and electrons are none."""
    found = [order.text.split()[1].upper() for order in tdb_orders.split(source) if order.word == "ELEMENT"]
    return sorted(one for one in found if one not in ("VA", "/-"))


def check(name: str, phases: list[str]) -> None:
    """Check that a database exists and has the phases, without reading its parameters. Raises ValueError if not."""
    given = [order for order in tdb_orders.split(text(name)) if order.word == "PHASE"]
    known = [order.text.split()[1].split(":")[0].upper() for order in given]
    for phase in phases:
        if phase not in known:
            raise ValueError(f"phases: database {name} has no '{phase}'; {suggest(phase, known)}")


def doubts(name: str, wanted: tuple[str, ...], phases: set[str]) -> list[str]:
    """Return warnings on parameters that are given more than once, or that nothing uses.

    `wanted`: symbols in capitals; `phases` with the disordered states that they hold. BadItem: a parameter uses a
    function that is not defined or holds itself, or temperature limits that do not rise.
    """
    given = tdb_orders.split(text(name))
    for fault in (tdb_orders.undefined, tdb_orders.circular, ranges.backwards):
        said = fault(given, set(wanted), phases)
        if said:
            raise BadItem(f"database {name}, {said}")
    said = tdb_orders.repeats(given, set(wanted), phases) + tdb_orders.misfits(given, set(wanted), phases)
    said += ranges.jumps(given, set(wanted), phases) + interactions.unreferenced(given, set(wanted), phases)
    return said + unused.strangers(given, set(wanted), phases) + unused.magnetism(given, set(wanted), phases)


def limits(name: str, wanted: tuple[str, ...], phases: set[str]) -> list[tuple[float, str]]:
    """Return the highest lower and the lowest upper limit of all parameters used, K, each with the command it is of.

    `wanted`: symbols in capitals; `phases` with the disordered states that they hold.
    """
    found = ranges.limits(tdb_orders.split(text(name)), set(wanted), phases)
    low = max(found, key=lambda one: one[0], default=(0.0, 0.0, None))
    high = min(found, key=lambda one: one[1], default=(0.0, float("inf"), None))
    return [
        (bound, f"'{o.short()}', line {o.line}" if o else "") for bound, o in ((low[0], low[2]), (high[1], high[2]))
    ]


def unclear(name: str) -> dict[str, str]:
    """Return the reason for each phase of which the sublattices or the model are not known."""
    given = tdb_orders.split(text(name))
    return type_definitions.unread(given) | unused.miscounted(given)


def lines_of_phases(name: str) -> dict[str, int]:
    """Return the line of the constituents of each phase."""
    return end_members.lines(tdb_orders.split(text(name)))


def reduced(source: str, wanted: list[str]) -> str:
    """Remove the parameters of other elements, and commands that do not change an equilibrium.

    The phases stay as they are. It is read several times faster, and any equilibrium of the wanted elements is the
    same: a parameter of a constituent that is not there is never used. Of a parameter that is given more than once
    the first is kept.
    """
    strange = set(elements(source)) - {symbol.upper() for symbol in wanted}
    given = tdb_orders.split(source)
    again = tdb_orders.repeated(given)

    def kept(order: tdb_orders.Order) -> bool:
        match = tdb_orders.PARAMETER.match(order.text) if order.word == "PARAMETER" else None
        other = TRANSPORT.match(order.text) or (match and strange & tdb_orders.inside(match))
        return not other and order.word not in ("", *tdb_orders.PROSE)

    texts = type_definitions.settled(given)
    lines = [texts[at] for at, order in enumerate(given) if at not in again and kept(order) and texts[at] is not None]
    return "!\n".join([*lines, *texts[len(given) :]]) + "!\n"


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
        raise ValueError(f"database '{name}' cannot be read: {_unreadable(source) or str(error)[:300]}") from error


def _unreadable(source: str) -> str:
    """Name the first function or parameter that cannot be read by itself, with its line; "" if all can."""
    from pycalphad import Database

    for order in tdb_orders.split(source):
        if order.word in ("FUNCTION", "PARAMETER"):
            try:
                Database.from_string(order.text + "!", fmt="tdb")
            except Exception as error:  # pycalphad raises any type
                cause = str(error).split("\n")[0].split("(<")[0].strip()
                return f"line {order.line}: the order '{order.short()}' is wrong ({cause}); correct it in a copy"
    return ""


def digest(names: list[str]) -> str:
    """Digest databases by their content, so that a changed one is seen."""
    return hashlib.sha256("".join(sha256(name) for name in names).encode()).hexdigest()
