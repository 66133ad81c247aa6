"""Every format: shape, values, pixel size and metadata, compared with independent numbers."""

import csv
import math
import os
import signal

import numpy as np
import pytest
import tifffile
from matlens.ingest import grey, readers
from matlens.ingest.readers import common
from matlens.job.batch import BadItem
from PIL import Image

from . import specimens
from .specimens import ramp

LIMIT = 2**28
UM = {"m": 1e6, "µm": 1.0, "nm": 1e-3, "pm": 1e-6}


def read(path):
    return readers.read(str(path), max_pixels=LIMIT)


def oracle(data):
    with open(data("micrographs/raw_instrument/expected_metadata.csv"), encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


# what rosettasciio 0.15.0 says of each file; beam energies were looked up with it by hand
ENERGY = {
    "FEI-Helios": 5,
    "STEM_image": 200,
    "HAADF-DE": 200,
    "Zeiss": 25,
    "um_unit.dm3": 200,
    "tia/": 200,
    "emd_fei": 300,
}


def test_real_instrument_files_read_as_rosettasciio_reads_them(data):
    seen = 0
    for row in oracle(data):
        if row["dtype"].startswith("["):  # the colour preview of an Olympus file
            continue
        found = read(data("micrographs/raw_instrument") / row["file"].split("/", 1)[1])
        assert "x".join(map(str, found.pixels.shape)) == row["shape"], row["file"]
        assert found.pixels.dtype == np.dtype(row["dtype"]), row["file"]
        assert found.pixels.mean(dtype=float) == pytest.approx(float(row["mean"]), rel=1e-9), row["file"]
        _, _, step, unit = row["axes"].split(";")[-1].split(":")
        if unit in UM:
            assert found.pixel_size_um == pytest.approx(
                float(step) * UM[unit], rel=2e-5 if "SIS" in row["file"] else 1e-6
            )
        else:
            assert found.pixel_size_um is None, row["file"]
        for part, energy in ENERGY.items():
            if part in row["file"]:
                assert found.meta["beam_energy_kev"] == energy
        seen += 1
    assert seen >= 13


def test_zeiss_sem_of_an_independent_source(data):
    found = read(data("micrographs/nist_grainsize/sem_alpha_beta_ti_6al_4v.tif"))  # 1.1165e-7 m and 25 kV in its SOURCE
    assert found.pixel_size_um == pytest.approx(0.11165)
    assert found.pixels.dtype == np.uint8  # grey stored as colour stays what it was
    assert (found.meta["beam_energy_kev"], found.meta["magnification"]) == (25.0, 1000.0)


def test_content_decides_not_the_name(tmp_path, data):
    for name, fake in (("a.png", "a.tiff"), ("b.jpg", "b.png")):
        Image.fromarray(ramp(kind=np.uint8)).save(tmp_path / name)
        (tmp_path / name).rename(tmp_path / fake)
        assert read(tmp_path / fake).meta["format"] == {"a": "png", "b": "jpeg"}[fake[0]]
    assert read(data("micrographs/hydride_zr/images/6.png")).pixels.shape == (314, 313)


def test_made_files_keep_every_pixel(tmp_path):
    image = ramp()
    stack = np.stack([image, image[::-1], image + 1])
    specimens.dm3(tmp_path / "a.dm3", image)
    specimens.ser(tmp_path / "b_1.ser", list(stack))
    specimens.velox(tmp_path / "c.emd", stack)
    specimens.berkeley(tmp_path / "d.emd", stack)
    specimens.hyperspy(tmp_path / "e.hspy", image)
    specimens.mrc(tmp_path / "f.mrc", stack)
    specimens.mrc(tmp_path / "g.mrc", stack, stack=True)
    specimens.omezarr(tmp_path / "h.zarr", stack, "zyx")
    specimens.omezarr(tmp_path / "i.zarr", stack[None], "cyx" if stack.ndim == 2 else "czyx", version="0.4")
    np.save(tmp_path / "j.npy", stack)
    expected = {
        "a.dm3": (image, "yx", 2.5e-4),
        "b_1.ser": (stack, "tyx", 2e-3),
        "c.emd": (stack, "tyx", 1.5e-4),
        "d.emd": (stack, "zyx", 5e-4),
        "e.hspy": (image, "yx", 2e-4),
        "f.mrc": (stack, "zyx", 2.5e-4),
        "g.mrc": (stack, "tyx", 2.5e-4),
        "h.zarr": (stack, "zyx", 2e-3),
        "i.zarr": (stack, "zyx", 2e-3),
        "j.npy": (stack, "tyx", None),
    }
    for name, (pixels, axes, size) in expected.items():
        found = read(tmp_path / name)
        assert np.array_equal(found.pixels, pixels), name
        assert (found.axes, found.pixels.dtype) == (axes, np.uint16), name
        assert found.pixel_size_um == (None if size is None else pytest.approx(size, rel=1e-6)), name


def test_the_principal_image_of_a_velox_file_is_the_largest(tmp_path):
    small, large = ramp((1, 20, 20)), ramp((1, 60, 50))
    specimens.velox(tmp_path / "a.emd", small, spare=[("bb", large)])
    found = read(tmp_path / "a.emd")
    assert found.pixels.shape == (60, 50)
    assert found.meta["other_signals"] == 1
    assert found.meta["beam_energy_kev"] == 300.0


def test_video_keeps_frames_in_order(tmp_path):
    specimens.avi(tmp_path / "a.avi", [np.full((48, 64), 40 * k, np.uint8) for k in range(5)])
    found = read(tmp_path / "a.avi")
    assert found.axes == "tyx"
    means = found.pixels.mean(axis=(1, 2)) * (255 if found.pixels.dtype == np.float32 else 1)
    assert means == pytest.approx([0, 40, 80, 120, 160], abs=2)  # Motion JPEG moves channels by a grey level


@pytest.mark.parametrize(
    ("axes", "kind", "expected"),
    [
        ("ZYX", "imagej", "zyx"),
        ("TYX", "imagej", "tyx"),
        ("ZYX", "ome", "zyx"),
        ("TYX", "ome", "tyx"),
        ("QYX", "plain", "tyx"),
    ],
)
def test_axes_of_tiff_stacks(tmp_path, axes, kind, expected):
    stack = np.stack([ramp() + k for k in range(5)])
    options = {"imagej": {"imagej": True}, "ome": {"ome": True}, "plain": {}}[kind]
    tifffile.imwrite(tmp_path / "a.tif", stack, metadata={"axes": axes}, photometric="minisblack", **options)
    found = read(tmp_path / "a.tif")
    assert found.axes == expected
    assert np.array_equal(found.pixels, stack)


@pytest.mark.parametrize(
    ("count", "unit", "um"),
    [(72, "INCH", None), (96, "INCH", None), (300, "INCH", None), (600, "INCH", None), (2400, "INCH", None)]
    + [(4800, "INCH", None), (118.11, "CENTIMETER", None), (50000, "CENTIMETER", 0.2), (254000, "INCH", 0.1)]
    + [(10000, "NONE", None), (0.001, "CENTIMETER", None)],
)
def test_resolution_is_a_size_only_where_it_is_one(tmp_path, count, unit, um):
    tifffile.imwrite(tmp_path / "a.tif", ramp(), resolution=(count, count), resolutionunit=unit, metadata=None)
    assert read(tmp_path / "a.tif").pixel_size_um == (None if um is None else pytest.approx(um, rel=1e-4))


def test_imagej_scale_needs_a_unit_of_length(tmp_path):
    for unit, um in (("um", 0.1), ("nm", 1e-4), ("micron", 0.1), ("pixel", None), ("", None), ("inch", None)):
        tifffile.imwrite(tmp_path / "a.tif", ramp(), imagej=True, resolution=(10, 10), metadata={"unit": unit})
        assert read(tmp_path / "a.tif").pixel_size_um == (None if um is None else pytest.approx(um)), unit


def test_ome_tiff_converts_units(tmp_path):
    about = {
        "axes": "YX",
        "PhysicalSizeX": 2.5,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 2.5,
        "PhysicalSizeYUnit": "nm",
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", ramp(), metadata=about)
    assert read(tmp_path / "a.ome.tif").pixel_size_um == pytest.approx(2.5e-3)


FEI = (
    "[Beam]\r\nHV={hv}\r\n[Scan]\r\nPixelWidth={x}\r\nPixelHeight={y}\r\n"
    "[Image]\r\nResolutionX=50\r\nResolutionY=34\r\n"
)


@pytest.mark.parametrize(
    ("x", "y", "um"), [("2e-9", "2e-9", 2e-3), ("2,5E-9", "2,5E-9", 2.5e-3), ("2e-9", "3e-9", 2e-3)]
)
def test_fei_tag_with_points_commas_and_oblong_pixels(tmp_path, x, y, um):
    specimens.fei_tiff(tmp_path / "a.tif", ramp(kind=np.uint8), FEI.format(hv="10000", x=x, y=y))
    found = read(tmp_path / "a.tif")
    assert found.pixel_size_um == (None if um is None else pytest.approx(um))
    assert found.meta["beam_energy_kev"] == 10.0
    assert found.meta["bar_rows_px"] == 6  # the file says 34 of its 40 rows are image


@pytest.mark.parametrize(("width", "um"), [('unit="nm">98.6', 0.0986), (">9.86e-08", 0.0986), ('unit="pixel">1', None)])
def test_fei_xml_states_the_pixel_size_with_its_unit(tmp_path, width, um):
    text = f'<?xml version="1.0"?><FeiImage><pixelWidth {width}</pixelWidth></FeiImage>'.replace(" >", ">")
    tifffile.imwrite(tmp_path / "a.tif", ramp(kind=np.uint8), metadata=None, extratags=[(34683, "s", 0, text, True)])
    assert read(tmp_path / "a.tif").spacing_um == (None if um is None else pytest.approx((um, um)))


def test_zeiss_pixel_size_is_that_of_the_stored_image(tmp_path):
    """The file states 100 nm on the screen of 1024 pixels; a file stored at 512 has 200 nm."""
    image = ramp((384, 512), np.uint8)
    entries = ["AP_PIXEL_SIZE", "Pixel Size = 100.0 nm", "AP_IMAGE_PIXEL_SIZE", "Image Pixel Size = 200.0 nm"]
    specimens.zeiss_tiff(tmp_path / "a.tif", image, ["0", "0", "0", "1.0001e-7"], entries)
    assert read(tmp_path / "a.tif").pixel_size_um == pytest.approx(0.20002)
    specimens.zeiss_tiff(tmp_path / "b.tif", image, ["0", "0", "0", "1.0001e-7"], entries[:2])
    assert read(tmp_path / "b.tif").pixel_size_um == pytest.approx(0.20002)


def test_tvips(tmp_path):
    specimens.tvips_tiff(tmp_path / "a.tif", ramp(), 0.5, 2e5)
    found = read(tmp_path / "a.tif")
    assert found.pixel_size_um == pytest.approx(5e-4)
    assert (found.meta["beam_energy_kev"], found.meta["magnification"]) == (200.0, 50000.0)
    assert found.meta["instrument"] == "Tecnai"


def test_jeol_sightx_divides_by_the_magnification(tmp_path):
    text = (
        "<TemReporter><Instruments>JEM-F200</Instruments><Eos><EosMode>eosTEM</EosMode></Eos><ImageFormingSystem>"
        "<ModeString>MAG</ModeString><SelectorValue>10000</SelectorValue></ImageFormingSystem>"
        "<ElectronGun><AccelerationVoltage>200000.0</AccelerationVoltage></ElectronGun></TemReporter>"
    )
    extra = [(271, "s", 0, "JEOL Ltd.", True)]
    options = {"resolution": (1000, 1000), "resolutionunit": "CENTIMETER", "description": text, "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", ramp(), extratags=extra, **options)
    found = read(tmp_path / "a.tif")
    assert found.pixel_size_um == pytest.approx(10.0 / 10000)  # 1000 pixels a cm on the camera are 10 um each
    assert (found.meta["beam_energy_kev"], found.meta["instrument"]) == (200.0, "JEM-F200")


def test_text_beside_the_image_of_jeol_hitachi_and_tescan(tmp_path):
    for name in "abc":
        tifffile.imwrite(tmp_path / f"{name}.tif", ramp(kind=np.uint8), metadata=None)
    (tmp_path / "a.txt").write_text(
        "$CM_MAG 5000\n$CM_ACCEL_VOLT 15.0\n$CM_FULL_SIZE 50 32\n$$SM_MICRON_BAR 100\n$$SM_MICRON_MARKER 1um\n"
    )
    (tmp_path / "b.txt").write_text(
        "[SemImageFile]\nInstructName=S-4800\nPixelSize=9.921875\nAcceleratingVoltage=15000 Volt\n"
    )
    (tmp_path / "c.hdr").write_text("[MAIN]\nDevice=VEGA3\nPixelSizeX=2e-9\nPixelSizeY=2e-9\n[SEM]\nHV=20000.0\n")
    found = {name: read(tmp_path / f"{name}.tif") for name in "abc"}
    sizes = [found[name].pixel_size_um for name in "abc"]
    assert sizes == pytest.approx([0.01, 9.921875e-3, 2e-3])
    assert [found[name].meta["beam_energy_kev"] for name in "abc"] == [15.0, 15.0, 20.0]
    assert found["a"].meta["bar_rows_px"] == 8


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("[SemImageFile]\nPixelSize=4\nDataSize=100x80\n", None),
        ("$CM_FULL_SIZE 100 80\n$$SM_MICRON_BAR 100\n$$SM_MICRON_MARKER 400nm\n", None),
        ("", (34682, "[Scan]\nPixelWidth=4e-9\nPixelHeight=4e-9\n[Image]\nResolutionX=100\nResolutionY=80\n")),
    ],
)
def test_an_image_of_another_size_than_its_metadata_has_a_note(tmp_path, text, tag):
    """A pixel size is that of the image as it was recorded: wrong for a reduced copy, right for a part."""
    tifffile.imwrite(tmp_path / "a.tif", ramp(), extratags=[(tag[0], "s", 0, tag[1], True)] if tag else [])
    (tmp_path / "a.txt").write_text(text)
    found = read(tmp_path / "a.tif")
    assert found.pixel_size_um == pytest.approx(0.004) and "100 pixels wide, and it has 50" in found.meta["scale_note"]


