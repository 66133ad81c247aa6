"""Kinds of objects, named by a small network of its own from views of the image around each object.

An object is seen at 32 pixels a side whatever its size, so that fine details count and a view costs a hundredth of what
the feature pyramid costs for the same object: a training sees each object in many views.
"""

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.pixel.blocks import Encoder, start

VIEW = 32  # pixels of a side of a view
AROUND = 1.2  # side of a view over the longer side of the box
WIDTH, DEPTH = 16, 3
VIEWS = 8  # of an object in a step of training, turned by any angle
TURNS = 4  # views of an object to be named, by right angles
MOST = 12  # objects of an image that are learned from in a step
SHIFT, ZOOM = 0.12, 0.15  # largest shift over half the side, and largest logarithm of the scale, in training


class Naming(nn.Module):
    """The network that names the kinds of objects, of which there are `outputs`.

    `size_px`: a middling size of objects: how large an object is counts, too. `turned`: the direction of an object
    tells nothing of its kind.
    """

    def __init__(self, *, channels: int, norm: str, size_px: float, outputs: int, turned: bool):
        super().__init__()
        self.encoder = Encoder(
            dims=2, channels=channels, width=WIDTH, depth=DEPTH, norm=norm, encoder="plain", padding="zeros"
        )
        start(self)
        self.out = nn.Linear(self.encoder.widths[-1] + 1, outputs)
        self.size_px, self.turned = size_px, turned

    def _said(self, seen: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """Return the logits of views of boxes."""
        size = torch.log(_side(boxes) / self.size_px)[:, None]
        return self.out(torch.cat([self.encoder(seen)[-1].mean((2, 3)).float(), size], 1))

    def forward(self, pixels: torch.Tensor, boxes: list[torch.Tensor], kinds: list[torch.Tensor]) -> torch.Tensor:
        """Return the loss of the kinds of the objects in the boxes of each image, seen from nearby places."""
        seen, places, wanted = [], [], []
        for image, own, kind in zip(pixels, boxes, kinds, strict=True):
            few = torch.randperm(len(own), device=own.device)[:MOST].repeat(VIEWS)
            if len(few):
                angle = 2 * torch.pi * torch.rand(len(few), device=own.device) if self.turned else None
                places.append(_shaken(own[few]))
                seen.append(views(image, places[-1], angle))
                wanted.append(kind[few])
        if not seen:
            return pixels.new_zeros(())
        return functional.cross_entropy(self._said(torch.cat(seen), torch.cat(places)), torch.cat(wanted))

    def name(self, image: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the kinds (n, kinds) of the objects of an image (channels, y, x)."""
        if not len(boxes):
            return boxes.new_zeros(0, self.out.out_features)
        seen, count = views(image, boxes), TURNS if self.turned else 1
        return sum(torch.softmax(self._said(torch.rot90(seen, n, (2, 3)), boxes), 1) for n in range(count)) / count


def _side(boxes: torch.Tensor) -> torch.Tensor:
    """Return the longer sides of boxes, a pixel or more."""
    return (boxes[:, 2:] - boxes[:, :2]).amax(1).clamp(min=1)


def _shaken(boxes: torch.Tensor) -> torch.Tensor:
    """Move and scale boxes a little, at random."""
    side = _side(boxes)[:, None]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 + SHIFT * side / 2 * (2 * torch.rand_like(boxes[:, :2]) - 1)
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * torch.exp(ZOOM * (2 * torch.rand_like(side) - 1))
    return torch.cat([centre - half, centre + half], 1)


def views(image: torch.Tensor, boxes: torch.Tensor, angle: torch.Tensor | None = None) -> torch.Tensor:
    """Sample an image (channels, y, x) in a square around each box: (n, channels, VIEW, VIEW).

    `angle` (n,): by which each view is turned, in radians; half of the turned ones are mirrored. A large object is
    sampled from the image at a half, a quarter, ... of its size.
    """
    step = (torch.arange(VIEW, device=boxes.device, dtype=boxes.dtype) + 0.5) / VIEW * 2 - 1
    y, x = step[:, None].expand(VIEW, VIEW), step[None].expand(VIEW, VIEW)
    if angle is not None:
        cos, sin = torch.cos(angle)[:, None, None], torch.sin(angle)[:, None, None]
        mirror = torch.where(torch.rand_like(angle) < 0.5, -1.0, 1.0)[:, None, None]
        y, x = cos * y - sin * x, mirror * (sin * y + cos * x)
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, AROUND * _side(boxes) / 2
    y, x = (centre[:, at, None, None] + half[:, None, None] * part for at, part in enumerate((y, x)))
    coarser = torch.log2(2 * half / VIEW).floor().clamp(min=0)
    made = image.new_zeros(len(boxes), len(image), VIEW, VIEW)
    for level in torch.unique(coarser).tolist():
        own = torch.nonzero(coarser == level)[:, 0]
        factor = int(2**level)
        part = functional.avg_pool2d(image[None], factor, ceil_mode=True) if factor > 1 else image[None]
        grid = torch.stack(
            [2 * place[own] / (n * factor) - 1 for place, n in zip((x, y), part.shape[:1:-1], strict=True)], -1
        )
        found = functional.grid_sample(part, grid.reshape(1, -1, VIEW, 2), "bilinear", "border", align_corners=False)
        made[own] = found[0].reshape(len(image), len(own), VIEW, VIEW).transpose(0, 1)
    return made
