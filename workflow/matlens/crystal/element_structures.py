"""Crystals of the elements in their simple stable structures, for reference energies by any code."""

from functools import cache

import numpy as np

from matlens.crystal.structures import Crystal

SIMPLE = ("fcc", "bcc", "hcp", "diamond", "bct", "rhombohedral", "sc")


@cache
def structure(symbol: str) -> Crystal | None:
    """Return an element in its structure at room temperature, with its measured lattice constants; None if unknown.

    Elements of molecules, or of cells that are not built by symmetry alone (B, P, S, Mn, Ga and others), are unknown.
    Source: the reference states of ASE (A. H. Larsen et al., J. Phys.: Condens. Matter 29 (2017) 273002).
    """
    from ase.build import bulk
    from ase.data import atomic_numbers, reference_states

    number = atomic_numbers.get(symbol, 0)
    state = reference_states[number] if 0 < number < len(reference_states) else None
    if not state or state["symmetry"] not in SIMPLE:
        return None
    try:
        made = bulk(symbol)
    except (ValueError, RuntimeError, KeyError, NotImplementedError):
        return None
    return Crystal(np.array(made.cell), np.array(made.numbers, np.uint8), made.get_scaled_positions() % 1.0)