def test_mrc_of_fei_states_its_pixel_size_in_metres(tmp_path):
    import mrcfile
    from mrcfile.dtypes import get_ext_header_dtype

    with mrcfile.new(tmp_path / "a.mrc") as handle:
        handle.set_data(np.stack([ramp().astype(np.float32)] * 2))
        extended = np.zeros(2, get_ext_header_dtype(b"FEI1"))
        extended["Metadata size"] = extended.dtype.itemsize
        extended["Pixel size X"] = extended["Pixel size Y"] = 3e-10
        extended["HT"] = 3e5
        handle.set_extended_header(extended)
        handle.header.exttyp = b"FEI1"
    found = read(tmp_path / "a.mrc")
    assert found.pixel_size_um == pytest.approx(3e-4)
    assert found.meta["beam_energy_kev"] == 300.0


@pytest.mark.parametrize("angstrom", [0.0, 1.0])
def test_mrc_without_a_size_is_unknown(tmp_path, angstrom):
    specimens.mrc(tmp_path / "a.mrc", np.stack([ramp()] * 2), angstrom)
    assert read(tmp_path / "a.mrc").pixel_size_um is None


def test_colour_is_the_luminance_of_scikit_image(tmp_path):
    from skimage.color import rgb2gray

    colour = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    wide = np.random.default_rng(1).integers(0, 65536, (40, 50, 3), dtype=np.uint16)
    Image.fromarray(colour).save(tmp_path / "a.png")
    Image.fromarray(np.dstack([colour, np.full((40, 50), 9, np.uint8)])).save(tmp_path / "b.png")
    tifffile.imwrite(tmp_path / "c.tif", wide, photometric="rgb")
    for name, source in (("a.png", colour), ("b.png", colour), ("c.tif", wide)):
        found = read(tmp_path / name)
        assert found.pixels.dtype == np.float32
        assert found.pixels == pytest.approx(rgb2gray(source), abs=1e-6)


