"""Validate one part of the candidates by an engine that runs in this process."""

import time

import pandas as pd
from matlens import registry, validate
from matlens.crystal import structures as crystals
from matlens.job import batch, entry
from matlens.store import io
from matlens.validate import candidates, engine_inputs, verdicts


def main(
    index: str, shortlists: list, structures: list, method: str, options: dict, most: int | None,
    part: str, parts: int, outcomes: str, timings: str,
) -> None:  # fmt: skip
    """Write what the engine says of every candidate, and the times that it took; one that fails says why."""
    known = crystals.by_item(crystals.from_arrays(io.read_ragged(path)) for path in structures)
    ranked = {path: io.read_table(path) for path in shortlists}
    chosen = candidates.choose(io.read_table(index), list(ranked.values()), most)
    own = chosen.iloc[len(chosen) * int(part) // parts : len(chosen) * (int(part) + 1) // parts]
    engine, lost, spent = registry.load(validate.METHODS, method), [], []
    bare = registry.method_of(method)
    wanted = [name for name in registry.inputs_of(engine) if name != "potential"]

    def work(one: dict) -> dict:
        begun = time.perf_counter(), time.process_time()
        try:
            return registry.call(engine, {**engine_inputs.of(one, known, wanted), "potential": bare}, options)
        finally:
            spent.append([one["item"], method, time.perf_counter() - begun[0], time.process_time() - begun[1]])

    every = engine_inputs.describe(own, ranked)
    told = {one["item"]: outcome for one, outcome in batch.survive(every, work, lost, f"validate/{method}")}
    told |= {row["item"]: {"status": validate.FAILED, "reason": row["reason"], "values": {}} for row in lost}
    io.write_json(outcomes, [{"candidate": one, "outcome": told[one["item"]]} for one in every])
    io.write_table(timings, pd.DataFrame(spent, columns=list(verdicts.TIMINGS)))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
