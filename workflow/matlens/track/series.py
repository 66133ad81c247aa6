"""Series of detections, and their frames."""

from itertools import pairwise

import numpy as np
from scipy import spatial

from matlens import columns
from matlens.job.batch import BadItem

PLACE = ["y_px", "x_px"]
SCATTER = 0.25  # largest scatter of the moves of tracks, as a part of that of places; numbers at random have 1.2
MOVING = 5  # equal numbers of two frames from which their scatter is known
SAME_PIXEL = 0.01  # part by which the pixel sizes of frames of one series may differ


def series_of(index, frame_by: str | None) -> dict[str, list[tuple]]:
    """List the frames of every series of a study, in order: (item, frame within the item, time or None).

    Without `frame_by` every video is a series, its frames are those of its t axis. With it the items of a group (all
    items where the index has no column `group`) are one series, in the order of that column.
    """
    if not frame_by:
        lengths = index["frames"] if "frames" in index else [None] * len(index)
        counts = [int(n) if n == n and n else 1 for n in lengths]
        names = index[columns.ITEM]
        return {item: [(item, frame, None) for frame in range(n)] for item, n in zip(names, counts, strict=True)}
    if frame_by not in index:
        have = ", ".join(name for name in index.columns if index[name].notna().any())
        raise BadItem(f"the index has no column '{frame_by}' to order frames by; it has {have}")
    groups = index[columns.GROUP].fillna("") if columns.GROUP in index else [""] * len(index)
    found = {}
    for group, part in index.assign(_series=groups).groupby("_series", sort=True):
        rows = part.sort_values([frame_by, columns.ITEM], kind="stable", key=_sortable)
        name = str(group) or "all"
        found[name] = [(item, 0, time) for item, time in zip(rows[columns.ITEM], rows[frame_by], strict=True)]
    return found


def _sortable(values):
    """Return what rows are sorted by: numbers as such, even if others of the column are words."""
    import pandas as pd

    return pd.to_numeric(values, errors="coerce") if values.name != columns.ITEM else values


def check(frames: list[tuple], index, frame_by: str | None) -> None:
    """Refuse a series that has no order in time, one frame only, or frames of two sizes; a BadItem says which."""
    rows = index.set_index(columns.ITEM).loc[[item for item, _, _ in frames]]
    if len(frames) < 2:
        raise BadItem(
            "one frame, and nothing to follow; give a video (tyx), or 'frame_by: <column>' for images that are frames"
        )
    volumes = rows.index[rows["axes"].str.contains("z")]
    if len(volumes):
        raise BadItem(f"item '{volumes[0]}' is a volume (zyx); read its slices as frames (stack: t)")
    if not frame_by:
        return
    videos = rows.index[rows["axes"].str.startswith("t")]
    if len(videos):
        raise BadItem(f"item '{videos[0]}' is a video itself; leave out 'frame_by', or give single images")
    lost = rows.index[rows[frame_by].isna()]
    if len(lost):
        raise BadItem(f"no value of '{frame_by}' for item '{lost[0]}'; complete the column, or leave the item out")
    texts = [(item, time) for item, time in rows[frame_by].items() if not _is_number(time)]
    if texts:
        item, time = texts[0]
        raise BadItem(f"'{frame_by}' of item '{item}' is '{time}', not a number; frames are ordered by numbers")
    twice = rows.index[rows[frame_by].duplicated(keep=False)]
    if len(twice):
        raise BadItem(
            f"items '{twice[0]}' and '{twice[1]}' have the same '{frame_by}'; "
            f"separate their series by the column '{columns.GROUP}', or give each frame a time of its own"
        )
    sizes = rows[["height_px", "width_px"]].drop_duplicates()
    if len(sizes) > 1:
        shown = " and ".join(f"{int(h)} x {int(w)}" for h, w in sizes.head(2).to_numpy())
        raise BadItem(f"frames of two sizes, {shown} pixels; crop them to the same field before ingest")
    _check_pixels(rows[columns.PIXEL_SIZE].dropna().astype(float) if columns.PIXEL_SIZE in rows else None)


def _check_pixels(sizes) -> None:
    """Refuse frames of two magnifications: a place in pixels is another one in each."""
    if sizes is not None and len(sizes) and sizes.max() > sizes.min() * (1 + SAME_PIXEL):
        low, high = sizes.idxmin(), sizes.idxmax()
        raise BadItem(
            f"the pixel sizes of items '{low}' and '{high}' are {sizes[low]:.4g} and {sizes[high]:.4g} um; frames of "
            f"one series need one: correct them, or separate the series by the column '{columns.GROUP}'"
        )


def _is_number(value) -> bool:
    """Say whether a value of the index is a finite number."""
    return isinstance(value, (int, float, np.number)) and bool(np.isfinite(value))


def are_tracks(truths: list[tuple], gate_px: float) -> bool:
    """Check whether the numbers of true objects are tracks: equal numbers are neighbours, or have moved little.

    `truths`: places (n, 2) and numbers (n,) of every frame. A neighbour is the nearest object of the next frame within
    `gate_px`, as it is or with the median shift of equal numbers off; most have the same number. Where objects are
    so dense that others come nearer, the scatter of the moves along both axes is below `SCATTER` of that of places.
    Label images that are numbered one by one, and files of objects without tracks, differ by this from tracks.
    """
    near = same = 0
    moves, places = [], []
    for (place, number), (after, other) in pairwise(truths):
        if not len(place) or not len(after):
            continue
        _, a, b = np.intersect1d(number, other, return_indices=True)
        shifts, counts = [np.zeros(2), *([np.median(after[b] - place[a], axis=0)] if len(a) else [])], []
        for shift in shifts:
            distance, at = spatial.cKDTree(after).query(place + shift)
            close = distance <= gate_px
            counts.append((int(close.sum()), int((number[close] == other[at[close]]).sum())))
        near, same = near + max(n for n, _ in counts), same + max(n for _, n in counts)
        if len(a) >= MOVING:
            moves.append(np.abs(after[b] - place[a] - shifts[-1]))
            places.append(np.abs(place - np.median(place, axis=0)))
    if 2 * same >= near or not moves:
        return 2 * same >= near
    scatter = [np.median(np.concatenate(found), axis=0) for found in (moves, places)]
    return bool((scatter[0] < SCATTER * scatter[1]).all())


def rows_of(detections, frames: list[tuple]):
    """Return the detections of a series with its frame numbers, and the row numbers of each frame."""
    own = detections[detections[columns.ITEM].isin({item for item, _, _ in frames})]
    number = {(item, frame): at for at, (item, frame, _) in enumerate(frames)}
    pairs = zip(own[columns.ITEM], own[columns.FRAME], strict=True)
    own = own.assign(series_frame=[number.get(pair, -1) for pair in pairs])
    own = own[own["series_frame"] >= 0].sort_values(["series_frame", columns.DETECTION], kind="stable")
    own = own.reset_index(drop=True)
    ends = np.searchsorted(own["series_frame"], np.arange(len(frames) + 1))
    return own, [np.arange(a, b) for a, b in pairwise(ends)]


def numbers(own, rows: list[np.ndarray]) -> list[np.ndarray]:
    """Return what the methods link: y, x and equivalent diameter of the detections of every frame, in pixels."""
    values = np.column_stack([own[PLACE].to_numpy(float), np.sqrt(own[columns.AREA].to_numpy(float) * 4 / np.pi)])
    return [values[part] for part in rows]
