"""Molecules with explicit hydrogen, and the bond of a molecule that breaks."""

import re
from collections import Counter

from matlens.job.batch import BadItem

BROKEN = "broken_bond"  # column of SMILES whose map numbers mark the bond that breaks
FIRST, SECOND = 1, 2  # atom map numbers of the two ends of the bond that breaks
STATED = "charge_e"  # property of a molecule whose charge is stated
SHORT = 40  # characters of a faulty value that a message quotes
OTHER = {  # texts that are no SMILES, by a mark in them
    ">>": "a reaction; give reactant and products in columns of their own",
    "InChI=": "an InChI; give it as SMILES such as CCO",
}
ATOM = re.compile(r"(A[lru]|Ca|H|K|Li|Mg|Na|S[ei]|Zn)[+-]?")  # written without the brackets that it needs
AROMATIC = 1.5  # order of a bond
NOTHING = ("", "nan", "none", "null", "-")


def parsed(text, name: str = "molecule"):
    """Parse a SMILES into a molecule with explicit hydrogen; explicit hydrogen of the text stays where it is.

    Returns an rdkit Mol. Raises BadItem if the text is empty, cannot be read, or violates a valence.
    """
    from rdkit import Chem, rdBase

    given = "" if text is None else str(text).strip()
    if given.lower() in NOTHING:
        raise BadItem(f"its {name} is empty; give a SMILES such as CCO")
    for mark, what in OTHER.items():
        if mark in given:
            raise BadItem(f"its {name} {given[:SHORT]!r} is {what}")
    parser = Chem.SmilesParserParams()
    parser.removeHs = False
    parser.sanitize = False
    with rdBase.BlockLogs():
        made = Chem.MolFromSmiles(given, parser)
        rest = given.partition(" ")[2]  # a name for rdkit, which reads "C C" as methane
        second = Chem.MolFromSmiles(rest, parser) if rest[:1] not in ("", "|") else None
    if made is None:
        like = f"[{given}]" if ATOM.fullmatch(given) else "CCO"
        raise BadItem(f"its {name} {given[:SHORT]!r} is no SMILES; write it like {like}")
    if second is not None:
        raise BadItem(f"its {name} {given[:SHORT]!r} has a blank, and a SMILES on both sides of it; give one of them")
    return completed(made, f"{name} {given[:SHORT]!r}")


def completed(made, name: str):
    """Sanitise a molecule as read, and add the hydrogen that its text leaves out. Raises BadItem if it is none."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        try:
            Chem.SanitizeMol(made)
        except ValueError as error:
            raise BadItem(f"its {name} is no molecule: {str(error)[:80]}; correct it") from error
        made = Chem.AddHs(made)
    if not made.GetNumAtoms():
        raise BadItem(f"its {name} has no atoms; give a molecule such as CCO")
    if any(atom.GetAtomicNum() == 0 for atom in made.GetAtoms()):
        raise BadItem(f"its {name} has a placeholder (*, R); give the element")
    if any(bond.HasQuery() for bond in made.GetBonds()):
        raise BadItem(f"its {name} has a bond of no stated order; give the order")
    if any(bond.GetBondTypeAsDouble() == AROMATIC and not bond.IsInRing() for bond in made.GetBonds()):
        raise BadItem(f"its {name} has an aromatic bond outside a ring; give its order as 1, 2 or 3")
    return made


def connected(made, text, name: str = "molecule") -> None:
    """Raise BadItem if a molecule has more than one connected part."""
    from rdkit import Chem

    parts = len(Chem.GetMolFrags(made))
    if parts > 1:
        raise BadItem(f"its {name} {str(text)[:SHORT]!r} has {parts} parts that no bond joins; give one molecule")


def state_charge(made, charge: int) -> None:
    """State the charge of a molecule whose atoms do not show it, in elementary charges."""
    made.SetIntProp(STATED, charge)


def stated(made) -> bool:
    """Check whether the charge of a molecule is stated, and not that of its atoms."""
    return bool(made.HasProp(STATED))


def formal_charge(made, atoms=None) -> int:
    """Return the sum of the formal charges of some atoms, or of all."""
    every = made.GetAtoms() if atoms is None else map(made.GetAtomWithIdx, atoms)
    return sum(atom.GetFormalCharge() for atom in every)


def charge(made) -> int:
    """Return the charge of a molecule, in elementary charges: the stated one, else that of its atoms."""
    return made.GetIntProp(STATED) if stated(made) else formal_charge(made)


def elements(made) -> Counter:
    """Count the atoms of a molecule by symbol, hydrogen included."""
    return Counter(atom.GetSymbol() for atom in made.GetAtoms())


def bond_at(made, index):
    """Return the bond with a number, in rdkit's order after hydrogen is added. Raises BadItem if there is none."""
    try:
        number = float(str(index).strip())
    except ValueError:
        raise BadItem(f"its bond index is {str(index)[:SHORT]!r}, not a whole number; write it like 3") from None
    if not number.is_integer():
        raise BadItem(f"its bond index is {str(index)[:SHORT]!r}, not a whole number; write it like 3")
    if not 0 <= number < made.GetNumBonds():
        fix = "lower all by 1 if yours count from 1" if number == made.GetNumBonds() else "correct it"
        raise BadItem(
            f"its bond index {int(number)} is out of range: with hydrogen the molecule has {made.GetNumBonds()} bonds, "
            f"counted from 0; {fix}"
        )
    return made.GetBondWithIdx(int(number))


