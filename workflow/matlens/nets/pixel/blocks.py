"""What the networks for pixels are made of, in two and in three dimensions.

The `reach` of a node at level l (edge 2^l pixels) is how far beyond its own cell it looks, in pixels of the input. A
3-wide convolution there adds 2^l, pooling nothing, and going up from level l+s to l adds 2^(l+s) - 2^l: the rest of the
parent.
"""

import torch
from torch import nn
from torch.nn import functional

CONV = {2: nn.Conv2d, 3: nn.Conv3d}
UP = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
POOL = {2: functional.max_pool2d, 3: functional.max_pool3d}
BATCH = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
LINEAR = {2: "bilinear", 3: "trilinear"}
GROUPS = 8


def group_norm(width: int) -> nn.Module:
    """Normalise groups of channels of each image by themselves, eight groups where the width allows."""
    return nn.GroupNorm(next(n for n in range(min(GROUPS, width), 0, -1) if width % n == 0), width)


def norm_layer(norm: str, dims: int, width: int) -> nn.Module:
    """Make a layer that normalises: "batch" (fixed once trained), "group" (of what it sees: a tile, say) or "none"."""
    return {"batch": BATCH[dims], "group": group_norm, "none": lambda _: nn.Identity()}[norm](width)


def conv_norm(dims: int, inputs: int, width: int, norm: str, kernel: int = 3) -> nn.Sequential:
    """Convolve with zeros around, then normalise; a bias only where no normalisation follows."""
    conv = CONV[dims](inputs, width, kernel, padding=kernel // 2, bias=norm == "none")
    return nn.Sequential(conv, norm_layer(norm, dims, width))


class Plain(nn.Module):
    """Twice: 3-wide convolution, normalisation, ReLU (Ronneberger et al., MICCAI 2015, but padded and normalised)."""

    convolutions = 2

    def __init__(self, *, dims: int, inputs: int, width: int, norm: str):
        super().__init__()
        self.first = conv_norm(dims, inputs, width, norm)
        self.second = conv_norm(dims, width, width, norm)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.second(functional.relu(self.first(x))))


class Residual(Plain):
    """The same with a shortcut around it: y = relu(F(x) + W x) (He et al., CVPR 2016, eq. 2; basic block)."""

    def __init__(self, *, dims: int, inputs: int, width: int, norm: str):
        super().__init__(dims=dims, inputs=inputs, width=width, norm=norm)
        self.shortcut = conv_norm(dims, inputs, width, norm, kernel=1) if inputs != width else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.second(functional.relu(self.first(x))) + self.shortcut(x))


ENCODERS = {"plain": Plain, "resnet": Residual}


class Encoder(nn.Module):
    """Blocks with max pooling between them: `depth` + 1 levels, each twice as wide, half as fine as the last."""

    def __init__(self, *, dims: int, channels: int, width: int, depth: int, norm: str, encoder: str):
        super().__init__()
        self.dims = dims
        self.widths = [width * 2**level for level in range(depth + 1)]
        self.reach, reach = [], 0
        for level in range(depth + 1):
            reach += ENCODERS[encoder].convolutions * 2**level
            self.reach.append(reach)
        self.blocks = nn.ModuleList(
            ENCODERS[encoder](dims=dims, inputs=inputs, width=out, norm=norm)
            for inputs, out in zip([channels, *self.widths], self.widths, strict=False)
        )

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of every level, the finest first."""
        found = []
        for block in self.blocks:
            found.append(block(POOL[self.dims](found[-1], 2) if found else x))
        return found


def upsample(x: torch.Tensor, factor: int) -> torch.Tensor:
    """Enlarge by linear interpolation, pixel centres kept; looks one coarse pixel further than its own."""
    if factor == 1:
        return x
    return functional.interpolate(x, scale_factor=factor, mode=LINEAR[x.ndim - 2], align_corners=False)


def _reflected(length: int, target: int) -> list[int]:
    """List the indices that lengthen an axis by mirroring at its ends as often as it takes."""
    period = max(1, 2 * (length - 1))
    return [min(i % period, period - i % period) if length > 1 else 0 for i in range(target)]


def pad_to_multiple(x: torch.Tensor, multiple: int) -> torch.Tensor:
    """Lengthen the spatial axes at their far ends to a multiple, mirroring; any size of one pixel and more."""
    for axis in range(2, x.ndim):
        length = x.shape[axis]
        target = -(-length // multiple) * multiple
        if target != length:
            x = x.index_select(axis, torch.tensor(_reflected(length, target), device=x.device))
    return x


class PixelNet(nn.Module):
    """The frame of the networks for pixels: pad to the stride, answer at every pixel, cut back.

    A subclass sets `stride` and `radius`, and gives `heads(x)`: logits at full resolution, the best first.
    """

    stride: int
    radius: int

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the logits of every head, the best first."""
        raise NotImplementedError

    def answer(self, heads: list[torch.Tensor]) -> torch.Tensor:
        """Choose what a trained network says."""
        return heads[0]

    def forward(self, x: torch.Tensor):
        size = x.shape[2:]
        heads = self.heads(pad_to_multiple(x, self.stride))
        cut = (slice(None), slice(None), *(slice(0, n) for n in size))
        return [head[cut] for head in heads] if self.training else self.answer(heads)[cut]


def start(net: nn.Module) -> None:
    """Draw the weights of all convolutions as He et al. (ICCV 2015, eq. 10) do for ReLU; biases start at 0."""
    for module in net.modules():
        if isinstance(module, (*CONV.values(), *UP.values())):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
