"""Letters of names that the font of the figures lacks, such as Chinese or Japanese ones."""

import sys
from functools import cache
from pathlib import Path

LAST_RESORT = "lastresort"  # a font that draws a box for every letter


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


def lacking(words: str, path: str | None = None) -> set[str]:
    """Return the letters that a font lacks; the font of the figures if `path` is None."""
    known = _letters(path or house_font())
    return {letter for letter in words if letter.isprintable() and ord(letter) not in known}


@cache
def font_of(words: str) -> str | None:
    """Return the path of a font with all letters of `words`: that of the figures or an installed one; or None.

    Of several installed fonts the first by path is taken, so that a picture is the same again on the same machine.
    """
    if not lacking(words):
        return house_font()
    from matplotlib import font_manager

    for path in sorted(font_manager.findSystemFonts()):
        try:
            if LAST_RESORT not in path.lower() and not lacking(words, path):
                return path
        except (OSError, RuntimeError, ValueError):  # a font that cannot be read
            continue
    _report(words)
    return None


def _report(words: str) -> None:
    """Write to the log that no installed font has the letters of a name."""
    print(
        f"no installed font has the letters of {words!r}; pictures name it by its number. Install a font that has them "
        "(Debian: fonts-noto-cjk), or name the phase in Latin letters",
        file=sys.stderr,
    )
