"""Annotated objects as truth: a region map of the image, or its phases, and a table with a row per object.

Where objects overlap, the smaller one lies on top in the map; the table holds each as a whole. An object that cannot be
used keeps its row, with the reason; its pixels, as far as they are known, are unlabelled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from matlens import columns, masked, objects, run_lengths
from matlens.ingest import Micrograph, annotated_places, annotations, ignored, outlines
from matlens.ingest.annotated import page_of, phases_of
from matlens.ingest.annotations import Shape
from matlens.job.batch import BadItem

BEYOND_PX = 3  # by which an outline may reach beyond its image: hands are not exact
EDGE_PX = 1  # programs end an outline at the centre of the last pixel
OUTSIDE = "it lies outside the image"
HEAD = [columns.FRAME, columns.OBJECT, columns.CLASS, columns.PHASE_NAME]
TAIL = [columns.VISIBLE, columns.AT_BORDER, columns.REASON, columns.MASK]


@dataclass(frozen=True)
class Drawn:
    """One object in one frame as pixels: `window` (y0, x0, mask), None if nothing of it is known."""

    shape: Shape
    frame: int
    number: int
    phase: int  # -1: its class counts as nothing
    window: tuple | None
    reason: str


def attach(
    found: Micrograph,
    file: str,
    name: str,
    shape: tuple,
    top: int,
    phases: list[str],
    classes: Mapping | None,
    as_: str,
) -> None:
    """Set the truth of a micrograph to the objects of a file, and its `objects` to their table.

    `name`: file of the image, by which its entry is found. `shape`: of the image before its bars were cropped, `top`
    rows of them at the top. `classes`: see `annotated.phases_of`. `as_`: "regions" or "phases". Raises BadItem if the
    file cannot be read, or is of an image of another size.
    """
    if len(found.axes) != found.pixels.ndim or "z" in found.axes:
        raise BadItem("objects can be read for images and videos, not for a volume (zyx); give label images as masks")
    page = page_of(annotations.read(file), name, file)
    if page is None:
        return
    frames = shape[0] if found.axes.startswith("t") else 1
    page = annotated_places.counted(page, shape[-2:])
    page = annotated_places.settled(page, frames, found.pixel_size_um, file)
    if page.note:
        ignored.note(found, page.note)
    scale, note = annotated_places.scale_of(page, shape[-2:], found.pixels.shape[-2:], file)
    shift = top if shape[-2:] != found.pixels.shape[-2:] and not note.startswith("cropped") else 0
    if note and not note.startswith("cropped"):
        ignored.note(found, note)
    phase_of = phases_of({one.label for one in page.shapes if not one.reason}, phases, classes)
    size, drawn = found.pixels.shape[-2:], []
    for number, frame, one in _numbered(page.shapes, frames):
        moved = _moved(one, scale, shift)
        drawn.append(_drawn(moved, frame, number, phase_of.get(one.label), frames, size))
    if frames > 1 and any(one.frame is None and not one.reason for one in page.shapes):
        ignored.note(found, f"objects without a frame are in each of the {frames} frames")
    if count := sum(_reaches_beyond(one, scale, shape[-2:]) for one in page.shapes):
        said = f"{count} of {len(page.shapes)} outlines reach beyond the image"
        ignored.note(found, f"{said}; it may be turned or cropped, or x and y exchanged")
    drawn = _once(drawn)
    truth = _map(drawn, (frames, *size), as_)
    if (step := annotated_places.step_of(page)) > 1 and frames > 1:
        first = min(one.frame for one in page.shapes if one.frame is not None)
        truth[np.arange(frames) % step != first % step] = masked.unlabelled(truth.dtype)
        ignored.note(found, f"frames were annotated in steps of {step}; those between are unlabelled")
    found.truth = truth.reshape(found.pixels.shape)
    found.objects = table(drawn, found.truth.reshape(frames, *size), phases, as_)
    left = sum(bool(one.reason) for one in drawn)
    if left:
        ignored.note(found, f"{left} of {len(drawn)} objects were left out; truth_objects says why")


def _numbered(shapes: tuple, frames: int) -> list[tuple[int, int, Shape]]:
    """Number the objects without a track behind those with one, in the order of the file, and assign their frames.

    One without a frame is in every frame, or in the first if it has no place.
    """
    last = max((one.number for one in shapes if one.number is not None), default=0)
    found = []
    for place, one in enumerate(shapes, start=1):
        placed = one.parts or one.mask is not None or one.centre is not None
        number, every = one.number or last + place, range(frames if placed else 1)
        found += [(number, frame, one) for frame in ([one.frame] if one.frame is not None else every)]
    return found


def _reaches_beyond(one: Shape, scale: np.ndarray, whole: tuple[int, int]) -> bool:
    """Check whether an outline reaches beyond the image by more than a few pixels."""
    rings = [ring * scale for part in one.parts for ring in part if ring.size and np.isfinite(ring).all()]
    return any(ring.min() < -BEYOND_PX or (ring.max(0) > np.add(whole, BEYOND_PX)).any() for ring in rings)


def _moved(one: Shape, scale: np.ndarray, top: int) -> Shape:
    """Scale the outline of an object, and move it up by the rows that were cropped."""
    shift = np.array([top, 0])
    parts = tuple(tuple(ring * scale - shift for ring in part) for part in one.parts)
    centre = None if one.centre is None else tuple(np.array(one.centre) * scale - shift)
    mask, reason = one.mask, one.reason
    if mask is not None:
        if (scale != 1).any():
            mask, reason = None, reason or "its mask is of an image of another size; draw it again"
        else:
            mask = (mask[0] - top, mask[1], mask[2])
    return replace(one, parts=parts, centre=centre, mask=mask, reason=reason, radius=one.radius * float(scale.mean()))


def _drawn(one: Shape, frame: int, number: int, phase: int | None, frames: int, size: tuple) -> Drawn:
    """Make the pixels of an object, with the reason if it cannot be used."""
    reason = one.reason
    if not 0 <= frame < frames:
        where = "a single image" if frames == 1 else f"a video of {frames} frames"
        return Drawn(one, frame, number, phase or 0, None, reason or f"it is in frame {frame} of {where}")
    window, fault = pixels_of(one, size)
    if phase is None:
        return Drawn(one, frame, number, -1, window, reason or f"its class '{one.label}' is not in object_classes")
    crowd = "a crowd: a group of objects drawn as one; its pixels are unlabelled" if one.crowd else ""
    return Drawn(one, frame, number, phase, window, reason or fault or crowd)


def pixels_of(one: Shape, size: tuple[int, int]) -> tuple[tuple | None, str]:
    """Return the pixels of an object within an image, (y0, x0, mask), and why it cannot be used ("" if it can)."""
    if one.mask is not None:
        return _trimmed(*_clipped(*one.mask, size))
    if one.centre is not None:
        if not all(0 <= c < n for c, n in zip(one.centre, size, strict=True)):
            return None, OUTSIDE
        return _trimmed(*outlines.disc(*one.centre, one.radius, size))
    rings = [ring for part in one.parts for ring in part]
    if not rings or any(len(ring) < 3 for ring in rings):
        return None, "its outline is empty: fewer than three corners"
    if not all(np.isfinite(ring).all() for ring in rings):
        return None, "its outline holds coordinates that are not finite"
    if sum(outlines.area(ring) for ring in rings) == 0 and all(np.ptp(ring, axis=0).min() == 0 for ring in rings):
        return None, "its outline is empty: it has no area"
    if (box := outlines.window_of(rings, size)) is None:
        return None, OUTSIDE
    fault = "its outline crosses itself" if any(outlines.crosses_itself(ring, box) for ring in rings) else ""
    mask = np.zeros((box[2] - box[0], box[3] - box[1]), bool)
    for part in one.parts:
        turns = outlines.winding(list(part), box)
        mask |= (turns & 1).astype(bool) if len(part) > 1 else turns != 0
    window, empty = _trimmed(box[0], box[1], mask)
    return window, fault or empty


def _clipped(y0: int, x0: int, mask: np.ndarray, size: tuple[int, int]) -> tuple[int, int, np.ndarray]:
    """Cut a mask at the borders of the image."""
    rows = slice(max(0, -y0), max(0, min(mask.shape[0], size[0] - y0)))
    cols = slice(max(0, -x0), max(0, min(mask.shape[1], size[1] - x0)))
    return max(y0, 0), max(x0, 0), mask[rows, cols]


def _trimmed(y0: int, x0: int, mask: np.ndarray) -> tuple[tuple | None, str]:
    """Cut a mask to its pixels."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None, "it covers the centre of no pixel of the image"
    cut = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    return (int(y0 + rows[0]), int(x0 + cols[0]), cut), ""


