"""Tiles leave no trace: the answer by tiles is that of the whole image, for every network and every size."""

import numpy as np
import pytest
import torch
from matlens import registry
from matlens.learn import pixels, tiles
from matlens.nets import NETS


def network(name, **options):
    """Build a network whose normalisation has seen something, so that it is no identity."""
    torch.manual_seed(1)
    net = registry.load(NETS, name)(width=4, depth=2, outputs=3, **options)
    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.randn(4, 1, *[32] * options.get("dims", 2)) * 2 + 1)
    return net.eval()


def by_tiles(net, image, tile, overlap, kind="one"):
    layout = {"tile": tile, "overlap": overlap, "stride": net.stride, "radius": net.radius, "kind": kind}
    parts = list(tiles.bands(pixels.predictor(net, "cpu"), image, **layout))
    assert [first for first, _ in parts] == list(np.cumsum([0, *[v.shape[1] for _, v in parts]])[:-1])
    return np.concatenate([values for _, values in parts], 1), parts


@pytest.mark.parametrize("size", [(203, 158), (64, 301), (7, 90)])
@pytest.mark.parametrize("name", ["fcn", "unet", "unetpp", "unet3p"])
def test_tiles_answer_as_the_whole(name, size):
    net = network(name)
    image = np.random.default_rng(0).standard_normal((1, *size)).astype(np.float32)
    whole = pixels.predictor(net, "cpu")(image)
    found, _ = by_tiles(net, image, 96, 2 * net.radius + net.stride)
    assert found.shape == whole.shape
    np.testing.assert_allclose(found, whole, atol=1e-5)


def test_volumes_too():
    net = network("unet", dims=3, norm="batch")
    image = np.random.default_rng(0).standard_normal((1, 9, 30, 70)).astype(np.float32)
    found, _ = by_tiles(net, image, 56, 2 * net.radius + net.stride)
    np.testing.assert_allclose(found, pixels.predictor(net, "cpu")(image), atol=1e-5)


def test_less_overlap_leaves_a_trace_but_a_faint_one():
    # says that the test above can fail, and that blending bounds the jump at a seam
    net = network("unet")
    image = np.random.default_rng(0).standard_normal((1, 160, 160)).astype(np.float32)
    whole = pixels.predictor(net, "cpu")(image)
    bare, faded = (np.abs(by_tiles(net, image, 48, overlap)[0] - whole) for overlap in (0, 24))
    assert bare.max() > 1e-3
    assert faded.mean() < 0.2 * bare.mean()


@pytest.mark.parametrize("kind", ["mirrors", "right_angles"])
@pytest.mark.parametrize("shape", [(6, 9), (3, 4, 5)])
def test_views_undo_themselves(kind, shape):
    tile = np.random.default_rng(0).random((2, *shape)).astype(np.float32)
    seen = []

    def identity(view):
        seen.append(view.copy())
        return view * np.float32(2)

    found = tiles.averaged(identity, tile, kind)
    np.testing.assert_allclose(found, 2 * tile, rtol=1e-6)
    assert len({view.tobytes() + bytes(view.shape) for view in seen}) == len(seen)
    assert (
        len(seen)
        == {("mirrors", 2): 4, ("mirrors", 3): 8, ("right_angles", 2): 8, ("right_angles", 3): 48}[kind, len(shape)]
    )


def test_memory_is_that_of_a_band():
    net = network("unet")
    image = np.zeros((1, 1000, 40), np.float32)
    _, parts = by_tiles(net, image, 128, 2 * net.radius + net.stride)
    assert len(parts) > 5
    assert max(values.shape[1] for _, values in parts) <= 128


@pytest.mark.parametrize(("length", "tile", "overlap"), [(10, 16, 4), (16, 16, 4), (17, 16, 4), (100, 16, 12)])
def test_tiles_cover_and_weights_sum_to_one(length, tile, overlap):
    places = tiles.starts(length, min(tile, length), overlap)
    total = np.zeros(length)
    for start in places:
        total[start : start + tile] += tiles.ramp(start, min(tile, length), length, overlap, 4)
    assert (total > 0).all()
    regular = places[-1] + tile == length and len(places) > 1 and places[-1] - places[-2] == tile - overlap
    if regular:
        np.testing.assert_allclose(total, 1.0, atol=1e-6)


@pytest.mark.parametrize("name", ["fcn", "unet3p"])
def test_tiles_of_a_periodic_image_answer_as_the_whole(name):
    net = network(name, padding="circular")
    image = np.random.default_rng(0).standard_normal((1, 64, 96)).astype(np.float32)
    parts = list(tiles.bands(pixels.predictor(net, "cpu"), image, **pixels.layout_of(net, 2, tile_px=80)))
    found = np.concatenate([values for _, values in parts], 1)
    assert [first for first, _ in parts] == list(np.cumsum([0, *[v.shape[1] for _, v in parts]])[:-1])
    np.testing.assert_allclose(found, pixels.predictor(net, "cpu")(image), atol=1e-5)


def test_the_activation_is_that_of_the_task():
    net = network("unet")
    tile = np.random.default_rng(0).standard_normal((1, 16, 16)).astype(np.float32)
    raw, soft = pixels.predictor(net, "cpu", pixels.as_is)(tile), pixels.predictor(net, "cpu")(tile)
    assert raw.min() < 0
    np.testing.assert_allclose(np.exp(raw) / np.exp(raw).sum(0), soft, rtol=1e-5)


def pyramid(image):
    """Return maps at cells of 1, 2 and 4 pixels that look 6 pixels far at most, as those of networks do."""
    torch.manual_seed(0)
    fine, coarse = torch.nn.Conv2d(1, 2, 5, padding=2), torch.nn.Conv2d(2, 3, 3, padding=1)
    with torch.no_grad():
        first = fine(torch.from_numpy(image)[None])
        second = torch.nn.functional.max_pool2d(coarse(first), 2)
        return [part[0].numpy() for part in (first, second, torch.nn.functional.max_pool2d(second, 2))]


@pytest.mark.parametrize("size", [(100, 90), (20, 300), (33, 33), (5, 7)])
@pytest.mark.parametrize("core", [1, 16, 40, 500])
def test_maps_of_tiles_are_those_of_the_whole(size, core):
    image = np.random.default_rng(0).standard_normal((1, *size)).astype(np.float32)
    found = tiles.stitched(pyramid, image, core=core, radius=6, stride=4)
    whole = pyramid(tiles.reflected(image, tuple(-(-n // 4) * 4 for n in size)))
    for own, other in zip(found, whole, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-5)


def test_a_margin_that_is_too_small_is_seen():
    image = np.random.default_rng(0).standard_normal((1, 100, 90)).astype(np.float32)
    found = tiles.stitched(pyramid, image, core=16, radius=0, stride=4)
    assert np.abs(found[0] - pyramid(tiles.reflected(image, (100, 92)))[0]).max() > 0.1
