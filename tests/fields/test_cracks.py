"""Stress intensities at slits by the J integral, compared with those of a row of cracks."""

from types import SimpleNamespace

import numpy as np
import pytest
from matlens import registry
from matlens.fields import cracks, learned, methods, settings
from matlens.fields.cells import solved
from matlens.fields.problem import make
from matlens.ingest.models import slits

PHASES = ["body", "slit"]
SETTINGS = {
    "quantity": "elastic",
    "properties": {"body": {"youngs_gpa": 70.0, "poisson": 0.3}, "slit": {"youngs_gpa": 0.0, "poisson": 0.3}},
    "loading": {"yy": 0.001}, "plane": "strain", "boundary": "periodic", "cracks": "slit", "checked_part": 0.0,
    "cut": {"iterations": 4}, "hot_spots": {}, "slip_dissolution": None,
}  # fmt: skip

OPTIONS = {"scheme": "rotated", "tol": 1e-5, "iterations": 2000, "steps": 20}


def image(length, size=(128, 128), **options):
    row = slits.plan(lengths=(length,), images=1).iloc[0].to_dict()
    made = registry.call(slits.read, {"item": row}, {"size_px": list(size), **options})
    return made.truth, made.meta["true_intensity_px05"]


@pytest.mark.parametrize(
    ("length", "plane", "height"),
    [(0.25, "strain", 1.0), (0.5, "strain", 1.0), (0.375, "stress", 1.0), (0.5, "stress", 0.5)],
)
def test_a_row_of_slits_has_the_intensity_of_westergaard(length, plane, height):
    """`height` of the pixels in their widths: the row stays the same where they are no squares."""
    labels, known = image(length, (256, 128))
    problem = make(labels, "yx", PHASES, (height, 1.0), SETTINGS | {"plane": plane})
    found = methods.fft(problem, tol=1e-5)
    each = cracks.intensities(problem, found, 1, "rotated")
    assert len(each) == 2 and each[0] == pytest.approx(each[1], rel=1e-3)
    over = {row["row"]: row["value"] for row in cracks.rows(problem, found, PHASES, SETTINGS, "rotated")}
    assert over["stress_intensity_over_stress"] == pytest.approx(known, rel=0.05)


def test_the_item_has_it_in_its_table_in_the_unit_of_its_pixels_and_along_either_axis():
    labels, _ = image(0.25)
    options = {"scheme": "rotated", "tol": 1e-5, "iterations": 2000, "steps": 1}
    item = {"item": "a", "axes": "yx", "split": "", "pixel_size_um": 4.0}
    tables = []
    for marks, load in ((labels, "yy"), (labels.T, "xx")):
        given = SETTINGS | {"loading": {load: 0.001}}
        found = solved(marks, item, methods.fft, "fft", (1.0, 1.0), options, given, PHASES)
        tables.append({row["row"]: row for row in found.effective})
    first, second = (table["stress_intensity"] for table in tables)
    assert first["unit"] == "GPa m^0.5" and first["value"] == pytest.approx(second["value"], rel=1e-6)
    stress = first["value"] / (4e-6) ** 0.5 / tables[0]["stress_intensity_over_stress"]["value"]
    assert 0.05 < stress < 70.0 * 0.001 / (1 - 0.3**2) * 1.3  # below that of the body under the strain
    other = {"settings": dict.fromkeys(("quantity",), "conduction"), "items": {"train": [], "val": []}}
    about = (labels, item, None, "unet", (1.0, 1.0), {"fallback": "fft"}, SETTINGS, PHASES)
    found = learned.predicted(*about, SimpleNamespace(card=other), options, None)
    row = next(row for row in found.effective if row["row"] == "stress_intensity")
    assert row["unit"] == "GPa m^0.5" and row["value"] == pytest.approx(first["value"], rel=1e-6)


def test_tips_are_found_once_across_the_border_and_round_bodies_have_none():
    marks = np.zeros((40, 40), bool)
    marks[5, 35:], marks[5, :7] = True, True
    found = cracks.tips(marks, 1)
    assert sorted((tip.place, tip.ahead) for tip in found) == [((5.0, 6.5), 1), ((5.0, 34.5), -1)]
    y, x = np.mgrid[:40, :40] - 20
    assert cracks.tips(x**2 + y**2 < 49, 1) == []
    marks[:] = False
    marks[8] = True  # through the whole cell
    assert cracks.tips(marks, 1) == []


def test_a_ring_that_meets_another_phase_gives_nothing():
    labels, _ = image(0.25)
    y, _ = np.nonzero(labels == 1)
    mixed = labels.copy()
    mixed[(y[0] + 3) % 128] = 2
    given = {"properties": SETTINGS["properties"] | {"stiff": {"youngs_gpa": 200.0, "poisson": 0.3}}}
    problem = make(mixed, "yx", [*PHASES, "stiff"], None, SETTINGS | given)
    assert cracks.intensities(problem, methods.uniform(problem), 1, "rotated") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cracks": "slot"}, "did you mean 'slit'"),
        ({"loading": {"xy": 0.1}}, "under one load along an axis"),
        ({"loading": {"xx": 0.1, "yy": 0.1}}, "under one load along an axis"),
        ({"cracks": "body"}, "a crack carries no load"),
    ],
)
def test_settings_without_a_crack_are_refused(changes, words):
    found = settings.faults(SETTINGS | changes, PHASES, {"fft": {}})
    assert [key for key, _ in found] == [["cracks"]] and words in found[0][1]


def test_cracks_without_a_stress_intensity_have_the_reason():
    def remark(labels, **changes):
        item = {"item": "i", "axes": "yx", "pixel_size_um": 1.0}
        made = solved(labels, item, methods.fft, "fft", (1.0, 1.0), OPTIONS, SETTINGS | changes, PHASES)
        assert not [row for row in made.effective if row["row"].startswith("stress_intensity")]
        return made.effective[0]["remark"]

    turned, short = np.eye(32, dtype=np.uint8), np.zeros((32, 32), np.uint8)
    turned[:8] = turned[24:] = 0
    short[16, 12:17] = 1
    for labels in (turned, short):
        assert "'slit' has no straight slit along x with space for a ring of 4 px" in remark(labels)
    assert "no straight slit along y" in remark(short, loading={"xx": 0.001})
    assert "stress intensity" not in remark(np.zeros((32, 32), np.uint8))
