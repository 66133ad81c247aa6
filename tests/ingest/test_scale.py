"""The scale of every axis, in every format, and the notes on doubtful ones."""

import json
import struct

import numpy as np
import pytest
import tifffile
from matlens import ingest
from matlens.ingest import files, readers
from matlens.ingest.readers import common
from matlens.job.batch import BadItem

from . import specimens

PHASES = ["a", "b"]
STACK = np.arange(5 * 20 * 24, dtype=np.uint16).reshape(5, 20, 24)
CASES = "cases/images/"


def read(path, **options):
    return files.read({"file": str(path)}, PHASES, **options)


def spacing(path):
    found = readers.read(str(path), max_pixels=1 << 28)
    return found.axes, None if found.spacing_um is None else tuple(pytest.approx(s, rel=1e-4) for s in found.spacing_um)


@pytest.mark.parametrize(
    ("unit", "um"),
    [("um", 1), ("\\u00B5m", 1), ("micron", 1), ("nm", 1e-3), ("mm", 1e3), ("cm", 1e4), ("inch", 25400), ("pm", 1e-6)],
)
def test_imagej_states_the_distance_of_slices_in_its_unit(tmp_path, unit, um):
    x, z = 0.5 / um, 2.0 / um  # micrometres of x, y, z: 0.5, 0.5, 2
    about = {"axes": "ZYX", "unit": unit, "spacing": z}
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True, resolution=(1 / x, 1 / x), metadata=about)
    assert spacing(tmp_path / "a.tif") == ("zyx", (2.0, 0.5, 0.5))


def test_imagej_states_unequal_units(tmp_path):
    about = {"axes": "ZYX", "unit": "um", "yunit": "nm", "zunit": "mm", "spacing": 0.002}
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True, resolution=(2, 0.001), metadata=about)
    assert spacing(tmp_path / "a.tif") == ("zyx", (2.0, 1.0, 0.5))


def test_ome_tiff_states_every_axis_with_its_own_unit(tmp_path):
    about = {"axes": "ZYX", "PhysicalSizeX": 50, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.1}
    about |= {"PhysicalSizeZ": 0.002, "PhysicalSizeZUnit": "mm"}
    tifffile.imwrite(tmp_path / "a.ome.tif", STACK, metadata=about)
    assert spacing(tmp_path / "a.ome.tif") == ("zyx", (2.0, 0.1, 0.05))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("silent", [False, True])
def test_each_image_of_an_ome_tiff_has_its_own_scale_and_bits(tmp_path, order, silent):
    images = [np.full((30, 40), 7, np.uint16), np.full((130, 170), 9, np.uint16)]
    images[1][:, 3] = 4000
    sizes = [2.0, 0.05]
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as out:
        for k in order:
            about = {"axes": "YX", "PhysicalSizeX": sizes[k], "PhysicalSizeY": sizes[k] * 2}
            about["SignificantBits"] = [8, 12][k]
            out.write(images[k], metadata={"axes": "YX"} if silent and k == 1 else about)
    found = read(tmp_path / "a.ome.tif")
    assert found.pixels.shape == (130, 170) and found.intensity_high == 4095
    assert found.spacing_um == (None if silent else (pytest.approx(0.1), pytest.approx(0.05)))


def test_mrc_and_arrays_state_every_axis(tmp_path):
    specimens.mrc(tmp_path / "a.mrc", STACK, angstrom=(10, 20, 50))
    assert spacing(tmp_path / "a.mrc") == ("zyx", (5e-3, 2e-3, 1e-3))
    specimens.mrc(tmp_path / "b.mrc", STACK, angstrom=(10, 20, 1))  # 1 angstrom is what programs write
    assert readers.read(str(tmp_path / "b.mrc"), max_pixels=1 << 28).spacing_um[0] is None
    specimens.mrc(tmp_path / "c.mrc", STACK, angstrom=(10, 10, 50), stack=True)
    assert spacing(tmp_path / "c.mrc") == ("tyx", (1e-3, 1e-3))


def test_ome_zarr_and_hdf5_state_every_axis(tmp_path):
    import h5py

    specimens.omezarr(tmp_path / "a.zarr", STACK, "zyx")
    meta = json.loads((tmp_path / "a.zarr" / "zarr.json").read_text())
    (scales,) = meta["attributes"]["ome"]["multiscales"]
    scales["datasets"][0]["coordinateTransformations"] = [{"type": "scale", "scale": [8.0, 3.0, 2.0]}]
    (tmp_path / "a.zarr" / "zarr.json").write_text(json.dumps(meta))
    assert spacing(tmp_path / "a.zarr") == ("zyx", (8e-3, 3e-3, 2e-3))
    with h5py.File(tmp_path / "b.h5", "w") as out:
        out.create_dataset("data", data=STACK).attrs["element_size_um"] = [5.0, 2.0, 1.0]
    assert spacing(tmp_path / "b.h5") == ("zyx", (5.0, 2.0, 1.0))


