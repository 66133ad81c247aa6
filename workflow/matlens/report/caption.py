"""The strip below an overlay: scale bar and legend."""

import numpy as np

from matlens.report import overlay

STEPS = (1, 2, 5)
SHARE = 0.25  # longest scale bar, as a part of the width
BACK, INK = (255, 255, 255), (0, 0, 0)


def bar_length(width_px: float, size: float | None) -> tuple[float, str]:
    """Choose a round length of a scale bar: (pixels of the image, text). `size`: micrometres a pixel, None if unknown.

    `width_px`: width of the image in its own pixels.
    """
    longest = SHARE * width_px * (size or 1.0)
    power = 10.0 ** np.floor(np.log10(longest))
    length = max(step * power for step in STEPS if step * power <= longest * (1 + 1e-9))
    if size is None:
        return max(1.0, length), f"{max(1.0, length):.0f} px"
    unit, factor = ("nm", 1e3) if length < 0.5 else ("mm", 1e-3) if length >= 1000 else ("µm", 1.0)
    return length / size, f"{length * factor:.4g} {unit}"


def legend(labels: np.ndarray, phases: list[str], with_truth: bool) -> list[tuple[str, str | None]]:
    """List text and colour of the legend; None: the phase that is not drawn."""
    if labels.dtype == np.uint8:
        present = [number for number in np.unique(labels) if number < len(phases)]
        named = [(phases[n], overlay.PALETTE[(n - 1) % len(overlay.PALETTE)] if n else None) for n in present]
        named += [("not measured", overlay.HIDDEN)] if (labels == overlay.UNLABELLED).any() else []
    else:
        named = [("outline of regions", overlay.PALETTE[1])]
        named += [("not measured", overlay.HIDDEN)] if (labels < 0).any() else []
    return named + ([("outline of the truth", overlay.TRUTH)] if with_truth else [])


def add(picture: np.ndarray, entries: list[tuple[str, str | None]], width_px: int, size: float | None) -> np.ndarray:
    """Put a white strip with scale bar and legend below a picture, uint8 (y, x, 3).

    `width_px`: width of the image in its own pixels; `size`: micrometres a pixel, None if unknown.
    """
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    wide = picture.shape[1]
    letters = max(10, round(wide / 32))
    # The font that matplotlib brings has Greek letters; that of Pillow has no micro sign.
    font = ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", letters)
    length, text = bar_length(width_px, size)
    bar = max(2, round(length * wide / width_px))
    boxes, x, line = [], letters // 2, 0
    for name, colour in [(text, "bar"), *entries]:
        mark = bar if colour == "bar" else letters
        need = mark + letters // 2 + round(font.getlength(name)) + letters
        if x > letters // 2 and x + need > wide:
            x, line = letters // 2, line + 1
        boxes.append((x, line, mark, name, colour))
        x += need
    high = round((line + 1) * 1.6 * letters)
    strip = Image.new("RGB", (wide, high), BACK)
    draw = ImageDraw.Draw(strip)
    for x, line, mark, name, colour in boxes:
        middle = round((line + 0.5) * 1.6 * letters)
        half = max(2, letters // 6) if colour == "bar" else letters // 2
        fill = INK if colour == "bar" else colour or BACK
        draw.rectangle((x, middle - half, x + mark - 1, middle + half), fill=fill, outline=INK)
        draw.text((x + mark + letters // 2, middle), name, fill=INK, font=font, anchor="lm")
    return np.vstack([picture, np.asarray(strip)])
