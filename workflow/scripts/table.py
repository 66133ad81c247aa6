"""Concatenate the tables of several methods into one CSV file."""

from matlens import columns
from matlens.job import entry
from matlens.store import io


def main(tables: list, methods: list, table: str) -> None:
    """Write one CSV file, with the method as its first column."""
    frames = [io.read_table(path) for path in tables]
    for frame, method in zip(frames, methods, strict=True):
        frame.insert(0, columns.METHOD, method)
    found = io.concatenate(frames)
    # Where only some items have frames, the column would stand last, and their rows look the same.
    leading = [name for name in (columns.METHOD, columns.ITEM, columns.FRAME) if name in found]
    first = leading if columns.FRAME in leading else []
    io.write_csv(table, found[[*first, *(name for name in found if name not in first)]])


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
