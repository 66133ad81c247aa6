"""Crystals unlike all that shipped networks learned from are flagged, with wider intervals; ordinary ones are not."""

from pathlib import Path

import numpy as np
import pytest
from matlens.crystal import structures
from matlens.nets import CRYSTAL_NETS, GRAPHS
from matlens.predict import crystal_networks as networks
from matlens.store import io

from .test_ready_weights import FCC, connected

FOLDER = Path(__file__).resolve().parents[2] / "data/weights"
NAMES = ("cgcnn_log10_bulk_modulus", "cgcnn_log10_shear_modulus", "cgcnn_formation_energy")
ONE, SALT, CUBE = np.zeros((1, 3)), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), np.eye(3)
PEROVSKITE = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])


def crystal(cell, species, frac) -> structures.Crystal:
    return structures.Crystal(np.asarray(cell, float), np.array(species, np.uint8), np.asarray(frac, float))


def copper(cells: int, spread: float = 0.0, species=29) -> structures.Crystal:
    """Make a cube of 4 `cells`^3 atoms of copper, or of others on its sites."""
    corners = np.stack(np.meshgrid(*[range(cells)] * 3), axis=-1).reshape(-1, 1, 3)
    frac = (corners + np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])).reshape(-1, 3) / cells
    rng, side = np.random.default_rng(0), 3.615 * cells
    frac = frac + rng.normal(0, spread / side, frac.shape)
    return crystal(side * CUBE, rng.choice(species, len(frac)) if np.ndim(species) else [species] * len(frac), frac)


ORDINARY = {
    "Cu": crystal(3.615 * FCC, [29], ONE), "NaCl": crystal(5.64 * FCC, [11, 17], SALT), "Cu, 500 atoms": copper(5),
    "BaTiO3": crystal(4.03 * CUBE, [56, 22, 8, 8, 8], PEROVSKITE), "Cu, left-handed": crystal(-3.615 * FCC, [29], ONE),
}  # fmt: skip
STRANGE = {
    **{f"NaCl x {f}": crystal(5.64 * f * FCC, [11, 17], SALT) for f in (0.7, 0.8, 0.9, 1.1, 1.2, 1.4)},
    **{f"Cu x {f}": crystal(3.615 * f * FCC, [29], ONE) for f in (0.7, 0.8, 0.9, 1.1, 1.2, 1.4)},
    **{f"BaTiO3 x {f}": crystal(4.03 * f * CUBE, [56, 22, 8, 8, 8], PEROVSKITE) for f in (0.7, 0.8, 1.2, 1.4)},
    "NaCl sheared by 20 %": crystal(5.64 * FCC @ np.diag([1.2, 1 / 1.2, 1]), [11, 17], SALT),
    "graphene": crystal(
        [[2.46, 0, 0], [-1.23, 2.13, 0], [0, 0, 20]], [6, 6], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]]
    ),
    "H2 in a box": crystal(10 * CUBE, [1, 1], [[0, 0, 0], [0.074, 0, 0]]),
    "H2O in a box": crystal(8 * CUBE, [8, 1, 1], [[0, 0, 0], [0.12, 0, 0], [-0.03, 0.116, 0]]),
    "fcc H": crystal(2.5 * FCC, [1], ONE),
    "fcc F": crystal(3.5 * FCC, [9], ONE),
    "fcc Xe": crystal(6.1 * FCC, [54], ONE),
    "overlap": crystal(5.64 * CUBE, [11, 17], [[0, 0, 0], [0.05, 0, 0]]),
    "atoms in one place": crystal(4 * CUBE, [26, 26], np.zeros((2, 3))),
    "one atom in 100 A": crystal(100 * CUBE, [29], ONE),
    "two atoms in 5000 A": crystal(5000 * CUBE, [29, 29], SALT),
    "500 atoms, melted": copper(5, 0.8),
    "500 atoms, species at random": copper(5, 0.0, (11, 8, 29)),
    "fluorine as a cation": crystal(4.6 * FCC, [9, 9], SALT),
    "Am": crystal(4.9 * FCC, [95], ONE),
    "Og": crystal(5 * FCC, [118], ONE),
}


@pytest.mark.parametrize("name", NAMES)
def test_strange_crystals_are_flagged_and_get_wide_intervals(name):
    card, arrays = io.read_json(FOLDER / f"{name}.json"), io.read_weights(FOLDER / f"{name}.safetensors")
    found = networks.apply(connected(card, {**ORDINARY, **STRANGE}), arrays, card, "cpu")
    assert np.isfinite([found[part] for part in ("predicted", "low_90", "high_90", "std")]).all()
    outside, width = found["outside_training_range"], found["high_90"] - found["low_90"]
    assert not outside[: len(ORDINARY)].any()
    quiet = [one for one, flag in zip(STRANGE, outside[len(ORDINARY) :], strict=True) if not flag]
    assert not quiet
    narrow = width[len(ORDINARY) :] < 1.5 * width[: len(ORDINARY)].max()
    assert not [one for one, flag in zip(STRANGE, narrow, strict=True) if flag]
    names = dict(zip([*ORDINARY, *STRANGE], found["unseen_elements"], strict=True))
    assert names["Am"] == "Am" and names["Og"] == "Og" and names["Cu"] == ""


@pytest.mark.parametrize("method", CRYSTAL_NETS)
def test_no_element_is_too_heavy_for_a_network(method):
    """Elements beyond fermium have no features; they are predicted all the same, and are named as unseen."""
    from matlens.learn import graphs as lessons

    some = connected({"graph": {GRAPHS[method]: {}}}, {"Og": STRANGE["Og"], "Cu": ORDINARY["Cu"]})
    found = lessons.answers(lessons.build(method, {}), some, "cpu")
    assert found.shape == (2,) and np.isfinite(found).all()
