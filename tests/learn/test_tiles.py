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


def spots(image):
    """Detect single bright pixels: centre, a box around each, and how bright it is."""
    places = np.argwhere(image[0] > 0.5)
    boxes = np.stack([places - 2, places + 2], 1)
    return {"centre": places.astype(float), "box": boxes.astype(float), "score": image[0][tuple(places.T)]}


@pytest.mark.parametrize("size", [(100, 90), (20, 300), (33, 33)])
@pytest.mark.parametrize("tile", [16, 40, 64])
def test_a_thing_is_detected_once_wherever_it_lies(size, tile):
    rng = np.random.default_rng(0)
    image = np.where(rng.random((1, *size)) < 0.05, rng.uniform(0.6, 1, (1, *size)), 0)
    image[0, 0, 0] = image[0, -1, -1] = 1
    found = tiles.detections(spots, image, tile=tile, overlap=8, stride=4, places=("centre", "box"))
    order = np.lexsort(found["centre"].T[::-1])
    whole = spots(image)
    for name in whole:
        np.testing.assert_array_equal(found[name][order], whole[name])


def test_nothing_detected_is_an_empty_table():
    found = tiles.detections(spots, np.zeros((1, 50, 50)), tile=32, overlap=8, stride=4)
    assert found["centre"].shape == (0, 2) and found["score"].shape == (0,)
