"""Kinds of objects, named by a small network of its own from views of the image around each object.

An object is seen at 32 pixels a side whatever its size, so that fine details count and a view costs a hundredth of what
the feature pyramid costs for the same object. Beside the image a view has the mask of the object, so that a neighbour
on top of it is not taken for it. A training keeps the objects that it has met lately: each step learns from many
different ones, though a patch shows but a few.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.pixel.blocks import Encoder, start

VIEW = 32  # pixels of a side of a view
AROUND = 1.2  # side of a view over the longer side of the box
WIDTH, DEPTH = 16, 3
OBJECTS = 32  # objects that are learned from in a step for each image of its batch, each turned by any angle
KEPT = 512  # objects that a training keeps, the latest ones of an epoch
SHIFT, ZOOM = 0.12, 0.15  # largest shift over half the side, and largest logarithm of the scale, in training
KEPT_AROUND = SHIFT + AROUND * math.exp(ZOOM) * math.sqrt(2)  # what turned, shifted views can show
KEPT_VIEW = 72  # pixels of a side of what is kept of an object
TURNS = 4  # views of an object to be named, by right angles
LEAST_SPREAD = 0.05  # of a view, in units of the contrast of the image: a flat view is not enlarged to noise


class Naming(nn.Module):
    """The network that names the kinds of objects, of which there are `outputs`.

    `size_px`: a middling size of objects: how large an object is counts, too, as do mean and contrast of its view.
    `turned`: the direction of an object tells nothing of its kind.
    """

    def __init__(self, *, channels: int, norm: str, size_px: float, outputs: int, turned: bool):
        super().__init__()
        self.encoder = Encoder(
            dims=2, channels=channels + 1, width=WIDTH, depth=DEPTH, norm=norm, encoder="plain", padding="zeros"
        )
        start(self)
        self.out = nn.Linear(self.encoder.widths[-1] + 1 + 2 * channels, outputs)
        self.size_px, self.turned = size_px, turned
        self.kept: tuple[torch.Tensor, ...] = ()  # views, sizes and kinds of the latest objects

    def train(self, mode: bool = True):
        """Begin an epoch, or end the training, without the objects of before: a training that goes on has none."""
        self.kept = ()
        return super().train(mode)

    def _said(self, seen: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
        """Return the logits of views, the last channel of which is the mask, of objects of a logarithm of size."""
        image, mask = seen[:, :-1].float(), seen[:, -1:].float()
        mean = image.mean((2, 3), keepdim=True)
        spread = (image - mean).square().mean((2, 3), keepdim=True).sqrt().clamp(min=LEAST_SPREAD)
        found = self.encoder(torch.cat([(image - mean) / spread, mask], 1))[-1].mean((2, 3)).float()
        told = [size[:, None], mean[:, :, 0, 0], torch.log(spread[:, :, 0, 0])]
        return self.out(torch.cat([found, *told], 1))

    def _size(self, boxes: torch.Tensor) -> torch.Tensor:
        """Return the logarithms of the sizes of boxes."""
        return torch.log(_side(boxes) / self.size_px)

    def _keep(self, pixels: torch.Tensor, objects: list[tuple[torch.Tensor, ...]]) -> None:
        """Keep the objects of a batch, and forget the oldest ones."""
        shown = [(image, *own) for image, own in zip(pixels, objects, strict=True) if len(own[0])]
        with torch.no_grad():
            fresh = [(views(image, boxes, masks), self._size(boxes), kinds) for image, boxes, kinds, masks in shown]
            if fresh:
                every = [self.kept, *fresh] if self.kept else fresh
                self.kept = tuple(torch.cat(parts)[-KEPT:] for parts in zip(*every, strict=True))

    def forward(self, pixels: torch.Tensor, objects: list[tuple[torch.Tensor, ...]]) -> torch.Tensor:
        """Return the loss of the kinds of objects drawn from those of the batch and of the batches before it.

        `objects`: boxes, kinds and masks (in a grid of each box) of each image.
        """
        self._keep(pixels, objects)
        if not self.kept:
            return pixels.new_zeros(())
        seen, size, kinds = self.kept
        drawn = torch.randint(len(kinds), (OBJECTS * len(pixels),), device=kinds.device)
        shaken, zoom = _shaken(seen[drawn], self.turned)
        return functional.cross_entropy(self._said(shaken, size[drawn] + zoom), kinds[drawn])

    def name(self, image: torch.Tensor, boxes: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the kinds (n, kinds) of the objects of an image (channels, y, x)."""
        if not len(boxes):
            return boxes.new_zeros(0, self.out.out_features)
        count, size = TURNS if self.turned else 1, self._size(boxes)
        still = boxes.new_zeros(len(boxes))
        seen = _near(views(image, boxes, masks), still, still + 1, still, still.expand(2, -1))
        return sum(torch.softmax(self._said(torch.rot90(seen, n, (2, 3)), size), 1) for n in range(count)) / count


