"""The microscope's model against the physics that it promises."""

import numpy as np
import pytest
from matlens import registry
from matlens.ingest.models import sem
from matlens.plan import study

OFF = {"texture": 0.0, "blur_px": 0.0, "shading": 0.0, "dose": 0.0, "noise": 0.0}


def flat(level, side=256):
    return np.full((side, side), level, dtype=np.float32)


def test_with_every_effect_off_the_image_is_the_specimen():
    grey = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    assert np.array_equal(sem.image(grey, None, 0.0, 0, **OFF), np.arange(256, dtype=np.uint8).reshape(16, 16))
    assert sem.image(grey, None, 0.0, 0, **OFF, bits=16).max() == 65535


@pytest.mark.parametrize("level", [0.2, 0.7])
def test_shot_noise_has_the_variance_of_counted_electrons(level):
    found = sem.image(flat(level), None, 0.0, 3, **{**OFF, "dose": 400.0, "bits": 16}) / 65535
    assert found.mean() == pytest.approx(level, rel=0.005)
    assert found.var() == pytest.approx(level / 400, rel=0.03)


def test_detector_noise_and_texture_have_their_standard_deviations():
    assert sem.image(flat(0.5), None, 0.0, 1, **{**OFF, "noise": 0.03, "bits": 16}).std() / 65535 == pytest.approx(
        0.03, rel=0.02
    )
    rough = sem.image(flat(0.5), None, 0.0, 1, **{**OFF, "texture": 0.05, "bits": 16}, texture_px=4.0) / 65535
    assert rough.std() == pytest.approx(0.05, rel=0.02)
    # Autocorrelation of white noise behind a Gaussian of s: exp(-r^2 / 4 s^2).
    centred = rough - rough.mean()
    assert (centred[:, 4:] * centred[:, :-4]).mean() / 0.05**2 == pytest.approx(np.exp(-0.25), abs=0.08)


@pytest.mark.parametrize("sigma", [0.8, 2.0])
def test_blur_has_the_transfer_function_of_a_gaussian(sigma):
    waves = np.arange(256) / 16
    grey = np.broadcast_to(0.5 + 0.4 * np.sin(2 * np.pi * waves), (64, 256))
    found = sem.image(grey, None, 0.0, 0, **{**OFF, "blur_px": sigma, "bits": 16}) / 65535
    middle = found[32, 64:192] - 0.5
    amplitude = 2 * np.abs((middle * np.exp(-2j * np.pi * waves[64:192])).mean())
    assert amplitude / 0.4 == pytest.approx(np.exp(-2 * (np.pi * sigma / 16) ** 2), rel=0.01)


def test_drift_moves_the_last_row_by_its_number_and_the_first_not_at_all():
    x = np.arange(128)
    line = np.broadcast_to(np.exp(-0.5 * ((x - 50) / 3) ** 2), (101, 128))
    found = sem.image(line, None, 0.0, 0, **OFF, drift_px=7.5, bits=16).astype(float)
    centres = (found * x).sum(axis=1) / found.sum(axis=1)
    assert centres[[0, 50, 100]] == pytest.approx([50.0, 53.75, 57.5], abs=0.02)
    shaken = sem.image(np.repeat(line[:1], 2000, axis=0), None, 0.0, 0, **OFF, jitter_px=1.5, bits=16).astype(float)
    assert ((shaken * x).sum(axis=1) / shaken.sum(axis=1)).std() == pytest.approx(1.5, rel=0.06)


def test_a_charged_streak_follows_the_bright_region_and_fades_by_1_over_e():
    grey = flat(0.2, 200)
    grey[:, 20:40] = 1.0
    streak = sem.charge(grey, 0.5, 30.0)
    assert np.all(streak[:, :21] == 0)
    assert np.all(streak[:, 22:] < 0)
    assert streak[0, 80] / streak[0, 50] == pytest.approx(np.exp(-1.0), rel=1e-4)
    excess = 1.0 - grey.mean()
    assert streak[0, 40] == pytest.approx(-0.5 * excess * (1 - np.exp(-20 / 30)), rel=1e-4)


def test_shading_spans_its_amplitude_and_keeps_to_it():
    field = sem.shade((300, 200), 0.2, np.random.default_rng(0))
    assert [field.min(), field.max()] == pytest.approx([-0.1, 0.1], abs=1e-6)


@pytest.mark.parametrize("edge", [0.2, -0.2])
def test_a_straight_edge_is_brighter_or_darker_by_its_number(edge):
    labels = np.repeat([0, 1], 32)[None, :] * np.ones((64, 1), dtype=int)
    found = sem.image(flat(0.5, 64), sem.boundaries(labels), edge, 0, **OFF, edge_px=2.0, bits=16) / 65535 - 0.5
    assert found[32, 31] == pytest.approx(edge / 2, rel=0.02)  # one pixel wide, marked on one side of the edge
    assert np.abs(found[32, :10]).max() < 1e-4


def test_boundaries_part_regions_even_diagonally():
    from scipy import ndimage

    labels = np.random.default_rng(0).integers(0, 3, (12, 12)).repeat(9, 0).repeat(9, 1)
    left = np.where(sem.boundaries(labels), -1, labels)
    for label in range(3):
        pieces, count = ndimage.label(left == label, np.ones((3, 3)))
        for piece in range(1, count + 1):
            ring = ndimage.binary_dilation(pieces == piece, np.ones((3, 3)))
            assert set(np.unique(left[ring])) <= {-1, label}


def test_slices_of_a_volume_are_imaged_one_by_one():
    grey = np.zeros((3, 32, 32), dtype=np.float32)
    grey[1] = 0.8
    found = sem.image(grey, None, 0.0, 0, **{**OFF, "blur_px": 2.0})
    assert np.unique(found[[0, 2]]).tolist() == [0]
    assert np.unique(found[1]).tolist() == [204]


def test_the_seed_decides_and_nothing_else():
    grey, edges = flat(0.5, 64), np.zeros((64, 64), dtype=bool)
    assert np.array_equal(sem.image(grey, edges, 0.1, 5), sem.image(grey, edges, 0.1, 5))
    assert not np.array_equal(sem.image(grey, edges, 0.1, 5), sem.image(grey, edges, 0.1, 6))


@pytest.mark.parametrize(
    ("pixel_size_um", "width", "length_um"), [(0.015, 512, 1.0), (0.5, 512, 50.0), (0.002, 1024, 0.5)]
)
def test_the_scale_bar_is_as_long_as_its_label_says(pixel_size_um, width, length_um):
    pixels = np.full((256, width), 90, dtype=np.uint8)
    found = sem.info_bar(pixels, pixel_size_um)
    assert np.array_equal(found[:256], pixels)
    assert found.shape == (256 + 24, width)
    bar = found[256 + 12, width // 2 :] == 255
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], bar, [0]]))))[::2]
    assert runs.max() == round(length_um / pixel_size_um)


def test_an_info_bar_keeps_sixteen_bits():
    found = sem.info_bar(np.zeros((64, 128), dtype=np.uint16), 0.1, "SE2", rows=32)
    assert found.dtype == np.uint16 and found.shape == (96, 128) and found.max() == 65535


def test_imaging_options_are_those_of_the_schema():
    properties = study.read_schema("imaging.schema.yaml")["properties"]
    own = registry.options_of(sem.image) | {"keep_clean": False}  # read where items are stored, see `synthetic`
    assert {name: part["default"] for name, part in properties.items()} == own
    assert all(part.get("description") for part in properties.values())
