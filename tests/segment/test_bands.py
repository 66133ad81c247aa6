"""Images larger than memory: the labels and fractions of the whole, in bands."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matlens import io
from matlens.batch import BadItem
from matlens.segment import bands, histogram, otsu

ROOT = Path(__file__).resolve().parents[2]


def montage(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """Draw bright blobs on a dark ground whose light changes from edge to edge."""
    rng = np.random.default_rng(seed)
    noise = histogram.smooth(rng.normal(size=(rows, columns)).astype(np.float32), 6.0)
    slope = np.linspace(0, 0.2, rows, dtype=np.float32)[:, None]
    return np.clip(0.3 + slope + 0.4 * (noise > 0.03) + rng.normal(0, 0.03, noise.shape), 0, 1).astype(np.float32)


@pytest.mark.parametrize("foreground", ["bright", "dark"])
@pytest.mark.parametrize("sigma_px", [0.0, 1.0, 7.3])
@pytest.mark.parametrize("rows", [1000, 64, 131])
def test_bands_give_the_labels_of_the_whole(monkeypatch, rows, sigma_px, foreground):
    image = montage(517, 300)
    monkeypatch.setattr(bands, "BAND_ROWS", rows)
    read = lambda first, last: image[first:last].copy()  # noqa: E731
    found = np.concatenate(list(bands.otsu(read, image.shape, foreground=foreground, sigma_px=sigma_px)))
    np.testing.assert_array_equal(found, otsu.segment(image, foreground=foreground, sigma_px=sigma_px))


def test_what_no_band_can_do_is_refused_and_a_constant_image_is_ground(monkeypatch):
    image = np.full((300, 50), 0.5, np.float32)
    monkeypatch.setattr(bands, "BAND_ROWS", 64)
    read = lambda first, last: image[first:last]  # noqa: E731
    assert not np.concatenate(list(bands.otsu(read, image.shape))).any()
    with pytest.raises(BadItem, match="too wide"):
        list(bands.otsu(read, image.shape, sigma_px=40.0))
    image[200, 3] = np.nan
    with pytest.raises(BadItem, match="finite"):
        bands.otsu(read, image.shape)


def test_bands_are_stored_as_the_whole_is(tmp_path):
    labels = (montage(4500, 2100) > 0.5).astype(np.uint8)
    about = {"item": "a", "pixel_size_um": 0.1}
    with io.write_arrays(tmp_path / "whole.zip") as out:
        out.add(3, labels, "yx", about)
    with io.write_arrays(tmp_path / "bands.zip") as out:
        out.add_bands(3, (labels[i : i + 2048] for i in range(0, 4500, 2048)), labels.shape, "yx", about)
    assert (tmp_path / "whole.zip").read_bytes() == (tmp_path / "bands.zip").read_bytes()
    with io.read_arrays(tmp_path / "bands.zip") as found:
        assert found.shape(3) == labels.shape


MADE = """
import json, resource, sys
sys.path.insert(0, {scripts!r})
import numpy as np
from matlens import io
side = {side}
rng = np.random.default_rng(0)
tile = rng.normal(0, 12, (2048, 2048))
y, x = np.mgrid[:2048, :2048]
tile = np.clip(90 + 80 * (np.hypot(y % 128 - 64, x % 128 - 64) < 40) + tile, 0, 255).astype(np.uint8)
def rows():
    for first in range(0, side, 2048):
        band = np.concatenate([np.roll(tile, 31 * n + first, 1) for n in range(-(-side // 2048))], 1)
        yield band[: min(2048, side - first), :side]
about = {{"item": "montage", "pixel_size_um": None, "intensity_low": 0.0, "intensity_high": 255.0}}
with io.write_arrays("images.zip", "lz4") as out:
    out.add_bands(0, rows(), (side, side), "yx", about)
with io.write_arrays("truth.zip") as out:
    pass
import quantify, segment
phases = ["ground", "disc"]
segment.main("images.zip", "truth.zip", "otsu", {{"sigma_px": 1.0}}, phases, "labels.zip", "rejected.parquet")
quantify.main("labels.zip", "images.zip", "truth.zip", "fractions", {{}}, phases, "fractions.parquet", "lost.parquet")
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
"""


@pytest.mark.slow
def test_a_montage_of_20000_by_20000_takes_less_than_two_gibibytes(tmp_path):
    code = MADE.format(scripts=str(ROOT / "workflow/scripts"), side=20_000)
    env = {"PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) < 2048
    assert not len(io.read_table(tmp_path / "rejected.parquet"))
    fractions = io.read_table(tmp_path / "fractions.parquet")["area_fraction"]
    assert fractions[1] == pytest.approx(np.pi * 40**2 / 128**2, abs=0.01)
    with io.read_arrays(tmp_path / "images.zip") as images, io.read_arrays(tmp_path / "labels.zip") as labels:
        crop = images.unit_rows(0, 9000, 11100)[:, 4000:6000]
        found = labels[0][9000:11100, 4000:6000]
    whole = otsu.segment(crop)  # the same grey levels, so the same threshold but for its last digits
    assert (found[10:-10, 10:-10] != whole[10:-10, 10:-10]).mean() < 1e-4
