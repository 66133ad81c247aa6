"""Several networks as one detector, and defects of a periodic image."""

import numpy as np
import pytest
import torch
from matlens import registry
from matlens.detect import ensemble, network_learning, networks, periodic, shard
from matlens.job.batch import BadItem

OPTIONS = {
    "width": 6, "depth": 2, "size_px": 14.0, "epochs": 2, "patches": 8, "patch_px": 64, "batch": 4, "device": "cpu",
}  # fmt: skip


def scene(seed, shape=(80, 80)):
    """Draw discs on a grid, moved at random."""
    rng, truth = np.random.default_rng(seed), np.zeros(shape, np.int32)
    y, x = np.indices(shape)
    for number, place in enumerate(np.indices((3, 3)).reshape(2, -1).T * 26 + 13, start=1):
        cy, cx = place + rng.uniform(-4, 4, 2)
        truth[(y - cy) ** 2 + (x - cx) ** 2 <= 36] = number
    return (0.5 + 0.2 * (truth > 0) + 0.05 * rng.standard_normal(shape)).astype(np.float32), truth


def learned(samples, **changes):
    options = {**OPTIONS, **changes}
    offered = {"samples": samples, "method": "centres", "phases": ["ground", "disc"], "initial": None}
    return registry.call(network_learning.learn, {**offered, "checkpoint": None, "options": options}, options)


def found(boxes, scores, kinds=None):
    made = {"box": torch.tensor(boxes).float().reshape(-1, 4), "score": torch.tensor(scores).float()}
    return made if kinds is None else {**made, "kind": torch.tensor(kinds).float()}


def test_boxes_of_networks_are_fused_by_their_scores():
    one = found([[0, 0, 10, 10], [50, 50, 60, 60]], [0.9, 0.6], [[1.0, 0.0], [0.0, 1.0]])
    two = found([[0, 2, 10, 12]], [0.3], [[0.0, 1.0]])
    made = ensemble.fused([one, two, found([], [], np.zeros((0, 2)))])
    assert made["score"].tolist() == pytest.approx([(0.9 + 0.3) / 3, 0.6 / 3])
    assert made["box"].tolist()[0] == pytest.approx([0, 0.25 * 2, 10, 10 + 0.25 * 2])  # weights 0.9 and 0.3
    assert made["kind"].tolist()[0] == pytest.approx([0.75, 0.25]) and made["box"].tolist()[1] == [50, 50, 60, 60]
    three = ensemble.fused([one, one, one])
    assert three["score"].tolist() == pytest.approx([0.9, 0.6]) and len(three["box"]) == 2
    assert not len(ensemble.fused([found([], []), found([], [])])["score"])


