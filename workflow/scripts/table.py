"""Stack the tables of several methods into one that people open."""

from matlens import columns, door, io


def main(tables: list, methods: list, table: str) -> None:
    """Write one CSV file, with the method as its first column."""
    frames = [io.read_table(path) for path in tables]
    for frame, method in zip(frames, methods, strict=True):
        frame.insert(0, columns.METHOD, method)
    io.write_csv(table, io.concatenate(frames))


if __name__ == "__main__":
    door.run(main, globals().get("snakemake"))
