"""ASTM E112: the tables of the standard, tilings whose intercepts are known, and the intercepts of NIST's own tool."""

import numpy as np
import pandas as pd
import pytest
from matlens.job.batch import BadItem
from matlens.meanings import MEANING
from matlens.quantify import grain_size
from scipy.spatial import cKDTree

PHASES = ["grain", "boundary"]


def test_the_tables_of_the_standard():
    # E112-13, table 4: G, grains per mm2, mean intercept in micrometres
    for number, density, intercept in [(0, 7.75, 320.0), (1, 15.5, 226.3), (5, 248.0, 56.6), (8, 1984.0, 20.0)]:
        assert grain_size.g_of_intercept(intercept) == pytest.approx(number, abs=0.005)
        assert grain_size.g_of_density(density) == pytest.approx(number, abs=0.005)


def rows(table, procedure):
    found = table[table["procedure"] == procedure]
    return found.set_index("direction_deg") if procedure == "lines" else found.iloc[0]


def squares(side: int, count: int, shift: int = 3) -> np.ndarray:
    place = (np.arange(side * count) + shift) // side
    return (1 + place[:, None] * (count + 2) + place[None]).astype(np.int32)


def test_squares_have_their_side_as_intercept_along_their_sides():
    table = grain_size.measure(squares(20, 30), PHASES, 2.0)
    lines = rows(table, "lines")
    assert lines.loc[[0.0, 90.0], "mean_lineal_intercept_px"].tolist() == [20.0, 20.0]
    # along the diagonal every line crosses both families of sides: sqrt(2) 20 / 2
    np.testing.assert_allclose(lines.loc[[45.0, 135.0], "mean_lineal_intercept_px"], 20 / np.sqrt(2), rtol=0.03)
    assert lines.loc[0.0, "g_number"] == pytest.approx(-3.288 - 6.643856 * np.log10(0.040))
    # a circle meets every direction: pi / 4 of the side
    assert rows(table, "circles")["mean_lineal_intercept_px"] == pytest.approx(20 * np.pi / 4, rel=0.04)
    grains = rows(table, "planimetric")
    assert grains["grains_per_px2"] == pytest.approx(1 / 400, rel=0.02)
    assert grains["g_number"] == pytest.approx(-2.954 + 3.321928 * np.log10(1e6 / (400 * 4)), abs=0.03)


def test_stripes_are_crossed_in_one_direction_only():
    labels = np.repeat(np.arange(1, 21, dtype=np.int32)[:, None], 15, 0).reshape(300, 1) * np.ones((1, 200), np.int32)
    lines = rows(grain_size.measure(labels, PHASES, None), "lines")
    assert lines.loc[90.0, "counted"] == lines.loc[90.0, "fields"] * 19
    assert np.isnan(lines.loc[0.0, "mean_lineal_intercept_px"]) and lines.loc[0.0, "counted"] == 0
    assert lines["g_number"].isna().all()  # no pixel size


def test_intersections_follow_the_end_rules():
    count = grain_size.intersections
    assert count(np.array([1, 1, 1])) == 0
    assert count(np.array([1, 1, 2, 2, 3])) == 2
    assert count(np.array([1, 0, 0, 2, 0, 2])) == 2  # boundaries of any width; also one within a grain
    assert count(np.array([0, 1, 2, 0])) == 2  # an end on a boundary counts half
    assert count(np.array([0, 0, 0])) == 0
    assert count(np.array([1, 1, 2, 2, 1]), closed=True) == 2
    assert count(np.array([2, 0, 1, 0, 2]), closed=True) == 2
    assert count(np.array([0, 1, 1, 2, 0]), closed=True) == 2
    assert count(np.array([3, 3, 3]), closed=True) == 0
    assert count(np.array([3, 0, 3]), closed=True) == 1  # the circle touches a boundary that ends inside the grain


