"""Text files of Windows are recognised by their first bytes."""

import pytest
from matlens.store import text_files


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_is_read_in_what_it_was_written_in(code):
    data = "Å Ni3Al".encode(code)
    assert data.decode(text_files.encoding(data)) == "Å Ni3Al"


def test_what_bears_no_mark_is_what_the_caller_says():
    data = "Å".encode("latin-1")
    assert data.decode(text_files.encoding(data, "latin-1")) == "Å"
    assert text_files.encoding(b"") == "utf-8-sig"
    assert text_files.encoding("Å".encode("utf-16-be")) == "utf-8-sig"  # without its mark
    assert text_files.encoding(b"\xfe\xff\x00N") == "utf-16"
