"""Compare measured phase fractions with those at equilibrium."""

from matlens.job import entry
from matlens.store import io
from matlens.validate import bridge


def main(measured: list, methods: list, index: str, settings: dict, table: str, equilibria: str) -> None:
    """Write the comparison, and the equilibria behind it."""
    tables = {method: io.read_table(path) for method, path in zip(methods, measured, strict=True)}
    made, found = bridge.bridge(tables, io.read_table(index), **settings)
    io.write_table(table, made)
    io.write_table(equilibria, found)


if __name__ == "__main__":
    entry.pin_hashes()
    entry.run(main, globals().get("snakemake"))
