import numpy as np
import pytest
from matlens.segment import boundary_grains
from matlens.segment.regions import regions_from_boundary


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
