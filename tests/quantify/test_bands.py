"""Measures of phase maps larger than memory: the very tables of the whole."""

import inspect

import numpy as np
import pandas as pd
import pytest
from matlens import quantify, registry
from matlens.job.batch import BadItem
from matlens.quantify import bands, region_map
from scipy import ndimage

PHASES = ["ground", "a", "b"]


def phase_map(rows: int, columns: int, seed: int, smooth: float = 2.0) -> np.ndarray:
    """Draw blobs of two phases, some of which wind through many bands."""
    rng = np.random.default_rng(seed)
    first, second = (ndimage.gaussian_filter(rng.normal(size=(rows, columns)), smooth) for _ in range(2))
    return np.where(first > 0, 1, np.where(second > 0, 2, 0)).astype(np.uint8)


def both(measure: str, labels: np.ndarray, **options):
    whole = registry.load(quantify.METHODS, measure)(labels, PHASES, **options)
    read = lambda first, last: labels[first:last].copy()  # noqa: E731
    return registry.load(quantify.BANDS, measure)(read, labels.shape, PHASES, **options), whole


@pytest.mark.parametrize("rows", [1, 7, 64, 500])
@pytest.mark.parametrize("connectivity", ["faces", "corners"])
@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("measure", ["regions", "sizes"])
def test_bands_give_the_table_of_the_whole(monkeypatch, measure, background, connectivity, rows):
    monkeypatch.setattr(bands, "BAND_ROWS", rows)
    for seed, smooth in enumerate((0.0, 1.0, 4.0)):
        labels = phase_map(131, 97, seed, smooth)
        labels[40:44, 10:50] = region_map.UNLABELLED
        for least in (0.0, 12.0):
            options = {"connectivity": connectivity, "background": background, "min_area_px2": least}
            pd.testing.assert_frame_equal(*both(measure, labels, **options), check_exact=True)


@pytest.mark.parametrize("slices", [1, 5, 100])
@pytest.mark.parametrize("connectivity", ["faces", "corners"])
@pytest.mark.parametrize("measure", ["regions", "sizes"])
def test_slabs_give_the_table_of_the_whole_volume(monkeypatch, measure, connectivity, slices):
    monkeypatch.setattr(bands, "BAND_ROWS", slices)
    rng = np.random.default_rng(5)
    for smooth in (0.0, 1.0, 2.0):
        field = ndimage.gaussian_filter(rng.normal(size=(23, 31, 27)), smooth)
        labels = np.digitize(field, np.quantile(field, [0.4, 0.7])).astype(np.uint8)
        labels[3:5, 4:20] = region_map.UNLABELLED
        for background in (False, True):
            options = {"connectivity": connectivity, "background": background, "min_area_px2": 4.0}
            pd.testing.assert_frame_equal(*both(measure, labels, **options), check_exact=True)
        pd.testing.assert_frame_equal(*both("fractions", labels, fields=3), check_exact=True)


def test_a_helix_through_all_slabs_is_one_region(monkeypatch):
    monkeypatch.setattr(bands, "BAND_PX", 1)
    z, y, x = np.mgrid[:60, :41, :41]
    turn = np.angle(np.exp(1j * (np.arctan2(y - 20, x - 20) - z / 5)))
    helix = ((np.abs(turn) < 0.6) & (np.abs(np.hypot(y - 20, x - 20) - 14) < 4)).astype(np.uint8)
    found, whole = both("regions", helix)
    assert len(found) == 1
    assert found["volume_px3"][0] == helix.sum()
    pd.testing.assert_frame_equal(found, whole, check_exact=True)


def test_a_spiral_through_all_bands_is_one_region_and_an_empty_image_has_none(monkeypatch):
    monkeypatch.setattr(bands, "BAND_ROWS", 3)
    y, x = np.mgrid[:101, :101] - 50
    turn = np.hypot(y, x) / 4 - np.arctan2(y, x) / (2 * np.pi)
    spiral = ((turn % 1 < 0.5) & (np.hypot(y, x) < 50)).astype(np.uint8)
    found, whole = both("regions", spiral)
    assert found["area_px2"].max() > 0.8 * spiral.sum()
    pd.testing.assert_frame_equal(found, whole, check_exact=True)
    for measure in ("regions", "sizes"):
        pd.testing.assert_frame_equal(*both(measure, np.zeros((20, 30), np.uint8)), check_exact=True)


@pytest.mark.parametrize("rows", [1, 10, 4096])
def test_fractions_in_bands_are_those_of_the_whole(monkeypatch, rows):
    monkeypatch.setattr(bands, "BAND_ROWS", rows)
    labels = phase_map(131, 97, 3)
    labels[:9] = region_map.UNLABELLED
    for fields in (1, 4, 9):
        pd.testing.assert_frame_equal(*both("fractions", labels, fields=fields), check_exact=True)


def test_what_bands_cannot_do_is_refused_and_a_phase_without_a_name_too():
    labels = phase_map(30, 30, 0)
    with pytest.raises(BadItem, match="gap_px"):
        both("regions", labels, gap_px=2.0)
    labels[5, 5] = 7
    with pytest.raises(BadItem, match="phase 7"):
        bands.fractions(lambda first, last: labels[first:last], labels.shape, PHASES)


@pytest.mark.parametrize("measure", sorted(quantify.BANDS))
def test_options_in_bands_are_those_of_the_measure(measure):
    tables = (quantify.METHODS, quantify.BANDS)
    whole, cut = (registry.options_of(registry.load(table, measure)) for table in tables)
    assert cut == whole
    assert list(inspect.signature(registry.load(quantify.BANDS, measure)).parameters)[:3] == ["read", "shape", "phases"]
