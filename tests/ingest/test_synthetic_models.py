"""Each model of microstructure against a number from outside its code: analytic or published."""

import numpy as np
import pytest
from matlens import columns
from matlens.ingest.models import dual_phase, fibres, gamma_prime, polycrystal, porous, spinodal, synthetic
from matlens.job.batch import BadItem


def rng(seed=0):
    return np.random.default_rng(seed)


def crossings(labels, axis):
    """Count the boundaries met per pixel along an axis, periodic."""
    return (labels != np.roll(labels, 1, axis=axis)).mean()


# Gamma prime: Lifshitz, Slyozov, Wagner; Delesse.


def test_lsw_sizes_have_the_published_moments():
    size = np.linspace(0, 1.5, 200_001)
    density = gamma_prime.lsw_density(size)
    whole, mean, square = (np.trapezoid(density * size**n, size) for n in range(3))
    assert [whole, mean] == pytest.approx([1.0, 1.0], abs=1e-4)
    assert np.sqrt(square - mean**2) == pytest.approx(0.215, abs=0.001)
    assert size[density.argmax()] == pytest.approx(1.135, abs=0.01)
    drawn = gamma_prime.lsw_sizes(100_000, rng())
    assert [drawn.mean(), drawn.std()] == pytest.approx([1.0, 0.215], abs=0.003)
    assert drawn.max() < 1.5


def test_the_block_has_its_volume_fraction_exactly_and_no_overlap():
    centres, half, depth = gamma_prime.block((160, 200), 12.0, 0.5, 6.0, 1.0, rng())
    a = half[:, None]
    # Volume of |x|^6 + |y|^6 + |z|^6 <= a^6, by counting points of a grid.
    grid = np.linspace(-1, 1, 101)[:-1] + 0.01
    unit = 8 * ((np.abs(np.ix_(grid, grid, grid)[0]) ** 6 + np.add.outer(grid**6, grid**6)[None]) <= 1).mean()
    assert unit * (half**3).sum() / (160 * 200 * depth) == pytest.approx(0.5, rel=0.01)
    apart = centres[:, None] - centres[None]
    box = np.array([depth, 160, 200])
    apart -= box * np.round(apart / box)
    distance = (apart**6).sum(axis=-1) ** (1 / 6) - a - a.T
    assert distance[~np.eye(len(half), dtype=bool)].min() > 0.85


def series(shape, **options):
    plan = gamma_prime.plan(ages_h=[1, 100, 300], images=6, seed=1)
    kept = {"shape": shape, "size_px": [320, 320], "waviness": 0.0, **options}
    return plan, [gamma_prime.read(row, **kept) for row in plan.to_dict("records")]


def test_sections_of_spheres_obey_delesse_and_the_cube_law():
    plan, made = series("sphere", volume_fraction=0.3)
    fractions = [m.truth.mean() for m in made]
    assert np.mean(fractions) == pytest.approx(0.3, abs=4 * np.std(fractions) / np.sqrt(len(fractions)))
    assert np.std(fractions) < 0.05
    radius = np.array([m.meta[columns.TRUE_SECTION_RADIUS] for m in made]) * 0.015
    # pi/4 <r^2>/<r>, with the published standard deviation 0.215 of LSW radii
    mean = radius / (np.pi / 4 * (1 + 0.215**2))
    assert mean / plan["true_mean_radius_um"].to_numpy() == pytest.approx(np.ones(18), abs=0.12)
    rate, start = np.polyfit(plan[columns.TIME], mean**3, 1)
    assert rate == pytest.approx(1e-4, rel=0.1)
    assert start == pytest.approx(1e-3, abs=1e-3)


def test_cuboids_keep_the_fraction_and_stand_apart():
    from scipy import ndimage

    plan, made = series("cuboid", gap=0.2, volume_fraction=0.4)
    fractions = [m.truth.mean() for m in made]
    assert np.mean(fractions) == pytest.approx(0.4, abs=4 * np.std(fractions) / np.sqrt(len(fractions)))
    for row, micrograph in zip(plan.to_dict("records"), made, strict=True):
        if row[columns.TRUE_RADIUS] < 12:  # a channel of a fifth of a radius must be wider than two pixels
            continue
        pieces = ndimage.label(np.pad(micrograph.truth, 1), np.ones((3, 3)))[1]
        cut_by_border = np.count_nonzero(np.diff(micrograph.truth[0].astype(int), append=0) == 1)
        assert pieces >= micrograph.meta[columns.TRUE_REGIONS] - cut_by_border


