"""Detections over their images: right, false and missed in three colours."""

from matlens import columns, detect
from matlens.registry import method_of

from figures import outcomes, style


def draw(detections: dict, missed: dict, pictures: dict, detection_scores: dict, index, *, items: int = 3):
    """Draw a block per item with a panel per method, without the controls; items of the split test come first.

    A title gives F1 by centres and the error of the count, never one of them alone.
    """
    methods = [name for name in detections if method_of(name) not in detect.CONTROLS] or list(detections)
    names = dict(zip(index[columns.KEY], index[columns.ITEM], strict=True))
    held = {key: value for name in methods for key, value in pictures.get(name, {}).items()}
    keys = _ordered(held, names, detection_scores, methods)[:items]
    if not keys:
        return style.nothing("no image was looked at")
    sizes = [outcomes.size(held[key]) for key in keys]
    figure, axes = style.blocks(len(keys), len(methods), [min(high / wide, 2.0) for wide, high in sizes], 0.3)
    seen: set = set()
    for row, key in zip(axes, keys, strict=True):
        for panel, name in zip(row, methods, strict=True):
            if rejected(detection_scores.get(name), names[key]):
                outcomes.shown(panel, held[key])
                panel.set_title(f"{style.text(name)}\nrejected", fontsize=6)
                continue
            seen |= _panel(panel, held[key], detections[name], missed.get(name), names[key])
            panel.set_title(_title(name, detection_scores.get(name), names[key]), fontsize=6)
        row[0].set_ylabel(style.text(names[key]), fontsize=6)
    outcomes.legend(figure, seen)
    return figure


def rejected(table, item: str) -> bool:
    """Check whether a method has rejected an item: it has rows for others alone."""
    return table is not None and len(table) > 0 and item not in set(table[columns.ITEM])


def _ordered(held: dict, names: dict, scores: dict, methods: list) -> list:
    """List the keys of the pictures: items that the methods call test first."""
    split = {}
    for name in methods:
        if name in scores and len(scores[name]):
            split |= dict(zip(scores[name][columns.ITEM], scores[name][columns.SPLIT], strict=True))
    return sorted(held, key=lambda key: ({"test": 0, "val": 1}.get(split.get(names[key]), 2), key))


def _title(name: str, table, item: str) -> str:
    """Name a method, with F1 and the error of the count in an item, and its split if the method was learned from it."""
    if table is None or not len(table):
        return style.text(name)
    own = table[(table[columns.ITEM] == item) & (table[columns.CONTROL] == "") & (table["match"] == "centre")]
    if not len(own):
        return style.text(name)
    f1, error = own["f1"].iloc[0], own["count_error"].iloc[0]
    split = own[columns.SPLIT].iloc[0]
    name = f"{name} ({split})" if split in columns.LEARNED else name
    return f"{style.text(name)}\nF1 {f1:.2f}, count {100 * error:+.0f} %"


def _panel(panel, picture: bytes, table, lost, item: str) -> set:
    """Draw an image and the ellipses of its detections, and crosses where objects were missed. Returns the outcomes."""
    from matplotlib.patches import Ellipse

    high, wide = outcomes.shown(panel, picture)
    here = table[(table[columns.ITEM] == item) & (table[columns.FRAME] == 0)]
    shapes = here[["x_px", "y_px", "major_axis_px", "minor_axis_px", "orientation_deg"]].to_numpy(float)
    drawn = [Ellipse((x, y), major, minor, angle=-angle) for x, y, major, minor, angle in shapes]
    outcomes.rims(panel, drawn, here[columns.OUTCOME], 0.8)
    gone = outcomes.missed(panel, lost, item, 0, 4, 1.0)
    panel.set(xlim=(-0.5, wide - 0.5), ylim=(high - 0.5, -0.5))
    return gone | set(here[columns.OUTCOME])
