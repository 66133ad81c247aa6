"""Information bars are cut where there are some, to the row, and nowhere else."""

import numpy as np
import pytest
import tifffile
from matlens.ingest import bars, files, readers
from PIL import Image, ImageDraw

WITHOUT = [
    "superalloy_nasa/train/images",
    "tbm_grains/images",
    "ebc_nasa/images",
    "tem_loops_316L/images",
    "hydride_zr/images",
    "gammaprime_ageing/images",
    "powder_ampis/images",
    "meltpool_nasa/images",
    "uhcs_spheroidite/images",
    "nist_grainsize",
]


def micrograph(height=480, width=640, mean=110, noise=14, seed=0):
    """Make grains with detector noise."""
    rng = np.random.default_rng(seed)
    grains = np.kron(rng.integers(-50, 50, (height // 40 + 1, width // 40 + 1)), np.ones((40, 40)))[:height, :width]
    return np.clip(mean + grains + rng.normal(0, noise, (height, width)), 0, 255).astype(np.uint8)


def bar(height, width=640, back=0, ink=255, text="HV 15.0 kV  mag 5 000 x  WD 9.8 mm   10 um", frame=False):
    """Draw an information bar."""
    strip = Image.new("L", (width, height), back)
    draw = ImageDraw.Draw(strip)
    draw.text((12, height // 4), text, fill=ink)
    draw.text((width // 2, height // 2), text, fill=ink)
    draw.rectangle((width - 120, height // 2, width - 40, height // 2 + 3), fill=ink)
    if frame:
        draw.rectangle((0, 0, width - 1, height - 1), outline=ink)
    return np.asarray(strip)


@pytest.mark.parametrize("folder", WITHOUT)
def test_no_real_micrograph_loses_a_row(data, folder):
    paths = [p for p in sorted(data(f"micrographs/{folder}").iterdir()) if p.suffix in (".png", ".jpg", ".tif")]
    assert paths
    for path in paths:
        pixels = readers.read(str(path), max_pixels=2**28).pixels
        assert bars.find_info_bar(pixels) == (0, 0), path
        assert bars.find_scale_bar(pixels) is None, path


def test_real_bars(data):
    helios = readers.read(str(data("micrographs/raw_instrument/FEI-Helios-Ebeam-8bits.tif")), max_pixels=2**28)
    assert bars.find_info_bar(helios.pixels) == (0, 471 - 442)  # its header: Image.ResolutionY = 442
    zeiss = readers.read(str(data("micrographs/raw_instrument/test_tiff_Zeiss_SEM_1k.tif")), max_pixels=2**28)
    top, bottom = bars.find_info_bar(zeiss.pixels)
    assert top == 0
    assert (zeiss.pixels[-bottom, 2:-1] == 0).all()  # a black frame, and white below it; read off the picture
    assert (zeiss.pixels[-bottom + 1, 3:-2] == 255).all()
    assert len(np.unique(zeiss.pixels[-bottom - 1])) > 20
    for path in sorted(data("micrographs/tem_insitu_Ti/loop_sequence").iterdir()):
        frame = readers.read(str(path), max_pixels=2**28).pixels
        assert bars.find_info_bar(frame) == (0, 160)  # 420 x 390 of image, read off the picture
        assert bars.find_scale_bar(frame)["width"] == 97


@pytest.mark.parametrize("height", [24, 40, 64, 100])
@pytest.mark.parametrize(("back", "ink", "frame"), [(0, 255, False), (255, 0, False), (0, 255, True), (20, 230, False)])
@pytest.mark.parametrize("mean", [20, 110, 230])
def test_drawn_bars_are_found_to_the_row(height, back, ink, frame, mean):
    image = np.vstack([micrograph(mean=mean), bar(height, back=back, ink=ink, frame=frame)])
    assert bars.find_info_bar(image) == (0, height)
    assert bars.find_info_bar(image[::-1]) == (height, 0)
    wide = image.astype(np.uint16) * 257
    assert bars.find_info_bar(wide) == (0, height)


@pytest.mark.parametrize("back", [100, 128, 150])
def test_bars_of_a_middling_grey_are_found_and_flat_structures_are_not(back):
    image = np.vstack([micrograph(mean=60, noise=6), bar(56, back=back, ink=255 if back < 140 else 0)])
    image[5, 5:7] = 0, 255
    assert bars.find_info_bar(image) == (0, 56)
    rng = np.random.default_rng(1)
    assert bars.find_info_bar(np.where(image == back, back + rng.integers(-2, 3, image.shape), image)) == (0, 0)
    labels = np.vstack([micrograph() // 90, np.full((56, 640), 1, np.uint8)])
    labels[500:510, 100:300] = 0
    assert labels.max() == 2
    assert bars.find_info_bar(labels) == (0, 0)


def test_bars_survive_jpeg(tmp_path):
    image = np.vstack([micrograph(), bar(56)])
    Image.fromarray(image).save(tmp_path / "a.jpg", quality=85)
    assert bars.find_info_bar(readers.read(str(tmp_path / "a.jpg"), max_pixels=2**28).pixels) == (0, 56)


def test_synthetic_structures_are_not_bars():
    y, x = np.mgrid[:200, :300]
    discs = (((x % 60) - 30) ** 2 + ((y % 60) - 30) ** 2 < 200).astype(np.uint8) * 255
    laminate = np.repeat(np.arange(20) % 2, 10)[:, None].repeat(300, 1).astype(np.uint8) * 255
    edge = np.vstack([micrograph(160, 300), np.zeros((40, 300), np.uint8)])  # a black margin could be the specimen's
    for image in (discs, 255 - discs, laminate, discs // 255, edge, np.eye(200, dtype=np.uint8)):
        assert bars.find_info_bar(image) == (0, 0)


def test_scale_bars_within_the_image():
    image = micrograph()
    assert bars.find_scale_bar(image) is None
    image[440:446, 500:600] = 255
    assert bars.find_scale_bar(image) == {"x": 500, "y": 440, "width": 100, "height": 6}
    image[440:446, 500:600] = 0
    assert bars.find_scale_bar(image) == {"x": 500, "y": 440, "width": 100, "height": 6}


def test_reading_cuts_the_bar_off_image_and_mask(tmp_path):
    image = np.vstack([micrograph(), bar(56)])
    image[400:404, 40:140] = 255
    tifffile.imwrite(tmp_path / "a.tif", image, metadata=None)
    mask = (np.arange(image.size).reshape(image.shape) // 7 % 2).astype(np.uint8)
    Image.fromarray(mask).save(tmp_path / "full.png")
    Image.fromarray(mask[:480]).save(tmp_path / "cut.png")
    for name in ("full.png", "cut.png"):
        item = {"file": str(tmp_path / "a.tif"), "truth_file": str(tmp_path / name)}
        found = files.read(item, ["matrix", "particle"])
        assert np.array_equal(found.pixels, image[:480])
        hidden = np.zeros((480, 640), bool)
        hidden[398:406, 38:142] = True  # the scale bar and two pixels around it
        assert np.array_equal(found.truth, np.where(hidden, 255, mask[:480]))
        assert np.array_equal(found.layers["ignore"], hidden)
        assert (found.meta["bar_rows_px"], found.meta["scale_bar_px"]) == (56, 100)
        assert found.meta["scale_bar_box"] == "40,400,100,4"
    whole = files.read(item | {"truth_file": str(tmp_path / "full.png")}, ["matrix", "particle"], crop_bars=False)
    assert whole.pixels.shape == whole.truth.shape == image.shape
    assert "bar_rows_px" not in whole.meta


def test_a_drawn_scale_bar_of_an_image_without_a_pixel_size_says_how_to_give_one(tmp_path):
    image = np.random.default_rng(0).normal(110, 12, (480, 640)).clip(0, 230).astype(np.uint8)
    for name, options in (
        ("plain.tif", {}),
        ("scaled.tif", {"imagej": True, "resolution": (2, 2), "metadata": {"unit": "um"}}),
    ):
        drawn = image.copy()
        drawn[440:446, 500:600] = 255
        tifffile.imwrite(tmp_path / name, drawn, **options)
    found = files.read({"file": str(tmp_path / "plain.tif")}, ["a", "b"])
    assert found.meta["scale_note"].endswith(
        "a scale bar of 100 pixels is drawn: give pixel_size_um, its length in micrometres / 100"
    )
    assert "scale_note" not in files.read({"file": str(tmp_path / "scaled.tif")}, ["a", "b"]).meta
    assert "scale_note" not in files.read({"file": str(tmp_path / "plain.tif")}, ["a", "b"], pixel_size_um=0.1).meta
    tifffile.imwrite(tmp_path / "bare.tif", image)
    assert "scale_note" not in files.read({"file": str(tmp_path / "bare.tif")}, ["a", "b"]).meta