def test_planimetry_counts_a_rectangle_without_bias():
    # squares of 10 px under a window of 27 px, from the first pixel centre to the last, that lies anywhere: 7.29
    labels = squares(10, 12, 0)
    counts = [grain_size.planimetric(labels[y : y + 28, x : x + 28]) for y in range(10, 20) for x in range(10, 20)]
    assert np.mean(counts) == pytest.approx(7.29, abs=1e-9)
    whole = labels[10:40, 10:40]  # one grain inside, eight cut, four of them corners: 1 + 4 / 2 + 1
    assert grain_size.planimetric(whole) == 4.0


def test_random_grains_agree_between_the_procedures_and_with_theory():
    rng = np.random.default_rng(4)
    points = rng.random((3000, 2)) * 1200 - 100
    pixels = np.stack(np.mgrid[:1000, :1000], -1).reshape(-1, 2)
    labels = (cKDTree(points).query(pixels)[1] + 1).reshape(1000, 1000).astype(np.int32)
    density = 3000 / 1200**2
    table = grain_size.measure(labels, PHASES, 1.0, lines=20)
    intercept = np.pi / (4 * np.sqrt(density))  # Poisson-Voronoi: boundary per area 2 sqrt(density)
    total = rows(table, "lines").iloc[0]
    assert total["mean_lineal_intercept_px"] == pytest.approx(intercept, rel=0.03)
    assert rows(table, "circles")["mean_lineal_intercept_px"] == pytest.approx(intercept, rel=0.06)
    assert rows(table, "planimetric")["grains_per_px2"] == pytest.approx(density, rel=0.04)
    assert total["g_number_low"] < total["g_number"] < total["g_number_high"]


def test_the_interval_is_that_of_the_standard():
    # E112 section 15: 2.776 s / sqrt(5) for five fields
    counts, sizes = np.array([9.0, 11, 10, 12, 8]), np.full(5, 100.0)
    value, half = grain_size.rate(counts, sizes)
    assert value == 0.1
    assert half == pytest.approx(2.776 * counts.std(ddof=1) / 100 / np.sqrt(5), rel=1e-3)


def test_a_boundary_phase_gives_the_same_grains():
    labels = squares(20, 12)
    edge = np.zeros(labels.shape, np.uint8)
    edge[1:] |= labels[1:] != labels[:-1]
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    mine = grain_size.measure(edge, PHASES, 1.0, boundary="boundary")
    known = grain_size.measure(labels, PHASES, 1.0)
    straight = [rows(table, "lines").loc[[0.0, 90.0], "counted"].tolist() for table in (mine, known)]
    assert straight[0] == straight[1]
    # a diagonal that meets the crossing of two lines meets one boundary there
    np.testing.assert_allclose(rows(mine, "lines")["counted"], rows(known, "lines")["counted"], rtol=0.12)
    assert rows(mine, "planimetric")["grains_per_px2"] == rows(known, "planimetric")["grains_per_px2"]


def test_phases_without_a_boundary_and_empty_labels_are_bad_items():
    with pytest.raises(BadItem, match="'boundary'"):
        grain_size.measure(np.zeros((9, 9), np.uint8), PHASES, 1.0)
    with pytest.raises(BadItem, match="no grain"):
        grain_size.measure(np.zeros((9, 9), np.int32), PHASES, 1.0)
    with pytest.raises(BadItem, match="too small"):
        grain_size.measure(np.ones((30, 9), np.int32), PHASES, 1.0)


def test_one_grain_has_no_intercept():
    table = grain_size.measure(np.ones((60, 60), np.int32), PHASES, 1.0)
    assert table["mean_lineal_intercept_px"].isna().all() and table["g_number"].isna().all()


@pytest.fixture
def steel(data):
    """Return NIST's binarised micrograph (true on boundaries) and the intercepts of its own two programs."""
    from skimage.io import imread

    folder = data("micrographs/nist_grainsize")
    tables = [
        pd.read_csv(folder / f"grains_steel_highlighted_distances_{name}.csv", names=["line", "length"], header=0)
        for name in ("line_grid", "e112")
    ]
    return imread(folder / "grains_steel_highlighted_segmented.tif") > 0, *tables


def intercepts(boundary: np.ndarray) -> list[float]:
    """Return the whole chords of a line as NIST's tool lists them: those longer than two pixels."""
    lengths = grain_size.whole_chords(np.where(boundary, 0, 1))
    return lengths[lengths > 2]


