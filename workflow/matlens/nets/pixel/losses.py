"""Losses: logits (batch, phases, [z,] y, x) and truth (batch, [z,] y, x) in, a scalar out; 255 is not judged."""

import torch
from torch.nn import functional

from matlens.nets.pixel.blocks import POOL

IGNORE = 255


def pixel_weights(truth: torch.Tensor, phases: int, boundary: float, sigma_px: float) -> torch.Tensor:
    """Weigh each pixel by its distance d from the nearest pixel of another phase: 1 + boundary exp(-d^2 / 2 sigma^2).

    Distances are counted in steps to any neighbour (chessboard), up to three sigma; pixels that are not judged are no
    neighbours. Source: O. Ronneberger et al., MICCAI 2015, eq. 2, with one distance instead of two.
    """
    dims = truth.ndim - 1
    low = torch.where(truth == IGNORE, phases, truth).float()
    high = torch.where(truth == IGNORE, -1, truth).float()
    grow = POOL[dims]
    weights = torch.ones_like(low)
    found = torch.zeros_like(truth, dtype=torch.bool)
    for distance in range(1, max(1, round(3 * sigma_px)) + 1):
        if low.numel() == 0:
            break
        high = grow(high[:, None], 3, 1, 1)[:, 0]
        low = -grow(-low[:, None], 3, 1, 1)[:, 0]
        new = (high > low) & ~found
        weights = torch.where(
            new, 1.0 + boundary * float(torch.exp(torch.tensor(-(distance**2) / (2 * sigma_px**2)))), weights
        )
        found |= new
    return weights


def cross_entropy(logits, truth, class_weights=None, weights=None) -> torch.Tensor:
    """Average -log p(truth) over the pixels that are judged, weighted by class and by pixel; 0 where none is judged."""
    each = functional.cross_entropy(logits.float(), truth, weight=class_weights, ignore_index=IGNORE, reduction="none")
    share = (truth != IGNORE).float()
    if class_weights is not None:
        share = share * class_weights[truth.clamp(max=len(class_weights) - 1)]
    if weights is not None:
        each, share = each * weights, share * weights
    return each.sum() / share.sum().clamp(min=1e-6)


def dice(logits, truth) -> torch.Tensor:
    """Return 1 - mean over the phases at hand of 2 sum(p g) / (sum p + sum g), with the sums over the whole batch.

    Source: F. Milletari et al., 3DV 2016, section 3, with sum p instead of sum p^2. A phase without a judged pixel in
    the batch does not count: its score would say nothing but how large the patch is.
    """
    phases = logits.shape[1]
    judged = (truth != IGNORE)[:, None]
    p = functional.softmax(logits.float(), 1) * judged
    g = functional.one_hot(truth.clamp(max=phases - 1), phases).movedim(-1, 1) * judged
    axes = [0, *range(2, logits.ndim)]
    overlap, size, real = (p * g).sum(axes), (p + g).sum(axes), g.sum(axes)
    here = (real > 0).float()
    return (here * (1.0 - 2.0 * overlap / size.clamp(min=1e-6))).sum() / here.sum().clamp(min=1.0)


def total(logits, truth, *, parts: dict[str, float], class_weights, boundary: float, sigma_px: float) -> torch.Tensor:
    """Add the losses of all heads, each head half as heavy as the one before it; a single head counts fully."""
    heads = logits if isinstance(logits, (list, tuple)) else [logits]
    weights = pixel_weights(truth, heads[0].shape[1], boundary, sigma_px) if boundary > 0 else None
    shares = [0.5**i for i in range(len(heads))]
    value = 0.0
    for head, share in zip(heads, shares, strict=True):
        part = 0.0
        if parts["cross_entropy"]:
            part = part + parts["cross_entropy"] * cross_entropy(head, truth, class_weights, weights)
        if parts["dice"]:
            part = part + parts["dice"] * dice(head, truth)
        value = value + share / sum(shares) * part
    return value


LOSSES = {
    "cross_entropy": {"cross_entropy": 1.0, "dice": 0.0},
    "dice": {"cross_entropy": 0.0, "dice": 1.0},
    "dice_cross_entropy": {"cross_entropy": 1.0, "dice": 1.0},
}
