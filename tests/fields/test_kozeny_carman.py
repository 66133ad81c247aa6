"""Permeability by fraction and surface alone, and the distance from the wall behind the start of a flow."""

import numpy as np
import pytest
from matlens import registry
from matlens.fields import effective, stokes
from matlens.fields.problem import make
from matlens.ingest.models import porous
from scipy import ndimage

PHASES = ["solid", "pore"]
SETTINGS = {
    "quantity": "stokes",
    "properties": {"solid": {"viscosity_pa_s": float("inf")}, "pore": {"viscosity_pa_s": 0.001}},
    "loading": {"x": 1.0},
    "plane": "strain",
}


@pytest.mark.parametrize("boundary", ["periodic", "mirrored"])
def test_the_surface_of_overlapping_spheres_is_that_of_their_exact_formula(boundary):
    options = {"porosities": [0.6], "images": 1, "size_px": [64, 64, 64], "radius_px": 8.0}
    row = registry.call(porous.plan, {}, options).iloc[0].to_dict()
    labels = registry.call(porous.read, {"item": row, "phases": PHASES}, options).truth
    problem = make(labels, "zyx", PHASES, None, {**SETTINGS, "boundary": boundary}, pixel_um=2.0)
    (found,) = effective.kozeny_carman(problem)
    share = (labels == 1).mean()
    surface = -share * np.log(share) * 3 / (8.0 * 2e-6)  # D. Stoyan et al., Stochastic Geometry (1995): Boolean model
    assert found["value"] == pytest.approx(share**3 / (5 * surface**2), rel=0.15)


def test_a_slit_has_its_surface_counted_across_the_border_once():
    labels = np.ones((12, 12, 12), np.uint8)
    labels[:, :4] = 0
    (found,) = effective.kozeny_carman(make(labels, "zyx", PHASES, None, {**SETTINGS, "boundary": "periodic"}))
    assert found["value"] == pytest.approx((8 / 12) ** 3 / (5 * (2 * 2 / 12 / 3) ** 2))
    (half,) = effective.kozeny_carman(make(labels, "zyx", PHASES, None, {**SETTINGS, "boundary": "mirrored"}))
    assert half["value"] == pytest.approx((8 / 12) ** 3 / (5 * (2 * 1 / 11 / 3) ** 2))


@pytest.mark.parametrize("shape", [(7, 9), (40, 33), (20, 21, 50), (60, 8, 9), (1, 30, 30)])
@pytest.mark.parametrize("solid", [0.001, 0.3, 0.9])
def test_the_distance_from_the_wall_is_that_by_all_images_of_the_cell(shape, solid):
    pores = np.random.default_rng(0).random(shape) > solid
    pores.flat[0] = False
    for mirrors, mode in (((), "wrap"), ((1,) * len(shape), "symmetric")):
        wide = np.pad(pores, [(n, n) for n in shape], mode=mode)
        inside = tuple(slice(n, 2 * n) for n in shape)
        expected = np.where(pores, (ndimage.distance_transform_edt(wide)[inside] - 0.5) ** 2, 0)
        assert np.array_equal(stokes.distance_squared(pores, mirrors), expected)