def test_particles_too_small_to_show_are_rejected_with_a_remedy():
    plan = gamma_prime.plan(pixel_size_um=0.06, ages_h=[0, 1000], images=1)
    assert "make pixel_size_um smaller" in plan[columns.REASON][0]
    assert plan[columns.REASON].isna().tolist() == [False, True]


# Polycrystal: Poisson-Voronoi constants of Meijering (1953), Gilbert (1962) and Okabe et al. (2000), table 5.


def test_planar_voronoi_grains_have_the_constants_of_poisson_voronoi():
    size, grains = (700, 700), 1500
    labels = polycrystal.tessellate(size, *polycrystal.sites(size, grains, "voronoi", 0.0, rng()), True)
    areas = np.bincount(labels.ravel())[1:]
    assert areas.std() / areas.mean() == pytest.approx(0.529, rel=0.05)
    density = grains / 700**2
    for axis in (0, 1):  # lines meet 4/pi sqrt(density) boundaries per length
        assert crossings(labels, axis) == pytest.approx(4 / np.pi * np.sqrt(density), rel=0.03)


def test_spatial_voronoi_grains_have_the_constants_of_poisson_voronoi():
    size, grains = (90, 90, 90), 900
    labels = polycrystal.tessellate(size, *polycrystal.sites(size, grains, "voronoi", 0.0, rng()), True)
    volumes = np.bincount(labels.ravel())[1:]
    assert volumes.std() / volumes.mean() == pytest.approx(0.423, rel=0.07)
    coarse = polycrystal.tessellate(size, *polycrystal.sites(size, 200, "voronoi", 0.0, rng()), True)
    expected = 2.910 / 2 * (200 / 90**3) ** (1 / 3)  # of a Poisson process: S_V = 2.910 density^(1/3)
    assert np.mean([crossings(coarse, axis) for axis in range(3)]) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("size", [(40, 50), (12, 14, 16)])
def test_tessellation_is_that_of_brute_force(size, periodic):
    box, random = np.array(size, dtype=float), rng(3)
    places = random.uniform(size=(25, len(size))) * box
    weights = random.uniform(0, 40, 25)
    pixels = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in size), indexing="ij"), axis=-1)
    apart = pixels[..., None, :] - places
    if periodic:
        apart -= box * np.round(apart / box)
    power = (apart**2).sum(axis=-1) - weights
    assert np.array_equal(polycrystal.tessellate(size, places, weights, periodic), power.argmin(axis=-1) + 1)


def test_laguerre_grains_take_over_the_sizes_of_their_bodies():
    size = (500, 500)
    places, weights = polycrystal.sites(size, 800, "laguerre", 0.4, rng())
    labels = polycrystal.tessellate(size, places, weights, True)
    diameters = np.sqrt(np.bincount(labels.ravel(), minlength=801)[1:])
    assert np.corrcoef(diameters, np.sqrt(weights))[0, 1] > 0.9
    assert diameters.std() / diameters.mean() == pytest.approx(0.4, rel=0.35)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_boundaries_of_the_truth_are_as_wide_as_asked(width):
    labels = np.repeat([1, 2], 30)[None].repeat(20, 0).astype(np.int32)
    drawn = polycrystal.widen(labels, width, False)
    assert abs(np.count_nonzero(drawn[10] == 0) - width) <= 1 - width % 2
    row = {"item": "x", "item_seed": 1, "grains": 20}
    truth = polycrystal.read(row, size_px=[64, 64], boundary_px=width).truth
    assert 0 in truth and polycrystal.read(row, size_px=[64, 64]).truth.min() == 1
    assert truth.max() <= 20


# Dual phase: Rice's formula for a Gaussian field.


def test_a_cut_field_has_its_fraction_and_the_boundary_of_rice():
    field = synthetic.gaussian_field((800, 800), 6.0, rng())
    for fraction in (0.5, 0.2):
        truth = dual_phase.cut(field, fraction)
        assert truth.mean() == pytest.approx(fraction, abs=1 / 800**2)
        level = {0.5: 0.0, 0.2: 0.841621}[fraction]  # quantile of the normal distribution
        expected = np.exp(-(level**2) / 2) / (np.pi * 6.0 * np.sqrt(2))  # -R''(0) = 1 / (2 sigma^2)
        assert np.mean([crossings(truth, 0), crossings(truth, 1)]) == pytest.approx(expected, rel=0.05)


