"""The dictionary of columns: one name, one meaning, one unit, in every table of the project.

Lengths are measured in pixels (`_px`, `_px2`, `_per_px`, ...). Where the pixel size is known, `calibrate` adds
the same quantity in micrometres (`_um`, `_um2`, `_per_um`, ...); where it is not, those columns are empty.
"""

import re

ITEM = "item"
KEY = "key"
STAGE = "stage"
REASON = "reason"
FILE = "file"
TRUTH_FILE = "truth_file"
SPLIT = "split"
GROUP = "group"
METHOD = "method"
PHASE = "phase"
PHASE_NAME = "phase_name"
REGION = "region"
FRAME = "frame"
PIXEL_SIZE = "pixel_size_um"
TIME = "time_h"
AREA = "area_px2"
AREA_FRACTION = "area_fraction"

MEANING = {
    ITEM: "identifier of the micrograph or structure, unique in its study",
    KEY: "position of the item in its study, counted from 0 in sorted order; names it inside arrays",
    STAGE: "stage that rejected the item",
    REASON: "why the item was rejected, and what would help",
    FILE: "file the item was read from",
    TRUTH_FILE: "file of its ground truth labels",
    SPLIT: "role in learning: train, val or test",
    GROUP: "specimen or parent image; never divided between splits",
    METHOD: "method that made the row",
    PHASE: "number of the phase in the label image",
    PHASE_NAME: "name of the phase in the study",
    REGION: "number of the region within its item, counted from 1",
    FRAME: "number of the frame of a video, counted from 0",
    PIXEL_SIZE: "edge length of one pixel, in micrometres; empty when the file does not say",
    TIME: "time of the heat treatment, in hours",
    AREA: "area, in pixels",
    AREA_FRACTION: "part of the image area covered by the phase, 0 to 1",
}

_LENGTH = re.compile(r"^(?P<stem>.+?)_(?P<per>per_)?px(?P<power>[23]?)$")


def calibrate(frame, pixel_size_um: float | None):
    """Add to a table the micrometre column of every pixel column; empty where the pixel size is unknown.

    Parameters: `frame`, a DataFrame with columns named `..._px`, `..._px2`, `..._px3` or `..._per_px...`;
    `pixel_size_um`, the edge length of a square pixel in micrometres, or None.
    """
    size = float("nan") if pixel_size_um is None else float(pixel_size_um)
    added = {}
    for name in frame.columns:
        if match := _LENGTH.match(name):
            power = int(match["power"] or 1) * (-1 if match["per"] else 1)
            added[f"{match['stem']}_{match['per'] or ''}um{match['power']}"] = frame[name].astype(float) * size**power
    return frame.assign(**added)
