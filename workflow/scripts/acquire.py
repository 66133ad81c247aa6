"""Choose the candidates of one round from the verdicts of the rounds before it."""

from matlens.acquire import replicates
from matlens.job import entry
from matlens.learn import features
from matlens.store import io


def main(
    index: str, verdicts: list, timings: list, method: str, options: dict, settings: dict, round: str, candidates: str
):
    """Write the candidates of every replicate; a replicate that has stopped has none, and the log names the reason."""
    table = io.read_table(index)
    offered = features.build(table, {}, settings["features"]).dropna()
    before = io.concatenate(map(io.read_table, verdicts)) if verdicts else None
    hours = sum(io.read_table(path)["cpu_s"].sum() for path in timings) / 3600.0
    chosen = replicates.choose(table, offered, before, method, options, settings, int(round), hours)
    io.write_table(candidates, chosen)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
