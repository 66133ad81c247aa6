"""Model of a scanning electron microscope: turns noise-free brightness into a micrograph.

Effects are applied in the order of the instrument: the specimen (edges, roughness), the probe (blur), the scan (drift,
charging, shading), the beam (shot noise), the detector (noise, levels).
"""

from itertools import product

import numpy as np


def boundaries(labels: np.ndarray, periodic: bool = False) -> np.ndarray:
    """Mark the pixels that meet another label to the right, below, behind or diagonally: bool, shape of the labels."""
    marked = np.zeros(labels.shape, dtype=bool)
    for offset in product((0, 1), repeat=labels.ndim):
        if not any(offset):
            continue
        if periodic:
            marked |= labels != np.roll(labels, [-step for step in offset], axis=tuple(range(labels.ndim)))
        else:
            here = tuple(slice(0, -1 if step else None) for step in offset)
            there = tuple(slice(step, None) for step in offset)
            marked[here] |= labels[here] != labels[there]
    return marked


def paint(regions: np.ndarray, greys: np.ndarray, spread: float = 0.0, rng=None) -> np.ndarray:
    """Assign each region its grey and an individual deviation: float32, shape of `regions`.

    `greys` (regions,) holds the brightness of region 0, 1, ... in [0, 1]; `spread` is the standard deviation from
    region to region (orientation contrast), not applied to region 0.
    """
    greys = np.asarray(greys, dtype=np.float32).copy()
    if spread > 0 and len(greys) > 1:
        greys[1:] += spread * np.clip(rng.standard_normal(len(greys) - 1), -2.5, 2.5).astype(np.float32)
    return greys[regions]


def _smooth(values: np.ndarray, sigma_px: float) -> np.ndarray:
    """Blur within the image plane, the last two axes; slices of a volume are imaged one by one."""
    from scipy import ndimage

    sigma = (0,) * (values.ndim - 2) + (sigma_px, sigma_px)
    return ndimage.gaussian_filter(values, sigma, mode="reflect", truncate=5.0)


def rough(shape: tuple[int, ...], amplitude: float, length_px: float, rng) -> np.ndarray:
    """Generate surface texture: Gaussian noise of standard deviation `amplitude`, smooth over `length_px`."""
    noise = _smooth(rng.standard_normal(shape, dtype=np.float32), length_px)
    return amplitude * noise / max(float(noise.std()), 1e-12)


def shade(shape: tuple[int, ...], amplitude: float, rng) -> np.ndarray:
    """Generate an uneven background: a random tilt and bowl, `amplitude` from its darkest to its brightest."""
    y, x = (np.linspace(-1, 1, n)[index] for n, index in zip(shape[-2:], np.ix_(*map(range, shape[-2:])), strict=True))
    tilt_y, tilt_x, bowl = rng.uniform(-1, 1, 3)
    plane = tilt_y * y + tilt_x * x + bowl * (x * x + y * y)
    return (amplitude * ((plane - plane.min()) / max(np.ptp(plane), 1e-12) - 0.5)).astype(np.float32)


def charge(grey: np.ndarray, strength: float, length_px: float) -> np.ndarray:
    """Return the streaks behind bright regions along the rows, the fast axis of the scan.

    A charge builds up by the brightness above the mean and leaks away within `length_px`:
    q[x] = a q[x-1] + (1 - a) max(grey - mean, 0), a = exp(-1 / length_px). The streak is dark: -`strength` q.
    """
    from scipy.signal import lfilter

    keep = np.exp(-1.0 / length_px)
    excess = np.maximum(grey - grey.mean(axis=(-2, -1), keepdims=True), 0)
    return (-strength * lfilter([0.0, 1 - keep], [1.0, -keep], excess, axis=-1)).astype(np.float32)


def shift_rows(grey: np.ndarray, shifts_px: np.ndarray) -> np.ndarray:
    """Shift each row to the right by its own number of pixels (linear interpolation; the border pixel is repeated).

    `shifts_px` has the shape of `grey` without its last axis.
    """
    width = grey.shape[-1]
    source = np.clip(np.arange(width) - np.asarray(shifts_px)[..., None], 0, width - 1)
    left = np.minimum(source.astype(np.int64), max(width - 2, 0))
    part = (source - left).astype(np.float32)
    right = np.minimum(left + 1, width - 1)
    return (1 - part) * np.take_along_axis(grey, left, -1) + part * np.take_along_axis(grey, right, -1)


