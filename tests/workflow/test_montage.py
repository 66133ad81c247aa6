"""A montage larger than the memory of a job goes through the whole line, and every number is that of the whole."""

import os
import subprocess
import tempfile

import numpy as np
import pandas as pd
import pytest
from matlens.quantify import regions
from matlens.segment import otsu
from matlens.store import io

SIDE, TILE = 20_000, 2048
DEPTH, BALL, RADIUS = 800, 64, 22  # of a volume: its side, that of the cell of a ball, its radius


def montage(path, side: int) -> None:
    """Write a TIFF of discs, with noise and light that changes from edge to edge; made band by band."""
    import tifffile

    rng = np.random.default_rng(0)
    y, x = np.mgrid[:TILE, :TILE]
    tile = 90 + 80 * (np.hypot(y % 128 - 64, x % 128 - 64) < 40) + rng.normal(0, 12, (TILE, TILE))
    light = np.linspace(-10, 10, side)

    pixels = tifffile.memmap(path, shape=(side, side), dtype=np.uint8)
    for first in range(0, side, TILE):
        band = np.concatenate([np.roll(tile, 31 * n + first, 1) for n in range(-(-side // TILE))], 1)
        pixels[first : first + TILE] = np.clip(band[: side - first, :side] + light, 0, 255).astype(np.uint8)
    pixels.flush()


def peak_mib(house) -> float:
    """Run the study and return the memory of its largest job, in MiB."""
    command = house.command("--cores", "1", "--config", "studies=mine")
    with tempfile.TemporaryFile("w+") as told:
        run = subprocess.Popen(command, cwd=house.folder, env=house.env, stdout=told, stderr=told)
        _, status, used = os.wait4(run.pid, 0)
        told.seek(0)
        assert status == 0, told.read()
    return used.ru_maxrss / 1024


def tomogram(path, side: int) -> None:
    """Write a volume of balls on a skew lattice, with noise, slice by slice."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    noise = rng.normal(0, 12, (side, side)).astype(np.float32)
    pixels = np.lib.format.open_memmap(path, "w+", np.uint8, (side, side, side))
    for z in range(side):
        layer, depth = divmod(z, BALL)
        flat = (y + 7 * layer) % BALL, (x + 13 * layer) % BALL
        ball = (flat[0] - BALL / 2) ** 2 + (flat[1] - BALL / 2) ** 2 + (depth - BALL / 2) ** 2 < RADIUS**2
        pixels[z] = np.clip(90 + 80 * ball + np.roll(noise, 31 * z, 1), 0, 255)
        if z % 64 == 63:
            pixels.flush()


@pytest.mark.slow
def test_a_montage_goes_through_the_line_within_two_gibibytes(house, tmp_path):
    montage(tmp_path / "montage.tif", SIDE)
    measures = {"fractions": {}, "regions": {}, "sizes": {}}
    house.study(
        "mine",
        phases=["ground", "disc"],
        ingest={"files": {"path": str(tmp_path / "montage.tif"), "max_pixels": SIDE**2}},
        segment={"otsu": {}},
        quantify=measures,
        figures={"overlays": {}, "sizes": {}},
    )
    assert peak_mib(house) < 2048
    assert not len(house.read("mine", "rejected"))
    fractions = house.read("mine", "fractions")
    assert fractions["area_fraction"][1] == pytest.approx(np.pi * 40**2 / 128**2, abs=0.01)

    top, left, height, width = 8_000, 11_000, 4_500, 3_000  # over the edges of bands and chunks
    with io.read_arrays(house.folder / "results/mine/segment/otsu/labels/0000.zarr.zip") as labels:
        crop = labels.rows(0, top, top + height)[:, left : left + width]
    part = regions.measure(crop, ["ground", "disc"])
    part = part[~part["touches_border"]]
    part = part.assign(**{name: part[name] + top for name in part if "_y_" in name})
    part = part.assign(**{name: part[name] + left for name in part if "_x_" in name})
    whole = pd.read_parquet(house.folder / "results/mine/quantify/otsu/regions/all.parquet")
    corner = ["bbox_y_min_px", "bbox_x_min_px"]
    assert len(part) > 500
    both = part.merge(whole, on=[*corner, "bbox_y_max_px", "bbox_x_max_px"], suffixes=("", "_whole"))
    assert len(both) == len(part)
    for name in ("area_px2", "perimeter_px", "feret_max_px", "feret_min_px", "convex_area_px2", "neighbours"):
        np.testing.assert_array_equal(both[name], both[f"{name}_whole"])
    for name in ("major_axis_px", "minor_axis_px", "orientation_deg", "centroid_y_px", "centroid_x_px"):
        np.testing.assert_allclose(both[name], both[f"{name}_whole"], rtol=1e-9)


@pytest.mark.slow
def test_a_tomogram_goes_through_the_line_within_two_gibibytes(house, tmp_path):
    tomogram(tmp_path / "balls.npy", DEPTH)
    house.study(
        "mine",
        phases=["ground", "ball"],
        ingest={"files": {"path": str(tmp_path / "balls.npy"), "stack": "z", "max_pixels": DEPTH**3}},
        segment={"otsu": {}},
        quantify={"fractions": {}, "regions": {}, "sizes": {}},
        figures={"overlays": {}},
    )
    assert peak_mib(house) < 2048
    assert not len(house.read("mine", "rejected"))
    ball = 4 / 3 * np.pi * RADIUS**3
    whole = house.read("mine", "regions")
    inner = whole[~whole["touches_border"]]
    cells = DEPTH // BALL
    assert (cells - 2) ** 3 <= len(inner) <= (cells + 1) ** 3
    assert inner["volume_px3"].mean() == pytest.approx(ball, rel=0.01)
    assert inner["sphericity"].mean() == pytest.approx(1.0, abs=0.05)
    assert house.read("mine", "fractions")["area_fraction"][1] == pytest.approx(ball / BALL**3, rel=0.05)

    box = slice(60, 280), slice(400, 620), slice(450, 670)  # over the edges of slabs and bricks
    with (
        io.read_arrays(house.folder / "results/mine/segment/otsu/labels/0000.zarr.zip") as labels,
        io.read_arrays(house.folder / "results/mine/ingest/files/images/0000.zarr.zip") as images,
    ):
        crop, image = labels.rows(0, box[0].start, box[0].stop)[:, *box[1:]], images.unit_part(0, *box)
    inside = (slice(8, -8),) * 3
    assert (crop[inside] != otsu.segment(image)[inside]).mean() < 1e-4  # its own threshold, but for the last digits
    part = regions_of(crop, box, whole)
    assert len(part) >= 8
    np.testing.assert_array_equal(part["volume_px3"], part["volume_px3_whole"])
    np.testing.assert_allclose(part["surface_area_px2"], part["surface_area_px2_whole"], rtol=1e-8)


def regions_of(crop, box, whole):
    """Measure the regions inside a crop of a volume, and put those of the whole beside them."""
    part = regions.measure(crop, ["ground", "ball"])
    part = part[~part["touches_border"]]
    for axis, cut in zip("zyx", box, strict=True):
        part = part.assign(**{name: part[name] + cut.start for name in part if f"_{axis}_" in name})
    corners = [f"bbox_{axis}_{end}_px" for axis in "zyx" for end in ("min", "max")]
    both = part.merge(whole, on=corners, suffixes=("", "_whole"))
    assert len(both) == len(part)
    return both
