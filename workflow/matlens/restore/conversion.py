"""Reactions that change the volume of a phase: a part of it becomes one phase, the rest another, nothing else changes.

A network scores pixels; the best ones, a given part of all, become the new phase. So the ratio of volumes holds on
whole pixels, phases that take no part neither shrink nor grow, and no grey passes through that of a third phase. Pixels
keep their grain: their grey is shifted by the distance of the levels of both phases.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

STEEP = 0.5  # of the spread of the scores: width of the soft border through which they are learned
TIES = 1e-3  # weight of the noise that breaks ties: an untrained network scores all pixels 0


class Conversion(NamedTuple):
    """Ranges of grey before and after, in one unit: `source` becomes `to` in a part `ratio`, and else `rest`.

    `shifts`: what is added to greys of the source that become `to`, and to those that become `rest`.
    """

    source: Sequence[float]
    to: Sequence[float]
    rest: Sequence[float]
    ratio: float
    shifts: Sequence[float]

    @property
    def sign(self) -> float:
        """Return 1 if `to` is brighter than `rest`, else -1."""
        return 1.0 if self.shifts[0] >= self.shifts[1] else -1.0

    @property
    def back(self) -> float:
        """Return 1 if the source is brighter than `rest`, else -1."""
        return 1.0 if self.shifts[1] <= 0 else -1.0

    def scaled(self, level: float, spread: float) -> "Conversion":
        """Return the same in other units: greys minus a level, over a spread."""
        ranges = ([(limit - level) / spread for limit in one] for one in (self.source, self.to, self.rest))
        return Conversion(*ranges, self.ratio, [shift / spread for shift in self.shifts])


def learned(areas: Sequence[Mapping], source: list[np.ndarray], target: list[np.ndarray]) -> list[Conversion]:
    """Return the conversions among areas, those with `rest`; levels are the median greys of the images of a domain."""
    made = []
    for one in areas:
        if one.get("rest") is not None:
            before, *after = (_median(part, one[key]) for part, key in
                              ((source, "from"), (target, "to"), (target, "rest")))  # fmt: skip
            shifts = [level - before for level in after]
            made.append(Conversion(one["from"], one["to"], one["rest"], one["ratio"], shifts))
    return made


def _median(images: list[np.ndarray], limits: Sequence[float]) -> float:
    """Return the median grey of the pixels of images in a range."""
    return float(np.median(np.concatenate([image[within(image, limits)] for image in images])))


def within(image, limits: Sequence[float]):
    """Mark the pixels of an image or a tensor in a range of grey."""
    return (image >= limits[0]) & (image <= limits[1])


def converted(image: np.ndarray, scores: np.ndarray, one: Conversion) -> np.ndarray:
    """Convert an image: of the pixels of the source, the part `ratio` of the highest scores becomes `to`."""
    own = np.flatnonzero(within(image, one.source))
    order = own[np.argsort(-scores.ravel()[own], kind="stable")]
    first = round(one.ratio * len(own))
    made = image.astype(np.float32)
    for chosen, shift in zip((order[:first], order[first:]), one.shifts, strict=True):
        made.ravel()[chosen] += np.float32(shift)
    return made


def there(x, scores, one: Conversion):
    """Convert a batch, a tensor (n, 1, ...), with a gradient for the scores."""
    own = within(x, one.source)
    share = chosen(one.sign * scores, own, one.ratio)
    first, second = one.shifts
    return x.where(~own, x + second + share * (first - second))


def back(x, scores, one: Conversion):
    """Undo a conversion: all of `to` becomes the source, and as much of `rest` as had to be lost."""
    own, free = within(x, one.to), within(x, one.rest)
    lost = float(own.sum()) * (1 / one.ratio - 1)
    share = chosen(one.back * scores, free, min(1.0, lost / max(float(free.sum()), 1.0)))
    first, second = one.shifts
    return (x - share * second).where(free, x - first).where(own | free, x)


def chosen(scores, own, part: float):
    """Return 1 for the part of the pixels `own` with the highest scores, else 0, with the gradient of a soft border."""
    import torch

    values = scores[own].detach()
    if not len(values):
        return torch.zeros_like(scores)
    place = min(max(round((1 - part) * len(values)), 1), len(values))
    limit = values.kthvalue(place).values
    soft = torch.sigmoid((scores - limit) / (STEEP * values.std(correction=0) + TIES))
    hard = (scores > limit).to(scores) if part < 1 else torch.ones_like(scores)
    return hard + soft - soft.detach()
