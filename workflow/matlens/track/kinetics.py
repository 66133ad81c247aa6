"""Motion and growth of objects: a line through every track, rates by temperature and size, growth exponent."""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from matlens import columns, objects

LEAST = 3  # detections of a track, or of its part at one temperature, that a line is fitted to
OUTLIER = 4.0  # robust standard deviations beyond which the rate of a track does not count: wrong links
UNIT_S = {
    "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0, "minute": 60.0,
    "minutes": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0, "d": 86400.0, "day": 86400.0,
    "days": 86400.0,
}  # fmt: skip
UNKNOWN = -1e9  # stands for the temperature of a frame without one
LIFE_PARTS = 4  # a growth exponent needs tracks whose time since the start grows by this part of itself


@dataclass(frozen=True)
class Clock:
    """Times of the frames of a series.

    `time`: in units of the median interval of frames, from the first frame (frames,); `steps` are whole ones.
    `seconds`: that interval, or None if it is not known. `since`: time of the first frame since the process began, in
    the same units; NaN if not known. `temperature`: of every frame in degrees Celsius, NaN where it is not known.
    """

    time: np.ndarray
    seconds: float | None
    since: float
    temperature: np.ndarray

    @property
    def steps(self) -> np.ndarray:
        """Return the times in whole intervals (frames,): missing frames count."""
        return np.round(self.time).astype(int)


def unit_of(name: str) -> float | None:
    """Return the seconds of a unit of a column of times, NaN if its name does not say it; None for another column.

    Such names are `t`, t with a unit, and those that begin with time or elapsed, or are a unit written out, or end with
    time and a unit: t_s, "time (ms)", ageing_time_h, hours. `T`, `T_C` and `T_min` are temperatures.
    """
    words = re.findall("[a-z]+", re.sub("[\u00b5\u03bc]", "u", name).lower())  # of micro there are two letters
    unit = UNIT_S.get(words[-1]) if words else None
    if name == "t" or (words and words[0].startswith(("time", "elapsed"))):
        return np.nan if unit is None else unit
    written = len(words) == 1 and len(words[0]) > 3
    return unit if written or (words and (re.match("t(?![a-z])", name) or "time" in words)) else None


def clock(times: list, by: str | None, temperature: np.ndarray, frame_s: float | None, start_s: float | None) -> Clock:
    """Make the clock of a series. `times`: values of the column `by` that orders its frames, or None for a video.

    A column of times has its unit at the end of its name; one of an unknown unit gives the gaps alone.
    """
    unit = unit_of(by) if by else None
    if unit is not None:
        value = np.array(times, float) - times[0]
        step = float(np.median(np.diff(value)))
        if np.isfinite(unit):
            since = times[0] * unit if start_s is None else start_s
            return Clock(value / step, step * unit, since / (step * unit), temperature)
        return Clock(value / step, frame_s, _since(start_s, frame_s), temperature)
    time, frames = numbered_frames(times, by) if by else (np.arange(len(times), dtype=float), 1.0)
    seconds = None if frame_s is None else frame_s * frames
    return Clock(time, seconds, _since(start_s, seconds), temperature)


def _since(start_s: float | None, seconds: float | None) -> float:
    """Return the time of the first frame in intervals; NaN if it is not known."""
    return np.nan if start_s is None else start_s / (seconds or 1.0)


def numbered_frames(values: list, name: str = "") -> tuple[np.ndarray, float]:
    """Return the times of frames that a column orders, in intervals, and the frames of one interval.

    Whole numbers, of which two at least follow each other, are numbers of frames, with gaps where some are missing. So
    are those of a column whose `name` begins with frame: if none follow each other, as every second frame was kept, the
    interval is the median step. Others order the frames alone.
    """
    value = np.array(values, float)
    steps = np.diff(value)
    whole = len(steps) > 0 and (value == np.round(value)).all() and steps.min() > 0
    if whole and (steps.min() == 1 or name.lower().startswith("frame")):
        interval = 1.0 if steps.min() == 1 else float(np.median(steps))
        return (value - value[0]) / interval, interval
    return np.arange(len(value), dtype=float), 1.0


