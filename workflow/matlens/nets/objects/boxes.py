"""One stage: every cell of a feature pyramid says whether an object is there, and how far its sides are.

Source: Z. Tian et al., ICCV 2019 (FCOS), with the cells near the middle of a box as right ones, and no centreness.
"""

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.objects import ops
from matlens.nets.objects.pyramid import STRIDES, Pyramid

PRIOR = -4.0  # first logit of an object: most cells show none
MIDDLE = 0.5  # part of a box, around its middle, whose cells answer for it
ALPHA, GAMMA = 0.25, 2.0  # of the focal loss (T.-Y. Lin et al., ICCV 2017)


class Boxes(nn.Module):
    """A one-stage detector, of `outputs` kinds of objects.

    `width` of the finest level of the encoder, doubled at each of 4 poolings; `features` of the pyramid; `size_px`:
    side of the objects for which the finest level answers; each coarser one answers for twice that.
    """

    stride = STRIDES[-1]

    def __init__(
        self, *, channels: int = 1, width: int = 12, features: int = 48, norm: str = "batch", size_px: float = 20.0,
        outputs: int = 1,
    ):  # fmt: skip
        super().__init__()
        self.pyramid = Pyramid(channels=channels, width=width, norm=norm, features=features)
        self.radius, self.size_px = self.pyramid.radius + STRIDES[-1], size_px
        self.shared = nn.Conv2d(features, features, 3, padding=1)
        self.outputs, more = outputs, outputs if outputs > 1 else 0
        self.out = nn.Conv2d(features, 5 + more, 1)
        nn.init.normal_(self.out.weight, std=0.01)
        self.out.bias.data = torch.tensor([PRIOR, *[0.0] * (4 + more)])

    def maps(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Return what the objects of images (batch, channels, y, x) are read from: logits and sides at every level."""
        return [self.out(functional.relu(self.shared(part))) for part in self.pyramid(pixels)]

    def _answers(self, maps: list[torch.Tensor]):
        """Return the centres of the cells (n, 2), their levels' sizes (n,), logits (batch, n), sides (batch, n, 4),
        and logits of the kinds (batch, n, kinds)."""
        places, sizes, answers = [], [], []
        for level, part in enumerate(maps):
            y, x = ((torch.arange(n, device=part.device) + 0.5) * STRIDES[level] for n in part.shape[2:])
            places.append(torch.cartesian_prod(y, x).reshape(-1, 2))
            sizes.append(torch.full((len(places[-1]),), self.size_px * 2.0**level, device=part.device))
            answers.append(part.flatten(2).transpose(1, 2))
        places, sizes, answers = torch.cat(places), torch.cat(sizes), torch.cat(answers, 1).float()
        sides = torch.exp(answers[..., 1:5].clamp(-6, 6)) * sizes[:, None] / 2
        return places, sizes, answers[..., 0], sides, answers[..., 5:]

    def forward(self, pixels: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch whose objects are numbered in `truth` (255: unknown): focal loss and overlap."""
        places, sizes, logits, sides, named = self._answers(self.maps(pixels))
        value, count = 0.0, 0
        for at, marks in enumerate(truth):
            numbers, boxes = ops.boxes_of(marks)
            own = self._owners(places, sizes, boxes)
            here = places.long()
            known = marks[here[:, 0].clamp(max=marks.shape[0] - 1), here[:, 1].clamp(max=marks.shape[1] - 1)] != 255
            right = (own >= 0).float()
            p = torch.sigmoid(logits[at])
            weight = torch.where(own >= 0, ALPHA * (1 - p) ** GAMMA, (1 - ALPHA) * p**GAMMA) * known
            cost = functional.binary_cross_entropy_with_logits(logits[at], right, reduction="none")
            value = value + (weight * cost).sum()
            if (own >= 0).any():
                chosen = own >= 0
                found = ops.sided(places[chosen], sides[at][chosen])
                value = value + (1 - ops.iou_of_pairs(found, boxes[own[chosen]])).sum()
                if self.outputs > 1:
                    kind = numbers[own[chosen]] % self.outputs
                    value = value + functional.cross_entropy(named[at][chosen], kind, reduction="sum")
                count += int(chosen.sum())
        return value / max(count, 1)

    def _owners(self, places: torch.Tensor, sizes: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """Return which box each cell answers for, the smallest of several; -1 for none."""
        own = torch.full((len(places),), -1, dtype=torch.long, device=places.device)
        if not len(boxes):
            return own
        sides, middle = boxes[:, 2:] - boxes[:, :2], (boxes[:, :2] + boxes[:, 2:]) / 2
        level = torch.log2(sides.prod(1).sqrt() / self.size_px).round().clamp(0, len(STRIDES) - 1)
        step = torch.tensor(STRIDES, device=places.device, dtype=torch.float32)[level.long()]
        reach = torch.maximum(sides * MIDDLE / 2, step[:, None] / 2 + 1e-3)
        for at in torch.argsort(sides.prod(1), descending=True).tolist():
            near = ((places - middle[at]).abs() <= reach[at]).all(1) & (sizes == self.size_px * 2.0 ** level[at])
            own[near] = at
        return own

    def find(self, maps: list[torch.Tensor], size: tuple[int, int], floor: float, overlap: float):
        """Return box (n, 4), score (n,) from `floor`, and kind of the objects of an image of a size (rows, columns)."""
        places, _, logits, sides, named = self._answers(maps)
        scores = torch.sigmoid(logits[0])
        sure = scores >= floor
        boxes, good = ops.fitting(ops.sided(places[sure], sides[0][sure]), size)
        boxes, scores, named = boxes[good], scores[sure][good], named[0][sure][good]
        kept = ops.nms(boxes, scores, overlap)
        found = {"box": boxes[kept], "score": scores[kept]}
        return found if self.outputs < 2 else {**found, "kind": torch.softmax(named[kept], 1)}
