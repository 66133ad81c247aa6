"""Grains of EBSD maps, against DefDAP's grain map and against maps built by hand."""

import numpy as np
import pytest
from matlens.crystal import orientations
from matlens.ingest.readers import crc
from matlens.job.batch import BadItem
from matlens.segment import ebsd_grains


@pytest.fixture(scope="module")
def superalloy():
    """Return a reader of the layers of the Ni superalloy map: Euler angles, phases, symmetries."""
    found = {}

    def layers(folder):
        if not found:
            found.update(crc.read(folder / "testDataEBSD.cpr", max_pixels=10**6).layers)
        return found["euler_rad"], found["phase_index"], found["laue"]

    return layers


def layers(phi1_deg: np.ndarray, phase=None, laue=11):
    """Build the layers of a map that turns about z alone."""
    euler = np.zeros((3, *phi1_deg.shape), np.float32)
    euler[0] = np.radians(phi1_deg)
    phase = np.ones(phi1_deg.shape, np.uint8) if phase is None else phase.astype(np.uint8)
    return euler, phase, np.where(phase > 0, laue, 0).astype(np.uint8)


def test_grains_are_those_of_defdap(data, superalloy):
    folder = data("micrographs/ebsd/defdap")
    expected = np.load(folder / "expected/ebsd_grains_5deg_0.npz")["grains"]
    found = ebsd_grains.segment(*superalloy(folder), threshold_deg=5.0, min_points=1)
    # every one of 87,237 points in the same one of 141 grains, numbered alike
    assert found.dtype == np.int32 and found.max() == 141
    np.testing.assert_array_equal(found, expected)


def test_boundaries_are_those_of_defdap(data, superalloy):
    folder = data("micrographs/ebsd/defdap")
    expected = np.load(folder / "expected/ebsd_grain_boundaries_5deg.npz")
    euler, phase, laue = superalloy(folder)
    a, b = ebsd_grains.joined(euler, phase, laue, 5.0)
    columns = phase.shape[1]
    for name, step, inside in (("points_x", 1, np.s_[:, :-1]), ("points_y", columns, np.s_[:-1, :])):
        boundary = np.zeros(phase.shape, bool)
        boundary[inside] = True
        boundary.ravel()[a[b - a == step]] = False
        x, y = expected[name].T
        reference = np.zeros(phase.shape, bool)
        reference[y, x] = True
        assert reference.sum() in (3250, 3730)
        np.testing.assert_array_equal(boundary, reference)


def test_small_grains_are_dropped_and_the_rest_renumbered(data, superalloy):
    folder = data("micrographs/ebsd/defdap")
    expected = np.load(folder / "expected/ebsd_grains_5deg_0.npz")["grains"]
    sizes = np.bincount(expected.ravel())
    found = ebsd_grains.segment(*superalloy(folder), threshold_deg=5.0, min_points=10)
    assert found.max() == np.count_nonzero(sizes[1:] >= 10) == 141 - 32
    np.testing.assert_array_equal(found > 0, sizes[expected] >= 10)


@pytest.mark.parametrize(("step_deg", "grains"), [(4.99, 1), (5.01, 2)])
def test_threshold_decides(step_deg, grains):
    phi1 = np.zeros((6, 8))
    phi1[:, 4:] = step_deg
    assert ebsd_grains.segment(*layers(phi1), min_points=1).max() == grains


def test_equivalent_orientations_are_one_grain_under_the_symmetry_of_their_phase():
    phi1 = np.zeros((6, 9))
    phi1[:, 3:6], phi1[:, 6:] = 90, 60
    assert ebsd_grains.segment(*layers(phi1, laue=11), min_points=1).max() == 2  # 90 is 0 in a cube; 60 is 30 away
    assert ebsd_grains.segment(*layers(phi1, laue=9), min_points=1).max() == 3  # 90 is 30 away in a hexagon
    assert ebsd_grains.segment(*layers(np.where(phi1 == 60, 0, phi1), laue=1), min_points=1).max() == 3


def test_gradual_rotation_is_one_grain_and_diagonals_do_not_join():
    phi1 = np.tile(np.arange(20) * 2.0, (3, 1))
    assert ebsd_grains.segment(*layers(phi1), min_points=1).max() == 1
    checkers = np.indices((4, 4)).sum(axis=0) % 2 * 20.0
    assert ebsd_grains.segment(*layers(checkers), min_points=1).max() == 16


def test_phases_part_and_points_that_are_not_indexed_are_zero():
    phase = np.ones((5, 9))
    phase[:, 4], phase[:, 5:] = 0, 2
    found = ebsd_grains.segment(*layers(np.zeros((5, 9)), phase), min_points=1)
    np.testing.assert_array_equal(found, np.where(phase == 0, 0, phase))
    touching = np.where(np.arange(9) < 4, 1, 2) * np.ones((5, 1))
    assert ebsd_grains.segment(*layers(np.zeros((5, 9)), touching), min_points=1).max() == 2


def test_a_stack_of_slices_is_joined_through_its_faces():
    phi1 = np.zeros((3, 4, 5))
    phi1[:, :, 3:] = 30
    found = ebsd_grains.segment(*layers(phi1), min_points=1)
    np.testing.assert_array_equal(found, np.where(phi1 > 0, 2, 1))


def test_real_twins_are_found_at_86_degrees(data):
    """The tension twin of magnesium, {10-12}, is 86.3 degrees about <11-20> (Christian and Mahajan 1995)."""
    from matlens.ingest.readers import ctf

    found = ctf.read(data("micrographs/ebsd/mtex/twins.ctf"), max_pixels=10**6).layers
    grains = ebsd_grains.segment(found["euler_rad"], found["phase_index"], found["laue"], min_points=20)
    q = orientations.from_euler(np.moveaxis(found["euler_rad"], 0, -1))
    touching = (grains[:, :-1] != grains[:, 1:]) & (grains[:, :-1] > 0) & (grains[:, 1:] > 0)
    angles = orientations.misorientation_deg(q[:, :-1][touching], q[:, 1:][touching], 9)
    counts, edges = np.histogram(angles, np.arange(5.3, 95, 1.0))
    assert abs(edges[counts.argmax()] + 0.5 - 86.3) <= 1.0
    assert ((angles > 84) & (angles < 88)).mean() > 0.3


def test_what_cannot_be_grains_is_refused():
    with pytest.raises(BadItem, match="phase 1 has no known symmetry"):
        ebsd_grains.segment(*layers(np.zeros((4, 4)), laue=0))
    with pytest.raises(BadItem, match="no point of the map is indexed"):
        ebsd_grains.segment(*layers(np.zeros((4, 4)), np.zeros((4, 4))))
