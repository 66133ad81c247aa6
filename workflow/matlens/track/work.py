"""Link, measure and score the detections of one series."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from matlens import columns, objects, registry
from matlens.job.batch import BadItem, rejection
from matlens.report import overlay
from matlens.store import io
from matlens.track import kinetics, outlines, series, tables

NAMES = ("tracks", "track_scores", "lifetimes", "motion", "paths", "kinetics")
SHOWN = 12  # series whose middle frame is kept for figures


@dataclass(frozen=True)
class Source:
    """Inputs that all series of a study share; `truth_of(key)`: frames of the truth of an item, or None."""

    detections: object
    index: object
    truth_of: Callable
    settings: Mapping


class Shards:
    """The arrays of all shards by the key of an item."""

    def __init__(self, opened: ExitStack, paths: list):
        self.files = [opened.enter_context(io.read_arrays(path)) for path in paths]

    def holding(self, key: int):
        """Return the shard that holds an item, or None."""
        return next((file for file in self.files if key in file), None)

    def item(self, key: int) -> np.ndarray | None:
        """Read an item with its frames first; one frame of an image, None where there is no such item."""
        file = self.holding(key)
        values = None if file is None else file[key]
        return values if values is None or "t" in file.attrs(key)["axes"] else values[None]


def every_series(index, frame_by: str | None, lost: list[dict], stage: str) -> list[dict]:
    """List the series of a study as items; a column that is not there becomes a row of `rejected`."""
    try:
        found = series.series_of(index, frame_by)
    except BadItem as error:
        lost.append(rejection("all", stage, str(error)))
        return []
    return [{columns.ITEM: name, "frames": frames} for name, frames in found.items()]


def follow(function: Callable, name: str, frames: list, source: Source, options: Mapping) -> dict:
    """Link the detections of a series; returns its tables by name."""
    index, settings = source.index, source.settings
    series.check(frames, index, settings["frame_by"])
    own, rows = series.rows_of(source.detections, frames)
    if not len(own):
        raise BadItem("no detection in any frame; lower the threshold of 'detect', or look at its scores")
    if options.get("min_frames", 1) > len(frames):
        least = options["min_frames"]
        raise BadItem(f"min_frames: {least} is more than the {len(frames)} frames there are, so that no track is left")
    places = series.numbers(own, rows)
    truths, known = true_places(frames, source, places) or (None, None)
    offers = Offers(own, rows, places, truths, settings["scores"]["gate_px"])
    linked = tables.numbered(registry.call(function, offers.of(function), options))
    about = index.set_index(columns.ITEM).loc[frames[0][0]]
    size = (float(about["height_px"]), float(about["width_px"]))
    own, drift, counts = tables.tracked(own, linked, frames, size, settings["border_px"])
    taken_off = (drift, counts) if options.get("drift") == "common" else (np.zeros_like(drift), None)
    own.insert(0, "series", name)
    times, pixel = clock(frames, index, settings), _pixel(about)
    found = {
        "lifetimes": tables.life_rows(own, times.time, size, settings["border_px"]),
        "motion": tables.motion_rows(own, times.steps, *taken_off, options.get("gate_px")),
        "paths": kinetics.path_rows(own, times, taken_off[0], pixel),
        "kinetics": kinetics.kinetics_rows(kinetics.whole(own, size), times, settings.get("size_classes", 1), pixel),
        "track_scores": scored(places, linked, truths, known, settings["scores"]["gate_px"]),
    }
    return {"tracks": _again(own, about)} | {part: finished(rows, name, about) for part, rows in found.items()}


def clock(frames: list, index, settings: Mapping) -> kinetics.Clock:
    """Return the clock of a series: times of its order or of the settings, temperatures of the index."""
    warmth = np.full(len(frames), np.nan)
    if columns.TEMPERATURE in index:
        by_item = dict(zip(index[columns.ITEM], index[columns.TEMPERATURE], strict=True))
        warmth = np.array([by_item[item] for item, _, _ in frames], float)
    times = [time for *_, time in frames]
    given = settings.get("frame_s") or (None if settings["frame_by"] else stated_interval(frames, index))
    return kinetics.clock(times, settings["frame_by"], warmth, given, settings.get("start_s"))


def stated_interval(frames: list, index) -> float | None:
    """Return the time from frame to frame that the file of a video states, in seconds; None where it states none."""
    if columns.FRAME_S not in index:
        return None
    value = index.set_index(columns.ITEM)[columns.FRAME_S].get(frames[0][0])
    return float(value) if value is not None and value == value else None


def finished(rows: list[dict], name: str, about: Mapping):
    """Make a table of the rows of a series, with its name first and micrometres beside measured pixels."""
    import pandas as pd

    table = pd.DataFrame(rows)
    table.insert(0, columns.ITEM, name)
    return columns.calibrate(table, _pixel(about))


def _pixel(about: Mapping) -> float | None:
    size = about.get(columns.PIXEL_SIZE)
    return None if size is None or size != size else float(size)


def _again(table, about: Mapping):
    """Calibrate what the stage added: the columns of the detections have their micrometres."""
    import pandas as pd

    added = ["drift_y_px", "drift_x_px"]
    extra = columns.calibrate(table[added], _pixel(about)).drop(columns=added)
    table = pd.concat([table, extra], axis=1)
    whole = {name: table[name].astype("Int64").mask(table[name] == 0) for name in (columns.TRACK, "parents")}
    return table.assign(**whole)


def true_places(frames: list, source: Source, places: list) -> tuple[list, list] | None:
    """Return places (n, 2) and numbers (n,) of the true objects of every frame, and which detections lie on labels.

    `places`: of the detections of every frame. None unless all frames have region maps, whose numbers are tracks.
    """
    keys = dict(zip(source.index[columns.ITEM], source.index[columns.KEY], strict=True))
    truths, known, full, last, truth = [], [], [], None, None
    for (item, frame, _), place in zip(frames, places, strict=True):
        if item != last:
            last, truth = item, source.truth_of(keys[item])
        if truth is None or truth.dtype != np.int32:
            return None
        labels = truth[frame]
        found = objects.describe(labels)
        truths.append((found[objects.PLACE].to_numpy(), found[columns.OBJECT].to_numpy()))
        at = np.clip(np.rint(place[:, :2]).astype(int), 0, np.array(labels.shape) - 1)
        known.append(labels[at[:, 0], at[:, 1]] >= 0)
        full.append(bool((labels >= 0).any()))
    labelled = [one for one, whole in zip(truths, full, strict=True) if whole]
    if not series.are_tracks(labelled, source.settings["scores"]["gate_px"]):
        print("true objects have other numbers in each frame: they are no tracks, so linking is not scored", flush=True)
        return None
    return truths, known


@dataclass(frozen=True)
class Offers:
    """Inputs offered to a method: the detections of every frame, their pixels, the true objects."""

    own: object
    rows: list
    places: list
    truths: list | None
    gate_px: float

    def of(self, function: Callable) -> dict:
        """Return the offers that a method names. Raises BadItem if it needs a truth that the series has not."""
        asked, offered = registry.inputs_of(function), {"frames": self.places, "gate_px": self.gate_px}
        if "outlines" in asked:
            offered["outlines"] = outlines.of_rows(self.own, self.rows)
        if "truth" in asked:
            if self.truths is None:
                raise BadItem("no true objects that keep their number; give region maps, or leave out 'ground_truth'")
            offered["truth"] = self.truths
        return offered


def scored(places: list, linked: list, truths: list | None, known: list | None, gate_px: float) -> list[dict]:
    """Score a series and the control beside it; no row unless the numbers of its true objects are tracks.

    `known`: which detections of every frame lie on labelled pixels; the others count neither way.
    """
    if truths is None:
        return []
    places, linked = ([part[own] for part, own in zip(parts, known, strict=True)] for parts in (places, linked))
    return tables.score_rows(places, {"": linked, "each_its_own": tables.alone(places)}, truths, gate_px)


def pictures(done: list[tuple], index, images: Shards) -> dict[str, bytes]:
    """Return a frame of some series as PNG, named by the key of its item; grey values are stretched.

    `done`: series and their tables. Of a video it is the middle frame, of images the one nearest to the middle in which
    something was found.
    """
    keys, found = dict(zip(index[columns.ITEM], index[columns.KEY], strict=True)), {}
    for series_of, parts in done[:SHOWN]:
        frames, seen = series_of["frames"], {*parts["tracks"][columns.ITEM]}
        middle = len(frames) // 2
        near = min((abs(at - middle), at) for at, (name, *_) in enumerate(frames) if name in seen)
        item, frame, _ = frames[near[1]]
        pixels = images.item(keys[item])[frame].astype(np.float32)
        grey = np.clip(np.nan_to_num(overlay.stretched(pixels)), 0, 1)
        found[f"{keys[item]:08d}.png"] = overlay.png((255 * grey).astype(np.uint8))
    return found


def stack(parts: list[dict], detected_by: str) -> dict:
    """Put the tables of all series under each other; one without rows has its column `item`."""
    import pandas as pd

    found = {}
    for name in NAMES:
        full = [part[name] for part in parts if len(part[name])]
        found[name] = pd.concat(full, ignore_index=True) if full else pd.DataFrame({columns.ITEM: pd.Series(dtype=str)})
        found[name]["detected_by"] = pd.Series([detected_by] * len(found[name]), dtype=str)
    return found
