"""Score the predictions of a study on clusters of unlike crystals."""

from matlens.job import entry
from matlens.predict import matbench
from matlens.store import io


def main(index: str, predictions: list, methods: list, reference: str, split: str, target: str, table: str) -> None:
    """Write the table of schemes and models, next to published in-distribution errors."""
    task = matbench.task_of(io.read_table(index)["item"], target)
    ours = dict(zip(methods, map(io.read_table, predictions), strict=True))
    io.write_csv(table, matbench.ood(ours, task, split, io.read_csv(reference)))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
