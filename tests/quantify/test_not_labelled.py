"""Unlabelled pixels (255, -1) are no phase: a map with a margin of them gives the values of the cropped map."""

import json

import numpy as np
import pandas as pd
import pytest
from matlens import quantify, registry
from matlens.image import masks, runs, two_point
from matlens.job.batch import BadItem
from matlens.quantify import sampling
from scipy import ndimage

PHASES = ["matrix", "particle", "pore"]
FLAT = {"hardening", "polygons", "triple_points", "sphere_sizes", "grain_size", "topology"}
MARGIN = ((3, 5), (4, 0), (2, 7))


def phase_map(shape, seed=0):
    """Draw a random phase map with three phases of several pixels."""
    rng = np.random.default_rng(seed)
    noise = [ndimage.gaussian_filter(rng.normal(size=shape), 2) for _ in range(3)]
    return np.argmax(noise, axis=0).astype(np.uint8)


def region_map(shape, seed=0):
    """Draw a mosaic of numbered regions, and background."""
    from scipy.spatial import cKDTree

    points = np.random.default_rng(seed).random((40, len(shape))) * shape
    grid = np.stack(np.mgrid[tuple(slice(0, n) for n in shape)], -1)
    number = cKDTree(points).query(grid.reshape(-1, len(shape)))[1].reshape(shape).astype(np.int32)
    return np.where(number % 3 == 0, 0, number).astype(np.int32)


def cases():
    for name in quantify.METHODS:
        for kind in ("phases", "regions"):
            for axes in (2, 3):
                refused = (axes == 3 and name in FLAT) or (kind == "regions" and name == "tpb")
                if not refused:
                    yield pytest.param(name, kind, axes, id=f"{name}-{kind}-{axes}d")


def moved(table: pd.DataFrame, margin) -> pd.DataFrame:
    """Refer places to the cropped map."""
    table = table.copy()
    for axis, (before, _) in zip("zyx"[-len(margin) :], margin, strict=True):
        for name in (f"centroid_{axis}_px", f"bbox_{axis}_min_px", f"bbox_{axis}_max_px", f"{axis}_px"):
            if name in table:
                table[name] = table[name] - before
    return table


@pytest.mark.parametrize(("name", "kind", "axes"), list(cases()))
def test_a_margin_changes_nothing(name, kind, axes):
    shape = (60, 50) if axes == 2 else (14, 16, 15)
    labels = phase_map(shape) if kind == "phases" else region_map(shape)
    nothing, margin = 255 if kind == "phases" else -1, MARGIN[-axes:]
    padded = np.pad(labels, margin, constant_values=nothing)
    function = registry.load(quantify.METHODS, name)
    options = {"boundary": "pore"} if name == "grain_size" and kind == "phases" else {}
    options |= {"thickness_nm": 100.0} if name == "hardening" else {}
    tables = []
    for pixels in (labels, padded):
        offered = {"labels": pixels, "truth": pixels, "phases": PHASES, "pixel_size_um": 0.5, "split": ""}
        tables.append(registry.call(function, offered, options))
    assert len(tables[0])
    pd.testing.assert_frame_equal(moved(tables[1], margin), tables[0], rtol=1e-9, check_dtype=False)


SPATIAL = ["two_point", "cluster", "lineal_path", "chords", "percolation", "tortuosity", "surface"]


@pytest.mark.parametrize("name", SPATIAL)
def test_nothing_labelled_is_refused_with_a_reason(name):
    function = registry.load(quantify.METHODS, name)
    for labels in (np.full((9, 9), 255, np.uint8), np.full((9, 9), -1, np.int32)):
        with pytest.raises(BadItem, match="no pixel of the label image is labelled"):
            function(labels, PHASES)


