"""One timer at a time leads to the next look of Snakemake's scheduler, however many jobs have ended."""

import threading
import time
from types import SimpleNamespace

from matlens.plan import scheduler as calm
from snakemake.scheduling.job_scheduler import JobScheduler


def test_many_looks_set_one_timer_and_it_leads_to_another_look():
    looks = threading.Semaphore(0)
    scheduler = SimpleNamespace(_open_jobs=looks, _schedule_reevalutation=None)
    calm.one_timer(scheduler)
    before = threading.active_count()
    for _ in range(50):
        scheduler._schedule_reevalutation(0.05)
    assert threading.active_count() == before + 1
    assert looks.acquire(timeout=5)
    scheduler._schedule_reevalutation(0.01)
    assert looks.acquire(timeout=5)
    time.sleep(0.1)
    assert not looks.acquire(blocking=False)


def test_the_scheduler_of_snakemake_is_the_one_that_is_meant():
    assert callable(JobScheduler._schedule_reevalutation)
    assert "_open_jobs" in JobScheduler.__init__.__code__.co_names


def test_another_scheduler_is_left_as_it_is():
    other = SimpleNamespace()
    calm.one_timer(other)
    assert vars(other) == {}
