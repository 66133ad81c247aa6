"""Write the predictions of a method on official folds as Matbench records them."""

from matlens.job import entry
from matlens.predict import matbench
from matlens.store import io


def main(predictions: str, method: str, options: dict | None, target: str, record: str) -> None:
    """Write one JSON file, which Matbench reads."""
    found = io.read_table(predictions)
    task = matbench.task_of(found["item"], target)
    io.write_json(record, matbench.record(found, task, f"matlens {method}", options or {}))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