def test_colours_stored_as_luma_and_differences_are_turned_into_colours(tmp_path):
    """Without lossy compression nothing turns YCbCr into red, green and blue; luma has the contrast of the image."""
    luma = np.tile(np.arange(40, 220, 3, dtype=np.uint8), (30, 1))
    tifffile.imwrite(tmp_path / "a.tif", np.dstack([luma, *[np.full_like(luma, 128)] * 2]), photometric="ycbcr",
                     subsampling=(1, 1))  # fmt: skip
    assert np.array_equal(read(tmp_path / "a.tif").pixels, luma)


def test_grey_stored_as_colour_or_palette_keeps_its_numbers(tmp_path):
    image = ramp(kind=np.uint8)
    Image.fromarray(np.dstack([image] * 3)).save(tmp_path / "a.png")
    grey_palette = np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))
    tifffile.imwrite(tmp_path / "b.tif", image, photometric="palette", colormap=grey_palette)
    for name in ("a.png", "b.tif"):
        assert np.array_equal(read(tmp_path / name).pixels, image)


def test_numbers_shown_by_a_lookup_table_are_measured_and_colours_of_a_picture_are_not_numbers(tmp_path):
    image, k = ramp(kind=np.uint8), np.arange(256)
    rainbow = np.clip(np.abs((k[None] / 255 + np.array([[0], [1 / 3], [2 / 3]])) % 1 * 6 - 3) - 1, 0, 1) * 65535
    colours = np.random.default_rng(0).integers(0, 65535, (3, 256))
    inverted = np.tile(65535 - k * 257, (3, 1))
    for name, palette in {"table": rainbow, "picture": colours, "inverted": inverted}.items():
        path = tmp_path / f"{name}.tif"
        tifffile.imwrite(path, image, photometric="palette", colormap=palette.astype(np.uint16))
        found = read(path)
        assert (
            np.array_equal(found.pixels, image) == ("lookup table" in found.meta.get("remark", "")) == (name == "table")
        )
    assert np.array_equal(read(tmp_path / "inverted.tif").pixels, 255 - image)