@pytest.mark.parametrize("shape", [(11, 13), (5, 6, 7)])
@pytest.mark.parametrize("periodic", [False, True])
def test_pairs_count_where_both_pixels_are_known(shape, periodic):
    rng = np.random.default_rng(1)
    known = rng.random(shape) < 0.7
    mask = known & (rng.random(shape) < 0.5)
    found = two_point.correlation(mask, 4, periodic, True, known)
    points = np.argwhere(np.ones(shape))
    lags = points[None] - points[:, None]
    if periodic:
        lags = (lags + np.array(shape) // 2) % shape - np.array(shape) // 2
    m, k = mask[tuple(points.T)], known[tuple(points.T)]
    both, pairs = m[None] & m[:, None], k[None] & k[:, None]
    inside = (np.abs(lags) <= [min(4, (n - 1) // 2 if periodic else n - 1) for n in shape]).all(axis=2)
    ring = np.rint(np.sqrt((lags**2).sum(axis=2)))
    for lag in range(len(found["radial"])):
        at = inside & (ring == lag)
        assert found["radial"][lag] == pytest.approx(both[at].sum() / pairs[at].sum(), abs=1e-12)
        straight = (lags[..., :-1] == 0).all(axis=2) & (lags[..., -1] == lag)
        assert found["x"][lag] == pytest.approx(both[straight].sum() / pairs[straight].sum(), abs=1e-12)


def test_runs_are_cut_at_what_is_not_known():
    mask = np.array([[0, 1, 1, 0, 1, 1, 1, 0, 1, 0]], bool)
    known = np.array([[0, 1, 1, 1, 1, 1, 1, 0, 1, 0]], bool)
    lengths, cut = runs.find(mask, 1, known)
    assert lengths.tolist() == [2, 3, 1] and cut.tolist() == [1, 1, 2]


def test_the_window_of_transport_is_a_box_inside_a_round_field():
    y, x = np.mgrid[:101, :101] - 50
    labels = np.where(y**2 + x**2 <= 50**2, 1, 255).astype(np.uint8)
    mask, known = masks.transport_window(labels, 1, PHASES)
    assert 68 <= min(known.shape) <= max(known.shape) <= 76  # 100 / sqrt(2)
    assert known.mean() > 0.99 and (mask == known).all()
    spots = np.ones((60, 60), np.uint8)
    spots[np.random.default_rng(0).random((60, 60)) < 0.1] = 255
    assert masks.transport_window(spots, 1, PHASES)[0].shape == (60, 60)


def test_regions_are_weighed_by_the_places_of_the_window():
    """Discs of 12 pixels on a lattice, seen through a round window: as many per area as there are."""
    y, x = np.mgrid[:180, :180]
    known = (y - 90) ** 2 + (x - 90) ** 2 <= 85**2
    rng, found = np.random.default_rng(0), []
    for _ in range(30):
        shift = rng.random(2) * 30
        disc = ((y - shift[0] + 15) % 30 - 15) ** 2 + ((x - shift[1] + 15) % 30 - 15) ** 2 <= 36
        pixels, _ = ndimage.label(disc & known)
        box = np.array([[c[0].start, c[1].start, c[0].stop, c[1].stop] for c in ndimage.find_objects(pixels)])
        found.append(sampling.known_weights(pixels, box, known, "miles_lantuejoul").sum() / known.sum())
    assert np.mean(found) == pytest.approx(1 / 900, rel=0.03)
    whole = np.ones_like(known)
    pixels, _ = ndimage.label(disc)
    box = np.array([[c[0].start, c[1].start, c[0].stop, c[1].stop] for c in ndimage.find_objects(pixels)])
    for border in ("miles_lantuejoul", "exclude", "all"):
        plain = sampling.window_weights(box, whole.shape, border)
        np.testing.assert_allclose(sampling.known_weights(pixels, box, whole, border), plain)


@pytest.fixture
def case(data):
    """Read the shared case: label maps and their right answers."""
    image = pytest.importorskip("PIL.Image")
    folder = data("cases/images") / "09_not_labelled"
    answers = json.loads((folder / "expected.json").read_text())["inputs"]
    return {name: (np.array(image.open(folder / name)), entry["right"]) for name, entry in answers.items()}


@pytest.mark.parametrize("name", ["margin24.png", "margin24_cropped.png", "round_field.png"])
def test_the_shared_case(case, name):
    labels, right = case[name]
    phases = PHASES[:2]
    for measure in ("two_point", "lineal_path"):
        table = registry.load(quantify.METHODS, measure)(labels, phases)
        column = f"{measure}_probability"
        for axis, values in right[column].items():
            curve = table[table["direction"] == axis].set_index("lag_px")[column]
            np.testing.assert_allclose(curve[values["lag_px"]], values["value"], rtol=1e-6)
    chords = registry.load(quantify.METHODS, "chords")(labels, phases).set_index("direction")
    for axis, values in right["chords"].items():
        assert chords.loc[axis, ["chords", "chords_cut"]].tolist() == [values["whole"], values["cut"]]
        assert chords.loc[axis, "chord_mean_px"] == pytest.approx(values["mean_px"]["value"], rel=1e-6)
    known = masks.labelled(labels)
    pixels, count = ndimage.label(labels == 1, np.ones((3, 3)))
    cut = sampling.cut_regions(pixels, known, count)
    assert [count, cut.sum()] == [right["regions"], right["touches_border"]]
    if "matrix_percolates_yx" in right:
        spans = registry.load(quantify.METHODS, "percolation")(labels, phases, phase=0)["spanning_clusters"] > 0
        assert spans.tolist() == right["matrix_percolates_yx"]
