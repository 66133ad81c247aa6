"""Numbers whose right answer is known: diffusion, intervals of the grain size, counts, spheres, oriented structures."""

import json

import numpy as np
import pytest
from matlens.image import cluster, diffusion_kernel, percolation, tortuosity
from matlens.quantify import grain_count, grain_size, stereology, surface
from scipy.spatial import cKDTree

PHASES = ["matrix", "particle"]


def right(folder):
    return json.loads((folder / "expected.json").read_text())["inputs"]


def read(path):
    if path.suffix == ".tif":
        return pytest.importorskip("tifffile").imread(path)
    return np.array(pytest.importorskip("PIL.Image").open(path)).astype(np.uint8)


LATTICES = ["square_lattice_0.2.png", "square_lattice_0.4.png", "baffles.png", "cubic_lattice_0.3.tif"]


@pytest.mark.parametrize("name", LATTICES)
def test_diffusion_equals_the_shared_case(data, name):
    folder = data("cases/images") / "12_tortuosity_diffusive"
    known = right(folder)[name]["right"]
    row = tortuosity.measure(read(folder / name).astype(np.uint8), PHASES).iloc[0]
    assert row["direction"] == known["direction"]
    assert row["phase_fraction"] == pytest.approx(known["fraction"]["value"])
    assert row["tortuosity_factor"] == pytest.approx(known["tortuosity_factor"]["value"], rel=1e-4)
    assert row["effective_diffusivity"] == pytest.approx(known["effective_diffusivity"]["value"], rel=1e-4)


def test_diffusion_through_a_porous_metal(data):
    block = read(data("micrographs/porous3d/nist_porous_metal.tif"))[:96, :96, :96] == 0
    assert tortuosity.diffusivity(block, 0) == pytest.approx(0.596, rel=2e-3)


def test_diffusion_through_layers_is_their_mean():
    value = np.ones((12, 10, 9))
    value[4:8] = 0.25
    along, across = (diffusion_kernel.solve(np.moveaxis(value, axis, 0), (1.0,) * 3) for axis in (1, 0))
    assert across.conductance * 12 / 90 == pytest.approx(1 / np.mean(1 / value[:, 0, 0]), rel=1e-6)
    assert along.conductance * 10 / 108 == pytest.approx(value.mean(), rel=1e-6)


@pytest.mark.parametrize("shape", [(17, 23), (9, 12, 7)])
@pytest.mark.parametrize("spacing", [1.0, 4.0])
def test_diffusion_equals_a_direct_solution(shape, spacing):
    """A random structure, with ends that lead nowhere and islands, against a sparse LU solution."""
    from scipy import sparse

    mask = np.random.default_rng(3).random(shape) < 0.75
    steps = (spacing, *(1.0,) * (len(shape) - 1))
    flow = diffusion_kernel.solve(mask, steps)
    index = np.arange(mask.size).reshape(shape)
    matrix, right_side = sparse.lil_array((mask.size, mask.size)), np.zeros(mask.size)
    for axis, step in enumerate(steps):
        a, b = (np.moveaxis(index, axis, 0)[part].ravel() for part in (slice(None, -1), slice(1, None)))
        for i, j in zip(a, b, strict=True):
            if mask.flat[i] and mask.flat[j]:
                weight = np.prod(steps) / step**2
                matrix[i, i] += weight
                matrix[j, j] += weight
                matrix[i, j] -= weight
                matrix[j, i] -= weight
    face = 2 * np.prod(steps) / steps[0] ** 2
    for i in index[0].ravel()[mask[0].ravel()]:
        matrix[i, i] += face
        right_side[i] += face
    for i in index[-1].ravel()[mask[-1].ravel()]:
        matrix[i, i] += face
    matrix += sparse.eye_array(mask.size) * 1e-12
    exact = sparse.linalg.spsolve(matrix.tocsc(), right_side).reshape(shape)
    assert flow.conductance == pytest.approx((face * exact[-1] * mask[-1]).sum(), rel=1e-5)
    there = np.isfinite(flow.potential)
    np.testing.assert_allclose(flow.potential[there], exact[there], atol=1e-3)


def test_a_solver_that_does_not_converge_is_refused(monkeypatch):
    monkeypatch.setattr(tortuosity, "BALANCE", -1.0)
    with pytest.raises(tortuosity.BadItem, match="did not converge"):
        tortuosity.measure(np.ones((5, 5), np.uint8), PHASES)


