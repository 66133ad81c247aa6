"""Process items one by one; an item that fails becomes a row of `rejected`, and the others continue."""

import errno
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from matlens import columns

REJECTED = "*/*/rejected/*.parquet"  # tables of rejected items, one per job, in the folder of a study
QUIET_SECONDS = 5.0  # a counter line at most this often, so that logs stay readable
MACHINE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO)


class BadItem(ValueError):
    """An item cannot be used; the message has the cause and the fix."""


class MachineFault(RuntimeError):
    """A fault of the machine, independent of any item; the message has the fix."""


def rejection(item: str, stage: str, reason: str) -> dict[str, str]:
    """Return one row of `rejected`."""
    return {columns.ITEM: item, columns.STAGE: stage, columns.REASON: " ".join(reason.split())}


def rejections(results: Path) -> list[Path]:
    """List the tables of items that the jobs of a study have rejected so far. `results`: its folder."""
    return sorted(results.glob(REJECTED))


def counted(items: Iterable, total: int, label: str) -> Iterator:
    """Yield items; print the number of finished ones to the console every 5 seconds."""
    printed = time.monotonic()
    for done, item in enumerate(items):
        if time.monotonic() - printed > QUIET_SECONDS:
            printed = time.monotonic()
            print(f"{label}: {done} of {total} items", file=sys.__stderr__, flush=True)
        yield item


def _is_machine_fault(error: BaseException) -> bool:
    """Check for a fault of the machine (memory, disk, workers), which a retry may fix, not of the item."""
    return isinstance(error, (MemoryError, MachineFault)) or (
        isinstance(error, OSError) and error.errno in MACHINE_ERRORS
    )


def survive(
    items: list, work: Callable, rejected: list[dict], stage: str, name: Callable = lambda item: item[columns.ITEM]
) -> Iterator:
    """Yield `(item, work(item))`; if `work` fails, append a row to `rejected` and continue.

    Faults of the machine and the end of the job are raised with a note of the item, so that the scheduler retries the
    shard. Raises RuntimeError if all items fail and no failure is a BadItem: the method is broken, not its items.
    """
    unforeseen = None
    yielded = foreseen = 0
    for item in counted(items, len(items), stage):
        try:
            result = work(item)
        except BadItem as error:
            foreseen += 1
            rejected.append(rejection(name(item), stage, str(error)))
        except BaseException as error:
            if not isinstance(error, Exception) or _is_machine_fault(error):
                error.add_note(f"at item {name(item)!r}")
                raise
            unforeseen = error
            print(f"{stage}: item {name(item)!r} failed", file=sys.stderr)
            traceback.print_exc()
            rejected.append(rejection(name(item), stage, f"{type(error).__name__}: {error}"))
        else:
            yielded += 1
            yield item, result
    if unforeseen is not None and not yielded and not foreseen:
        raise RuntimeError(f"{stage}: every item of the shard failed; the last: {unforeseen}") from unforeseen
