"""The sizes of the regions of one image as statistics: number, mean diameters, distribution, spacing."""

import numpy as np

from matlens.quantify import region_map, sampling, stereology


def measure(
    labels: np.ndarray,
    phases: list[str],
    spacing: tuple[float, ...] | None = None,
    *,
    connectivity: str = "corners",
    background: bool = False,
    min_area_px2: float = 0.0,
    border: str = "miles_lantuejoul",
    classes: int = 10,
):
    """Summarise the regions of every phase of one item, a row each phase.

    `labels`: uint8 phase map or int32 region map, 2-D or 3-D. `spacing`: that of each axis in pixel widths, in which
    all lengths are. The window is what is labelled. `border`: how regions that the border of the image cuts are
    corrected for, in every column up to the sphere columns: see `sampling.window_weights`. `classes`: of the unfolding
    into spheres (2-D only): see `stereology.unfold`. Other options: see `region_map.number`.

    Diameters are those of circles (spheres) of equal area (volume). The log-normal fit is by moments of ln d: its
    median exp(mu), its sigma, and its Kolmogorov-Smirnov distance to the data. `nearest_neighbour_px` is the mean
    distance between centroids of nearest regions, `clark_evans` its ratio to that of points at random: 0 clustered, 1
    random, 2.15 hexagonal. A phase without regions has number 0 and empty columns.
    """
    found = region_map.number(labels, phases, connectivity, background, min_area_px2)
    return table(found, phases, background, border, classes, spacing)


def table(found, phases: list[str], background: bool, border: str, classes: int, spacing=None):
    """Summarise all regions of a RegionMap, or of `bands.Regions`, which has the same methods."""
    import pandas as pd

    axes, seen = len(found.shape), found.window()
    pixel = float(np.prod(spacing or 1))
    first, sums, box = found.moments()
    chosen = [*range(3 - axes, 3), *range(6 - axes, 6)]
    weights = seen.weights(box[:, chosen], border)
    if border != "all":
        weights = np.where(found.cut(), 0.0, weights)
    size, window = sums[:, 0] * pixel, max(seen.size, 1) * pixel
    centre = (first + sums[:, 1:4] / np.maximum(sums[:, :1], 1))[:, 3 - axes :]
    known = np.arange(0 if background else 1, len(phases))
    listed = np.union1d(known, found.phase) if (found.phase >= 0).all() else np.array([-1])
    rows = []
    for phase in listed:
        mine = found.phase == phase
        rows.append(
            {
                "regions": int(mine.sum()),
                "regions_counted": int((weights[mine] > 0).sum()),
                **_sizes(size[mine], weights[mine], axes, window),
                **_spacing(centre[mine], seen, spacing, window),
                **(_spheres(size[mine], weights[mine] / window, classes) if axes == 2 else {}),
            }
        )
    return pd.DataFrame({**region_map.phase_columns(listed, phases), **pd.DataFrame(rows)})


def _sizes(size: np.ndarray, weights: np.ndarray, power: int, window: float) -> dict:
    """Summarise sizes (px2 or px3) with their weights, from a window of that size."""
    size, weights = size[weights > 0].astype(float), weights[weights > 0]
    bulk = "area" if power == 2 else "volume"
    diameter = np.sqrt(4 * size / np.pi) if power == 2 else np.cbrt(6 * size / np.pi)
    names = ["mean_diameter_px", "std_diameter_px", "median_diameter_px", f"{bulk}_weighted_mean_diameter_px"]
    names += [f"{bulk}_weighted_median_diameter_px", "lognormal_median_px", "lognormal_sigma", "lognormal_ks"]
    values = [np.nan] * len(names)
    if len(size):
        mean = np.average(diameter, weights=weights)
        spread = np.sqrt(np.average((diameter - mean) ** 2, weights=weights)) if len(size) > 1 else np.nan
        heavy = weights * size
        values = [mean, spread, sampling.quantile(diameter, weights, 0.5), np.average(diameter, weights=heavy)]
        values += [sampling.quantile(diameter, heavy, 0.5), *lognormal(diameter, weights)]
    density = {f"number_density_per_px{power}": weights.sum() / window}
    return density | dict(zip(names, values, strict=True))


def lognormal(values: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    """Fit a log-normal distribution by the moments of ln x; return its median, its sigma and its distance to the data.

    The distance is that of Kolmogorov and Smirnov: the largest between the two cumulative distributions.
    """
    from scipy.special import ndtr

    order = np.argsort(values)
    logs, weights = np.log(values[order]), weights[order] / weights.sum()
    mu = float((weights * logs).sum())
    sigma = float(np.sqrt((weights * (logs - mu) ** 2).sum()))
    if sigma == 0:
        return float(np.exp(mu)), 0.0, float("nan")
    fitted, below = ndtr((logs - mu) / sigma), np.cumsum(weights)
    return float(np.exp(mu)), sigma, float(max((below - fitted).max(), (fitted - below + weights).max()))


def _spacing(centre: np.ndarray, seen, spacing, window: float) -> dict:
    """Measure how far regions are from their nearest neighbours."""
    mean = seen.nearest_neighbour(centre, spacing)
    expected = sampling.random_neighbour(max(len(centre), 1) / window, len(seen.shape))
    return {"nearest_neighbour_px": mean, "clark_evans": mean / expected}


def _spheres(area: np.ndarray, weights: np.ndarray, classes: int) -> dict:
    """Estimate the spheres behind the sections of one phase; `weights` are number per area."""
    names = ("sphere_mean_diameter_px", "sphere_density_per_px3")
    if not (weights > 0).any():
        return dict.fromkeys(names, np.nan)
    counted = weights > 0
    edge, _, volume = stereology.unfold(np.sqrt(4 * area[counted] / np.pi), weights[counted], classes)
    return dict(zip(names, (np.average(edge, weights=volume), volume.sum()), strict=True))
