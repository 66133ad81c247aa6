"""Creeping flow against closed forms and published drags; a flow that still changes is no flow."""

import numpy as np
import pytest
from matlens.fields import cells, methods, problem, stokes
from matlens.job.batch import BadItem
from scipy import ndimage

SETTINGS = {
    "quantity": "stokes",
    "properties": {"solid": {"viscosity_pa_s": float("inf")}, "pore": {"viscosity_pa_s": 2e-3}},
    "loading": {"x": 5.0},
    "plane": "strain",
    "boundary": "periodic",
}


def slit(height):
    pores = np.zeros((height + 2, 3), bool)
    pores[1:-1] = True
    return pores


@pytest.mark.parametrize("tau", [1.0, 2.0])
@pytest.mark.parametrize("height", [4, 8])
def test_a_slit_has_half_an_inverse_square_too_much_at_any_relaxation_time(tau, height):
    """h^2 / 12 (1 + 1 / (2 h^2)) for magic 3/16 and half-way walls."""
    found, _, _ = stokes.solve(slit(height), np.array([0.0, 1.0]), tau=tau, tol=1e-4)
    assert found[1].sum() / 3 / height == pytest.approx(height**2 / 12 * (1 + 0.5 / height**2), rel=1e-6)


def test_a_square_duct():
    """Series of the duct: F. M. White, Viscous Fluid Flow (2006), eq. 3-48."""
    pores = np.zeros((12, 12, 2), bool)
    pores[1:-1, 1:-1] = True
    series = 1 - 192 / np.pi**5 * sum(np.tanh(k * np.pi / 2) / k**5 for k in range(1, 40, 2))
    found, _, _ = stokes.solve(pores, np.array([0.0, 0.0, 1.0]), tol=1e-4)
    assert found[2].sum() / 2 / 100 == pytest.approx(100 / 12 * series, rel=0.012)


def test_a_cubic_array_of_spheres_has_the_drag_of_zick_and_homsy():
    """A. A. Zick, G. M. Homsy, J. Fluid Mech. 115 (1982) 13: 15.4 at a solid fraction of 0.343."""
    n = 24
    place = np.stack(np.meshgrid(*[np.arange(n) + 0.5 - n / 2] * 3, indexing="ij"))
    pores = (place**2).sum(axis=0) > (0.343 * 3 / 4 / np.pi) ** (2 / 3) * n**2
    radius = ((1 - pores.mean()) * 3 / 4 / np.pi) ** (1 / 3) * n
    found, _, _ = stokes.solve(pores, np.array([0.0, 0.0, 1.0]))
    assert n**3 / (6 * np.pi * radius * found[2].mean()) == pytest.approx(15.4, rel=0.05)


def test_permeability_and_velocity_have_their_units():
    labels = slit(8).astype(np.uint8)
    item = problem.make(labels, "yx", ["solid", "pore"], None, SETTINGS, 0.5)
    field = methods.flow(item, tol=1e-4)
    expected = (8 * 0.5e-6) ** 2 / 12 * (1 + 0.5 / 64) * 0.8
    assert field.answer[1].mean() * 2e-3 / 5.0 == pytest.approx(expected, rel=1e-6)
    assert np.abs(field.answer[:, ~item.pores()]).max() == 0


def test_a_flow_that_still_changes_is_rejected_even_where_a_step_changes_little():
    with pytest.raises(BadItem, match=r"not steady: the permeability changed by .* over the last half of 128 steps"):
        stokes.solve(slit(24), np.array([0.0, 1.0]), tau=0.6, steps=128)


def test_pores_that_are_not_connected_let_nothing_through():
    labels = slit(6).T.astype(np.uint8)
    with pytest.raises(BadItem, match="not connected across the cell along x: its effective value there is 0"):
        problem.make(labels, "yx", ["solid", "pore"], None, SETTINGS)
    problem.make(labels, "yx", ["solid", "pore"], None, SETTINGS | {"loading": {"y": 1.0}})
    corners = np.zeros((4, 4, 4), np.uint8)  # cubes that touch at their corners alone: no direction of the lattice
    corners[:2, :2, :2] = corners[2:, 2:, 2:] = 1
    with pytest.raises(BadItem, match="not connected"):
        problem.make(corners, "zyx", ["solid", "pore"], None, SETTINGS)
    corners[:2, :2, 2:] = 1
    problem.make(corners, "zyx", ["solid", "pore"], None, SETTINGS)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_part_of_a_mirrored_cell_has_the_flow_of_the_whole(axis, monkeypatch):
    """An eighth of the nodes, and the sign of every component in every mirror image."""
    part = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(10, 8, 9)), 1.5) > -0.05
    for k in range(3):
        part = np.concatenate([part, np.flip(part, k)], k)
    load = -2.0 * np.eye(3)[axis]
    fold = stokes.folded(part, load)
    assert fold.shape == (10, 8, 9) and [fold.mirrors[k] for k in range(3)] == [
        -1 if k == axis else 1 for k in range(3)
    ]
    found = stokes.solve(part, load, tol=1e-7)[0]
    monkeypatch.setattr(stokes, "folded", lambda pores, load: stokes.Fold(pores.shape, (0, 0, 0)))
    whole = stokes.solve(part, load, tol=1e-7)[0]
    assert found[axis].mean() < 0 and found[axis].mean() == pytest.approx(whole[axis].mean(), rel=1e-5)
    np.testing.assert_allclose(found, whole, atol=1e-4 * np.abs(whole).max())


