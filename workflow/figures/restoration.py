"""Images before and after restoration, their difference, and the spectrum of the residual."""

import io
import re

from matlens import restore
from matlens.registry import method_of

from figures import style

LAGS = range(1, 6)
LETTERS_PER_IN = 13  # of titles
SIDES = {"rows": "-", "columns": "--"}
UM_PER = {"mm": 1e3, "µm": 1.0, "nm": 1e-3}


def draw(previews: dict, quality: dict, index, *, items: int = 2, side_px: int = 160, include: list | None = None):
    """Draw two rows for every item: the image and its restorations; below them the residual's autocorrelation by lag
    (rows solid, columns dashed) and the differences. An item that a network was trained on is marked. `items`,
    `include` and `side_px` choose and size the parts, which are made before.
    """
    methods = [method for method in previews if method_of(method) not in restore.CONTROLS] or list(previews)
    keys = sorted({key for method in methods for key in previews[method]})[:items]
    if not keys:
        return style.nothing("no item was restored")
    known = index.set_index("key")
    width = style.PAGE_IN / (len(methods) + 1)
    tall = [_panels(next(previews[m][key] for m in methods if key in previews[m]))[0].shape for key in keys]
    ratios = [min(height / wide, 2.0) for height, wide in tall for _ in range(2)]
    figure = style.Figure(figsize=(style.PAGE_IN, width * sum(ratios) + 0.3 * len(ratios)), layout="constrained")
    axes = figure.subplots(len(ratios), len(methods) + 1, squeeze=False, height_ratios=ratios)
    looks = style.look(methods, restore.CONTROLS)  # `median` is a filter here
    for number, key in enumerate(keys):
        rows = axes[2 * number : 2 * number + 2]
        item = known["item"].get(key, key)
        _before(rows[0][0], _coarsest(previews, key), known, key)
        rows[0][0].set_ylabel(style.text(item) + _use(quality, item), fontsize=6)
        for place, method in enumerate(methods, 1):
            name = _lines(style.text(method), most=int(LETTERS_PER_IN * width))
            _after(rows[0][place], rows[1][place], previews[method].get(key), name, looks[method])
        _lags(rows[1][0], {method: quality[method] for method in methods if method in quality}, item, looks)
    return figure


def _lines(name: str, most: int) -> str:
    """Break the name of a method behind its dots and underscores into lines of at most `most` letters, if it can be."""
    found = [""]
    for part in re.split(r"(?<=[._])", name):
        if found[-1] and len(found[-1] + part) > most:
            found.append("")
        found[-1] += part
    return "\n".join(found)


def _use(quality: dict, item) -> str:
    """Say that a network has seen an item in training or validation, as far as the tables have it."""
    known = [table for table in quality.values() if "split" in table]
    seen = {split for table in known for split in table.loc[table["item"] == item, "split"].unique()}
    return next((f"\n({split})" for split in ("train", "val") if split in seen), "")


def _coarsest(previews: dict, key: int) -> bytes:
    """Return the picture of an item with the fewest pixels: that of its own size, which the scale bar belongs to."""
    from PIL import Image

    known = [pictures[key] for pictures in previews.values() if key in pictures]
    return min(known, key=lambda data: Image.open(io.BytesIO(data)).width)


def _panels(data: bytes):
    """Cut a preview into before, after and difference."""
    import numpy as np
    from PIL import Image

    picture = np.asarray(Image.open(io.BytesIO(data)))
    return np.split(picture, 3, axis=1)


def _show(panel, picture, title: str, colour: str = style.INK) -> None:
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set_visible(False)
    panel.set_title(title, fontsize=7, color=colour)
    if picture is None:
        panel.text(0.5, 0.5, "not restored", ha="center", va="center", transform=panel.transAxes)
    else:
        panel.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")


def _before(panel, data: bytes, known, key: int) -> None:
    """Show the image as it was, with a scale bar; in pixels where their size is not known."""
    picture = _panels(data)[0]
    _show(panel, picture, "before")
    size = known["pixel_size_um"].get(key) if "pixel_size_um" in known else None
    size = float(size) if size is not None and size == size else None
    most = picture.shape[1] / 3 * (size or 1.0)
    length = max(
        (digit * 10.0**power for power in range(-6, 6) for digit in (1, 2, 5)),
        key=lambda long: long if long <= most else -long,
    )
    unit = next((unit for unit, um in UM_PER.items() if length >= um), "nm") if size else "px"
    label = f"{length / UM_PER.get(unit, 1.0):g} {unit}"
    left, row = 0.05 * picture.shape[1], 0.93 * picture.shape[0]
    for colour, wide in ((style.INK, 4.0), ("white", 2.0)):
        panel.plot([left, left + length / (size or 1.0)], [row, row], color=colour, lw=wide, solid_capstyle="butt")
    box = {"facecolor": style.INK, "alpha": 0.6, "edgecolor": "none", "pad": 1.0}
    panel.text(left, row - 0.04 * picture.shape[0], label, color="white", fontsize=6, va="bottom", bbox=box)
    panel.set(xlim=(-0.5, picture.shape[1] - 0.5), ylim=(picture.shape[0] - 0.5, -0.5))


def _after(above, below, data: bytes | None, method: str, look: dict) -> None:
    """Show a restored image under the name of its method, in the colour of its lines, and the difference."""
    parts = (None, None, None) if data is None else _panels(data)
    _show(above, parts[1], method, look["color"])
    _show(below, parts[2], "difference")


def _lags(panel, quality: dict, item, looks: dict) -> None:
    """Plot the autocorrelation of the residual of an item by lag, mean over the frames of a video."""
    panel.axhline(0, color=style.FAINT, lw=0.8, zorder=0)
    for method, table in quality.items():
        values = table[table["item"] == item].groupby("measure")["value"].mean()
        for side, line in SIDES.items():
            found = [values.get(f"autocorrelation_{side}_{lag}") for lag in LAGS]
            panel.plot(LAGS, found, ls=line, color=looks[method]["color"], lw=1.0)
    panel.set_title("autocorrelation", fontsize=7)
    panel.set_xlabel("lag / px", fontsize=6)
    panel.tick_params(labelsize=5)
    panel.set_xticks(list(LAGS))
