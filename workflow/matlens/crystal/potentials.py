"""A universal interatomic potential: energies and relaxed cells of crystals without a first-principles code.

CHGNet 0.3.0 (B. Deng et al., Nat. Mach. Intell. 5 (2023) 1031), whose weights are part of its package. Its energies are
those of PBE(+U) with the corrections of the Materials Project (MP2020), and are compared with none of other kinds.
"""

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem

REFERENCE = "chgnet-0.3.0 (PBE+U, MP2020 corrections)"
WEIGHTS = "pretrained/0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar"
LAST_ELEMENT = 94  # it has learned from H to Pu


class Potential(NamedTuple):
    """Interface of a universal potential; an entry of `matlens.crystal.POTENTIALS` names one.

    `energy(crystal)`, `energies(crystals)` in eV per atom; `states(crystals)`: energies, stresses (n, 3, 3) in GPa,
    positive if compressed, and forces, one array (atoms, 3) in eV per angstrom per crystal;
    `relax(crystal, steps, force_ev_a)` returns crystal, eV per atom, steps. `reference`: the energies' level of theory.
    `vector(crystal)`: numbers (d,) by which it knows a crystal as it is, whatever the cell; None if it has none.
    """

    reference: str
    energy: Callable
    energies: Callable
    states: Callable
    relax: Callable
    vector: Callable | None = None


@cache
def model():
    """Load the potential, from weights alone: nothing in the file is executed."""
    import chgnet
    import torch
    from chgnet.model.model import CHGNet

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = torch.load(Path(chgnet.__file__).parent / WEIGHTS, map_location="cpu", weights_only=True)
        return CHGNet.from_dict(state["model"], mlp_out_bias=False, version="0.3.0")


def structure(crystal: Crystal):
    """Turn a crystal into a pymatgen Structure."""
    from pymatgen.core import Lattice, Structure

    return Structure(Lattice(crystal.cell), crystal.species.tolist(), crystal.frac)


def crystal_of(found) -> Crystal:
    """Turn a pymatgen Structure into a crystal."""
    return Crystal(
        np.array(found.lattice.matrix), np.array([site.specie.Z for site in found], np.uint8), found.frac_coords
    )


def _known(crystal: Crystal) -> None:
    if crystal.species.max() > LAST_ELEMENT:
        raise BadItem(f"the potential does not know element {int(crystal.species.max())}; it knows 1 to {LAST_ELEMENT}")


def energy(crystal: Crystal) -> float:
    """Return the energy of a crystal as it is, eV per atom."""
    _known(crystal)
    return float(model().predict_structure(structure(crystal), task="e")["e"])


def energies(crystals: list[Crystal], batch: int = 32) -> np.ndarray:
    """Return the energies of crystals as they are, eV per atom (n,)."""
    for crystal in crystals:
        _known(crystal)
    if not crystals:
        return np.zeros(0)
    found = model().predict_structure([structure(one) for one in crystals], task="e", batch_size=batch)
    return np.array([float(one["e"]) for one in (found if isinstance(found, list) else [found])])


