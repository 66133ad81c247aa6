"""Compute energies above the convex hull of all crystals of a study."""

import pandas as pd
from matlens import columns
from matlens.crystal import compositions, element_references
from matlens.job import entry
from matlens.predict import properties
from matlens.store import io


def main(tables: list, index: str, elements: str, predictions: str, rejected: str) -> None:
    """Write all rows of the potential, and beside them the formation energy and the energy above the hull.

    No item is lost: elements without a reference are named beside the rows they leave empty.
    """
    found = io.concatenate([io.read_table(path) for path in tables])
    energy = found[found["property"] == properties.RELAXED[0]].set_index(columns.ITEM)["predicted"].sort_index()
    formulas = io.read_table(index).set_index(columns.ITEM)["formula"].reindex(energy.index)
    numbers, fractions = compositions.parse(formulas.astype(str).tolist())
    known = element_references.read(elements)
    rows = properties.stability(energy.index.to_numpy(), numbers, fractions, energy.to_numpy(float), known)
    io.write_table(predictions, io.concatenate([found, pd.DataFrame(rows, columns=list(properties.COLUMNS))]))
    io.write_rejected(rejected, [])


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
