"""Elastic constants: what symmetry leaves of them, strains that determine them, their fit to stresses, and averages.

Stiffness is a matrix (6, 6) in GPa in Voigt's order 11, 22, 33, 23, 13, 12, with engineering shear strains. Inside, the
basis of Mandel is used (shear components times the square root of 2), in which a rotation is an orthogonal matrix.
Stresses are positive in tension. Axes: those of the standardised cell of spglib, the customary ones of each system.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem

PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
SCALE = np.array([1, 1, 1, *[np.sqrt(2)] * 3])  # Mandel over Voigt, of stresses
SYMPREC = 1e-3


class Fit(NamedTuple):
    """Elastic constants from stresses.

    stiffness: (6, 6) GPa; parts: (m, 6, 6) GPa, the same with one magnitude of strain left out; misfit: largest
    difference of a measured slope from that of the symmetric tensor, GPa; stress: (3, 3) GPa without strain.
    """

    stiffness: np.ndarray
    parts: np.ndarray
    misfit: float
    stress: np.ndarray


class Averages(NamedTuple):
    """Polycrystal of grains of all orientations, by Voigt, Reuss and Hill; moduli in GPa, anisotropy 0 if isotropic."""

    bulk_voigt: float
    bulk_reuss: float
    bulk: float
    shear_voigt: float
    shear_reuss: float
    shear: float
    young: float
    poisson: float
    anisotropy: float


def _unit(index: int) -> np.ndarray:
    """Return one of six orthonormal symmetric matrices (3, 3)."""
    made = np.zeros((3, 3))
    first, second = PAIRS[index]
    made[first, second] += 1 / SCALE[index]
    made[second, first] = made[first, second]
    return made


UNITS = np.array([_unit(index) for index in range(6)])


def frame(crystal: Crystal) -> tuple[Crystal, np.ndarray]:
    """Turn a crystal into the customary axes; returns it and the rotations of its point group (g, 3, 3) in them."""
    import spglib

    cell = (np.asarray(crystal.cell, float), np.asarray(crystal.frac, float), np.asarray(crystal.species, int))
    found = spglib.get_symmetry_dataset(cell, symprec=SYMPREC)
    if found is None:
        raise BadItem("its symmetry cannot be found: atoms may lie on one another; look at the structure")
    turned = crystal.cell @ np.asarray(found.std_rotation_matrix).T
    if np.linalg.det(turned) * np.linalg.det(crystal.cell) < 0:
        raise BadItem("its customary axes cannot be found; begin from a right-handed cell")
    rotations = np.unique(found.rotations, axis=0)
    inverse = np.linalg.inv(turned.T)
    cartesian = np.array([_orthogonal(turned.T @ one @ inverse) for one in rotations])
    return Crystal(turned, crystal.species, crystal.frac), cartesian


def _orthogonal(matrix: np.ndarray) -> np.ndarray:
    """Return the orthogonal matrix next to a matrix (3, 3)."""
    left, _, right = np.linalg.svd(matrix)
    return left @ right


def _turns(rotations: np.ndarray) -> np.ndarray:
    """Return rotations (g, 3, 3) as matrices (g, 6, 6) on symmetric matrices in the basis of Mandel."""
    return np.einsum("aij,gik,bkl,gjl->gab", UNITS, rotations, UNITS, rotations, optimize=True)


def _mandel(stiffness: np.ndarray) -> np.ndarray:
    return stiffness * np.outer(SCALE, SCALE)


def project(stiffness: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Average a stiffness (6, 6) over the rotations of a point group and with its transpose."""
    turns = _turns(rotations)
    mean = np.mean(turns @ _mandel(np.asarray(stiffness, float)) @ np.swapaxes(turns, 1, 2), axis=0)
    return (mean + mean.T) / 2 / np.outer(SCALE, SCALE)


