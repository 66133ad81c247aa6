"""Measure CPU time; no benchmark of its own."""

import time

TICKS = 0.05  # s; clocks of CPU time may count in steps of 4 to 16 ms


def least(work, repeats: int = 3) -> tuple[float, object]:
    """Return the least CPU time of some runs, and the result of the last one; short work is done many times a run."""
    times = []
    for _ in range(repeats):
        start, done, spent = time.process_time(), 0, 0.0
        while spent < TICKS:
            result = work()
            done, spent = done + 1, time.process_time() - start
        times.append(spent / done)
    return min(times), result


def warm(work, repeats: int = 3) -> tuple[float, object]:
    """Return the same after one run that compiles and loads."""
    work()
    return least(work, repeats)


def cpu_seconds(work, repeats: int = 3) -> float:
    """Return the least CPU time of some runs."""
    return least(work, repeats)[0]
