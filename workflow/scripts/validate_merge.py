"""Join the results of an engine for all parts of the candidates to verdicts."""

from matlens.job import entry
from matlens.store import io
from matlens.validate import handoff, verdicts


def main(parts: list, times: list, method: str, options: dict, accept: dict, verdicts_: str, timings: str) -> None:
    """Write the verdicts and the times of all parts, in the order of the candidates."""
    entries = [one for path in parts for one in io.read_json(path)]
    outcomes = {one["candidate"]["item"]: one["outcome"] for one in entries}
    verdicts.add_formation(outcomes, {one["candidate"]["item"]: one["candidate"]["composition"] for one in entries}, {})
    checksum = handoff.fingerprint({"engine": method, "options": options})
    made = []
    for one in entries:
        limits = {} if one["candidate"].get("reference") else accept
        outcome = verdicts.meet(outcomes[one["candidate"]["item"]], limits)
        made += verdicts.rows(one["candidate"], method, outcome, checksum)
    io.write_table(verdicts_, verdicts.table(made))
    io.write_table(timings, io.concatenate(io.read_table(path) for path in times))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
