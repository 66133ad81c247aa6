"""Keep Snakemake's scheduler from looking at its queue ever more often, the longer a run takes.

Each look sets a timer that leads to the next look, and each job that ends makes a look of its own: after a thousand
jobs there are a thousand looks a second (Snakemake 9.27.1). Here one timer is under way at a time.
"""

import threading


def one_timer(scheduler) -> None:
    """Let a scheduler have one timer at a time; one that sets its timers elsewhere is left as it is."""
    if not hasattr(scheduler, "_schedule_reevalutation") or not hasattr(scheduler, "_open_jobs"):
        return
    waiting = threading.Event()

    def look() -> None:
        waiting.clear()
        scheduler._open_jobs.release()

    def later(delay: float) -> None:
        if not waiting.is_set():
            waiting.set()
            threading.Timer(delay, look).start()

    scheduler._schedule_reevalutation = later
