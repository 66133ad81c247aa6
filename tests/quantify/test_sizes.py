"""Statistics of sizes against their analytic values; Saltykov against his published coefficients."""

import numpy as np
import pytest
from matlens.job.batch import BadItem
from matlens.meanings import MEANING
from matlens.quantify import sampling, sizes, stereology

PHASES = ["matrix", "particle"]


def test_saltykov_coefficients_are_the_published_ones():
    found = np.linalg.inv(stereology.section_matrix(15))
    published = {  # E.E. Underwood, Quantitative Stereology, table 5.2
        (1, 1): 1.0000,
        (1, 2): -0.1547,
        (1, 3): -0.0360,
        (1, 4): -0.0130,
        (2, 2): 0.5774,
        (2, 3): -0.1529,
        (2, 4): -0.0420,
        (3, 3): 0.4472,
        (3, 4): -0.1382,
        (4, 4): 0.3780,
        (5, 5): 0.3333,
    }
    for (i, j), value in published.items():
        assert found[i - 1, j - 1] == pytest.approx(value, abs=4e-4), (i, j)


def test_sections_of_equal_spheres_unfold_into_these_spheres():
    rng = np.random.default_rng(0)
    diameter, per_volume, area = 40.0, 1e-5, 4e7
    number = int(per_volume * diameter * area)  # N_A = N_V D
    sections = diameter * np.sqrt(1 - rng.random(number) ** 2)
    edge, circles, spheres = stereology.unfold(sections, np.full(number, 1 / area), 10)
    assert circles.sum() == pytest.approx(per_volume * diameter)
    assert spheres[-1] == pytest.approx(per_volume, rel=0.02) and edge[-1] == pytest.approx(diameter, rel=1e-3)
    assert spheres[:-1].sum() < 0.05 * spheres[-1]


def discs(rng, size: int, spacing: float, radius: float) -> np.ndarray:
    """Draw discs on a square lattice that lies anywhere under the image: 1 / spacing^2 discs per area."""
    offset = rng.random(2) * spacing
    grid = np.mgrid[:size, :size].transpose(1, 2, 0) - offset
    nearest = grid - spacing * np.round(grid / spacing)
    return ((nearest**2).sum(-1) <= radius**2).astype(np.uint8)


@pytest.mark.parametrize(("border", "bias"), [("miles_lantuejoul", 1.0), ("exclude", 0.7225)])
def test_number_density_is_free_of_the_border(border, bias):
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(40):
        found = sizes.measure(discs(rng, 200, 37, 14), PHASES, border=border).iloc[0]
        ratios.append(found["number_density_per_px2"] * 37**2)
    assert np.mean(ratios) == pytest.approx(bias, abs=0.05)  # 0.7225: (1 - 30/200)^2, of those seen whole
    assert found["mean_diameter_px"] == pytest.approx(28, abs=0.5)


def test_diameters_of_squares_are_weighted_by_number_and_area():
    labels = np.zeros((60, 60), np.uint8)
    labels[2:4, 2:4] = labels[10:12, 10:12] = labels[20:24, 20:24] = 1
    found = sizes.measure(labels, PHASES, border="exclude").iloc[0]
    small, large = 2 * np.sqrt(4 / np.pi), 2 * np.sqrt(16 / np.pi)
    assert found["regions_counted"] == 3
    assert found["number_density_per_px2"] == pytest.approx(3 / 3600)
    assert found["mean_diameter_px"] == pytest.approx((2 * small + large) / 3)
    assert found["area_weighted_mean_diameter_px"] == pytest.approx((8 * small + 16 * large) / 24)
    assert found["median_diameter_px"] == pytest.approx(small, rel=1e-6)


def test_a_lognormal_sample_is_recognised():
    values = np.random.default_rng(2).lognormal(np.log(12), 0.4, 20_000)
    median, sigma, distance = sizes.lognormal(values, np.ones(len(values)))
    assert median == pytest.approx(12, rel=0.01) and sigma == pytest.approx(0.4, rel=0.02) and distance < 0.01
    uniform = sizes.lognormal(np.linspace(0.01, 1, 20_000), np.ones(20_000))[2]
    assert uniform > 0.1


def test_points_at_random_have_half_the_root_of_their_area_between_them():
    rng = np.random.default_rng(3)
    size, number = 1000, 400
    means = [sampling.nearest_neighbour(rng.random((number, 2)) * size - 0.5, (size, size)) for _ in range(20)]
    assert np.mean(means) == pytest.approx(0.5 / np.sqrt(number / size**2), rel=0.02)
    volume = [sampling.nearest_neighbour(rng.random((300, 3)) * 100 - 0.5, (100,) * 3) for _ in range(20)]
    assert np.mean(volume) == pytest.approx(sampling.random_neighbour(300 / 1e6, 3), rel=0.03)


def test_a_square_lattice_is_twice_as_regular_as_chance():
    labels = np.zeros((200, 200), np.uint8)
    labels[5::10, 5::10] = 1
    found = sizes.measure(labels, PHASES).iloc[0]
    assert found["nearest_neighbour_px"] == 10 and found["clark_evans"] == pytest.approx(2)


def test_a_weighted_median_is_that_of_repeated_values():
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 5.0])
    assert sampling.quantile(values, weights, 0.5) == 2.0


def test_a_phase_without_regions_has_number_zero():
    found = sizes.measure(np.zeros((9, 9), np.uint8), ["a", "b", "c"])
    assert found["phase"].tolist() == [1, 2] and (found["number_density_per_px2"] == 0).all()
    assert found["mean_diameter_px"].isna().all() and found["clark_evans"].isna().all()


def test_a_volume_shows_its_bodies_whole():
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[2:5, 2:5, 2:5] = labels[10:13, 10:13, 10:13] = 1
    found = sizes.measure(labels, PHASES, border="all").iloc[0]
    assert found["mean_diameter_px"] == pytest.approx(np.cbrt(6 * 27 / np.pi))
    assert found["number_density_per_px3"] == pytest.approx(2 / 8000)
    with pytest.raises(BadItem, match="2-D"):
        stereology.measure(labels, PHASES)


def test_sphere_sizes_are_consistent_with_sizes():
    labels = discs(np.random.default_rng(4), 200, 40, 12)
    table, summary = stereology.measure(labels, PHASES), sizes.measure(labels, PHASES).iloc[0]
    assert len(table) == 10
    assert table["sections_per_px2"].sum() == pytest.approx(summary["number_density_per_px2"])
    assert table["spheres_per_px3"].sum() == pytest.approx(summary["sphere_density_per_px3"])
    assert len(stereology.measure(np.zeros((5, 5), np.uint8), PHASES)) == 0


def test_every_column_has_a_meaning():
    labels, solid = np.zeros((9, 9), np.uint8), np.zeros((9, 9, 9), np.uint8)
    labels[4, 4] = solid[4, 4, 4] = 1
    tables = sizes.measure(labels, PHASES), sizes.measure(solid, PHASES), stereology.measure(labels, PHASES)
    assert {name for table in tables for name in table} <= set(MEANING)
