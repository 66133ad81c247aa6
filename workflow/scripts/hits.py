"""Score the predictions of a study as screenings."""

from matlens import columns
from matlens.job import entry
from matlens.predict import hits
from matlens.store import io


def main(predictions: list, index: str, methods: list, wish: dict, table: str) -> None:
    """Write the hits among the best candidates of every method."""
    among = hits.candidates(io.read_table(index), wish["among"])[columns.ITEM] if wish["among"] else None
    ours = dict(zip(methods, map(io.read_table, predictions), strict=True))
    io.write_csv(table, hits.table(ours, wish, among=among))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
