import numpy as np
import pytest
from matlens.segment import boundary_grains, remarks, ridges
from matlens.segment.regions import regions_from_boundary
from PIL import Image


def voronoi(shape, count: int, width: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw a Voronoi tessellation of a jittered lattice: nearest seed (from 1), and where its boundary lies."""
    rng = np.random.default_rng(seed)
    axes = len(shape)
    step = np.array(shape) / count
    seeds = (np.argwhere(np.ones((count,) * axes)) + 0.5 + rng.uniform(-0.2, 0.2, (count**axes, axes))) * step
    away = np.sqrt(((np.stack(np.indices(shape), -1)[..., None, :] - seeds) ** 2).sum(-1))
    first, second = np.moveaxis(np.partition(away, 1, axis=-1)[..., :2], -1, 0)
    return away.argmin(-1) + 1, second - first < width


@pytest.mark.parametrize(("shape", "count"), [((150, 150), 5), ((48, 48, 48), 3)])
def test_grains_of_a_voronoi_tessellation_come_back(shape, count):
    grains, boundary = voronoi(shape, count, 3.0)
    found = regions_from_boundary(boundary)
    assert found.max() == count ** len(shape)
    assert found.min() == 1, "boundary pixels are shared out"
    pairs = np.unique(np.stack([grains[~boundary], found[~boundary]]), axis=1)
    assert pairs.shape[1] == found.max(), "one grain is one region"
    own, true = np.sort(np.bincount(found.ravel())[1:]), np.sort(np.bincount(grains.ravel())[1:])
    assert np.abs(own - true).max() < 0.07 * true.mean()
    kept = regions_from_boundary(boundary, keep_boundary=True)
    assert np.array_equal(kept == 0, boundary)


def test_gaps_in_boundaries_are_closed():
    _, boundary = voronoi((150, 150), 5, 4.0)
    rng = np.random.default_rng(1)
    for y, x in rng.permutation(np.argwhere(boundary))[:40]:
        boundary[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = False
    assert regions_from_boundary(boundary).max() == 25
    from scipy import ndimage

    assert ndimage.label(~boundary)[1] < 25, "the gaps do join grains for a plain labelling"


def test_extremes():
    assert not regions_from_boundary(np.ones((9, 9))).any()
    assert (regions_from_boundary(np.zeros((9, 9))) == 1).all()
    assert (boundary_grains.segment(np.full((9, 9), 0.5, np.float32)) == 1).all()


@pytest.mark.parametrize("boundary", ["dark", "bright"])
def test_image_to_grains(boundary):
    grains, lines = voronoi((150, 150), 5, 4.0)
    rng = np.random.default_rng(2)
    image = 0.6 - 0.3 * lines + rng.normal(0, 0.05, lines.shape) + 0.1 * np.sin(grains)
    image = image if boundary == "dark" else 1 - image
    found = boundary_grains.segment(image.astype(np.float32), boundary=boundary)
    assert found.max() == 25


def etched(noise: float, contrast: float, grey: float, seed: int = 3) -> np.ndarray:
    """Draw 36 grains of their own grey levels with lines between them."""
    grains, line = voronoi((192, 192), 6, 4.0, seed)
    rng = np.random.default_rng(seed)
    image = 0.6 + grey * rng.uniform(-1, 1, 37)[grains] - contrast * line + rng.normal(0, noise, line.shape)
    return image.astype(np.float32)


@pytest.mark.parametrize("noise", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("grey", [0.0, 0.15])
def test_lines_between_grains_raise_no_doubt(noise, grey):
    image = etched(noise, 0.3, grey)
    for boundary, shown in (("dark", image), ("bright", 1 - image)):
        regions = boundary_grains.segment(shown, boundary=boundary)
        assert remarks.of("boundary_grains", {"boundary": boundary}, {"image": shown}, regions, ["grain"]) == ""
        assert ridges.ratio(shown if boundary == "dark" else -shown, 2.0) > 2


@pytest.mark.parametrize(("contrast", "noise"), [(0.0, 0.02), (0.0, 0.06), (-0.3, 0.05)])
def test_grains_without_dark_lines_are_doubted(contrast, noise):
    image = etched(noise, contrast, 0.15)
    said = remarks.of("boundary_grains", {}, {"image": image}, boundary_grains.segment(image), ["grain"])
    assert ("try boundary: bright" if contrast else "no stronger than its bright ones") in said


def test_noise_is_doubted_and_masked_pixels_do_not_count():
    rng = np.random.default_rng(0)
    image = rng.normal(0.5, 0.1, (128, 128)).astype(np.float32)
    assert "no stronger" in ridges.doubt(image, boundary_grains.segment(image), None)
    etching = etched(0.05, 0.3, 0.0)
    etching[:60] = rng.normal(0.5, 0.3, (60, 192))  # a bar with text
    hidden = np.zeros(etching.shape, np.uint8)
    hidden[:60] = 1
    regions = np.where(hidden, -1, boundary_grains.segment(etching))
    assert ridges.doubt(etching, regions, hidden) == ""
    assert ridges.doubt(np.ones((40, 40), np.float32), np.ones((40, 40), np.int32), None) == ""


def test_boundaries_that_follow_no_line_are_remarked():
    halves = np.repeat([1, 2], 20)[None].repeat(40, 0)
    line = np.zeros((40, 40), np.uint8)
    line[:30, 20] = 1
    assert ridges.on_lines(halves, line) == pytest.approx(0.75)
    image = etched(0.05, 0.0, 0.15)
    image[:, :48] = etched(0.05, 0.3, 0.15)[:, :48]  # a quarter is etched
    regions = boundary_grains.segment(image)
    assert regions.max() < 0.5 * 36
    assert "follows no line" in ridges.doubt(image, regions, None)


@pytest.mark.parametrize(("folder", "doubted"), [("nist_grainsize", 0), ("tbm_grains", 6)])
def test_real_grains_are_doubted_where_colour_parts_them(data, folder, doubted):
    if folder == "nist_grainsize":
        paths = [data(f"micrographs/{folder}/grains_steel_highlighted.tif")]
    else:
        paths = sorted(data(f"micrographs/{folder}/images").glob("*.png"))[::9][:6]
    said = []
    for path in paths:
        image = np.asarray(Image.open(path).convert("L"), np.float32) / 255
        said.append(ridges.doubt(image, boundary_grains.segment(image), None))
    assert sum("no stronger" in text for text in said) == doubted and len(said) == max(doubted, 1)
