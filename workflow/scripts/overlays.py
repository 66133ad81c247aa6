"""Draw the labels of some items over their images."""

from bisect import bisect_right

from matlens import columns
from matlens.job import entry
from matlens.report import caption, overlay
from matlens.store import io


def _get(path: str, key: int) -> tuple:
    """Read one item of a shard: its (middle) image and its attributes, or (None, {}) when it is not there."""
    with io.read_arrays(path) as arrays:
        if key not in list(arrays):
            return None, {}
        attrs, whole = arrays.attrs(key), arrays.shape(key)
        thin = overlay.plane(arrays.thinned(key, overlay.LARGE_PX))
        if attrs["pixel_size_um"]:  # every n-th pixel stands for n
            attrs["pixel_size_um"] *= whole[-1] / thin.shape[-1]
        return thin, attrs


def _values(table: str | list, items: dict[str, int]) -> dict[int, float]:
    """Read the main numbers of a table by the key of their item; none without a table."""
    found = overlay.by_item(io.read_table(table)) if table else {}
    return {items[item]: value for item, value in found.items() if item in items}


def main(
    images: list,
    labels: list,
    truth: list,
    plan: str,
    index: str,
    most: int,
    width_px: int,
    overlays: str,
    phases: list = (),
    table: str | list = (),
) -> None:
    """Write a zip of pictures: `{key}.png`, and `{key}.large.jpg` and `{key}.thumb.jpg` for the report.

    The items are the same for every method: the extremes of `table`, a table of measures, and others at random.
    """
    listed, total = io.read_table(index), len(io.read_table(plan))
    keys = listed[columns.KEY].tolist()
    values = _values(table, dict(zip(listed[columns.ITEM], keys, strict=True)))
    edges, made = [total * (shard + 1) // len(images) for shard in range(len(images))], {}
    for key in overlay.chosen(keys, values, most):
        shard = bisect_right(edges, key)
        marks, _ = _get(labels[shard], key)
        if marks is None:
            continue
        pixels, attrs = _get(images[shard], key)
        true, _ = _get(truth[shard], key)
        grey = overlay.stretched(io.unit_interval(pixels, attrs))
        picture = overlay.paint(grey, marks, true, width_px=width_px)
        entries = caption.legend(marks, list(phases), true is not None)
        made |= overlay.files(key, caption.add(picture, entries, pixels.shape[1], attrs["pixel_size_um"]))
    io.write_bytes_zip(overlays, made)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
