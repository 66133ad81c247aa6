"""Kinds of objects, where a study has more than two phases: each phase but the first is a kind."""

from collections.abc import Mapping

import numpy as np

from matlens import columns, objects


def of_truth(truth: np.ndarray, about: Mapping, phases: list[str]) -> tuple[np.ndarray, dict[int, str] | None]:
    """Return the region map of a truth (y, x), and the phase of each of its objects by number.

    `about`: attributes of the truth. The phases are None where the study has two, or the truth does not say them.
    """
    regions = objects.regions_of(truth)
    if len(phases) < 3:
        return regions, None
    if truth.dtype == np.int32:
        named = {int(number): name for number, name in (about.get(objects.PHASES) or {}).items()}
        present = np.unique(regions[regions > 0]).tolist()
        return regions, named if named and all(number in named for number in present) else None
    numbers, first = np.unique(regions, return_index=True)
    values = truth.ravel()[first]
    return regions, {int(n): phases[int(v)] for n, v in zip(numbers, values, strict=True) if n > 0}


def numbered(regions: np.ndarray, named: Mapping[int, str] | None, kinds: list[str]) -> np.ndarray:
    """Number the objects of a region map anew: int32, 255 is unknown, and no object has that number.

    The remainder of a number over the number of kinds is the kind of its object.
    """
    from matlens.nets.pixel.losses import IGNORE

    numbers, own = np.unique(regions, return_inverse=True)
    count = max(len(kinds), 1)
    block = np.cumsum(numbers > 0)
    block = block + (block >= IGNORE // count)
    kind = np.array([kinds.index(named[int(n)]) if kinds and n > 0 else 0 for n in numbers])
    fresh = np.where(numbers > 0, block * count + kind, np.where(numbers < 0, IGNORE, 0))
    return fresh[own].reshape(regions.shape).astype(np.int32)


def known(samples: list, phases: list[str]) -> list[str]:
    """List the kinds that can be learned: the phases but the first, if those of all objects are known."""
    every = [named for _, regions, named in samples if (regions > 0).any()]
    return list(phases[1:]) if every and all(named is not None for named in every) else []


def stated(true, named: Mapping[int, str] | None):
    """Add to the table of true objects of a frame the phase of each, where it is known."""
    if named is None:
        return true
    return true.assign(**{columns.PHASE_NAME: [named[int(number)] for number in true[columns.OBJECT]]})


def right(found, true, rows: np.ndarray, others: np.ndarray) -> float:
    """Count the pairs of detections and objects that are of one phase; NaN where it is not known of both."""
    if not all(columns.PHASE_NAME in table for table in (found, true)):
        return np.nan
    said, wanted = (table[columns.PHASE_NAME].to_numpy()[part] for table, part in ((found, rows), (true, others)))
    return float((said == wanted).sum())


def commonest(names: list[str]) -> float:
    """Return the part of objects that are of the commonest kind; NaN without any."""
    _, counts = np.unique(names, return_counts=True)
    return float(counts.max() / counts.sum()) if len(counts) else np.nan
