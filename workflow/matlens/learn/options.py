"""Options shared by every training, in groups, and options of a network's constructor.

A group is a dataclass: a `learn` function that has one as the default of a keyword-only argument has its fields as
options, see `registry.options_of`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from matlens import registry

# Arguments of constructors that are never options.
FROM_DATA = ("dims", "channels", "outputs", "conditions", "wraps", "sides", "context", "inputs")


@dataclass(frozen=True, kw_only=True)
class Training:
    """Options of every training.

    `accumulate` batches make one update; gradients longer than `clip_norm` are shortened (0: never); after `patience`
    epochs without a better score training stops (0: never). `learning_rate`: peak of the one-cycle schedule.
    """

    epochs: int = 40
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    accumulate: int = 1
    clip_norm: float = 1.0
    patience: int = 0
    seed: int = 0
    device: str = "auto"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Strength of the augmentation of a patch; 0 or "none" switches it off.

    `rotation` "none", "right" (right angles and mirror images) or "free" (half of the patches by any angle, too);
    `zoom` 0.2 is by up to 20 % either way; `bend_px` is the standard deviation of elastic displacements; `brightness`
    and `contrast` are standard deviations, of an offset in units of the contrast of the image and of the logarithm of
    a factor; `blur_px` the largest standard deviation of a blur (every second patch); `noise` the largest standard
    deviation of white noise in units of the contrast of the image. Channels get a brightness and a contrast each.
    `invert` is the part of the patches that are turned over, dark to bright. `curve` is the standard deviation of the
    logarithm of the slopes of a random rising grey curve, `class_contrast` that of the brightness that each phase gets
    of its own, in units of the contrast of the image: phases are then told apart by form and size, not by grey alone.
    """

    rotation: str = "free"
    zoom: float = 0.2
    bend_px: float = 0.0
    brightness: float = 0.2
    contrast: float = 0.2
    blur_px: float = 0.7
    noise: float = 0.2
    invert: float = 0.0
    curve: float = 0.0
    class_contrast: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Application:
    """Options of applying a network to an image of any size.

    `tile_px`: edge of a tile, None for 512 or more, in volumes 128; `overlap_px`: what neighbours share, None for as
    much as makes the answer that of the whole image at once (in volumes half a tile at most, where tiles fade into each
    other); `views`: "one", or the average over "mirrors" or "right_angles" too; `scales`: magnifications over which the
    answer is averaged; `input_blur_px`: Gaussian smoothing of the image before; `adapt` "batch_statistics" replaces
    the statistics of the normalisation by those of the image.
    """

    tile_px: int | None = None
    overlap_px: int | None = None
    views: str = "one"
    scales: tuple = (1.0,)
    input_blur_px: float = 0.0
    adapt: str = "none"


@dataclass(frozen=True, kw_only=True)
class Look:
    """Options of the input image: `colour`, whether channels are `standardise`d one by one, and the `magnification` at
    which a network sees images: 0.5 for half as many pixels along every axis.
    """

    colour: bool = False
    standardise: bool = True
    magnification: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Patches:
    """Options of the patches of an epoch: their number, their edge in pixels, how many at a time.

    `balance` of them are drawn phase first.
    """

    patches: int = 128
    patch_px: int = 128
    batch: int = 8
    balance: float = 0.5


TRAINING, CHANGES, LOOK, PATCHES, APPLICATION = Training(), Changes(), Look(), Patches(), Application()


def of_network(table: Mapping[str, str], method: str) -> dict[str, object]:
    """Return the options that a network has of its own, with their defaults."""
    own = registry.options_of(registry.load(table, method))
    return {name: default for name, default in own.items() if name not in FROM_DATA}


def own_options(table: Mapping[str, str], method: str, given: Mapping) -> dict[str, object]:
    """Return the options that a network has of its own, given ones over defaults."""
    return {name: given.get(name, default) for name, default in of_network(table, method).items()}
