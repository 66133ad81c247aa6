"""Validate one part of the candidates by an engine that runs in this process."""

from time import perf_counter, process_time

from matlens import registry, validate
from matlens.crystal import structures as crystals
from matlens.job import batch, entry
from matlens.store import io
from matlens.validate import candidates, engine_inputs, references, verdicts


def main(
    index: str, shortlists: list, structures: list, method: str, options: dict, most: int | None, accept: dict,
    add_elements: bool | None, part: str, parts: int, outcomes: str, timings: str,
) -> None:  # fmt: skip
    """Write the outcome of every candidate, or the reason of its failure, and the times."""
    known = crystals.by_item(map(crystals.from_arrays, map(io.read_ragged, structures)))
    ranked = dict(zip(shortlists, map(io.read_table, shortlists), strict=True))
    chosen = candidates.choose(io.read_table(index), list(ranked.values()), most)
    own = chosen.iloc[len(chosen) * int(part) // parts : len(chosen) * (int(part) + 1) // parts]
    engine, bare, lost, spent = registry.load(validate.METHODS, method), registry.method_of(method), [], []
    wanted = [name for name in registry.inputs_of(engine) if name != "potential"]

    def work(one: dict) -> dict:
        wall, cpu = perf_counter(), process_time()
        try:
            return registry.call(engine, {**engine_inputs.of(one, known, wanted), "potential": bare}, options)
        finally:
            spent.append([one["item"], method, perf_counter() - wall, process_time() - cpu])

    added = int(part) == 0 and references.asked(accept, add_elements, validate.STABILITY)
    every = [*engine_inputs.describe(own, ranked), *(references.of_all(chosen, known) if added else [])]
    results = {one["item"]: outcome for one, outcome in batch.survive(every, work, lost, f"validate/{method}")}
    results |= {row["item"]: {"status": validate.FAILED, "reason": row["reason"], "values": {}} for row in lost}
    io.write_json(outcomes, [{"candidate": one, "outcome": results[one["item"]]} for one in every])
    io.write_table(timings, verdicts.timings(spent))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
