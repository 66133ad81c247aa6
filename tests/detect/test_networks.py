"""Learned detectors: boxes, suppression, sampling, tiles equal to the whole, and objects never seen."""

import numpy as np
import pytest
import torch
from matlens import detect, objects, registry
from matlens.detect import kinds, network_learning, networks, scores
from matlens.job.batch import BadItem
from matlens.learn import loop
from matlens.nets.objects import naming, ops
from scipy import ndimage, spatial


def test_overlap_of_boxes_is_that_of_their_pixels():
    rng = np.random.default_rng(0)
    low = rng.integers(0, 20, (6, 2))
    boxes = np.hstack([low, low + rng.integers(1, 15, (6, 2))])
    painted = np.zeros((6, 40, 40), bool)
    for at, (y0, x0, y1, x1) in enumerate(boxes):
        painted[at, y0:y1, x0:x1] = True
    shared = (painted[:, None] & painted[None]).sum((2, 3)) / (painted[:, None] | painted[None]).sum((2, 3))
    own = torch.tensor(boxes).float()
    assert ops.iou(own, own).numpy() == pytest.approx(shared, abs=1e-6)


def test_suppression_is_that_of_the_plain_loop(monkeypatch):
    rng = np.random.default_rng(1)
    low = rng.uniform(0, 60, (200, 2))
    boxes = torch.tensor(np.hstack([low, low + rng.uniform(5, 20, (200, 2))])).float()
    value = torch.tensor(rng.random(200)).float()
    rest, kept = torch.argsort(value, descending=True).tolist(), []
    while rest:
        kept.append(rest.pop(0))
        rest = [at for at in rest if ops.iou(boxes[kept[-1:]], boxes[[at]]).item() <= 0.4]
    assert ops.nms(boxes, value, 0.4).tolist() == kept
    monkeypatch.setattr(ops, "FEW", 10)  # neighbours in a grid, not all pairs
    assert ops.nms(boxes, value, 0.4).tolist() == kept
    assert ops.nms(boxes[:0], value[:0], 0.4).tolist() == []
    apart = torch.tensor([[0.0, 0.0, 5.0, 5.0], [20.0, 20.0, 25.0, 25.0]])
    assert ops.nms(apart, torch.tensor([0.1, 0.2]), 0.5).tolist() == [1, 0]


def test_codes_give_their_boxes_back():
    boxes = torch.tensor([[3.0, 5.0, 20.0, 9.0], [0.0, 0.0, 8.0, 30.0]])
    anchors = torch.tensor([[0.0, 4.0, 16.0, 20.0], [2.0, 2.0, 10.0, 18.0]])
    assert ops.decode(ops.encode(boxes, anchors), anchors).numpy() == pytest.approx(boxes.numpy(), abs=1e-4)
    half = ops.encode(torch.tensor([[8.0, 4.0, 24.0, 20.0]]), anchors[:1])
    assert half.numpy() == pytest.approx(np.array([[0.5, 0.0, 0.0, 0.0]]))  # moved down by half its height


def test_samples_of_a_plane_are_its_values_in_the_middle_of_the_cells():
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(30.0), indexing="ij")
    plane = torch.stack([y + 0.5, x + 0.5]) * 4  # the coordinates of the cells of stride 4
    found = ops.roi_align(plane, torch.tensor([[10.0, 20.0, 38.0, 76.0]]), 4, 7)[0]
    assert found[0, :, 0].numpy() == pytest.approx(10 + 28 * (np.arange(7) + 0.5) / 7, abs=1e-3)
    assert found[1, 0].numpy() == pytest.approx(20 + 56 * (np.arange(7) + 0.5) / 7, abs=1e-3)


def test_the_inside_of_an_object_is_that_of_samples_of_its_mask():
    rng = np.random.default_rng(3)
    marks = torch.from_numpy(ndimage.zoom(rng.integers(0, 4, (7, 9)), 8, order=0))
    numbers = torch.tensor([1, 3, 2])
    boxes = torch.tensor([[0.0, 0, 30, 25], [10.3, 5.7, 44.1, 60.2], [40.0, 50, 58, 75]])
    found = ops.inside(marks, numbers, boxes, 14)
    for at, number in enumerate(numbers):
        wanted = ops.roi_align((marks == number)[None].float(), boxes[at : at + 1], 1, 14)[0, 0]
        np.testing.assert_allclose(found[at].numpy(), wanted.numpy(), atol=1e-4)
    assert 0.1 < float(found.mean()) < 0.6


