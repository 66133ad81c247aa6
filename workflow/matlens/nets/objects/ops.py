"""Boxes (n, 4) as y0, x0, y1, x1 in pixels: overlap, suppression, coding, and features sampled inside them."""

import math

import numpy as np
import torch
from torch.nn import functional

FEW = 600  # boxes, all of whose pairs are compared
LARGEST = math.log(1000.0 / 16)  # of a predicted logarithm of a ratio of sides


def areas(boxes: torch.Tensor) -> torch.Tensor:
    """Return the areas of boxes; 0 where a side is negative."""
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1)


def iou(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return the intersection over union of all pairs of boxes: (n, m)."""
    low = torch.maximum(one[:, None, :2], other[None, :, :2])
    high = torch.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(2)
    return shared / (areas(one)[:, None] + areas(other)[None] - shared).clamp(min=1e-6)


def clashes(boxes: torch.Tensor, overlap: float) -> torch.Tensor:
    """List the pairs of boxes that overlap by more than `overlap` (IoU): indices (n, 2), every pair once.

    Along each axis the centres of such boxes lie within (1 - overlap) larger sides, and the smaller side is more than
    `overlap` of the larger. So boxes of each octave of sides are compared with their neighbours in a grid alone.
    """
    if len(boxes) <= FEW:
        share = torch.triu(iou(boxes, boxes), 1)
        return torch.nonzero(share > overlap)
    centre, side = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).amax(1).clamp(min=1e-3)
    octave, pairs = torch.log2(side).floor(), [boxes.new_zeros(0, 2).long()]
    for level in torch.unique(octave).tolist():
        reach = max(1 - overlap, 0.01) * 2 ** (level + 1)
        large = torch.nonzero(octave == level)[:, 0]
        other = torch.nonzero((octave <= level) & (side > 0.99 * overlap * 2**level))[:, 0]
        cell = (centre / reach).floor().long()
        cell = cell - cell.amin(0) + 1
        wide = int(cell[:, 1].max()) + 2
        place = cell[:, 0] * wide + cell[:, 1]
        other = other[torch.argsort(place[other], stable=True)]
        for row in (-wide, 0, wide):
            first, last = (
                torch.searchsorted(place[other], place[large] + row + step, right=step > 0) for step in (-1, 1)
            )
            count = last - first
            one = torch.repeat_interleave(large, count)
            skipped = torch.repeat_interleave(first - count.cumsum(0) + count, count)
            two = other[skipped + torch.arange(len(one), device=one.device)]
            once = torch.nonzero((octave[two] < level) | (one < two))[:, 0]
            one, two = one[once], two[once]
            near = torch.nonzero(iou_of_pairs(boxes[one], boxes[two]) > overlap)[:, 0]
            pairs.append(torch.stack([one[near], two[near]], 1))
    return torch.cat(pairs)


def nms(boxes: torch.Tensor, scores: torch.Tensor, overlap: float) -> torch.Tensor:
    """Keep of boxes that overlap by more than `overlap` (IoU) the one of higher score: indices, best first.

    Of equal scores the earlier row counts. Time and memory grow with the number of boxes, not with its square.
    """
    order = torch.argsort(scores, descending=True, stable=True)
    pairs = torch.sort(clashes(boxes[order], overlap), 1).values.cpu().numpy()
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    better, first = np.unique(pairs[:, 0], return_index=True)
    kept, ends = np.ones(len(order), bool), [*first.tolist(), len(pairs)]
    for at, start, end in zip(better.tolist(), ends, ends[1:], strict=False):
        if kept[at]:
            kept[pairs[start:end, 1]] = False
    return order[torch.from_numpy(kept).to(order.device)]


def encode(boxes: torch.Tensor, anchors: torch.Tensor) -> torch.Tensor:
    """Write boxes relative to anchors: shifts over the sides of the anchor, logarithms of the ratios of sides.

    Source: R. Girshick et al., CVPR 2014, appendix C.
    """
    sides, base = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
    shift = (boxes[:, :2] + boxes[:, 2:] - anchors[:, :2] - anchors[:, 2:]) / 2
    return torch.cat([shift / base, torch.log(sides / base)], 1)


def decode(codes: torch.Tensor, anchors: torch.Tensor) -> torch.Tensor:
    """Return the boxes of codes, see `encode`."""
    base = anchors[:, 2:] - anchors[:, :2]
    centre = (anchors[:, :2] + anchors[:, 2:]) / 2 + codes[:, :2] * base
    half = base * torch.exp(codes[:, 2:].clamp(max=LARGEST)) / 2
    return torch.cat([centre - half, centre + half], 1)


def clipped(boxes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Cut boxes to an image of a size (rows, columns)."""
    limit = torch.tensor([*size, *size], dtype=boxes.dtype, device=boxes.device)
    return torch.minimum(boxes.clamp(min=0), limit)


def fitting(boxes: torch.Tensor, size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut boxes to an image, and return which are an object of it: centre inside, and sides of a pixel or more."""
    centre, limit = (boxes[:, :2] + boxes[:, 2:]) / 2, torch.tensor(size, dtype=boxes.dtype, device=boxes.device)
    inside = ((centre >= 0) & (centre < limit)).all(1)
    boxes = clipped(boxes, size)
    return boxes, inside & ((boxes[:, 2:] - boxes[:, :2]).amin(1) >= 1)


def roi_align(features: torch.Tensor, boxes: torch.Tensor, stride: int, side: int) -> torch.Tensor:
    """Sample the features (channels, y, x) of one image at a grid of `side` cells in every box: (n, channels, side,
    side).

    `stride`: pixels of the image per cell of the features. One bilinear sample in the middle of each grid cell.
    Source: K. He et al., ICCV 2017, section 3, with one sample in place of four.
    """
    step = (torch.arange(side, device=boxes.device, dtype=boxes.dtype) + 0.5) / side
    size = torch.tensor(features.shape[1:], device=boxes.device, dtype=boxes.dtype) * stride
    y, x = (
        (2 * (boxes[:, at, None] + step * (boxes[:, at + 2] - boxes[:, at])[:, None]) / size[at] - 1) for at in (0, 1)
    )
    grid = torch.stack([x[:, None, :].expand(-1, side, -1), y[:, :, None].expand(-1, -1, side)], -1)
    found = functional.grid_sample(
        features[None], grid.reshape(1, -1, side, 2), "bilinear", "border", align_corners=False
    )
    return found[0].reshape(len(features), len(boxes), side, side).transpose(0, 1)


def inside(marks: torch.Tensor, numbers: torch.Tensor, boxes: torch.Tensor, side: int) -> torch.Tensor:
    """Sample where the object of each box is, in a map of numbered objects (y, x): (n, side, side), between 0 and 1.

    The samples are those of `roi_align`.
    """
    step = (torch.arange(side, device=boxes.device, dtype=boxes.dtype) + 0.5) / side
    low, part = [], []
    for at, count in enumerate(marks.shape):
        place = boxes[:, at, None] + step * (boxes[:, at + 2] - boxes[:, at])[:, None] - 0.5
        place = place.clamp(0, count - 1)
        low.append(place.floor().long().clamp(max=max(count - 2, 0)))
        part.append(place - low[-1])
    made = boxes.new_zeros(len(boxes), side, side)
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        y, x = ((place + step).clamp(max=n - 1) for place, step, n in zip(low, (down, right), marks.shape, strict=True))
        own = marks[y[:, :, None], x[:, None, :]] == numbers[:, None, None]
        weight = (part[0] if down else 1 - part[0])[:, :, None] * (part[1] if right else 1 - part[1])[:, None, :]
        made += weight * own
    return made


def anchors(shape: tuple[int, int], stride: int, sizes: list[float], ratios: tuple, device) -> torch.Tensor:
    """List the anchors of a grid of cells: (rows * columns * kinds, 4); `sizes` are roots of areas, in pixels."""
    y, x = ((torch.arange(n, device=device, dtype=torch.float32) + 0.5) * stride for n in shape)
    centre = torch.stack([y[:, None].expand(*shape), x[None].expand(*shape)], -1).reshape(-1, 1, 2)
    half = torch.tensor([[s * r**0.5 / 2, s / r**0.5 / 2] for s in sizes for r in ratios], device=device)
    return torch.cat([centre - half, centre + half], -1).reshape(-1, 4)


def boxes_of(truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """List the numbers and boxes of the objects of a map (y, x); those of less than 2 pixels a side are left out."""
    y, x = torch.nonzero((truth > 0) & (truth != 255), as_tuple=True)
    numbers, own = torch.unique(truth[y, x], return_inverse=True)
    ends = torch.full((4, len(numbers)), 0.0, device=truth.device)
    for at, values in enumerate((y, x)):
        whole = values.float()
        ends[at] = ends[at].scatter_reduce(0, own, whole, "amin", include_self=False)
        ends[at + 2] = ends[at + 2].scatter_reduce(0, own, whole + 1, "amax", include_self=False)
    boxes = ends.T
    large = (boxes[:, 2:] - boxes[:, :2]).amin(1) >= 2 if len(boxes) else torch.zeros(0, dtype=torch.bool)
    return numbers[large], boxes[large]


def sided(places: torch.Tensor, sides: torch.Tensor) -> torch.Tensor:
    """Return the boxes around places (n, 2) whose sides lie `sides` (n, 4) above, left, below and right of them."""
    return torch.cat([places - sides[:, :2], places + sides[:, 2:]], 1)


def iou_of_pairs(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return the intersection over union of boxes row by row: (n,)."""
    low, high = torch.maximum(one[:, :2], other[:, :2]), torch.minimum(one[:, 2:], other[:, 2:])
    shared = (high - low).clamp(min=0).prod(1)
    return shared / (areas(one) + areas(other) - shared).clamp(min=1e-6)


def on(known: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Return whether the centre of each box is labelled."""
    centre = ((boxes[:, :2] + boxes[:, 2:]) / 2).long()
    return known[centre[:, 0].clamp(0, known.shape[0] - 1), centre[:, 1].clamp(0, known.shape[1] - 1)]
