"""Layers of a generated volume made anew between their neighbours, along one axis after the other."""

import numpy as np

from matlens.generate import diffusion, trained

LEVEL = 4.0  # scale of the mean of a layer, so that it varies by about 1
AXES = np.eye(3, dtype=np.float32)  # which axis layers are stacked along, as a network is told
KEPT = 0.5  # part of the steps from noise to layer that are left out when a layer is made anew


def levels(layers: np.ndarray) -> np.ndarray:
    """Return how much of each phase layers (n, p, y, x) have, as the network takes it, float32 (n, p)."""
    return (LEVEL * layers.mean((2, 3))).astype(np.float32)


def neighbours(volume: np.ndarray, at: int, before: int, after: int, layers: int) -> np.ndarray:
    """Return the layers beside one of a volume (p, layer, ...): float32 (p 2 layers, ...), `layers` on either side.

    The nearest `before` and `after` are known; the others, and those beyond the volume, are 0.
    """
    found = np.zeros((volume.shape[0], 2 * layers, *volume.shape[2:]), np.float32)
    first, last = max(at - before, 0), min(at + 1 + after, volume.shape[1])
    found[:, layers - (at - first) : layers] = volume[:, first:at]
    found[:, layers : layers + last - at - 1] = volume[:, at + 1 : last]
    return found.reshape(-1, *volume.shape[2:])


def swept(labels: np.ndarray, real: np.ndarray, axis: int, layers: int, model, asked, steps: int, draw, fresh: float):
    """Make the layers of volumes along an axis anew, each between `layers` on either side: uint8, shape of `labels`.

    `labels` (n, z, y, x); `real` (n, p, z, y, x): volumes that give the parts of the phases by layer; `asked`: scaled
    conditions (n, c). Noise is added to a layer and taken off again by the network. Layers that do not see each other
    are made at the same time.
    """
    import torch

    phases = 2 if real.shape[1] == 1 else real.shape[1]
    pixels = np.moveaxis(trained.channels_of(labels, phases), 2 + axis, 2)
    volumes, depth, first = np.moveaxis(real, 2 + axis, 2), pixels.shape[2], int(KEPT * steps)
    a, s = diffusion.mixture(first, steps)
    for start in range(layers + 1):
        for numbers in np.array_split(np.arange(start, depth, layers + 1), -(-depth // 16)):
            if not len(numbers):
                continue
            own = np.concatenate([pixels[:, :, at] for at in numbers])  # (layer n, p, y, x)
            beside = np.stack([neighbours(one, at, layers, layers, layers) for at in numbers for one in pixels])
            told = np.concatenate([levels(volumes[:, :, at]) for at in numbers])
            told = np.concatenate([told, np.repeat(AXES[None, axis], len(own), 0)], 1)
            noise = torch.randn(own.shape, generator=draw)
            begun = (a * torch.from_numpy(own) + s * noise).to(model.device)
            conditions = torch.cat([asked.repeat(len(numbers), 1), torch.from_numpy(told).to(model.device)], 1)
            context = torch.from_numpy(beside).to(model.device)
            found = diffusion.sampled(model.net, begun, conditions, steps, context, draw, fresh, first)
            marks = trained.channels_of(trained.labels_of(found.cpu().numpy()), phases)
            for at, made in zip(numbers, np.split(marks, len(numbers)), strict=True):
                pixels[:, :, at] = made
    return trained.labels_of(np.moveaxis(pixels, 2, 2 + axis))
