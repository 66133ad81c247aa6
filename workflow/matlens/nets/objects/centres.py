"""Centres of objects as peaks of a heat map, with the size of each, on a U-Net.

Source: X. Zhou et al., arXiv:1904.07850 (objects as points), with a heat map at full resolution.
"""

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.objects import ops
from matlens.nets.pixel.unet import UNet

PRIOR = -4.0  # first logit of the heat: most pixels are no centre
SPREAD = 0.3  # standard deviation of the heat around a centre, over the half side of the box
LEAST_PX = 1.0  # smallest standard deviation


class Centres(nn.Module):
    """A heat map of centres and two maps of sides. `width`, `depth`, `norm`: those of the U-Net; `size_px`: side of a
    middling object, from which the sides are learned.
    """

    def __init__(
        self, *, channels: int = 1, width: int = 12, depth: int = 3, norm: str = "batch", size_px: float = 20.0
    ):
        super().__init__()
        self.unet = UNet(channels=channels, outputs=3, width=width, depth=depth, norm=norm)
        self.stride, self.radius, self.size_px = self.unet.stride, self.unet.radius, size_px
        head = self.unet.outs[0]
        nn.init.normal_(head.weight, std=0.01)
        head.bias.data = torch.tensor([PRIOR, 0.0, 0.0])

    def _maps(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return logits of the heat, and logarithms of the sides over `size_px`: (batch, 3, y, x)."""
        found = self.unet(pixels)
        return (found[0] if self.training else found).float()

    def forward(self, pixels: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch whose objects are numbered in `truth` (255: unknown).

        Focal loss of the heat, as in the source; L1 of the logarithms of the sides around the centres.
        """
        maps = self._maps(pixels)
        heat, sides, near = (torch.stack(part) for part in zip(*[self._wanted(t) for t in truth], strict=True))
        logit, known = maps[:, 0], (truth != 255).float()
        p = torch.sigmoid(logit)
        peak = (heat > 0.999).float() * known
        right = -peak * (1 - p) ** 2 * functional.logsigmoid(logit)
        wrong = -(known - peak) * (1 - heat) ** 4 * p**2 * functional.logsigmoid(-logit)
        count = peak.sum().clamp(min=1)
        error = (maps[:, 1:] - sides).abs().sum(1) * near * known
        return (right + wrong).sum() / count + error.sum() / near.sum().clamp(min=1)

    def _wanted(self, truth: torch.Tensor):
        """Return heat (y, x), logarithms of sides (2, y, x), and where these are learned, for one map of objects."""
        _, boxes = ops.boxes_of(truth)
        heat, sides = truth.new_zeros(truth.shape, dtype=torch.float32), truth.new_zeros(2, *truth.shape).float()
        near = torch.zeros_like(heat)
        y, x = (torch.arange(n, device=truth.device).float() for n in truth.shape)
        for box in boxes:
            side = box[2:] - box[:2]
            cy, cx = (((box[:2] + box[2:]) / 2 - 0.5).round()).tolist()
            sy, sx = (SPREAD * side / 2).clamp(min=LEAST_PX).tolist()
            bump = torch.exp(-((y - cy) ** 2) / (2 * sy**2))[:, None] * torch.exp(-((x - cx) ** 2) / (2 * sx**2))
            own = (bump > 0.5) & (bump >= heat)
            sides[:, own] = torch.log(side / self.size_px)[:, None]
            near[own] = 1.0
            heat = torch.maximum(heat, bump)
        return heat, sides, near

    def maps(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Return what the objects of an image (1, channels, y, x) are read from."""
        return [self._maps(pixels)]

    def find(self, maps: list[torch.Tensor], size: tuple[int, int], floor: float, overlap: float):
        """Return box (n, 4) and score (n,) from `floor` of the objects of an image of a size (rows, columns)."""
        maps = maps[0][0]
        score = torch.sigmoid(maps[0])
        best = functional.max_pool2d(score[None], 3, 1, 1)[0]
        y, x = torch.nonzero((score == best) & (score >= floor), as_tuple=True)
        centre = torch.stack([y, x], 1).float() + 0.5
        half = (self.size_px / 2) * torch.exp(maps[1:, y, x].T.clamp(-4, 4))
        boxes, good = ops.fitting(torch.cat([centre - half, centre + half], 1), size)
        boxes, score = boxes[good], score[y, x][good]
        kept = ops.nms(boxes, score, overlap)
        return {"box": boxes[kept], "score": score[kept]}
