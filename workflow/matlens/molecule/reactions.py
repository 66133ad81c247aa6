"""Reactions that break one bond of a molecule, and their columns of an index."""

import math
from typing import NamedTuple

from matlens.molecule import bonds

CHARGE = "charge_e"  # columns: charge of the reactant,
CHARGES = ("charge_1_e", "charge_2_e")  # and of the parts at both ends of the bond


class Reaction(NamedTuple):
    """A bond that breaks: SMILES with its ends marked, charge of the reactant, and of the parts at ends 1 and 2.

    A ring stays in one part; the charge of the second is NaN.
    """

    marked: str
    charge: int
    ends: tuple[float, float]


def found(made, bond, products: list) -> Reaction:
    """Describe the break of a bond of a molecule into products (none: see `bonds.end_charges`)."""
    text, first = bonds.oriented(made, bond)
    ends = bonds.end_charges(made, bond, first, products)
    return Reaction(text, bonds.charge(made), tuple(math.nan if one is None else float(one) for one in ends))


def of_marked(marked: str) -> Reaction:
    """Describe the break of a marked bond whose products have the charges of their atoms."""
    made = bonds.parsed(marked)
    first, second = bonds.ends(made)
    bond = made.GetBondBetweenAtoms(first, second)
    ends = bonds.end_charges(made, bond, first, [])
    return Reaction(marked, bonds.charge(made), tuple(math.nan if one is None else float(one) for one in ends))


def of_rows(index, column: str = bonds.BROKEN) -> list[Reaction]:
    """Return the reactions of the rows of an index; charges are those of its columns, else those of the atoms."""
    texts = index[column].astype(str).tolist()
    if column != bonds.BROKEN or not {CHARGE, *CHARGES} <= set(index.columns):
        return [of_marked(text) for text in texts]
    values = zip(texts, *(index[name].astype(float).tolist() for name in (CHARGE, *CHARGES)), strict=True)
    return [Reaction(text, int(charge), (first, second)) for text, charge, first, second in values]