def image(
    grey: np.ndarray,
    edges: np.ndarray | None,
    edge: float,
    seed: int,
    *,
    edge_px: float = 1.2,
    texture: float = 0.02,
    texture_px: float = 2.0,
    blur_px: float = 0.8,
    shading: float = 0.06,
    charging: float = 0.0,
    charging_px: float = 60.0,
    drift_px: float = 0.0,
    jitter_px: float = 0.0,
    dose: float = 250.0,
    noise: float = 0.02,
    bits: int = 8,
) -> np.ndarray:
    """Image a brightness field as a scanning electron microscope would: uint8 or uint16, shape of `grey`.

    `grey`: float (height, width) or (depth, height, width), 0 black and 1 white; the slices of a volume are imaged one
    by one. `edges`: bool, the boundary pixels (None: no edge effect); `edge`: how much brighter they are (negative:
    etched darker), over a width of `edge_px`. `seed`: makes the noise.
    `texture`, `texture_px`: roughness of the surface and its length. `blur_px`: standard deviation of the Gaussian
    probe; its transfer function is exp(-2 (pi f blur_px)^2). `shading`: uneven background, peak to peak. `charging`,
    `charging_px`: dark streaks behind bright regions. `drift_px`: shift of the last row against the first; `jitter_px`:
    random shift of each row. `dose`: electrons per pixel at white; the shot noise of grey g has variance g / dose.
    `noise`: standard deviation of the detector's noise. `bits`: 8 or 16.
    """
    rng = np.random.default_rng([seed, 1])  # independent of the random stream of the specimen
    grey = np.array(grey, dtype=np.float32)
    if edges is not None and edge:
        grey += edge * edge_px * np.sqrt(2 * np.pi) / 2 * _smooth(edges.astype(np.float32), edge_px)
    if texture > 0:
        grey += rough(grey.shape, texture, texture_px, rng)
    if blur_px > 0:
        grey = _smooth(grey, blur_px)
    rows = grey.shape[:-1]
    if drift_px or jitter_px:
        steady = drift_px * np.linspace(0, 1, rows[-1]) * np.ones(rows)
        grey = shift_rows(grey, steady + jitter_px * rng.standard_normal(rows))
    if charging > 0:
        grey += charge(grey, charging, charging_px)
    if shading > 0:
        grey += shade(grey.shape, shading, rng)
    grey = np.maximum(grey, 0)
    if dose > 0:
        grey = rng.poisson(grey * dose).astype(np.float32) / np.float32(dose)
    if noise > 0:
        grey += noise * rng.standard_normal(grey.shape, dtype=np.float32)
    white = 2**bits - 1
    return np.clip(np.rint(grey * white), 0, white).astype(np.uint16 if bits > 8 else np.uint8)


def info_bar(pixels: np.ndarray, pixel_size_um: float, text: str = "", rows: int = 0) -> np.ndarray:
    """Add the data bar of an instrument below an image: a scale bar of a round length and a line of text.

    `pixels`: uint8 or uint16 (height, width). `rows`: height of the bar; 0 takes a sixteenth of the image, at least 24.
    The scale bar is white on black, its length rounded to whole pixels.
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width = pixels.shape
    rows = rows or max(24, height // 16)
    length_um = max(
        (digit * 10.0**power for power in range(-4, 5) for digit in (1, 2, 5)),
        key=lambda size: size if size / pixel_size_um <= width / 4 else -size,
    )
    length = max(1, round(length_um / pixel_size_um))
    label = f"{length_um:g} um" if length_um >= 1 else f"{length_um * 1000:g} nm"
    bar = Image.new("L", (width, rows), 0)
    pen, font = ImageDraw.Draw(bar), ImageFont.load_default(size=0.5 * rows)
    left, middle = width - length - 8, rows // 2
    pen.rectangle([left, middle - 1, left + length - 1, middle + 1], fill=255)
    pen.text((left - 8, middle), label, fill=255, font=font, anchor="rm")
    pen.text((8, middle), text, fill=255, font=font, anchor="lm")
    white = np.iinfo(pixels.dtype).max
    return np.concatenate([pixels, (np.asarray(bar).astype(np.uint32) * white // 255).astype(pixels.dtype)])
