"""Large images stay in their files: the pixels, the range and the metadata are those of the whole."""

import mrcfile
import numpy as np
import pytest
import tifffile
import zarr
from matlens.ingest import files, lazy_arrays
from matlens.job.batch import BadItem
from matlens.store import io

IMAGE = np.random.default_rng(0).integers(3, 40_000, (301, 257), np.uint16)
VOLUME = np.random.default_rng(0).integers(0, 200, (140, 33, 41), np.uint8)


def omezarr(path, pixels: np.ndarray) -> None:
    root = zarr.create_group(path, zarr_format=2)
    root.create_array("0", data=pixels, chunks=tuple(min(n, 64) for n in pixels.shape))
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"[-pixels.ndim :]]
    change = [{"type": "scale", "scale": [0.5] * pixels.ndim}]
    scales = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": change}], "version": "0.4"}
    root.attrs["multiscales"] = [scales]


def mrc(path, pixels: np.ndarray) -> None:
    with mrcfile.new(path) as out:
        out.set_data(pixels)
        if pixels.ndim == 3:
            out.set_volume()


def tiff(**options):
    def write(path, pixels: np.ndarray) -> None:
        axes = {"metadata": {"axes": "ZYX"}} if pixels.ndim == 3 and "byteorder" not in options else {}
        tifffile.imwrite(path, pixels, photometric="minisblack", **axes, **options)

    return write


WRITERS = {
    "a.npy": np.save,
    "a.mrc": mrc,
    "a.zarr": omezarr,
    "plain.tif": tiff(),
    "strips.tif": tiff(rowsperstrip=16),
    "tiles.tif": tiff(tile=(64, 64), compression="zlib"),
    "big.tif": tiff(byteorder=">", bigtiff=True),
    "ome.ome.tif": tiff(compression="zlib"),
}


@pytest.mark.parametrize("pixels", [IMAGE, VOLUME], ids=["image", "volume"])
@pytest.mark.parametrize("name", WRITERS)
def test_what_is_stored_of_a_large_image_is_what_is_stored_of_the_whole(tmp_path, monkeypatch, name, pixels):
    path = tmp_path / name
    WRITERS[name](path, pixels)
    whole = files.read({"file": str(path)}, ["a"], crop_bars=False)
    monkeypatch.setattr(lazy_arrays, "LARGE_PX", 1000)
    monkeypatch.setattr(lazy_arrays, "PART_BYTES", 5000)
    left = files.read({"file": str(path)}, ["a"])
    assert isinstance(whole.pixels, np.ndarray)
    assert isinstance(left.pixels, lazy_arrays.Parts)
    for key in ("axes", "pixel_size_um", "intensity_low", "intensity_high", "meta"):
        assert getattr(left, key) == getattr(whole, key), key
    for kind, found in {"whole": whole, "left": left}.items():
        with io.write_arrays(tmp_path / f"{kind}.zip") as out:
            out.add(0, found.pixels, found.axes, {"item": "a", "pixel_size_um": found.pixel_size_um})
    assert (tmp_path / "left.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()
    with io.read_arrays(tmp_path / "left.zip") as found:
        np.testing.assert_array_equal(found[0], pixels)


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_pixels_that_are_no_numbers_are_found_in_any_part(tmp_path, monkeypatch, lost):
    pixels = np.zeros((90, 80), np.float32)
    pixels[:, 5] = 1.0
    monkeypatch.setattr(lazy_arrays, "LARGE_PX", 1000)
    monkeypatch.setattr(lazy_arrays, "PART_BYTES", 1000)
    np.save(tmp_path / "a.npy", pixels)
    found = files.read({"file": str(tmp_path / "a.npy")}, ["a"])
    assert (found.intensity_low, found.intensity_high) == (0.0, 1.0)
    pixels[70, 3] = lost
    np.save(tmp_path / "a.npy", pixels)
    with pytest.raises(BadItem, match="not finite"):
        files.read({"file": str(tmp_path / "a.npy")}, ["a"])


def test_colour_and_turned_grey_are_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(lazy_arrays, "LARGE_PX", 1000)
    colour = np.random.default_rng(0).integers(0, 255, (60, 70, 3), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", colour, photometric="rgb")
    tifffile.imwrite(tmp_path / "b.tif", colour[..., 0], photometric="miniswhite")
    np.save(tmp_path / "c.npy", colour)
    for name in ("a.tif", "b.tif", "c.npy"):
        assert isinstance(files.read({"file": str(tmp_path / name)}, ["a"]).pixels, np.ndarray)
