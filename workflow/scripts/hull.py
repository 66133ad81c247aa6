"""Put the energies of all crystals of a study on one convex hull."""

import pandas as pd
from matlens import columns
from matlens.crystal import compositions, element_references
from matlens.job import entry
from matlens.predict import properties
from matlens.store import io


def main(tables: list, index: str, elements: str, method: str, predictions: str, rejected: str) -> None:
    """Write all rows of the potential, and beside them the formation energy and the energy above the hull."""
    found = io.concatenate([io.read_table(path) for path in tables])
    energy = found[found["property"] == properties.RELAXED[0]].set_index(columns.ITEM)["predicted"].sort_index()
    formulas = io.read_table(index).set_index(columns.ITEM)["formula"].reindex(energy.index)
    numbers, fractions = compositions.parse(formulas.astype(str).tolist())
    known = element_references.read(elements)
    items, values = energy.index.to_numpy(), energy.to_numpy(float)
    rows, lost = properties.stability(items, numbers, fractions, values, known, f"predict/{method}")
    io.write_table(predictions, io.concatenate([found, pd.DataFrame(rows, columns=list(properties.COLUMNS))]))
    io.write_rejected(rejected, lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
