"""Find the tie lines of a phase diagram."""

from matlens.job import entry
from matlens.store import io
from matlens.validate import diagram


def main(settings: dict, table: str) -> None:
    """Write the ends of all tie lines."""
    io.write_table(table, diagram.tie_lines(**settings))


if __name__ == "__main__":
    entry.pin_hashes()
    entry.run(main, globals().get("snakemake"))
