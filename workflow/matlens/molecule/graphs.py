"""Graphs of molecules with a bond that breaks: atoms, bonds, whole, reactants and products."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from matlens.molecule import bonds

ELEMENTS = ("H", "Li", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Br", "I")
RINGS = (3, 4, 5, 6, 7)
ORDERS = (1.0, 1.5, 2.0, 3.0)
CHARGES = (-1, 0, 1)
ATOM = len(ELEMENTS) + 1 + 8 + len(RINGS)  # features of an atom
BOND = 4 + len(ORDERS) + len(RINGS)
WHOLE = 3 + len(CHARGES)


class Graph(NamedTuple):
    """A molecule: atoms (n, ATOM), bonds (m, BOND), whole (WHOLE,), ends of bonds (m, 2), number of the broken one."""

    atoms: np.ndarray
    bonds: np.ndarray
    whole: np.ndarray
    ends: np.ndarray
    broken: int


def of_marked(marked: str) -> Graph:
    """Build the graph of a SMILES with a marked bond, see `bonds.marked`. Raises BadItem if no bond is marked.

    Features: M. Wen et al., Chem. Sci. 12 (2021) 1858, with bond orders, charges and hybridisation.
    """
    made = bonds.parsed(marked)
    broken = made.GetBondBetweenAtoms(*bonds.ends(made)).GetIdx()
    rings = made.GetRingInfo()
    atoms = [_atom(atom, rings) for atom in made.GetAtoms()]
    edges = [_bond(bond, rings) for bond in made.GetBonds()]
    charge = bonds.charge(made)
    weight = sum(atom.GetMass() for atom in made.GetAtoms())
    whole = [len(atoms) / 20, len(edges) / 20, weight / 100, *(charge == one for one in CHARGES)]
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in made.GetBonds()]
    return Graph(np.array(atoms, np.float32), np.array(edges, np.float32), np.array(whole, np.float32),
                 np.array(ends, np.int64).reshape(-1, 2), broken)  # fmt: skip


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


def _parts(graph: Graph) -> np.ndarray:
    """Number the part of every atom (n,) after the bond has broken: 0, and 1 if there are two."""
    first, count = graph.ends[graph.broken][0], len(graph.atoms)
    reached, grown = np.zeros(count, bool), np.arange(count) == first
    kept = np.delete(graph.ends, graph.broken, axis=0)
    while (grown != reached).any():
        reached = grown.copy()
        for a, b in (kept.T, kept.T[::-1]):
            grown[b[reached[a]]] = True
    return (~reached).astype(np.int64)


def batch(graphs: Sequence[Graph]) -> dict:
    """Join graphs into one batch of reactants, then products, which keep the order of their atoms and bonds.

    Returns arrays: atoms (N, ATOM), bonds (M, BOND), whole (G, WHOLE), source and neighbour (2 M,) of the directed
    bonds, bond (2 M,) their number, molecule (N,) and molecule_of_bond (M,), for both sides of all reactions; and
    `reactants`, their number; atoms_in, bonds_in: number of atoms and bonds of reactants; kept (M - r,): reactant bond
    of each bond of the products; reaction (products,): reaction of every product.
    """
    parts = [_parts(graph) for graph in graphs]
    counts, sizes = [len(g.atoms) for g in graphs], [len(g.bonds) for g in graphs]
    start, first = np.cumsum([0, *counts]), np.cumsum([0, *sizes])
    atoms, edges = np.concatenate([g.atoms for g in graphs]), np.concatenate([g.bonds for g in graphs])
    ends = np.concatenate([g.ends + at for g, at in zip(graphs, start, strict=False)])
    kept = np.delete(np.arange(len(edges)), [at + g.broken for g, at in zip(graphs, first, strict=False)])
    number = np.repeat(np.arange(len(graphs)), counts)
    several = np.array([part.max() + 1 for part in parts])
    begin = np.cumsum([0, *several])
    product = np.concatenate([part + at for part, at in zip(parts, begin, strict=False)])
    total = begin[-1]
    share = np.zeros((total, WHOLE), np.float32)
    reaction = np.repeat(np.arange(len(graphs)), several)
    members = np.bincount(product, minlength=total)
    share[:, 0] = members / 20
    share[:, 1] = np.bincount(product[ends[kept, 0]], minlength=total) / 20
    mol = np.concatenate([number, product + len(graphs)])
    every = np.concatenate([ends, ends[kept] + len(atoms)])
    whole = np.concatenate([np.stack([g.whole for g in graphs]), share])
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