def test_white_is_zero_is_turned_over(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", ramp(kind=np.uint8), photometric="miniswhite")
    assert np.array_equal(read(tmp_path / "a.tif").pixels, 255 - ramp(kind=np.uint8))


def test_intensity_range():
    assert grey.intensity_range(np.array([[3, 9]], np.uint8)) == (0.0, 255.0)
    assert grey.intensity_range(np.array([[3, 9]], np.uint16)) == (0.0, 255.0)
    assert grey.intensity_range(np.array([[3, 900]], np.uint16)) == (0.0, 1023.0)
    assert grey.intensity_range(np.array([[3, 900]], np.uint16), None, (0.0, 4095.0)) == (0.0, 4095.0)
    assert grey.intensity_range(np.array([[3, 5000]], np.uint16), None, (0.0, 4095.0)) == (0.0, 16383.0)
    assert grey.intensity_range(np.array([[3, 40000]], np.uint16)) == (0.0, 65535.0)
    assert grey.intensity_range(np.array([[3, 4000]], np.uint16), 12) == (0.0, 4095.0)
    assert grey.intensity_range(np.array([[3, 5000]], np.uint16), 12) == (0.0, 16383.0)
    assert grey.intensity_range(np.array([[-3, 9]], np.int16)) == (-3.0, 9.0)
    assert grey.intensity_range(np.array([[0.5, np.nan]], np.float32)) == (0.0, 1.0)
    assert grey.intensity_range(np.array([[41.7, 200.3]], np.float32)) == (0.0, 255.0)
    assert grey.intensity_range(np.array([[-1000, 3000]], np.float32)) == (-1000.0, 3000.0)
    assert grey.intensity_range(np.array([[-100, 72]], np.int16)) == (-128.0, 127.0)
    assert grey.intensity_range(np.array([[-20, 3000]], np.int16)) == (0.0, 4095.0)
    assert grey.intensity_range(np.array([[0, 20000]], np.int16)) == (0.0, 32767.0)


def test_lengths():
    assert common.to_um(2, "nm") == pytest.approx(2e-3)
    assert common.to_um("2,5", "µm") == 2.5
    assert common.to_um(1e-9, "m") == pytest.approx(1e-3)
    assert [common.to_um(1, unit) for unit in ("", None, "pixel", "1/nm", "px", "s")] == [None] * 6
    assert [common.to_um(value, "um") for value in (0, -1, math.nan, math.inf, "x", 1e9)] == [None] * 6


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.tif", b"", "0 bytes"),
        ("a.tif", b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        ("a.png", b"hello there", "text"),
        ("a.jpg", bytes(5000), "zeros"),
        ("a.tif", b"PK\x03\x04" + bytes(100), "zip"),
        ("a.npy", b"\x80\x04\x95" + bytes(100), "pickle"),
        ("a.tif", b"\x01\x02\x03\x04" * 100, "no image format"),
        ("a.tif", b"version https://git-lfs.github.com/spec/v1\n", "LFS"),
        ("a.emi", b"JK\0\2" + bytes(100), "missing"),
        ("a.png", specimens.png_header(100000, 100000), "too large"),
        ("a.png", specimens.png_header(16000, 16000), "bomb"),
    ],
)
def test_what_is_no_image_says_what_it_is(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadItem, match=reason):
        read(tmp_path / name)