def line(time: np.ndarray, value: np.ndarray) -> tuple[float, float]:
    """Return the slope of a least-squares line and its standard error (NaN for two points)."""
    t = time - time.mean()
    total = float((t**2).sum())
    if total == 0:
        return np.nan, np.nan
    slope = float((t * value).sum() / total)
    left = value - value.mean() - slope * t
    error = np.sqrt((left**2).sum() / max(len(t) - 2, 1) / total) if len(t) > 2 else np.nan
    return slope, float(error)


def whole(own, size: tuple[float, float]):
    """Return the detections that the border of the image does not cut: the size of the others is not known."""
    box = own[objects.BOX].to_numpy(float)
    return own[(box[:, :2] > 0).all(1) & (box[:, 2:] < np.array(size)).all(1)].reset_index(drop=True)


def tracks_of(own) -> dict[int, np.ndarray]:
    """Return the rows of every track, in the order of frames."""
    track, at = own[columns.TRACK].to_numpy(int), own["series_frame"].to_numpy(int)
    order = np.lexsort((at, track))[np.count_nonzero(track <= 0) :]
    cuts = np.flatnonzero(np.diff(track[order])) + 1
    return {int(track[part[0]]): part for part in np.split(order, cuts)} if len(order) else {}


def path_rows(own, clock_: Clock, drift: np.ndarray, pixel_um: float | None) -> list[dict]:
    """Return a row per track: when it was seen, its velocity with the drift taken off, its size and growth."""
    at = own["series_frame"].to_numpy(int)
    place = own[["y_px", "x_px"]].to_numpy(float) - drift[at]
    radius = np.sqrt(own[columns.AREA].to_numpy(float) / np.pi)
    nm = np.nan if not (pixel_um and clock_.seconds) else 1000 * pixel_um / clock_.seconds
    rows = []
    for number, part in tracks_of(own).items():
        time = clock_.time[at[part]]
        (vy, ey), (vx, ex), (rate, _) = (line(time, v[part]) for v in (place[:, 0], place[:, 1], radius))
        speed, net = float(np.hypot(vy, vx)), float(np.linalg.norm(place[part[-1]] - place[part[0]]))
        error = float(np.hypot(vy * ey, vx * ex) / speed) if speed else np.nan
        rows.append(
            {
                columns.TRACK: number,
                "first_frame": int(at[part[0]]),
                "last_frame": int(at[part[-1]]),
                "detections": len(part),
                "velocity_y_px_per_frame": vy,
                "velocity_x_px_per_frame": vx,
                "speed_px_per_frame": speed,
                "speed_error_px_per_frame": error,
                "speed_nm_per_s": speed * nm,
                "speed_error_nm_per_s": error * nm,
                "displacement_px": net,
                "net_speed_nm_per_s": net * nm / float(np.ptp(time)) if len(part) > 1 else np.nan,
                "radius_px": float(radius[part].mean()),
                "radius_rate_px_per_frame": rate,
            }
        )
    return rows


def pieces(own, clock_: Clock) -> np.ndarray:
    """Return a row per track and temperature: temperature, mean radius, slopes of r and r^2, weight.

    The weight is the sum of squared times about their mean: the inverse of the variance of a slope at equal noise.
    """
    at, radius = own["series_frame"].to_numpy(int), np.sqrt(own[columns.AREA].to_numpy(float) / np.pi)
    warmth = np.nan_to_num(clock_.temperature, nan=UNKNOWN)
    found = []
    for part in tracks_of(own).values():
        steps = np.flatnonzero(np.diff(warmth[at[part]])) + 1
        for piece in np.split(part, steps):
            if len(piece) < LEAST:
                continue
            time, r = clock_.time[at[piece]], radius[piece]
            weight = float(((time - time.mean()) ** 2).sum())
            found.append((warmth[at[piece[0]]], r.mean(), line(time, r)[0], line(time, r**2)[0], weight))
    return np.array(found).reshape(-1, 5)


