"""Draw the labels of some items over their images."""

from bisect import bisect_right

from matlens import columns
from matlens.job import entry
from matlens.report import overlay
from matlens.store import io


def _get(path: str, key: int) -> tuple:
    """Read one item of a shard: its (middle) image and its attributes, or (None, {}) when it is not there."""
    with io.read_arrays(path) as arrays:
        if key not in list(arrays):
            return None, {}
        return overlay.plane(arrays.thinned(key, overlay.LARGE_PX)), arrays.attrs(key)


def main(
    images: list, labels: list, truth: list, plan: str, index: str, most: int, width_px: int, overlays: str
) -> None:
    """Write a zip of pictures: `{key}.png`, and `{key}.large.jpg` and `{key}.thumb.jpg` for the report.

    The items are the same for every method: `most` of those that could be read, evenly spread.
    """
    keys, total = io.read_table(index)[columns.KEY].tolist(), len(io.read_table(plan))
    edges, made = [total * (shard + 1) // len(images) for shard in range(len(images))], {}
    for key in (keys[position] for position in overlay.spread(len(keys), most)):
        shard = bisect_right(edges, key)
        marks, _ = _get(labels[shard], key)
        if marks is None:
            continue
        pixels, attrs = _get(images[shard], key)
        true, _ = _get(truth[shard], key)
        picture = overlay.paint(io.unit_interval(pixels, attrs), marks, true, width_px=width_px)
        made |= overlay.files(key, picture)
    io.write_bytes_zip(overlays, made)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