def test_chosen_grains_come_within_one_grain_of_the_fraction():
    sizes = rng().integers(50, 200, 300)
    for fraction in (0.05, 0.3, 0.9):
        marked = dual_phase.chosen(sizes, fraction, rng(1))
        assert sizes[marked].sum() / sizes.sum() == pytest.approx(fraction, abs=200 / sizes.sum())


# Spinodal: Cahn and Hilliard.


def test_a_small_wave_grows_at_the_rate_of_linear_theory():
    x = np.arange(64)
    for wave in (4, 7):
        k = 2 * np.pi * wave / 64
        start = np.broadcast_to(1e-6 * np.cos(k * x), (64, 64)).copy()
        before, after = spinodal.evolve(start, [10.0, 30.0])
        assert np.log(after.max() / before.max()) / 20 == pytest.approx(k**2 - k**4, rel=0.1)


def test_the_mean_is_kept_and_the_energy_never_rises():
    start = 0.05 * rng().standard_normal((96, 96)) + 0.1
    states = [start, *spinodal.evolve(start, [0.5, 2, 5, 10, 20, 40, 80, 160, 320])]
    assert max(abs(state.mean() - start.mean()) for state in states) < 1e-10
    energies = [spinodal.energy(state) for state in states]
    assert np.all(np.diff(energies) < 0)
    # Over grad c by differences of neighbours the last, smooth state has nearly the same energy.
    last = states[-1]
    slope = sum((np.roll(last, -1, a) - last) ** 2 for a in (0, 1)).mean() / 2
    assert energies[-1] == pytest.approx(((last**2 - 1) ** 2).mean() / 4 + slope, rel=0.04)


def test_a_flat_interface_has_the_energy_and_the_shape_of_the_exact_solution():
    start = np.where((np.arange(96) // 48)[None, :] == 0, 1.0, -1.0) * np.ones((8, 1))
    (flat,) = spinodal.evolve(start, [60.0])
    assert spinodal.energy(flat) * 96 / 2 == pytest.approx(2 * np.sqrt(2) / 3, rel=0.01)
    assert flat[0, 44:52] == pytest.approx(-np.tanh((np.arange(44, 52) - 47.5) / np.sqrt(2)), abs=0.02)


def test_domains_coarsen_with_an_exponent_near_one_third():
    times = [150.0, 450.0, 1350.0]
    sizes = []
    for seed in range(3):
        start = 0.05 * rng(seed).standard_normal((160, 160))
        sizes.append([spinodal.domain_size(state) for state in spinodal.evolve(start - start.mean(), times)])
    exponent = np.polyfit(np.log(times), np.log(np.mean(sizes, axis=0)), 1)[0]
    assert 0.28 < exponent < 0.39


def test_the_domain_size_of_a_wave_is_a_quarter_of_its_length():
    wave = np.sin(2 * np.pi * np.arange(60) / 20)
    assert spinodal.domain_size(wave[:, None] * wave[None]) == pytest.approx(5.0, abs=1e-6)
    assert np.isnan(spinodal.domain_size(np.full((8, 8), 0.3)))


# Fibres.


@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.7])
def test_fibres_have_their_area_and_keep_their_distance(fraction):
    size = (300, 240)
    centres, radii = fibres.discs(size, fraction, 9.0, 0.1, 1.0, rng())
    assert np.pi * (radii**2).sum() == pytest.approx(fraction * 300 * 240, rel=1e-9)
    assert [radii.mean(), radii.std() / radii.mean()] == pytest.approx([9.0, 0.1], rel=0.15)
    apart = centres[:, None] - centres[None]
    apart -= np.array(size) * np.round(apart / np.array(size))
    distance = np.sqrt((apart**2).sum(axis=-1)) - radii[:, None] - radii[None]
    assert distance[~np.eye(len(radii), dtype=bool)].min() > (0.85 if fraction < 0.65 else 0.0)
    assert (synthetic.draw(size, centres, radii) > 0).mean() == pytest.approx(fraction, rel=0.01)


