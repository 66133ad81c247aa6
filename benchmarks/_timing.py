"""Measure CPU time; no benchmark of its own."""

import time


def least(work, repeats: int = 3) -> tuple[float, object]:
    """Return the least CPU time of some runs, and the result of the last one."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = work()
        times.append(time.process_time() - start)
    return min(times), result


def warm(work, repeats: int = 3) -> tuple[float, object]:
    """Return the same after one run that compiles and loads."""
    work()
    return least(work, repeats)


def cpu_seconds(work, repeats: int = 3) -> float:
    """Return the least CPU time of some runs."""
    return least(work, repeats)[0]
