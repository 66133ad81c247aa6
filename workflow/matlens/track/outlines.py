"""Link objects by the pixels that they share from frame to frame."""

import numpy as np

from matlens import columns, objects, run_lengths
from matlens.track import link

Outline = tuple[int, int, np.ndarray]  # y0, x0, mask


def of_rows(own, rows: list[np.ndarray]) -> list[list[Outline]]:
    """Return the pixels of the detections of every frame: their mask, or the ellipse of their axes without one."""
    text = own[columns.MASK].fillna("").astype(str).to_numpy() if columns.MASK in own else np.full(len(own), "")
    place, box = own[objects.PLACE].to_numpy(float), own[objects.BOX].to_numpy(int)
    shape = own[objects.SHAPE[1:]].to_numpy(float)

    def one(at: int) -> Outline:
        y0, x0, y1, x1 = box[at]
        if text[at]:
            return int(y0), int(x0), run_lengths.decode(text[at], (y1 - y0, x1 - x0))
        y, x = np.arange(y0, y1)[:, None] - place[at, 0], np.arange(x0, x1) - place[at, 1]
        turn = np.radians(shape[at, 2])
        along, across = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
        return int(y0), int(x0), (2 * along / shape[at, 0]) ** 2 + (2 * across / max(shape[at, 1], 1e-9)) ** 2 <= 1

    return [[one(at) for at in part] for part in rows]


def shared(before: list[Outline], after: list[Outline], shift: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List the pairs of two frames that share pixels after a shift of the first: rows, columns, and their IoU.

    The second frame is painted as a label map, large objects first, so that the cost is that of the pixels.
    """
    if not before or not after:
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    size = np.max([(y0 + m.shape[0], x0 + m.shape[1]) for y0, x0, m in after], axis=0)
    labels, areas = np.zeros(size, np.int32), np.array([m.sum() for *_, m in after])
    for at in np.argsort(-areas, kind="stable"):
        y0, x0, mask = after[at]
        labels[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]][mask] = at + 1
    rows, cols, iou = [], [], []
    for row, (y0, x0, mask) in enumerate(before):
        y0, x0 = y0 + round(float(shift[0])), x0 + round(float(shift[1]))
        cut = mask[max(0, -y0) :, max(0, -x0) :]
        under = labels[max(0, y0) : max(0, y0 + mask.shape[0]), max(0, x0) : max(0, x0 + mask.shape[1])]
        cut = cut[: under.shape[0], : under.shape[1]]
        numbers, counts = np.unique(under[cut], return_counts=True)
        for number, count in zip(numbers[numbers > 0], counts[numbers > 0], strict=True):
            rows.append(row)
            cols.append(number - 1)
            iou.append(count / (mask.sum() + areas[number - 1] - count))
    return np.array(rows, int), np.array(cols, int), np.array(iou)


def overlap(
    frames: list[np.ndarray],
    outlines: list[list[Outline]],
    *,
    min_iou: float = 0.1,
    memory_frames: int = 1,
    drift: str = "none",
    min_frames: int = 1,
) -> list[np.ndarray]:
    """Link objects that share pixels, by the assignment of largest intersection over union.

    `min_iou`: least intersection over union of a link. `memory_frames`: frames that a track survives unseen. `drift`:
    none, or common (the shift that most objects share is taken off first). `min_frames`: as in `link.hungarian`.
    """
    made, tracks, seen, name, age = [], 0, [], np.zeros(0, int), np.zeros(0, int)
    place = np.zeros((0, 2))
    for frame, masks in zip(frames, outlines, strict=True):
        here = np.asarray(frame, float).reshape(len(frame), -1)[:, :2] if len(frame) else np.zeros((0, 2))
        size = np.sqrt(np.median([m.sum() for *_, m in masks])) if masks else 0.0
        shift = link.common_drift(place[age == 0], here, 2 * size) if drift == "common" and size else np.zeros(2)
        rows, cols, iou = shared(seen, masks, shift)
        good = iou >= min_iou
        first, second = link.assign(rows[good], cols[good], 1 - iou[good], (len(seen), len(masks)), 1.0)
        own, new = link.named(len(masks), second, name[first], tracks)
        tracks += len(new)
        made.append(own)
        kept = np.ones(len(seen), bool)
        kept[first] = False
        kept &= age < memory_frames
        left = [seen[at] for at in np.flatnonzero(kept)]
        step = np.rint(shift).astype(int)  # what is not seen drifts with the others
        seen = [*masks, *((y0 + step[0], x0 + step[1], mask) for y0, x0, mask in left)]
        place = np.concatenate([here, place[kept] + shift])
        name = np.concatenate([own, name[kept]])
        age = np.concatenate([np.zeros(len(masks), int), age[kept] + 1])
    return link.long_enough(made, min_frames)