def basis(rotations: np.ndarray) -> np.ndarray:
    """Return stiffnesses (n, 6, 6) that span all that have the symmetry: n independent constants, 3 if cubic.

    Source: J. F. Nye, Physical Properties of Crystals (1957), chapter VIII (by averaging over the group instead of its
    tables).
    """
    made = []
    for first in range(6):
        for second in range(first, 6):
            one = np.zeros((6, 6))
            one[first, second] = one[second, first] = 1.0
            made.append(_mandel(project(one, rotations)).ravel())
    _, size, rows = np.linalg.svd(np.array(made))
    kept = rows[: int((size > 1e-6).sum())]
    return kept.reshape(-1, 6, 6) / np.outer(SCALE, SCALE)


def patterns(rotations: np.ndarray) -> list[int]:
    """Return the fewest of the six strains, by their places, whose stresses determine all independent constants.

    Among equally few, the best conditioned.
    """
    known = np.array([_mandel(one) for one in basis(rotations)])
    for count in range(1, 7):
        sizes = []
        for chosen in combinations(range(6), count):
            columns = known[:, :, list(chosen)].reshape(len(known), -1)
            sizes.append((round(float(np.linalg.svd(columns, compute_uv=False)[-1]), 6), chosen))
        best = max(size for size, _ in sizes)
        if len(known) <= 6 * count and best > 1e-3:
            return list(next(chosen for size, chosen in sizes if size == best))
    raise AssertionError("six strains determine every tensor")


def strain(pattern: int, magnitude: float) -> np.ndarray:
    """Return the strain (3, 3) of a pattern: one component, and its mirror image if it is a shear."""
    return UNITS[pattern] * SCALE[pattern] * magnitude


def reversal(pattern: int, rotations: np.ndarray) -> np.ndarray | None:
    """Return a rotation of the point group that reverses the sign of a strain; None if there is none."""
    one = UNITS[pattern]
    turned = np.einsum("gij,jk,glk->gil", rotations, one, rotations)
    found = np.flatnonzero(np.abs(turned + one).max(axis=(1, 2)) < 1e-6)
    return rotations[found[0]] if len(found) else None


def strained(crystal: Crystal, tensor: np.ndarray) -> Crystal:
    """Strain a crystal by a symmetric tensor (3, 3); atoms keep their fractional coordinates."""
    return Crystal(crystal.cell @ (np.eye(3) + tensor), crystal.species, crystal.frac)


def _slopes(magnitudes: np.ndarray, odd: np.ndarray) -> np.ndarray:
    """Fit stresses (m, 6), odd in the strain, by strain and, from three magnitudes on, its cube: slopes (6,)."""
    unit = magnitudes.max()
    x = magnitudes / unit
    powers = np.column_stack([x, x**3]) if len(x) > 2 else x[:, None]
    return np.linalg.lstsq(powers, odd, rcond=None)[0][0] / unit


