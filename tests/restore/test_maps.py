"""Maps of orientations at more points: geometry, symmetry, what is invented, and the stage on real maps."""

import numpy as np
import pytest
from matlens import registry, restore
from matlens.crystal import orientations
from matlens.job.batch import BadItem
from matlens.restore import map_learning, map_methods, map_quality, maps, shard
from matlens.restore.maps import OrientationMap
from matlens.store import io
from scipy.spatial import cKDTree

CUBIC, HEXAGONAL = 11, 9


def random(count, rng):
    q = rng.normal(size=(count, 4))
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def two_grains(size=(33, 33), laue=CUBIC, seed=0):
    """Make a map of two grains with an oblique boundary."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(size)
    grain = (x + 0.4 * y > 0.7 * size[1]).astype(int)
    phase = np.ones(size, np.uint8)
    return OrientationMap(random(2, rng)[grain], phase, phase * np.uint8(laue), grain.astype(np.float32)), grain


def equivalent(found, rng):
    """Replace every orientation by a random one that crystal symmetry makes equal."""
    operators = orientations.symmetry(int(found.laue[0, 0]))
    turned = orientations.multiply(operators[rng.integers(0, len(operators), found.phase.shape)], found.q)
    return OrientationMap(turned, found.phase, found.laue, found.quality)


@pytest.mark.parametrize("laue", [CUBIC, HEXAGONAL])
def test_euler_angles_and_quaternions_are_each_other_s_inverse(laue):
    rng = np.random.default_rng(0)
    euler = rng.uniform(0, 1, (500, 3)) * [2 * np.pi, np.pi, 2 * np.pi]
    euler[:10, 1], euler[10:20, 1] = 0, np.pi
    q = orientations.from_euler(euler)
    again = orientations.from_euler(orientations.to_euler(q))
    assert orientations.misorientation_deg(q, again, 1).max() < 1e-4
    general = euler[20:]
    assert orientations.to_euler(q[20:]) == pytest.approx(general, abs=1e-9)


def test_corners_of_a_cell_have_bilinear_weights_and_measured_points_are_themselves():
    fine, _ = two_grains()
    coarse = fine.every(4)
    found, weights = maps.corners(fine.phase.shape, coarse, 4)
    assert weights.sum(0) == pytest.approx(1.0) and (weights[0][::4, ::4] == 1).all()
    assert weights[:, 1, 2] == pytest.approx([0.75 * 0.5, 0.75 * 0.5, 0.25 * 0.5, 0.25 * 0.5])
    assert np.array_equal(found[0].q[::4, ::4], coarse.q) and np.array_equal(found[3].q[1, 1], coarse.q[1, 1])


@pytest.mark.parametrize("name", list(maps.BLIND))
def test_one_grain_is_restored_exactly_whatever_equivalent_is_stored(name):
    rng = np.random.default_rng(1)
    fine = two_grains()[0]
    fine = equivalent(
        OrientationMap(fine.q[:1, :1].repeat(33, 0).repeat(33, 1), fine.phase, fine.laue, fine.quality), rng
    )
    made = registry.load(restore.METHODS, f"orientations_{name}")(fine, scale=4, points="thinned")
    assert maps.angles_deg(made, fine).max() < 1e-4


def test_slerp_is_halfway_between_two_and_invents_where_two_grains_meet():
    fine = two_grains()[0]
    near = orientations.from_axis_angle((0, 0, 1), 4.0)
    pair = np.stack([fine.q[0, 0], orientations.multiply(near, fine.q[0, 0])])
    one = np.ones((2, 2), np.uint8)
    measured = OrientationMap(pair[None].repeat(2, 0), one, one * np.uint8(CUBIC), one.astype(np.float32))
    made = map_methods.slerp(measured, scale=2)
    assert made.q.shape == (3, 3, 4)
    assert orientations.misorientation_deg(made.q[1, 1], pair[0], CUBIC) == pytest.approx(2.0, abs=1e-6)
    grid = map_methods.grid(fine, 4, "thinned")
    between = map_learning.between(grid.shape, 4)
    judged = {
        name: map_quality.measures(function(fine, scale=4, points="thinned"), grid.corners, fine, between)
        for name, function in (("nearest", map_methods.nearest), ("slerp", map_methods.slerp))
    }
    assert judged["nearest"]["invented_orientations"] == 0 and judged["slerp"]["invented_orientations"] > 0.02
    assert judged["nearest"]["misorientation_deg"] < judged["slerp"]["misorientation_deg"]


def test_a_perfect_map_has_perfect_measures_and_a_shifted_boundary_fails():
    fine, grain = two_grains()
    corners = [fine] * 4
    between = np.ones(fine.phase.shape, bool)
    made = map_quality.measures(fine, corners, fine, between)
    assert made["misorientation_deg"] < 1e-4 and made["boundary_f1"] == made["phase_right"] == 1
    moved = OrientationMap(np.roll(fine.q, 4, 1), fine.phase, fine.laue, fine.quality)
    assert map_quality.measures(moved, corners, fine, between)["boundary_f1"] < 0.5
    lines = map_quality.boundaries(fine)
    assert lines.any() and not lines[(grain == np.roll(grain, -1, 1)) & (grain == np.roll(grain, -1, 0))][:-40].any()


def test_cells_are_put_into_channels_and_back():
    values = np.arange(4 * 6 * 9, dtype=np.float32).reshape(4, 6, 9)
    assert np.array_equal(map_learning.from_cells(map_learning.to_cells(values, 3), 3), values)


def test_what_the_network_sees_and_is_charged_is_the_same_for_equivalent_orientations():
    rng = np.random.default_rng(2)
    fine = two_grains(laue=HEXAGONAL)[0]
    other = equivalent(fine, rng)
    assert map_learning.seen(other.every(4)) == pytest.approx(map_learning.seen(fine.every(4)), abs=1e-4)
    asked, charged = (
        map_learning.costs(maps.corners(fine.phase.shape, one.every(4), 4)[0], fine) for one in (fine, other)
    )
    assert charged == pytest.approx(asked, abs=1e-3) and charged[0, ::4, ::4].max() < 1e-3


def test_a_trained_network_keeps_measured_points_and_invents_nothing():
    samples = [(two_grains(seed=seed)[0], None, "val" if seed == 0 else "train", f"i{seed}") for seed in range(4)]
    options = {"epochs": 1, "patches": 32, "patch_cells": 8, "width": 8, "depth": 1, "device": "cpu", "scale": 4}
    offered = {"samples": samples, "method": "orientations", "initial": None, "checkpoint": None, "options": options}
    arrays, card = registry.call(registry.load(restore.LEARNERS, "orientations"), offered, options)
    model = registry.load(restore.PREPARES, "orientations")(arrays, card)
    fine = two_grains(seed=9)[0]
    made = map_methods.learned(fine, model, scale=4, points="thinned")
    grid = map_methods.grid(fine, 4, "thinned")
    judged = map_quality.measures(made, grid.corners, fine, map_learning.between(grid.shape, 4))
    assert judged["invented_orientations"] == 0 and maps.angles_deg(made, fine)[::4, ::4].max() < 1e-4
    assert judged["misorientation_deg"] < 10
    with pytest.raises(BadItem, match="of scale 4, not 2"):
        map_methods.learned(fine, model, scale=2)


def polycrystal(seed, side=129, grains=16):
    """Make a map of grains with straight boundaries."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.indices((side, side)), -1).reshape(-1, 2)
    grain = cKDTree(rng.uniform(0, side, (grains, 2))).query(places)[1].reshape(side, side)
    phase = np.ones((side, side), np.uint8)
    return OrientationMap(random(grains, rng)[grain], phase, phase * np.uint8(CUBIC), np.ones((side, side), np.float32))