def test_objects_in_an_array_are_never_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}] * 4, dtype=object), allow_pickle=True)
    with pytest.raises(BadItem, match="pickle"):
        read(tmp_path / "a.npy")


def test_size_is_checked_before_decoding(tmp_path):
    for path in specimens.one_of_each(tmp_path):
        with pytest.raises(BadItem, match="too large"):
            readers.read(str(path), max_pixels=100)


def test_pipes_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.tif")
    with pytest.raises(BadItem, match="not a plain file"):
        read(tmp_path / "a.tif")


def test_a_reader_that_dies_or_hangs_costs_one_file(tmp_path, monkeypatch):
    from matlens.ingest.readers import isolated

    specimens.hyperspy(tmp_path / "a.hspy", ramp())
    read(tmp_path / "a.hspy")
    isolated._LIVING[0].kill()
    isolated._LIVING[0].wait()
    assert read(tmp_path / "a.hspy").pixels.shape == (40, 50)
    monkeypatch.setattr(isolated, "PATIENCE_S", 0.2)
    os.kill(isolated._LIVING[0].pid, signal.SIGSTOP)  # as busy as can be
    with pytest.raises(BadItem, match="busy"):
        read(tmp_path / "a.hspy")
    monkeypatch.undo()
    assert read(tmp_path / "a.hspy").pixels.shape == (40, 50)


