"""Find the tie lines of a phase diagram, and the band of its boundaries."""

import sys

from matlens.job import entry
from matlens.store import io
from matlens.validate import band as bands
from matlens.validate import diagram


def main(settings: dict, fitted: list, samples: list, table: str, band: str) -> None:
    """Write the ends of all tie lines, and their range over the refits of databases; remarks also go to the log."""
    refits = settings.pop("refits")
    made = diagram.tie_lines(**settings)
    for note in sorted(set(made["note"]) - {""}):
        print(note, file=sys.stderr)
    io.write_table(table, made)
    texts = {path: io.read_json(own)[:refits] for path, own in zip(fitted, samples, strict=True)}
    io.write_table(band, bands.band(**settings, samples=texts))


if __name__ == "__main__":
    entry.pin_hashes()
    entry.run(main, globals().get("snakemake"))