def test_a_cell_without_a_mirror_or_under_a_slanted_load_is_computed_whole():
    pores = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(8, 8)), 1.0, mode="wrap") > 0
    assert stokes.folded(pores, np.array([0.0, 1.0])) == stokes.Fold((8, 8), (0, 0))
    twice = np.concatenate([pores, np.flip(pores, 1)], 1)
    assert stokes.folded(twice, np.array([0.0, 1.0])) == stokes.Fold((8, 8), (0, -1))
    assert stokes.folded(twice, np.array([1.0, 1.0])) == stokes.Fold((8, 16), (0, 0))


MIRRORED = SETTINGS | {"boundary": "mirrored", "checked_part": 1.0, "cut": {"iterations": 60}}
ITEM = {"item": "a", "axes": "zyx", "pixel_size_um": 2.0}
SOLVER = {"scheme": "lattice", "tau": 1.0, "tol": 1e-4, "iterations": 20000}


@pytest.mark.parametrize(
    "hot", [{}, {"count": 2, "stress": "von_mises", "phase": "pore", "zone_px": 1.0, "apart_px": 3.0}]
)
def test_a_mirrored_item_has_the_tables_of_its_whole_cell(hot, monkeypatch):
    """The item alone is computed; permeability, controls and quality are those of the cell of eight."""
    labels = (ndimage.gaussian_filter(np.random.default_rng(5).normal(size=(8, 10, 9)), 1.5) > -0.1).astype(np.uint8)
    about = (labels, ITEM, methods.flow, "stokes", (1.0,) * 3, SOLVER, MIRRORED | {"hot_spots": hot}, ["solid", "pore"])
    found = cells.solved(*about)
    monkeypatch.setattr(stokes, "mirrors_of", lambda load: ())
    whole = cells.solved(*about)
    assert found.array.shape == whole.array.shape == (6, 8, 10, 9)
    np.testing.assert_allclose(found.array, whole.array, atol=2e-3 * np.abs(whole.array[3:]).max())
    # Kozeny and Carman's is that of the item: planes between mirror images say nothing of its surface.
    flows = [[row for row in each.effective if row["row"] != "kozeny_carman"] for each in (found, whole)]
    size = max(row["value"] for row in flows[1])
    for one, other in zip(*flows, strict=True):
        assert one["row"] == other["row"] and one["value"] == pytest.approx(other["value"], abs=2e-3 * size)
    own, other = ({(r["field"], r["measure"]): r["value"] for r in each.quality} for each in (found, whole))
    assert own.keys() == other.keys()
    # `cut` is stopped after iterations of another solver: close, not equal. In the whole cell eight images of a place
    # are equal but for rounding, so that its first one is in any of them.
    for key in (k for k in own if k[0] != "cut" and k[1] not in ("iterations", "residual") and "hot_spot" not in k[1]):
        assert own[key] == pytest.approx(other[key], rel=0.05, abs=0.02, nan_ok=True), key  # percentiles of 720 voxels
    assert own["cut", "mean_error"] == pytest.approx(other["cut", "mean_error"], abs=0.1)
    places = [[(r["x_px"], r["y_px"], r["z_px"]) for r in each.hot_spots] for each in (found, whole)]
    assert places[0] == places[1]


def test_a_mirrored_item_whose_pores_do_not_join_its_faces_is_refused():
    labels = np.zeros((6, 8), np.uint8)
    labels[2:4, :4] = 1
    labels[2:4, 6:] = 1
    with pytest.raises(BadItem, match="not connected across the cell along x"):
        problem.make(labels, "yx", ["solid", "pore"], None, MIRRORED)
    labels[4, 3:7] = 1  # through corners
    assert problem.make(labels, "yx", ["solid", "pore"], None, MIRRORED).mirrors == (1, -1)


def test_a_mode_that_changes_its_sign_at_every_step_is_no_flow():
    """The mean velocity of single steps differs threefold in this volume; its means over two steps stand still."""
    pores = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(24, 24, 24)), 2, mode="wrap")
    pores = pores > np.quantile(pores, 0.7)
    found, _, change = stokes.solve(pores, np.array([0.0, 0.0, 1.0]), tol=1e-3, steps=4096)
    assert change <= 1e-3
    planes = found[2].mean(axis=(0, 1))
    assert np.ptp(planes) < 0.01 * planes.mean()  # nothing is lost between planes


def test_velocities_without_a_pixel_size_are_over_pixels_squared_and_not_in_metres_per_second():
    labels = np.repeat(slit(8)[None], 3, axis=0).astype(np.uint8)
    found = {}
    for width in (None, 2.0):
        about = (labels, ITEM | {"pixel_size_um": width}, methods.flow, "stokes", (1.0,) * 3, SOLVER)
        found[width] = cells.solved(
            *about, SETTINGS | {"checked_part": 0.0, "cut": {"iterations": 20}}, ["solid", "pore"]
        )
    assert found[None].attrs["unit"][3:] == ["px2/(m s)"] * 3 and found[2.0].attrs["unit"][3:] == ["m/s"] * 3
    assert [row["unit"] for each in found.values() for row in each.hot_spots] == ["px2/(m s)", "m/s"]
    # times the area of a pixel in m2 it is the velocity
    np.testing.assert_allclose(found[None].array[3:] * 4e-12, found[2.0].array[3:], rtol=1e-5, atol=1e-20)
