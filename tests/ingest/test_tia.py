"""TIA series (.ser) of both versions, and the .emi file that describes several of them."""

import struct

import numpy as np
import pytest
from matlens.ingest import readers
from matlens.job.batch import BadItem

IMAGES, SPECTRA, TIME = 0x4122, 0x4120, 0x4152
CODES = {"u1": 1, "u2": 2, "u4": 3, "i1": 4, "i2": 5, "i4": 6, "f4": 7, "f8": 8}


def element(frame: np.ndarray, step_m: tuple[float, float]) -> bytes:
    """Write one image, from its lowest row, or one spectrum. `step_m`: along x and y."""
    kind = CODES[frame.dtype.str[1:]]
    if frame.ndim == 1:
        return struct.pack("<ddihi", 0, step_m[0], 0, kind, len(frame)) + frame.tobytes()
    head = struct.pack("<ddiddihii", 0, step_m[0], 0, 0, step_m[1], 0, kind, *frame.shape[::-1])
    return head + frame[::-1].tobytes()


def ser(path, frames, version=0x220, total=None, step_m=(1e-9, 2e-9), content=IMAGES, wide=None):
    """Write a series with its one dimension and its tags; offsets have 8 bytes from version 0x220 on, or if `wide`."""
    total, size = total or len(frames), "q" if (version >= 0x220 if wide is None else wide) else "i"
    dimension = struct.pack("<iddii", total, 0, 1, 0, 6) + b"Number" + struct.pack("<i", 0)
    start = 22 + struct.calcsize(f"<{size}i") + len(dimension)
    places, tags, body = [], [], b""
    for frame in frames:
        for rows, part in ((places, element(frame, step_m)), (tags, struct.pack("<hhi", TIME, 0, 0))):
            rows.append(start + 2 * total * struct.calcsize("<" + size) + len(body))
            body += part
    spare = [0] * (total - len(frames))
    head = struct.pack("<hhhiiii", 0x4949, 0x197, version, content, TIME, total, len(frames))
    head += struct.pack(f"<{size}i", start, 1) + dimension
    path.write_bytes(head + struct.pack(f"<{2 * total}{size}", *places, *spare, *tags, *spare) + body)


def frames(count=4, kind="u2"):
    rng, kind = np.random.default_rng(0), np.dtype(kind)
    shape = (count, 30, 41)
    if kind.kind == "f":
        return rng.normal(size=shape).astype(kind)
    return rng.integers(np.iinfo(kind).min, np.iinfo(kind).max, shape, kind, endpoint=True)


def read(path):
    return readers.read(str(path), max_pixels=2**28)


@pytest.mark.parametrize("version", [0x200, 0x210, 0x220, 0x230])
@pytest.mark.parametrize("kind", CODES)
def test_one_image_or_a_series_that_was_stopped(tmp_path, version, kind):
    stack = frames(kind=kind)
    ser(tmp_path / "a_1.ser", stack[:1], version)
    ser(tmp_path / "b_1.ser", stack, version, total=9)
    one, several = read(tmp_path / "a_1.ser"), read(tmp_path / "b_1.ser")
    assert np.array_equal(one.pixels, stack[0]) and np.array_equal(several.pixels, stack)
    assert (one.axes, several.axes, one.pixels.dtype) == ("yx", "tyx", stack.dtype)
    assert one.spacing_um == pytest.approx((2e-3, 1e-3))


@pytest.mark.parametrize(("version", "wide"), [(0x210, True), (0x220, False)])
@pytest.mark.parametrize("count", [1, 4])
def test_offsets_have_the_width_that_fits_the_file_whatever_the_version(tmp_path, version, wide, count):
    stack = frames(count)
    ser(tmp_path / "a_1.ser", stack, version, total=count + 2, wide=wide)
    assert np.array_equal(read(tmp_path / "a_1.ser").pixels, stack[0] if count == 1 else stack)
    raw = (tmp_path / "a_1.ser").read_bytes()
    (tmp_path / "a_1.ser").write_bytes(raw[: len(raw) - 100])
    with pytest.raises(BadItem, match=r"cut off|not known"):
        read(tmp_path / "a_1.ser")


def test_steps_of_a_diffraction_pattern_are_no_length(tmp_path):
    ser(tmp_path / "a_1.ser", frames(1), step_m=(2e7, 2e7))  # one over metres
    assert read(tmp_path / "a_1.ser").spacing_um is None


@pytest.mark.parametrize("version", [0x210, 0x220])
def test_broken_series_have_a_reason(tmp_path, version):
    path = tmp_path / "a_1.ser"
    ser(path, frames(1)[0, :1], version, content=SPECTRA)
    with pytest.raises(BadItem, match="spectra, not images"):
        read(path)
    ser(path, frames(), version)
    raw = path.read_bytes()
    for length in (10, 40, 200, len(raw) // 2):
        path.write_bytes(raw[:length])
        with pytest.raises(BadItem):
            read(path)
    path.write_bytes(raw[:14] + struct.pack("<ii", 2**31 - 1, 2**31 - 1) + raw[22:])
    with pytest.raises(BadItem, match="2147483647 images are announced"):
        read(path)


def described(*detectors: str) -> bytes:
    """Write the .emi file of one series for each detector."""
    parts = [f"<ObjectInfo><AcquireInfo><DetectorName>{d}</DetectorName></AcquireInfo></ObjectInfo>" for d in detectors]
    return b"JK\0\2" + b"\1\2".join(part.encode() for part in parts)


def test_each_series_of_a_description_has_its_own_detector(tmp_path):
    stack = frames(2)
    ser(tmp_path / "a_1.ser", stack[:1])
    ser(tmp_path / "a_2.ser", stack[1:])
    (tmp_path / "a.emi").write_bytes(described("HAADF", "BF"))
    found = {name: read(tmp_path / name) for name in ("a_1.ser", "a_2.ser", "a.emi")}
    assert [found[name].meta["detector"] for name in found] == ["HAADF", "BF", "HAADF"]
    assert np.array_equal(found["a.emi"].pixels, stack[0])
    assert found["a.emi"].meta["remark"] == "one of 2 images of the file was read: a_1.ser"


def test_the_first_images_of_a_description_are_read_and_a_broken_series_is_not_replaced_by_the_next(tmp_path):
    stack = frames(2)
    (tmp_path / "a.emi").write_bytes(described("EDS", "BF"))
    ser(tmp_path / "a_1.ser", stack[0, :1], content=SPECTRA)
    ser(tmp_path / "a_2.ser", stack[1:])
    found = read(tmp_path / "a.emi")
    assert np.array_equal(found.pixels, stack[1]) and found.meta["detector"] == "BF"
    ser(tmp_path / "a_1.ser", stack[:1])
    (tmp_path / "a_1.ser").write_bytes((tmp_path / "a_1.ser").read_bytes()[:500])
    with pytest.raises(BadItem, match="cut off"):
        read(tmp_path / "a.emi")
