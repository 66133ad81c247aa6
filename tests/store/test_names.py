"""Names of folders for items, whatever the items are called."""

import random
import subprocess

import pytest
from matlens.store import names

HOSTILE = [
    "$(touch pwned)", "`touch pwned`", "a b'c\"d", "-rf", "--help", "<script>alert(1)</script>", "новый μm", "x" * 300,
    ";ls|&", "nan", "../../etc/passwd", "/etc/passwd", "..", ".", "", " ", "a\nb", "a\r\nb", "a\tb", "a\0b", "con.",
    "~root", "*", "a?b", "{a,b}", "a\\b", "a%20b", "'; drop table x; --", "\x1b[31mred", "\ud800", "日本",
    "#SBATCH --uid=0", "é", "e\u0301",
]  # fmt: skip


def words(count: int) -> list[str]:
    """Draw names from the characters that shells, paths, HTML and terminals mind."""
    rng = random.Random(0)
    letters = list(" \t\n\r\0'\"`$(){}[]<>|&;*?!~#%^=+,:@\\/.-_aZ09é日\u202e\x1b\ud83d")
    return ["".join(rng.choices(letters, k=rng.randint(0, 300))) for _ in range(count)]


def test_every_name_gives_a_folder_of_its_own_that_no_shell_and_no_path_minds():
    found = {}
    for item in dict.fromkeys([*HOSTILE, *words(2000)]):
        name = names.slug(item, frozenset({"handoffs"}))
        assert names.SAFE.fullmatch(name)
        assert len(name) <= names.LONGEST
        assert name not in ("", ".", "..", "handoffs")
        assert found.setdefault(name, item) == item, "two items, one folder"
        assert names.slug(item, frozenset({"handoffs"})) == name


@pytest.mark.parametrize("item", HOSTILE)
def test_a_shell_takes_the_name_of_a_folder_for_one_plain_word(item, tmp_path):
    name = names.slug(item)
    done = subprocess.run(f"printf %s {name}", shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == name
    assert not list(tmp_path.iterdir())


def test_a_plain_name_is_kept_and_one_that_looks_made_is_made_anew():
    assert names.slug("mp-1234_NiAl.cif") == "mp-1234_NiAl.cif"
    made = names.slug("a b")
    assert names.slug(made) != made
