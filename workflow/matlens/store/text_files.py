"""What a text says of itself by its beginning: its encoding by a byte order mark, and what separates its cells."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def encoding(data: bytes, otherwise: str = "utf-8-sig") -> str:
    """Name the encoding of a text by its first bytes: UTF-16 by its mark, else `otherwise`."""
    return "utf-16" if data[:2] in UTF_16 else otherwise


def delimiter_of(first: str) -> str:
    """Tell what separates the cells of a header: comma (where there is but one column, too), tab or semicolon."""
    return max(",\t;", key=first.count)
