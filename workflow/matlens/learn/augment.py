"""Patches to train on: cut at random, turned, bent, and given other light, by one generator.

Images are channels first, (channels, [z,] y, x); truths have the axes of space alone.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from matlens.nets.pixel.losses import IGNORE

MODES = {2: "bicubic", 3: "bilinear"}
LATTICE_PX = 32  # distance of the random displacements of a bent patch


@dataclass(frozen=True)
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


def _rotation(dims: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a rotation, evenly among all: the QR decomposition of a Gaussian matrix (F. Mezzadri, Notices AMS 2007)."""
    q, r = np.linalg.qr(rng.standard_normal((dims, dims)))
    q *= np.sign(np.diag(r))
    q[:, 0] *= np.sign(np.linalg.det(q))
    return q


def _centre(shape, side, truth: np.ndarray, phase: int | None, rng: np.random.Generator) -> list[int]:
    """Draw the corner of a patch: anywhere, or around a random pixel of a phase; within the image where it fits."""
    places = None if phase is None else np.flatnonzero(truth == phase)
    if places is None or not len(places):
        return [int(rng.integers(0, max(n - side, 0) + 1)) for n in shape]
    pixel = np.unravel_index(places[rng.integers(len(places))], shape)
    corner = [int(p) - int(rng.integers(0, side)) for p in pixel]
    return [min(max(c, 0), max(n - side, 0)) for c, n in zip(corner, shape, strict=True)]


def _cut(image, truth, corner, side: int):
    """Cut a patch out; beyond the image the patch is a mirror image, and is not judged."""
    cut = tuple(slice(c, c + side) for c in corner)
    image, truth = image[(slice(None), *cut)], truth[cut]
    lacking = [(0, side - n) for n in truth.shape]
    if any(after for _, after in lacking):
        image = np.pad(image, [(0, 0), *lacking], mode="reflect" if min(truth.shape) > 1 else "edge")
        truth = np.pad(truth, lacking, constant_values=IGNORE)
    return image, truth


def _turned(image, truth, rng: np.random.Generator):
    """Permute and mirror the axes at random: one of the 8 (in space 48) symmetries, each as likely."""
    order = rng.permutation(truth.ndim)
    flips = [axis for axis in range(truth.ndim) if rng.integers(2)]
    image = np.flip(image.transpose(0, *(order + 1)), [axis + 1 for axis in flips])
    return image, np.flip(truth.transpose(order), flips)


def _warped(image, truth, corner, side: int, changes: Changes, rng: np.random.Generator):
    """Cut a patch out of an image that is turned by any angle, zoomed and bent; what lies beyond it is not judged."""
    dims = truth.ndim
    axis = np.arange(side) - (side - 1) / 2
    grid = np.stack(np.meshgrid(*[axis] * dims, indexing="ij"), -1)
    scale = math.exp(rng.uniform(-1, 1) * math.log1p(changes.zoom))
    turn = _rotation(dims, rng) if changes.rotation == "free" else np.eye(dims)
    places = grid @ turn.T * scale + (np.array(corner) + (side - 1) / 2)
    if changes.bend_px > 0:
        nodes = rng.standard_normal((1, dims, *[side // LATTICE_PX + 3] * dims)).astype(np.float32)
        smooth = functional.interpolate(
            torch.from_numpy(nodes), [side] * dims, mode={2: "bicubic", 3: "trilinear"}[dims], align_corners=True
        )
        places = places + changes.bend_px * np.moveaxis(smooth[0].numpy(), 0, -1)
    span = np.maximum(np.array(truth.shape) - 1, 1)
    unit = torch.from_numpy((2 * places / span - 1)[..., ::-1].astype(np.float32).copy())[None]
    pixels = torch.from_numpy(np.ascontiguousarray(image, np.float32))[None]
    # shifted by one, so that the zeros from beyond the image are known from the first phase
    marks = torch.from_numpy(np.ascontiguousarray(truth, np.float32))[None, None] + 1
    image = functional.grid_sample(pixels, unit, MODES[dims], "reflection", align_corners=True)[0].numpy()
    marks = functional.grid_sample(marks, unit, "nearest", "zeros", align_corners=True)[0, 0].numpy()
    return image, np.where(marks > 0, np.rint(marks) - 1, IGNORE).astype(truth.dtype)


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth with a Gaussian, axis of space by axis of space."""
    half = max(1, math.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / max(sigma, 1e-3)) ** 2)
    kernel /= kernel.sum()
    for axis in range(1, image.ndim):
        moved = np.pad(np.moveaxis(image, axis, -1), [(0, 0)] * (image.ndim - 1) + [(half, half)], mode="edge")
        smooth = sum(k * moved[..., i : i + image.shape[axis]] for i, k in enumerate(kernel))
        image = np.moveaxis(smooth, -1, axis)
    return image


def _relit(image: np.ndarray, changes: Changes, rng: np.random.Generator) -> np.ndarray:
    """Change contrast, brightness, sharpness, noise and polarity at random."""
    each = (len(image), *(1,) * (image.ndim - 1))
    if changes.invert > 0 and rng.random() < changes.invert:
        image = -image
    image = image * np.exp(changes.contrast * rng.standard_normal(each))
    image = image + changes.brightness * rng.standard_normal(each)
    if changes.blur_px > 0 and rng.random() < 0.5:
        image = _blurred(image, changes.blur_px * rng.random())
    if changes.noise > 0 and rng.random() < 0.5:
        image = image + changes.noise * rng.random() * rng.standard_normal(image.shape)
    return image.astype(np.float32)


def draw(images: list, truths: list, side: int, phases: int, balance: float, changes: Changes, rng) -> tuple:
    """Draw one patch: float32 pixels and integer truth, both of `side` pixels along each axis.

    Images are drawn by their size; with probability `balance` the patch holds a pixel of a phase that is drawn first,
    all phases of the image being as likely: a rare phase is seen as often as a common one.
    """
    sizes = np.array([truth.size for truth in truths], float)
    chosen = int(rng.choice(len(images), p=sizes / sizes.sum()))
    image, truth = images[chosen], truths[chosen]
    phase = None
    if rng.random() < balance:
        present = np.flatnonzero(np.bincount(truth.ravel(), minlength=phases)[:phases])
        phase = int(rng.choice(present)) if len(present) else None
    corner = _centre(truth.shape, side, truth, phase, rng)
    free = changes.rotation == "free" or changes.zoom > 0 or changes.bend_px > 0
    if free and rng.random() < 0.5:
        patch, marks = _warped(image, truth, corner, side, changes, rng)
    else:
        patch, marks = _cut(image, truth, corner, side)
    if changes.rotation != "none":
        patch, marks = _turned(patch, marks, rng)
    return _relit(patch, changes, rng), np.ascontiguousarray(marks)


def batch(images, truths, count: int, side: int, phases: int, balance: float, changes: Changes, rng) -> dict:
    """Draw a batch: `pixels` (count, channels, [side,] side, side) and `truth` (count, [side,] side, side), tensors."""
    drawn = [draw(images, truths, side, phases, balance, changes, rng) for _ in range(count)]
    return {
        "pixels": torch.from_numpy(np.stack([pixels for pixels, _ in drawn])),
        "truth": torch.from_numpy(np.stack([marks for _, marks in drawn]).astype(np.int64)),
    }