def test_tiff_resolution_of_unequal_axes(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK[0], resolution=(1e5, 5e4), resolutionunit="CENTIMETER")
    assert spacing(tmp_path / "a.tif") == ("yx", (0.2, 0.1))


@pytest.mark.parametrize(
    ("unit", "name", "axes"),
    [("nm", "", "zyx"), ("", "", "tyx"), ("deg", "", "tyx"), ("s", "z", "tyx"), ("", "z", "zyx"), ("m", "", "zyx"),
     ("degrees", "tilt", "tyx"), (None, "frame", "tyx"), ("eV", "", "tyx"), ("°", "z", "tyx")],
)  # fmt: skip
def test_an_axis_is_depth_where_its_unit_is_a_length(unit, name, axes):
    assert common.stack_axes(unit, name) == axes


def test_dm_stack_without_a_length_is_a_series(tmp_path):
    specimens.dm3(tmp_path / "a.dm3", STACK, unit="")
    assert spacing(tmp_path / "a.dm3") == ("tyx", None)
    specimens.dm3(tmp_path / "b.dm3", STACK, unit="nm")
    assert spacing(tmp_path / "b.dm3") == ("zyx", (2.5e-4,) * 3)
    found = read(tmp_path / "a.dm3", stack="z", spacing_um=[3.0, 2.0, 1.0])
    assert (found.axes, found.spacing_um) == ("zyx", (3.0, 2.0, 1.0))


def test_the_study_overrides_the_file_and_says_so(tmp_path):
    about = {"axes": "ZYX", "unit": "um", "spacing": 2.0}
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True, resolution=(2, 2), metadata=about)
    found = read(tmp_path / "a.tif", spacing_um=[2.02, 0.5, 0.6])
    assert found.spacing_um == (2.02, 0.5, 0.6) and found.pixel_size_um == 0.6
    assert found.meta["scale_note"] == "the file states 0.5 um along x, the study 0.6 um, which is used"
    found = read(tmp_path / "a.tif", pixel_size_um=0.5)
    assert found.spacing_um == (2.0, 0.5, 0.5) and "scale_note" not in found.meta
    found = read(tmp_path / "a.tif", spacing_um=[0.5, 0.25])
    assert found.spacing_um == (2.0, 0.5, 0.25)
    item = {"file": str(tmp_path / "a.tif"), "pixel_size_um": 0.5, "pixel_size_y_um": np.nan, "pixel_size_z_um": 4.0}
    assert files.read(item, PHASES).spacing_um == (4.0, 0.5, 0.5)
    assert read(tmp_path / "a.tif", stack="t").spacing_um == (0.5, 0.5)
    for bad in ({"pixel_size_y_um": 1.0}, {"pixel_size_um": 1.0, "pixel_size_z_um": -1.0}):
        with pytest.raises(BadItem, match="pixel_size"):
            files.read({"file": str(tmp_path / "a.tif")} | bad, PHASES)


def test_slices_of_unknown_distance_are_reported(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True, resolution=(2, 2), metadata={"axes": "ZYX", "unit": "um"})
    found = read(tmp_path / "a.tif")
    assert found.spacing_um == (None, 0.5, 0.5) and "give spacing_um: [z, y, x]" in found.meta["scale_note"]
    row = ingest.index_row(found, {"item": "a"})
    assert (row["pixel_size_um"], row["pixel_size_y_um"], row["pixel_size_z_um"]) == (0.5, 0.5, None)
    found = read(tmp_path / "a.tif", pixel_size_um=0.5)
    assert found.spacing_um == (0.5, 0.5, 0.5) and "one pixel size apart" in found.meta["scale_note"]


def test_an_implausible_scale_is_reported(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK[0], imagej=True, resolution=(2, 2), metadata={"unit": "mm"})
    found = read(tmp_path / "a.tif")
    assert found.pixel_size_um == 500 and "500 um per pixel along x is implausible" in found.meta["scale_note"]


def turn(image, flag):
    """Store an image so that it is shown as it is with an orientation flag: the inverse of the TIFF table."""
    stored = {
        1: image, 2: image[:, ::-1], 3: image[::-1, ::-1], 4: image[::-1], 5: image.T,
        6: np.rot90(image, 1), 7: image[::-1, ::-1].T, 8: np.rot90(image, -1),
    }  # fmt: skip
    return np.ascontiguousarray(stored[flag])


