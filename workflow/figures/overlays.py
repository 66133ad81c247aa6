"""Draw labels over their images: a block per item, a panel per method."""

import io

from figures import style


def draw(overlays: dict, index, *, items: int = 6, width_px: int = 1024):
    """Draw a block of overlays per item. `items` and `width_px` choose and size the pictures, which are made before."""
    import numpy as np
    from PIL import Image

    names = dict(zip(index["key"], index["item"], strict=True))
    keys = sorted({key for pictures in overlays.values() for key in pictures})[:items]
    if not keys:
        return style.nothing("no item was labelled")
    first = {key: next(p[key] for p in overlays.values() if key in p) for key in keys}
    shapes = {key: Image.open(io.BytesIO(first[key])).size for key in keys}
    width = style.PAGE_IN / min(max(len(overlays), 2), style.ACROSS)
    ratios = [min(height / wide, 2.0) for wide, height in shapes.values()]
    figure, axes = style.blocks(len(keys), len(overlays), ratios, 0.15 if len(overlays) > style.ACROSS else 0.02)
    pixels = max(64, min(width_px, round(width * 150)))
    for row, key in zip(axes, keys, strict=True):
        for panel, (method, pictures) in zip(row, overlays.items(), strict=True):
            panel.set_anchor("N")  # strips below the pictures differ in height
            if key in pictures:
                picture = Image.open(io.BytesIO(pictures[key]))
                picture.thumbnail((pixels, 2 * pixels), Image.Resampling.LANCZOS)
                panel.imshow(np.asarray(picture), interpolation="nearest")
            else:
                panel.text(0.5, 0.5, "not labelled", ha="center", va="center", transform=panel.transAxes)
            if panel in axes[0]:
                panel.set_title(style.text(method))
        row[0].set_ylabel(style.text(names.get(key, key)), fontsize=6)
    return figure
