"""Files that belong to images by their names: masks, clean images."""

import re
from collections.abc import Iterable
from pathlib import Path

from matlens.ingest.file_search import composed, found, item_name, printable, stem

MARK = r"(?:(?:cp|ground)[ ._-]?)?(?:masks?|labels?|gt|truth|seg|segmentation|annotations?|rois?|roi[ _-]?sets?)"
MARKED = re.compile(rf"[ ._-]+{MARK}$|^{MARK}[ ._-]+", re.I)  # what names of masks have more than those of images

PICTURE = r"(?:images?|img|raw|orig|original|photo|micrograph)"  # what names of images may have in the place of it
PICTURED = re.compile(rf"[ ._-]+{PICTURE}$|^{PICTURE}[ ._-]+", re.I)


def separate(paths: list[Path], beside: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Part the files of a path into images and files beside them, such as masks in the same folder.

    If all files are beside others, as labels that are their own masks, all are images.
    """
    named = {file.absolute() for file in beside}
    if not named:
        return paths, []
    images = [path for path in paths if path.absolute() not in named]
    return (images, [path for path in paths if path.absolute() in named]) if images else (paths, [])


def unmarked(path: Path) -> str:
    """Name a file as its image: without the word mask, label, roiset, ... at its end or beginning."""
    return MARKED.sub("", composed(stem(path)))


def bare(name: str) -> list[str]:
    """Name an image as its mask may be named: without a word such as image, and with its folders (A/001: A_001)."""
    own = composed(name).casefold()
    forms = [PICTURED.sub("", own.rpartition("/")[2])]
    return [*forms, *(own.replace("/", mark) for mark in ("_", "-", " ") if "/" in own)]


def together(path: Path, other: Path) -> int:
    """Count the names that the folders of two files share."""
    return len(set(path.parent.parts) & set(other.parent.parts))


def closest(path: Path, masks: list[Path]) -> list[Path]:
    """Keep the files whose folders share most parts with those of an image: train/labels for train/images."""
    shared = [together(path, mask) for mask in masks]
    return [mask for mask, count in zip(masks, shared, strict=True) if count == max(shared)]


def in_doubt(file: Path, names: Iterable[str]) -> str:
    """Return the reason of images that one file fits equally well."""
    one, other = [printable(name) for name in names][:2]
    return (
        f"{printable(file.name)} fits '{one}' and '{other}' equally; put it into a folder named as that of its image, "
        "or, where it is of both, list the files in a table (sheet)"
    )


def _of_nearest(pairs: dict, images: dict[Path, str], root: Path, several: bool) -> dict:
    """Leave a mask to the image of its name, or in the nearest folder; others of the same stem have none.

    `several`: whether it may be of several that it fits equally, as a clean image is of a field at several doses.
    """
    users: dict[str, list[Path]] = {}
    for path, (mask, _) in pairs.items():
        if mask is not None:
            users.setdefault(mask, []).append(path)
    for mask, paths in users.items():
        if len(paths) < 2:
            continue
        own = composed(item_name(Path(mask), root))
        score = {path: (composed(images[path]) == own, together(path, Path(mask))) for path in paths}
        best = [path for path in paths if score[path] == max(score.values())]
        for path in paths:
            pairs[path] = (None, None)
        for path in best:
            names = list(dict.fromkeys(images[each] for each in best))  # one for a picture in two formats
            why = in_doubt(Path(mask), names) if len(names) > 1 and not several else None
            pairs[path] = (None, why) if why else (mask, None)
    return pairs


def matched(
    images: dict[Path, str], masks: str | None, option: str = "masks"
) -> dict[Path, tuple[str | None, str | None]]:
    """Find the mask of each image by relative name, or by stem in the nearest folder. Returns (mask, reason) by image.

    An image without a mask of its name gets that of its name with a usual word: `a_mask`, `a.label`, `GT a`, in letters
    of either case; `img_001` and `mask_001` fit, and so do `A/001` and `A_001`. A mask belongs to one image; the reason
    names two that it fits equally. A clean image may be that of several. `images`: name of the item by path. `masks`:
    file, folder or glob; None: no image has one. Raises ValueError if none fits.
    """
    if masks is None:
        return dict.fromkeys(images, (None, None))
    noun = "clean image" if option == "clean" else "mask"
    root, paths = found(masks, option)
    by_name, by_stem, by_word = {}, {}, {}
    for path in paths:
        by_name.setdefault(composed(item_name(path, root)), []).append(path)
        by_stem.setdefault(composed(stem(path)), []).append(path)
        by_word.setdefault(unmarked(path).casefold(), []).append(path)
    pairs, left = {}, by_word  # of masks that no image has by its whole name: x_mask is that of x, not of x_raw
    if option != "clean":
        whole = {composed(text).casefold() for path, name in images.items() for text in (stem(path), name)}
        left = {word: files for word, files in by_word.items() if word not in whole}
    for path, name in images.items():
        own = composed(stem(path))
        fitting = by_name.get(composed(name)) or closest(path, by_stem.get(own, []) or by_word.get(own.casefold(), []))
        fitting = fitting or closest(path, next((left[form] for form in bare(name) if form in left), []))
        if len(fitting) > 1:
            two = f"{printable(str(fitting[0]))} and {printable(str(fitting[1]))}"
            pairs[path] = (None, f"two {noun}s have its name: {two}; keep one")
        else:
            pairs[path] = (str(fitting[0]) if fitting else None, None)
    pairs = _of_nearest(pairs, images, root, option == "clean")
    if not any(mask or reason for mask, reason in pairs.values()):
        examples = f"the first image is '{stem(next(iter(images)))}', the first {noun} '{stem(paths[0])}'"
        raise ValueError(f"{option} '{masks}': no {noun} has the name of an image; {examples}; rename them alike")
    return pairs


def shared(images: dict[Path, str], place: str | None, option: str) -> dict[Path, tuple[str | None, str | None]]:
    """Find the file of an option for each image; a single file serves all images. Returns (file, reason) by image."""
    if place and len(files := found(place, option)[1]) == 1:
        return dict.fromkeys(images, (str(files[0]), None))
    return matched(images, place, option)
