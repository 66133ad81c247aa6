"""Quaternions, symmetries and misorientations, against matrices written out by hand and published numbers."""

import numpy as np
import pytest
from matlens.crystal import orientations as o

CUBIC, HEXAGONAL = 11, 9


def random_quaternions(count: int, seed: int) -> np.ndarray:
    q = np.random.default_rng(seed).normal(size=(count, 4))
    return q / np.linalg.norm(q, axis=1, keepdims=True)


def bunge_matrix(phi1, phi, phi2) -> np.ndarray:
    """H.-J. Bunge, Texture Analysis in Materials Science (1982), eq. 2.50: crystal = g sample."""
    c1, s1, c, s, c2, s2 = np.cos(phi1), np.sin(phi1), np.cos(phi), np.sin(phi), np.cos(phi2), np.sin(phi2)
    return np.array(
        [
            [c1 * c2 - s1 * s2 * c, s1 * c2 + c1 * s2 * c, s2 * s],
            [-c1 * s2 - s1 * c2 * c, -s1 * s2 + c1 * c2 * c, c2 * s],
            [s1 * s, -c1 * s, c],
        ]
    )


def test_euler_angles_give_bunges_passive_matrix():
    euler = np.random.default_rng(1).uniform(0, [2 * np.pi, np.pi, 2 * np.pi], (200, 3))
    expected = np.array([bunge_matrix(*angles) for angles in euler])
    np.testing.assert_allclose(o.to_matrix(o.from_euler(euler)), expected, atol=1e-12)


def test_brass_texture_has_110_along_normal_and_112_along_rolling_direction():
    g = o.to_matrix(o.from_euler(np.radians([35.264389682754654, 45, 0])))
    along = [np.sort(np.abs(g @ direction)) for direction in ([0, 0, 1], [1, 0, 0])]
    np.testing.assert_allclose(along[0], np.array([0, 1, 1]) / np.sqrt(2), atol=1e-12)
    np.testing.assert_allclose(along[1], np.array([1, 1, 2]) / np.sqrt(6), atol=1e-12)


def test_product_turns_by_the_right_factor_first():
    q, p = random_quaternions(50, 2), random_quaternions(50, 3)
    np.testing.assert_allclose(o.to_matrix(o.multiply(q, p)), o.to_matrix(q) @ o.to_matrix(p), atol=1e-12)
    np.testing.assert_allclose(o.multiply(q, o.inverse(q)), np.tile([1, 0, 0, 0], (50, 1)), atol=1e-12)


@pytest.mark.parametrize(
    ("code", "count"),
    [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (6, 3), (7, 6), (8, 6), (9, 12), (10, 12), (11, 24), (14, 6)],
)
def test_groups_have_their_order_and_are_closed(code, count):
    group = o.symmetry(code)
    assert len(group) == count
    products = np.abs(o.multiply(group[:, None], group[None]).reshape(-1, 4) @ group.T)
    np.testing.assert_allclose(products.max(axis=1), 1, atol=1e-9)


def test_settings_of_trigonal_differ_by_their_two_fold_axes():
    def has_two_fold(code, azimuth_deg):
        turn = o.from_axis_angle((np.cos(np.radians(azimuth_deg)), np.sin(np.radians(azimuth_deg)), 0), 180)
        return np.abs(o.symmetry(code) @ turn).max() > 1 - 1e-9

    assert has_two_fold(7, 90) and not has_two_fold(7, 0)
    assert has_two_fold(14, 0) and not has_two_fold(14, 90)


@pytest.mark.parametrize(
    ("symbol", "x_along", "space_group", "code"),
    [
        ("m-3m", "a", 225, 11),
        ("432", "a*", 0, 11),
        ("6/mmm", "a*", 194, 9),
        ("-3m", "a*", 166, 7),
        ("-3m", "a", 166, 14),
        ("-3m", "a*", 162, 14),
        ("-3m", "a", 162, 7),
        ("nonsense", "a", 0, 0),
    ],
)
def test_point_groups_are_found_by_symbol(symbol, x_along, space_group, code):
    assert o.code_of(symbol, x_along=x_along, space_group=space_group) == code


def test_misorientation_of_coincidence_boundaries():
    # D. H. Warrington, P. Bufalini, Scripta Metall. 5 (1971) 771: Sigma 3, Sigma 9, Sigma 5
    base = random_quaternions(20, 4)
    for axis, angle in [((1, 1, 1), 60.0), ((1, 1, 0), 38.9424), ((1, 0, 0), 36.8699)]:
        other = o.multiply(o.from_axis_angle(axis, angle), base)
        np.testing.assert_allclose(o.misorientation_deg(base, other, CUBIC), angle, atol=1e-6)
    # the same twin by the other of its names: 180 degrees about <111>
    twin = o.multiply(o.from_axis_angle((1, 1, 1), 180), base)
    np.testing.assert_allclose(o.misorientation_deg(base, twin, CUBIC), 60, atol=1e-6)