def states(crystals: list[Crystal], batch: int = 32) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return energies, stresses and forces of crystals as they are.

    Energies: (n,) eV per atom; stresses: (n, 3, 3) GPa, positive if compressed; forces: one array (atoms, 3) in eV per
    angstrom per crystal.
    """
    for crystal in crystals:
        _known(crystal)
    found = model().predict_structure([structure(one) for one in crystals], task="efs", batch_size=batch)
    found = found if isinstance(found, list) else [found]
    stresses = -np.array([one["s"] for one in found], float)
    return np.array([float(one["e"]) for one in found]), stresses, [np.asarray(one["f"], float) for one in found]


def relax(crystal: Crystal, steps: int = 200, force_ev_a: float = 0.05) -> tuple[Crystal, float, int]:
    """Relax cell and positions until no force is larger than `force_ev_a`; returns crystal, eV per atom, steps.

    By the FIRE algorithm (E. Bitzek et al., Phys. Rev. Lett. 97 (2006) 170201). BadItem where it has not converged
    after `steps`, or the cell has grown or shrunk beyond all reason.
    """
    from chgnet.model import StructOptimizer

    _known(crystal)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optimiser = StructOptimizer(model=model(), use_device="cpu")
        found = optimiser.relax(structure(crystal), fmax=force_ev_a, steps=steps, verbose=False)
    path, made = found["trajectory"], crystal_of(found["final_structure"])
    growth = abs(np.linalg.det(made.cell) / np.linalg.det(crystal.cell))
    if not np.isfinite(path.energies[-1]) or not 0.3 < growth < 3.0:
        raise BadItem(f"relaxing changed its volume by a factor of {growth:.2g}: begin from a better structure")
    if len(path.energies) > steps:  # the optimiser ends sooner only where forces and stress are small
        raise BadItem(f"it has not relaxed after {steps} steps; raise steps, or begin from a better structure")
    return made, float(path.energies[-1]) / len(made.species), len(path.energies) - 1


def vector(crystal: Crystal) -> np.ndarray:
    """Return what the potential computes of a crystal as it is, on the way to its energy (193,).

    Energy per atom; mean over the atoms of their last vectors, which give the energy; mean and standard deviation of
    those before, which give the magnetic moments. BadItem if an atom has no neighbour within its reach.
    """
    import torch

    _known(crystal)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        try:
            graph = model().graph_converter(structure(crystal))
        except ValueError:  # before a relaxation in this process the converter refuses such atoms, after it does not
            graph = None
        if graph is None or len(torch.unique(graph.atom_graph.reshape(-1, 2)[:, 0])) < len(crystal.species):
            raise BadItem("an atom has no neighbour within the reach of the potential; is the cell too large?")
        found = model().predict_graph(graph, task="e", return_atom_feas=True, return_crystal_feas=True)
    before, last = found["atom_fea"], found["crystal_fea"] / len(crystal.species)  # it is their sum
    parts = [np.atleast_1d(found["e"]), last, before.mean(axis=0), before.std(axis=0)]
    return np.concatenate(parts).astype(float)


CHGNET = Potential(REFERENCE, energy, energies, states, relax, vector)


def above_hull(fractions: np.ndarray, formation: np.ndarray) -> np.ndarray:
    """Return how far each compound lies above the lower convex hull of all, eV per atom (n,).

    `fractions`: (n, e) mole fractions; `formation`: (n,) formation energies from the elements, which lie on the hull at
    0 by definition. The hull at a composition is the linear programme of the cheapest mixture of all phases.
    Source: S. P. Ong et al., Chem. Mater. 20 (2008) 1798 (the hull as a measure of stability).
    """
    mixtures, same = np.unique(fractions, axis=0, return_inverse=True)
    best = np.full(len(mixtures), np.inf)
    np.minimum.at(best, same.ravel(), formation)
    phases = np.vstack([mixtures, np.eye(fractions.shape[1])])
    cost = np.concatenate([best, np.zeros(fractions.shape[1])])
    sets = _words(phases > 0)
    hull = np.array([_cheapest(one, phases, cost, sets, sets[at]) for at, one in enumerate(mixtures)])
    above = formation - hull[same.ravel()]
    return np.where(above < 1e-7, 0.0, above)  # what the programme leaves open


def _words(flags: np.ndarray) -> np.ndarray:
    """Pack flags (n, e) into words of 64 bits (n, w), so that sets of elements compare at once."""
    packed = np.packbits(flags, axis=1)
    return np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8))).view(np.uint64)


def _cheapest(mixture: np.ndarray, phases: np.ndarray, cost: np.ndarray, sets: np.ndarray, own: np.ndarray) -> float:
    """Find the energy of the cheapest mixture of phases that are made of no other elements, eV per atom."""
    from scipy.optimize import linprog

    usable = np.flatnonzero(~(sets & ~own).any(axis=1))
    elements = mixture > 0
    if len(usable) <= elements.sum() + 1:  # itself and its elements
        return min(0.0, float(cost[usable[0]]))
    found = linprog(cost[usable], A_eq=phases[usable][:, elements].T, b_eq=mixture[elements], method="highs")
    return float(found.fun)
