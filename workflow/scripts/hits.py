"""Score the predictions of a study as screenings."""

from matlens.job import entry
from matlens.predict import hits
from matlens.store import io


def main(predictions: list, methods: list, wish: dict, table: str) -> None:
    """Write the hits among the best candidates of every method."""
    io.write_csv(table, hits.table(dict(zip(methods, map(io.read_table, predictions), strict=True)), wish))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
