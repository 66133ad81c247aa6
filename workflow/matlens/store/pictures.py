"""Read the flat images of a study, shard by shard."""

from collections.abc import Iterable, Iterator

import numpy as np

from matlens import columns
from matlens.store import io


def flat(index, shards: Iterable[str]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield key and pixels (y, x) in [0, 1] of every flat image; `index`: DataFrame with `key` and `axes`."""
    wanted = set(index[columns.KEY][index["axes"] == "yx"])
    for path in shards:
        with io.read_arrays(path) as arrays:
            yield from ((key, arrays.unit_interval(key)) for key in arrays if key in wanted)
