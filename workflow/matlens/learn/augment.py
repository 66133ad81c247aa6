"""Training patches: random crops with rotation, elastic deformation and grey-level augmentation, by one generator.

Images are channels first, (channels, [z,] y, x). Targets are of one of four kinds:

- "labels": whole numbers with the axes of space alone; nearest neighbour; 255 is not known.
- "image": (channels, [z,] y, x), grey levels that follow the light of the image; linear.
- "heat": (channels, [z,] y, x), numbers that stay what they are; linear.
- "vector", "tensor": fields (d, [z,] y, x) and (d, d, [z,] y, x), components in the order of the axes of space; linear,
  and the components turn with the patch: exactly by right angles and mirrors, as v' = R v, T' = R T R^T by any angle.

What is not known of a target that is no label is NaN.
"""

import math

import numpy as np
import torch
from torch.nn import functional

from matlens.learn.options import Changes
from matlens.nets.pixel.losses import IGNORE

MODES = {2: "bicubic", 3: "bilinear"}
LATTICE_PX = 32  # distance of the random displacements of a bent patch
KNOTS = 7  # of a random grey curve
FIELDS = {"vector": 1, "tensor": 2}  # how many axes of components a field has


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


def _cut(image, target, corner, side: int):
    """Cut a patch out; beyond the image the patch is a mirror image, and is not judged."""
    cut = tuple(slice(c, c + side) for c in corner)
    image, target = image[(slice(None), *cut)], target[(..., *cut)]
    lacking = [(0, side - n) for n in image.shape[1:]]
    if any(after for _, after in lacking):
        image = np.pad(image, [(0, 0), *lacking], mode="reflect" if min(image.shape[1:]) > 1 else "edge")
        before = [(0, 0)] * (target.ndim - len(lacking))
        unknown = IGNORE if target.dtype.kind in "iu" else np.nan
        target = np.pad(target, [*before, *lacking], constant_values=unknown)
    return image, target


def _turned(image, target, rng: np.random.Generator, kind: str):
    """Permute and mirror the axes at random: one of the 8 (in space 48) symmetries, each as likely."""
    dims = image.ndim - 1
    order = rng.permutation(dims)
    flips = [axis for axis in range(dims) if rng.integers(2)]

    def turned(array):
        extra = array.ndim - dims
        moved = array.transpose(*range(extra), *(order + extra))
        return np.flip(moved, [axis + extra for axis in flips])

    target = turned(target)
    signs = np.where(np.isin(np.arange(dims), flips), -1, 1).astype(np.float32)
    if kind == "vector":
        target = target[order] * signs.reshape(-1, *[1] * dims)
    elif kind == "tensor":
        target = target[order][:, order] * np.outer(signs, signs).reshape(dims, dims, *[1] * dims)
    return turned(image), target


def _rotated(target: np.ndarray, turn: np.ndarray, kind: str) -> np.ndarray:
    """Turn the components of a field: `turn` maps places of the patch to places of the image."""
    if kind == "vector":
        return np.einsum("ji,j...->i...", turn, target)
    return np.einsum("ki,lj,kl...->ij...", turn, turn, target) if kind == "tensor" else target


def _sampled(target: np.ndarray, unit, dims: int, turn: np.ndarray, kind: str) -> np.ndarray:
    """Interpolate a target between pixels, and rotate its components."""
    if kind == "labels":
        # shifted by one, so that the zeros from beyond the image are known from the first phase
        marks = torch.from_numpy(np.ascontiguousarray(target, np.float32))[None, None] + 1
        marks = functional.grid_sample(marks, unit, "nearest", "zeros", align_corners=True)[0, 0].numpy()
        return np.where(marks > 0, np.rint(marks) - 1, IGNORE).astype(target.dtype)
    flat = torch.from_numpy(np.ascontiguousarray(target, np.float32)).reshape(1, -1, *target.shape[-dims:])
    known = torch.isfinite(flat).float()
    values = functional.grid_sample(torch.nan_to_num(flat), unit, "bilinear", "zeros", align_corners=True)[0].numpy()
    share = functional.grid_sample(known, unit, "bilinear", "zeros", align_corners=True)[0].numpy()
    values = np.where(share > 1 - 1e-4, values, np.nan)  # all that was averaged is known, and within the image
    return _rotated(values.reshape(*target.shape[:-dims], *values.shape[-dims:]), turn, kind).astype(np.float32)