def mosaic(shape, grains, seed, stretch=1.0):
    """Draw a Poisson-Voronoi mosaic of so many grains; returns it and the nuclei inside."""
    rng, pad = np.random.default_rng(seed), 100
    count = rng.poisson(grains * np.prod([n + 2 * pad for n in shape]) / np.prod(shape))
    nuclei = rng.random((count, 2)) * [n + 2 * pad for n in shape] - pad
    grid = np.stack(np.mgrid[: shape[0], : shape[1]], -1).reshape(-1, 2) + 0.5
    labels = (cKDTree(nuclei * [1, 1 / stretch]).query(grid * [1, 1 / stretch])[1] + 1).reshape(shape).astype(np.int32)
    inside = ((nuclei >= 0.5) & (nuclei < np.array(shape) - 0.5)).all(1)
    return labels, int(inside.sum())


@pytest.mark.parametrize(("shape", "grains"), [((200, 200), 60), ((120, 320), 150)])
def test_intervals_of_the_grain_size_cover_the_truth(shape, grains):
    truth, covered = 4 / np.pi * np.sqrt(grains / np.prod(shape)), []
    for seed in range(40):
        table = grain_size.measure(mosaic(shape, grains, seed)[0], PHASES, None)
        lines, circles = table.iloc[0], table.iloc[5]
        for row in (lines, circles):
            half = row["mean_lineal_intercept_ci95_px"]
            covered.append(abs(row["mean_lineal_intercept_px"] - 1 / truth) <= half)
    assert np.mean(covered[::2]) >= 0.85 and np.mean(covered[1::2]) >= 0.85


def test_blocks_are_several_grains_wide():
    assert grain_size.blocks((400, 400), 1 / 40, 3) == (3, 3)
    assert grain_size.blocks((400, 400), 1 / 40, 10) == (3, 3)
    assert grain_size.blocks((400, 400), 1 / 400, 3) == (2, 2)
    assert grain_size.blocks((100, 900), 1 / 20, 5) == (2, 5)


@pytest.mark.parametrize(("grains", "tolerance"), [(60, 0.02), (400, 0.01)])
def test_grains_are_counted_without_bias(grains, tolerance):
    bias = []
    for seed in range(40):
        labels, inside = mosaic((240, 240), grains, seed)
        bias.append(grain_count.planimetric(labels, (3, 3))[0].sum() - inside)
    error = np.std(bias) / np.sqrt(len(bias))
    assert abs(np.mean(bias)) < tolerance * grains + 2.5 * error and error < 0.02 * grains