def _side(boxes: torch.Tensor) -> torch.Tensor:
    """Return the longer sides of boxes, a pixel or more."""
    return (boxes[:, 2:] - boxes[:, :2]).amax(1).clamp(min=1)


def _shaken(kept: torch.Tensor, turned: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Return views of kept objects from nearby, turned by any angle and half of them mirrored where that tells nothing,
    and the logarithms of their scales."""
    drawn = torch.rand(5, len(kept), device=kept.device)
    angle, mirror = 2 * math.pi * drawn[0] * turned, torch.where((drawn[1] < 0.5) & turned, -1.0, 1.0)
    zoom, shift = ZOOM * (2 * drawn[2] - 1), SHIFT * (2 * drawn[3:] - 1)
    return _near(kept, angle, mirror, zoom, shift), zoom


def _near(kept: torch.Tensor, angle, mirror, zoom, shift) -> torch.Tensor:
    """Sample kept objects at the size of a view: turned, mirrored (-1), at a logarithm of scale, shifted (x and y)."""
    cos, sin, side = torch.cos(angle), torch.sin(angle), AROUND * torch.exp(zoom)
    rows = [mirror * cos * side, mirror * sin * side, shift[0]], [-sin * side, cos * side, shift[1]]  # of x and of y
    moved = torch.stack([torch.stack(row, 1) for row in rows], 1) / KEPT_AROUND
    grid = functional.affine_grid(moved, (len(kept), 1, VIEW, VIEW), align_corners=False)
    return functional.grid_sample(kept, grid, "bilinear", "border", align_corners=False)


def views(image: torch.Tensor, boxes: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Sample an image (channels, y, x) and masks in a square around each box: (n, channels + 1, rows, columns).

    The square is as wide as what a view may show in training. `masks`: a grid in each box; it is 0 beyond. A large
    object is sampled from the image at a half, a quarter, ... of its size.
    """
    step = (torch.arange(KEPT_VIEW, device=boxes.device, dtype=boxes.dtype) + 0.5) / KEPT_VIEW * 2 - 1
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, KEPT_AROUND * _side(boxes) / 2
    y, x = (centre[:, at, None] + half[:, None] * step for at in (0, 1))
    coarser = torch.log2(2 * half / KEPT_VIEW).floor().clamp(min=0)
    made = image.new_zeros(len(boxes), len(image) + 1, KEPT_VIEW, KEPT_VIEW)
    for level in torch.unique(coarser).tolist():
        own = torch.nonzero(coarser == level)[:, 0]
        factor = int(2**level)
        part = functional.avg_pool2d(image[None], factor, ceil_mode=True) if factor > 1 else image[None]
        grid = _grid(*(2 * place[own] / (n * factor) - 1 for place, n in zip((y, x), part.shape[2:], strict=True)))
        found = functional.grid_sample(
            part, grid.reshape(1, -1, KEPT_VIEW, 2), "bilinear", "border", align_corners=False
        )
        made[own, :-1] = found[0].reshape(len(image), len(own), KEPT_VIEW, KEPT_VIEW).transpose(0, 1)
    reach = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1) / 2
    grid = _grid(*((place - centre[:, at, None]) / reach[:, at, None] for at, place in enumerate((y, x))))
    inside = functional.grid_sample(masks[:, None].to(made.dtype), grid, "bilinear", "zeros", align_corners=False)
    made[:, -1] = inside[:, 0]
    return made


def _grid(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the places (n, rows, columns, 2), x first, of rows at y and columns at x, both (n, count)."""
    return torch.stack([x[:, None, :].expand(-1, y.shape[1], -1), y[:, :, None].expand(-1, -1, x.shape[1])], -1)
