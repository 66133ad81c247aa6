"""Texts that begin with a byte order mark, as Windows writes them."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def encoding(data: bytes, otherwise: str = "utf-8-sig") -> str:
    """Name the encoding of a text by its first bytes: UTF-16 by its mark, else `otherwise`."""
    return "utf-16" if data[:2] in UTF_16 else otherwise