def parts(made, without=None) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and atoms of the connected parts of a molecule, sorted; `without`: a bond that is left out.

    The name has elements and bonds alone: bond orders, charges and unpaired electrons change with a break.
    """
    from rdkit import Chem

    bare, atoms = Chem.RWMol(), []
    for atom in made.GetAtoms():
        plain = Chem.Atom(atom.GetAtomicNum())
        plain.SetNoImplicit(True)
        bare.AddAtom(plain)
    for bond in made.GetBonds():
        if without is None or bond.GetIdx() != without.GetIdx():
            bare.AddBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), Chem.BondType.SINGLE)
    found = Chem.GetMolFrags(bare, asMols=True, sanitizeFrags=False, fragsMolAtomMapping=atoms)
    return sorted((Chem.MolToSmiles(part), tuple(at)) for part, at in zip(found, atoms, strict=True))


def skeletons(made, without=None) -> list[str]:
    """Return the names of the connected parts of a molecule, sorted, see `parts`."""
    return [name for name, _ in parts(made, without)]


def conserved(reactant, products: list) -> None:
    """Raise BadItem unless the products together have the atoms and the charge of the reactant."""
    before, after = elements(reactant), sum((elements(made) for made in products), Counter())
    for symbol in sorted(before.keys() | after.keys()):
        if before[symbol] != after[symbol]:
            raise BadItem(
                f"its products have {after[symbol]} atoms of {symbol}, its reactant {before[symbol]}; correct the row"
            )
    charges = [charge(made) for made in products]
    if sum(charges) != charge(reactant):
        raise BadItem(
            f"its products have the charge {sum(charges):+d}, its reactant {charge(reactant):+d}; correct the row"
        )


def broken(reactant, products: list, index=None):
    """Find the bond without which the reactant is the products; of equivalent bonds the first.

    index: number of the bond, if known. Raises BadItem if atoms or charge are not conserved, or no single bond does it.
    """
    conserved(reactant, products)
    wanted = sorted(name for made in products for name in skeletons(made))
    choice = reactant.GetBonds() if index is None else [bond_at(reactant, index)]
    found = next((bond for bond in choice if skeletons(reactant, bond) == wanted), None)
    if found is not None:
        return found
    if index is None:
        raise BadItem("its products are not its reactant less one bond; give a reaction that breaks a single bond")
    raise BadItem(f"its products are not what breaking bond {index} leaves; correct the bond index or the products")


def marked(made, bond) -> str:
    """Write a molecule as canonical SMILES with all atoms, in which map numbers 1 and 2 mark the ends of a bond.

    Independent of the order of atoms in `made`, and of which end comes first.
    """
    return oriented(made, bond)[0]


def oriented(made, bond) -> tuple[str, int]:
    """Return the SMILES of `marked`, and the atom of `made` with the map number 1."""
    from rdkit import Chem

    texts = []
    for first, second in (
        (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()),
        (bond.GetEndAtomIdx(), bond.GetBeginAtomIdx()),
    ):
        copy = Chem.RWMol(made)
        for atom in copy.GetAtoms():
            atom.SetAtomMapNum(0)
        copy.GetAtomWithIdx(first).SetAtomMapNum(FIRST)
        copy.GetAtomWithIdx(second).SetAtomMapNum(SECOND)
        texts.append((Chem.MolToSmiles(copy), first))
    return min(texts)


def end_charges(made, bond, first: int, products: list) -> tuple[int, int | None]:
    """Return the charges of the parts with the atom `first` and with the other end of a bond, once it is broken.

    A ring stays in one part, and has no second charge. Without products, the charges are those of the atoms; a molecule
    without charge breaks into two without charge, unless its atoms have some. Opposite charges at both ends of the
    bond, as in nitro groups, only mark its kind and are none of the parts. Raises BadItem if they are unknown.
    """
    found = sorted(parts(made, bond), key=lambda part: first not in part[1])
    if len(found) == 1:
        return charge(made), None
    if not products:
        shown = [formal_charge(made, atoms) for _, atoms in found]
        moved = _drawn(*(made.GetAtomWithIdx(at) for at in sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()),
                                                                  key=lambda at: at != first)))  # fmt: skip
        shown = [shown[0] - moved, shown[1] + moved]
        if sum(shown) != charge(made):
            raise BadItem(f"its charge is {charge(made):+d}, and no product has a charge; name the products")
        return tuple(shown)
    known = sorted((skeletons(product)[0], charge(product)) for product in products)
    ordered = known if known[0][0] == found[0][0] else known[::-1]
    return ordered[0][1], ordered[1][1]


def _drawn(one, other) -> int:
    """Return the charge that moves from one end of a bond to the other if opposite charges there cancel."""
    a, b = one.GetFormalCharge(), other.GetFormalCharge()
    return 0 if a * b >= 0 else min(abs(a), abs(b)) * (1 if a > 0 else -1)


def ends(made) -> tuple[int, int]:
    """Return the atoms that the map numbers 1 and 2 mark. Raises BadItem unless a bond joins exactly two such atoms."""
    at = {atom.GetAtomMapNum(): atom.GetIdx() for atom in made.GetAtoms() if atom.GetAtomMapNum()}
    if sorted(at) != [FIRST, SECOND] or made.GetBondBetweenAtoms(at[FIRST], at[SECOND]) is None:
        raise BadItem("its SMILES marks no bond; give the two ends the map numbers 1 and 2, as in [CH3:1][CH3:2]")
    return at[FIRST], at[SECOND]


def plain(made) -> str:
    """Write a molecule as canonical SMILES without map numbers, explicit hydrogen, isotopes and stereochemistry.

    Molecules that differ in these alone have nearly the same bonds, and belong to one group.
    """
    from rdkit import Chem

    copy = Chem.RWMol(made)
    for atom in copy.GetAtoms():
        atom.SetAtomMapNum(0)
        atom.SetIsotope(0)
    return Chem.MolToSmiles(Chem.RemoveHs(copy), isomericSmiles=False)