@pytest.mark.parametrize("names", [("aa", "bb"), ("bb", "aa")])
def test_of_the_detectors_of_a_velox_file_the_same_is_read_wherever_it_lies(tmp_path, names):
    """Places in the file are random: of one study, half the images would be bright-field."""
    dark, bright = ramp((1, 40, 50)), ramp((1, 40, 50))[:, ::-1]
    specimens.velox(tmp_path / "a.emd", dark, spare=[(names[1], bright)], detectors=["HAADF", "BF"], first=names[0])
    found = read(tmp_path / "a.emd")
    assert np.array_equal(found.pixels, dark[0])
    assert (found.meta["detector"], found.meta["other_signals"]) == ("HAADF", 1)
    assert found.meta["remark"] == "one of 2 images of the file was read: HAADF"


def test_of_several_channels_the_first_is_read_and_said_so(tmp_path):
    stack = np.stack([ramp(), ramp()[::-1]])
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "CYX"})
    tifffile.imwrite(tmp_path / "b.ome.tif", stack, metadata={"axes": "CYX"}, photometric="minisblack")
    specimens.omezarr(tmp_path / "c.zarr", stack, "cyx")
    for name in ("a.tif", "b.ome.tif", "c.zarr"):
        found = read(tmp_path / name)
        assert np.array_equal(found.pixels, stack[0]) and found.axes == "yx", name
        assert found.meta["remark"] == "one of 2 images of the file was read: the first channel", name


