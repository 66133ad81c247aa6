"""Options shared by every training, in groups, and options of a network's constructor.

A group is a dataclass: a `learn` function that has one as the default of a keyword-only argument has its fields as
options, see `registry.options_of`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from matlens import registry

# Arguments of constructors that are never options.
FROM_DATA = ("dims", "channels", "outputs", "conditions", "wraps", "sides", "context")


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
    """How much a patch may be changed; 0 or "none" is not at all.

    `rotation` "none", "right" (right angles and mirror images) or "free" (half of the patches by any angle, too);
    `zoom` 0.2 is by up to 20 % either way; `bend_px` is the standard deviation of elastic displacements; `brightness`
    and `contrast` are standard deviations, of an offset in units of the contrast of the image and of the logarithm of
    a factor; `blur_px` the largest standard deviation of a blur (every second patch); `noise` the largest standard
    deviation of white noise in units of the contrast of the image. Channels get a brightness and a contrast each.
    `invert` is the part of the patches that are turned over, dark to bright.
    """

    rotation: str = "free"
    zoom: float = 0.2
    bend_px: float = 0.0
    brightness: float = 0.2
    contrast: float = 0.2
    blur_px: float = 0.7
    noise: float = 0.2
    invert: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Look:
    """Options of the input image: `colour`, and whether channels are `standardise`d one by one."""

    colour: bool = False
    standardise: bool = True


@dataclass(frozen=True, kw_only=True)
class Patches:
    """Options of the patches of an epoch: their number, their edge in pixels, how many at a time.

    `balance` of them are drawn phase first.
    """

    patches: int = 128
    patch_px: int = 128
    batch: int = 8
    balance: float = 0.5


TRAINING, CHANGES, LOOK, PATCHES = Training(), Changes(), Look(), Patches()


def of_network(table: Mapping[str, str], method: str) -> dict[str, object]:
    """Return the options that a network has of its own, with their defaults."""
    own = registry.options_of(registry.load(table, method))
    return {name: default for name, default in own.items() if name not in FROM_DATA}


def own_options(table: Mapping[str, str], method: str, given: Mapping) -> dict[str, object]:
    """Return the options that a network has of its own, given ones over defaults."""
    return {name: given.get(name, default) for name, default in of_network(table, method).items()}
