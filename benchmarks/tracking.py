"""Tracking beside trackpy at equal settings: CPU milliseconds per 1,000 detections, ratio, IDF1, MOTA; and in crowds.

trackpy is installed into a temporary folder, without touching the environment. Run: python benchmarks/tracking.py
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _timing import least

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

GATE, MEMORY, LEAST, MATCH = 8.0, 5, 3, 10.0


def peer(folder: str):
    """Install and import trackpy; None if it cannot be had."""
    wanted = ["trackpy==0.7", "looseversion", "pyyaml"]
    done = subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, *wanted])
    sys.path.append(folder)
    if done.returncode:
        return None
    import trackpy

    trackpy.quiet()
    return trackpy


def detections(seed: int, missed: float, false: float):
    """Return the truth and the detections of a video of loops, (places, numbers) and (n, 2) per frame."""
    from matlens import objects
    from matlens.detect import imperfect
    from matlens.ingest.models import loops_video

    size = {"size_px": (400, 400), "radius_px": 6.0, "drift_px": (0.0, 0.0)}
    made = loops_video.read({"item_seed": seed}, frames=100, objects=60, life_frames=60.0, **size)
    true = [objects.describe(frame) for frame in made.truth]
    faults = {"missed": missed, "false_alarms": false}
    found = [imperfect.detect(frame, (seed, at), **faults) for at, frame in enumerate(made.truth)]
    truth = [(one[objects.PLACE].to_numpy(), one["object"].to_numpy()) for one in true]
    return truth, [one[objects.PLACE].to_numpy(float) for one in found]


def by_trackpy(trackpy, frames):
    """Link by trackpy with the same gate, memory and least length; returns the numbers of each frame."""
    import pandas as pd

    rows = [(at, y, x) for at, frame in enumerate(frames) for y, x in frame]
    table = pd.DataFrame(rows, columns=["frame", "y", "x"])
    linked = trackpy.link(table, GATE, memory=MEMORY)
    short = linked.groupby("particle")["frame"].transform("size") < LEAST
    linked["particle"] = linked["particle"].mask(short, -1)
    linked = linked.sort_index()
    return [part["particle"].to_numpy(int) for _, part in linked.groupby("frame")]


def judged(work, truth, frames) -> tuple[float, float, float]:
    """Return CPU milliseconds per 1,000 detections, IDF1 and MOTA; the time is the best of three."""
    from matlens.track import scores

    seconds, linked = least(work)
    kept = [(frame[own >= 0], own[own >= 0]) for frame, own in zip(frames, linked, strict=True)]
    found = scores.scores(truth, kept, MATCH)
    return 1e6 * seconds / sum(map(len, frames)), found["idf1"], found["mota"]


def main() -> None:
    """Print a row per level of faults, and the cost of frames that are ever more crowded."""
    from matlens.track import link

    options = {"gate_px": GATE, "memory_frames": MEMORY, "min_frames": LEAST}
    with tempfile.TemporaryDirectory() as folder:
        trackpy = peer(folder)
        print("missed,false,ms,ms_trackpy,ratio,idf1,idf1_trackpy,mota,mota_trackpy")
        for missed, false in ((0.0, 0.0), (0.1, 0.1), (0.2, 0.2)):
            truth, frames = detections(0, missed, false)
            own = judged(lambda frames=frames: link.hungarian(frames, **options), truth, frames)
            other = (
                judged(lambda frames=frames: by_trackpy(trackpy, frames), truth, frames) if trackpy else (np.nan,) * 3
            )
            parts = (own[0], other[0], own[0] / other[0], own[1], other[1], own[2], other[2])
            print(f"{missed},{false}," + ",".join(f"{value:.3f}" for value in parts))
    print("objects_per_frame,neighbours_in_gate,ms_per_1000")
    rng = np.random.default_rng(0)
    for count in (500, 1000, 2000, 4000):
        frames = [rng.uniform(0, 500, (count, 2)) for _ in range(4)]
        start = time.process_time()
        link.hungarian(frames, gate_px=GATE)
        milliseconds = 1e6 * (time.process_time() - start) / (4 * count)
        print(f"{count},{count * np.pi * GATE**2 / 500**2:.1f},{milliseconds:.1f}")


if __name__ == "__main__":
    main()
