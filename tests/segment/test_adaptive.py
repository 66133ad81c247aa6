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


def test_uneven_illumination_is_remarked_and_gradients_of_structures_are_not():
    from matlens.segment import otsu, remarks

    rng = np.random.default_rng(0)
    y, x = np.indices((200, 260))
    discs = np.zeros((200, 260), bool)
    for cy, cx, r in zip(rng.uniform(0, 200, 30), rng.uniform(0, 260, 30), rng.uniform(5, 11, 30), strict=True):
        discs |= (y - cy) ** 2 + (x - cx) ** 2 < r * r

    def remark(grey):
        image = np.clip((grey + rng.normal(0, 0.03, discs.shape)), 0, 1).astype(np.float32)
        labels = otsu.segment(image)
        said = remarks.of("otsu", {}, {"image": image}, labels, ["matrix", "particle"])
        return (labels == 1).mean(), "uneven illumination" in said

    plain = np.where(discs, 0.6, 0.3)
    for slope in (0.0, 0.1):  # of a contrast of 0.3
        fraction, said = remark(plain + slope * x / 260)
        assert not said and fraction == pytest.approx(discs.mean(), abs=0.01)
    for grey in (plain + 0.35 * x / 260, plain + 0.35 * y / 200):
        fraction, said = remark(grey)
        assert said and abs(fraction - discs.mean()) > 0.04
    assert remark(plain * (1 - 1.6 * ((x / 260 - 0.5) ** 2 + (y / 200 - 0.5) ** 2)))[1]
    assert not remark(np.where(x > 130, 0.6, 0.3))[1]  # a coating
    assert not remark(np.where(x > 40 * np.sin(y / 9.0) + 20 + 0.5 * x, 0.6, 0.3))[1]
    assert not remark(np.full(discs.shape, 0.5))[1]