def test_misorientation_is_that_of_the_nearest_of_all_pairs_of_equivalents():
    a, b = random_quaternions(40, 5), random_quaternions(40, 6)
    for code in (3, 5, 7, 8, 9, 10, 11, 13, 14):
        group = o.symmetry(code)
        left = o.multiply(group[:, None], a[None])
        right = o.multiply(group[:, None], b[None])
        traces = np.einsum("inab,jnab->ijn", o.to_matrix(left), o.to_matrix(right))
        brute = np.degrees(np.arccos(np.clip((traces.max(axis=(0, 1)) - 1) / 2, -1, 1)))
        np.testing.assert_allclose(o.misorientation_deg(a, b, code), brute, atol=1e-5)


@pytest.mark.parametrize(
    ("code", "corner", "largest"),
    [
        # A. Heinz, P. Neumann, Acta Cryst. A47 (1991) 780: corners of the zones as Rodrigues vectors
        (CUBIC, (2**0.5 - 1, 2**0.5 - 1, 3 - 2 * 2**0.5), 62.80),
        (HEXAGONAL, (1, 2 - 3**0.5, 2 - 3**0.5), 93.84),
        (5, (1, 2**0.5 - 1, 2**0.5 - 1), 98.42),
        (3, (1, 1, 1), 120.00),
    ],
)
def test_largest_misorientations(code, corner, largest):
    angle = 2 * np.degrees(np.arctan(np.linalg.norm(corner)))
    assert angle == pytest.approx(largest, abs=0.005)
    assert o.misorientation_deg([1, 0, 0, 0], o.from_axis_angle(corner, angle), code) == pytest.approx(angle, abs=1e-6)
    found = o.misorientation_deg(random_quaternions(20000, 7), random_quaternions(20000, 8), code)
    assert largest - 4 < found.max() < largest + 0.005


def test_random_cubic_misorientations_follow_mackenzie():
    # J. K. Mackenzie, Biometrika 45 (1958) 229: mean 40.736 degrees, median 42.34
    found = o.misorientation_deg(random_quaternions(100_000, 9), random_quaternions(100_000, 10), CUBIC)
    assert found.mean() == pytest.approx(40.736, abs=0.15)
    assert np.median(found) == pytest.approx(42.34, abs=0.15)


def test_reduction_keeps_the_orientation_and_shrinks_the_rotation():
    q = random_quaternions(500, 11)
    for code, largest in [(CUBIC, 62.80), (HEXAGONAL, 93.85), (1, 180.0)]:
        reduced = o.reduce_to_zone(q, code)
        np.testing.assert_allclose(o.misorientation_deg(q, reduced, code), 0, atol=1e-4)
        assert (reduced[:, 0] >= 0).all()
        assert np.degrees(2 * np.arccos(reduced[:, 0])).max() <= largest
    equivalents = o.multiply(o.symmetry(CUBIC), q[:1])
    np.testing.assert_allclose(
        o.reduce_to_zone(equivalents, CUBIC), o.reduce_to_zone(q[:1], CUBIC).repeat(24, 0), atol=1e-9
    )


def test_means_do_not_see_which_equivalent_a_point_carries():
    rng = np.random.default_rng(12)
    centres = random_quaternions(3, 13)
    groups = rng.integers(0, 3, 900)
    wobble = np.concatenate([np.ones((900, 1)), rng.normal(scale=0.01, size=(900, 3))], axis=1)
    wobble /= np.linalg.norm(wobble, axis=1, keepdims=True)
    q = o.multiply(wobble, centres[groups])
    scattered = o.multiply(o.symmetry(CUBIC)[rng.integers(0, 24, 900)], q) * rng.choice([-1, 1], (900, 1))
    mean = o.mean_orientations(scattered, groups, CUBIC)
    # the standard error of 300 points of 2 x 0.01 rad is 0.07 degrees an axis
    assert o.misorientation_deg(mean, centres, CUBIC).max() < 0.25
    np.testing.assert_allclose(mean, o.mean_orientations(q, groups, CUBIC), atol=1e-9)
    assert np.isnan(o.mean_orientations(q[:2], np.array([0, 2]), CUBIC)[1]).all()


def test_colours_of_the_corners_and_of_equivalents():
    identity = np.array([1.0, 0, 0, 0])
    for code, corners in {
        CUBIC: [(0, 0, 1), (1, 0, 1), (1, 1, 1)],
        HEXAGONAL: [(0, 0, 1), (1, 0, 0), (3**0.5, 1, 0)],
    }.items():
        for direction, colour in zip(corners, np.eye(3), strict=True):
            np.testing.assert_allclose(o.ipf_colours(identity, direction, code), colour, atol=1e-6)
    q = random_quaternions(20, 14)
    for code in range(1, 15):
        mine = o.ipf_colours(q, (0, 0, 1), code)
        assert mine.dtype == np.float32 and mine.min() >= 0 and mine.max() == 1
        for operation in o.symmetry(code):
            np.testing.assert_allclose(o.ipf_colours(o.multiply(operation, q), (0, 0, 1), code), mine, atol=1e-5)


def test_unknown_code_names_the_known_ones():
    with pytest.raises(ValueError, match="known codes: 1, 2"):
        o.symmetry(0)
