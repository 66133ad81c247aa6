"""Events at the ends of tracks, and the tracks behind them: birth, death, split, merge, enters, leaves."""

import numpy as np

from matlens import columns

GROWS = 0.3  # of the area of an object that vanishes at another one, by which that one grows if they merge
AFTER = 3  # frames until the other one is seen again, at most


def ends(own) -> dict[int, tuple[int, int]]:
    """Return the rows of the first and the last detection of every track."""
    part = own[own[columns.TRACK] > 0]
    group = part.groupby(columns.TRACK)["series_frame"]
    return {
        track: (first, last) for track, first, last in zip(group.groups, group.idxmin(), group.idxmax(), strict=True)
    }


class Contacts:
    """Tracks that touch another one where they begin or end: their circles of equal area meet."""

    def __init__(self, own):
        self.place = own[["y_px", "x_px"]].to_numpy(float)
        self.area = own[columns.AREA].to_numpy(float) if columns.AREA in own else np.zeros(len(own))
        self.track, self.at = own[columns.TRACK].to_numpy(int), own["series_frame"].to_numpy(int)
        self.rows = {frame: np.flatnonzero((self.at == frame) & (self.track > 0)) for frame in np.unique(self.at)}
        order = np.lexsort((self.at, self.track))
        same = np.diff(self.track[order]) == 0
        self.following, self.before = np.full(len(own), -1), np.full(len(own), -1)
        self.following[order[:-1][same]] = order[1:][same]
        self.before[order[1:][same]] = order[:-1][same]

    def other(self, row: int, begins: bool) -> int:
        """Return the row of the object that one split from (`begins`) or merged into, in the same frame; -1 if none.

        The other one is larger by 0.3 of its area while both are one.
        """
        beside = self.rows[self.at[row]]
        beside = beside[beside != row]
        radius = np.sqrt(self.area / np.pi)
        away = np.linalg.norm(self.place[beside] - self.place[row], axis=1)
        for near in beside[np.argsort(away, kind="stable")][: np.count_nonzero(away <= radius[beside] + radius[row])]:
            joint = self.before[near] if begins else self.following[near]
            if joint < 0 or abs(self.at[joint] - self.at[row]) > AFTER:
                continue
            if self.area[joint] - self.area[near] >= GROWS * self.area[row] > 0:
                return int(near)
        return -1


def events(own, frames: int, size: tuple[float, float], margin_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Say at each detection whether its track begins or ends there, and which other track it came from or went into.

    Where a track begins in the first frame or ends in the last, nothing is known. Within `margin_px` of the border of
    the image it enters or leaves. Returns the words, and the numbers of the other tracks (0: none).
    """
    contacts = Contacts(own)
    edge = np.minimum(contacts.place, np.array(size) - 1 - contacts.place).min(1) <= margin_px if len(own) else ()
    at, found, parents = contacts.at, np.full(len(own), "", dtype=object), np.zeros(len(own), int)
    for first, last in ends(own).values():
        words = []
        if at[first] > 0:
            other = -1 if edge[first] else contacts.other(first, begins=True)
            words.append("enters" if edge[first] else "split" if other >= 0 else "birth")
            parents[first] = contacts.track[other] if other >= 0 else 0
            found[first] = words[-1]
        if at[last] < frames - 1:
            other = -1 if edge[last] else contacts.other(last, begins=False)
            word = "leaves" if edge[last] else "merge" if other >= 0 else "death"
            parents[last] = contacts.track[other] if other >= 0 else parents[last]
            found[last] = " ".join([*words, word]) if first == last else word
    return found, parents
