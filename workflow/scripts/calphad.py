"""Judge the candidates of one part by their phase equilibria."""

import time

import pandas as pd
from matlens import columns, registry, validate
from matlens.job import entry
from matlens.store import io
from matlens.validate import candidates


def main(
    index: str,
    shortlists: list,
    most: int | None,
    method: str,
    options: dict,
    part: str,
    parts: int,
    verdicts: str,
    equilibria: str,
    timings: str,
) -> None:
    """Write verdicts and equilibria; write timings to a separate file, because they differ between runs."""
    started, cpu = time.perf_counter(), time.process_time()
    chosen = candidates.choose(io.read_table(index), [io.read_table(path) for path in shortlists], most)
    own = pd.DataFrame(io.shard_rows(chosen, int(part), int(parts)), columns=chosen.columns)
    made, found = registry.load(validate.BATCHES, method)(own, **options)
    io.write_table(verdicts, made.assign(engine=method))
    io.write_table(equilibria, found)
    each = max(len(own), 1)
    cost = {"wall_s": (time.perf_counter() - started) / each, "cpu_s": (time.process_time() - cpu) / each}
    io.write_table(timings, pd.DataFrame({columns.ITEM: own[columns.ITEM], "engine": method}).assign(**cost))


if __name__ == "__main__":
    entry.pin_hashes()
    entry.run(main, globals().get("snakemake"))
