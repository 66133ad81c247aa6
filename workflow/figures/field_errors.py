"""The field of a trained network beside that of the solver, and the difference."""

from figures import fields as maps
from figures import style


def draw(fields: dict, predicted_fields: dict, *, item: str = ""):
    """Draw a row for the largest component of each field: solved, predicted, and their difference by the same scale.

    `item`: the one to draw; empty for the last, which is least often learned from.
    """
    import numpy as np

    name = item or _last(predicted_fields)
    solved, found = (maps.found(each, name) for each in (fields, predicted_fields))
    if not name or solved is None or found is None:
        return style.nothing(f"no predicted field of {style.text(name)}" if name else "no field was predicted")
    attrs, labels, true = solved
    made, where = found[2], style.text(name)
    if labels.ndim == 3:
        plane = labels.shape[0] // 2
        true, made, where = true[:, plane], made[:, plane], f"{where}, z = {plane}"
    half = len(true) // 2
    rows = [start + int(np.abs(true[start : start + half]).mean(axis=(1, 2)).argmax()) for start in (0, half)]
    height = 2.1 * min(true.shape[1] / true.shape[2], 2) + 0.2
    figure, axes = style.panels(2, 3, style.PAGE_IN, height)
    for panels, number in zip(axes, rows, strict=True):
        title = maps.title(attrs, number)
        low, high = np.quantile(true[number], [0.005, 0.995])
        spread = max(high - low, 1e-12 * max(abs(low), abs(high)), 1e-300)
        for panel, values, words in zip(
            panels,
            (true[number], made[number], made[number] - true[number]),
            (f"{title}, solved", words_of(found[0]), "difference"),
            strict=True,
        ):
            limits = (low, low + spread, "viridis") if words != "difference" else (-spread / 2, spread / 2, "RdBu_r")
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
            maps.drawn(figure, panel, values, words, limits)
    axes[1, 0].set_xlabel(where, fontsize=6)
    return figure


def words_of(attrs: dict) -> str:
    """Name the method of a predicted field; a study may have several."""
    return f"predicted by {style.text(attrs['solved_by'])}" if attrs.get("solved_by") else "predicted"


def _last(predicted: dict) -> str:
    """Return the last item that a network, and no solver in its place, has predicted; of the test set if there is."""
    last = ""
    for opened in predicted.values():
        with opened() as arrays:
            for key in arrays:
                attrs = arrays.attrs(key)
                tested = attrs.get("split", "test") == "test"
                last = str(attrs["item"]) if tested and attrs.get("solved_by", "") != "fft" else last
    return last
