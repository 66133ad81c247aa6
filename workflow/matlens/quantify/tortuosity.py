"""Geometric tortuosity: how much longer the shortest way through a phase is than the straight one.

The distance from the first plane of an axis to every pixel of the phase is found by fast marching (second order, pixels
connected by faces), which follows straight ways at every angle, unlike steps between pixel centres. It errs by 0.4 % in
2-D and 3 % in 3-D behind a gap of one pixel, and by less behind wider ones. The tortuosity is the mean distance of the
last plane over the distance between the planes.
J. A. Sethian, Proc. Natl. Acad. Sci. 93 (1996) 1591; B. Ghanbarian et al., Soil Sci. Soc. Am. J. 77 (2013) 1461.
"""

import numpy as np

from matlens.quantify import masks


def distances(mask: np.ndarray, axis: int) -> np.ndarray:
    """Return the distance of every pixel of a mask from the first plane of an axis, in pixels; inf out of reach."""
    from matlens.quantify.march_kernel import march

    lines = np.moveaxis(mask, axis, 0)
    volume = np.ascontiguousarray(lines.reshape(lines.shape[0], *(1,) * (3 - mask.ndim), *lines.shape[1:]))
    return np.moveaxis(march(volume).reshape(lines.shape), 0, axis)


def measure(labels: np.ndarray, phases: list[str], *, phase: int = 1):
    """Measure the geometric tortuosity of a phase along each axis.

    `phase`: its number. Returns phase, direction (x, y, z), tortuosity (mean over the pixels of the last plane that
    can be reached), tortuosity_min (the shortest way) and reached_fraction (of the pixels of the phase in the last
    plane). Where the phase does not span the image, the tortuosities are empty and the fraction is 0.
    """
    import pandas as pd

    mask, rows = masks.of_phase(labels, phase, phases), []
    for axis, name in enumerate(masks.directions(mask.ndim)):
        last = np.take(distances(mask, axis), -1, axis=axis)
        reached = last[np.isfinite(last)]
        straight = mask.shape[axis] - 1
        some = len(reached) > 0 and straight > 0
        rows.append(
            {
                "phase": phase,
                "direction": name,
                "tortuosity": reached.mean() / straight if some else np.nan,
                "tortuosity_min": reached.min() / straight if some else np.nan,
                "reached_fraction": len(reached) / max(1, np.count_nonzero(np.take(mask, -1, axis=axis))),
            }
        )
    return pd.DataFrame(rows)
