"""Chords: the lengths of the straight stretches of a phase between its two ends.

A chord that is cut, by the border of the image or by a pixel that is not labelled, has an unknown length. Leaving such
chords out favours short ones; the mean intercept length counts half a chord for each end that is seen, and is unbiased:
it is the length of the phase along the lines over the number of chords, and for every isotropic structure 4 V/S in 3-D
and pi A/L in 2-D.
E. E. Underwood, Quantitative Stereology (1970), ch. 4.
"""

import numpy as np

from matlens.image import masks, runs


def measure(labels: np.ndarray, phases: list[str], spacing: tuple | None = None, *, phase: int = 1):
    """Measure the number and the mean length of the chords of a phase along each axis.

    `phase`: its number. `spacing`: see `masks.spacings`. Returns phase, direction (x, y, z), chords (whole ones),
    chords_cut, chord_mean_px and chord_std_px (of whole ones; empty without any), mean_intercept_px (of all; empty
    where every chord is cut at both ends).
    """
    import pandas as pd

    (mask, known), rows = masks.window(labels, phase, phases), []
    steps = masks.spacings(spacing, mask.ndim)
    for axis, name in enumerate(masks.directions(mask.ndim)):
        lengths, cut = runs.find(mask, axis, known)
        lengths = lengths if steps[axis] == 1 else lengths * steps[axis]
        whole = lengths[cut == 0]
        number = (1 - cut / 2).sum()  # half a chord for each end that was seen
        rows.append(
            {
                "phase": phase,
                "direction": name,
                "chords": len(whole),
                "chords_cut": int((cut > 0).sum()),
                "chord_mean_px": whole.mean() if len(whole) else np.nan,
                "chord_std_px": whole.std() if len(whole) else np.nan,
                "mean_intercept_px": lengths.sum() / number if number else np.nan,
            }
        )
    return pd.DataFrame(rows)


def distribution(labels: np.ndarray, phases: list[str], spacing: tuple | None = None, *, phase: int = 1):
    """Count the whole chords of a phase by their length along each axis.

    `phase`: its number. `spacing`: see `masks.spacings`. Returns phase, direction (x, y, z), chord_length_px (1, 2,
    ... pixels, up to the longest), chords, chord_probability (part of the chords of that direction).
    """
    import pandas as pd

    (mask, known), tables = masks.window(labels, phase, phases), []
    steps = masks.spacings(spacing, mask.ndim)
    for axis, name in enumerate(masks.directions(mask.ndim)):
        lengths, cut = runs.find(mask, axis, known)
        number = runs.counts(lengths[cut == 0], 0)[1:]
        length = np.arange(1, len(number) + 1)
        length = length if steps[axis] == 1 else length * steps[axis]
        columns = {"phase": phase, "direction": name, "chord_length_px": length, "chords": number}
        tables.append(pd.DataFrame({**columns, "chord_probability": number / max(1, number.sum())}))
    return pd.concat(tables, ignore_index=True)
