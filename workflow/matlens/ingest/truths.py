"""Truth masks: convert mask values to the phases of the study, and crop masks like their images."""

import os
from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, ignored, mask_kinds, readers
from matlens.job.batch import BadItem

OTHER, NOT_LABELLED = "other", "unlabelled"  # words of `truth_values`
UNLABELLED = 255
STRAY = 0.01  # allowed fraction of pixels with values between two listed ones (drawing programs)
LISTED = 8
JPEG, NOISE = b"\xff\xd8\xff", 32  # first bytes of a file; grey levels by which compression changes a value
SHADES, RIM_PX = 4, 2  # width of a smoothed edge, which has several values between two listed ones


def values_of(phases: list[str], truth_values: Mapping | None) -> tuple[dict[int, int], int | None]:
    """Map mask values to phase numbers, 255 for unlabelled. Returns the map and the phase of other values, or None.

    Without values of a phase, they are phase numbers. Raises BadItem if `truth_values` names a phase that is none of
    the study's and not the word unlabelled, or assigns a value twice.
    """
    truth_values = truth_values or {}
    numbers = {phase: number for number, phase in enumerate(phases)}
    if NOT_LABELLED in truth_values and NOT_LABELLED not in numbers:
        if len(phases) > UNLABELLED:
            raise BadItem(f"truth_values: no value is {NOT_LABELLED} among more than {UNLABELLED} phases; leave it out")
        numbers[NOT_LABELLED] = UNLABELLED
    table, other = {}, None
    if not set(truth_values) & set(phases):
        truth_values = {phase: number for number, phase in enumerate(phases)} | dict(truth_values)
    for name, values in truth_values.items():
        if name not in numbers:
            raise BadItem(
                f"truth_values names the phase '{name}'; the phases of the study are: {', '.join(phases)} "
                f"(values of no phase have the name {NOT_LABELLED})"
            )
        if isinstance(values, str):
            if values != OTHER or other is not None:
                raise BadItem("truth_values: one phase may take 'other', the rest are lists of numbers")
            other = numbers[name]
            continue
        for value in values if isinstance(values, (list, tuple)) else [values]:
            if table.setdefault(int(value), numbers[name]) != numbers[name]:
                raise BadItem(f"truth_values assigns the value {value} to two phases; keep one")
    return table, other


def to_phases(mask: np.ndarray, phases: list[str], truth_values: Mapping | None) -> tuple[np.ndarray, int]:
    """Convert mask values to phase numbers, uint8 (uint16 beyond 256 phases).

    `truth_values`: list of mask values, or the word "other" for all unlisted values, of each phase and of the word
    "unlabelled"; without phases, or None: values are phase numbers. Without "other", up to 1 % of the pixels, and any
    number on smoothed edges between two listed values, may have unlisted values; they take the phase of the nearest
    listed value (the smaller of two). Where values are phase numbers none is near another. Those far outside all listed
    values are unlabelled, as 255 is in masks of numbers, and so are negative ones. Returns the labels and the number of
    these pixels. Raises BadItem if more pixels are unlisted, or if some are far outside and only one value is listed.
    """
    table, other = values_of(phases, truth_values)
    present, inverse = _values(mask)
    if other is None and len(phases) <= UNLABELLED:
        table = {value: UNLABELLED for value in present.tolist() if value < 0} | table
    stray = [value for value in present.tolist() if value not in table]
    listed = np.array(sorted(value for value, number in table.items() if number < len(phases)) or [0])
    count, given = 0, table
    if stray and other is None:
        counts = np.bincount(inverse.ravel(), minlength=len(present))
        count = int(counts[np.isin(present, stray)].sum())
        far = _far(stray, listed) if table else []
        # Numbers of phases are not smeared: one near the last is another phase, as 2 is where masks count from 1.
        near = not set(truth_values or {}) & set(phases) and len(far) < len(stray)
        many = not table or near or (count > STRAY * mask.size and _off_edges(mask, stray, table) > STRAY * mask.size)
        unclear = len(present) - len(stray) < 2 or len(phases) > UNLABELLED  # 0 and 255 may be two phases
        if many or (far and unclear):
            raise BadItem(_no_phase(count / mask.size, stray, present.tolist(), table, phases))
        given = table | dict.fromkeys(far, UNLABELLED)
    nearest = listed[np.argmin(np.abs(listed[None, :] - present.astype(float)[:, None]), axis=1)]
    kind = np.uint8 if len(phases) <= 256 else np.uint16
    phase_of = [
        given[value] if value in given else other if other is not None else table[near]
        for value, near in zip(present.tolist(), nearest.tolist(), strict=True)
    ]
    return np.array(phase_of, kind)[inverse].reshape(mask.shape), count


def _far(stray: list, listed: np.ndarray) -> list:
    """Return the unlisted values that are no value of a phase changed by compression or smoothing."""
    return [value for value in stray if not listed.min() - NOISE <= value <= listed.max() + NOISE]


