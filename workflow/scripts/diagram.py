"""Find the tie lines of a phase diagram."""

import sys

from matlens.job import entry
from matlens.store import io
from matlens.validate import diagram


def main(settings: dict, table: str) -> None:
    """Write the ends of all tie lines; remarks on a database also go to the log."""
    made = diagram.tie_lines(**settings)
    for note in sorted(set(made["note"]) - {""}):
        print(note, file=sys.stderr)
    io.write_table(table, made)


if __name__ == "__main__":
    entry.pin_hashes()
    entry.run(main, globals().get("snakemake"))
