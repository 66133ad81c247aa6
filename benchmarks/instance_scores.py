"""Scores of int32 instance maps: CPU seconds for 2048 x 2048 pixels with 5,000 objects.

Run: python benchmarks/instance_scores.py
"""

import sys
from pathlib import Path

import numpy as np
from _timing import least

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))


def maps(side: int = 2048, count: int = 5000) -> tuple[np.ndarray, np.ndarray]:
    """Draw discs, and the same moved by a pixel or two, without a tenth of them."""
    rng = np.random.default_rng(0)
    step = side / np.ceil(np.sqrt(count))
    places = (np.stack(np.unravel_index(np.arange(count), (round(side / step),) * 2), 1) + 0.5) * step
    truth, found = np.zeros((side, side), np.int32), np.zeros((side, side), np.int32)
    y, x = np.mgrid[-12:13, -12:13]
    disc = y**2 + x**2 <= 11**2
    for number, (cy, cx) in enumerate(places.astype(int), start=1):
        for image, (dy, dx) in ((truth, (0, 0)), (found, rng.integers(-2, 3, 2))):
            if image is found and rng.random() < 0.1:
                continue
            cy0, cx0 = np.clip([cy + dy, cx + dx], 12, side - 13)
            image[cy0 - 12 : cy0 + 13, cx0 - 12 : cx0 + 13][disc] = number
    return truth, found


def main() -> None:
    """Print the CPU seconds of the scores of the measure `scores`, and F1."""
    from matlens.quantify import scores

    truth, found = maps()
    seconds, table = least(lambda: scores.measure(found, truth, ["background", "object"]))
    print("side_px,objects,cpu_seconds")
    print(f"{len(truth)},{len(np.unique(truth)) - 1},{seconds:.3f}")
    print(table.T.to_string())


if __name__ == "__main__":
    main()
