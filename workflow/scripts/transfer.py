"""Measure the error of the model of a loop before and after training on each round of verdicts."""

from matlens import acquire, registry
from matlens.acquire import judged, rounds, transfer
from matlens.job import entry
from matlens.learn import features
from matlens.store import io


def main(index: str, verdicts: list, settings: dict, table: str) -> None:
    """Write the errors before and after every round."""
    offered = features.build(io.read_table(index), {}, settings["features"]).dropna()
    fit = registry.load(acquire.SURROGATES, settings["surrogate"])
    known = judged.wide(io.concatenate(map(io.read_table, verdicts)), rounds.asked(settings))
    io.write_table(table, transfer.errors(offered.index.to_numpy(), offered.to_numpy(), known, fit, settings))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
