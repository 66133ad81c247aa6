"""The dictionary of columns: one name, one meaning, one unit, in every table of the project.

Lengths are measured in pixels (`_px`, `_px2`, `_per_px`, ...): where pixels are not square or slices are further apart
than pixels, their unit is the width of a pixel, along x. Where that width is known, `calibrate` adds the same quantity
in micrometres (`_um`, `_um2`, `_per_um`, ...); where it is not, those columns are empty.
"""

import re

ITEM = "item"
KEY = "key"
STAGE = "stage"
REASON = "reason"
FILE = "file"
SAME_AS = "same_as"
TRUTH_FILE = "truth_file"
SPLIT = "split"
LEARNED = ("train", "val")  # splits that a method was learned from, or chosen by
GROUP = "group"
PARENT = "parent_item"
PARENT_UNUSED = "parent_unused_part"
MATERIAL = "material"
METHOD = "method"
PHASE = "phase"
PHASE_NAME = "phase_name"
REGION = "region"
FRAME = "frame"
MEASURE = "measure"
VALUE = "value"
PIXEL_SIZE = "pixel_size_um"
PIXEL_SIZE_Y = "pixel_size_y_um"
PIXEL_SIZE_Z = "pixel_size_z_um"
SCALE_NOTE = "scale_note"
GREY_NOTE = "grey_note"
GREY_LOW = "grey_low"
GREY_HIGH = "grey_high"
TIME = "time_h"
FRAME_S = "frame_s"
SECONDS = "time_s"
TEMPERATURE = "temperature_c"
CLEAN = "clean"  # the layer of an image that holds it without noise
COLOUR = "colour"  # the layer of an image that holds its red, green and blue
IGNORED = "ignored_px"
REMARK = "remark"
POINTS_LEFT_OUT = "points_left_out"
BAR_ROWS = "bar_rows_px"
BAR_TOP_ROWS = "bar_top_rows_px"
BAR_COLUMNS = "bar_columns_px"
TRUTH_PHASES = "truth_phases"
TAIL = "constant_rows_px"
EXCLUDE_FILE = "exclude_file"
CLEAN_FILE = "clean_file"
SCALE_BAR = "scale_bar_px"
SCALE_BAR_BOX = "scale_bar_box"
STRAY_TRUTH = "stray_truth_px"
TRUTH_SHIFT_Y, TRUTH_SHIFT_X = "truth_shift_y_px", "truth_shift_x_px"
OBJECT = "object"
OBJECTS_FILE = "objects_file"
CLASS = "class"
VISIBLE = "visible_px2"
AT_BORDER = "at_border"
MASK = "mask"
DETECTION = "detection"
THRESHOLD = "threshold"
CONTROL = "control"
OUTCOME = "outcome"
TRACK = "track"
TRUE_LIFE = "true_life_frames"
TRUE_EXPONENT = "true_growth_exponent"
TRUE_SHRINKAGE = "true_shrinkage_px2_per_frame"
TRUE_DIFFUSION = "true_diffusion_px2_per_frame"
EVENT = "event"
AREA = "area_px2"
AREA_FRACTION = "area_fraction"
ITEM_SEED = "item_seed"
TRUE_FRACTION = "true_area_fraction"
TRUE_MODEL_FRACTION = "true_model_fraction"
TRUE_REGIONS = "true_regions"
TRUE_PITCH = "true_pitch_px"
TRUE_WIDTH = "true_width_px"
TRUE_RADIUS = "true_mean_radius_px"
TRUE_LENGTH = "true_length_part"
TRUE_INTENSITY = "true_intensity_px05"
TRUE_SECTION_RADIUS = "true_section_radius_px"

_LENGTH = re.compile(r"^(?P<stem>.+?)_(?P<per>per_)?px(?P<power>[23]?)$")


def calibrate(frame, pixel_size_um: float | None):
    """Add to a table the micrometre column of every pixel column; empty where the pixel size is unknown.

    Parameters: `frame`, a DataFrame with columns named `..._px`, `..._px2`, `..._px3` or `..._per_px...`;
    `pixel_size_um`, the width of a pixel along x in micrometres, or None. Lengths along y and z are in that unit.
    """
    size = float("nan") if pixel_size_um is None else float(pixel_size_um)
    added = {}
    for name in frame.columns:
        if match := _LENGTH.match(name):
            power = int(match["power"] or 1) * (-1 if match["per"] else 1)
            added[f"{match['stem']}_{match['per'] or ''}um{match['power']}"] = frame[name].astype(float) * size**power
    return frame.assign(**added)


def pooled(frame, micrometres: str, pixels: str):
    """Choose the rows whose lengths may be put together; return them, the column that holds these, and a note.

    Where items have a scale, they are those items, in micrometres; the note says "2 of 3 images" where some have none,
    and is empty otherwise. Without any scale they are all rows, in pixels.
    """
    if micrometres not in frame or not frame[micrometres].notna().any():
        return frame, pixels, ""
    kept = frame[frame[micrometres].notna()]
    if ITEM not in frame or len(kept) == len(frame):
        return kept, micrometres, ""
    # a length may be empty where there is nothing to measure: what counts is that the pixels have one
    measured = frame[micrometres].notna() | (frame[pixels].notna() if pixels in frame else False)
    known, every = kept[ITEM].nunique(), frame[ITEM][measured].nunique()
    return kept, micrometres, f"{known:,} of {every:,} images" if known < every else ""
