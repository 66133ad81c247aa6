"""Text files that microscopes write beside pictures, formats that are not read, and names with accents."""

import unicodedata

import numpy as np
import pytest
from matlens.ingest import files, readers
from matlens.ingest.readers.common import to_um
from matlens.job.batch import BadItem
from PIL import Image

GREY = (np.add.outer(np.arange(40), 3 * np.arange(50)) % 251).astype(np.uint8)
JEOL = "$CM_FORMAT JEOL/EO\r\n$$SM_MICRON_BAR 100\r\n$$SM_MICRON_MARKER 10um\r\n"
TESCAN = "[MAIN]\nDevice=VEGA3\nPixelSizeX=2.5e-007\nPixelSizeY=2.5e-007\n"


@pytest.mark.parametrize("suffix", ["bmp", "jpg", "png", "tif"])
@pytest.mark.parametrize(
    ("beside", "text", "um"),
    [
        ("a.txt", JEOL, 0.1),
        ("a.txt", "[SemImageFile]\r\nPixelSize=99.21875\r\n", 0.09921875),
        ("a.txt", "[SemImageFile]\nPixelSize = 49,6\n", 0.0496),
        ("a.txt", "[SemImageFile]\nPixelSize=1.5 um\n", 1.5),
        ("a.hdr", TESCAN, 0.25),
        ("a-{suffix}.hdr", TESCAN, 0.25),
        ("a.txt", "notes on this sample\n", None),
        ("a.TXT", JEOL, 0.1),
        ("a.{suffix}.txt", JEOL, 0.1),
        ("a.txt", "AP_MAG\nMag = 5 K X\nAP_PIXEL_SIZE\nPixel Size = 22.3 nm\nImage Pixel Size = 11.2 nm\n", 0.0112),
        ("a.txt", "AP_PIXEL_SIZE\nPixel Size = 22.3 nm\n", None),  # of a screen of Zeiss
        ("a.txt", "taken by me\npixel size: 0,25 µm\n", 0.25),
        ("a.txt", "pixel size: 0.25\n", None),
        ("a.txt", "Pixel size = 2 nm\npixel_size = 3 nm\n", None),
        ("a.txt", "[Scan]\nPixelWidth=2.5e-08\nPixelHeight=2.5e-08\n", 0.025),
    ],
)
def test_text_beside_a_picture_states_its_pixel_size(tmp_path, suffix, beside, text, um):
    Image.fromarray(GREY).save(tmp_path / f"a.{suffix}")
    (tmp_path / beside.format(suffix=suffix)).write_text(text)
    made = readers.read(str(tmp_path / f"a.{suffix}"), max_pixels=1 << 20)
    assert made.spacing_um == (None if um is None else pytest.approx((um, um)))


@pytest.mark.parametrize("encoding", ["cp932", "latin-1", "utf-8", "utf-16"])
@pytest.mark.parametrize("blank", ["", " "])
def test_the_micro_sign_of_jeol_is_read_in_every_encoding(tmp_path, encoding, blank):
    Image.fromarray(GREY).save(tmp_path / "a.bmp")
    sign = "\u03bc" if encoding == "cp932" else "\u00b5"  # Shift-JIS has the Greek letter
    title = "\u8a66\u6599" if encoding != "latin-1" else "\u00fc"
    text = f"$CM_TITLE {title}\r\n" + JEOL.replace("10um", f"10{blank}{sign}m")
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    found = readers.read(str(tmp_path / "a.bmp"), max_pixels=1 << 20)
    assert found.spacing_um == pytest.approx((0.1, 0.1))


def test_the_bar_that_jeol_states_is_cut_from_a_bitmap(tmp_path):
    Image.fromarray(np.vstack([GREY, np.zeros((8, 50), np.uint8)])).save(tmp_path / "a.bmp")
    (tmp_path / "a.txt").write_text(JEOL + "$CM_FULL_SIZE 50 40\r\n")
    assert np.array_equal(files.read({"file": str(tmp_path / "a.bmp")}, ["a", "b"]).pixels, GREY)


@pytest.mark.parametrize(
    ("value", "unit", "um"),
    [("1.5 um", "nm", 1.5), ("2,5e-3mm", "m", 2.5), ("1.5", "nm", 1.5e-3), ("7 px", "um", None), (3e-7, "m", 0.3)],
)
def test_a_unit_behind_a_number_comes_before_that_of_the_header(value, unit, um):
    assert to_um(value, unit) == (None if um is None else pytest.approx(um))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"RIFF\x10\0\0\0WEBPVP8L", "WebP"),
        (b"\0\0\0\x18ftypheic", "HEIC or AVIF"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"ZISRAWFILE", "Zeiss CZI.*OME-TIFF"),
        (bytes(344) + b"n+1\0", "NIfTI.*NRRD or MetaImage"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"P5 64 48 255\n" + bytes(99), "Netpbm.*PNG"),
        (b"\xda\xce\xbe\x0a", "Nikon ND2"),
        (b"\x70\0\0\0\x10\0\0\0\x2a", "Leica LIF"),
        (b"\\*File list\r\n", "probe microscope.*Gwyddion"),
        (b"GWYPGWYO", "probe microscope"),
        (b"SIMPLE  =                    T", "FITS"),
        (b"II*\0\0\0\0\0", "holds no image"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path, content, reason):
    (tmp_path / "a.tif").write_bytes(content + b"\1" * 300)
    with pytest.raises(BadItem, match=reason):
        readers.read(str(tmp_path / "a.tif"), max_pixels=1 << 20)


def test_a_picture_is_kept_beside_a_file_of_a_format_that_is_not_read(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.jpg")
    (tmp_path / "a.czi").write_bytes(b"ZISRAWFILE" + bytes(300))
    rows = files.plan(path=str(tmp_path)).set_index("file")
    reasons = {name[-5:]: rows["reason"][name] for name in rows.index}
    assert reasons["a.jpg"] is None and "may not be read" in reasons["a.czi"]


@pytest.mark.parametrize(("image", "mask"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_are_the_same_however_a_file_system_spells_them(tmp_path, image, mask):
    for folder, form in (("images", image), ("masks", mask)):
        (tmp_path / folder).mkdir()
        name = unicodedata.normalize(form, "Stück é.png")
        Image.fromarray(GREY if folder == "images" else (GREY > 100).view(np.uint8)).save(tmp_path / folder / name)
    rows = files.plan(path=str(tmp_path / "images"), masks=str(tmp_path / "masks" / "*"))
    assert rows["truth_file"].notna().all() and len(rows) == 1


@pytest.mark.parametrize(("image", "objects"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_of_files_of_objects_are_the_same_too(tmp_path, image, objects):
    for folder in ("images", "objects"):
        (tmp_path / folder).mkdir()
    for name in ("Stück é", "Stück è"):
        Image.fromarray(GREY).save(tmp_path / "images" / f"{unicodedata.normalize(image, name)}.png")
        (tmp_path / "objects" / f"{unicodedata.normalize(objects, name)}.csv").write_text("y_px,x_px\n3,4\n")
    rows = files.plan(path=str(tmp_path / "images"), objects=str(tmp_path / "objects" / "*.csv"))
    assert rows["objects_file"].notna().all() and len(rows) == 2
