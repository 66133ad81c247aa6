"""A universal interatomic potential: energies and relaxed cells of crystals without a first-principles code.

CHGNet 0.3.0 (B. Deng et al., Nat. Mach. Intell. 5 (2023) 1031), whose weights are part of its package. Its energies are
those of PBE(+U) with the corrections of the Materials Project (MP2020), and are compared with none of other kinds.
"""

import warnings
from functools import cache
from pathlib import Path

import numpy as np

from matlens.batch import BadItem
from matlens.crystals import Crystal

REFERENCE = "chgnet-0.3.0 (PBE+U, MP2020 corrections)"
WEIGHTS = "pretrained/0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar"
ELEMENTAL = {  # simple structures in which elements are tried: cell as multiples of the cube root of volume, positions
    "fcc": ([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], [[0, 0, 0]]),
    "bcc": ([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]], [[0, 0, 0]]),
    "hcp": ([[1, 0, 0], [-0.5, 3**0.5 / 2, 0], [0, 0, 1.633]], [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]),
    "diamond": ([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], [[0, 0, 0], [0.25, 0.25, 0.25]]),
}
MAX_ATOMS = 94  # the elements that it has learned from: H to Pu


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
    if crystal.species.max() > MAX_ATOMS:
        raise BadItem(f"the potential does not know element {int(crystal.species.max())}; it knows 1 to {MAX_ATOMS}")


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


def largest_force(crystal: Crystal) -> float:
    """Return the largest force on an atom of a crystal as it is, eV per angstrom."""
    _known(crystal)
    forces = np.asarray(model().predict_structure(structure(crystal), task="ef")["f"], float)
    return float(np.linalg.norm(forces, axis=1).max(initial=0.0))


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


@cache
def element_energy(number: int) -> tuple[float, str]:
    """Return the energy of an element in the best of four simple structures, eV per atom, and its name.

    Elements that are molecules or have structures of their own (O, N, Cl, Mn, ...) are not in them: what is formed from
    such is judged too stable, and the caller says so.
    """
    from pymatgen.core import Element

    best = (np.inf, "")
    radius = float(Element.from_Z(number).atomic_radius or 1.5)
    for name, (cell, frac) in ELEMENTAL.items():
        matrix = np.array(cell, float)
        volume = len(frac) * 4 * np.sqrt(2) * radius**3
        matrix *= (volume / abs(np.linalg.det(matrix))) ** (1 / 3)
        start = Crystal(matrix, np.full(len(frac), number, np.uint8), np.array(frac, float))
        try:
            found = relax(start, steps=300)[1]
        except BadItem:
            continue
        best = min(best, (found, name))
    if not best[1]:
        raise BadItem(f"no simple structure of element {number} relaxes; leave it out")
    return best


def above_hull(fractions: np.ndarray, formation: np.ndarray) -> np.ndarray:
    """Return how far each compound lies above the lower convex hull of all, eV per atom (n,).

    `fractions`: (n, e) mole fractions; `formation`: (n,) formation energies from the elements, which lie on the hull at
    0 by definition. Solved for each compound as the linear programme of the cheapest mixture of all others and itself.
    Source: S. P. Ong et al., Chem. Mater. 20 (2008) 1798 (the hull as a measure of stability).
    """
    from scipy.optimize import linprog

    count, elements = fractions.shape
    phases = np.vstack([fractions, np.eye(elements)])
    cost = np.concatenate([formation, np.zeros(elements)])
    above = np.zeros(count)
    for at, mixture in enumerate(fractions):
        # Only what is made of the compound's own elements can be part of the mixture.
        usable = ~(phases[:, mixture <= 0] > 0).any(axis=1)
        found = linprog(cost[usable], A_eq=phases[usable].T, b_eq=mixture, bounds=(0, None), method="highs")
        above[at] = formation[at] - found.fun
    return np.where(np.abs(above) < 1e-9, 0.0, above)
