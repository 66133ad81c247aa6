"""Names in letters that the font of the figures lacks."""

import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from figures import style
from matlens.report import caption, letters
from matplotlib import font_manager

CHINESE, JAPANESE, GREEK = "钢_850度", "粒界", "γ′ Ni₃Al, Ångström"


@pytest.fixture(autouse=True)
def forgotten():
    letters.font_of.cache_clear()
    yield
    letters.font_of.cache_clear()


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


def test_the_font_of_the_figures_is_taken_where_it_has_all_letters():
    assert letters.font_of(GREEK) == letters.house_font() and letters.lacking(GREEK) == set()
    assert letters.lacking("a" + JAPANESE) == set(JAPANESE)


def test_an_installed_font_that_has_the_letters_is_taken(monkeypatch, tmp_path):
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    other = str(folder / "STIXGeneral.ttf")
    letter = "\u1d81"  # d with palatal hook: in that font, and in no DejaVu Sans
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    last = str(folder / "LastResortHE-Regular.ttf")  # has a box for every letter
    places = [last, other, str(folder / "cmr10.ttf"), str(tmp_path / "broken.ttf")]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: places)
    assert letters.font_of(letter) == other


def test_pictures_name_a_phase_by_its_number_where_no_font_can_write_it(monkeypatch, capsys):
    labels = np.array([[0, 1]], np.uint8).repeat(4, 0)
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    assert [name for name, _ in caption.legend(labels, ["matrix", JAPANESE], False)] == ["matrix", "phase 1"]
    assert f"no installed font has the letters of '{JAPANESE}'" in capsys.readouterr().err
    monkeypatch.setattr(letters, "font_of", lambda words: letters.house_font())
    assert caption.legend(labels, ["matrix", JAPANESE], False)[1][0] == JAPANESE