# Porous: the Boolean model.


@pytest.mark.parametrize("axes", [2, 3])
def test_the_union_of_two_bodies_is_counted_right(axes):
    grid = np.stack(np.meshgrid(*[np.linspace(-2, 3, {2: 1001, 3: 151}[axes])] * axes, indexing="ij"), axis=-1)
    cell = (5 / (grid.shape[0] - 1)) ** axes
    for lag in (0.0, 0.6, 1.5, 2.5):
        shifted = grid - lag * np.eye(axes)[0]
        inside = ((grid**2).sum(axis=-1) <= 1) | ((shifted**2).sum(axis=-1) <= 1)
        if lag + 1 <= 3:
            assert porous.union(lag, 1.0, axes) == pytest.approx(inside.sum() * cell, rel=0.01)
    assert porous.union(9.0, 1.0, axes) == pytest.approx(2 * porous.union(0.0, 1.0, axes))


@pytest.mark.parametrize(
    ("size", "bodies", "porosity"),
    [((256, 256), "solid", 0.4), ((256, 256), "pore", 0.3), ((56, 56, 56), "solid", 0.5)],
)
def test_porosity_and_s2_are_those_of_the_boolean_model(size, bodies, porosity):
    plan = porous.plan(porosities=[porosity], images=24, seed=2)
    radius, off = 6.0, {"texture": 0, "blur_px": 0, "shading": 0, "dose": 0, "noise": 0}
    made = [porous.read(r, size_px=size, bodies=bodies, radius_px=radius, imaging=off) for r in plan.to_dict("records")]
    found = np.array([m.truth.mean() for m in made])
    assert found.mean() == pytest.approx(porosity, abs=4 * found.std() / np.sqrt(len(found)))
    assert found.std() < 0.1
    uncovered = 1 if bodies == "solid" else 0
    lags = np.array([0, 2, 4, 8, 12, 20])
    s2 = [[((m.truth == uncovered) & (np.roll(m.truth, lag, 1) == uncovered)).mean() for lag in lags] for m in made]
    expected = porous.expected_s2(lags, porosity if bodies == "solid" else 1 - porosity, radius, len(size))
    error = 4 * np.std(s2, axis=0) / np.sqrt(len(s2)) + 0.004
    assert np.all(np.abs(np.mean(s2, axis=0) - expected) < error)


def test_laths_follow_power_and_speed_by_the_laws_of_the_model():
    """Rosenthal: the rate is proportional to speed over power; at 5e5 K/s laths are 0.6 / sqrt(5) um wide."""
    from matlens.ingest.models import laths

    rate = laths.cooling_rate_k_s(200, 600)
    assert laths.cooling_rate_k_s(400, 1200) == pytest.approx(rate)
    assert laths.cooling_rate_k_s(200, 1200) == pytest.approx(2 * rate)
    assert rate == pytest.approx(2 * np.pi * 25 * 0.6 * 900**2 / (0.5 * 200))
    assert laths.lath_width_um(5e5) == pytest.approx(0.6 / np.sqrt(5))
    assert laths.fraction(4e5) == pytest.approx(1 - np.exp(-1))
    made = laths.grown((64, 64), 5.0, 6.0, 0.37, rng())
    assert (made > 0).sum() == round(0.37 * 64 * 64)
    shares = [
        laths.read({"item_seed": seed, "laser_power_w": 200, "scan_speed_mm_s": 900}, size_px=(64, 64)).truth.mean()
        for seed in range(40)
    ]
    assert np.mean(shares) == pytest.approx(laths.fraction(laths.cooling_rate_k_s(200, 900)), abs=0.02)
    assert np.std(shares) == pytest.approx(0.03, abs=0.015)


