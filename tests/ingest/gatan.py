"""Write DigitalMicrograph files, DM3 and DM4, in either byte order, from the public description of their tags."""

import struct

import numpy as np

CODES = {2: "h", 3: "i", 4: "H", 5: "I", 6: "f", 7: "d", 8: "B", 9: "b", 10: "B", 11: "q", 12: "Q"}
KINDS = {"i1": 9, "i2": 2, "i4": 3, "u1": 10, "u2": 4, "u4": 5, "f4": 6, "f8": 7}  # of elements of arrays
TYPES = {"i1": 9, "i2": 1, "i4": 7, "u1": 6, "u2": 10, "u4": 11, "f4": 2, "f8": 12, "c8": 3, "c16": 13}  # of images
RGB = 23


class Writer:
    """Bytes of tags. `version`: 3 or 4; `order`: "<" or ">", the byte order of values; headers are big-endian."""

    def __init__(self, version: int = 3, order: str = "<"):
        self.version, self.order, self.size = version, order, "i" if version == 3 else "q"

    def group(self, *tags: bytes) -> bytes:
        return struct.pack(f">BB{self.size}", 1, 0, len(tags)) + b"".join(tags)

    def tag(self, name: str, kind: int, body: bytes) -> bytes:
        length = struct.pack(">q", len(body)) if self.version == 4 else b""
        return struct.pack(">BH", kind, len(name)) + name.encode() + length + body

    def inner(self, name: str, *tags: bytes) -> bytes:
        return self.tag(name, 20, self.group(*tags))

    def data(self, name: str, info: list[int], body: bytes) -> bytes:
        return self.tag(name, 21, b"%%%%" + struct.pack(f">{len(info) + 1}{self.size}", len(info), *info) + body)

    def number(self, name: str, kind: int, value) -> bytes:
        return self.data(name, [kind], struct.pack(self.order + CODES[kind], value))

    def text(self, name: str, text: str) -> bytes:
        coded = text.encode("utf-16-le" if self.order == "<" else "utf-16-be")
        return self.data(name, [20, 4, len(coded) // 2], coded)

    def pixels(self, image: np.ndarray) -> bytes:
        """Write the array of an image; complex numbers are an array of structures, colours (y, x, 3) are BGRA."""
        if image.dtype.kind == "c":
            part = {8: 6, 16: 7}[image.itemsize]
            values = image.astype(image.dtype.newbyteorder(self.order)).tobytes()
            return self.data("Data", [20, 15, 0, 2, 0, part, 0, part, image.size], values)
        if image.ndim == 3 and image.dtype == np.uint8 and image.shape[-1] == 3:
            red, green, blue = np.moveaxis(image.astype(np.uint32), -1, 0)
            packed = (red << 16) | (green << 8) | blue
            return self.data("Data", [20, 5, packed.size], packed.astype(self.order + "u4").tobytes())
        kind = KINDS[image.dtype.str[1:]]
        values = image.astype(image.dtype.newbyteorder(self.order)).tobytes()
        return self.data("Data", [20, kind, image.size], values)

    def image(self, image: np.ndarray, axes: list[tuple], *more: bytes) -> bytes:
        """Write an entry of the list of images. `axes`: (scale, unit) along x, y, ..."""
        colour = image.ndim == 3 and image.dtype == np.uint8 and image.shape[-1] == 3
        shape = image.shape[:-1] if colour else image.shape
        steps = [
            self.inner("", self.number("Origin", 6, 0.0), self.number("Scale", 6, s), self.text("Units", u))
            for s, u in axes
        ]
        bright = self.inner("Brightness", self.number("Scale", 6, 1.0), self.text("Units", ""))
        parts = self.inner(
            "ImageData",
            self.inner("Calibrations", bright, self.inner("Dimension", *steps)),
            self.pixels(image),
            self.number("DataType", 5, RGB if colour else TYPES[image.dtype.str[1:]]),
            self.inner("Dimensions", *(self.number("", 5, n) for n in shape[::-1])),
            self.number("PixelDepth", 5, 4 if colour else image.itemsize),
        )
        return self.inner("", parts, *more)

    def write(self, path, *images: bytes, thumbnails=(), more=()) -> None:
        """Write a file of images; `thumbnails`: their places in the list; `more`: further tags of the root."""
        small = [self.inner("", self.number("ImageIndex", 5, n)) for n in thumbnails]
        root = self.group(
            self.data("Corners", [20, 15, 0, 2, 0, 3, 0, 3, 2], struct.pack(self.order + "4i", 1, 2, 3, 4)),
            self.data("Box", [15, 0, 3, 0, 7, 0, 2, 0, 8], struct.pack(self.order + "dhB", 1.5, 2, 1)),
            self.inner("ImageList", *images),
            self.inner("Thumbnails", *small),
            self.number("HasWindowPosition", 8, 1),
            *more,
        )
        head = struct.pack(f">i{self.size}i", self.version, len(root), int(self.order == "<"))
        path.write_bytes(head + root + b"\0" * 8)
