"""The fields of trained networks beside that of the solver, and the differences."""

from matlens.registry import method_of

from figures import fields as maps
from figures import style

MOST = 3  # networks that are drawn


def draw(fields: dict, predicted_fields: dict, *, item: str = ""):
    """Draw for each network two rows, the largest component of each field: solved, predicted, and their difference
    by the same scale. Networks are named with their variants; of several, the first variant of each comes first,
    and those after three are named alone.

    `item`: the one to draw; empty for the last, which is least often learned from.
    """
    name = item or _last(predicted_fields)
    solved, shards = maps.found(fields, name), {}
    for key, opened in predicted_fields.items():
        shards.setdefault(key.partition("/")[0], {})[key] = opened
    by_network = {method: maps.found(parts, name) for method, parts in shards.items()}
    by_network = {method: found for method, found in by_network.items() if found is not None}
    if not name or solved is None or not by_network:
        return style.nothing(f"no predicted field of {style.text(name)}" if name else "no field was predicted")
    names = [method_of(method) for method in by_network]
    rank = {method: names[:at].count(method_of(method)) for at, method in enumerate(by_network)}
    shown = {method: by_network[method] for method in sorted(by_network, key=rank.get)[:MOST]}
    true, where = _plane(solved[2])
    height = (2.1 if len(shown) == 1 else 1.6) * min(true.shape[1] / true.shape[2], 2) + 0.2
    figure, axes = style.panels(2 * len(shown), 3, style.PAGE_IN, height)
    for number, (method, found) in enumerate(shown.items()):
        words = words_of(found[0], method)
        _rows(figure, axes[2 * number : 2 * number + 2], solved[0], true, _plane(found[2])[0], words)
    rest = [style.text(method) for method in by_network if method not in shown]
    label = f"{style.text(name)}{where}" + (f"; not drawn: {', '.join(rest)}" if rest else "")
    axes[-1, 0].set_xlabel(label, fontsize=6, loc="left")
    return figure


def _plane(values):
    """Return the flat components of a field, those of the middle plane of a volume, and words for that plane."""
    if values.ndim == 3:
        return values, ""
    middle = values.shape[1] // 2
    return values[:, middle], f", z = {middle}"


def _rows(figure, axes, attrs: dict, true, made, words: str) -> None:
    """Draw the largest component of each of both fields in a row of three panels."""
    import numpy as np

    half = len(true) // 2
    rows = [start + int(np.abs(true[start : start + half]).mean(axis=(1, 2)).argmax()) for start in (0, half)]
    for panels, number in zip(axes, rows, strict=True):
        low, high = np.quantile(true[number], [0.005, 0.995])
        spread = max(high - low, 1e-12 * max(abs(low), abs(high)), 1e-300)
        drawn = (
            (true[number], f"{maps.title(attrs, number)}, solved", (low, low + spread, "viridis")),
            (made[number], words, (low, low + spread, "viridis")),
            (made[number] - true[number], "difference", (-spread / 2, spread / 2, "RdBu_r")),
        )
        for panel, (values, title, limits) in zip(panels, drawn, strict=True):
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
            maps.drawn(figure, panel, values, title, limits)


def words_of(attrs: dict, method: str) -> str:
    """Name the network of a field with its variant, or the solver that stands in its place."""
    by = attrs.get("solved_by") or ""
    if by and by != method_of(method):
        return f"{style.text(method)}: solved by {style.text(by)}"
    return f"predicted by {style.text(method)}"


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