@pytest.mark.parametrize("flag", range(1, 9))
def test_orientation_flags_are_obeyed_for_images_masks_and_colours(tmp_path, flag):
    from PIL import Image

    shown = np.zeros((40, 60), np.uint8)
    shown[3:12, 5:30] = 200
    stored = turn(shown, flag)
    tag = [(274, "H", 1, flag, True)]
    x, y = (0.1, 0.2) if flag < 5 else (0.2, 0.1)  # of what is stored
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        out.write(stored, extratags=tag, resolution=(1e4 / x, 1e4 / y), resolutionunit="CENTIMETER", metadata=None)
    tifffile.imwrite(tmp_path / "m.tif", (stored > 0).astype(np.uint8), extratags=tag)
    exif = Image.Exif()
    exif[274] = flag
    Image.fromarray((stored > 0).astype(np.uint8)).save(tmp_path / "m.png", exif=exif)
    Image.fromarray(np.stack([stored, stored // 2, stored], -1)).save(tmp_path / "a.png", exif=exif)
    Image.fromarray(stored).save(tmp_path / "a.jpg", exif=exif, quality=95)
    for mask in ("m.tif", "m.png"):
        item = {"file": str(tmp_path / "a.tif"), "truth_file": str(tmp_path / mask)}
        found = files.read(item, PHASES, crop_bars=False)
        assert np.array_equal(found.pixels, shown) and np.array_equal(found.truth, shown > 0)
        assert found.spacing_um == (pytest.approx(0.2), pytest.approx(0.1))
    found = read(tmp_path / "a.png", colour=True, crop_bars=False)
    assert np.array_equal(found.layers["colour"][0], shown)
    assert np.array_equal(found.pixels > 0.3, shown > 0)
    assert np.array_equal(read(tmp_path / "a.jpg", crop_bars=False).pixels > 100, shown > 0)


def test_orientation_of_a_stack_turns_its_pages(tmp_path):
    shown = np.stack([np.arange(600, dtype=np.uint16).reshape(20, 30) + k for k in range(3)])
    stored = np.stack([turn(page, 6) for page in shown])
    tifffile.imwrite(tmp_path / "a.tif", stored, extratags=[(274, "H", 1, 6, True)], photometric="minisblack")
    assert np.array_equal(readers.read(str(tmp_path / "a.tif"), max_pixels=1 << 20).pixels, shown)


@pytest.mark.parametrize("case", ["01_z_spacing", "02_unequal_x_and_y"])
def test_shared_cases_of_spacing(data, case):
    folder = data(CASES + case)
    for name, about in json.loads((folder / "expected.json").read_text())["inputs"].items():
        right = next(about["right"][key] for key in about["right"] if key.startswith("spacing_um"))
        assert read(folder / name).spacing_um == pytest.approx(right["value"], rel=right["rel"]), name


@pytest.mark.parametrize("case", ["03_scale_of_another_image", "04_dm_third_axis"])
def test_shared_cases_of_other_images_and_third_axes(data, case):
    folder = data(CASES + case)
    for name, about in json.loads((folder / "expected.json").read_text())["inputs"].items():
        found, right = read(folder / name), about["right"]
        assert found.pixel_size_um == pytest.approx(right["pixel_size_um"]["value"], rel=1e-4), name
        assert list(found.pixels.shape) == right.get("shape", right.get("shape_yx")), name
        assert found.axes == right.get("axes", "yx"), name


def test_shared_cases_of_orientation(data):
    from scipy import ndimage

    folder = data(CASES + "07_orientation_flag")
    for name, about in json.loads((folder / "expected.json").read_text())["inputs"].items():
        mask = next((folder / "masks").glob(name.split(".")[0] + ".*"))
        item = {"file": str(folder / name), "truth_file": str(mask)}
        found = files.read(item, PHASES, truth_values={"b": "other", "a": [0]})
        discs = found.pixels > 120
        assert list(found.pixels.shape) == about["right"]["shape_yx_as_shown"]
        assert (discs & (found.truth > 0)).sum() / (discs | (found.truth > 0)).sum() > 0.97, name
        labels, count = ndimage.label(discs)
        first = ndimage.center_of_mass(labels == labels[discs][0])
        assert count == 5 and first == pytest.approx((27, 138), abs=1.0), name


def test_an_mrc_header_without_sampling_counts_pixels(tmp_path):
    specimens.mrc(tmp_path / "a.mrc", STACK, angstrom=(10, 10, 50))
    raw = bytearray((tmp_path / "a.mrc").read_bytes())
    raw[28:40] = struct.pack("<3i", 0, 0, 0)  # mx, my, mz
    (tmp_path / "a.mrc").write_bytes(raw)
    assert spacing(tmp_path / "a.mrc") == ("zyx", (5e-3, 1e-3, 1e-3))