@pytest.mark.parametrize("anchor_px", [6.0, 24.0])
def test_a_box_is_read_from_the_level_of_its_own_size(anchor_px):
    """Not from one of the size of the anchors: at a stride of 8 pixels, an object of 20 has but three cells."""
    net = networks.build({"name": "rcnn", "width": 4, "features": 8, "anchor_px": anchor_px})
    levels = [torch.full((1, 8, 256 // stride, 256 // stride), float(at)) for at, stride in enumerate((4, 8, 16))]
    sides = torch.tensor([10.0, 20.0, 50.0, 60.0, 100.0, 120.0, 200.0])
    boxes = torch.cat([torch.zeros(7, 2), sides[:, None].expand(7, 2)], 1)
    assert net._inside(levels, 0, boxes, 7)[:, 0, 3, 3].tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_views_show_a_square_around_each_object_at_one_size():
    y, x = torch.meshgrid(torch.arange(200.0), torch.arange(240.0), indexing="ij")
    plane = torch.stack([y + 0.5, x + 0.5])
    boxes = torch.tensor([[40.0, 60.0, 60.0, 80.0], [30.0, 50.0, 130.0, 90.0]])  # the second of half the size
    masks = torch.zeros(2, 28, 28)
    masks[:, :14] = 1  # the upper half of each box
    kept, step = naming.views(plane, boxes, masks), (np.arange(naming.VIEW) + 0.5) / naming.VIEW - 0.5
    assert kept.shape[:2] == (2, 3) and kept[0, 0, 0, 0] == pytest.approx(50 - naming.KEPT_AROUND * 10, abs=0.4)
    still = torch.zeros(2)
    found = naming._near(kept, still, still + 1, still, torch.zeros(2, 2))
    assert found[0, 0, :, 0].numpy() == pytest.approx(50 + 24 * step, abs=1e-2)
    assert found[0, 1, 0].numpy() == pytest.approx(70 + 24 * step, abs=1e-2)
    assert found[1, 0, :, 5].numpy() == pytest.approx(80 + 120 * step, abs=1e-2)
    assert float(found[0, 2, 4:15, 4:-4].min()) > 0.9 and found[0, 2, 18:].max() == 0 == found[0, 2, :, 0].max()
    assert float(found[1, 2, 4:15, 12:20].min()) > 0.9 and found[1, 2, :, :9].max() == 0 == found[1, 2, 18:].max()
    noise = torch.randn(1, 200, 240)
    fine, coarse = (naming.views(noise, own, masks[:1])[:, 0].std() for own in (boxes[:1], boxes[1:] * 1.5))
    assert coarse < 0.6 * fine


def test_kept_objects_are_seen_again_from_nearby_turned_only_where_that_tells_nothing():
    y = torch.arange(200.0)[:, None].expand(200, 200)
    boxes, masks = torch.tensor([[80.0, 80.0, 120.0, 120.0]]).repeat(40, 1), torch.ones(40, 28, 28)
    kept = naming.views(torch.stack([y + 0.5, y.T + 0.5]), boxes, masks)
    torch.manual_seed(0)
    for turned in (False, True):
        seen, zoom = naming._shaken(kept, turned)
        down, across = (seen[:, 0].diff(dim=1 + axis).mean((1, 2)) for axis in (0, 1))
        length = torch.sqrt(down**2 + across**2) * naming.VIEW / (40 * naming.AROUND)
        np.testing.assert_allclose(length.numpy(), np.exp(zoom.numpy()), rtol=0.02)
        assert zoom.std() > 0.05 and 1 < float((seen[:, 0].mean((1, 2)) - 100).abs().max()) < 20 * naming.SHIFT + 0.1
        determinant = down * seen[:, 1].diff(dim=2).mean((1, 2)) - across * seen[:, 1].diff(dim=1).mean((1, 2))
        assert bool((determinant < 0).any()) == bool((across.abs() > 0.1).any()) == turned
    net = naming.Naming(channels=2, norm="batch", size_px=20.0, outputs=2, turned=True)
    pixels, kinds = torch.stack([y, y.T])[None], torch.zeros(40, dtype=torch.int64)
    for _ in range(naming.KEPT // 40 + 2):
        net(pixels, [(boxes, kinds, masks)])
    assert [len(part) for part in net.kept] == 3 * [naming.KEPT]
    assert net(pixels, [(boxes[:0], kinds[:0], masks[:0])]) > 0  # of the objects before
    assert net.train().kept == () and net(pixels, [(boxes[:0], kinds[:0], masks[:0])]) == 0


@pytest.mark.parametrize(("turned", "told"), [(False, True), (True, False)])
def test_a_direction_tells_a_kind_only_where_it_may(turned, told):
    def bars(seed):
        """Draw bars that lie or stand: the first kind lies."""
        rng, image = np.random.default_rng(seed), 0.3 * np.random.default_rng(seed).standard_normal((1, 96, 96))
        kinds_, boxes = rng.integers(0, 2, 9), []
        for kind, (cy, cx) in zip(kinds_, np.indices((3, 3)).reshape(2, -1).T * 32 + 16, strict=True):
            high, wide = (3, 12) if kind == 0 else (12, 3)
            image[0, cy - high : cy + high, cx - wide : cx + wide] += 2
            boxes.append([cy - 12, cx - 12, cy + 12, cx + 12])
        return torch.from_numpy(image).float(), torch.tensor(boxes).float(), torch.from_numpy(kinds_)

    torch.manual_seed(0)
    net = naming.Naming(channels=1, norm="batch", size_px=20.0, outputs=2, turned=turned)
    steps, full = torch.optim.AdamW(net.parameters(), lr=3e-3), torch.ones(9, 28, 28)
    for step in range(40):
        image, boxes, own = bars(step)
        steps.zero_grad()
        net(image[None], [(boxes, own, full)]).backward()
        steps.step()
    net.eval()
    with torch.no_grad():
        right = [
            (net.name(image, boxes, full).argmax(1) == own).float().mean()
            for image, boxes, own in map(bars, range(100, 110))
        ]
    assert (np.mean(right) > 0.95) == told and net.name(image, boxes[:0], full[:0]).shape == (0, 2)


def test_of_two_objects_in_a_view_the_one_of_the_mask_is_named():
    """A disc and a bar cross in the same box: nothing but the mask says which of them is meant."""
    y, x = np.mgrid[:24, :24] - 11.5
    forms = torch.from_numpy(np.stack([y**2 + x**2 < 36, (np.abs(y) < 2) & (np.abs(x) < 11)]))
    boxes = torch.tensor([[2.0, 2.0, 26.0, 26.0]]).repeat(2, 1)

    def both(seed):
        image = 0.3 * np.random.default_rng(seed).standard_normal((1, 28, 28)).astype(np.float32)
        image[0, 2:26, 2:26] += forms.any(0).numpy()
        return torch.from_numpy(image)

    torch.manual_seed(0)
    net, kinds_ = naming.Naming(channels=1, norm="batch", size_px=24.0, outputs=2, turned=True), torch.tensor([0, 1])
    steps = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for step in range(30):
        steps.zero_grad()
        net(both(step)[None], [(boxes, kinds_, forms.float())]).backward()
        steps.step()
    net.eval()
    with torch.no_grad():
        named = [net.name(both(seed), boxes, forms.float()).argmax(1).tolist() for seed in range(100, 110)]
    assert named == 10 * [[0, 1]]


def test_boxes_of_a_map_are_those_of_its_objects():
    truth = np.zeros((30, 40), np.int64)
    truth[3:9, 4:12], truth[20:30, 30:40], truth[0, 0] = 300, 7, 255
    numbers, boxes = ops.boxes_of(torch.from_numpy(truth))
    assert numbers.tolist() == [7, 300] and boxes.tolist() == [[20, 30, 30, 40], [3, 4, 9, 12]]


@pytest.mark.parametrize("names", [[], ["cube", "rod", "plate"]])
def test_no_object_has_the_number_that_means_unknown_and_its_remainder_is_its_kind(names):
    regions = np.arange(-1, 599, dtype=np.int32).reshape(20, 30)
    named = {n: names[n % len(names)] for n in range(1, 599)} if names else None
    found = kinds.numbered(regions, named, names)
    assert (found == 255).sum() == 1 and found[0, 0] == 255 and found[0, 1] == 0
    assert len(np.unique(found)) == 600
    if names:
        own = found.ravel()[2:]
        assert all(names[value % 3] == named[n] for n, value in enumerate(own.tolist(), start=1))


def test_the_overlap_is_the_one_that_leaves_no_second_box_of_an_object():
    """One object of two boxes, one in the other (overlap 0.35), beside two objects that overlap by 0.25."""
    boxes = [[0, 0, 20, 40], [5, 9, 19, 29], [50, 50, 70, 70], [50, 62, 70, 82]]
    centres = np.array([[9.5, 19.5], [59.5, 59.5], [59.5, 71.5]])
    value, own = np.array([0.9, 0.8, 0.9, 0.9]), torch.tensor(boxes).float()
    found = {}
    for overlap in network_learning.OVERLAPS:
        kept = np.sort(ops.nms(own, torch.from_numpy(value), overlap).numpy())
        right = np.array([at != 1 for at in kept])
        found[overlap] = [(value[kept], right, len(centres))]
    best = network_learning.best_overlap(found)
    assert best["overlap"] == 0.3 and best["f1"] == 1.0
    tried = dict(best["f1_by_overlap"])
    assert tried[0.1] < 1 and tried[0.2] < 1
    with_second = {0.5: [(np.array([0.9, 0.9, 0.9, 0.95]), np.array([True, True, True, False]), 3)], 0.3: found[0.3]}
    assert network_learning.best_overlap(with_second)["overlap"] == 0.3


def test_a_network_made_quick_says_the_same():
    from matlens.nets.pixel.blocks import quickened

    torch.manual_seed(0)
    net = networks.build({"name": "rcnn", "width": 8, "features": 16})
    with torch.no_grad():
        for _ in range(3):
            net.maps(2 * torch.randn(2, 1, 64, 64) + 1)  # the normalisation has means and variances of its own
    net.eval()
    pixels, before = torch.randn(1, 1, 96, 80), len([m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)])
    with torch.inference_mode():
        plain = net.maps(pixels)
        quick = quickened(net).maps(pixels)
    assert before == 10 and not [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for one, other in zip(plain, quick, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-4 * float(one.abs().max()))


PHASES, NEW = ["ground", "disc"], {"initial": None, "checkpoint": None}


def scene(seed, shape=(96, 96), n=8):
    """Draw ellipses of two brightnesses that the background shares: neither grey level nor a disc tells them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    image, truth = 0.1 * ndimage.gaussian_filter(rng.standard_normal(shape), 6) * 12, np.zeros(shape, np.int32)
    for number in range(1, n + 1):
        cy, cx = rng.uniform(6, shape[0] - 6), rng.uniform(6, shape[1] - 6)
        a, b, angle = rng.uniform(7, 10), rng.uniform(4, 6), rng.uniform(0, np.pi)
        u, v = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle), (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        inside = (u / a) ** 2 + (v / b) ** 2
        if (truth[inside <= 1.6] > 0).any():
            continue
        truth[inside <= 1] = number
        image[(inside <= 1) & (inside > 0.45)] -= 0.5
    return (0.5 + 0.2 * image + 0.03 * rng.standard_normal(shape)).astype(np.float32), truth


QUICK = {
    "centres": {"width": 8, "depth": 2, "epochs": 12, "size_px": 14.0},
    "windows": {"epochs": 20, "min_radius_px": 5.0, "max_radius_px": 10.0, "scales": 3},
    "cascade": {"epochs": 12, "min_radius_px": 4.0, "max_radius_px": 10.0},
    "boxes": {"width": 8, "features": 24, "epochs": 14, "size_px": 14.0},
    "rcnn": {"width": 8, "features": 24, "epochs": 14, "anchor_px": 10.0},
}
SHARED = {"patches": 32, "patch_px": 64, "batch": 4, "learning_rate": 5e-3, "device": "cpu", "blur_px": 0.0}


SLOW = dict.fromkeys(("windows", "boxes", "rcnn"), pytest.mark.slow)  # trainings of half a minute


@pytest.fixture(scope="module", params=[pytest.param(n, marks=SLOW.get(n, ())) for n in detect.LEARNERS])
def learned(request):
    options = {**SHARED, **QUICK[request.param]}
    samples = [(*scene(seed), None, "train" if seed < 5 else "val", f"field_{seed}") for seed in range(7)]
    offered = {"samples": samples, "method": request.param, "phases": PHASES, "options": options, **NEW}
    arrays, card = registry.call(network_learning.learn, offered, options)
    return networks.prepare(arrays, card, device="cpu"), card


def test_objects_never_seen_are_found(learned):
    model, card = learned
    assert card["threshold_of"] == "val" and card["curve"] and 0 < card["threshold"] < 1
    tried = dict(card["f1_by_overlap"])
    assert tuple(tried) == network_learning.OVERLAPS and tried[card["overlap"]] == max(tried.values()) == card["f1"]
    made = [scene(seed) for seed in (90, 91, 92)]
    found = [networks.detect(image, model) for image, _ in made]
    rows = {r["match"]: r for r in scores.score(found, {}, [t for _, t in made], gate_px=5, iou=0.5)}
    assert rows["centre"]["f1"] > 0.7, rows["centre"]
    assert abs(rows["centre"]["size_error"]) < 0.25
    if (found[0]["mask"] != "").any():
        assert rows["mask_iou"]["f1"] > 0.6
    assert found[0]["score"].is_monotonic_decreasing and found[0].attrs["threshold"] == card["threshold"]


def test_a_network_names_the_kinds_of_objects_never_seen():
    def scene_of_kinds(seed):
        """Draw discs and bars of one area: the longer side does not tell them, the shape does."""
        rng, truth, named = np.random.default_rng(seed), np.zeros((96, 96), np.int32), {}
        y, x = np.mgrid[:96, :96]
        for number, (cy, cx) in enumerate(np.indices((3, 3)).reshape(2, -1).T * 32 + 16, start=1):
            cy, cx, bar = cy + rng.uniform(-4, 4), cx + rng.uniform(-4, 4), rng.random() < 0.5
            half = (2.5, 11.0) if bar else (5.9, 5.9)
            truth[((y - cy) / half[0]) ** 2 + ((x - cx) / half[1]) ** 2 <= 1] = number
            named[number] = "bar" if bar else "disc"
        image = 0.5 + 0.2 * (truth > 0) + 0.05 * rng.standard_normal(truth.shape)
        return image.astype(np.float32), truth, named

    phases = ["ground", "disc", "bar"]
    options = {**SHARED, "width": 6, "features": 16, "epochs": 10, "batch": 2, "size_px": 14.0, "rotation": "none"}
    samples = [(*scene_of_kinds(seed), "train" if seed < 6 else "val", str(seed)) for seed in range(7)]
    offered = {"samples": samples, "method": "boxes", "phases": phases, **NEW}
    arrays, card = registry.call(network_learning.learn, {**offered, "options": options}, options)
    assert card["kinds"] == ["disc", "bar"]
    model = networks.prepare(arrays, card, device="cpu")
    made = [scene_of_kinds(seed) for seed in (90, 91, 92)]
    found = [networks.detect(image, model) for image, *_ in made]
    named = [names for *_, names in made]
    row = scores.score(found, {}, [t for _, t, _ in made], named, gate_px=5, iou=0.5)[0]
    assert row["f1"] > 0.7 and row["class_accuracy"] > 0.9 > 0.75 > row["commonest_class"]
    swapped = [{n: "bar" if name == "disc" else "disc" for n, name in names.items()} for names in named]
    other = scores.score(found, {}, [t for _, t, _ in made], swapped, gate_px=5, iou=0.5)[0]
    assert other["class_accuracy"] == pytest.approx(1 - row["class_accuracy"])


def test_a_training_of_kinds_that_goes_on_ends_as_if_it_had_not_stopped(tmp_path, monkeypatch):
    """The objects that are kept for naming are those of the epoch, which a checkpoint need not hold."""
    rng, truth = np.random.default_rng(0), np.zeros((96, 96), np.int32)
    for number, (cy, cx) in enumerate(np.indices((3, 3)).reshape(2, -1).T * 32 + 16, start=1):
        truth[cy - 8 : cy + 8, cx - 5 : cx + 5] = number
    image = (0.3 + 0.2 * (truth > 0) + 0.05 * rng.standard_normal(truth.shape)).astype(np.float32)
    named = {number: "bar" if number % 2 else "disc" for number in range(1, 10)}
    options = {**SHARED, "width": 4, "features": 8, "anchor_px": 10.0, "epochs": 3, "patches": 6, "batch": 2}
    offered = {"samples": [(image, truth, named, "train", "a")], "method": "rcnn", "initial": None, "options": options}

    def learned_at(path):
        given = {**offered, "phases": ["ground", "disc", "bar"], "checkpoint": path}
        return registry.call(network_learning.learn, given, options)[0]

    whole = learned_at(tmp_path / "whole.pt")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(loop, "_report", lambda _, row, *__: (_ for _ in ()).throw(KeyboardInterrupt))
        learned_at(tmp_path / "stopped.pt")
    again = learned_at(tmp_path / "stopped.pt")
    assert any(name.startswith("naming.") for name in whole)
    for name, values in whole.items():
        np.testing.assert_array_equal(again[name], values, err_msg=name)


def test_kinds_come_from_phases_of_a_map_or_from_the_table_of_objects():
    phases, truth = ["ground", "disc", "bar"], np.zeros((20, 20), np.uint8)
    truth[2:5, 2:5], truth[10:12, 3:15], truth[18, 18] = 1, 2, 255
    regions, named = kinds.of_truth(truth, {}, phases)
    assert {named[int(regions[3, 3])], named[int(regions[11, 5])]} == {"disc", "bar"} and regions[18, 18] == -1
    again, told = kinds.of_truth(regions, {"object_phases": {str(n): name for n, name in named.items()}}, phases)
    assert told == named and np.array_equal(again, regions)
    assert kinds.of_truth(regions, {}, phases)[1] is None and kinds.of_truth(truth, {}, phases[:2])[1] is None
    assert kinds.known([(None, regions, named), (None, regions, None)], phases) == []
    assert kinds.known([(None, regions, named), (None, regions * 0, None)], phases) == ["disc", "bar"]


UNTRAINED = {
    "centres": {"width": 6, "depth": 2},
    "windows": {"min_radius_px": 10.0, "max_radius_px": 20.0, "scales": 3},
    "cascade": {"min_radius_px": 4.0, "max_radius_px": 20.0},
    "boxes": {"width": 6, "features": 16, "size_px": 30.0},
    "rcnn": {"width": 6, "features": 16, "anchor_px": 20.0, "outputs": 3},
}
HEADS = {"centres": "unet.outs.0", "boxes": "out", "rcnn": "verdict"}


@pytest.fixture(params=sorted(UNTRAINED))
def untrained(request):
    """Build a network of random weights that finds hundreds of objects of all sizes, also over any seam."""
    torch.manual_seed(3)
    net = networks.build({"name": request.param, **UNTRAINED[request.param]})
    net.train()
    with torch.no_grad():
        for _ in range(4):
            net.maps(torch.randn(2, 1, 64, 64) * 2)
        heads = [net.get_submodule(HEADS[request.param])] if request.param in HEADS else [net.judge[-1]]
        heads += [net.object, net.shift] if request.param == "rcnn" else []
        for head in heads:
            torch.nn.init.normal_(head.weight, std=1.5 / head.weight[0].numel() ** 0.5)
            torch.nn.init.constant_(head.bias, 0.0)
    return net.eval()


def found_in(net, image, tile_px):
    look = {"standardise": True, "magnification": 1.0}
    return networks.searched(image, net, "cpu", look, floor=0.3, overlap=0.4, tile_px=tile_px)


def test_tiles_give_the_answer_of_the_whole(untrained):
    image = np.random.default_rng(5).random((213, 250), np.float32)
    whole, tiled = found_in(untrained, image, 4096), found_in(untrained, image, 64)
    assert len(whole["score"]) > 100 and np.ptp(whole["corner"], 1).max() > 30
    assert len(tiled["score"]) == len(whole["score"])
    near, order = spatial.cKDTree(tiled["corner"].reshape(-1, 4)).query(whole["corner"].reshape(-1, 4))
    assert near.max() < 2e-3 and len(np.unique(order)) == len(order)
    for name in whole:
        np.testing.assert_allclose(tiled[name][order], whole[name], atol=2e-3, err_msg=name)


def test_a_cell_sees_no_further_than_the_network_says(untrained):
    rng = np.random.default_rng(0)
    one = torch.from_numpy(rng.standard_normal((1, 1, 448, 448)).astype(np.float32))
    two, at, reach = one.clone(), 224, untrained.radius + untrained.stride
    two[..., at : at + 16, at : at + 16] += 5
    with torch.no_grad():
        for before, after in zip(untrained.maps(one), untrained.maps(two), strict=True):
            moved = torch.nonzero((before != after).any(1)[0])
            cell = 448 // before.shape[2]
            assert int(moved.min()) * cell >= at - reach and (int(moved.max()) + 1) * cell <= at + 16 + reach


def test_any_size_of_image_and_none_of_its_objects(learned):
    model, _ = learned
    for shape in ((40, 23), (5, 7), (1, 1)):
        found = networks.detect(np.full(shape, 0.5, np.float32), model, threshold=0.999)
        assert len(found) == 0 and {"score", *objects.PLACE, *objects.BOX, *objects.SHAPE, "mask"} <= set(found)


def test_an_image_without_objects_trains_to_finite_numbers():
    blank = (np.random.default_rng(0).random((64, 64)).astype(np.float32), np.zeros((64, 64), np.int32))
    for method in detect.LEARNERS:
        options = {**SHARED, **QUICK[method], "epochs": 1, "patches": 8}
        samples = [(*scene(0), None, "train", "a"), (*blank, None, "train", "b"), (*blank, None, "val", "c")]
        offered = {"samples": samples, "method": method, "phases": PHASES, "options": options, **NEW}
        arrays, card = registry.call(network_learning.learn, offered, options)
        assert all(np.isfinite(part).all() for part in arrays.values())
        assert card["threshold_of"] == "train" and card["f1"] >= 0  # an image without objects does not judge
        with pytest.raises(BadItem, match="no object to learn from"):
            registry.call(network_learning.learn, {**offered, "samples": samples[1:]}, options)


def test_a_network_goes_from_training_to_pooled_scores(tmp_path):
    import pandas as pd
    from matlens.store import io
    from scripts import detect as apply
    from scripts import detect_summary, learn

    roles = ["train", "val", "test"]
    with io.write_arrays(tmp_path / "i") as images, io.write_arrays(tmp_path / "t") as truths:
        for key, role in enumerate(roles):
            image, truth = scene(key)
            words = {"item": role, "pixel_size_um": 0.5, "intensity_low": 0.0, "intensity_high": 1.0}
            images.add(key, image, "yx", words)
            truths.add(key, truth, "yx", words)
    io.write_table(tmp_path / "x", pd.DataFrame({"item": roles, "key": range(3), "split": roles, "axes": "yx"}))
    options = {**SHARED, **QUICK["centres"], "epochs": 1, "patches": 8, "threshold": "auto"}
    learned = [tmp_path / name for name in ("weights", "card", "history")]
    given = [tmp_path / "i"], [tmp_path / "t"], tmp_path / "x", []
    learn.main(*given, "detect", "centres.a", options, ["ground", "disc"], *map(str, learned))
    card = io.read_json(learned[1])
    assert card["method"] == "centres" and card["items"]["val"] == ["val"] and len(io.read_table(learned[2])) == 1
    out = {name: tmp_path / name for name in ("detections", "missed", "detection_scores", "ranked", "rejected")}
    settings = {"gate_px": 10.0, "iou": 0.5}
    weights, described = learned[:2]
    apply.main(
        tmp_path / "i", tmp_path / "t", tmp_path / "x", "centres.a", options, ["ground", "disc"], settings, out,
        card=described, weights=weights,
    )  # fmt: skip
    assert not len(io.read_table(out["rejected"]))
    tables = tmp_path / "summary", tmp_path / "curve"
    detect_summary.main(out["detection_scores"], out["ranked"], *tables)
    pooled = io.read_table(tables[0])
    assert set(pooled.split) == set(roles) and {"", "constant", "nothing", "shuffled"} == set(pooled.control)


def test_validation_images_without_an_object_do_not_judge():
    image, empty = np.zeros((8, 8), np.float32), np.zeros((8, 8), int)
    train = (image, np.eye(8, dtype=int), None, "train", "a")
    bare, other = (image, empty, None, "val", "b"), (image, np.eye(8, dtype=int), None, "val", "c")
    assert [len(part) for part in network_learning._usable([train, bare])] == [1, 0]
    assert [len(part) for part in network_learning._usable([train, bare, other])] == [1, 2]
