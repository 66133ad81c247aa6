"""Files of settings: documents that would fill the memory are refused, and every key has its line."""

import pytest
from matlens.store import yaml_files

LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "more than 200000 values once its aliases"),
        ("a: &a [1, *a]\n", "recursive"),
        ("a: &a {b: *a}\n", "recursive"),
        ("a: " + "[" * 100_000 + "]" * 100_000, "nested more than 100 levels deep"),
        ("{a: " * 500, "nested more than 100 levels deep"),
    ],
)
def test_yaml_that_would_fill_the_memory_or_overflow_the_stack_is_refused(tmp_path, text, says):
    (tmp_path / "bomb.yaml").write_text(text)
    with pytest.raises(yaml_files.StudyError, match=says):
        yaml_files.read_yaml(tmp_path / "bomb.yaml")


def test_an_alias_may_save_a_user_some_words(tmp_path):
    (tmp_path / "a.yaml").write_text("a: &same {b: [1, 2]}\nc: *same\nd: {<<: *same, e: 3}\n")
    found = yaml_files.read_yaml(tmp_path / "a.yaml")[0]
    assert found["c"] == {"b": [1, 2]}
    assert found["d"] == {"b": [1, 2], "e": 3}


@pytest.mark.parametrize(
    ("key", "line"),
    [("a", 1), ("a.b", 2), ("a.b.1", 4), ("a.b.1.c", 4), ("a.nothing.there", 1), ("a.b.c", 2), ("d", 5), ("none", 1)],
)
def test_the_place_of_a_key_is_as_deep_as_it_can_be_followed(tmp_path, key, line):
    path = tmp_path / "a.yaml"
    path.write_text("a:\n  b:\n    - 1\n    - {c: 2}\nd: 3\n")
    assert yaml_files.place(path, key.split(".")) == f"{path}:{line}"
