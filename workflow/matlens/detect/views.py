"""A network that sees an image turned and mirrored, too: what it finds in each view is turned back and fused."""

import torch

from matlens.detect import ensemble
from matlens.learn import tiles
from matlens.nets.objects import ops


def of(net, kind: str):
    """Return a network that sees the views of a kind, see `tiles.views`: "one", "mirrors" or "right_angles"."""
    return net if kind == "one" else Views(net, kind)


class Views:
    """A network, or an `ensemble.Ensemble`, and its views of an image, in place of a network."""

    def __init__(self, net, kind: str):
        self.net, self.stride, self.radius = net, net.stride, net.radius
        self.turns = [(order == (1, 0), mirrors) for order, mirrors in tiles.views(2, kind)]

    def maps(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps of all views, one after the other, each turned back."""
        return [back(part, *turn) for turn in self.turns for part in self.net.maps(turned(pixels, *turn))]

    def find(self, maps: list[torch.Tensor], size: tuple[int, int], floor: float, overlap: float):
        """Return the fused objects from a mean score of `floor`, in the form of one network."""
        whole = tuple(-(-n // self.stride) * self.stride for n in size)  # of the maps: a mirror moves what lies beyond
        each, found = len(maps) // len(self.turns), []
        for at, turn in enumerate(self.turns):
            own = [turned(part, *turn) for part in maps[at * each : (at + 1) * each]]
            shape = whole[::-1] if turn[0] else whole
            made = self.net.find(own, shape, min(floor, ensemble.LEAST), overlap)
            made["box"] = boxes_back(made["box"], whole, *turn)
            if "mask" in made:
                made["mask"] = back(made["mask"], *turn)
            found.append(made)
        made = ensemble.fused(found)
        made["box"], good = ops.fitting(made["box"], size)
        sure = torch.nonzero(good & (made["score"] >= floor))[:, 0]
        kept = sure[ops.nms(made["box"][sure], made["score"][sure], overlap)]
        return {name: part[kept] for name, part in made.items()}


def turned(image: torch.Tensor, exchanged: bool, mirrors: tuple) -> torch.Tensor:
    """Return a view (..., y, x): the axes exchanged, then those of `mirrors` turned over."""
    image = image.transpose(-1, -2) if exchanged else image
    return image.flip([axis - 2 for axis in mirrors])


def back(view: torch.Tensor, exchanged: bool, mirrors: tuple) -> torch.Tensor:
    """Return the image of a view, see `turned`."""
    view = view.flip([axis - 2 for axis in mirrors])
    return view.transpose(-1, -2) if exchanged else view


def boxes_back(boxes: torch.Tensor, size: tuple[int, int], exchanged: bool, mirrors: tuple) -> torch.Tensor:
    """Return boxes of a view in the image, which has a size (rows, columns)."""
    seen, boxes = (size[::-1] if exchanged else size), boxes.clone()
    for axis in mirrors:
        boxes[:, [axis, axis + 2]] = seen[axis] - boxes[:, [axis + 2, axis]]
    return boxes[:, [1, 0, 3, 2]] if exchanged else boxes
