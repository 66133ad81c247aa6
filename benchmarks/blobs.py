"""Blobs beside scikit-image's `blob_log` at equal settings: CPU seconds, ratio, number found.

Run: python benchmarks/blobs.py
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))


def picture(side: int) -> np.ndarray:
    """Draw bright discs of 4 to 15 pixels radius with noise."""
    rng = np.random.default_rng(0)
    image, (y, x) = np.full((side, side), 0.3, np.float32), np.mgrid[:side, :side]
    for cy, cx, radius in zip(*rng.uniform(0, side, (2, side // 8)), rng.uniform(4, 15, side // 8), strict=True):
        image[(y - cy) ** 2 + (x - cx) ** 2 < radius**2] = 0.7
    return image + 0.02 * rng.standard_normal((side, side)).astype(np.float32)


def best(work, times: int) -> tuple[float, int]:
    """Return the least CPU time of some runs, and how many were found."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        found = work()
        seconds.append(time.process_time() - start)
    return min(seconds), len(found)


def main() -> None:
    """Print a row per size of image and range of radii."""
    from matlens.detect import blobs
    from skimage.feature import blob_log

    print("side_px,min_radius_px,max_radius_px,scales,seconds,seconds_skimage,ratio,found,found_skimage")
    for side in (256, 512, 1024):
        image = picture(side)
        for low, high, scales in ((3, 20, 10), (3, 60, 15)):
            own = {"min_radius_px": low, "max_radius_px": high, "scales": scales, "threshold": 0.1}
            peer = {"min_sigma": low / np.sqrt(2), "max_sigma": high / np.sqrt(2), "num_sigma": scales}
            peer |= {"threshold": 0.1, "log_scale": True}
            mine, found = best(lambda image=image, own=own: blobs.detect(image, **own), 5)
            theirs, others = best(lambda image=image, peer=peer: blob_log(image, **peer), 2)
            print(f"{side},{low},{high},{scales},{mine:.4f},{theirs:.4f},{theirs / mine:.1f},{found},{others}")


if __name__ == "__main__":
    main()