def _once(drawn: list[Drawn]) -> list[Drawn]:
    """Refuse the second object of one track in one frame, and a copy of an outline."""
    seen, outlined, out = set(), {}, []
    for one in drawn:
        key = (one.frame, one.number)
        shape = (one.frame, one.shape.label, *(ring.tobytes() for part in one.shape.parts for ring in part))
        if not one.reason and key in seen:
            one = replace(one, reason=f"a second object of track {one.number} in frame {one.frame}")
        elif not one.reason and one.shape.parts and shape in outlined:
            one = replace(one, window=None, reason=f"its outline is that of object {outlined[shape]}: drawn twice")
        elif not one.reason:
            seen.add(key)
            outlined[shape] = one.number
        out.append(one)
    return out


def _map(drawn: list[Drawn], shape: tuple[int, int, int], as_: str) -> np.ndarray:
    """Paint objects, large ones first; those that cannot be used are unlabelled, below all others."""
    kind = np.dtype(np.int32 if as_ == "regions" else np.uint8)
    out = np.zeros(shape, kind)
    unknown = kind.type(-1) if as_ == "regions" else kind.type(255)
    known = [one for one in drawn if one.window is not None and (one.phase >= 0 or one.shape.reason)]
    for one in sorted(known, key=lambda one: (not one.reason, -np.count_nonzero(one.window[2]), one.number)):
        y0, x0, mask = one.window
        value = unknown if one.reason else one.number if as_ == "regions" else one.phase
        out[one.frame, y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]][mask] = value
    return out


