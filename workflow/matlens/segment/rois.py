"""ROIs of ImageJ and Fiji (.roi, or a .zip of them), drawn as regions; a pixel belongs to one that holds its centre."""

import zipfile
from pathlib import Path

import numpy as np

from matlens.image.imagej_rois import FREEHAND, OVAL, POLYGON, RECTANGLE, TRACED, Roi, decoded
from matlens.job.batch import BadItem

UNREAD = {3: "a line", 4: "a freehand line", 5: "a segmented line", 6: "empty", 9: "an angle", 10: "points"}
MOST_BYTES = 1 << 26


def read(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Draw the ROIs of a file as int32 regions (y, x), numbered from 1 in their order; later ones lie above.

    Raises BadItem if they lie on several slices, or if none has an area.
    """
    if len(shape) != 2:
        raise BadItem("ROIs are for flat images; export a label image of the stack")
    entries = [(name, decoded(data)) for name, data in _entries(file)]
    if len(slices := {roi.place for _, roi in entries if roi} - {(0, 0, 0)}) > 1:
        raise BadItem(f"its ROIs lie on {len(slices)} slices of a stack; export a label image, or a set for each slice")
    labels, unread, number, drawn = np.zeros(shape, np.int32), [], 0, {}
    for name, roi in entries:
        mask, why = _drawn(roi, shape)
        if mask is None:
            unread.append(f"{name} is {why}")
            continue
        number += 1
        labels[mask], drawn[number] = number, name
    if unread:
        print(f"{file}: not read, because no area: {'; '.join(unread[:20])}")
    if hidden := [drawn[number] for number in sorted(drawn.keys() - set(np.unique(labels)))]:
        print(f"{file}: outside the image, or wholly below others: {'; '.join(hidden[:20])}")
    if not number:
        raise BadItem(f"it has no ROI with an area ({'; '.join(unread[:3]) or 'no ROI at all'})")
    return labels


def _entries(file: Path) -> list[tuple[str, bytes]]:
    """List names and bytes of the ROIs of a file."""
    if file.suffix.lower() == ".roi":
        return [(file.name, file.read_bytes()[:MOST_BYTES])]
    try:
        with zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if info.filename.lower().endswith(".roi")]
            if sum(info.file_size for info in infos) > MOST_BYTES:
                raise BadItem("its ROIs unpack to more than 64 MB; export a label image")
            return [(info.filename, archive.read(info)) for info in infos]
    except zipfile.BadZipFile as error:
        raise BadItem(f"it is no whole zip file ({error}); save the ROI set again") from error


def _drawn(roi: Roi | None, shape: tuple[int, int]) -> tuple[np.ndarray | None, str]:
    """Draw one ROI as a bool mask; None and the reason if it has no area that is read."""
    if roi is None:
        return None, "no ROI"
    try:
        if roi.path > 0:
            return _odd(roi.outlines(), shape), ""
        if roi.kind in (RECTANGLE, OVAL):
            return _box(roi.kind, roi.box, shape), ""
        if roi.kind not in (POLYGON, FREEHAND, TRACED):
            return None, UNREAD.get(roi.kind, f"of the unknown kind {roi.kind}")
        return (_odd([roi.corners()], shape), "") if roi.count > 2 else (None, "cut short")
    except ValueError:
        return None, "cut short"


def _box(kind: int, box: tuple, shape: tuple[int, int]) -> np.ndarray:
    """Draw a rectangle or an oval (x0, y0, x1, y1)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    x0, y0, x1, y1 = box
    if kind == RECTANGLE:
        return (x + 0.5 >= x0) & (x + 0.5 < x1) & (y + 0.5 >= y0) & (y + 0.5 < y1)
    across, down = max(x1 - x0, 1e-9) / 2, max(y1 - y0, 1e-9) / 2
    return ((x + 0.5 - x0) / across - 1) ** 2 + ((y + 0.5 - y0) / down - 1) ** 2 <= 1


def _odd(outlines: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Draw outlines (2, n), x and y: a pixel belongs to them that lies in an odd number of them."""
    from skimage.draw import polygon

    mask = np.zeros(shape, bool)
    for x, y in outlines:
        at = polygon(y - 0.5, x - 0.5, shape)
        mask[at] = ~mask[at]
    return mask
