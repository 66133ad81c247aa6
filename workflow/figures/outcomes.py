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


def missed(panel, lost, item, frame: int, size: float, width: float) -> None:
    """Mark the objects of a frame that were missed; `lost`: their table, or None."""
    if lost is not None and len(lost):
        here = lost[(lost["item"] == item) & (lost["frame"] == frame)]
        panel.plot(here["x_px"], here["y_px"], "x", color=COLOURS["fn"], ms=size, mew=width)


def legend(figure) -> None:
    """Explain the marks below a figure."""
    from matplotlib.lines import Line2D

    marks = {"tp": "o", "fp": "o", "fn": "x"}
    handles = [
        Line2D([], [], ls="", marker=mark, color=COLOURS[key], markerfacecolor="none", label=WORDS[key])
        for key, mark in marks.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
