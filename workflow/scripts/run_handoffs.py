"""Run the hand-offs of one part of the candidates, where their engine is on this machine."""

from pathlib import Path

import pandas as pd
from matlens import registry
from matlens.job import entry
from matlens.store import io
from matlens.validate import collect_results


def main(handoffs: str, method: str, options: dict, found: bool, part: str, parts: int, runs: str) -> None:
    """Run every folder that is not finished, unless it is to be run elsewhere; write the state of each."""
    made = []
    asked = options.get("run")
    for row in io.shard_rows(io.read_table(handoffs), int(part), parts):
        folder = Path(handoffs).parents[1] / row["slug"]
        here = {**options, "run": asked if asked is not None else found}
        state = "NOT_HANDED_OVER" if row["reason"] else registry.call(collect_results.run, {"folder": folder}, here)
        print(f"{row['item']}: {state}")
        made.append({"item": row["item"], "slug": row["slug"], "state": state})
    io.write_table(runs, pd.DataFrame(made, columns=["item", "slug", "state"], dtype=str))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
