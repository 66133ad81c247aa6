"""Building blocks of pixel networks, in two and in three dimensions.

The `reach` of a node at level l (edge 2^l pixels) is how far beyond its own cell it looks, in pixels of the input. A
3-wide convolution there adds 2^l, pooling nothing, and going up from level l+s to l adds 2^(l+s) - 2^l: the rest of the
parent.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

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
    """Return a normalisation layer: "batch" (fixed after training), "group" (of its input, a tile say) or "none"."""
    return {"batch": BATCH[dims], "group": group_norm, "none": lambda _: nn.Identity()}[norm](width)


def padded(x: torch.Tensor, margin: int, padding: str) -> torch.Tensor:
    """Pad every axis of space by `margin` at both ends, mirrored ("reflect") or wrapped around ("circular").

    An axis that is too short to be mirrored repeats its last pixel.
    """
    for axis in range(2, x.ndim):
        mode = "replicate" if padding == "reflect" and x.shape[axis] <= margin else padding
        sides = [0, 0] * (x.ndim - 2)
        sides[2 * (x.ndim - 1 - axis) : 2 * (x.ndim - axis)] = [margin, margin]
        x = functional.pad(x, sides, mode)
    return x


class _Surrounded:
    """A convolution whose margin is mirrored or wrapped around, at any size of image."""

    around = "reflect"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(padded(x, self.kernel_size[0] // 2, self.around))


class _Surrounded2d(_Surrounded, nn.Conv2d):
    pass


class _Surrounded3d(_Surrounded, nn.Conv3d):
    pass


def convolution(dims: int, inputs: int, width: int, kernel: int, padding: str, bias: bool = True) -> nn.Module:
    """Make a convolution that keeps the size; `padding`: "zeros", "reflect" or "circular"."""
    if padding == "zeros" or kernel == 1:
        return CONV[dims](inputs, width, kernel, padding=kernel // 2, bias=bias)
    made = {2: _Surrounded2d, 3: _Surrounded3d}[dims](inputs, width, kernel, bias=bias)
    made.around = padding
    return made


def conv_norm(dims: int, inputs: int, width: int, norm: str, kernel: int = 3, padding: str = "zeros") -> nn.Sequential:
    """Convolve, then normalise; a bias only where no normalisation follows."""
    conv = convolution(dims, inputs, width, kernel, padding, bias=norm == "none")
    return nn.Sequential(conv, norm_layer(norm, dims, width))


def quickened(net: nn.Module) -> nn.Module:
    """Fold the batch normalisations of a trained network into its convolutions, and store its weights channels last.

    Changes `net`, which must not be trained further; answers stay the same, to rounding.
    """
    for module in list(net.modules()):
        if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], tuple(BATCH.values())):
            module[0], module[1] = fuse_conv_bn_eval(module[0], module[1]), nn.Identity()
    return net.to(memory_format=torch.channels_last)


class Plain(nn.Module):
    """Twice: 3-wide convolution, normalisation, ReLU (Ronneberger et al., MICCAI 2015, but padded and normalised)."""

    convolutions = 2

    def __init__(self, *, dims: int, inputs: int, width: int, norm: str, padding: str = "zeros"):
        super().__init__()
        self.first = conv_norm(dims, inputs, width, norm, padding=padding)
        self.second = conv_norm(dims, width, width, norm, padding=padding)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.second(functional.relu(self.first(x))))


class Residual(Plain):
    """The same with a shortcut around it: y = relu(F(x) + W x) (He et al., CVPR 2016, eq. 2; basic block)."""

    def __init__(self, *, dims: int, inputs: int, width: int, norm: str, padding: str = "zeros"):
        super().__init__(dims=dims, inputs=inputs, width=width, norm=norm, padding=padding)
        self.shortcut = conv_norm(dims, inputs, width, norm, kernel=1) if inputs != width else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.second(functional.relu(self.first(x))) + self.shortcut(x))


ENCODERS = {"plain": Plain, "resnet": Residual}


class Encoder(nn.Module):
    """Blocks with max pooling between them: `depth` + 1 levels, each twice as wide, half as fine as the last."""

    def __init__(
        self, *, dims: int, channels: int, width: int, depth: int, norm: str, encoder: str, padding: str = "zeros"
    ):
        super().__init__()
        self.dims = dims
        self.widths = [width * 2**level for level in range(depth + 1)]
        self.reach, reach = [], 0
        for level in range(depth + 1):
            reach += ENCODERS[encoder].convolutions * 2**level
            self.reach.append(reach)
        self.blocks = nn.ModuleList(
            ENCODERS[encoder](dims=dims, inputs=inputs, width=out, norm=norm, padding=padding)
            for inputs, out in zip([channels, *self.widths], self.widths, strict=False)
        )

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of every level, the finest first."""
        found = []
        for block in self.blocks:
            found.append(block(POOL[self.dims](found[-1], 2) if found else x))
        return found


def upsample(x: torch.Tensor, factor: int, padding: str = "zeros") -> torch.Tensor:
    """Enlarge by linear interpolation, pixel centres kept; looks one coarse pixel further than its own.

    Beyond the edge lies the outermost pixel, or with `padding` "circular" that of the other side.
    """
    if factor == 1:
        return x
    if padding != "circular":
        return functional.interpolate(x, scale_factor=factor, mode=LINEAR[x.ndim - 2], align_corners=False)
    wide = functional.interpolate(padded(x, 1, padding), scale_factor=factor, mode=LINEAR[x.ndim - 2])
    return wide[(slice(None), slice(None), *[slice(factor, -factor)] * (x.ndim - 2))]


def _lengthened(length: int, target: int, padding: str) -> list[int]:
    """List the indices that lengthen an axis by mirroring at its ends, or by going round, as often as it takes."""
    if padding == "circular":
        return [i % length for i in range(target)]
    period = max(1, 2 * (length - 1))
    return [min(i % period, period - i % period) if length > 1 else 0 for i in range(target)]


def pad_to_multiple(x: torch.Tensor, multiple: int, padding: str = "zeros") -> torch.Tensor:
    """Lengthen the spatial axes at their far ends to a multiple, by mirroring, or by the near end if "circular"."""
    for axis in range(2, x.ndim):
        length = x.shape[axis]
        target = -(-length // multiple) * multiple
        if target != length:
            x = x.index_select(axis, torch.tensor(_lengthened(length, target, padding), device=x.device))
    return x


class PixelNet(nn.Module):
    """The frame of the networks for pixels: pad to the stride, answer at every pixel, cut back.

    A subclass sets `stride`, `radius` and `padding`, and gives `heads(x)`: what it says of every pixel, the best first.
    """

    stride: int
    radius: int
    padding: str = "zeros"

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the outputs of all heads, the best first."""
        raise NotImplementedError

    def answer(self, heads: list[torch.Tensor]) -> torch.Tensor:
        """Choose the output of a trained network."""
        return heads[0]

    def forward(self, x: torch.Tensor):
        size = x.shape[2:]
        heads = self.heads(pad_to_multiple(x, self.stride, self.padding))
        cut = (slice(None), slice(None), *(slice(0, n) for n in size))
        return [head[cut] for head in heads] if self.training else self.answer(heads)[cut]


def start(net: nn.Module) -> None:
    """Draw the weights of all convolutions as He et al. (ICCV 2015, eq. 10) do for ReLU; biases start at 0."""
    for module in net.modules():
        if isinstance(module, (*CONV.values(), *UP.values())):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
