"""Networks that label pixels, applied by tiles; `network_learning` trains them."""

from collections.abc import Iterator

import numpy as np

from matlens.learn import pixels
from matlens.learn.pixels import Model, prepare
from matlens.segment import lines

__all__ = ["Model", "prepare", "probabilities", "segment", "soft"]


def probabilities(
    image: np.ndarray, model: Model, colour, *, tile_px: int | None, overlap_px: int | None, views: str
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the probabilities of the phases, band by band: (first row, (phases, rows, ...))."""
    layout = {"tile_px": tile_px, "overlap_px": overlap_px, "views": views}
    yield from pixels.answers(image, model, colour, pixels.softmax, **layout)


def soft(
    image: np.ndarray,
    model: Model,
    colour: np.ndarray | None = None,
    *,
    tile_px: int | None = None,
    overlap_px: int | None = None,
    views: str = "one",
) -> np.ndarray:
    """Return the probability of every phase at every pixel: float32 of shape (*image.shape, phases)."""
    parts = probabilities(image, model, colour, tile_px=tile_px, overlap_px=overlap_px, views=views)
    return np.moveaxis(np.concatenate([values for _, values in parts], axis=1), 0, -1)


def segment(
    image: np.ndarray,
    model: Model,
    colour: np.ndarray | None = None,
    *,
    tile_px: int | None = None,
    overlap_px: int | None = None,
    views: str = "one",
    output: str = "phases",
    boundary_phase: int = 1,
    threshold: float | None = None,
    prominence_px: float = 2.0,
    min_area_px2: int = 30,
) -> np.ndarray:
    """Label an image of any size by overlapping tiles: the most probable phase (uint8), or grains (int32).

    `colour`: (3, y, x) in [0, 1], for networks that learned from it. `tile_px`: edge of a tile, None for 512 or more,
    in volumes 128; `overlap_px`: what neighbours share, None for as much as makes the answer that of the whole image at
    once (in volumes half a tile at most, where tiles fade into each other); `views`: "one", or the average over
    "mirrors" or "right_angles" too. `output` "lines" marks `boundary_phase` where its probability reaches `threshold`
    and the most probable other phase elsewhere; "grains" cuts grains along such lines (see
    `matlens.segment.regions.regions_from_boundary`). `threshold` None: that of the card, or 0.5.
    """
    parts = probabilities(image, model, colour, tile_px=tile_px, overlap_px=overlap_px, views=views)
    if output == "phases":
        return np.concatenate([values.argmax(0).astype(np.uint8) for _, values in parts])
    values = np.concatenate([part for _, part in parts], 1)
    level = model.card.get("threshold", 0.5) if threshold is None else threshold
    found = lines.cut(values[boundary_phase], output, level, prominence_px, min_area_px2)
    if output == "grains":
        return found
    values[boundary_phase] = -1.0
    return np.where(found, np.uint8(boundary_phase), values.argmax(0).astype(np.uint8))
