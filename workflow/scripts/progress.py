"""Summarise the rounds of one method."""

from matlens.acquire import judged as turned
from matlens.acquire import progress
from matlens.acquire import rounds as asking
from matlens.job import entry
from matlens.store import io


def main(index: str, candidates: list, verdicts: list, settings: dict, rounds: str, asked: str) -> None:
    """Write the results of every round, and every candidate with its verdict."""
    judged = turned.wide(io.concatenate(map(io.read_table, verdicts)), asking.asked(settings))
    known = io.read_table(index) if settings["oracle"] == "index" else None
    io.write_table(rounds, progress.summary(judged, settings, known))
    chosen = io.concatenate(map(io.read_table, candidates)).drop(columns="reason")
    judged["feasible"] = asking.feasible(judged, settings)
    io.write_table(asked, chosen.merge(judged, on=["round", "replicate", "item"], how="left"))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