def _no_phase(part: float, stray: list, present: list, table: Mapping, phases: list[str]) -> str:
    """Report the values of a mask that are of no phase, with the setting that assigns them if it can be known.

    part: fraction of the pixels with a stray value.
    present: all values of the mask.
    """
    shown = ", ".join(map(_shown, stray[:LISTED])) + (", ..." if len(stray) > LISTED else "")
    found = f"{100 * part:.3g} % of the mask pixels have values of no phase ({shown})"
    if len(present) == len(phases):
        pairs = ", ".join(f"{phase}: [{value}]" for phase, value in zip(phases, map(int, present), strict=True))
        fix = f"name the value of each phase, such as truth_values: {{{pairs}}}"
    elif len(stray) > LISTED:
        fix = (
            "so many values are those of a photograph, or of a mask that was saved as JPEG or resized: export the mask "
            "as PNG or TIFF in its own size, list the values of all phases in truth_values (a JPEG is read if they are "
            f"more than {2 * NOISE} apart), or give all other values to a phase by the word other; if they are numbers "
            "of objects, set masks_are: regions"
        )
    else:
        fix = f"expected {', '.join(map(str, sorted(table)))}; assign values to phases in truth_values, where "
        fix += f"{NOT_LABELLED}: [{int(max(stray))}] would say that {int(max(stray))} is of no phase"
    return f"{found}; {fix}"


def _shown(value: float) -> str:
    """Write a value of a mask; that of a colour is red, green and blue in one number."""
    colour = isinstance(value, int) and 0xFFFF < value <= 0xFFFFFF
    return f"{value}, which is the colour #{value:06x}" if colour else f"{value:g}"


def _off_edges(mask: np.ndarray, stray: list, table: Mapping) -> int:
    """Count the unlisted pixels that are not on a smoothed edge between two listed values nearby."""
    from scipy import ndimage

    listed, odd = np.isin(mask, list(table)), np.isin(mask, stray)
    if len(stray) < SHADES:
        return int(np.count_nonzero(odd))
    size, values = 2 * RIM_PX + 1, mask.astype(np.int64)
    low = ndimage.minimum_filter(np.where(listed, values, np.iinfo(np.int64).max), size)
    high = ndimage.maximum_filter(np.where(listed, values, -1), size)
    return int(np.count_nonzero(odd & ~((low < values) & (values < high))))