def _warped(image, target, corner, side: int, changes: Changes, rng: np.random.Generator, kind: str):
    """Cut a rotated, zoomed, elastically deformed patch; pixels outside the image are unlabelled."""
    dims = image.ndim - 1
    if changes.bend_px > 0 and kind in FIELDS:
        raise ValueError("bend_px: a field of vectors or tensors is not bent; set it to 0")
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
    span = np.maximum(np.array(image.shape[1:]) - 1, 1)
    unit = torch.from_numpy((2 * places / span - 1)[..., ::-1].astype(np.float32).copy())[None]
    pixels = torch.from_numpy(np.ascontiguousarray(image, np.float32))[None]
    image = functional.grid_sample(pixels, unit, MODES[dims], "reflection", align_corners=True)[0].numpy()
    return image, _sampled(target, unit, dims, turn, kind)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth with a Gaussian, axis of space by axis of space."""
    half = max(1, math.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / max(sigma, 1e-3)) ** 2)
    kernel /= kernel.sum()
    for axis in range(1, image.ndim):
        moved = np.pad(np.moveaxis(image, axis, -1), [(0, 0)] * (image.ndim - 1) + [(half, half)], mode="edge")
        smooth = sum(k * moved[..., i : i + image.shape[axis]] for i, k in enumerate(kernel))
        image = np.moveaxis(smooth, -1, axis)
    return image


def _curved(image: np.ndarray, curve: float, rng: np.random.Generator) -> np.ndarray:
    """Bend the grey levels of each channel by a random rising curve; the darkest and the brightest stay."""
    bent = np.empty_like(image)
    for channel, out in zip(image, bent, strict=True):
        knots = np.linspace(channel.min(), channel.max(), KNOTS)
        slopes = np.exp(curve * rng.standard_normal(KNOTS - 1))
        heights = np.concatenate([[0.0], np.cumsum(slopes) / slopes.sum()])
        out[...] = np.interp(channel, knots, knots[0] + (knots[-1] - knots[0]) * heights)
    return bent


def _shaded(image: np.ndarray, marks: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Give every phase a brightness of its own, with soft edges."""
    phases = np.unique(marks[marks != IGNORE])
    shift = np.zeros(marks.shape, np.float32)
    for phase in phases:
        shift[marks == phase] = strength * rng.standard_normal()
    return image + blurred(shift[None], 0.7)


def _relit(image: np.ndarray, target: np.ndarray, changes: Changes, rng: np.random.Generator, kind: str):
    """Change contrast, brightness, sharpness, noise and polarity at random; a target image follows but for the harm."""
    if changes.class_contrast > 0 and kind == "labels" and rng.random() < 0.5:
        image = _shaded(image, target, changes.class_contrast, rng)
    if changes.curve > 0 and kind != "image":
        image = _curved(image, changes.curve, rng)
    each = (len(image), *(1,) * (image.ndim - 1))
    sign = -1.0 if changes.invert > 0 and rng.random() < changes.invert else 1.0
    gain = sign * np.exp(changes.contrast * rng.standard_normal(each))
    shift = changes.brightness * rng.standard_normal(each)
    image = image * gain + shift
    if kind == "image":
        if len(target) != len(image):
            raise ValueError(f"an image of {len(image)} channels has a target image of {len(target)}; give as many")
        target = (target * gain + shift).astype(np.float32)
    if changes.blur_px > 0 and rng.random() < 0.5:
        image = blurred(image, changes.blur_px * rng.random())
    if changes.noise > 0 and rng.random() < 0.5:
        image = image + changes.noise * rng.random() * rng.standard_normal(image.shape)
    return image.astype(np.float32), target


def draw(
    images: list, targets: list, side: int, phases: int, balance: float, changes: Changes, rng, kind: str = "labels"
) -> tuple:
    """Draw one patch: float32 pixels and its target, both of `side` pixels along each axis of space.

    `kind` of the targets: see above. Images are drawn by their size; with probability `balance` a patch of labels holds
    a pixel of a phase that is drawn first, all phases of the image being as likely: a rare phase is seen as often as a
    common one. The first channel of heat maps, rounded, serves as such a phase.
    """
    sizes = np.array([image[0].size for image in images], float)
    chosen = int(rng.choice(len(images), p=sizes / sizes.sum()))
    image, target = images[chosen], targets[chosen]
    phase, space, marks = None, image.shape[1:], target
    if rng.random() < balance and kind in ("labels", "heat"):
        marks = target if kind == "labels" else np.rint(np.nan_to_num(target[0], nan=IGNORE)).clip(0).astype(np.uint8)
        present = np.flatnonzero(np.bincount(marks.ravel(), minlength=phases)[:phases])
        phase = int(rng.choice(present)) if len(present) else None
    corner = _centre(space, side, marks, phase, rng)
    free = changes.rotation == "free" or changes.zoom > 0 or changes.bend_px > 0
    if free and rng.random() < 0.5:
        patch, found = _warped(image, target, corner, side, changes, rng, kind)
    else:
        patch, found = _cut(image, target, corner, side)
    if changes.rotation != "none":
        patch, found = _turned(patch, found, rng, kind)
    patch, found = _relit(patch, found, changes, rng, kind)
    return patch, np.ascontiguousarray(found)


def batch(images, targets, count: int, side: int, phases: int, balance: float, changes: Changes, rng, kind="labels"):
    """Draw a batch of tensors: `pixels` (count, channels, [side,] side, side) and `truth`, the targets stacked."""
    drawn = [draw(images, targets, side, phases, balance, changes, rng, kind) for _ in range(count)]
    truth = np.stack([found for _, found in drawn]).astype(np.int64 if kind == "labels" else np.float32)
    return {"pixels": torch.from_numpy(np.stack([pixels for pixels, _ in drawn])), "truth": torch.from_numpy(truth)}
