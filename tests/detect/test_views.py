"""A network and its views of an image: what it finds does not depend on how the image lies."""

import numpy as np
import pytest
import torch
from matlens import registry
from matlens.detect import network_learning, networks, views

NETS = {
    "centres": {"width": 4, "depth": 2, "size_px": 10.0},
    "rcnn": {"width": 4, "features": 8, "anchor_px": 8.0, "outputs": 2},
}
LOOK = {"standardise": True, "magnification": 1.0}


@pytest.fixture(scope="module", params=NETS)
def net(request):
    torch.manual_seed(1)
    made = networks.build({"name": request.param, **NETS[request.param]})
    with torch.no_grad():
        for head in [made.unet.outs[0]] if request.param == "centres" else [made.object]:
            torch.nn.init.normal_(head.weight, std=1.5 / head.weight[0].numel() ** 0.5)
            torch.nn.init.zeros_(head.bias)  # of many objects
    return made.eval()


def searched(net, image, tile_px=None):
    return networks.searched(image, net, torch.device("cpu"), LOOK, floor=0.05, overlap=0.3, tile_px=tile_px)


def by_place(found):
    order = np.lexsort(found["corner"].reshape(-1, 4).round(2).T)
    return {name: part[order] for name, part in found.items()}


@pytest.mark.parametrize("shape", [(64, 48), (61, 50)])
def test_what_turned_views_find_turns_with_the_image(net, shape):
    image = np.random.default_rng(0).random(shape, np.float32)
    whole, seen = tuple(-(-n // net.stride) * net.stride for n in shape), views.of(net, "right_angles")
    if shape != whole:  # the reflection beyond the end is not that of a turned image: only the ends are checked
        found = searched(seen, image)
        assert len(found["score"]) and (found["corner"][:, 1] <= shape).all() and (found["corner"] >= 0).all()
        return
    one, other = by_place(searched(seen, image)), searched(seen, np.ascontiguousarray(image.T[:, ::-1]))
    back = other["corner"].copy()
    back[:, :, 1] = shape[0] - other["corner"][:, ::-1, 1]
    other["corner"] = back[:, :, ::-1]
    if "mask" in other:
        other["mask"] = other["mask"][:, :, ::-1].transpose(0, 2, 1)
    other = by_place(other)
    assert len(one["score"]) > 5
    for name in sorted(set(one) - {"centre"}):
        np.testing.assert_allclose(one[name], other[name], atol=2e-3, err_msg=name)


def test_tiles_of_views_give_the_answer_of_the_whole(net):
    image, seen = np.random.default_rng(2).random((150, 130), np.float32), views.of(net, "mirrors")
    whole, parts = searched(seen, image), searched(seen, image, tile_px=2 * net.radius + 64)
    assert len(whole["score"]) > 5
    for name, part in whole.items():
        np.testing.assert_allclose(part, parts[name], atol=2e-3, err_msg=name)


def test_a_box_goes_there_and_back():
    image = torch.zeros(1, 20, 30)
    image[:, 3:8, 5:21] = 1
    for exchanged in (False, True):
        for mirrors in ((), (0,), (1,), (0, 1)):
            view = views.turned(image, exchanged, mirrors)
            assert torch.equal(views.back(view, exchanged, mirrors), image)
            y, x = torch.nonzero(view[0], as_tuple=True)
            box = torch.tensor([[y.min(), x.min(), y.max() + 1, x.max() + 1]]).float()
            assert views.boxes_back(box, (20, 30), exchanged, mirrors).tolist() == [[3, 5, 8, 21]]


def test_weights_keep_the_views_that_their_threshold_was_chosen_with():
    rng, truth = np.random.default_rng(0), np.zeros((64, 64), np.int32)
    y, x = np.indices(truth.shape)
    for number, (cy, cx) in enumerate([(15, 15), (15, 45), (45, 20), (48, 48)], start=1):
        truth[(y - cy) ** 2 + (x - cx) ** 2 <= 36] = number
    image = (0.5 + 0.2 * (truth > 0) + 0.05 * rng.standard_normal(truth.shape)).astype(np.float32)
    options = {
        **NETS["centres"], "epochs": 2, "patches": 8, "patch_px": 64, "batch": 4, "device": "cpu", "views": "mirrors",
    }  # fmt: skip
    offered = {"samples": [(image, truth, None, "train", "a")], "method": "centres", "phases": ["ground", "disc"]}
    offered |= {"initial": None, "checkpoint": None, "options": options}
    arrays, card = registry.call(network_learning.learn, offered, options)
    model = networks.prepare(arrays, card, device="cpu")
    assert isinstance(model.net, views.Views) and len(model.net.turns) == 4
    seen = network_learning.candidates(model.net, model.device, [(image, truth, None)], LOOK, network_learning.OVERLAPS)
    assert card["f1"] == pytest.approx(network_learning.best_overlap(seen)["f1"])