def test_a_network_learns_where_straight_boundaries_run_and_goes_on_learning():
    samples = [(polycrystal(seed), None, "train", f"i{seed}") for seed in range(3)]
    options = {"epochs": 6, "patches": 160, "patch_cells": 16, "width": 16, "depth": 1, "fold": 1, "device": "cpu"}
    options |= {"scale": 4, "learning_rate": 4e-3}
    offered = {"samples": samples, "method": "orientations", "initial": None, "checkpoint": None, "options": options}
    arrays, card = registry.call(registry.load(restore.LEARNERS, "orientations"), offered, options)
    losses = [row["train_loss"] for row in card["history"]]
    assert min(losses) >= 0 and losses[-1] < 0.7 * losses[1]
    fine = polycrystal(9)
    grid, between = map_methods.grid(fine, 4, "thinned"), map_learning.between(fine.phase.shape, 4)
    model = registry.load(restore.PREPARES, "orientations")(arrays, card)
    made = (map_methods.learned(fine, model, scale=4, points="thinned"), maps.nearest(grid.corners, grid.weights))
    learned, nearest = (map_quality.measures(one, grid.corners, fine, between) for one in made)
    assert learned["misorientation_deg"] < 0.8 * nearest["misorientation_deg"]
    assert learned["boundary_f1"] > nearest["boundary_f1"]


def stored(path, layers):
    attrs = {"intensity_low": 0.0, "intensity_high": 1.0, "pixel_size_um": 0.4, "spacing_um": [0.4, 0.4], "item": "a"}
    with io.write_arrays(path, "lz4") as out:
        out.add(0, np.ones((9, 13), np.float32), "yx", attrs, layers)
    return path


@pytest.mark.parametrize(("points", "shape", "size"), [("measured", (17, 25), 0.2), ("thinned", (9, 13), 0.4)])
def test_the_stage_stores_more_points_at_a_smaller_distance(tmp_path, points, shape, size):
    fine = two_grains((9, 13))[0]
    layers = {"euler_rad": np.moveaxis(orientations.to_euler(fine.q), -1, 0).astype(np.float32)}
    layers["ignore"] = np.zeros((9, 13), np.uint8)
    layers["ignore"][:, 8:] = 1
    path = stored(tmp_path / "a.zarr.zip", {**layers, "phase_index": fine.phase, "laue": fine.laue})
    with io.read_arrays(path) as arrays:
        work = shard.Restorer(arrays, arrays, "orientations_nearest", {"scale": 2, "points": points})
        image, made, attrs, rows = work(arrays.described()[0])
    assert image.shape == made["phase_index"].shape == made["euler_rad"].shape[1:] == shape
    assert attrs["pixel_size_um"] == size and attrs["spacing_um"] == [size, size]
    assert made["ignore"].shape == shape and abs(made["ignore"].mean() - 5 / 13) < 0.03
    assert {"invented_orientations"} <= {row["measure"] for row in rows}
    assert ("misorientation_deg" in {row["measure"] for row in rows}) == (points == "thinned")


def test_an_image_without_orientations_is_rejected_with_its_reason(tmp_path):
    with io.read_arrays(stored(tmp_path / "a.zarr.zip", {})) as arrays:
        work = shard.Restorer(arrays, arrays, "orientations_nearest", {"scale": 2, "points": "measured"})
        with pytest.raises(BadItem, match="maps of EBSD"):
            work(arrays.described()[0])
