"""Find the tie lines of a phase diagram."""

from matlens import door, io
from matlens.validate import diagram


def main(settings: dict, table: str) -> None:
    """Write the ends of all tie lines."""
    io.write_table(table, diagram.tie_lines(**settings))


if __name__ == "__main__":
    door.pin_hashes()
    door.run(main, globals().get("snakemake"))
