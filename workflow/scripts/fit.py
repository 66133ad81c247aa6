"""Fit a thermodynamic database to the energies of ordered and quasi-random alloys."""

from matlens import columns, fit, registry
from matlens.job import entry
from matlens.store import io


def main(
    index: str, properties: str, method: str, options: dict, database: str, cells: str, transitions: str, samples: str
) -> None:
    """Write the database, the energies behind it beside the fitted ones, and the transitions that it predicts."""
    table = io.read_table(properties)
    energies = table[table["property"] == "formation_energy_ev_per_atom"].set_index(columns.ITEM)["predicted"]
    offered = {"index": io.read_table(index), "energies": energies}
    found = registry.call(registry.load(fit.METHODS, method), offered, options)
    io.write_text(database, found.database)
    io.write_table(cells, found.cells)
    io.write_table(transitions, found.transitions)
    io.write_json(samples, found.samples)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
