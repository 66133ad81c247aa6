"""Frames and lengths of annotated objects, in those of their image."""

import math
from dataclasses import replace

import numpy as np

from matlens.ingest.annotations import Page
from matlens.job.batch import BadItem

SCALE_ERROR_PX = 1.0  # by which sides of one aspect ratio may differ after scaling


def settled(page: Page, frames: int, pixel_size_um: float | None, file: str) -> Page:
    """Return a page with its frames counted from 0 and its places in pixels. Raises BadItem if they are not known."""
    return _in_pixels(_checked(page, frames, file), pixel_size_um, file)


def _checked(page: Page, frames: int, file: str) -> Page:
    """Return a page whose objects say the frames of a video, from 0. Raises BadItem for others."""
    used = {one.frame for one in page.shapes if one.frame is not None}
    if frames > 1 and page.clock and page.shapes:
        raise BadItem(f"{file} has the column '{page.clock}' and no frames; add the column frame, which counts from 0")
    if frames > 1 and used and (fault := _fault(sorted(used), frames)):
        raise BadItem(f"{file} has the frames {min(used)} to {max(used)}{fault}")
    return page


def _fault(used: list[int], frames: int) -> str:
    """Say why numbers of frames cannot be those of a video ("" if they can): counted from 1, or in other steps."""
    step, own = math.gcd(*(n - used[0] for n in used)), f"of a video of {frames} frames"
    if 1 <= used[0] < used[-1] == frames:
        return f" {own}; count them from 0"
    return (
        f" in steps of {step} {own}; number them as in the video"
        if step > 1 and len(used) > 2 and used[-1] >= frames
        else ""
    )


def counted(page: Page, size: tuple[int, int]) -> Page:
    """Return a page with pixels counted from 0, of one whose format counts from 1 and whose program may not.

    A box that begins at 0, none before it, shows 0; one that ends one pixel behind the image shows 1. Else it is 1, and
    the page has a note. `size`: height and width of the image.
    """
    rings = [ring for one in page.shapes for part in one.parts for ring in part]
    if not page.from_one or not rings:
        return page
    low, high = np.concatenate(rings).min(0), np.concatenate(rings).max(0)
    first = 0 if low.min() == 0 else 1
    sure = first == 0 or (low.min() >= 1 and (high == np.add(size, 1)).any() and (high <= np.add(size, 1)).all())
    note = "" if sure else "pixels were taken as counted from 1, as MOT does; if from 0, boxes lie one pixel early"
    shapes = tuple(
        replace(one, parts=tuple(tuple(ring - first for ring in part) for part in one.parts)) for one in page.shapes
    )
    return replace(page, shapes=shapes, from_one=False, note="; ".join(filter(None, (page.note, note))))


def step_of(page: Page) -> int:
    """Return the step in which the frames of a video were annotated: 2 of 0, 2, 4, 8; 1 of fewer than three frames."""
    used = sorted({one.frame for one in page.shapes if one.frame is not None})
    if len(used) < 3 or any(one.frame is None and not one.reason for one in page.shapes):
        return 1
    return math.gcd(*(frame - used[0] for frame in used))


def _in_pixels(page: Page, pixel_size_um: float | None, file: str) -> Page:
    """Return a page with places in pixels. Raises BadItem if they are lengths and the pixel size is not known."""
    if page.unit_um is None:
        return page
    if not pixel_size_um:
        raise BadItem(f"{file} has places in micrometres, and the pixel size is not known; give pixel_size_um")
    factor = page.unit_um / pixel_size_um
    shapes = tuple(
        one if one.centre is None else  # pixel i lies at i in the file, and at i + 0.5 here
        replace(one, centre=tuple((c - 0.5) * factor + 0.5 for c in one.centre), radius=one.radius * factor)
        for one in page.shapes
    )  # fmt: skip
    return replace(page, shapes=shapes, unit_um=None)


def scale_of(page: Page, whole: tuple, kept: tuple, file: str) -> tuple[np.ndarray, str]:
    """Return the factors from the coordinates of a page to pixels of the image, and a note if they are not 1."""
    if page.relative:
        return np.array(whole, float), ""
    if page.size is None or page.size == tuple(whole):
        return np.ones(2), ""
    if page.size == tuple(kept):
        return np.ones(2), "cropped"
    factors = np.array(whole, float) / page.size
    if abs(factors[0] - factors[1]) * max(page.size) > SCALE_ERROR_PX * max(1.0, factors.max()):
        stated, own = (f"{w} x {h}" for h, w in (page.size, whole))
        raise BadItem(f"{file} says that the image has {stated} pixels, and it has {own}; annotate this image")
    return factors, f"its objects were drawn on {page.size[1]} x {page.size[0]} pixels and scaled by {factors[0]:.4g}"
