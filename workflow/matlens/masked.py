"""Pixels that are not known: their number in labels, and how they are filled for a method that needs every pixel."""

import numpy as np

IGNORE = "ignore"  # the layer of an image that is 1 at such pixels


def unlabelled(dtype) -> int:
    """Return the number that means unlabelled: 255 in phases (uint8), -1 in regions (int32)."""
    return 255 if np.dtype(dtype) == np.uint8 else -1


def filled(pixels: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Fill pixels by their nearest known neighbours in the same plane. `lost`: bool, of the same shape."""
    from scipy import ndimage

    out = pixels.copy()
    flat, marks = out.reshape(-1, *out.shape[-2:]), lost.reshape(-1, *lost.shape[-2:])
    for plane, mark in zip(flat, marks, strict=True):
        if mark.any() and not mark.all():
            place = ndimage.distance_transform_edt(mark, return_distances=False, return_indices=True)
            plane[...] = plane[tuple(place)]
    return out


def hidden(labels: np.ndarray, ignore: np.ndarray | None) -> np.ndarray:
    """Make labels unlabelled where `ignore` is not 0; None changes nothing."""
    if ignore is None:
        return labels
    return np.where(ignore > 0, labels.dtype.type(unlabelled(labels.dtype)), labels)


def known(values: np.ndarray, ignore: np.ndarray | None) -> np.ndarray:
    """Return the values that are not ignored, as a flat array; all of them, unchanged, if `ignore` is None."""
    return values if ignore is None else values[ignore == 0]
