"""Training task of translation: cycle-consistent generators against critics of pixels and of waves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch

from matlens.learn import augment, tasks
from matlens.nets.pixel.restorer import AVERAGE
from matlens.restore import conversion
from matlens.restore.training import Crops

COARSE = 4  # pixels over which an image of the target is averaged before its way back is compared: its grain is lost
AREA = 100.0  # weight of the squared error of an area, as a fraction of the image
SOFT = 0.1  # of a range of grey: width over which a pixel counts in part, so that areas have a gradient
WIDEST = 1.0  # range that counts for it, in scaled greys: one without end has steep ends, too


class Limits(NamedTuple):
    """Constraints in scaled greys: ranges that stay, areas as (range before, range after, ratio), and conversions."""

    keep: Sequence = ()
    areas: Sequence = ()
    conversions: Sequence = ()


def inside(x, low: float, high: float):
    """Return 1 for pixels within a range of grey, else 0, with the gradient of ends that are smooth.

    A smooth count alone is met by greys near the ends of the range, and no pixel leaves it (straight-through gradient:
    Y. Bengio et al., arXiv:1308.3432).
    """
    width = SOFT * min(high - low, WIDEST)
    soft = torch.sigmoid((x - low) / width) * torch.sigmoid((high - x) / width)
    return ((x >= low) & (x <= high)).float() + soft - soft.detach()


class Cycle(tasks.Task):
    """Losses of J.-Y. Zhu et al., ICCV 2017: least squares of critics, and the error of the way there and back.

    That error is squared, not absolute: generators start as identities, which the kink of an absolute error would hold.

    `images`: (1, [z,] y, x) by domain, scaled; `limits`: what must not move, and areas; `weights`: of
    the losses `cycle` and `waves`.
    """

    average = 0.99

    def __init__(self, images: Mapping, side: int, crops: Crops, limits: Limits, weights: Mapping):
        super().__init__(steps=crops.steps())
        self.images, self.side, self.crops, self.limits = images, side, crops, limits
        self.weights, self.changes = weights, crops.changes()

    def batches(self, epoch: int, rng: np.random.Generator) -> Iterator[dict]:
        """Yield patches of both domains, drawn apart from each other, with noise for every generator that is called."""
        for _ in range(self.steps):
            batch = {name: torch.from_numpy(self._drawn(part, rng)) for name, part in self.images.items()}
            noise = rng.standard_normal((4, *batch["source"].shape), dtype=np.float32)
            yield {**batch, "noise": torch.from_numpy(noise)}

    def _drawn(self, images: list, rng: np.random.Generator) -> np.ndarray:
        """Draw a batch of patches of a domain, float32 (batch, 1, [z,] y, x)."""
        chosen = [images[number] for number in rng.integers(len(images), size=self.crops.batch)]
        cut = [augment.draw([one], [one], self.side, 0, 0.0, self.changes, rng, "image")[0] for one in chosen]
        return np.nan_to_num(np.stack(cut).astype(np.float32))

    def optimisers(self, model, options) -> dict:
        """Make an Adam for the generators, and one for the critics."""
        parts = {"generators": model.generators(), "critics": model.critics.parameters()}
        return {name: torch.optim.Adam(part, options.learning_rate, (0.5, 0.99)) for name, part in parts.items()}

    def rate(self, step: int, steps: int, peak: float) -> float:
        """Keep the rate, and let it fall in the second half."""
        return peak * min(1.0, 2 * (1 - step / steps))

    def translated(self, generator, x, noise, to: str):
        """Apply a generator to images that shall be of a domain; what is kept stays."""
        return self.kept(x, generator.heads(torch.cat([x, noise], 1))[0], noise, to)

    def kept(self, x, made, noise, to: str):
        """Put what stays of an image into what was made of it; where it is converted, that only ranks its pixels."""
        if self.limits.conversions:
            turn, scores = conversion.there if to == "target" else conversion.back, made - x + conversion.TIES * noise
            made = x
            for one in self.limits.conversions:
                made = torch.where(made == x, turn(x, scores, one), made)
        for low, high in self.limits.keep:
            made = torch.where((x >= low) & (x <= high), x, made)
        return made

    def step(self, model, batch, optimisers) -> dict:
        """Work on one batch: the generators first, then the critics."""
        net = getattr(model, "module", model)
        real, noise = {name: batch[name] for name in ("source", "target")}, batch["noise"]
        made = {
            "target": self.translated(net.there, real["source"], noise[0], "target"),
            "source": self.translated(net.back, real["target"], noise[1], "source"),
        }
        again = self.translated(net.back, made["target"], noise[2], "source")
        other = self.translated(net.there, made["source"], noise[3], "target")
        cycle = (again - real["source"]).square().mean()
        cycle = cycle + AVERAGE[other.ndim - 2](other - real["target"], COARSE).square().mean()
        areas = self._areas(real["source"], made["target"])
        fooled = self.fooled(net, made)
        optimisers["generators"].descend(fooled + self.weights["cycle"] * cycle + AREA * areas)
        judged = self.judged(net, real, made)
        optimisers["critics"].descend(judged)
        return {"generator_loss": fooled, "cycle_loss": cycle, "critic_loss": judged, "area_loss": areas}

    def fooled(self, net, made: Mapping):
        """Return the loss of made images, by domain, before the critics that count."""
        return sum(share * (critic(made[of]) - 1).square().mean() for critic, of, share in self._critics(net))

    def judged(self, net, real: Mapping, made: Mapping):
        """Return the loss of the critics that count."""
        total = 0.0
        for critic, of, _ in self._critics(net):
            right, wrong = (critic(real[of]) - 1).square().mean(), critic(made[of].detach()).square().mean()
            total = total + 0.5 * (right + wrong)
        return total

    def _critics(self, net) -> list[tuple]:
        """List (critic, its domain, its weight in the loss of the generators), of those with a weight."""
        shares = {"pixels": 1.0, "waves": self.weights["waves"]}
        named = [(critic, *name.split("_")) for name, critic in net.critics.items()]
        return [(critic, of, shares[kind]) for critic, kind, of in named if shares[kind] > 0]

    def _areas(self, before, after):
        """Return the squared errors of the areas of a batch, as fractions of it."""
        total = before.new_zeros(())
        for (low, high), span, ratio in self.limits.areas:
            wanted = ratio * ((before >= low) & (before <= high)).float().mean()
            total = total + (inside(after, *span).mean() - wanted).square()
        return total
