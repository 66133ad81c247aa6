"""Names in letters that the font of the figures lacks."""

import re

from figures import style
from matlens.report import letters

CHINESE, JAPANESE, GREEK = "钢_850度", "粒界", "γ′ Ni₃Al, Ångström"


def drawn(*names: str) -> str:
    with style.context():
        figure, axes = style.panels(1, 1)
        axes[0, 0].plot([0, 1], [0, 1], label=names[0])
        axes[0, 0].set(xticks=[0, 1], xticklabels=[style.text(names[-1])] * 2)
        axes[0, 0].legend()
        return style.svg(figure)


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_figures_write_such_names_as_text_and_all_others_as_outlines(capsys):
    assert texts(drawn(GREEK)) == [] and capsys.readouterr().err == ""
    svg = drawn(CHINESE, JAPANESE)
    assert sorted(texts(svg)) == sorted([CHINESE, JAPANESE, JAPANESE])
    assert svg == drawn(CHINESE, JAPANESE), "the same bytes again"
    assert CHINESE in capsys.readouterr().err


def test_letters_that_the_font_lacks():
    assert letters.lacking(GREEK) == set() and letters.lacking("a" + JAPANESE) == set(JAPANESE)
