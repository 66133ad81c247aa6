"""Hardening by dispersed obstacles such as loops and voids: number density, mean diameter and rise of the yield stress.

d sigma = M alpha G b sqrt(N d) for one kind of obstacle. Source: A. Seeger, Proc. 2nd UN Int. Conf. Peaceful Uses of
Atomic Energy 6 (1958) 250; the error is that of first order, of independent N, d and alpha.
"""

import numpy as np

from matlens.job.batch import BadItem
from matlens.quantify import region_map


def dispersed_barrier(
    density_per_m3: float, diameter_nm: float, taylor: float, alpha: float, shear_modulus_gpa: float, burgers_nm: float
) -> float:
    """Return the rise of the yield stress in MPa: M alpha G b sqrt(N d)."""
    per_length = np.sqrt(density_per_m3 * diameter_nm * 1e-9)  # 1/m
    return taylor * alpha * shear_modulus_gpa * 1e3 * burgers_nm * 1e-9 * float(per_length)


def measure(
    labels: np.ndarray,
    phases: list[str],
    pixel_size_um: float | None,
    *,
    thickness_nm: float,
    thickness_error_nm: float = 0.0,
    alpha: float = 0.4,
    alpha_error: float = 0.0,
    taylor: float = 3.06,
    shear_modulus_gpa: float = 82.0,
    burgers_nm: float = 0.248,
    connectivity: str = "corners",
    min_area_px2: float = 0.0,
):
    """Return N, d and the hardening of the obstacles of one image, each with its error; a row per phase but the first.

    `thickness_nm`, `thickness_error_nm`: of the foil, of which an image is the projection. `alpha`: strength of the
    obstacle. d is the mean diameter of circles of equal area. The error of N is that of its count (Poisson) and of the
    thickness, that of d the standard error of its mean. A cut obstacle counts in N by half, and not in d. Without a
    pixel size N and the hardening are empty.
    """
    import pandas as pd

    if labels.ndim != 2:
        raise BadItem("hardening is of images of a foil, which a volume is not; leave 'hardening' out for it")
    found = region_map.number(labels, phases, connectivity, False, min_area_px2)
    size, cut = found.moments()[1][:, 0], at_border(found)
    seen = found.window().size
    nm = np.nan if pixel_size_um is None else 1000.0 * pixel_size_um
    listed = np.union1d(np.arange(1, len(phases)), found.phase) if (found.phase >= 0).all() else np.array([-1])
    rows = []
    for phase in listed:
        mine = found.phase == phase
        count = float(np.where(cut[mine], 0.5, 1.0).sum())
        diameter = np.sqrt(4 * size[mine & ~cut] / np.pi)
        mean = float(diameter.mean()) if len(diameter) else np.nan
        spread = float(diameter.std(ddof=1) / np.sqrt(len(diameter))) if len(diameter) > 1 else np.nan
        volume = seen * (nm * 1e-9) ** 2 * thickness_nm * 1e-9
        density = count / volume
        parts = {  # relative errors: of a count, of the foil, of the diameter, of the strength
            "count": 1 / np.sqrt(count) if count else np.nan,
            "thickness": thickness_error_nm / thickness_nm,
            "diameter": spread / mean if len(diameter) > 1 else 0.0,
            "alpha": alpha_error / alpha,
        }
        stress = dispersed_barrier(density, mean * nm, taylor, alpha, shear_modulus_gpa, burgers_nm) if count else 0.0
        half = 0.5 * np.sqrt(parts["count"] ** 2 + parts["thickness"] ** 2 + parts["diameter"] ** 2)
        rows.append(
            {
                "regions": int(mine.sum()),
                "density_per_m3": density,
                "density_error_per_m3": density * float(np.hypot(parts["count"], parts["thickness"])),
                "mean_diameter_px": mean,
                "mean_diameter_error_px": spread,
                "hardening_mpa": stress,
                "hardening_error_mpa": stress * float(np.hypot(half, parts["alpha"])),
            }
        )
    return pd.DataFrame({**region_map.phase_columns(listed, phases), **pd.DataFrame(rows)})


def at_border(found) -> np.ndarray:
    """Return which regions touch the border of the image or unlabelled pixels: bool (regions,)."""
    axes = len(found.shape)
    box = found.moments()[2]
    low, high = box[:, 3 - axes : 3], box[:, 6 - axes : 6]
    return (low == 0).any(1) | (high == np.array(found.shape)).any(1) | found.cut()
