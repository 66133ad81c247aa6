"""Type definitions of a TDB file: models of phases beyond their sublattices, and those that readers lose in silence.

pycalphad 0.11 gives the first magnetic model of a letter to all phases with it, whatever phase it names, loses the
others, passes over definitions with a condition (IF ... THEN), and drops commas, so that -1.0,0.4 becomes -1.00.4.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matlens.thermo import orders
from matlens.thermo.orders import Order

PHASE = re.compile(r"(\s*PHA\S*\s+(\S+)\s+)(\S+)(?=\s)", re.IGNORECASE)
TYPE = re.compile(r"\s*TYP\S*\s+(\S)\s*(IF\b.*?\bTHEN\b)?(.*)", re.IGNORECASE | re.DOTALL)
AMEND = re.compile(r"\s*GES\S*[\s,]+A\S*[\s,]+([^\s,]+)[\s,]+(\S.*)", re.IGNORECASE | re.DOTALL)
MAGNETIC, ALL = "MAGNETIC", "@"
MODELS = {"MAG": MAGNETIC, "DIS": "DISORDERED_PART", "NEV": "NEVER_DISORDER"}  # by their first letters
HARMLESS = ("MAJ", "C_S", "COM", "STA", "DEF")  # names of composition sets, and starts of a minimiser
FIRST = 0xE000  # letters for private use: of magnetic models that share one


@dataclass(frozen=True)
class Definition:
    """A definition that amends a phase: `model` is a value of MODELS, "" without effect on energies, else its key word.

    `values`: what follows, as (-1.0, 0.4) of a magnetic model. `at`: place of the order in the file.
    """

    letter: str
    phase: str
    model: str
    values: tuple[str, ...]
    conditional: bool
    order: Order
    at: int

    def numbers(self) -> tuple[float, ...] | None:
        """Return the two numbers of a magnetic model; None if they are not there."""
        try:
            return float(self.values[0]), float(self.values[1])
        except (ValueError, IndexError):
            return None


def read(found: Sequence[Order]) -> list[Definition]:
    """List the type definitions that amend a phase."""
    made = []
    for at, order in enumerate(found):
        match = TYPE.match(order.text) if order.word == "TYPE_DEFINITION" else None
        amended = AMEND.match(match[3]) if match else None
        if amended:
            word, *values = re.split(r"[\s,]+", amended[2].strip(" ,\t\n"))
            short = word.upper()[:3]
            model = "" if short in HARMLESS else MODELS.get(short, word.upper())
            made.append(Definition(match[1], amended[1].upper(), model, tuple(values), bool(match[2]), order, at))
    return made


def fault(found: Sequence[Order]) -> str:
    """Return a message on a magnetic model without its two numbers, else ""."""
    for one in read(found):
        if one.model == MAGNETIC and one.numbers() is None:
            return (
                f"has a magnetic model without its two numbers, '{one.order.short()}' (line {one.order.line}): write "
                "them behind MAGNETIC, such as -3.0 0.28"
            )
    return ""


def unread(found: Sequence[Order]) -> dict[str, str]:
    """Return the reason for each phase whose model cannot be known from its type definitions."""
    given, said = read(found), {}
    for order, letters, phase in _phases(found):
        own = [one for one in given if one.phase == phase or (one.letter in letters and _by_letter(one))]
        strange = next(
            (one for one in own if one.model and (one.conditional or one.model not in MODELS.values())), None
        )
        if strange is not None:
            why = "holds on a condition (IF ... THEN)" if strange.conditional else "is no model that pycalphad has"
            said[phase] = (
                f"its definition '{strange.order.short()}' (line {strange.order.line}) {why}, and would be lost: write "
                "one that holds always in a copy, or delete it"
            )
            continue
        chosen = _magnetism(given, letters, phase)
        if len({one.numbers() for one in chosen}) > 1:
            lines = " and ".join(str(one.order.line) for one in chosen)
            said[phase] = (
                f"two type definitions give it different magnetic models (lines {lines}; it is defined in line "
                f"{order.line}): give each a letter of its own in a copy"
            )
    return said


def _by_letter(one: Definition) -> bool:
    """Check whether a definition concerns phases by its letter; a disordered part concerns the phase that it names."""
    return one.model not in ("DISORDERED_PART", "NEVER_DISORDER")


def _phases(found: Iterable[Order]) -> list[tuple[Order, str, str]]:
    """List the orders of phases with their letters and names."""
    matches = ((order, PHASE.match(order.text)) for order in found if order.word == "PHASE")
    return [(order, match[3], orders.phase_name(match[2])) for order, match in matches if match]


def _magnetism(given: list[Definition], letters: str, phase: str) -> list[Definition]:
    """Choose the magnetic models of a phase: of those by its letters the ones that name it, else all of them."""
    own = [one for one in given if one.model == MAGNETIC and one.letter in letters]
    return [one for one in own if one.phase in (phase, ALL)] or own


def settled(found: Sequence[Order]) -> list[str | None]:
    """Return the texts of all orders so that every phase has its own magnetic model; None for those without effect."""
    texts: list[str | None] = [order.text for order in found]
    given = read(found)
    for one in given:
        words = ["TYPE_DEFINITION", one.letter, "GES", "A_P_D", one.phase, one.model, *one.values]
        texts[one.at] = " ".join(words) if one.model in MODELS.values() and not one.conditional else None
    for at, order in enumerate(found):
        match = PHASE.match(order.text) if order.word == "PHASE" else None
        chosen = _magnetism(given, match[3], orders.phase_name(match[2])) if match else []
        every = {one.letter for one in given if one.model == MAGNETIC and one.letter in (match[3] if match else "")}
        if chosen and len([one for one in given if one.model == MAGNETIC and one.letter in every]) > 1:
            letter = chr(FIRST + at)
            letters = "".join(one for one in match[3] if one not in every) + letter
            texts[at] = match[1] + letters + order.text[match.end() :]
            numbers = " ".join(chosen[0].values)
            texts.append(f"TYPE_DEFINITION {letter} GES A_P_D {orders.phase_name(match[2])} {MAGNETIC} {numbers}")
    return texts
