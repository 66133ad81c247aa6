"""MRC files from the public description of their header: numbers, byte order, axes, bytes with and without sign."""

import struct

import numpy as np
import pytest
from matlens.ingest import readers
from matlens.job.batch import BadItem

MODES = {"i1": 0, "u1": 0, "i2": 1, "f4": 2, "c8": 4, "u2": 6, "f2": 12}
IMOD, SIGNED = 1146047817, 1
MACHINE = {"<": b"\x44\x44\0\0", ">": b"\x11\x11\0\0"}


def mrc(path, volume, order="<", mode=None, cell=None, samples=None, axes=(1, 2, 3), flags=None, largest=0.0):
    """Write a volume (z, y, x). `cell`: its edges in angstrom; `axes`: of columns, rows, slices; `flags`: of IMOD."""
    counts = volume.shape[::-1]
    head = bytearray(1024)
    mode = MODES[volume.dtype.str[1:]] if mode is None else mode
    struct.pack_into(order + "10i", head, 0, *counts, mode, 0, 0, 0, *(samples or counts))
    struct.pack_into(order + "6f3i", head, 40, *(cell or [2.0 * n for n in counts]), 90, 90, 90, *axes)
    struct.pack_into(order + "3f2i", head, 76, 0.0, largest, 0.0, 1, 0)
    if flags is not None:
        struct.pack_into(order + "2i", head, 152, IMOD, flags)
    head[208:216] = b"MAP " + MACHINE[order]
    path.write_bytes(bytes(head) + volume.astype(volume.dtype.newbyteorder(order)).tobytes())


def read(path):
    return readers.read(str(path), max_pixels=2**28)


def volume(kind):
    rng, kind = np.random.default_rng(0), np.dtype(kind)
    if kind.kind in "iu":
        return rng.integers(np.iinfo(kind).min, np.iinfo(kind).max, (4, 30, 41), kind, endpoint=True)
    return rng.normal(size=(4, 30, 41)).astype(kind)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["i1", "i2", "f4", "u2", "f2"])
def test_numbers_of_both_byte_orders(tmp_path, order, kind):
    mrc(tmp_path / "a.mrc", volume(kind), order, cell=(41 * 1.5, 30 * 2.5, 4 * 7.0))
    found = read(tmp_path / "a.mrc")
    assert np.array_equal(found.pixels, volume(kind)) and found.pixels.dtype == np.dtype(kind)
    assert found.axes == "zyx" and found.spacing_um == pytest.approx((7e-4, 2.5e-4, 1.5e-4))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("flags", "largest", "kind"),
    [(0, 0.0, "u1"), (SIGNED, 0.0, "i1"), (SIGNED, 255.0, "i1"), (None, 0.0, "i1"), (None, 255.0, "u1")],
)
def test_bytes_are_unsigned_where_imod_or_the_largest_value_says_so(tmp_path, order, flags, largest, kind):
    """Bytes above 127 would else be negative: white darker than black."""
    mrc(tmp_path / "a.mrc", volume(kind), order, flags=flags, largest=largest)
    found = read(tmp_path / "a.mrc")
    assert np.array_equal(found.pixels, volume(kind)) and found.pixels.dtype == np.dtype(kind)


def test_edges_of_the_cell_are_those_of_the_axes_along_which_columns_rows_and_slices_lie(tmp_path):
    edges = {"cell": (4 * 7.0, 30 * 2.5, 41 * 1.5), "samples": (4, 30, 41)}
    mrc(tmp_path / "a.mrc", volume("f4"), axes=(3, 2, 1), **edges)
    assert read(tmp_path / "a.mrc").spacing_um == pytest.approx((7e-4, 2.5e-4, 1.5e-4))
    mrc(tmp_path / "b.mrc", volume("f4"), axes=(0, 0, 0))  # not stated
    assert read(tmp_path / "b.mrc").spacing_um == pytest.approx((2e-4, 2e-4, 2e-4))


@pytest.mark.parametrize(
    ("mode", "reason"), [(3, "complex"), (4, "complex"), (16, "colours"), (101, "4 bits"), (77, "no known numbers")]
)
def test_modes_that_are_no_grey_values_are_named(tmp_path, mode, reason):
    mrc(tmp_path / "a.mrc", volume("f4"), mode=mode)
    with pytest.raises(BadItem, match=f"MRC mode is {mode}, .*{reason}"):
        read(tmp_path / "a.mrc")


def test_a_header_of_a_huge_volume_allocates_nothing(tmp_path):
    mrc(tmp_path / "a.mrc", volume("f4"))
    raw = (tmp_path / "a.mrc").read_bytes()
    (tmp_path / "a.mrc").write_bytes(struct.pack("<3i", 100000, 100000, 100000) + raw[12:])
    with pytest.raises(BadItem, match="does not fit the file"):
        read(tmp_path / "a.mrc")
