"""Graphs of molecules with a bond that breaks: atoms, bonds, whole, reactants and products."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from matlens.molecule import bonds
from matlens.molecule.reactions import Reaction

ELEMENTS = ("H", "Li", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Br", "I")
RINGS = (3, 4, 5, 6, 7)
ORDERS = (1.0, 1.5, 2.0, 3.0)
CHARGES = (-1, 0, 1)
ATOM = len(ELEMENTS) + 1 + 8 + len(RINGS)  # features of an atom
BOND = 4 + len(ORDERS) + len(RINGS)
WHOLE = 4 + len(CHARGES)


class Graph(NamedTuple):
    """A molecule with a bond that breaks.

    atoms (n, ATOM), bonds (m, BOND) and ends of bonds (m, 2); masses (n,) in u; broken: number of the bond that breaks;
    part (n,): product of every atom, 0 or 1; charge of the molecule, and charges (products,).
    """

    atoms: np.ndarray
    bonds: np.ndarray
    ends: np.ndarray
    masses: np.ndarray
    broken: int
    part: np.ndarray
    charge: int
    charges: np.ndarray


def of_reaction(reaction: Reaction) -> Graph:
    """Build the graph of a reaction. Raises BadItem if its SMILES marks no bond.

    Features: M. Wen et al., Chem. Sci. 12 (2021) 1858, with bond orders, charges and hybridisation.
    """
    made = bonds.parsed(reaction.marked)
    first, second = bonds.ends(made)
    broken, rings = made.GetBondBetweenAtoms(first, second).GetIdx(), made.GetRingInfo()
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in made.GetBonds()]
    ends = np.array(ends, np.int64).reshape(-1, 2)
    part = _parts(np.delete(ends, broken, axis=0), first, made.GetNumAtoms())
    return Graph(
        np.array([_atom(atom, rings) for atom in made.GetAtoms()], np.float32),
        np.array([_bond(bond, rings) for bond in made.GetBonds()], np.float32),
        ends,
        np.array([atom.GetMass() for atom in made.GetAtoms()], np.float32),
        broken,
        part,
        reaction.charge,
        np.array(reaction.ends[: part.max() + 1], np.float32),
    )


def wholes(atoms, edges, mass, charge) -> np.ndarray:
    """Describe whole molecules (k, WHOLE) by numbers of atoms and bonds, mass in u, and charge in e, each (k,)."""
    charge = np.asarray(charge, np.float32)
    columns = [np.asarray(atoms) / 20, np.asarray(edges) / 20, np.asarray(mass) / 100, charge]
    return np.stack([*columns, *(charge == one for one in CHARGES)], axis=1).astype(np.float32)


def _atom(atom, rings) -> list[float]:
    at, symbol = atom.GetIdx(), atom.GetSymbol()
    hydrogen = sum(one.GetAtomicNum() == 1 for one in atom.GetNeighbors())
    state = str(atom.GetHybridization())
    found = [*(symbol == one for one in ELEMENTS), symbol not in ELEMENTS, atom.GetDegree() / 4, hydrogen / 4]
    found += [
        atom.IsInRing(),
        atom.GetIsAromatic(),
        atom.GetFormalCharge(),
        state == "SP",
        state == "SP2",
        state == "SP3",
    ]
    return [float(one) for one in [*found, *(rings.IsAtomInRingOfSize(at, size) for size in RINGS)]]


def _bond(bond, rings) -> list[float]:
    order = bond.GetBondTypeAsDouble()
    found = [bond.IsInRing(), bond.GetIsConjugated(), order not in ORDERS, str(bond.GetBondType()) == "DATIVE"]
    found += [order == one for one in ORDERS]
    return [float(one) for one in [*found, *(rings.IsBondInRingOfSize(bond.GetIdx(), size) for size in RINGS)]]


def _parts(ends: np.ndarray, first: int, count: int) -> np.ndarray:
    """Number the part of every atom (count,) that bonds (m, 2) join: 0 with the atom `first`, else 1."""
    reached, grown = np.zeros(count, bool), np.arange(count) == first
    while (grown != reached).any():
        reached = grown.copy()
        for a, b in (ends.T, ends.T[::-1]):
            grown[b[reached[a]]] = True
    return (~reached).astype(np.int64)


def batch(graphs: Sequence[Graph]) -> dict:
    """Join r graphs into one batch of reactants, then products, which keep the order of their atoms and bonds.

    Returns arrays: atoms (N, ATOM), bonds (M, BOND), whole (G, WHOLE), source and neighbour (2 M,) of the directed
    bonds, bond (2 M,) their number, molecule (N,) and molecule_of_bond (M,), for both sides of all reactions; and
    `reactants`, their number r; reaction_of_atom, reaction_of_bond: reactions of the atoms and bonds of the reactants;
    kept: reactant bond of each bond of the products; reaction (products,): reaction of every product.
    """
    counts, sizes = [len(g.atoms) for g in graphs], [len(g.bonds) for g in graphs]
    start, first = np.cumsum([0, *counts]), np.cumsum([0, *sizes])
    atoms, edges = np.concatenate([g.atoms for g in graphs]), np.concatenate([g.bonds for g in graphs])
    ends = np.concatenate([g.ends + at for g, at in zip(graphs, start, strict=False)])
    kept = np.delete(np.arange(len(edges)), [at + g.broken for g, at in zip(graphs, first, strict=False)])
    number = np.repeat(np.arange(len(graphs)), counts)
    several = np.array([len(g.charges) for g in graphs])
    begin = np.cumsum([0, *several])
    product = np.concatenate([g.part + at for g, at in zip(graphs, begin, strict=False)])
    reaction, total = np.repeat(np.arange(len(graphs)), several), begin[-1]
    members = np.bincount(product, minlength=total)
    joined = np.bincount(product[ends[kept, 0]], minlength=total)
    masses = np.concatenate([g.masses for g in graphs])
    charges = np.concatenate([g.charges for g in graphs])
    mol = np.concatenate([number, product + len(graphs)])
    every = np.concatenate([ends, ends[kept] + len(atoms)])
    whole = np.concatenate(
        [
            wholes(counts, sizes, np.bincount(number, masses), [g.charge for g in graphs]),
            wholes(members, joined, np.bincount(product, masses, total), charges),
        ]
    )
    return {
        "atoms": np.concatenate([atoms, atoms]),
        "bonds": np.concatenate([edges, edges[kept]]),
        "whole": whole,
        "source": every.T.reshape(-1),
        "neighbour": every.T[::-1].reshape(-1),
        "bond": np.tile(np.arange(len(every)), 2),
        "molecule": mol,
        "molecule_of_bond": mol[every[:, 0]],
        "reaction": reaction,
        "reaction_of_atom": number,
        "reaction_of_bond": np.repeat(np.arange(len(graphs)), sizes),
        "kept": kept,
        "reactants": len(graphs),
    }