def test_the_line_grid_of_nist_is_reproduced_chord_by_chord(steel):
    boundary, grid, _ = steel
    for angle, image in ((0, boundary), (180, boundary[::-1, ::-1])):
        # its image has a black rim of ceil(1.1 * 200) = 221 rows (rounding up), and a line every 60 rows
        mine = np.concatenate([intercepts(image[row]) for row in range(19, 600, 60)])
        assert mine.tolist() == grid["length"][grid["line"] == angle].tolist()


def test_the_e112_pattern_of_nist_is_reproduced(steel):
    boundary, _, pattern = steel
    square = np.pad(boundary[:, 100:700], 1)
    lines = {
        1: (square[-1 - 30], 1),
        2: (square[:, 30], 1),
        3: (np.diagonal(square), np.sqrt(2)),
        4: (np.diagonal(square[:, ::-1]), np.sqrt(2)),
    }
    for name, (values, step) in lines.items():
        np.testing.assert_allclose(step * intercepts(values), pattern["length"][pattern["line"] == name])
    for name, part in zip((5, 6, 7), grain_size.CIRCLES, strict=True):
        diameter = 2 * round(part * 602 / 2)
        values = square[grain_size.circle((301, 301), diameter)]
        start = int(np.argmax(values))
        mine = intercepts(np.append(np.roll(values, -start), True)) * np.pi * diameter / len(values)
        theirs = pattern["length"][pattern["line"] == name]
        assert len(mine) == len(theirs)
        assert np.mean(mine) == pytest.approx(theirs.mean(), rel=0.01)


def test_the_measure_agrees_with_nist_over_all_directions(steel):
    boundary, grid, _ = steel
    table = grain_size.measure(boundary.astype(np.uint8), PHASES, 0.5, boundary="boundary", lines=20)
    lines = rows(table, "lines").iloc[0]
    assert lines["chord_mean_px"] == pytest.approx(grid["length"].mean(), rel=0.06)
    # test length over intersections counts the width of the boundaries and the cut ends too
    assert lines["mean_lineal_intercept_px"] > lines["chord_mean_px"]


def test_every_column_has_a_meaning():
    assert set(grain_size.measure(squares(9, 9), PHASES, None)) <= set(MEANING)


def test_elongated_grains_are_remarked_and_squares_and_equiaxed_grains_are_not():
    y, x = np.indices((300, 300))

    def remark(pixels):
        return grain_size.measure(pixels.astype(np.int32), ["grain"], 1.0)["remark"][0]

    assert "px along 0 degrees and 15.8 px along 90; report the directions" in remark(y // 15 * 10 + x // 60 + 1)
    assert "along 90 degrees" in remark(x // 15 * 10 + y // 60 + 1)
    assert "mean intercept none along 0 degrees" in remark(y // 15 + 1)
    assert "elongated" not in remark(y // 20 * 20 + x // 20 + 1)
    points = np.random.default_rng(0).uniform(0, 300, (150, 2))
    nearest = np.argmin([(y - a) ** 2 + (x - b) ** 2 for a, b in points], axis=0) + 1
    assert "elongated" not in remark(nearest)
    stretched = np.argmin([(y - a) ** 2 * 9 + (x - b) ** 2 for a, b in points], axis=0) + 1
    assert "elongated" in remark(stretched)
    assert "elongated" not in remark(np.ones_like(y))


def test_particles_apart_are_no_grains_that_fill_the_plane():
    y, x = np.indices((200, 200))
    discs = np.where((y % 40 - 20) ** 2 + (x % 40 - 20) ** 2 < 100, y // 40 * 5 + x // 40 + 1, 0).astype(np.int32)
    found = grain_size.measure(discs, ["matrix", "particle"], 1.0)
    assert found["remark"].str.contains("grains fill 19 % of the plane").tolist() == [True, *[False] * 5, True]
    lines = np.where((y % 12 < 3) | (x % 12 < 3), 0, y // 12 * 17 + x // 12 + 1).astype(np.int32)
    assert not grain_size.measure(lines, ["grain"], 1.0)["remark"].str.contains("fill").any()
