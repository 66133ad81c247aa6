"""Draw overlays of chosen items out of the arrays of their shards."""

from bisect import bisect_right

from matlens.report import caption, overlay
from matlens.store import io


def read(path: str, key: int) -> tuple:
    """Read one item of a shard: its (middle) image and its attributes; (None, {}) if absent.

    The attribute `aspect` is the length of a pixel of that image along y over that along x.
    """
    with io.read_arrays(path) as arrays:
        if key not in list(arrays):
            return None, {}
        attrs, whole = arrays.attrs(key), arrays.shape(key)
        thin = overlay.plane(arrays.thinned(key, overlay.LARGE_PX))
        step = [whole[at] / thin.shape[at] for at in (-2, -1)]  # every n-th pixel stands for n
        attrs["aspect"] = step[0] / step[1] * io.spacing_ratio(attrs, attrs["axes"])[-2]
        if attrs["pixel_size_um"]:
            attrs["pixel_size_um"] *= step[1]
        return thin, attrs


def main_values(table, items: dict[str, int]) -> dict[int, float]:
    """Return the main numbers of a table of measures by the key of their item; {} without a table."""
    values = overlay.by_item(table) if table is not None else {}
    return {items[item]: value for item, value in values.items() if item in items}


def draw(keys: list[int], total: int, images: list, labels: list, truth: list, phases: list, width_px: int) -> dict:
    """Draw labels over the images of some items; returns the files of the pictures by name.

    keys: items, of `total` in the study. images, labels, truth: paths of the arrays, one per shard.
    """
    edges, pictures = [total * (shard + 1) // len(images) for shard in range(len(images))], {}
    for key in keys:
        shard = bisect_right(edges, key)
        marks, _ = read(labels[shard], key)
        if marks is None:
            continue
        pixels, attrs = read(images[shard], key)
        true, _ = read(truth[shard], key)
        grey = overlay.stretched(io.unit_interval(pixels, attrs))
        picture = overlay.paint(grey, marks, true, width_px=width_px, aspect=attrs["aspect"])
        legend = caption.legend(marks, list(phases), true is not None)
        pictures |= overlay.files(key, caption.add(picture, legend, pixels.shape[1], attrs["pixel_size_um"]))
    return pictures
