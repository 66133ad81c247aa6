"""Files that belong to images by their names: masks, clean images."""

from pathlib import Path

from matlens.ingest.file_search import composed, found, item_name, printable, stem


def _closest(path: Path, masks: list[Path]) -> list[Path]:
    """Keep the masks whose folders share most parts with the image's folders: train/labels for train/images."""
    shared = [len(set(path.parent.parts) & set(mask.parent.parts)) for mask in masks]
    return [mask for mask, count in zip(masks, shared, strict=True) if count == max(shared)]


def matched(
    images: dict[Path, str], masks: str | None, option: str = "masks"
) -> dict[Path, tuple[str | None, str | None]]:
    """Find the mask of each image by relative name, or by stem in the nearest folder. Returns (mask, reason) by image.

    `images`: name of the item by path. `masks`: file, folder or glob; None: no image has one. Raises ValueError if none
    fits.
    """
    if masks is None:
        return dict.fromkeys(images, (None, None))
    noun = "clean image" if option == "clean" else "mask"
    root, paths = found(masks, option)
    by_name, by_stem = {}, {}
    for path in paths:
        by_name.setdefault(composed(item_name(path, root)), []).append(path)
        by_stem.setdefault(composed(stem(path)), []).append(path)
    pairs = {}
    for path, name in images.items():
        fitting = by_name.get(composed(name)) or _closest(path, by_stem.get(composed(stem(path)), []))
        if len(fitting) > 1:
            two = f"{printable(str(fitting[0]))} and {printable(str(fitting[1]))}"
            pairs[path] = (None, f"two {noun}s have its name: {two}; keep one")
        else:
            pairs[path] = (str(fitting[0]) if fitting else None, None)
    if not any(mask or reason for mask, reason in pairs.values()):
        examples = f"the first image is '{stem(next(iter(images)))}', the first {noun} '{stem(paths[0])}'"
        raise ValueError(f"{option} '{masks}': no {noun} has the name of an image; {examples}; rename them alike")
    return pairs


def shared(images: dict[Path, str], place: str | None, option: str) -> dict[Path, tuple[str | None, str | None]]:
    """Find the file of an option for each image; a single file serves all images. Returns (file, reason) by image."""
    if place and len(files := found(place, option)[1]) == 1:
        return dict.fromkeys(images, (str(files[0]), None))
    return matched(images, place, option)