def _values(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a mask and each pixel's index into them; uint8 uses a table of counts."""
    if mask.dtype == np.uint8:
        present = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
        place = np.zeros(256, np.intp)
        place[present] = np.arange(len(present))
        return present, place[mask]
    return np.unique(mask, return_inverse=True)


def _integers(mask: np.ndarray) -> np.ndarray:
    """Convert a mask to integers; floats must be whole, True is 1."""
    if mask.dtype == bool:
        return mask.astype(np.uint8)
    if mask.dtype.kind in "ui":
        return mask
    if (
        mask.dtype.kind == "f"
        and np.isfinite(mask).all()
        and (mask == np.round(mask)).all()
        and abs(mask).max() < 2**31
    ):
        return mask.astype(np.int32)
    if not np.isfinite(mask).any():
        raise BadItem("all its pixels are NaN; check the export")
    raise BadItem("the mask holds fractional numbers; save labels as 8-bit or 16-bit integers")


def to_regions(mask: np.ndarray) -> np.ndarray:
    """Convert a label image of objects to an int32 region map: 0 is background, -1 (or NaN) is unlabelled.

    Numbers are kept; if any exceeds 2^31 - 1, all are renumbered from 1.
    """
    if mask.dtype.kind == "f":
        lost = ~np.isfinite(mask)
        mask = np.where(lost, -1, mask)
        if (mask != np.round(mask)).any():
            raise BadItem("the mask holds fractional numbers; save labels as integers")
    if mask.dtype.kind in "iu" and mask.dtype.itemsize <= 2:
        return np.where(mask < 0, -1, mask).astype(np.int32)
    if mask.max(initial=0) > np.iinfo(np.int32).max:
        present, place = np.unique(mask, return_inverse=True)
        numbers = np.where(present > 0, np.cumsum(present > 0), np.where(present < 0, -1, 0))
        return numbers[place].reshape(mask.shape).astype(np.int32)
    return np.where(mask < 0, -1, mask).astype(np.int32)


def attach(
    found,
    file: str,
    shape: tuple,
    top: int,
    phases: list[str],
    truth_values,
    max_pixels: int,
    masks_are: str = "phases",
) -> None:
    """Read the mask of a micrograph and set its `truth`, phases or regions.

    `shape`: shape of the image before its bars were cropped, `top` rows of them at the top. A mask of that shape is
    cropped like the image; a mask of the cropped shape is used as is. Raises BadItem if it has another shape.
    """
    if masks_are == "regions":
        if _is_jpeg(file):
            raise BadItem(f"its mask {file}: a JPEG smears the numbers of objects; export it as PNG or TIFF")
        found.truth = _named(file, to_regions, _fitted(found, file, shape, top, max_pixels, lambda mask: mask))
        if doubt := mask_kinds.doubt_of_regions(found.truth):
            ignored.note(found, doubt)
        return
    mask = _fitted(found, file, shape, top, max_pixels, lambda mask: mask)
    lost = ~np.isfinite(mask) if mask.dtype.kind == "f" and len(phases) <= UNLABELLED else None
    if lost is not None and lost.any() and not lost.all():
        mask = np.where(lost, mask[~lost][0], mask)
    mask = _named(file, _integers, mask)
    if (white := mask_kinds.of_one_bit(mask, values_of(phases, truth_values)[0])) is not None:
        mask = white
        ignored.note(found, mask_kinds.ONE_BIT)
    _named(file, _check_colour, mask, lambda: readers.read_colour(file, max_pixels=max_pixels), phases, truth_values)
    if _is_jpeg(file):
        _named(file, _check_smeared, mask, phases, truth_values)
        mask = _sharpened(mask, phases, truth_values)
    found.truth, stray = _named(file, to_phases, mask, phases, truth_values)
    if lost is not None:
        found.truth[lost] = UNLABELLED
    found.meta[columns.TRUTH_PHASES] = sum(bool((found.truth == number).any()) for number in range(len(phases)))
    if stray:
        found.meta[columns.STRAY_TRUTH] = stray


def _is_jpeg(file: str) -> bool:
    """Check for a JPEG by its first bytes; a folder is none."""
    if not os.path.isfile(file):
        return False
    with open(file, "rb") as handle:
        return handle.read(3) == JPEG


def _sharpened(mask: np.ndarray, phases: list[str], truth_values) -> np.ndarray:
    """Undo the noise of a JPEG: values near a listed one become it, if the listed values are more than 64 apart.

    Of masks of two values saved at quality 50 to 95, less than 0.001 % of the pixels get the wrong one.
    """
    listed = np.array(sorted(values_of(phases, truth_values)[0]))
    if len(listed) < 2 or np.diff(listed).min() <= 2 * NOISE or not 0 <= mask.min() <= mask.max() <= 255:
        return mask
    values = np.arange(256)
    nearest = listed[np.argmin(np.abs(values[:, None] - listed), axis=1)]
    return np.where(np.abs(values - nearest) <= NOISE, nearest, values)[mask]


def _check_smeared(mask: np.ndarray, phases: list[str], truth_values) -> None:
    """Raise BadItem if the word other would give the noise of a JPEG beside a listed value to another phase."""
    table, other = values_of(phases, truth_values)
    stray = np.setdiff1d(_values(mask)[0], list(table))
    near = [value for value in stray.tolist() if any(0 < abs(value - one) <= NOISE for one in table)]
    if other is None or not near:
        return
    taker = phases[other] if other < len(phases) else NOT_LABELLED
    raise BadItem(
        f"it is a JPEG, which smears values: {len(stray)} values are not listed, such as {near[0]}, and the word other "
        f"gives them all to '{taker}'; list the values of all phases, or export the mask as PNG or TIFF in its own size"
    )


def _check_colour(mask: np.ndarray, colours, phases: list[str], truth_values) -> None:
    """Raise BadItem if the word other would give the colours of a mask to a phase, while grey values are listed.

    A pure blue has the number of a grey (#0000ff is 255), and white in a mask of colours is 16777215.
    colours: function that reads the channels of the file, None if it is grey.
    """
    table, other = values_of(phases, truth_values)
    listed = [value for value, number in table.items() if number < len(phases)]
    if other is None or mask.dtype != np.int32 or max(listed, default=0) > 255 or not any(listed) or mask.max() <= 255:
        return
    if colours() is None:
        return
    shown = ", ".join(f"{value} (#{value:06x})" for value in np.unique(mask)[-LISTED:].tolist())
    raise BadItem(
        f"it is in colour, and truth_values lists grey values alone, so that the word other takes the colours {shown}; "
        "list the numbers of the colours, or save the mask as grey"
    )


def _named(file: str, function, *values):
    """Call a function on a mask, and add the file name to its BadItem."""
    try:
        return function(*values)
    except BadItem as error:
        raise BadItem(f"its mask {file}: {error}") from error


def _fitted(found: Micrograph, file, shape, top, max_pixels, plain) -> np.ndarray:
    """Read a mask, and crop it like its image. `plain`: function that converts its numbers."""
    mask = _named(file, lambda: plain(readers.read_labels(file, max_pixels=max_pixels)))
    if mask.shape == shape and shape != found.pixels.shape:
        mask = mask[..., top : top + found.pixels.shape[-2], :]
    if mask.shape != found.pixels.shape:
        sizes = [" x ".join(map(str, s[::-1])) for s in (mask.shape, shape)]
        raise BadItem(f"its mask {file} has {sizes[0]} pixels, the image {sizes[1]}; export both in one size")
    return mask