def table(drawn: list[Drawn], truth: np.ndarray, phases: list[str], as_: str):
    """Make the table of objects, in the order of their frames and of the file. `truth`: (frames, y, x)."""
    import pandas as pd

    size, rows = truth.shape[1:], []
    for one in drawn:
        row = {columns.FRAME: one.frame, columns.OBJECT: one.number, columns.CLASS: one.shape.label}
        row |= {columns.PHASE_NAME: phases[one.phase] if one.phase >= 0 else "", columns.REASON: one.reason}
        if one.window is not None:
            y0, x0, mask = one.window
            about = objects.describe(mask.astype(np.int32)).iloc[0].to_dict()
            shift = dict(zip([*objects.PLACE, *objects.BOX], (y0, x0, y0, x0, y0, x0), strict=True))
            row |= {name: value + shift.get(name, 0) for name, value in about.items() if name != columns.OBJECT}
            if one.shape.centre is not None:
                row |= dict(zip(objects.PLACE, (float(c) - 0.5 for c in one.shape.centre), strict=True))
            seen = truth[one.frame, y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]][mask]
            value = one.number if as_ == "regions" else one.phase
            row[columns.VISIBLE] = 0 if one.reason else int(np.count_nonzero(seen == value))
            ends = (y0 + mask.shape[0], x0 + mask.shape[1])
            row[columns.AT_BORDER] = min(y0, x0, size[0] - ends[0], size[1] - ends[1]) <= EDGE_PX
            row[columns.MASK] = run_lengths.encode(mask)
        rows.append(row)
    return typed(pd.DataFrame(rows, columns=[*HEAD, *objects.PLACE, *objects.BOX, *objects.SHAPE, *TAIL]))


