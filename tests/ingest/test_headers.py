"""NRRD and MetaImage: text headers with the pixels behind them or in files of their own."""

import bz2
import gzip
import zlib

import numpy as np
import pytest
from matlens.ingest import files, readers
from matlens.ingest.file_search import found, skipped
from matlens.job.batch import BadItem

VOLUME = np.arange(4 * 20 * 24, dtype=np.uint16).reshape(4, 20, 24)
DIRECTIONS = 'space dimension: 3\nspace directions: (0.5,0,0) (0,0.25,0) (0,0,2)\nspace units: "um" "um" "um"\n'


def nrrd(path, array=VOLUME, more="", encoding="raw", packed=None, order="little", kind="unsigned short"):
    data = array.astype(array.dtype.newbyteorder("<" if order == "little" else ">")).tobytes()
    sizes = " ".join(map(str, array.shape[::-1]))
    head = f"NRRD0005\n# made here\ntype: {kind}\ndimension: {array.ndim}\nsizes: {sizes}\nencoding: {encoding}\n"
    head += f"endian: {order}\nkey:=value\n{more}\n"
    path.write_bytes(head.encode() + (data if packed is None else packed(data)))
    return path


def opened(path):
    return readers.read(str(path), max_pixels=1 << 28)


@pytest.mark.parametrize(
    ("encoding", "packed"), [("raw", None), ("gzip", gzip.compress), ("gz", gzip.compress), ("bzip2", bz2.compress)]
)
@pytest.mark.parametrize("order", ["little", "big"])
def test_nrrd_of_every_encoding_has_its_pixels_and_the_spacing_of_each_axis(tmp_path, encoding, packed, order):
    made = opened(nrrd(tmp_path / "a.nrrd", more=DIRECTIONS, encoding=encoding, packed=packed, order=order))
    assert np.array_equal(made.pixels, VOLUME)
    assert made.axes == "zyx" and made.spacing_um == (2.0, 0.25, 0.5)


@pytest.mark.parametrize(
    ("more", "axes", "spacing"),
    [
        ('spacings: 0.5 0.25 2\nunits: "um" "um" "um"\n', "zyx", (2.0, 0.25, 0.5)),
        ('spacings: 500 500 2000\nunits: "nm" "nm" "nm"\nkinds: domain domain domain\n', "zyx", (2.0, 0.5, 0.5)),
        ('spacings: 0.5 0.5 3\nunits: "um" "um" "s"\nkinds: domain domain time\n', "tyx", (0.5, 0.5)),
        ('spacings: 0.5 0.5 nan\nunits: "um" "um" ""\nkinds: domain domain list\n', "tyx", (0.5, 0.5)),
        ("spacings: 0.5 0.5 3\n", "zyx", None),  # no unit: no micrometres
        ("space: left-posterior-superior\nspace directions: (0,0.001,0) (0.001,0,0) (0,0,-0.004)\n", "zyx", (4, 1, 1)),
        ("", "tyx", None),
    ],
)
def test_nrrd_axes_and_units(tmp_path, more, axes, spacing):
    made = opened(nrrd(tmp_path / "a.nrrd", more=more))
    assert made.axes == axes
    assert made.spacing_um == (None if spacing is None else pytest.approx(spacing))
    read = files.read({"file": str(tmp_path / "a.nrrd")}, ["a", "b"])
    assert ("without a unit" in read.meta.get("scale_note", "")) == (more == "spacings: 0.5 0.5 3\n")


@pytest.mark.parametrize("shape", [(4, 20, 24, 1), (1, 4, 20, 24), (4, 1, 20, 24)])
def test_axes_of_length_one_are_dropped_with_their_spacing(tmp_path, shape):
    sizes = iter(["0.5", "0.25", "2"])
    words = " ".join("nan" if size == 1 else next(sizes) for size in shape[::-1])
    more = f'spacings: {words}\nunits: "um" "um" "um" "um"\n'
    made = opened(nrrd(tmp_path / "a.nrrd", VOLUME.reshape(shape), more))
    assert np.array_equal(made.pixels, VOLUME)
    assert made.axes == "zyx" and made.spacing_um == (2.0, 0.25, 0.5)


