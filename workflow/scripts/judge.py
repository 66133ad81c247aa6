"""Ask an engine for the verdicts on the candidates of one round."""

import time
from pathlib import Path

import pandas as pd
from matlens.acquire import judged
from matlens.crystal import structures as crystals
from matlens.job import entry
from matlens.store import io
from matlens.validate import asking
from matlens.validate import collect_results as results


def main(
    candidates: str, index: str, oracle: str, settings: dict, verdicts: str, timings: str, structures: list = (),
    returned: str = "", seen: str = "",
) -> None:  # fmt: skip
    """Write the verdicts, and apart from them what they cost, which no two runs have in common.

    Hand-offs of a round have a folder of their own. `returned`: digest of its results that caused this run;
    `seen`: file for the digest that was judged, so that results that come back reopen the round, and own runs do not.
    """
    asked, started = io.read_table(candidates), time.process_time()
    known = crystals.by_item(crystals.from_arrays(io.read_ragged(path)) for path in structures)
    options = settings.get("options") or settings.get(oracle) or {}
    place = Path(verdicts).parents[1] / "handoff" / Path(verdicts).stem
    found = asking.ask(oracle, judged.shortlist(asked), io.read_table(index), known, options, settings["names"], place)
    found = judged.of_rounds(asked, found)
    io.write_table(verdicts, found)
    print(f"{asking.awaited(found)} of {asked['item'].nunique()} verdicts are pending")
    io.write_table(timings, pd.DataFrame({"verdicts": [len(asked)], "cpu_s": [time.process_time() - started]}))
    if seen:
        io.write_json(seen, {"digest": results.digest(place), "asked": returned})


if __name__ == "__main__":
    entry.pin_hashes()
    entry.run(main, globals().get("snakemake"))
