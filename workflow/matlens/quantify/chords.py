"""Chords: the lengths of the straight stretches of a phase between its two ends.

A chord that the border of the image cuts has an unknown length. Leaving such chords out favours short ones; the mean
intercept length counts them as half a chord each, and is unbiased: it is the length of the phase along the lines over
the number of chords, and for every isotropic structure 4 V/S in 3-D and pi A/L in 2-D.
E. E. Underwood, Quantitative Stereology (1970), ch. 4.
"""

import numpy as np

from matlens.quantify import masks, runs


def measure(labels: np.ndarray, phases: list[str], *, phase: int = 1):
    """Measure the number and the mean length of the chords of a phase along each axis.

    `phase`: its number. Returns phase, direction (x, y, z), chords (whole ones), chords_cut, chord_mean_px and
    chord_std_px (of whole ones; empty without any), mean_intercept_px (of all; empty where every line is one chord).
    """
    import pandas as pd

    mask, rows = masks.of_phase(labels, phase, phases), []
    for axis, name in enumerate(masks.directions(mask.ndim)):
        lengths, cut = runs.find(mask, axis)
        whole = lengths[~cut]
        through = int((lengths == mask.shape[axis]).sum())  # cut at both ends: no end was seen
        number = len(whole) + 0.5 * (cut.sum() - through)
        rows.append(
            {
                "phase": phase,
                "direction": name,
                "chords": len(whole),
                "chords_cut": int(cut.sum()),
                "chord_mean_px": whole.mean() if len(whole) else np.nan,
                "chord_std_px": whole.std() if len(whole) else np.nan,
                "mean_intercept_px": lengths.sum() / number if number else np.nan,
            }
        )
    return pd.DataFrame(rows)


def distribution(labels: np.ndarray, phases: list[str], *, phase: int = 1):
    """Count the whole chords of a phase by their length along each axis.

    `phase`: its number. Returns phase, direction (x, y, z), chord_length_px (1, 2, ..., the longest), chords,
    chord_probability (part of the chords of that direction).
    """
    import pandas as pd

    mask, tables = masks.of_phase(labels, phase, phases), []
    for axis, name in enumerate(masks.directions(mask.ndim)):
        lengths, cut = runs.find(mask, axis)
        number = runs.counts(lengths[~cut], 0)[1:]
        length = np.arange(1, len(number) + 1)
        columns = {"phase": phase, "direction": name, "chord_length_px": length, "chords": number}
        tables.append(pd.DataFrame({**columns, "chord_probability": number / max(1, number.sum())}))
    return pd.concat(tables, ignore_index=True)
