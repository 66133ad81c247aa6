"""Letters of names that the font of the figures lacks, such as Chinese or Japanese ones."""

from functools import cache
from pathlib import Path


@cache
def house_font() -> str:
    """Return the path of the font of the figures, DejaVu Sans, which ships with matplotlib."""
    import matplotlib

    return str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))


@cache
def _letters(path: str) -> frozenset:
    """List the code points that a font file has."""
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(path).get_charmap())


def lacking(words: str) -> set[str]:
    """Return the letters of words that the font of the figures lacks."""
    known = _letters(house_font())
    return {letter for letter in words if letter.isprintable() and ord(letter) not in known}
