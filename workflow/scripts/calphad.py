"""Judge the candidates of one shard by their phase equilibria."""

import time

import pandas as pd
from matlens import columns
from matlens.job import entry
from matlens.store import io
from matlens.validate import calphad, candidates


def main(
    index: str,
    shortlists: list,
    most: int | None,
    options: dict,
    shard: str,
    shards: int,
    verdicts: str,
    equilibria: str,
    timings: str,
) -> None:
    """Write verdicts, the equilibria behind them, and apart from them what they cost: no two runs have that in
    common.
    """
    started, cpu = time.perf_counter(), time.process_time()
    chosen = candidates.choose(io.read_table(index), [io.read_table(path) for path in shortlists], most)
    own = pd.DataFrame(io.shard_rows(chosen, int(shard), int(shards)), columns=chosen.columns)
    made, found = calphad.validate(own, **options)
    io.write_table(verdicts, made)
    io.write_table(equilibria, found)
    each = max(len(own), 1)
    cost = {"wall_s": (time.perf_counter() - started) / each, "cpu_s": (time.process_time() - cpu) / each}
    io.write_table(timings, pd.DataFrame({columns.ITEM: own[columns.ITEM], "engine": calphad.ENGINE}).assign(**cost))


if __name__ == "__main__":
    entry.pin_hashes()
    entry.run(main, globals().get("snakemake"))