def _solve(known: np.ndarray, chosen: Sequence[int], slopes: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit a tensor of the symmetry to slopes (s, 6) of stresses by the strain; returns it and its misfit, GPa."""
    factors = SCALE[list(chosen)] ** 2  # a shear of magnitude 1 is an engineering strain of 2
    columns = known[:, :, list(chosen)] * factors  # (n, 6, s)
    target = slopes.T * SCALE[:, None]
    matrix = (columns * SCALE[None, :, None]).reshape(len(known), -1).T
    amounts = np.linalg.lstsq(matrix, target.ravel(), rcond=None)[0]
    apart = np.abs(np.einsum("n,nas->as", amounts, columns) - slopes.T) / factors
    return np.einsum("n,nab->ab", amounts, known), float(apart.max())


def fit(rotations: np.ndarray, chosen: Sequence[int], magnitudes: Sequence[float], stresses: np.ndarray) -> Fit:
    """Fit elastic constants to stresses at strains of both signs.

    stresses: (s, m, 2, 3, 3) GPa, positive in tension: of s patterns, m magnitudes (two or more), signs + and -.
    Central differences of all magnitudes are extrapolated to zero strain (three or more) or averaged (two). At a stress
    p without strain the constants are those between stress and strain, which govern stability.
    Source: D. C. Wallace, Thermodynamics of Crystals (1972), chapter 2; Y. Le Page, P. Saxe, Phys. Rev. B 65 (2002)
    104104 (constants from stresses).
    """
    size = np.asarray(magnitudes, float)
    voigt = np.stack([stresses[..., first, second] for first, second in PAIRS], axis=-1)  # (s, m, 2, 6)
    odd, even = (voigt[:, :, 0] - voigt[:, :, 1]) / 2, (voigt[:, :, 0] + voigt[:, :, 1]) / 2
    known = basis(rotations)

    def made(kept: np.ndarray) -> tuple[np.ndarray, float]:
        if len(kept) == 2 and len(size) > 2:  # the cube stays: two magnitudes determine both
            a, b = size[kept]
            slopes = (odd[:, kept[0]] * b**2 / a - odd[:, kept[1]] * a**2 / b) / (b**2 - a**2)
        else:
            slopes = np.array([_slopes(size[kept], one[kept]) for one in odd])
        return _solve(known, chosen, slopes)

    everything = np.arange(len(size))
    stiffness, misfit = made(everything)
    parts = np.array([made(np.delete(everything, place))[0] for place in everything])
    smallest = even[:, int(np.argmin(size))].mean(axis=0)
    stress = np.zeros((3, 3))
    for value, (first, second) in zip(smallest, PAIRS, strict=True):
        stress[first, second] = stress[second, first] = value
    return Fit(stiffness, parts, misfit, stress)


def smallest_eigenvalue(stiffness: np.ndarray) -> float:
    """Return the smallest eigenvalue of a stiffness in the basis of Mandel, GPa: above 0 if mechanically stable.

    Source: M. Born, K. Huang, Dynamical Theory of Crystal Lattices (1954); F. Mouhat, F.-X. Coudert, Phys. Rev. B 90
    (2014) 224104.
    """
    return float(np.linalg.eigvalsh(_mandel(stiffness))[0])


def averages(stiffness: np.ndarray) -> Averages:
    """Average a stable stiffness over orientations.

    Source: R. Hill, Proc. Phys. Soc. A 65 (1952) 349; universal anisotropy 5 G_V / G_R + K_V / K_R - 6: S. I.
    Ranganathan, M. Ostoja-Starzewski, Phys. Rev. Lett. 101 (2008) 055504.
    """
    c, s = np.asarray(stiffness), np.linalg.inv(stiffness)
    bulk_voigt = c[:3, :3].sum() / 9
    shear_voigt = (np.trace(c[:3, :3]) - (c[0, 1] + c[0, 2] + c[1, 2]) + 3 * np.trace(c[3:, 3:])) / 15
    bulk_reuss = 1 / s[:3, :3].sum()
    shear_reuss = 15 / (4 * (np.trace(s[:3, :3]) - (s[0, 1] + s[0, 2] + s[1, 2])) + 3 * np.trace(s[3:, 3:]))
    bulk, shear = (bulk_voigt + bulk_reuss) / 2, (shear_voigt + shear_reuss) / 2
    young = 9 * bulk * shear / (3 * bulk + shear)
    poisson = (3 * bulk - 2 * shear) / (2 * (3 * bulk + shear))
    anisotropy = 5 * shear_voigt / shear_reuss + bulk_voigt / bulk_reuss - 6
    return Averages(
        *map(float, (bulk_voigt, bulk_reuss, bulk, shear_voigt, shear_reuss, shear, young, poisson, anisotropy))
    )


def young(stiffness: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return Young's modulus (n,) GPa in tension along unit vectors (n, 3): 1 / (n n : S : n n). Source: Nye (1957)."""
    compliance = np.linalg.inv(_mandel(stiffness))
    along = np.einsum("ni,aij,nj->na", directions, UNITS, directions)
    return 1 / np.einsum("na,ab,nb->n", along, compliance, along)
