"""Rank the candidates of a study by their predicted properties."""

from functools import partial

from matlens import registry, screen
from matlens.job import entry
from matlens.screen import criteria, reference, shortlist, values
from matlens.store import io


def main(
    tables: list,
    predictions: list,
    index: str,
    method: str,
    options: dict,
    settings: dict,
    ranked: str,
    excluded: str,
    screened: str,
    lost: list = (),
) -> None:
    """Write the shortlist, the excluded with the first criterion that each fails, or its rank, and all values."""
    score = partial(registry.call, registry.load(screen.METHODS, method), options=options)
    rows, asked = io.read_table(index), settings["properties"]
    learned = io.read_table(predictions[0]) if predictions else None
    found = values.gathered(map(io.read_table, tables), learned, settings["target"], rows, asked)
    known = reference.known(settings["reference"])
    rejected = {str(item) for path in lost for item in io.read_table(path)["item"]}
    made, out = shortlist.make(found, rows, settings, score, known, rejected)
    print(shortlist.counted(made, out))
    io.write_table(ranked, made)
    io.write_table(excluded, out)
    io.write_table(screened, criteria.table(found, asked))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
