"""Compare the predictions of a study on official folds with published models."""

from matlens.job import entry
from matlens.predict import matbench
from matlens.store import io


def main(
    index: str,
    predictions: list,
    methods: list,
    recorded: str | list,
    leaderboard: str,
    target: str,
    table: str,
    paired: str,
) -> None:
    """Write the table of models, the best first, and that of their differences fold by fold."""
    task = matbench.task_of(io.read_table(index)["item"], target)
    ours = dict(zip(methods, map(io.read_table, predictions), strict=True))
    known = io.read_json(recorded).get(task, {}) if recorded else {}
    found = matbench.benchmark(ours, task, known, io.read_csv(leaderboard))
    io.write_csv(table, found)
    io.write_csv(paired, matbench.paired(found))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
