"""Measure CPU time; no benchmark of its own."""

import time


def cpu_seconds(work, repeats: int = 3) -> float:
    """Return the least CPU time of some runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)