@pytest.mark.parametrize("unit", ["[n_m]", "[nm]", "n_m", "[u_m]", "[µ_m]", "[p_m]"])
def test_axes_of_emd_files_go_by_their_names(tmp_path, unit):
    """Many files have x first; their image was turned over a diagonal, and the steps with it."""
    stack, um = np.stack([ramp() + k for k in range(6)]), common.to_um(1, unit)
    assert um == {"n": 1e-3, "p": 1e-6}.get(unit.strip("[")[0], 1.0)
    for names, image, step in (
        ("zyx", stack, (3, 2, 1)),
        ("xyz", np.ascontiguousarray(stack.T), (1, 2, 3)),
        ("YXz", np.moveaxis(stack, 0, -1), (2, 1, 3)),
        ("yx", stack[0], (2, 1)),
        ("xy", stack[0].T, (1, 2)),
    ):
        specimens.berkeley(tmp_path / "a.emd", image, step, unit, names)
        found = read(tmp_path / "a.emd")
        assert np.array_equal(found.pixels, stack if image.ndim == 3 else stack[0]), names
        assert found.spacing_um == pytest.approx([n * um for n in (3, 2, 1)[3 - found.pixels.ndim :]]), names


def test_steps_stay_with_their_axes_where_others_of_length_one_are_dropped(tmp_path):
    import h5py

    specimens.berkeley(tmp_path / "a.emd", ramp()[..., None], (2, 1, 7), "[n_m]", ("y", "x", "q"))
    specimens.berkeley(tmp_path / "b.emd", ramp()[None], (7, 2, 1), "[n_m]", ("q", "rows", "columns"))
    specimens.hyperspy(tmp_path / "c.hspy", ramp()[..., None])
    with h5py.File(tmp_path / "c.hspy", "a") as file:
        for axis, step in enumerate((2, 1, 7)):
            file[f"Experiments/one/axis-{axis}"].attrs["scale"] = step
    for name in ("a.emd", "b.emd", "c.hspy"):
        found = read(tmp_path / name)
        assert np.array_equal(found.pixels, ramp()) and found.spacing_um == pytest.approx((2e-3, 1e-3)), name


def test_a_unit_without_a_scale_is_no_pixel_size(tmp_path):
    import zarr

    specimens.omezarr(tmp_path / "a.zarr", ramp(), "yx", version="0.4")
    group = zarr.open(str(tmp_path / "a.zarr"), mode="a")
    scales = group.attrs["multiscales"]
    assert read(tmp_path / "a.zarr").pixel_size_um == pytest.approx(2e-3)
    group.attrs["multiscales"] = [scales[0] | {"datasets": [{"path": "0"}]}]
    assert read(tmp_path / "a.zarr").pixel_size_um is None
