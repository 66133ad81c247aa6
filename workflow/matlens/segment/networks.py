"""Networks that label pixels, applied by tiles; `network_learning` trains them."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from matlens.learn import pixels
from matlens.learn.options import APPLICATION, Application
from matlens.learn.pixels import Model
from matlens.segment import instances, lines

__all__ = ["Model", "prepare", "probabilities", "segment", "soft"]


def prepare(arrays: Mapping[str, np.ndarray], card: Mapping, *, output: str = "phases", device: str = "auto") -> Model:
    """Make a model from weights and their card. Raises ValueError if these were trained for another kind of output."""
    own = instances.OUTPUT if card.get("output") == instances.OUTPUT else ""
    if (output == instances.OUTPUT) != bool(own):
        right = f"set output: {own}" if own else "set output: phases, lines or grains"
        raise ValueError(f"output: {output}: these weights were trained for another output; {right}, or train it")
    return pixels.prepare(arrays, card, device=device)


def probabilities(
    image: np.ndarray, model: Model, colour, application: Application, activation=pixels.softmax
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the probabilities of the phases, band by band: (first row, (phases, rows, ...)).

    Where the card has a bias of the classes (logarithms of factors, see `network_learning.class_bias`) it is applied.
    """
    bias = model.card.get("class_bias")
    factor = None if bias is None else np.exp(np.array(bias, np.float32))
    for first, values in pixels.answers(image, model, colour, activation, application):
        if factor is not None:
            values = values * factor.reshape(-1, *[1] * image.ndim)
            values /= values.sum(0)
        yield first, values


def soft(
    image: np.ndarray, model: Model, colour: np.ndarray | None = None, *, application: Application = APPLICATION
) -> np.ndarray:
    """Return the probability of every phase at every pixel: float32 of shape (*image.shape, phases)."""
    if model.card.get("output") == instances.OUTPUT:
        maps = partial(pixels.answers, activation=instances.activation, application=application)
        inside = np.concatenate([values[0] for _, values in maps(image, model, colour)])
        return np.stack([1 - inside, inside], -1)
    parts = probabilities(image, model, colour, application)
    return np.moveaxis(np.concatenate([values for _, values in parts], axis=1), 0, -1)


def segment(
    image: np.ndarray,
    model: Model,
    colour: np.ndarray | None = None,
    *,
    application: Application = APPLICATION,
    output: str = "phases",
    boundary_phase: int = 1,
    threshold: float | None = None,
    prominence: float | None = None,
    prominence_px: float = 2.0,
    min_area_px2: int = 30,
) -> np.ndarray:
    """Label an image of any size by overlapping tiles: the most probable phase (uint8), or objects (int32).

    `colour`: (3, y, x) in [0, 1], for networks that learned from it. `output` "lines" marks `boundary_phase` where its
    probability reaches `threshold` and the most probable other phase elsewhere; "grains" cuts grains along such lines
    (see `matlens.segment.regions.regions_from_boundary`); "instances" parts touching objects (see
    `matlens.segment.instances`) by their depth, at `prominence`. `threshold`, `prominence` None: that of the card, or
    0.5 and 0.1.
    """
    level = model.card.get("threshold", 0.5) if threshold is None else threshold
    if output == instances.OUTPUT:
        height = model.card.get("prominence", instances.FIRST_PROMINENCE) if prominence is None else prominence
        parts = pixels.answers(image, model, colour, instances.activation, application)
        return instances.cut(np.concatenate([values for _, values in parts], 1), level, height, min_area_px2)
    parts = probabilities(image, model, colour, application)
    if output == "phases":
        return np.concatenate([values.argmax(0).astype(np.uint8) for _, values in parts])
    values = np.concatenate([part for _, part in parts], 1)
    found = lines.cut(values[boundary_phase], output, level, prominence_px, min_area_px2)
    if output == "grains":
        return found
    values[boundary_phase] = -1.0
    return np.where(found, np.uint8(boundary_phase), values.argmax(0).astype(np.uint8))
