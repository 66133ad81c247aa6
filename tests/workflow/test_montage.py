"""A montage larger than the memory of a job goes through the whole line, and every number is that of the whole."""

import os
import subprocess
import tempfile

import numpy as np
import pandas as pd
import pytest
from matlens import io
from matlens.quantify import regions

SIDE, TILE = 20_000, 2048


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


@pytest.mark.slow
def test_a_montage_goes_through_the_line_within_two_gibibytes(house, tmp_path):
    montage(tmp_path / "montage.tif", SIDE)
    measures = {"fractions": {}, "regions": {}, "sizes": {}}
    house.study(
        "mine",
        phases=["ground", "disc"],
        ingest={"files": {"path": str(tmp_path / "montage.tif"), "crop_bars": False, "max_pixels": SIDE**2}},
        segment={"otsu": {}},
        quantify=measures,
        figures={"overlays": {}, "sizes": {}},
    )
    command = house.command("--cores", "1", "--config", "studies=mine")
    with tempfile.TemporaryFile("w+") as told:
        run = subprocess.Popen(command, cwd=house.folder, env=house.env, stdout=told, stderr=told)
        _, status, used = os.wait4(run.pid, 0)
        told.seek(0)
        assert status == 0, told.read()
    assert used.ru_maxrss / 1024 < 2048, "the largest job of the line, in MiB"
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
