"""Marks of detections that are right, false or missed, shared by figures."""

import io

COLOURS = {"tp": "#009E73", "fp": "#D55E00", "fn": "#0072B2", "": "#CC79A7"}
WORDS = {"tp": "right", "fp": "false", "fn": "missed", "": "not judged"}


def shown(panel, picture: bytes):
    """Draw a stored picture in grey, a pixel of it for one of the panel; returns its height and width."""
    import numpy as np
    from PIL import Image

    seen = np.asarray(Image.open(io.BytesIO(picture)))
    panel.imshow(seen, cmap="gray", vmin=0, vmax=255)
    return seen.shape[:2]


def size(picture: bytes) -> tuple[int, int]:
    """Return the width and height of a stored picture, in its pixels."""
    from PIL import Image

    return Image.open(io.BytesIO(picture)).size


def rims(panel, shapes: list, outcomes, width: float) -> None:
    """Draw the outlines of detections in the colours of their outcomes."""
    from matplotlib.collections import PatchCollection

    edges = [COLOURS[outcome] for outcome in outcomes]
    panel.add_collection(PatchCollection(shapes, facecolors="none", edgecolors=edges, linewidths=width))


def missed(panel, lost, item, frame: int, size: float, width: float) -> set:
    """Mark the objects of a frame that were missed; `lost`: their table, or None. Returns "fn" if there are some."""
    here = () if lost is None else lost[(lost["item"] == item) & (lost["frame"] == frame)]
    if len(here):
        panel.plot(here["x_px"], here["y_px"], "x", color=COLOURS["fn"], ms=size, mew=width)
    return {"fn"} if len(here) else set()


def legend(figure, outcomes) -> None:
    """Explain the marks below a figure; `outcomes`: those of its detections, "" for those that were not judged."""
    from matplotlib.lines import Line2D

    seen, marks = set(outcomes), {"tp": "o", "fp": "o", "fn": "x", "": "o"}
    keys = [key for key in marks if key in seen] if seen <= {""} else [key for key in marks if key or key in seen]
    handles = [
        Line2D([], [], ls="", marker=marks[key], color=COLOURS[key], markerfacecolor="none", label=WORDS[key])
        for key in keys
    ]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
