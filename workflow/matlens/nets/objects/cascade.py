"""Windows that a small network judges: those around blobs of an image (a cascade), or all of a grid.

Sources: W. Li et al., npj Comput. Mater. 4 (2018) 36 (a fast first stage proposes, a network screens); T. Lindeberg,
Int. J. Comput. Vis. 30 (1998) 79 (blobs).
"""

import math

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.objects import ops

SIDE = 20  # of the grid that is sampled in a window
AROUND = 1.8  # half side of a window over the radius of its blob: the surroundings are seen, too
RATIO = 1.6  # of the two widths of a difference of Gaussians
FAINT = 0.05  # least response of a blob, in standard deviations of the image
SAMPLED = 128  # windows of an image that are learned from
PRIOR = -2.0  # first logit: most windows show no object


def smoothed(pixels: torch.Tensor, sigma: float) -> torch.Tensor:
    """Smooth images (batch, 1, y, x) by a Gaussian; their border is repeated."""
    half = max(1, math.ceil(3 * sigma))
    step = torch.arange(-half, half + 1, device=pixels.device, dtype=pixels.dtype)
    kernel = torch.exp(-0.5 * (step / sigma) ** 2)
    kernel = kernel / kernel.sum()
    pixels = functional.conv2d(functional.pad(pixels, (half, half, 0, 0), "replicate"), kernel[None, None, None])
    return functional.conv2d(functional.pad(pixels, (0, 0, half, half), "replicate"), kernel[None, None, :, None])


class Windows(nn.Module):
    """A classifier slid over the image in windows of several sizes.

    `min_radius_px`, `max_radius_px`: of the objects; `scales`: number of sizes; `width`: channels of the first layer.
    """

    def __init__(
        self, *, channels: int = 1, width: int = 16, min_radius_px: float = 4.0, max_radius_px: float = 16.0,
        scales: int = 5,
    ):  # fmt: skip
        super().__init__()
        ratio = (max_radius_px / min_radius_px) ** (1 / max(scales - 1, 1))
        self.radii = [min_radius_px * ratio**at for at in range(scales)]
        self.steps = [2 ** max(0, round(math.log2(radius / 2))) for radius in self.radii]  # of the grid of each size
        self.stride = max(self.steps)
        self.radius = 0  # of its map, the image
        self.judge = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(2 * width, 4 * width, 3), nn.ReLU(), nn.Flatten(),
            nn.Linear(4 * width * (SIDE // 4 - 2) ** 2, 64), nn.ReLU(), nn.Linear(64, 5),
        )  # fmt: skip
        last = self.judge[-1]
        nn.init.normal_(last.weight, std=0.01)
        last.bias.data = torch.tensor([PRIOR, 0.0, 0.0, 0.0, 0.0])

    def candidates(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the windows of one image (1, channels, y, x) as boxes of the objects they may show: (n, 4)."""
        parts = []
        for radius, step in zip(self.radii, self.steps, strict=True):
            y, x = (torch.arange(0, n, step, device=pixels.device, dtype=torch.float32) for n in pixels.shape[2:])
            centre = torch.cartesian_prod(y, x).reshape(-1, 2) + 0.5
            parts.append(torch.cat([centre - radius, centre + radius], 1))
        return torch.cat(parts)

    def _answers(self, pixels: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """Return logits and codes of the boxes of one image (channels, y, x): (n, 5)."""
        middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2 * AROUND
        wide = torch.cat([middle - half, middle + half], 1)
        parts = [self.judge(ops.roi_align(pixels, part, 1, SIDE)).float() for part in wide.split(4096)]
        return torch.cat(parts) if parts else boxes.new_zeros(0, 5)

    def forward(self, pixels: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch whose objects are numbered in `truth` (255: unknown).

        A window is right if it overlaps with an object by 0.4 or more, or is the best of an object; wrong below 0.3.
        """
        value, images = 0.0, 0
        for image, marks in zip(pixels, truth, strict=True):
            found, boxes = self.candidates(image[None]), ops.boxes_of(marks)[1]
            overlap = found.new_zeros(len(found))
            own = overlap.long()
            if len(boxes) and len(found):
                every = ops.iou(found, boxes)
                overlap, own = every.max(1)
                best = every.max(0)
                sure = best.values > 0.15
                overlap[best.indices[sure]], own[best.indices[sure]] = 1.0, torch.nonzero(sure)[:, 0]
            known = ops.on(marks != 255, found)
            right = torch.nonzero(known & (overlap >= 0.4))[:, 0]
            wrong = torch.nonzero(known & (overlap < 0.3))[:, 0]
            right = right[torch.randperm(len(right), device=right.device)[: SAMPLED // 2]]
            wrong = wrong[torch.randperm(len(wrong), device=wrong.device)[: SAMPLED - len(right)]]
            chosen = torch.cat([right, wrong])
            if not len(chosen):
                continue
            judged, n = self._answers(image, found[chosen]), len(right)
            wanted = torch.zeros(len(chosen), device=found.device)
            wanted[:n] = 1.0
            value, images = value + functional.binary_cross_entropy_with_logits(judged[:, 0], wanted), images + 1
            if n:
                codes = ops.encode(boxes[own[right]], found[right])
                value = value + functional.smooth_l1_loss(judged[:n, 1:], codes, beta=0.1)
        return value / max(images, 1) if images else sum(p.sum() for p in self.parameters()) * 0.0

    def maps(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Return what the objects of an image (1, channels, y, x) are read from: the image."""
        return [pixels]

    def find(self, maps: list[torch.Tensor], size: tuple[int, int], floor: float, overlap: float):
        """Return box (n, 4) and score (n,) from `floor` of the objects of an image of a size (rows, columns)."""
        found = self.candidates(maps[0])
        judged = self._answers(maps[0][0], found)
        scores = torch.sigmoid(judged[:, 0])
        sure = scores >= floor
        boxes, good = ops.fitting(ops.decode(judged[sure, 1:], found[sure]), size)
        boxes, scores = boxes[good], scores[sure][good]
        kept = ops.nms(boxes, scores, overlap)
        return {"box": boxes[kept], "score": scores[kept]}


class Cascade(Windows):
    """The same for the windows around blobs alone, dark or bright: a thousandth of the work of all windows."""

    def candidates(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the boxes of the blobs: maxima among their neighbours of the difference of two Gaussians."""
        grey, found = pixels[:, :1], []
        for radius in self.radii:
            sigma = radius / math.sqrt(2) / math.sqrt(RATIO)
            response = (smoothed(grey, sigma) - smoothed(grey, RATIO * sigma)).abs()
            side = 2 * max(1, round(radius / 3)) + 1
            peak = functional.max_pool2d(response, side, 1, side // 2)
            y, x = torch.nonzero(((response == peak) & (response > FAINT))[0, 0], as_tuple=True)
            centre = torch.stack([y, x], 1).float() + 0.5
            found.append(torch.cat([centre - radius, centre + radius], 1))
        return torch.cat(found)
