"""Keep a picture of the first frame of some items, to draw detections over it."""

from matlens.detect import pictures
from matlens.job import entry
from matlens.store import io


def main(index: str, images: list, pictures_zip: str) -> None:
    """Write a PNG per item into a zip archive, named by the key of the item."""
    io.write_bytes_zip(pictures_zip, pictures.kept(io.read_table(index), images))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
