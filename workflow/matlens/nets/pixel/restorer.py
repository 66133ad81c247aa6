"""Networks that turn images into images: a U-Net of one width on folded pixels."""

import torch
from torch import nn
from torch.nn import functional

from matlens.nets.pixel.blocks import PixelNet, convolution, start, upsample

SLOPE = 0.1
AVERAGE = {2: functional.avg_pool2d, 3: functional.avg_pool3d}


def folded(x: torch.Tensor, factor: int) -> torch.Tensor:
    """Put blocks of `factor` pixels per axis into channels: (b, c, ...) to (b, c factor^d, ... / factor).

    Source: W. Shi et al., CVPR 2016 (the inverse of its periodic shuffling).
    """
    for axis in range(2, x.ndim):
        places = torch.arange(x.shape[axis], device=x.device)
        x = torch.cat([x.index_select(axis, places[first::factor]) for first in range(factor)], 1)
    return x


def unfolded(x: torch.Tensor, factor: int) -> torch.Tensor:
    """Undo `folded`."""
    for axis in reversed(range(2, x.ndim)):
        parts = torch.stack(x.chunk(factor, 1), axis + 1)
        x = parts.flatten(axis, axis + 1)
    return x


class Block(nn.Module):
    """Two 3-wide convolutions with leaky ReLU and a shortcut around them; without normalisation, which hides levels.

    A plain ReLU may answer 0 for good where nothing is normalised; a leaky one cannot (A. L. Maas et al., ICML 2013).
    """

    def __init__(self, *, dims: int, inputs: int, width: int, padding: str):
        super().__init__()
        self.first = convolution(dims, inputs, width, 3, padding)
        self.second = convolution(dims, width, width, 3, padding)
        self.shortcut = convolution(dims, inputs, width, 1, padding) if inputs != width else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = self.second(functional.leaky_relu(self.first(x), SLOPE))
        return functional.leaky_relu(made + self.shortcut(x), SLOPE)


class Restorer(PixelNet):
    """Image in, image out: encoder and decoder with shortcuts, all levels of the same width, no normalisation.

    `fold`: pixels per axis that are put into channels first, for a fourth (eighth) of the work at 2; `depth` poolings
    by averaging, which lowers noise where a maximum would raise it; `width` channels at every level; `padding` as in
    UNet. Its answer starts at 0, the level of its input. Levels as in O. Ronneberger et al., MICCAI 2015; folding as in
    W. Shi et al., CVPR 2016.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        channels: int = 1,
        outputs: int = 1,
        width: int = 32,
        depth: int = 4,
        fold: int = 2,
        padding: str = "reflect",
    ):
        super().__init__()
        self.dims, self.fold, self.padding = dims, fold, padding
        cell = fold**dims

        def block(inputs):
            return Block(dims=dims, inputs=inputs, width=width, padding=padding)

        self.downs = nn.ModuleList(block(channels * cell if level == 0 else width) for level in range(depth + 1))
        self.ups = nn.ModuleList(block(2 * width) for _ in range(depth))
        self.last = convolution(dims, width, outputs * cell, 1, padding)
        self.stride = fold * 2**depth
        reach = [sum(2 * 2**above for above in range(level + 1)) for level in range(depth + 1)]
        far = reach[depth]
        for level in reversed(range(depth)):
            far = max(reach[level], far + 2 * 2 ** (level + 1) - 2**level) + 2 * 2**level
        self.radius = fold * far + fold - 1
        start(self)
        for block in (*self.downs, *self.ups):
            nn.init.zeros_(block.second.weight)  # at the start a block is its shortcut, so that no level overflows
        nn.init.zeros_(self.last.weight)

    def decoded(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of every level on the way back, the finest first."""
        found, x = [], folded(x, self.fold)
        for level, down in enumerate(self.downs):
            x = down(AVERAGE[self.dims](x, 2) if level else x)
            found.append(x)
        for level in reversed(range(len(self.ups))):
            x = found[level] = self.ups[level](torch.cat([found[level], upsample(x, 2, self.padding)], 1))
        return found

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [unfolded(self.last(self.decoded(x)[0]), self.fold)]


class Corrector(Restorer):
    """The same, whose answer is the image and a correction: for images with little noise, blurred or coarse.

    After K. Zhang et al., IEEE Trans. Image Process. 26 (2017) 3142 (residual learning).
    """

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [x + super().heads(x)[0]]


class Refocuser(Restorer):
    """The same with an answer at each of the `scales` finest levels, so that coarse blur is undone before fine blur.

    Every answer is the image, averaged over the pixels of its level, and a correction.

    In training the answer of level k, one pixel of which is 2^k pixels wide, is compared with the target averaged over
    such pixels. After J. Na et al., Ultramicroscopy 231 (2021) 113335, and S. Nah et al., CVPR 2017, 257 (one network
    for all scales). Other options as those of Restorer.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        channels: int = 1,
        outputs: int = 1,
        width: int = 32,
        depth: int = 4,
        fold: int = 2,
        padding: str = "reflect",
        scales: int = 3,
    ):
        super().__init__(
            dims=dims, channels=channels, outputs=outputs, width=width, depth=depth, fold=fold, padding=padding
        )
        self.coarse = nn.ModuleList(
            convolution(dims, width, outputs * fold**dims, 1, padding) for _ in range(min(scales - 1, depth))
        )
        for last in self.coarse:
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        found = self.decoded(x)
        answers = [x + unfolded(self.last(found[0]), self.fold)]
        for level, last in enumerate(self.coarse if self.training else (), 1):
            mean = AVERAGE[self.dims](x, 2**level)
            answer = mean + unfolded(last(found[level]), self.fold)
            answers.append(functional.interpolate(answer, scale_factor=2**level, mode="nearest"))
        return answers
