"""Learn to translate by UNIT: two variational autoencoders with one latent space, and a critic for each domain."""

from collections.abc import Mapping

import torch

from matlens.learn.options import Training
from matlens.restore import training as shared
from matlens.restore import translation
from matlens.restore.training import CROPS, Crops
from matlens.restore.translation import EVERY
from matlens.restore.translation_task import AREA, Cycle

OTHER = {"source": "target", "target": "source"}


def learn(
    samples,
    method: str,
    initial: Mapping | None,
    checkpoint,
    options: Mapping,
    *,
    training: Training = shared.TRAINING,
    crops: Crops = CROPS,
    source: tuple = EVERY,
    target: tuple = (),
    keep: tuple = (),
    areas: tuple = (),
    slices: bool = True,
    cycle: float = 10.0,
    latent: float = 0.01,
    waves: float = 0.0,
) -> tuple[dict, dict]:
    """Train two variational autoencoders with one latent space on images of two domains.

    Arguments and result as those of `translation.learn`. `cycle`: weight of the errors of an image decoded in its own
    domain, and after the way there and back; `latent`: weight of the latent codes' distance from a standard normal
    distribution; `waves`: of critics in reciprocal space, which the authors do not have.
    """
    weights, fixed = {"cycle": cycle, "latent": latent, "waves": waves}, {"keep": keep, "areas": areas}
    return translation.trained(
        samples, method, initial, checkpoint, options, training, crops, {"source": source, "target": target},
        {**fixed, "slices": slices}, weights, lambda images, side, limits: Pair(images, side, crops, limits, weights),
    )  # fmt: skip


class Pair(Cycle):
    """Losses of M.-Y. Liu, T. Breuel, J. Kautz, NIPS 2017, eq. 3 to 6, over the weight of the critics there (10).

    Critics as those of `Cycle` (least squares). The variance of a code is 1, so that its divergence from the standard
    normal distribution is half the square of its mean. Distances of images are absolute, those of a Laplace
    distribution.
    """

    def step(self, model, batch, optimisers) -> dict:
        """Work on one batch: the autoencoders first, then the critics."""
        net = getattr(model, "module", model)
        real = {name: batch[name] for name in OTHER}
        made, distance, codes = {}, 0.0, 0.0
        for domain, other in OTHER.items():
            mean = net.encoded(real[domain], domain)
            code = mean + torch.randn_like(mean)
            noise = batch["noise"][0 if domain == "source" else 1]
            made[other] = self.kept(real[domain], net.decoded(code, other), noise, other)
            again = net.encoded(made[other], other)
            found = net.decoded(again + torch.randn_like(again), domain)
            back = self.kept(made[other], found, batch["noise"][2 if domain == "source" else 3], domain)
            for found in (net.decoded(code, domain), back):
                distance = distance + (found - real[domain]).abs().mean()
            codes = codes + 0.5 * (mean.square().mean() + again.square().mean())
        areas, fooled = self._areas(real["source"], made["target"]), self.fooled(net, made)
        loss = fooled + self.weights["cycle"] * distance + self.weights["latent"] * codes
        optimisers["generators"].descend(loss + AREA * areas)
        judged = self.judged(net, real, made)
        optimisers["critics"].descend(judged)
        found = {"generator_loss": fooled, "cycle_loss": distance, "latent_loss": codes}
        return {**found, "critic_loss": judged, "area_loss": areas}