def test_colour_and_decimal_numbers(tmp_path):
    colour = np.zeros((20, 24, 3), np.uint8)
    colour[..., 1] = 200
    made = opened(
        nrrd(tmp_path / "c.nrrd", colour, "kinds: RGB-color domain domain\nspacings: nan 2 2\n", kind="uchar")
    )
    assert made.axes == "yx" and made.pixels.shape == (20, 24) and np.allclose(made.pixels, 0.7154 * 200 / 255)
    words = " ".join(map(str, VOLUME.ravel())).encode()
    assert np.array_equal(opened(nrrd(tmp_path / "t.nrrd", encoding="ascii", packed=lambda _: words)).pixels, VOLUME)


@pytest.mark.parametrize("how", ["one", "list", "pattern"])
def test_detached_pixels_are_parts_of_their_header(tmp_path, how):
    entry = {"one": "data file: v.raw\n", "pattern": "data file: v%02d.raw 1 4 1\n"}
    entry["list"] = "data file: LIST\n" + "".join(f"v{k:02d}.raw\n" for k in range(1, 5))
    parts = {"v.raw": VOLUME} if how == "one" else {f"v{k + 1:02d}.raw": VOLUME[k] for k in range(4)}
    for name, part in parts.items():
        (tmp_path / name).write_bytes(part.astype("<u2").tobytes())
    path = nrrd(tmp_path / "a.nhdr", more=DIRECTIONS + entry[how], packed=lambda _: b"")
    assert np.array_equal(opened(path).pixels, VOLUME)
    listed = found(str(tmp_path))[1]
    assert listed == [path] and "parts of another file" in skipped(str(tmp_path), listed)
    before = files.listing(path=str(tmp_path))
    (tmp_path / next(iter(parts))).write_bytes(b"changed")
    assert files.listing(path=str(tmp_path)) != before
    with pytest.raises(BadItem, match="cut off"):
        opened(path)


@pytest.mark.parametrize(
    ("more", "change", "reason"),
    [
        ("space dimension: 3\nspace directions: (1,0,0) (0.5,1,0) (0,0,1)\n", {}, "right angles"),
        ("data file: ../v.raw\n", {}, "outside its folder"),
        ("data file: v.raw\n", {}, "not there"),
        ("", {"kind": "block"}, "type"),
        ("", {"encoding": "hex"}, "encoding"),
        ("", {"packed": lambda data: data[:-1]}, "cut off"),
        ("", {"encoding": "gzip", "packed": lambda data: gzip.compress(data)[:-100]}, "cut off"),
    ],
)
def test_faulty_nrrd_is_refused_with_its_reason(tmp_path, more, change, reason):
    path = nrrd(tmp_path / "a.nrrd", more=more, **change)
    with pytest.raises(BadItem, match=reason):
        opened(path)


META = "ObjectType = Image\nNDims = 3\nDimSize = 24 20 4\nElementType = MET_USHORT\n"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["LOCAL", "v.raw"])
def test_metaimage_has_its_pixels_and_spacing(tmp_path, packed, name):
    data = zlib.compress(VOLUME.tobytes()) if packed else VOLUME.tobytes()
    head = META + f"ElementSpacing = 0.0005 0.00025 0.002\nCompressedData = {packed}\nElementDataFile = {name}\n"
    path = tmp_path / ("a.mha" if name == "LOCAL" else "a.mhd")
    path.write_bytes(head.encode() + (data if name == "LOCAL" else b""))
    if name != "LOCAL":
        (tmp_path / name).write_bytes(data)
    made = opened(path)
    assert np.array_equal(made.pixels, VOLUME)
    assert made.axes == "zyx" and made.spacing_um == pytest.approx((2.0, 0.25, 0.5))
    assert found(str(tmp_path))[1] == [path]


def test_metaimage_of_unit_spacing_has_no_scale(tmp_path):
    head = META + "ElementSpacing = 1 1 1\nElementByteOrderMSB = True\nElementDataFile = LOCAL\n"
    (tmp_path / "a.mha").write_bytes(head.encode() + VOLUME.astype(">u2").tobytes())
    made = opened(tmp_path / "a.mha")
    assert np.array_equal(made.pixels, VOLUME) and made.spacing_um is None
