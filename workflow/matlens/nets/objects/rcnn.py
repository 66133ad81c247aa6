"""Two stages: a first network proposes boxes, a second one judges, corrects and fills each with a mask.

Source: S. Ren et al., NeurIPS 2015 (proposals); K. He et al., ICCV 2017 (masks); in a size that a CPU trains.
"""

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.objects import ops
from matlens.nets.objects.pyramid import STRIDES, Pyramid

RATIOS = (0.5, 1.0, 2.0)
OCTAVE = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))  # sizes of anchors within a level
BOX_SIDE, MASK_SIDE = 7, 14  # of the grids that are sampled in a proposal; a mask has twice as many cells
PRIOR = -4.0  # first logit of an object: most anchors show none
SAMPLED = (128, 64)  # anchors and proposals of an image that are learned from
FIELD_PX = 512  # edge of the field for which the next two are meant; a larger image has more, as its area
MOST = {True: 600, False: 3000}  # anchors of a field that may become proposals, in training or not
KEPT = {True: 200, False: 1000}  # proposals of a field
SURE = -3.5  # logit of an anchor from which it is proposed: no quota, or a crowded image would lose objects


def sampled(overlap: torch.Tensor, low: float, high: float, count: int, share: float):
    """Draw rows to learn from: indices of right and of wrong ones, at most `share` of the `count` right.

    `overlap`: the largest one of each row with an object; right from `high`, wrong below `low`.
    """
    right, wrong = (torch.nonzero(part)[:, 0] for part in (overlap >= high, (overlap < low) & (overlap >= 0)))
    right = right[torch.randperm(len(right), device=right.device)[: int(count * share)]]
    return right, wrong[torch.randperm(len(wrong), device=wrong.device)[: count - len(right)]]


