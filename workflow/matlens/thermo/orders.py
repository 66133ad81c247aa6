"""Commands of a TDB file with their lines, and the faults in them that readers ignore.

A reader of TDB files (pycalphad 0.11 among them) loses the second of two orders that no `!` separates or that stand on
one line, takes an undefined function for 0, and adds up a parameter that is given twice. Each gives a wrong number.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

# Key words by the letters that no two of them have in common; any longer abbreviation is read.
WORDS = {
    "ELE": "ELEMENT", "SPE": "SPECIES", "TYP": "TYPE_DEFINITION", "FUN": "FUNCTION", "PHA": "PHASE",
    "CON": "CONSTITUENT", "PAR": "PARAMETER", "DEF": "DEFAULT", "DAT": "DATABASE_INFO", "VER": "VERSION_DATE",
    "REF": "REFERENCE_FILE", "ADD": "ADD_REFERENCES", "LIS": "LIST_OF_REFERENCES", "ASS": "ASSESSED_SYSTEMS",
    "BIB": "LIST_OF_REFERENCES", "TEM": "TEMPERATURE_LIMITS", "ZER": "ZEROVOLUME_SPECIES", "DIF": "DIFFUSION",
}  # fmt: skip
KEY = re.compile(rf"\s*({'|'.join(WORDS)})[A-Z]*(?=[\s_-]|$)", re.IGNORECASE)
# Orders of MatCalc that pycalphad does not know and that say nothing about an equilibrium.
FOREIGN = re.compile(
    r"\s*(REFERENCE_ELEMENT|ATTACH_CONTRIBUTION|ADD_COMPOSITION_SET|ADD_CONSTITUENT|HMVA|TEMP-LIM)", re.IGNORECASE
)
PROSE = ("LIST_OF_REFERENCES", "ADD_REFERENCES", "ASSESSED_SYSTEMS", "DATABASE_INFO", "VERSION_DATE", "REFERENCE_FILE")
# The heads of orders, so strictly that prose is none.
HEADS = re.compile(
    r"(?:PAR[A-Z]*\s+\w+\s*\([^,;()\s]+\s*,"
    r"|FUN[A-Z]*\s+\w+\s+[-+]?[\d.]+(?:E[-+]?\d+)?\s+[-+(\w.]"
    r"|PHA[A-Z]*\s+[^\s!]+\s+\S+\s+\d+\s+[\d.]"
    r"|CON[A-Z]*\s+[^\s!]+\s*:"
    r"|ELE[A-Z]*\s+(?:[A-Z]{1,2}|/-)\s+[\w()/-]+\s+[-+]?[\d.]+"
    r"|SPE[A-Z]*\s+[A-Z][\w+/.*-]*\s+[A-Z][A-Z]?\d"
    r"|TYP[A-Z]*_DEF[A-Z]*\s+\S\s+(?:SEQ|G[E]S|IF|POLY)\b)",
    re.IGNORECASE,
)  # fmt: skip
QUOTED = re.compile(r"'[^']*'")
SECOND = re.compile(rf"(?<=[\s;])(?:{HEADS.pattern})", re.IGNORECASE)
PARAMETER = re.compile(r"\s*PAR[A-Z]*\s+(\w+)\s*\(([^,;()]+),([^;)]*)(?:;\s*(\d+)\s*)?\)", re.IGNORECASE)
FUNCTION = re.compile(r"\s*FUN[A-Z]*\s+([^\s#]+)", re.IGNORECASE)
CONSTITUENTS = re.compile(r"\s*CON\S*\s+(\S+)\s+(:[^>]*:)\s*$", re.IGNORECASE)
ENERGIES = ("G", "L", "TC", "BM", "BMAGN", "BMAG", "NT")  # kinds of parameters an energy has; others are mobilities
REMARK = re.compile(r":\s*>[^:]*$")  # behind the constituents, in the dialect of OpenCalphad
IONIC = re.compile(r"\s*(?:PHA|CON)\S*\s+\w+:Y\s", re.IGNORECASE)
FORMULA = re.compile(r"([A-Z]{1,2})(?=[\d./+-]|$)")  # elements of a species such as AL2O3 or CU1/+2
NAME = re.compile(r"(?<![\w.])[A-Z]\w*#?", re.IGNORECASE)
# Known without a definition; RTLNP is RT ln(P/bar) of gases in SGTE's databases, 0 at the pressure of all equilibria.
KNOWN_NAMES = {"T", "P", "R", "LN", "LOG", "EXP", "Y", "N", "E", "RTLNP"}
# Signs that are no text: they stand for a blank. Line feed, carriage return and tab are kept.
CONTROL = {
    **dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(127, 161), 0x2028, 0x2029, 0xFEFF], " "),
    9: " ",
}


@dataclass(frozen=True)
class Order:
    """A command without its `!` and comments: its text, its key word in full ("" if unknown), and its line.

    `line` counts from 1. `ends`: whether a `!` ends it. `after` is what follows the `!` on the same line.
    """

    text: str
    word: str
    line: int
    ends: bool
    after: str

    def short(self) -> str:
        """Return the beginning of the command on one line, for messages."""
        return " ".join(self.text.split())[:60]


@lru_cache(maxsize=4)
def split(source: str) -> tuple[Order, ...]:
    """Split a TDB file into its commands: each ends in `!`, and the rest of that line is a comment.

    Lines end in LF, CR LF or CR alone: a form feed or the sign 0x85 ends none, as in pycalphad.
    """
    found, own, first = [], [], 0
    for number, raw in enumerate(re.split(r"\r\n|\n|\r", source), start=1):
        head, end, after = raw.split("$")[0].translate(CONTROL).partition("!")
        if head.strip() and not own:
            first = number
        if head.strip() or own:
            own.append(head)
        if end and own:
            found.append(_order("\n".join(own), first, True, after))
            own = []
    if own:
        found.append(_order("\n".join(own).rstrip(), first, False, ""))
    return tuple(found)


def _order(text: str, line: int, ends: bool, after: str) -> Order:
    match = None if FOREIGN.match(text) else KEY.match(text)
    word = WORDS[match[1].upper()] if match else ""
    # DEFINE_SYSTEM_DEFAULT and DEFAULT_COMMAND share their first letters and say nothing of an equilibrium.
    text = REMARK.sub(":", text) if word == "CONSTITUENT" else text
    return Order(text, word, line, ends, after)


def swallowed(found: Iterable[Order]) -> str:
    """Return a message if a command contains another one because a `!` or a line end is missing, else ""."""
    for order in found:
        text = QUOTED.sub(_blank, order.text) if order.word in PROSE else order.text
        second = SECOND.search(text, len(text) - len(text.lstrip()) + 1)
        if second:
            at = order.line + order.text.count("\n", 0, second.start())
            inside = " ".join(order.text[second.start() :].split())[:60]
            return (
                f"line {order.line}: the order '{order.short()}' holds another one, '{inside}' (line {at}), which "
                "would be lost: end the first with '!'"
            )
        rest = order.after.split("!")
        lost = next((part for part in rest if HEADS.match(part.strip())), None)
        if lost:
            at = order.line + order.text.count("\n")
            return (
                f"line {at}: a second order follows '!' on the same line, '{' '.join(lost.split())[:60]}', which would "
                "be lost: give it a line of its own (or a '$' before it, if it is a comment)"
            )
    return ""


def _blank(match: re.Match) -> str:
    """Write blanks for a quoted text, which may name parameters; its lines are kept."""
    return re.sub(r"[^\n]", " ", match[0])


def undefined(found: Sequence[Order], wanted: set[str], phases: set[str]) -> str:
    """Return a message on an undefined function that some elements need in some phases, else "".

    `wanted` and `phases` in capitals; `phases` with the disordered states that they hold.
    """
    known, seen = functions(found), set()
    for _, order, _ in needed(found, wanted, phases):
        lacks = _lacks(order, known, seen)
        if lacks:
            return lacks
    return ""


def functions(found: Iterable[Order]) -> dict[str, Order]:
    """Return the functions of a database by name, in capitals."""
    return {match[1].upper(): order for order in found if (match := _of(FUNCTION, "FUNCTION", order))}


def repeats(found: Sequence[Order], wanted: set[str], phases: set[str]) -> list[str]:
    """Return messages on needed parameters that are given again with another value."""
    first: dict[tuple, Order] = {}
    messages = []
    for key, order, match in needed(found, wanted, phases):
        twin = first.setdefault(key, order)
        if twin is not order and body(twin) != body(order):
            messages.append(
                f"the parameter {_spelt(match)} is given more than once, with other values (lines {twin.line} and "
                f"{order.line}); the first one counts: delete the wrong one"
            )
    return messages


def needed(found: Sequence[Order], wanted: set[str], phases: set[str]) -> Iterator[tuple[tuple, Order, re.Match]]:
    """Yield the parameters of some phases whose constituents consist of some elements alone, with their keys."""
    there = wanted | {"VA", "*"} | formed(found, wanted)
    for order in found:
        match = _of(PARAMETER, "PARAMETER", order)
        if match and phase_of(match) in phases and inside(match) <= there:
            yield _key(match), order, match


def formed(found: Sequence[Order], wanted: set[str]) -> set[str]:
    """List the species (molecules, ions) that consist of some elements alone, in capitals."""
    species = (order.text.upper().split() for order in found if order.word == "SPECIES")
    return {one[1] for one in species if len(one) > 2 and set(FORMULA.findall("".join(one[2:]))) <= wanted | {"VA"}}


def circular(found: Sequence[Order], wanted: set[str], phases: set[str]) -> str:
    """Return a message on a function that holds itself, directly or through others, and that is needed, else ""."""
    known, done = functions(found), set()

    def visit(name: str, path: tuple[str, ...]) -> str:
        if name in path:
            return f"line {known[name].line}: the function {name} holds itself ({' > '.join([*path, name])})"
        if name in done or name not in known:
            return ""
        said = next(filter(None, (visit(one, (*path, name)) for one in sorted(names(known[name])))), "")
        done.add(name)
        return said

    needs = {name for _, order, _ in needed(found, wanted, phases) for name in names(order)}
    return next(filter(None, (visit(name, ()) for name in sorted(needs))), "")


def misfits(found: Sequence[Order], wanted: set[str], phases: set[str]) -> list[str]:
    """Return messages on parameters of energies that do not fit their phase and so are not used.

    They have another number of sublattices, a constituent that the sublattice has not, or a phase that is not defined
    and is spelt almost like one of `phases`; parameters of other absent phases are common in shortened databases.
    """
    ionic = {phase_name(order.text.split()[1]) for order in found if IONIC.match(order.text)}
    lattices = {
        phase_name(match[1]): [members(one) for one in match[2].strip().strip(":").split(":")]
        for order in found
        if order.word == "CONSTITUENT" and (match := CONSTITUENTS.match(order.text))
    }
    defined = {phase_name(one.text.split()[1]) for one in found if one.word == "PHASE" and len(one.text.split()) > 1}
    named = {phase_of(match) for order in found if (match := _of(PARAMETER, "PARAMETER", order))}
    return [
        f"line {order.line}: the parameter {_spelt(match)} {why}, so that it is not used: correct it"
        for _, order, match in needed(found, wanted, phases | (named - defined))
        if match[1].upper() in ENERGIES and phase_of(match) not in ionic  # its neutral species stand alone
        for why in [_unused(match, defined, lattices, phases)]
        if why
    ]


def _unused(match: re.Match, defined: set[str], lattices: dict[str, list[set[str]]], phases: set[str]) -> str:
    """Return why a phase cannot use a parameter, else ""."""
    phase, given = phase_of(match), [members(one) for one in match[3].split(":")]
    if phase not in defined:
        meant = difflib.get_close_matches(phase, sorted(phases), n=1, cutoff=0.8)
        return f"is of the phase {phase}, which is not defined (is it {meant[0]}?)" if meant else ""
    right = lattices.get(phase)
    if right is None:
        return ""
    if len(given) != len(right):
        return f"has {len(given)} sublattices and its phase {len(right)}"
    strange = sorted(set().union(*(has - there - {"*"} for has, there in zip(given, right, strict=True))))
    return f"names {', '.join(strange)}, which its sublattice does not hold" if strange else ""


def members(text: str) -> set[str]:
    """Split the constituents of a sublattice, in capitals."""
    return set(re.split(r"[,\s]+", text.upper().replace("%", "").replace("#", "").strip())) - {""}


def twice(found: Iterable[Order]) -> str:
    """Return a message on a phase that is defined more than once, or a function with two values, else ""."""
    first: dict[str, Order] = {}
    defined: dict[str, Order] = {}
    for order in found:
        if match := _of(FUNCTION, "FUNCTION", order):
            before = defined.setdefault(match[1].upper(), order)
            if body(before).upper() != body(order).upper():
                return (
                    f"defines the function {match[1]} twice, with other values (lines {before.line} and {order.line}); "
                    "delete the wrong one"
                )
        if order.word == "PHASE" and len(order.text.split()) > 1:
            name = phase_name(order.text.split()[1])
            if first.setdefault(name, order) is not order:
                return f"defines the phase {name} twice (lines {first[name].line} and {order.line}); delete one"
    return ""


def repeated(found: Sequence[Order]) -> set[int]:
    """Find the parameters and functions that are given again: the places of the later ones.

    pycalphad would add up such parameters, and refuse such functions.
    """
    seen: set[tuple] = set()
    again = set()
    for at, order in enumerate(found):
        match, function = _of(PARAMETER, "PARAMETER", order), _of(FUNCTION, "FUNCTION", order)
        if match or function:
            key = _key(match) if match else (function[1].upper(),)
            if key in seen:
                again.add(at)
            seen.add(key)
    return again


def _lacks(order: Order, known: dict[str, Order], seen: set[str]) -> str:
    """Return a message on an undefined function that a command needs, directly or through others, else ""."""
    for name in sorted(names(order) - seen):
        if name not in known:
            return (
                f"line {order.line}: the function {name} is undefined, used by '{order.short()}', and would count as "
                "0: define it (as 0, if that is meant), or take a whole copy of the database"
            )
        seen.add(name)
        lacks = _lacks(known[name], known, seen)
        if lacks:
            return lacks
    return ""


def names(order: Order) -> set[str]:
    """Collect the functions that the expressions of a parameter or function use, in capitals."""
    parts = body(order).split(";")
    # What follows the last `;` is a temperature, N, and the key of a reference.
    found = {name.upper().rstrip("#") for part in parts[:-1] for name in NAME.findall(part)}
    return found - KNOWN_NAMES


def _of(pattern: re.Pattern, word: str, order: Order) -> re.Match | None:
    return pattern.match(order.text) if order.word == word else None


def body(order: Order) -> str:
    """Return limits and expressions of a parameter or function, without its head."""
    pattern = PARAMETER if order.word == "PARAMETER" else FUNCTION
    match = pattern.match(order.text)
    return " ".join(order.text[match.end() :].split()) if match else ""


def phase_name(given: str) -> str:
    """Return the name of a phase without its kind (LIQUID:L), in capitals."""
    return given.upper().split(":")[0]


def phase_of(match: re.Match) -> str:
    """Return the phase of a parameter, in capitals."""
    return match[2].upper().strip().split("&")[0].split(":")[0]


def inside(match: re.Match) -> set[str]:
    """Collect the constituents of a parameter, in capitals."""
    return set().union(*map(members, match[3].split(":")))


def _key(match: re.Match) -> tuple:
    """Name a parameter so that spellings of one parameter are the same: L is G, constituents are in no order."""
    kind = match[1].upper()
    parts = tuple(tuple(sorted(members(one))) for one in match[3].split(":"))
    return ("G" if kind == "L" else kind, " ".join(match[2].upper().split()), parts, int(match[4] or 0))


def _spelt(match: re.Match) -> str:
    return "".join(match[0].split(None, 1)[1].split())