@pytest.mark.parametrize("size", [(64, 64), (24, 24, 24)])
def test_nickel_recedes_from_pores_by_the_ratio_of_molar_volumes_and_zirconia_stays(size):
    from matlens.ingest.models import anode

    plan = anode.plan(oxide=3, reduced=2, train_images=1)
    assert plan["split"].tolist() == ["train", "test", "test", "train", "train"]
    off = {"texture": 0, "blur_px": 0, "shading": 0, "dose": 0, "noise": 0, "bits": 8}
    made = anode.read(plan.to_dict("records")[1], size_px=size, imaging=off)
    oxide, zirconia = np.abs(made.pixels / 255.0 - 0.65) < 0.1, np.abs(made.pixels / 255.0 - 0.45) < 0.1
    nickel = made.truth == anode.NICKEL
    assert oxide.mean() == pytest.approx(0.35, abs=0.002)
    assert nickel.sum() == pytest.approx(0.588 * oxide.sum(), abs=1) and oxide[nickel].all()
    assert np.array_equal(zirconia, made.truth == anode.ZIRCONIA)
    reduced = anode.read(plan.to_dict("records")[3], size_px=size, imaging=off)
    assert (np.abs(reduced.pixels / 255.0 - 0.9) < 0.1).mean() == pytest.approx((reduced.truth == 2).mean(), abs=0.001)


def test_an_anode_without_zirconia_is_refused():
    from matlens.ingest.models import anode

    with pytest.raises(BadItem, match="zirconia"):
        anode.read({"item": "oxide_0000", "item_seed": 1}, pore_fraction=0.5, oxide_fraction=0.5)


def test_recrystallisation_follows_the_process_by_the_laws_of_the_model():
    """Ten times the rate is as good as a lower temperature of equal Z; at e_50 half of the metal is recrystallised."""
    from matlens.ingest.models import hot_working as model

    z = model.zener_hollomon(350, -1)
    assert model.zener_hollomon(350, 0) == pytest.approx(10 * z)
    assert z == pytest.approx(0.1 * np.exp(150e3 / (8.314462618 * 623.15)))
    half = 0.0030 * 30**0.3 * z**0.14
    assert model.fraction(350, -1, half, 30) == pytest.approx(0.5)
    assert model.fraction(350, -1, 0.29 * half, 30) == 0
    assert model.new_grain_um(350, -1) / model.new_grain_um(350, 1) == pytest.approx(100**0.13)
    grains = np.zeros((48, 48), int)
    grains[:, 24:] = 1
    made = model.necklace(grains, 4.0, 0.2, rng())
    assert (made > 0).sum() == round(0.2 * 48 * 48)
    columns_of = (made > 0).mean(0)
    assert min(columns_of[[0, 24]]) > 0.6 and columns_of[[12, 36]].max() == 0  # along the two boundaries alone
    item = {"temperature_c": 350, "log10_strain_rate_per_s": -1, "strain": half, "initial_grain_um": 25}
    shares = [model.read({**item, "item_seed": seed}, size_px=(48, 48)).truth.mean() for seed in range(40)]
    expected = model.fraction(350, -1, half, 25)
    assert np.mean(shares) == pytest.approx(expected, abs=0.02) and np.std(shares) == pytest.approx(0.03, abs=0.015)
    with pytest.raises(BadItem, match="size_px"):
        model.read({**item, "initial_grain_um": 60, "item_seed": 0}, size_px=(48, 48))


def test_aged_alloys_have_the_equilibrium_fraction_and_an_alloy_is_never_divided():
    from matlens.ingest.models import aged_alloys

    grid = {"elements": {"Al": [10, 16], "Cr": [0, 12]}, "balance": "Ni", "levels": 3, "images": 12}
    plan = aged_alloys.plan(**grid, database="pycalphad:alcrni.tdb", phases=["LIQUID", "L12_FCC", "B2"], train_part=0.5)
    assert len(plan) == 9 * 12 and plan["item"].is_unique and plan["item_seed"].is_unique
    assert (plan.groupby("group")["split"].nunique() == 1).all() and plan["split"].eq("train").mean() == pytest.approx(
        4 / 9
    )
    fractions = plan.groupby(["x_Al", "x_Cr"])["true_model_fraction"].first()
    assert fractions[0.10, 0.0] == 0 and fractions.loc[:, 0.06].is_monotonic_increasing  # the lever rule along Al
    assert plan[plan["true_model_fraction"] == 0]["reason"].str.contains("packed").all()
    own = plan[plan["reason"].isna() & (plan["x_Al"] == 0.13) & (plan["x_Cr"] == 0.06)]
    made = [aged_alloys.read(row, size_px=(96, 96)).truth.mean() for row in own.to_dict("records")]
    error = 4 * np.std(made) / np.sqrt(len(made)) + 0.01
    assert np.mean(made) == pytest.approx(own["true_model_fraction"].iloc[0], abs=error)