class RCNN(nn.Module):
    """A two-stage detector with masks, of `outputs` kinds of objects.

    `width` of the finest level of the encoder, doubled at each of 4 poolings; `features` of the pyramid; `anchor_px`:
    side of the smallest anchors, the largest are 6.3 times as large.
    """

    stride = STRIDES[-1]

    def __init__(
        self, *, channels: int = 1, width: int = 12, features: int = 48, norm: str = "batch", anchor_px: float = 16.0,
        outputs: int = 1,
    ):  # fmt: skip
        super().__init__()
        self.pyramid = Pyramid(channels=channels, width=width, norm=norm, features=features)
        self.anchor_px = anchor_px
        self.radius = self.pyramid.radius
        kinds = len(RATIOS) * len(OCTAVE)
        self.shared = nn.Conv2d(features, features, 3, padding=1)
        self.object, self.shift = nn.Conv2d(features, kinds, 1), nn.Conv2d(features, 4 * kinds, 1)
        nn.init.normal_(self.object.weight, std=0.01)
        nn.init.normal_(self.shift.weight, std=0.01)
        nn.init.constant_(self.object.bias, PRIOR)
        self.judge = nn.Sequential(
            nn.Flatten(), nn.Linear(features * BOX_SIDE**2, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()
        )
        self.verdict = nn.Linear(128, 5)  # an object or not, and the correction of its box
        nn.init.normal_(self.verdict.weight, std=0.01)
        nn.init.zeros_(self.verdict.bias)
        self.outputs = outputs
        if outputs > 1:
            self.kind = nn.Linear(128, outputs)
        self.fill = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1), nn.ReLU(), nn.Conv2d(features, features, 3, padding=1),
            nn.ReLU(), nn.ConvTranspose2d(features, features, 2, stride=2), nn.ReLU(), nn.Conv2d(features, 1, 1),
        )  # fmt: skip

    def _first(self, seen: list[torch.Tensor]):
        """Return anchors, logits and codes of the first stage: (n, 4), (batch, n), (batch, n, 4)."""
        anchors, logits, codes = [], [], []
        for level, part in enumerate(seen):
            shared = functional.relu(self.shared(part))
            sizes = [self.anchor_px * 2**level * step for step in OCTAVE]
            anchors.append(ops.anchors(part.shape[2:], STRIDES[level], sizes, RATIOS, part.device))
            logits.append(self.object(shared).permute(0, 2, 3, 1).reshape(len(part), -1))
            codes.append(self.shift(shared).permute(0, 2, 3, 1).reshape(len(part), -1, 4))
        return torch.cat(anchors), torch.cat(logits, 1).float(), torch.cat(codes, 1).float()

    def _proposals(self, anchors, logits, codes, size) -> torch.Tensor:
        """Return the best boxes of the first stage for one image."""
        fields = max(1.0, size[0] * size[1] / FIELD_PX**2)
        best = torch.topk(logits, min(len(logits), round(fields * MOST[self.training]))).indices
        if not self.training:
            best = best[logits[best] >= SURE]
        boxes = ops.clipped(ops.decode(codes[best], anchors[best]), size)
        large = (boxes[:, 2:] - boxes[:, :2]).amin(1) >= 2
        boxes, best = boxes[large], best[large]
        return boxes[ops.nms(boxes, logits[best], 0.7)][: round(fields * KEPT[self.training])]

    def _inside(self, seen: list[torch.Tensor], image: int, boxes: torch.Tensor, side: int) -> torch.Tensor:
        """Sample the features of boxes, each at the level of its size."""
        level = torch.log2(ops.areas(boxes).clamp(min=1).sqrt() / self.anchor_px / 1.26).round()
        level = level.clamp(0, len(seen) - 1).long()
        out = seen[0].new_zeros(len(boxes), seen[0].shape[1], side, side)
        for at, part in enumerate(seen):
            own = torch.nonzero(level == at)[:, 0]
            if len(own):
                out[own] = ops.roi_align(part[image], boxes[own], STRIDES[at], side).to(out.dtype)
        return out

    def forward(self, pixels: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch whose objects are numbered in `truth` (255: unknown)."""
        seen, size = self.maps(pixels), tuple(pixels.shape[2:])
        anchors, logits, codes = self._first(seen)
        parts = [self._learned(seen, at, anchors, logits[at], codes[at], truth[at], size) for at in range(len(pixels))]
        return sum(parts) / len(parts)

    def maps(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Return what the objects of images (batch, channels, y, x) are read from: the features of the pyramid."""
        return self.pyramid(pixels)

    def find(self, maps: list[torch.Tensor], size: tuple[int, int], floor: float, overlap: float):
        """Return box (n, 4), score (n,) from `floor`, mask (n, cells, cells) and kind (n, kinds) of the objects of an
        image of a size (rows, columns)."""
        boxes = self._proposals(*(part if at == 0 else part[0] for at, part in enumerate(self._first(maps))), size)
        seen = [self.judge(self._inside(maps, 0, part, BOX_SIDE)) for part in boxes.split(1024)]
        seen = torch.cat([boxes.new_zeros(0, self.verdict.in_features), *seen])
        judged = self.verdict(seen).float()
        boxes, good = ops.fitting(ops.decode(judged[:, 1:] / 5, boxes), size)
        scores = torch.sigmoid(judged[:, 0])
        good &= scores >= floor
        kept = torch.nonzero(good)[:, 0][ops.nms(boxes[good], scores[good], overlap)]
        boxes, found = boxes[kept], {"box": boxes[kept], "score": scores[kept]}
        if self.outputs > 1:
            found["kind"] = torch.softmax(self.kind(seen[kept]).float(), 1)
        masks = [self.fill(self._inside(maps, 0, part, MASK_SIDE)).float()[:, 0] for part in boxes.split(256)]
        masks = torch.cat([boxes.new_zeros(0, 2 * MASK_SIDE, 2 * MASK_SIDE), *masks])
        return {**found, "mask": torch.sigmoid(masks)}

    def _learned(self, seen, image: int, anchors, logits, codes, truth, size) -> torch.Tensor:
        """Return the loss of one image: both stages and the masks."""
        numbers, boxes = ops.boxes_of(truth)
        known = truth != 255
        overlap, own = _nearest(anchors, boxes)
        overlap = torch.where(ops.on(known, anchors), overlap, torch.full_like(overlap, -1.0))
        if len(boxes):
            best = ops.iou(anchors, boxes).argmax(0)  # every object has an anchor
            overlap[best], own[best] = 1.0, torch.arange(len(boxes), device=own.device)
        right, wrong = sampled(overlap, 0.3, 0.5, SAMPLED[0], 0.5)
        value = _object_loss(logits[right], logits[wrong])
        if len(right):
            wanted = ops.encode(boxes[own[right]], anchors[right])
            value = value + functional.smooth_l1_loss(codes[right], wanted, beta=0.1)
        with torch.no_grad():
            found = torch.cat([self._proposals(anchors, logits.detach(), codes.detach(), size), _jittered(boxes, size)])
            overlap, own = _nearest(found, boxes)
            overlap = torch.where(ops.on(known, found), overlap, torch.full_like(overlap, -1.0))
            right, wrong = sampled(overlap, 0.5, 0.5, SAMPLED[1], 0.4)
            found, own = found[torch.cat([right, wrong])], own[right]
        if not len(found):
            return value
        inner = self.judge(self._inside(seen, image, found, BOX_SIDE))
        judged, n = self.verdict(inner).float(), len(right)
        value = value + _object_loss(judged[:n, 0], judged[n:, 0])
        if n:
            wanted = 5 * ops.encode(boxes[own], found[:n])
            value = value + functional.smooth_l1_loss(judged[:n, 1:], wanted, beta=1.0)
            if self.outputs > 1:
                value = value + functional.cross_entropy(self.kind(inner[:n]).float(), numbers[own] % self.outputs)
            filled = self.fill(self._inside(seen, image, found[:n], MASK_SIDE)).float()[:, 0]
            inside = torch.cat(
                [
                    ops.roi_align((truth == number)[None].float(), box[None], 1, 2 * MASK_SIDE)[0]
                    for number, box in zip(numbers[own], found[:n], strict=True)
                ]
            )
            value = value + functional.binary_cross_entropy_with_logits(filled, inside)
        return value


def _nearest(found: torch.Tensor, boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return for each box the largest overlap with an object, and which one."""
    if not len(boxes):
        zero = torch.zeros(len(found), device=found.device)
        return zero, zero.long()
    return ops.iou(found, boxes).max(1)


def _jittered(boxes: torch.Tensor, size) -> torch.Tensor:
    """Move the sides of true boxes by up to a sixth: proposals that are right from the first step on."""
    sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    return ops.clipped(boxes + (torch.rand_like(boxes) - 0.5) / 3 * sides, size)


def _object_loss(right: torch.Tensor, wrong: torch.Tensor) -> torch.Tensor:
    """Return the mean cross entropy of logits of objects and of none."""
    both = torch.cat([functional.softplus(-right), functional.softplus(wrong)])
    return both.mean() if len(both) else both.sum()