def typed(frame):
    """Give the columns of a table of objects their types, whether it has rows or not."""
    kinds = dict.fromkeys([*objects.PLACE, *objects.BOX, *objects.SHAPE, columns.VISIBLE], float)
    kinds |= dict.fromkeys([columns.FRAME, columns.OBJECT], "int64") | {columns.AT_BORDER: "boolean"}
    texts = [columns.CLASS, columns.PHASE_NAME, columns.REASON, columns.MASK]
    frame = frame.astype(kinds)
    frame[texts] = frame[texts].fillna("").astype(str)
    return frame.sort_values([columns.FRAME], kind="stable", ignore_index=True)


def of_classes(truth: np.ndarray, windows: list[tuple], labels: list[str], phases: list[str]):
    """Make the table of objects of a model. `windows`: (y0, x0, mask) of object 1, 2, ... of an image, whole.

    The phase of a class is that of its name, else the second one.
    """
    phase = [phases.index(one) if one in phases else min(1, len(phases) - 1) for one in labels]
    drawn = [
        Drawn(Shape(label=label), 0, number, own, window, "" if window else OUTSIDE)
        for number, (window, label, own) in enumerate(zip(windows, labels, phase, strict=True), start=1)
    ]
    return table(drawn, truth[None], phases, "regions")


def phases_in(found: Micrograph) -> dict[str, dict]:
    """Return what is stored with a truth: the phase of every object by its number; nothing if they are not known."""
    table = found.objects
    if table is None or found.truth is None or found.truth.dtype != np.int32:
        return {}
    numbers = zip(table[columns.OBJECT], table[columns.PHASE_NAME], strict=True)
    return {objects.PHASES: {str(int(number)): name for number, name in numbers if name}}


def window_of(mask: np.ndarray, y0: int = 0, x0: int = 0) -> tuple | None:
    """Return the pixels of a mask, (y0, x0, mask) cut to them; None if it has none."""
    return _trimmed(y0, x0, mask)[0]


def of_items(drawn: list[tuple]):
    """Put the tables of items under each other, with micrometres; (table or None, micrograph, row of the plan)."""
    import pandas as pd

    parts = []
    for found, image, item in drawn:
        if found is not None:
            part = columns.calibrate(found, image.pixel_size_um)
            part.insert(0, columns.ITEM, item[columns.ITEM])
            parts.append(part)
    if parts:
        return pd.concat(parts, ignore_index=True)
    empty = columns.calibrate(table([], np.zeros((1, 1, 1), np.int32), [], "regions"), None)
    empty.insert(0, columns.ITEM, pd.Series(dtype=str))
    return empty


def of_regions(found: Micrograph):
    """Make the same table of a region map that was given as a mask or by a model; None for other truths."""
    import pandas as pd

    if found.truth is None or found.truth.dtype != np.int32 or "z" in found.axes:
        return None
    frames = found.truth if found.axes.startswith("t") else found.truth[None]
    parts = []
    for frame, regions in enumerate(frames):
        part = objects.describe(regions).assign(**{columns.FRAME: frame, columns.REASON: "", columns.CLASS: ""})
        box = part[objects.BOX].to_numpy(int)
        part[columns.VISIBLE] = part[columns.AREA]
        part[columns.AT_BORDER] = np.minimum(box[:, :2], np.array(regions.shape) - box[:, 2:]).min(1) <= EDGE_PX
        part[columns.MASK] = [
            run_lengths.encode(regions[y0:y1, x0:x1] == number)
            for number, (y0, x0, y1, x1) in zip(part[columns.OBJECT], box, strict=True)
        ]
        parts.append(part.assign(**{columns.PHASE_NAME: ""}))
    return typed(pd.concat(parts, ignore_index=True)[[*HEAD, *objects.PLACE, *objects.BOX, *objects.SHAPE, *TAIL]])