def test_islands_are_counted_once():
    """Round grains inside one grain, on a lattice that lies anywhere: the large grain is no part of the count."""
    y, x = np.mgrid[:200, :200]
    rng, counts = np.random.default_rng(0), []
    for thick in (0, 1):
        for _ in range(40):
            a, b = rng.random(2) * 40
            away = np.hypot((y - a + 20) % 40 - 20, (x - b + 20) % 40 - 20)
            labels = np.where(away <= 9, 20 + ((y - a + 20) // 40 * 9 + (x - b + 20) // 40).astype(int), 1)
            labels[(away > 9) & (away <= 9 + 1.5 * thick)] = 0
            counts.append(grain_size.planimetric(labels.astype(np.int32)))
    assert np.mean(counts[:40]) == pytest.approx(199**2 / 1600, rel=0.04)
    assert np.mean(counts[40:]) == pytest.approx(199**2 / 1600, rel=0.04)


def test_few_or_small_grains_are_noted():
    table = grain_size.measure(mosaic((200, 200), 60, 0)[0], PHASES, 1.0)
    assert "grains a field: ASTM E112 asks for at least 50" in table["remark"].iloc[-1]
    assert table["grains_per_field"].iloc[-1] == pytest.approx(60 / 9, rel=0.3)
    many = grain_size.measure(mosaic((240, 240), 900, 0)[0], PHASES, 1.0)
    assert many["remark"].iloc[-1] == "" and "lie between pixels" in many["remark"].iloc[0]
    assert (many["blocks"] == 9).all()


def test_grains_under_a_round_window_have_their_size():
    labels, _ = mosaic((300, 300), 400, 5)
    y, x = np.mgrid[:300, :300] - 149.5
    seen = np.where(y**2 + x**2 <= 148**2, labels, -1).astype(np.int32)
    whole, part = (grain_size.measure(pixels, PHASES, 1.0) for pixels in (labels, seen))
    for name in ("mean_lineal_intercept_px", "grains_per_px2"):
        np.testing.assert_allclose(part[name], whole[name], rtol=0.08)
    assert part["test_area_px2"].iloc[-1] == pytest.approx(np.pi * 148**2, rel=0.02)


@pytest.mark.parametrize("number", [60, 240])
def test_sections_of_equal_spheres_have_one_size(number):
    rng, means, held = np.random.default_rng(number), [], []
    for _ in range(15):
        sections = 24 * np.sqrt(1 - rng.random(number) ** 2)
        columns = stereology._classes(sections, np.ones(number), 10)
        means.append(columns["sphere_mean_diameter_px"])
        held.append(columns["sphere_mean_diameter_low_px"] <= 24 <= columns["sphere_mean_diameter_high_px"])
        assert (columns["spheres_low_per_px3"] <= columns["spheres_per_px3"]).all()
    assert np.mean(means) == pytest.approx(24, rel=0.05)
    assert np.mean(held) >= 0.8


def test_two_sizes_of_spheres_are_reported_apart():
    rng = np.random.default_rng(2)
    sections = np.concatenate([d * np.sqrt(1 - rng.random(n) ** 2) for d, n in ((12, 600), (24, 600))])
    edge, _, found = stereology.unfold(sections, np.ones(1200), 10)
    small, large = found[(edge > 8) & (edge < 16)].sum(), found[edge > 20].sum()
    assert small / large == pytest.approx(2, rel=0.2)
    assert (small + large) / found.sum() > 0.9


def test_negative_classes_are_noted():
    rng = np.random.default_rng(0)
    columns = stereology._classes(24 * np.sqrt(1 - rng.random(80) ** 2), np.ones(80), 10)
    assert (columns["spheres_saltykov_per_px3"] < 0).any()
    assert "negative number in" in columns["remark"] and "of 80 sections" in columns["remark"]


@pytest.mark.parametrize("name", ["spheres24.png", "spheres24_even.png", "spheres16.png"])
def test_the_shared_spheres(data, name):
    folder = data("cases/images") / "13_sphere_sizes"
    known = right(folder)[name]["right"]
    table = stereology.measure((read(folder / name) > 0).astype(np.uint8), PHASES)
    mean = np.average(table["diameter_to_px"], weights=table["spheres_per_px3"])
    for value, entry in ((mean, "mean_sphere_diameter_px"), (table["spheres_per_px3"].sum(), "spheres_per_px3")):
        assert value == pytest.approx(known[entry]["value"], rel=known[entry]["rel"])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_oriented_structures_are_noted(axis):
    labels = np.moveaxis(np.broadcast_to((np.arange(48) // 6 % 2)[:, None, None], (48, 48, 48)), 0, axis)
    row = surface.measure(labels.astype(np.uint8), PHASES).iloc[0]
    assert row["remark"].startswith("anisotropic") and row["surface_anisotropy"] == pytest.approx(2)
    assert row["specific_surface_per_px"] == pytest.approx(7 / 47, rel=0.08)


def test_diagonal_lamellae_are_noted_and_spheres_are_not():
    y, x = np.mgrid[:80, :80]
    assert surface.measure(((y + x) // 8 % 2).astype(np.uint8), PHASES)["remark"].item().startswith("anisotropic")
    z, y, x = np.mgrid[:40, :40, :40] - 19.6
    assert surface.measure((z**2 + y**2 + x**2 <= 15.2**2).astype(np.uint8), PHASES)["remark"].item() == ""


def test_the_shared_lamellae(data):
    folder = data("cases/images") / "21_surface_of_oriented_structure"
    known = right(folder)["lamellae.tif"]["right"]["specific_surface_per_px"]
    row = surface.measure(read(folder / "lamellae.tif"), PHASES).iloc[0]
    assert row["specific_surface_per_px"] == pytest.approx(known["value"], rel=known["rel"])
    assert "no surface" in row["remark"]


def test_clusters_are_numbered_without_gaps():
    """A lattice of lines, which cc3d numbers with gaps where it is boolean."""
    place = np.arange(120) // 20
    lines = np.diff(place, prepend=0) > 0
    mask = lines[:, None] | lines[None]
    assert cluster.label(mask, "corners").max() == 1
    frame = percolation.measure(mask.astype(np.uint8), PHASES, connectivity="corners")
    assert frame["clusters"].tolist() == [1, 1] and frame["connected_fraction"].tolist() == [1, 1]


def test_notes_go_to_the_log(capsys):
    from matlens import quantify

    item = {"item": "a", "axes": "yx", "pixel_size_um": None}
    labels = mosaic((120, 120), 60, 0)[0]
    table = quantify.rows(grain_size.measure, item, {"labels": labels}, {"phases": PHASES, "pixel_size_um": None}, {})
    quantify.report_remarks(table, "quantify/grain_size")
    told = capsys.readouterr().err.splitlines()
    assert sum("quantify/grain_size: item 'a': 7.1 grains a field" in line for line in told) == 1
    quantify.report_remarks(table.drop(columns="remark"), "quantify/grain_size")
    assert capsys.readouterr().err == ""
