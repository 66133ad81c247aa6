import numpy as np
import pytest
from matlens.segment import adaptive, otsu


def uneven() -> tuple[np.ndarray, np.ndarray]:
    """Squares of height 0.1 on a background that rises by 0.8 from left to right."""
    truth = np.zeros((160, 160), np.uint8)
    for y in range(10, 150, 32):
        for x in range(10, 150, 32):
            truth[y : y + 12, x : x + 12] = 1
    return (np.linspace(0, 0.8, 160, dtype=np.float32)[None] + 0.1 * truth).astype(np.float32), truth


def test_finds_on_an_uneven_background_what_one_threshold_cannot():
    image, truth = uneven()
    inner = (slice(30, 130), slice(30, 130))
    found = adaptive.segment(image, sigma_px=0.0, offset=0.03)
    assert np.array_equal(found[inner], truth[inner])
    assert np.mean(otsu.segment(image, sigma_px=0.0) != truth) > 0.3
    dark = adaptive.segment(1 - image, sigma_px=0.0, offset=0.03, foreground="dark")
    assert np.array_equal(dark[inner], truth[inner])


@pytest.mark.parametrize("shape", [(40, 60), (12, 14, 15)])
@pytest.mark.parametrize("edge", [5, 9])
def test_the_mean_is_the_local_threshold_of_scikit_image(shape, edge):
    from skimage.filters import threshold_local

    image = np.random.default_rng(0).random(shape, np.float32)
    theirs = threshold_local(image, edge, method="mean", mode="reflect") if image.ndim == 2 else None
    if theirs is None:
        padded = np.pad(image, edge // 2, mode="symmetric")
        theirs = np.lib.stride_tricks.sliding_window_view(padded, (edge,) * 3).mean((-1, -2, -3))
    own = adaptive.segment(image, block_px=edge, offset=0.01, sigma_px=0.0)
    clear = np.abs(image - theirs - 0.01) > 1e-5
    assert clear.mean() > 0.99
    assert np.array_equal(own[clear], (image > theirs + 0.01)[clear])
