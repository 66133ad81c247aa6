"""Where objects went, over a frame in which they were seen, and which detections of it are right."""

from figures import outcomes, style


def draw(tracks: dict, missed: dict, track_frames: dict, index, *, items: int = 2):
    """Draw a block per series with a panel per method: the tracks up to the end, over the middle frame.

    Circles are the detections of that frame: right, false, and objects that were missed. `items`: most series.
    """
    names = dict(zip(index["key"], index["item"], strict=True))
    lengths = dict(zip(index["item"], index["frames"], strict=True)) if "frames" in index else {}
    keys = sorted({key for pictures in track_frames.values() for key in pictures})[:items]
    if not keys:
        return style.nothing("no series could be followed")
    figure, axes = style.blocks(len(keys), len(tracks), [_ratio(key, track_frames) for key in keys], 0.15)
    seen: set = set()
    for row, key in zip(axes, keys, strict=True):
        count = lengths.get(names[key])
        frame = int(count) // 2 if count and count == count else 0
        for panel, (method, table) in zip(row, tracks.items(), strict=True):
            if key not in track_frames.get(method, {}):
                panel.text(0.5, 0.5, "not followed", ha="center", va="center", transform=panel.transAxes)
                continue
            seen |= _panel(panel, track_frames[method][key], table, names[key], frame)
            by = table["detected_by"].iloc[0] if len(table) else ""
            seen |= outcomes.missed(panel, missed.get(by), names[key], frame, 5, 1.2)
            if panel in axes[0]:
                panel.set_title(style.text(method))
        row[0].set_ylabel(style.text(names[key]), fontsize=6)
    outcomes.legend(figure, seen)
    return figure


def _ratio(key: int, track_frames: dict) -> float:
    """Return the height over the width of the pictures of a series, at most 2."""
    wide, high = outcomes.size(next(pictures[key] for pictures in track_frames.values() if key in pictures))
    return min(high / wide, 2.0)


def _panel(panel, picture: bytes, table, item, frame: int) -> set:
    """Draw a frame, the tracks of its series, and circles around its detections. Returns their outcomes."""
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Circle

    height, width = outcomes.shown(panel, picture)
    here = table[(table["item"] == item) & (table["frame"] == frame)]
    own = table[table["series"] == table.loc[table["item"] == item, "series"].iloc[0]]
    lines = [part[["x_px", "y_px"]].to_numpy() for _, part in own.dropna(subset=["track"]).groupby("track")]
    colours = style.colours(range(8))
    shown = [(line, colours[at % 8]) for at, line in enumerate(lines) if len(line) > 1]
    panel.add_collection(LineCollection([line for line, _ in shown], colors=[c for _, c in shown], linewidths=0.7))
    circles = [Circle((x, y), d / 2) for x, y, d in here[["x_px", "y_px", "major_axis_px"]].to_numpy()]
    outcomes.rims(panel, circles, here["outcome"], 1.1)
    panel.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    return set(here["outcome"])
