"""Images larger than memory: the labels and fractions of the whole, in bands."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matlens import registry, segment
from matlens.job.batch import BadItem
from matlens.segment import bands, histogram, multi_otsu, otsu
from matlens.store import io

ROOT = Path(__file__).resolve().parents[2]
PHASES = ["a", "b", "c"]


def montage(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """Draw bright blobs on a dark ground whose light changes from edge to edge."""
    rng = np.random.default_rng(seed)
    noise = histogram.smooth(rng.normal(size=(rows, columns)).astype(np.float32), 6.0)
    slope = np.linspace(0, 0.2, rows, dtype=np.float32)[:, None]
    return np.clip(0.3 + slope + 0.4 * (noise > 0.03) + rng.normal(0, 0.03, noise.shape), 0, 1).astype(np.float32)


def volume(*shape: int) -> np.ndarray:
    """Draw three phases in a volume."""
    rng = np.random.default_rng(1)
    grain = histogram.smooth(rng.normal(size=shape).astype(np.float32), 3.0)
    edges = np.quantile(grain, [0.3, 0.8])
    return np.clip(0.2 + 0.3 * np.digitize(grain, edges) + rng.normal(0, 0.03, shape), 0, 1).astype(np.float32)


def banded(monkeypatch, method, image, *, rows, part_px=1 << 25, tile_px=512, **options) -> np.ndarray:
    """Label an image in bands of so many rows or slices, in parts."""
    monkeypatch.setattr(bands, "BAND", {2: rows, 3: rows})
    monkeypatch.setattr(bands, "PART_PX", part_px)
    monkeypatch.setattr(bands, "TILE_PX", tile_px)
    given = {"read": lambda *cuts: image[cuts].copy(), "shape": image.shape, "phases": PHASES}
    return np.concatenate(list(registry.call(registry.load(segment.BANDS, method), given, options)))


@pytest.mark.parametrize("foreground", ["bright", "dark"])
@pytest.mark.parametrize("sigma_px", [0.0, 1.0, 7.3])
@pytest.mark.parametrize(("rows", "part_px"), [(1000, 1 << 25), (64, 5000), (131, 1)])
def test_bands_give_the_labels_of_the_whole(monkeypatch, rows, part_px, sigma_px, foreground):
    image, options = montage(517, 300), {"foreground": foreground, "sigma_px": sigma_px}
    found = banded(monkeypatch, "otsu", image, rows=rows, part_px=part_px, **options)
    np.testing.assert_array_equal(found, otsu.segment(image, **options))


@pytest.mark.parametrize("table", [None, [2, 0, 1]])
@pytest.mark.parametrize("image", [montage(300, 200), volume(40, 50, 45)], ids=["image", "volume"])
def test_bands_give_the_classes_of_the_whole(monkeypatch, image, table):
    found = banded(monkeypatch, "multi_otsu", image, rows=16, part_px=3000, tile_px=17, phase_of_class=table)
    np.testing.assert_array_equal(found, multi_otsu.segment(image, PHASES, phase_of_class=table))
    assert set(np.unique(found)) == {0, 1, 2}


@pytest.mark.parametrize(("rows", "tile_px"), [(8, 16), (128, 512), (17, 23)])
@pytest.mark.parametrize("sigma_px", [0.0, 1.0, 1.7])
def test_bricks_give_the_labels_of_the_whole_volume(monkeypatch, rows, tile_px, sigma_px):
    image = volume(43, 61, 52)
    found = banded(monkeypatch, "otsu", image, rows=rows, tile_px=tile_px, sigma_px=sigma_px)
    np.testing.assert_array_equal(found, otsu.segment(image, sigma_px=sigma_px))


@pytest.mark.parametrize("method", sorted(segment.BANDS))
def test_options_in_bands_are_those_of_the_method(method):
    whole, cut = (registry.options_of(registry.load(table, method)) for table in (segment.METHODS, segment.BANDS))
    assert cut == whole


def test_what_no_band_can_do_is_refused_and_a_constant_image_is_ground(monkeypatch):
    image = np.full((300, 50), 0.5, np.float32)
    for options in ({}, {"foreground": "dark"}):
        found = banded(monkeypatch, "otsu", image, rows=64, **options)
        np.testing.assert_array_equal(found, otsu.segment(image, **options))
    options = {"phase_of_class": [1, 0, 2]}
    found = banded(monkeypatch, "multi_otsu", image, rows=64, **options)
    np.testing.assert_array_equal(found, multi_otsu.segment(image, PHASES, **options))
    with pytest.raises(BadItem, match="too wide"):
        banded(monkeypatch, "otsu", image, rows=64, sigma_px=40.0)
    image[200, 3] = np.nan
    with pytest.raises(BadItem, match="finite"):
        banded(monkeypatch, "otsu", image, rows=64)


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


@pytest.mark.parametrize("dtype", ["u1", ">u2", "f4"])
def test_slabs_are_stored_as_the_whole_volume_is(tmp_path, dtype):
    pixels = (volume(140, 150, 30) * 255).astype(dtype)
    about = {"item": "a", "pixel_size_um": None}
    with io.write_arrays(tmp_path / "whole.zip") as out:
        out.add(3, pixels, "zyx", about)
    with io.write_arrays(tmp_path / "bands.zip") as out:
        out.add_bands(3, (pixels[i : i + 128] for i in (0, 128)), pixels.shape, "zyx", about, dtype)
    assert (tmp_path / "whole.zip").read_bytes() == (tmp_path / "bands.zip").read_bytes()
    with io.read_arrays(tmp_path / "bands.zip") as found:
        np.testing.assert_array_equal(found.rows(3, 120, 133), pixels[120:133])
        assert found.thinned(3, 1000).shape == (1, 150, 30)


MADE = """
import json, resource, sys
sys.path.insert(0, {scripts!r})
import numpy as np
from matlens.store import io
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
        crop = images.unit_part(0, slice(9000, 11100), slice(4000, 6000))
        found = labels[0][9000:11100, 4000:6000]
    whole = otsu.segment(crop)  # the same grey levels, so the same threshold but for its last digits
    assert (found[10:-10, 10:-10] != whole[10:-10, 10:-10]).mean() < 1e-4
