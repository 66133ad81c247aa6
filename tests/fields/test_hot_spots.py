"""Places of large stress against Kirsch's hole, and the rate of a crack against the current, integrated in time."""

import numpy as np
import pytest
from matlens.fields import cells, corrosion, hot_spots, methods, problem
from matlens.fields.methods import Field
from scipy import integrate

PHASES = ["metal", "pit"]
METAL = {"metal": {"youngs_gpa": 200.0, "poisson": 0.3}, "pit": {"youngs_gpa": 0.0, "poisson": 0.3}}
SETTINGS = {
    "quantity": "elastic",
    "properties": METAL,
    "loading": {"xx": 0.001},
    "plane": "strain",
    "boundary": "periodic",
}
LAW = {"creep_rate_per_s": 1e-6, "creep_stress_gpa": 0.3, "creep_exponent": 4.0, "film_strain": 0.002}
LAW |= {"bare_time_s": 50.0, "bare_current_a_per_m2": 800.0, "repassivation": 0.6}


def pierced(radius=10.0, size=128, centre=(63.5, 63.5)):
    y, x = np.mgrid[:size, :size]
    return ((y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2).astype(np.uint8)


def test_the_stress_at_a_hole_is_three_times_that_far_away_and_beside_it():
    """G. Kirsch (1898); a row of holes of this size in a periodic cell has 3 to 3.3 times the mean stress."""
    item = problem.make(pierced(), "yx", PHASES, None, SETTINGS)
    field = methods.fft(item)
    options = {"count": 2, "stress": "principal", "phase": "metal", "apart_px": 8.0}
    spots = hot_spots.of_field(item, field, PHASES, **options)
    far = field.answer[1, 1].mean()
    assert spots.values == pytest.approx(3.0 * far, rel=0.15)
    assert sorted(spots.places[:, 0].tolist()) == pytest.approx([53.0, 74.0], abs=1.0)  # above and below
    assert spots.places[:, 1] == pytest.approx(63.5, abs=4.0)  # the rim is made of steps


def test_places_are_rows_and_columns_where_pixels_are_no_squares():
    marks = pierced(5.0, 32, (20.0, 12.0))
    item = problem.make(marks, "yx", PHASES, (2.0, 1.0), SETTINGS)
    field = methods.fft(item, tol=1e-3)
    about = {"item": "a", "axes": "yx", "pixel_size_um": 0.5}
    (row,) = cells.hot_rows(item, field, marks.shape, about, PHASES, SETTINGS)
    place = np.unravel_index(hot_spots.magnitude(item, field).argmax(), marks.shape)
    assert (row["y_px"], row["x_px"]) == place and (row["y_um"], row["x_um"]) == (1.0 * place[0], 0.5 * place[1])


def test_an_average_over_a_zone_leaves_out_other_phases_and_crosses_the_border():
    values, mask = np.ones((8, 8)), np.ones((8, 8), bool)
    values[0, 0], mask[1, 0], values[1, 0] = 6.0, False, 1e9
    found = hot_spots.averaged(values, mask, 1.0, (1.0, 1.0))
    assert found[0, 0] == pytest.approx((6 + 3) / 4) and found[0, 7] == pytest.approx(2.0) and found[1, 0] == -np.inf


def test_places_are_apart_across_the_border_too():
    values = np.zeros((10, 10))
    values[0, 0], values[9, 9], values[5, 5] = 3.0, 2.5, 2.0
    spots = hot_spots.ranked(values, (1.0, 1.0), 2, 3.0)
    assert spots.places.tolist() == [[0, 0], [5, 5]] and spots.values.tolist() == [3.0, 2.0]
    assert len(hot_spots.ranked(np.full((4, 4), -np.inf), (1.0, 1.0), 3, 1.0).places) == 0


def test_ligaments_are_counted_across_the_border():
    mask = np.ones((1, 10), bool)
    mask[0, [2, 5]] = False
    assert hot_spots.ligaments(mask, 1)[0].tolist() == [6, 6, 0, 2, 2, 0, 6, 6, 6, 6]


@pytest.mark.parametrize("stress", [0.2, 0.3, 0.5])
def test_the_rate_of_a_crack_is_the_charge_between_two_breaks_of_the_film(stress):
    """Faraday's law, with the current integrated from break to break."""
    period = 0.002 / (1e-6 * (stress / 0.3) ** 4)
    charge, _ = integrate.quad(lambda t: 800.0 * min(1.0, (max(t, 1e-9) / 50.0) ** -0.6), 0, period, points=[50.0])
    expected = charge / period * 55.8e-3 / (2.67 * 7900.0 * 96485.33)
    assert corrosion.slip_dissolution(stress, **LAW) == pytest.approx(expected, rel=1e-6)


def test_the_rate_ends_at_that_of_the_bare_metal_and_begins_with_tension():
    bare = 800.0 * 55.8e-3 / (2.67 * 7900.0 * 96485.33)
    assert corrosion.slip_dissolution(100.0, **LAW) == pytest.approx(bare)
    assert corrosion.slip_dissolution(-1.0, **LAW) == 0.0


def test_the_interval_of_the_rate_holds_nine_of_ten_disturbed_stresses():
    row = corrosion.rate_row(0.3, 0.05, LAW)
    drawn = corrosion.slip_dissolution(0.3 * (1 + 0.05 * np.random.default_rng(0).normal(size=20000)), **LAW)
    inside = ((drawn >= row["rate_low_m_per_s"]) & (drawn <= row["rate_high_m_per_s"])).mean()
    assert inside == pytest.approx(0.9, abs=0.01)
    assert (row["rate_high_m_per_s"] - row["rate_low_m_per_s"]) / row["rate_m_per_s"] > 2 * 1.64 * 0.05


def test_a_field_with_the_place_elsewhere_is_found_out():
    item = problem.make(pierced(6.0, 48, (23.5, 23.5)), "yx", PHASES, None, SETTINGS)
    truth = methods.fft(item)
    moved = Field(*(np.roll(part, 12, axis=-1) for part in (truth.cause, truth.answer)))
    chosen = {"count": 3, "stress": "principal", "phase": "metal", "zone_px": 1.0, "apart_px": 4.0}
    settings = {"hot_spots": chosen, "slip_dissolution": LAW | {"stress_error": 0.05}}
    true = hot_spots.places(item, truth, PHASES, settings)
    right = hot_spots.compared(item, truth, true, PHASES, settings)
    assert right == {"hot_spot_found": 1, "hot_spot_first": 1, "hot_spot_error": 0, "rate_error": 0, "rate_covered": 1}
    wrong = hot_spots.compared(item, moved, true, PHASES, settings)
    assert wrong["hot_spot_first"] == 0 and wrong["hot_spot_found"] == 0
    more = hot_spots.compared(item, truth._replace(answer=1.2 * truth.answer), true, PHASES, settings)
    assert more["hot_spot_found"] == 1 and more["hot_spot_error"] == pytest.approx(0.2)
    assert more["rate_error"] > 0.2 and more["rate_covered"] == 0


def test_the_geometry_names_the_narrow_bridge_between_two_holes():
    y, x = np.mgrid[:64, :64]
    labels = (((y - 20) ** 2 + (x - 20) ** 2 < 81) | ((y - 41) ** 2 + (x - 20) ** 2 < 81)).astype(np.uint8)
    item = problem.make(labels, "yx", PHASES, None, SETTINGS)
    options = {"count": 1, "stress": "principal", "phase": "metal", "zone_px": 1.0, "apart_px": 5.0}
    truth = methods.fft(item)
    true = hot_spots.places(item, truth, PHASES, {"hot_spots": options})
    assert 28 < true.places[0, 0] < 33  # between them
    assert hot_spots.by_geometry(item, true, PHASES, {"hot_spots": options})["hot_spot_found"] == 1
    assert hot_spots.by_geometry(item, true, PHASES, {"hot_spots": options | {"phase": None}}) == {}


def test_the_hot_spots_of_the_truth_are_searched_once_for_all_fields(monkeypatch):
    item = {"item": "a", "axes": "yx", "pixel_size_um": 1.0}
    options = {"count": 2, "stress": "principal", "phase": "metal", "zone_px": 1.0, "apart_px": 4.0}
    settings = SETTINGS | {"hot_spots": options, "cut": {"iterations": 3}, "checked_part": 0.0}
    searched, search = [], hot_spots.of_field

    def counted(problem_, field, *rest, **more):
        searched.append(id(field.answer))
        return search(problem_, field, *rest, **more)

    monkeypatch.setattr(hot_spots, "of_field", counted)
    solver = {"scheme": "rotated", "tol": 1e-4, "iterations": 500}
    cells.solved(pierced(6.0, 32, (15.5, 15.5)), item, methods.fft, "fft", (1.0, 1.0), solver, settings, PHASES)
    # the truth for its table and once for all judgements, and each of the three controls
    assert len(searched) == 5
