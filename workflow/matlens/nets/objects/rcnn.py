"""Two stages: a first network proposes boxes, a second one judges and corrects each twice, and fills it with a mask.

Source: S. Ren et al., NeurIPS 2015 (proposals); K. He et al., ICCV 2017 (masks); Z. Cai, N. Vasconcelos, CVPR 2018
(corrected twice, here with shared layers); in a size that a CPU trains. Kinds are named by `naming`.
"""

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.objects import ops
from matlens.nets.objects.naming import Naming
from matlens.nets.objects.pyramid import STRIDES, Pyramid

RATIOS = (0.5, 1.0, 2.0)
OCTAVE = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))  # sizes of anchors within a level
BOX_SIDE, MASK_SIDE = 7, 14  # of the grids that are sampled in a proposal; a mask has twice as many cells
SEEN_PX = BOX_SIDE * STRIDES[0]  # a box of 1 to 2 times this side is read from the finest level: from 7 to 14 cells
PRIOR = -4.0  # first logit of an object: most anchors show none
SAMPLED = (128, 64)  # anchors and proposals of an image that are learned from
FILLED = 12  # boxes of an image whose mask is learned from
AGAIN = 0.6  # overlap with an object from which a box that was corrected once is right
LOOSE = 0.7  # overlap above which the less sure of two boxes is dropped before the second correction
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
    side of the smallest anchors, the largest are 6.3 times as large; `turned`: the direction of an object tells nothing
    of its kind.
    """

    stride = STRIDES[-1]

    def __init__(
        self, *, channels: int = 1, width: int = 12, features: int = 48, norm: str = "batch", anchor_px: float = 16.0,
        outputs: int = 1, turned: bool = True,
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
        # An object or not, and the correction of its box; the second one of the box that the first one corrected.
        self.verdict, self.second = (nn.Linear(128, 5) for _ in range(2))
        for last in (self.verdict, self.second):
            nn.init.normal_(last.weight, std=0.01)
            nn.init.zeros_(last.bias)
        self.outputs = outputs
        if outputs > 1:
            self.naming = Naming(channels=channels, norm=norm, size_px=2 * anchor_px, outputs=outputs, turned=turned)
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
        side_px = ops.areas(boxes).clamp(min=1).sqrt()
        level = torch.log2(side_px / SEEN_PX).floor()
        level = level.clamp(0, len(seen) - 1).long()
        out = seen[0].new_zeros(len(boxes), seen[0].shape[1], side, side)
        for at, part in enumerate(seen):
            own = torch.nonzero(level == at)[:, 0]
            if len(own):
                out[own] = ops.roi_align(part[image], boxes[own], STRIDES[at], side).to(out.dtype)
        return out

    def forward(self, pixels: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch whose objects are numbered in `truth` (255: unknown)."""
        seen, size = self.pyramid(pixels), tuple(pixels.shape[2:])
        anchors, logits, codes = self._first(seen)
        objects = [ops.boxes_of(marks) for marks in truth]
        parts = [
            self._learned(seen, at, anchors, logits[at], codes[at], truth[at], size, *objects[at])
            for at in range(len(pixels))
        ]
        value = sum(parts) / len(parts)
        if self.outputs > 1:
            shown = [
                (boxes, numbers % self.outputs, self._shown(seen, at, truth[at], numbers, boxes))
                for at, (numbers, boxes) in enumerate(objects)
            ]
            value = value + self.naming(pixels, shown)
        return value

    def _shown(self, seen: list[torch.Tensor], image: int, truth, numbers, boxes) -> torch.Tensor:
        """Return masks of objects to name them by: of every second one as it is, else as the network fills it."""
        with torch.no_grad():
            true = ops.inside(truth, numbers, boxes, 2 * MASK_SIDE)
            own = torch.rand(len(boxes), 1, 1, device=boxes.device) < 0.5
            return torch.where(own, true, self._filled(seen, image, boxes))

    def _filled(self, seen: list[torch.Tensor], image: int, boxes: torch.Tensor) -> torch.Tensor:
        """Return the masks (n, cells, cells) of boxes, as probabilities."""
        parts = [self.fill(self._inside(seen, image, part, MASK_SIDE)).float()[:, 0] for part in boxes.split(256)]
        return torch.sigmoid(torch.cat([boxes.new_zeros(0, 2 * MASK_SIDE, 2 * MASK_SIDE), *parts]))

    def maps(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Return what the objects of images (batch, channels, y, x) are read from: the features of the pyramid, and the
        images where kinds are named."""
        seen = self.pyramid(pixels)
        return [*seen, pixels] if self.outputs > 1 else seen

    def find(self, maps: list[torch.Tensor], size: tuple[int, int], floor: float, overlap: float):
        """Return box (n, 4), score (n,) from `floor`, mask (n, cells, cells) and kind (n, kinds) of the objects of an
        image of a size (rows, columns)."""
        seen = maps[: len(STRIDES)]
        boxes = self._proposals(*(part if at == 0 else part[0] for at, part in enumerate(self._first(seen))), size)
        boxes, scores = self._judged(seen, boxes, self.verdict)
        boxes, good = ops.fitting(boxes, size)
        kept = torch.nonzero(good & (scores >= floor / 2))[:, 0]
        kept = kept[ops.nms(boxes[kept], scores[kept], LOOSE)]
        boxes, again = self._judged(seen, boxes[kept], self.second)
        scores = (scores[kept] + again) / 2
        boxes, good = ops.fitting(boxes, size)
        good &= scores >= floor
        kept = torch.nonzero(good)[:, 0][ops.nms(boxes[good], scores[good], overlap)]
        boxes, found = boxes[kept], {"box": boxes[kept], "score": scores[kept]}
        found["mask"] = self._filled(seen, 0, boxes)
        if self.outputs > 1:
            parts = zip(boxes.split(256), found["mask"].split(256), strict=True)
            found["kind"] = torch.cat([self.naming.name(maps[-1][0], *part) for part in parts])
        return found

    def _judged(self, seen: list[torch.Tensor], boxes: torch.Tensor, verdict: nn.Module):
        """Return boxes as a verdict corrects them, and their scores."""
        made = [verdict(self.judge(self._inside(seen, 0, part, BOX_SIDE))) for part in boxes.split(1024)]
        made = torch.cat([boxes.new_zeros(0, 5), *made]).float()
        return ops.decode(made[:, 1:] / 5, boxes), torch.sigmoid(made[:, 0])

    def _learned(self, seen, image: int, anchors, logits, codes, truth, size, numbers, boxes) -> torch.Tensor:
        """Return the loss of one image with the objects of `numbers` in `boxes`: all stages and the masks."""
        known = truth != 255
        overlap, own = _nearest(anchors, boxes, known)
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
            overlap, own = _nearest(found, boxes, known)
            right, wrong = sampled(overlap, 0.5, 0.5, SAMPLED[1], 0.4)
            found, own = found[torch.cat([right, wrong])], own[right]
        if not len(found):
            return value
        first, moved = self._verdict_loss(self.verdict, seen, image, found, boxes[own], len(right))
        with torch.no_grad():
            moved, good = ops.fitting(moved, size)
            moved = moved[good]
            overlap, of = _nearest(moved, boxes, known)
            right, wrong = (
                torch.nonzero(part)[:, 0] for part in (overlap >= AGAIN, (overlap < AGAIN) & (overlap >= 0))
            )
        again, _ = self._verdict_loss(
            self.second, seen, image, moved[torch.cat([right, wrong])], boxes[of[right]], len(right)
        )
        value = value + first + again
        few = torch.randperm(len(own), device=own.device)[:FILLED]
        if len(few):
            filled = self.fill(self._inside(seen, image, found[few], MASK_SIDE)).float()[:, 0]
            inside = ops.inside(truth, numbers[own[few]], found[few], 2 * MASK_SIDE)
            value = value + functional.binary_cross_entropy_with_logits(filled, inside)
        return value

    def _verdict_loss(self, verdict: nn.Module, seen, image: int, found, wanted, count: int):
        """Return the loss of a verdict on boxes, the first `count` of which are of the objects in the boxes `wanted`,
        and the boxes as it corrects them."""
        judged = verdict(self.judge(self._inside(seen, image, found, BOX_SIDE))).float()
        value = _object_loss(judged[:count, 0], judged[count:, 0])
        if count:
            codes = 5 * ops.encode(wanted, found[:count])
            value = value + functional.smooth_l1_loss(judged[:count, 1:], codes, beta=1.0)
        return value, ops.decode(judged[:, 1:] / 5, found).detach()


def _nearest(found: torch.Tensor, boxes: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return for each box the largest overlap with an object, -1 where the map is not known, and which object."""
    overlap, own = torch.zeros(len(found), device=found.device), torch.zeros(len(found), device=found.device).long()
    if len(boxes):
        overlap, own = ops.iou(found, boxes).max(1)
    return torch.where(ops.on(known, found), overlap, torch.full_like(overlap, -1.0)), own


def _jittered(boxes: torch.Tensor, size) -> torch.Tensor:
    """Move the sides of true boxes by up to a sixth: proposals that are right from the first step on."""
    sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    return ops.clipped(boxes + (torch.rand_like(boxes) - 0.5) / 3 * sides, size)


def _object_loss(right: torch.Tensor, wrong: torch.Tensor) -> torch.Tensor:
    """Return the mean cross entropy of logits of objects and of none."""
    both = torch.cat([functional.softplus(-right), functional.softplus(wrong)])
    return both.mean() if len(both) else both.sum()
