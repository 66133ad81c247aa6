"""Models of single objects: truth, classes and geometry are those that were asked for."""

import numpy as np
import pytest
from matlens import objects, run_lengths
from matlens.ingest.models import cracked_particles, line_space, loops, polyhedra
from matlens.job.batch import BadItem
from scipy import ndimage

MODELS = [line_space, cracked_particles, polyhedra, loops]
CLEAN = {"texture": 0.0, "blur_px": 0.0, "shading": 0.0, "dose": 0.0, "noise": 0.0}


@pytest.mark.parametrize("model", MODELS)
def test_every_object_of_the_map_has_its_row_and_splits_are_in_order(model):
    plan = model.plan(images=5, train_images=2, val_images=1)
    assert plan["split"].tolist() == ["train", "train", "val", "test", "test"] and plan["item"].is_unique
    made = model.read({"item_seed": 3}, ["ground", "thing"])
    again = model.read({"item_seed": 3}, ["ground", "thing"])
    assert np.array_equal(made.pixels, again.pixels) and not np.array_equal(
        made.pixels, model.read({"item_seed": 4}, ["ground", "thing"]).pixels
    )
    table = made.objects
    assert set(np.unique(made.truth[made.truth > 0])) <= set(table["object"])
    for row in table.to_dict("records"):
        shown = made.truth == row["object"]
        assert shown.sum() == row["visible_px2"] <= row["area_px2"]
        y0, x0, y1, x1 = (int(row[name]) for name in objects.BOX)
        assert not shown[y0:y1, x0:x1][~run_lengths.decode(row["mask"], (y1 - y0, x1 - x0))].any()