def mean_rate(value: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return the weighted mean of rates without outliers, and its standard error from their scatter."""
    if not len(value):
        return np.nan, np.nan
    middle = np.median(value)
    precise = np.abs(value - middle) * np.sqrt(weight)
    kept = precise <= OUTLIER * 1.4826 * np.median(precise) if np.median(precise) > 0 else np.ones(len(value), bool)
    value, weight = value[kept], weight[kept] / weight[kept].sum()
    mean = float((weight * value).sum())
    count = 1 / float((weight**2).sum())
    spread = float((weight * (value - mean) ** 2).sum())
    return mean, float(np.sqrt(spread / (count - 1))) if count > 1.5 else np.nan


def exponent(own, clock_: Clock) -> tuple[float, float]:
    """Return n of d = k t^n and its standard error, k of each track its own; NaN where the start is not known.

    The weighted mean of the slopes of ln d over ln t of the tracks, without outliers such as objects that are cut off,
    so that births and deaths of small or large ones do not count. t is the time since the process began.
    """
    if np.isnan(clock_.since):
        return np.nan, np.nan
    at, area = own["series_frame"].to_numpy(int), own[columns.AREA].to_numpy(float)
    time = clock_.time + clock_.since
    slopes = []
    for part in tracks_of(own).values():
        part = part[time[at[part]] > 0]
        if len(part) >= LEAST and time[at[part[-1]]] >= time[at[part[0]]] * (1 + 1 / LIFE_PARTS):
            x, y = np.log(time[at[part]]), np.log(area[part]) / 2
            slopes.append((line(x, y)[0], float(((x - x.mean()) ** 2).sum())))
    return mean_rate(*np.array(slopes).reshape(-1, 2).T)


def kinetics_rows(own, clock_: Clock, classes: int, pixel_um: float | None) -> list[dict]:
    """Return rates by temperature and size: dr/dt, and c of dr/dt = -c / r, that is -1/2 of the slope of r^2.

    A row for all sizes of a temperature, then one per size class of equal numbers of tracks.
    """
    nm = np.nan if not (pixel_um and clock_.seconds) else 1000 * pixel_um
    found, rows = pieces(own, clock_), []
    power, power_error = exponent(own, clock_)
    for warmth in np.unique(found[:, 0]):
        own_pieces = found[found[:, 0] == warmth]
        edges = np.quantile(own_pieces[:, 1], np.linspace(0, 1, classes + 1))
        bounds = [(edges[0], edges[-1]), *(pairwise(edges) if classes > 1 else ())]
        for low, high in bounds:
            inside = (own_pieces[:, 1] >= low) & (own_pieces[:, 1] <= high)
            part = own_pieces[inside]
            rate, error = mean_rate(part[:, 2], part[:, 4])
            slope, slope_error = mean_rate(part[:, 3], part[:, 4])
            per_second = 1 / clock_.seconds if clock_.seconds else np.nan
            rows.append(
                {
                    columns.TEMPERATURE: warmth if warmth > UNKNOWN else np.nan,
                    "size_class": "all" if (low, high) == bounds[0] else f"{low:.3g} to {high:.3g}",
                    "pieces": len(part),
                    "radius_px": float(part[:, 1].mean()) if len(part) else np.nan,
                    "radius_rate_px_per_frame": rate,
                    "radius_rate_error_px_per_frame": error,
                    "shrinkage_px2_per_frame": -slope / 2,
                    "shrinkage_error_px2_per_frame": slope_error / 2,
                    "shrinkage_nm2_per_s": -slope / 2 * nm**2 * per_second,
                    "shrinkage_error_nm2_per_s": slope_error / 2 * nm**2 * per_second,
                    "growth_exponent": power,
                    "growth_exponent_error": power_error,
                }
            )
    return rows
