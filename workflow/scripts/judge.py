"""Ask for the verdicts on the candidates of one round."""

import time

import pandas as pd
from matlens import acquire, registry
from matlens.job import entry
from matlens.store import io


def main(candidates: str, index: str, oracle: str, settings: dict, verdicts: str, timings: str) -> None:
    """Write the verdicts, and apart from them what they cost, which no two runs have in common."""
    asked, started = io.read_table(candidates), time.process_time()
    offers = {"candidates": asked, "index": io.read_table(index)}
    found = registry.call(registry.load(acquire.ORACLES, oracle), offers, settings)
    io.write_table(verdicts, found)
    io.write_table(timings, pd.DataFrame({"verdicts": [len(asked)], "cpu_s": [time.process_time() - started]}))


if __name__ == "__main__":
    entry.pin_hashes()
    entry.run(main, globals().get("snakemake"))