def test_lines_are_bridged_interrupted_and_notched():
    options = {"size_px": (200, 200), "roughness_px": 0.0, "edge": 0.0, "imaging": CLEAN, "defects": 1.0}
    seen = set()
    for seed in range(60):
        made = line_space.read({"item_seed": seed}, ["space", "line", "bridge"], **options)
        if len(made.objects) != 1 or made.objects["at_border"].item():
            continue
        kind, place = made.objects["class"].item(), made.truth > 0
        solid = made.pixels > 108
        rows = np.flatnonzero(place.any(1))
        middle = solid[rows[len(rows) // 2]]
        plain = solid[(rows[0] - 20) % 200]
        count = [ndimage.label(row)[1] for row in (plain, middle)]
        assert count[1] - count[0] == {"bridge": -1, "break": -1, "gap": 0}[kind]
        assert (solid[place].mean() > 0.9) == (kind == "bridge") and (middle.sum() > plain.sum()) == (kind == "bridge")
        assert made.objects["phase_name"].item() == ("bridge" if kind == "bridge" else "line")
        seen.add(kind)
    assert seen == {"bridge", "break", "gap"}


def test_lines_have_their_pitch_and_width():
    made = line_space.read({"item_seed": 0}, [], size_px=(64, 512), roughness_px=0.0, defects=0, edge=0, imaging=CLEAN)
    starts = np.flatnonzero(np.diff((made.pixels[32] > 108).astype(int)) == 1)
    assert np.diff(starts).mean() == pytest.approx(32, abs=0.1)
    assert (made.pixels > 108).mean() == pytest.approx(0.5, abs=0.02)
    with pytest.raises(BadItem, match="three lines"):
        line_space.read({"item_seed": 0}, [], size_px=(64, 64), pitch_px=60.0)


def test_edges_have_the_roughness_and_its_length():
    edges = line_space.rough_edges(4000, 8, 1.5, 20.0, np.random.default_rng(0))
    assert edges.std() == pytest.approx(1.5, rel=0.01)
    correlation = [np.mean(edges[lag:] * edges[:-lag]) / edges.var() for lag in (20, 100)]
    # White noise behind a Gaussian of half the length has a correlation of exp(-1) at the length.
    assert correlation[0] == pytest.approx(np.exp(-1), abs=0.07) and abs(correlation[1]) < 0.1


def test_the_pieces_of_a_cracked_particle_have_one_number():
    made = cracked_particles.read({"item_seed": 1}, ["matrix", "particle"], imaging=CLEAN, grey_spread=0.0)
    solid, table = made.pixels > 115, made.objects
    inner = table[~table["at_border"].astype(bool)]
    pieces = {}
    for number, kind in zip(inner["object"], inner["class"], strict=True):
        parts = ndimage.label(solid & (made.truth == number))[1]
        pieces.setdefault(kind, []).append(parts)
    assert set(pieces["whole"]) == {1} and np.mean(np.array(pieces["cracked"]) >= 2) > 0.8
    assert (table["class"] == "cracked").mean() == pytest.approx(0.5, abs=0.2)
    assert (made.truth > 0).mean() == pytest.approx(0.6, abs=0.01)
    none = cracked_particles.read({"item_seed": 1}, [], cracked=0.0)
    assert set(none.objects["class"]) == {"whole"}


@pytest.mark.parametrize(
    ("habit", "faces"),
    [
        ("cube", 6),
        ("octahedron", 8),
        ("rhombic_dodecahedron", 12),
        ("cuboctahedron", 14),
        ("truncated_octahedron", 14),
    ],
)
def test_a_habit_has_its_faces_and_the_volume_of_its_sphere(habit, faces):
    normals, distances = polyhedra.faces_of(habit)
    assert len(normals) == faces
    points = np.random.default_rng(0).uniform(-2, 2, (200_000, 3))
    inside = (points @ normals.T <= distances).all(1).mean() * 4**3
    assert inside == pytest.approx(4 / 3 * np.pi, rel=0.03)


def test_a_cube_seen_along_its_axis_is_a_square_and_along_its_diagonal_a_hexagon():
    normals, distances = polyhedra.faces_of("cube")
    y, x = np.mgrid[-60:60, -60:60] + 0.5
    face, inside = polyhedra.seen_from_above(normals, 30 * distances, y, x)
    edge = 2 * 30 * distances[0]
    assert inside.sum() == pytest.approx(edge**2, rel=0.02) and len(np.unique(face[inside])) == 1
    z = np.array([1, 1, 1]) / np.sqrt(3)
    across = np.array([0, 1, -1]) / np.sqrt(2)
    turned = normals @ np.array([z, across, np.cross(z, across)]).T
    face, inside = polyhedra.seen_from_above(turned, 30 * distances, y, x)
    assert inside.sum() == pytest.approx(np.sqrt(3) * edge**2, rel=0.02) and len(np.unique(face[inside])) == 3


def test_orientations_are_uniform_and_sizes_say_nothing_of_the_habit():
    rng = np.random.default_rng(0)
    turns = np.array([polyhedra.rotation(rng) for _ in range(4000)])
    np.testing.assert_allclose(turns @ turns.transpose(0, 2, 1), np.tile(np.eye(3), (4000, 1, 1)), atol=1e-12)
    assert np.abs(turns.mean(0)).max() < 0.03 and (turns**2).mean(0) == pytest.approx(np.full((3, 3), 1 / 3), abs=0.02)
    with pytest.raises(BadItem, match="no habit 'ball'"):
        polyhedra.read({"item_seed": 0}, [], habits=("ball",))


def test_loops_have_their_number_their_shapes_and_their_darkness():
    options = {"lines": 0, "background": 0.0, "halo": 0.0, "contrast": (0.3, 0.3), "grey": 0.6, "imaging": CLEAN}
    made = [loops.read({"item_seed": seed}, ["foil", *loops.KINDS], **options) for seed in range(12)]
    for one in made:
        for row in one.objects[~one.objects["at_border"].astype(bool)].to_dict("records"):
            low, high = loops.ASPECTS[row["class"]]
            assert low - 0.12 < row["minor_axis_px"] / row["major_axis_px"] < high + 0.12
            assert row["phase_name"] == row["class"] and row["area_px2"] == row["visible_px2"]
            inside, middle = one.truth == row["object"], one.pixels[round(row["y_px"]), round(row["x_px"])] / 255
            assert one.pixels[inside].min() / 255 == pytest.approx(0.3, abs=0.06)
            assert (middle > 0.45) == (row["class"] == "face_on")
        assert one.pixels[one.truth == 0].min() / 255 > 0.3
    assert set().union(*(one.objects["class"] for one in made)) == set(loops.KINDS)
    assert 7 < np.mean([one.meta["true_regions"] for one in made]) < 13  # 12 on average, without those on others


def test_lines_are_dark_and_no_loops():
    one = loops.read({"item_seed": 1}, [], loops=0, lines=3, background=0.0, contrast=(0.3, 0.3), imaging=CLEAN)
    assert not one.truth.any() and (one.pixels < 0.4 * 255).sum() > 100 and not len(one.objects)
