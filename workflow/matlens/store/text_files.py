"""Detect the encoding (byte order mark) and the delimiter of a text file."""

LFS = "version https://git-lfs.github.com/"  # begins a file that stands for another one
NOT_FETCHED = "a pointer of Git LFS, and the file it stands for was not fetched; run git lfs pull where it comes from"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def encoding(data: bytes, otherwise: str = "utf-8-sig") -> str:
    """Detect the encoding of a text from its byte order mark: UTF-16, else `otherwise`."""
    return "utf-16" if data[:2] in UTF_16 else otherwise


def delimiter_of(first: str) -> str:
    """Detect the delimiter of a header line: comma (also for a single column), tab, semicolon or bar."""
    return max(",\t;|", key=first.count)
