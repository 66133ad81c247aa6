"""DigitalMicrograph files of both versions and byte orders: pixels, scale, axes, and which image is read."""

import numpy as np
import pytest
from matlens.ingest import readers
from matlens.job.batch import BadItem

from .gatan import TYPES, Writer

KINDS = [(version, order) for version in (3, 4) for order in "<>"]
NM = [(0.5, "nm"), (0.25, "nm")]


def read(path):
    return readers.read(str(path), max_pixels=2**28)


def picture(shape, kind="u2"):
    """Make pixels of all values of a type."""
    rng, kind = np.random.default_rng(0), np.dtype(kind)
    if kind.kind == "f":
        return rng.normal(size=shape).astype(kind)
    return rng.integers(np.iinfo(kind).min, np.iinfo(kind).max, shape, kind, endpoint=True)


@pytest.mark.parametrize(("version", "order"), KINDS)
@pytest.mark.parametrize("kind", [kind for kind in TYPES if not kind.startswith("c")])
@pytest.mark.parametrize("shape", [(30, 40), (70, 80), (5, 33, 41)])
def test_every_number_and_both_steps_are_read(tmp_path, version, order, kind, shape):
    """Small images, too: 1,200 numbers of 16 bits are no text, in which some would be no letters."""
    image, writer = picture(shape, kind), Writer(version, order)
    writer.write(tmp_path / "a.dm", writer.image(image, [*NM, (2.0, "s")][: len(shape)]))
    found = read(tmp_path / "a.dm")
    assert np.array_equal(found.pixels, image) and found.pixels.dtype == np.dtype(kind)
    assert found.axes == ("yx" if len(shape) == 2 else "tyx")
    assert found.spacing_um == pytest.approx((0.25e-3, 0.5e-3))


@pytest.mark.parametrize(("version", "order"), KINDS)
@pytest.mark.parametrize(
    ("unit", "um"), [("nm", 5e-4), ("µm", 0.5), ("μm", 0.5), ("Å", 5e-5), ("A", 5e-5), ("1/nm", None), ("", None)]
)
def test_units_of_both_byte_orders(tmp_path, version, order, unit, um):
    writer = Writer(version, order)
    writer.write(tmp_path / "a.dm", writer.image(picture((70, 80)), [(0.5, unit)] * 2))
    assert read(tmp_path / "a.dm").pixel_size_um == (None if um is None else pytest.approx(um))


@pytest.mark.parametrize(("version", "order"), KINDS)
def test_colours_have_their_order(tmp_path, version, order):
    colour, writer = picture((70, 90, 3), "u1"), Writer(version, order)
    writer.write(tmp_path / "a.dm", writer.image(colour, NM))
    luminance = colour @ np.array([0.2125, 0.7154, 0.0721]) / 255
    assert read(tmp_path / "a.dm").pixels == pytest.approx(luminance, abs=1e-6)


@pytest.mark.parametrize(("version", "order"), KINDS)
def test_a_real_image_is_read_before_thumbnails_transforms_and_spectra(tmp_path, version, order):
    image, writer = picture((70, 80)), Writer(version, order)
    colour, name = picture((90, 90, 3), "u1"), writer.text("Name", "HAADF")
    transform = writer.image(np.fft.fft2(image).astype("c8"), [(0.1, "1/nm")] * 2)
    spectra = writer.image(picture((64, 70, 80), "f4"), [*NM, (1.0, "eV")])
    plain = writer.image(image, NM, name)
    writer.write(tmp_path / "a.dm", writer.image(colour, NM), plain, thumbnails=[0])
    writer.write(tmp_path / "b.dm", transform, spectra, plain)
    alone, among = read(tmp_path / "a.dm"), read(tmp_path / "b.dm")
    assert np.array_equal(alone.pixels, image) and "remark" not in alone.meta
    assert np.array_equal(among.pixels, image)
    assert (among.meta["other_signals"], among.meta["remark"]) == (2, "one of 3 images of the file was read: HAADF")


@pytest.mark.parametrize(("version", "order"), KINDS)
def test_transforms_and_spectra_alone_are_refused_with_their_reason(tmp_path, version, order):
    writer = Writer(version, order)
    complex_, spectra = picture((30, 40), "f4").astype("c8"), picture((64, 30, 40), "f4")
    for image, axes, reason in (
        (complex_, NM, "Fourier transform"),
        (complex_.astype("c16"), NM, "Fourier transform"),
        (spectra, [*NM, (1.0, "eV")], "spectra"),
        (spectra[0, 0], [(1.0, "eV")], "spectra only"),
    ):
        writer.write(tmp_path / "a.dm", writer.image(image, axes))
        with pytest.raises(BadItem, match=reason):
            read(tmp_path / "a.dm")


@pytest.mark.parametrize("version", [3, 4])
def test_broken_tags_are_refused_before_anything_is_allocated(tmp_path, version):
    image, writer = picture((30, 40)), Writer(version)
    whole = writer.image(image, NM)
    writer.write(tmp_path / "a.dm", whole)
    raw = (tmp_path / "a.dm").read_bytes()
    short = writer.image(image, NM).replace(writer.number("", 5, 30), writer.number("", 5, 31))
    huge = writer.image(image, NM).replace(writer.number("", 5, 30), writer.number("", 5, 2**31))
    for body, reason in ((short, "holds 2400 bytes"), (huge, "too large")):
        writer.write(tmp_path / "a.dm", body)
        with pytest.raises(BadItem, match=reason):
            read(tmp_path / "a.dm")
    for length in range(20, len(raw) - 12, 61):  # the last eight bytes are empty
        (tmp_path / "a.dm").write_bytes(raw[:length])
        with pytest.raises(BadItem):
            read(tmp_path / "a.dm")
