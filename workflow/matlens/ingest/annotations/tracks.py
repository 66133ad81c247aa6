"""Numbers of the tracks of a file of objects, the same in all its images and frames."""

from collections.abc import Iterable
from dataclasses import replace

from matlens.ingest.annotations import Page

LARGEST = 2**31 - 1  # number of an object in a region map
NONE = (None, -1, "", "-1")  # an object without a track


def numbers_of(given: Iterable) -> dict:
    """Return the number of every track, from 1, by its name in a file.

    Whole numbers stay as they are, or are raised by one if one of them is 0, the background of a region map. If any is
    a word, negative or too large, the tracks are numbered in their order.
    """
    names = [name for name in dict.fromkeys(given) if name not in NONE]
    read = [int(name) if isinstance(name, str) and name.strip().isdecimal() else name for name in names]
    if all(isinstance(one, (int, float)) and one % 1 == 0 and 0 <= one < LARGEST for one in read):
        first = int(0 in read)
        return {name: int(one) + first for name, one in zip(names, read, strict=True)}
    return {name: number for number, name in enumerate(names, start=1)}


def numbered(pages: Iterable[Page]) -> tuple[Page, ...]:
    """Return pages whose objects have the numbers of their tracks, None without one."""
    pages = list(pages)
    numbers = numbers_of(shape.number for page in pages for shape in page.shapes)
    return tuple(
        replace(page, shapes=tuple(replace(one, number=numbers.get(one.number)) for one in page.shapes))
        for page in pages
    )
