"""Link detections to where each track is expected: objects that move steadily, by a Kalman filter."""

import numpy as np

from matlens.track import link


class Filter:
    """Places and speeds of the open tracks, along y and x, with one covariance for both axes.

    `place`, `speed`: (n, 2); `spread`: (n, 2, 2) of place and speed. Source: R. E. Kalman, J. Basic Eng. 82 (1960) 35;
    the noise of the speed is white, Q = q^2 [[1/4, 1/2], [1/2, 1]] per frame.
    """

    def __init__(self, noise_px: float, change_px: float, first_px: float):
        self.noise, self.change, self.first = noise_px**2, change_px**2, first_px**2
        self.place, self.speed, self.spread = np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 2, 2))

    def expect(self) -> None:
        """Move all tracks on by one frame."""
        step = np.array([[1.0, 1.0], [0.0, 1.0]])
        self.place = self.place + self.speed
        self.spread = step @ self.spread @ step.T + self.change * np.array([[0.25, 0.5], [0.5, 1.0]])

    def see(self, tracks: np.ndarray, places: np.ndarray) -> None:
        """Correct some tracks by their detections."""
        gain = self.spread[tracks, :, 0] / (self.spread[tracks, 0, 0] + self.noise)[:, None]
        off = places - self.place[tracks]
        self.place[tracks] += gain[:, :1] * off
        self.speed[tracks] += gain[:, 1:] * off
        self.spread[tracks] -= gain[:, :, None] * self.spread[tracks, :1, :]

    def begin(self, places: np.ndarray) -> None:
        """Open a track at each place, of unknown speed."""
        fresh = np.tile(np.diag([self.noise, self.first]), (len(places), 1, 1))
        self.place = np.concatenate([self.place, places])
        self.speed = np.concatenate([self.speed, np.zeros_like(places)])
        self.spread = np.concatenate([self.spread, fresh])

    def keep(self, kept: np.ndarray) -> None:
        """Close the tracks that are not kept."""
        self.place, self.speed, self.spread = self.place[kept], self.speed[kept], self.spread[kept]


def kalman(
    frames: list[np.ndarray],
    *,
    gate_px: float = 15.0,
    memory_frames: int = 2,
    drift: str = "none",
    noise_px: float = 0.5,
    change_px: float = 1.0,
    min_frames: int = 1,
) -> list[np.ndarray]:
    """Link detections to the expected places of tracks by the assignment of least squared distance, within a gate.

    `noise_px`: standard deviation of a detected place along an axis. `change_px`: that of the change of speed from
    frame to frame. The rest as `link.hungarian`.
    """
    state, made, tracks = Filter(noise_px, change_px, gate_px / 2), [], 0
    name, age = np.zeros(0, int), np.zeros(0, int)
    for frame in frames:
        places = np.asarray(frame, float).reshape(len(frame), -1)[:, :2] if len(frame) else np.zeros((0, 2))
        state.expect()
        if drift == "common" and len(name):
            state.place = state.place + link.common_drift(state.place[age == 0], places, gate_px)
        pairs = link.pairs_within(state.place, places, gate_px)
        first, second = link.assign(*pairs, (len(name), len(places)), 0.5 * gate_px**2 * 1.05)
        state.see(first, places[second])
        own, new = link.named(len(places), second, name[first], tracks)
        tracks += len(new)
        made.append(own)
        age = age + 1
        age[first] = 0
        kept = age <= memory_frames
        state.keep(kept)
        state.begin(places[new])
        name = np.concatenate([name[kept], own[new]])
        age = np.concatenate([age[kept], np.zeros(len(new), int)])
    return link.long_enough(made, min_frames)
