"""Choose the candidates of one round from the verdicts of the rounds before it."""

from functools import partial

import pandas as pd
from matlens import acquire, columns, registry
from matlens.acquire import judged, progress, rounds
from matlens.job import entry
from matlens.learn import features
from matlens.store import io


def main(
    index: str, verdicts: list, timings: list, method: str, options: dict, settings: dict, round: str, candidates: str
):
    """Write the candidates of every replicate; a replicate that has stopped has none, and the log says why."""
    number, table = int(round), io.read_table(index)
    offered = features.build(table, {}, settings["features"]).dropna()
    items = offered.index.to_numpy()
    asked = rounds.asked(settings)
    before = io.concatenate(map(io.read_table, verdicts)) if verdicts else None
    empty = pd.DataFrame(columns=["round", "replicate", columns.ITEM, "status", *asked])
    known = empty if before is None else judged.wide(before, asked)
    waiting = "" if before is None else judged.open_round(before)
    within = rounds.allowed(table.set_index(columns.ITEM).loc[items], settings)
    hours = sum(io.read_table(path)["cpu_s"].sum() for path in timings) / 3600.0
    states = progress.summary(known, settings) if len(known) else pd.DataFrame(columns=["replicate"])
    fit = registry.load(acquire.SURROGATES, settings["surrogate"])
    score = registry.load(acquire.METHODS, method)
    made = []
    for replicate in range(settings["replicates"]):
        why = waiting or progress.stopped(states[states["replicate"] == replicate], settings, hours)
        print(f"round {number}, replicate {replicate}: {why or 'goes on'}")
        if not why:
            mine = known[known["replicate"] == replicate]
            call = partial(registry.call, score, options=options)
            blind = registry.method_of(method) in acquire.CONTROLS
            x = offered.to_numpy()
            made.append(rounds.propose(items, x, mine, fit, call, settings, number, replicate, blind, within))
            print(f"{len(made[-1])} candidates: {made[-1]['reason'].max()}")
    none = pd.DataFrame(columns=list(acquire.CANDIDATES))
    io.write_table(candidates, pd.concat(made, ignore_index=True) if made else none)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
