import numpy as np
import pytest
from matlens.segment import watershed
from matlens.segment.flood import flood
from matlens.segment.regions import distance, drop_small, regions_from_mask
from scipy.ndimage import distance_transform_edt

RADIUS, APART = 20.0, 30.0
NECK = np.sqrt(RADIUS**2 - (APART / 2) ** 2)  # half the width where the two disks (spheres) meet
PROMINENCE = RADIUS - NECK  # 6.77 px


def pair(axes: int) -> np.ndarray:
    """Draw two overlapping disks or spheres as a mask."""
    shape = (60,) * (axes - 1) + (90,)
    grid = np.stack(np.indices(shape), -1) - 30.0
    other = grid - np.eye(axes)[-1] * APART
    return ((grid**2).sum(-1) <= RADIUS**2) | ((other**2).sum(-1) <= RADIUS**2)


@pytest.mark.parametrize("axes", [2, 3])
def test_two_touching_particles_part_below_the_analytic_prominence(axes):
    mask = pair(axes)
    parted = regions_from_mask(mask, prominence_px=PROMINENCE - 1.0)
    assert parted.max() == 2
    assert regions_from_mask(mask, prominence_px=PROMINENCE + 1.0).max() == 1
    assert np.array_equal(parted > 0, mask)
    areas = np.bincount(parted.ravel())[1:]
    assert areas[0] == pytest.approx(areas[1], rel=0.05)
    # The border lies on the plane in the middle.
    x = np.indices(mask.shape)[-1] - 30
    assert np.unique(parted[mask & (x < APART / 2 - 1.5)]).size == 1
    assert np.unique(parted[mask & (x > APART / 2 + 1.5)]).size == 1


def test_regions_are_those_of_scikit_image_on_many_particles():
    from scipy import ndimage
    from skimage.morphology import h_maxima
    from skimage.segmentation import watershed as theirs

    rng = np.random.default_rng(4)
    grid = np.stack(np.indices((200, 200)), -1)
    mask = np.zeros((200, 200), bool)
    for _ in range(60):
        mask |= ((grid - rng.uniform(0, 200, 2)) ** 2).sum(-1) < rng.uniform(6, 14) ** 2
    relief = distance(mask)
    height = 0.75
    maxima = ndimage.label(h_maxima(relief.astype(float), height), np.ones((3, 3)))[0]
    expected = theirs(-relief, maxima, connectivity=2, mask=mask)
    own = flood(relief, mask, height)
    # h-maxima keep a dynamic that equals h, within rounding both ways.
    assert own.max() == expected.max()
    assert np.mean([np.bincount(expected[own == n]).max() / np.sum(own == n) for n in range(1, own.max() + 1)]) > 0.97


def test_image_to_particles_with_and_without_a_threshold():
    image = np.where(pair(2), 0.8, 0.2).astype(np.float32)
    assert watershed.segment(image, prominence_px=3.0).max() == 2
    assert watershed.segment(1 - image, prominence_px=3.0, foreground="dark").max() == 2
    assert watershed.segment(image, threshold=0.9).max() == 0
    assert watershed.segment(image, min_area_px2=10**5).max() == 0


def test_distance_is_exact():
    from scipy import ndimage

    mask = np.random.default_rng(0).random((80, 90)) < 0.97
    assert np.allclose(distance(mask), ndimage.distance_transform_edt(mask), atol=1e-4)
    assert (distance(np.ones((4, 9), bool)) == 9).all()


@pytest.mark.parametrize(("side", "outside"), [(120, 400), (700, 3), (1500, 1)])
def test_distances_are_the_same_to_the_last_bit_in_every_call(side, outside):
    """The last bit of cv2's differed between two calls in one process, and with it regions of a watershed."""
    mask = np.ones((side, side), bool)
    mask.ravel()[np.random.default_rng(side).choice(mask.size, outside, replace=False)] = False
    exact = distance_transform_edt(mask).astype(np.float32)
    for number in range(8):
        _ = np.empty(1000 + 8 * number)  # another place in memory
        assert np.array_equal(distance(mask), exact)


def test_small_regions_go_and_numbers_close_up():
    regions = np.array([[1, 1, 0, 7, 7, 7, 3]], np.int32)
    assert drop_small(regions, 2).tolist() == [[1, 1, 0, 2, 2, 2, 0]]


def test_flood_works_of_plateaus_and_peaks():
    """Peaks 5 and 4 over a pass of 2 and a flat peak: dynamics 2 and 1.5 decide."""
    relief = np.array([[1, 5, 2, 4, 2.5, 4, 4, 1]], float)
    mask = np.ones_like(relief, bool)
    assert flood(relief, mask, 1.0).max() == 3
    assert flood(relief, mask, 1.6).max() == 2
    assert flood(relief, mask, 2.1).max() == 1
    assert flood(relief, mask, 0.0, least_area=3).max() < 3