def test_thousands_of_boxes_are_fused_as_by_every_pair():
    rng, parts = np.random.default_rng(3), []
    for _ in range(3):
        centre, side = rng.uniform(0, 60, (200, 2)), rng.uniform(8, 20, (200, 2))
        parts.append(found(np.hstack([centre - side / 2, centre + side / 2]), rng.uniform(0.02, 1, 200)))
    box, score = (torch.cat([part[name] for part in parts]).double().numpy() for name in ("box", "score"))
    low, high = np.maximum(box[:, None, :2], box[None, :, :2]), np.minimum(box[:, None, 2:], box[None, :, 2:])
    area, shared = np.prod(box[:, 2:] - box[:, :2], 1), np.clip(high - low, 0, None).prod(2)
    share, left, groups = shared / (area[:, None] + area - shared), set(range(600)), []
    for first in np.argsort(-score, kind="stable").tolist():
        if first in left:
            near = {at for at in left if share[first, at] > 0.5 and at // 200 != first // 200}
            best = [
                max((at for at in near if at // 200 == k), key=lambda at: share[first, at], default=None)
                for k in range(3)
            ]
            groups.append([first, *(at for at in best if at is not None)])
            left -= set(groups[-1])
    made = ensemble.fused(parts)
    assert made["score"].numpy() == pytest.approx([score[group].sum() / 3 for group in groups], rel=1e-5)
    assert len(groups) < 600 and max(map(len, groups)) == 3


def test_two_boxes_of_one_network_stay_two():
    one = found([[0, 0, 10, 10], [0, 3, 10, 13]], [0.9, 0.8])
    assert len(ensemble.fused([one, found([[0, 0, 10, 10]], [0.9])])["score"]) == 2


def test_an_ensemble_is_learned_chosen_and_taken_apart():
    samples = [(*scene(seed), None, "train" if seed < 3 else "val", str(seed)) for seed in range(4)]
    arrays, card = learned(samples, members=2, seed=5)
    assert [row["member"] for row in card["history"]] == [0, 0, 1, 1] and len(card["members"]) == 2
    own, other = learned(samples, seed=6)
    assert all(np.array_equal(own[name], arrays[f"1/{name}"]) for name in own)
    assert card["members"][1]["threshold"] == other["threshold"] and card["members"][1]["overlap"] == other["overlap"]
    image = scene(9)[0]
    whole, second, same = (
        networks.detect(image, networks.prepare(*given, device="cpu", member=member), threshold=0.01)
        for given, member in (((arrays, card), None), ((arrays, card), 1), ((own, other), None))
    )
    assert second.equals(same) and not whole.equals(second)
    assert shard.described(card, {"member": 1})["threshold"] == other["threshold"]
    assert shard.described(card, {})["threshold"] == card["threshold"] == max(card["threshold"], networks.FLOOR)
    with pytest.raises(BadItem, match="member 2 is not among the 2 networks"):
        networks.prepare(arrays, card, device="cpu", member=2)


def test_the_score_of_an_ensemble_does_not_depend_on_the_threshold():
    nets = []
    for seed in range(2):
        torch.manual_seed(seed)
        nets.append(networks.build({"name": "centres", "width": 6, "depth": 2}).eval())
        torch.nn.init.normal_(nets[-1].unet.outs[0].weight, std=0.5)
    whole, look = ensemble.Ensemble(nets), {"standardise": True, "magnification": 1.0}
    low, high = (
        networks.searched(scene(9)[0], whole, "cpu", look, floor=level, overlap=1.0, tile_px=None)["score"]
        for level in (0.05, 0.3)
    )
    assert 0 < len(high) < len(low) and np.array_equal(high, low[: len(high)])


def grating(period, axis, shape=(96, 128)):
    at = np.indices(shape)[axis].astype(float)
    return (0.5 + 0.3 * np.sin(2 * np.pi * at / period)).astype(np.float32)


@pytest.mark.parametrize(("period", "axis"), [(16.0, 1), (20.6, 1), (13.3, 0)])
def test_the_period_of_a_grating_and_the_place_of_its_defect(period, axis):
    image = grating(period, axis)
    assert periodic.period_of(image, axis) == pytest.approx(period, abs=0.1)
    y, x = np.indices(image.shape)
    spot = np.exp(-((y - 50) ** 2 + (x - 70) ** 2) / (2 * 4.0**2))
    noisy = image + 0.4 * spot + 0.02 * np.random.default_rng(0).standard_normal(image.shape)
    made = periodic.detect(noisy.astype(np.float32), axis="yx"[axis], min_radius_px=4, max_radius_px=9)
    assert made[["y_px", "x_px"]].to_numpy()[0] == pytest.approx([50, 70], abs=2)
    assert len(made) == 1  # not its ghosts a period before and after
    assert not len(periodic.detect(image, axis="yx"[axis], threshold=0.05))


def test_an_image_that_does_not_repeat_itself_is_refused():
    image = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    with pytest.raises(BadItem, match="does not repeat itself"):
        periodic.detect(image)
    with pytest.raises(BadItem, match="as long as the image"):
        periodic.detect(image, period_px=64.0)
