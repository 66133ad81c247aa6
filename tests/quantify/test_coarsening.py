"""Coarsening laws are recovered from particles that follow them (Lifshitz-Slyozov-Wagner sizes)."""

import numpy as np
import pandas as pd
import pytest
from matlens.job.batch import BadItem
from matlens.meanings import MEANING
from matlens.quantify import coarsening

TIMES = (0.0, 1.0, 4.0, 16.0, 64.0)


def lsw(number: int, rng) -> np.ndarray:
    """Draw radii, relative to the critical one (which is their mean), from the stationary distribution of LSW."""
    rho = np.linspace(1e-4, 1.4999, 5000)
    density = rho**2 * (3 / (3 + rho)) ** (7 / 3) * (1.5 / (1.5 - rho)) ** (11 / 3) * np.exp(-rho / (1.5 - rho))
    total = np.cumsum(density)
    return np.interp(rng.random(number), total / total[-1], rho)


def series(exponent=3.0, r0=0.2, rate=0.004, times=TIMES, number=400, seed=0, sections=False, scale=0.01):
    """Make the tables of a study: regions and index; lengths in micrometres, `scale` micrometres a pixel."""
    rng = np.random.default_rng(seed)
    found, index = [], []
    for time in times:
        mean = (r0**exponent + rate * time) ** (1 / exponent)
        for copy in range(2):
            radius = lsw(30 * number, rng)
            if sections:  # a plane meets a sphere as often as it is wide, anywhere in it
                radius = radius[rng.random(len(radius)) < radius / 1.5] * mean
                radius = (radius * np.sqrt(1 - rng.random(len(radius)) ** 2))[:number]
            else:
                radius = radius[:number] * mean
            item = f"{time:05.1f}h_{copy}"
            index.append({"item": item, "height_px": 4000, "width_px": 3000, "time_h": time, "temperature_c": 800})
            rows = pd.DataFrame({"item": item, "phase": 1, "phase_name": "gamma'", "equivalent_diameter_px": radius})
            rows["equivalent_diameter_px"] *= 2 / scale
            rows["equivalent_diameter_um"] = 2 * radius
            for name, edge in (("y_min", 10), ("x_min", 10), ("y_max", 60), ("x_max", 60)):
                rows[f"bbox_{name}_px"] = edge
            found.append(rows)
    return pd.concat(found, ignore_index=True), pd.DataFrame(index)


@pytest.mark.parametrize(("exponent", "rate"), [(3.0, 0.004), (2.0, 0.01), (4.0, 0.001)])
def test_the_exponent_is_recovered_within_a_tenth_and_its_interval_holds_it(exponent, rate):
    row = coarsening.fit(*series(exponent, rate=rate), bootstrap=100).iloc[0]
    assert row["exponent"] == pytest.approx(exponent, rel=0.1)
    assert row["exponent_low"] <= exponent <= row["exponent_high"]
    assert row["times"] == len(TIMES) and row["regions_counted"] == 2 * 400 * len(TIMES)


def test_the_rate_of_lsw_is_recovered():
    row = coarsening.fit(*series(), bootstrap=100).iloc[0]
    assert row["rate_um3_per_h"] == pytest.approx(0.004, rel=0.05)
    assert row["rate_low_um3_per_h"] <= 0.004 <= row["rate_high_um3_per_h"]
    assert row["initial_radius_um"] == pytest.approx(0.2, rel=0.03)
    assert np.isnan(row["rate_px3_per_h"])


def test_spheres_behind_sections_have_the_rate_of_spheres():
    tables = series(sections=True, number=1500)
    flat = coarsening.fit(*tables, bootstrap=0).iloc[0]
    spheres = coarsening.fit(*tables, bootstrap=0, stereology="spheres").iloc[0]
    assert flat["exponent"] == pytest.approx(3, rel=0.1) and spheres["exponent"] == pytest.approx(3, rel=0.15)
    # mean radius of sections of LSW spheres: pi/4 <R^2>/<R> = pi/4 1.0462; cubed 0.555
    assert flat["rate_um3_per_h"] == pytest.approx(0.555 * 0.004, rel=0.08)
    assert spheres["rate_um3_per_h"] == pytest.approx(0.004, rel=0.15)


def test_the_fit_is_exact_on_exact_radii():
    times = np.array([0.0, 1, 3, 10, 30])
    radii = (2.0**2.5 + 7 * times) ** (1 / 2.5)
    assert coarsening.power_law(times, radii, np.ones(5)) == pytest.approx((2.5, 2.0, 7.0), rel=1e-3)
    assert coarsening.cubic(times, (8 + 5 * times) ** (1 / 3), np.ones(5)) == pytest.approx((2.0, 5.0), rel=1e-6)


def test_series_are_fitted_apart_and_alike_each_time():
    regions, index = series()
    hot = index.assign(item="hot " + index["item"], temperature_c=900)
    regions = pd.concat([regions, series(rate=0.02)[0].assign(item=lambda table: "hot " + table["item"])])
    index = pd.concat([index, hot])
    table = coarsening.fit(regions, index, by="temperature_c", bootstrap=20)
    assert table["series"].tolist() == ["800", "900"]
    np.testing.assert_allclose(table["rate_um3_per_h"], [0.004, 0.02], rtol=0.05)
    shuffled = coarsening.fit(regions, index.iloc[::-1], by="temperature_c", bootstrap=20)
    pd.testing.assert_frame_equal(table, shuffled)


def test_items_without_a_scale_are_left_out_and_counted():
    regions, index = series()
    lost = index["item"][1]
    regions.loc[regions["item"] == lost, "equivalent_diameter_um"] = np.nan
    regions.loc[regions["item"] == lost, "equivalent_diameter_px"] *= 7
    row = coarsening.fit(regions, index, bootstrap=0).iloc[0]
    assert row["rate_um3_per_h"] == pytest.approx(0.004, rel=0.05) and np.isnan(row["rate_px3_per_h"])
    assert row["scale_note"] == "9 of 10 images have a scale, and are used"
    assert "scale_note" not in coarsening.fit(*series(), bootstrap=0)


def test_boxes_are_in_pixel_widths_and_what_touches_the_unlabelled_is_left_out():
    regions, index = series()
    tall = regions.assign(bbox_y_min_px=regions["bbox_y_min_px"] * 2, bbox_y_max_px=regions["bbox_y_max_px"] * 2)
    flat = index.assign(pixel_size_um=0.01, pixel_size_y_um=0.02)
    same = coarsening.growth(tall, flat)
    pd.testing.assert_frame_equal(same, coarsening.growth(regions, index))
    cut = regions.assign(touches_border=np.arange(len(regions)) % 4 == 0)
    assert coarsening.growth(cut, index)["regions_counted"].sum() == len(regions) * 3 // 4


def test_pixels_are_used_where_no_pixel_size_is_known():
    regions, index = series(scale=0.05)
    regions["equivalent_diameter_um"] = np.nan
    row = coarsening.fit(regions, index, bootstrap=0).iloc[0]
    assert row["rate_px3_per_h"] == pytest.approx(0.004 / 0.05**3, rel=0.05) and np.isnan(row["rate_um3_per_h"])


def test_regions_that_the_border_cuts_are_left_out():
    regions, index = series()
    cut = regions.assign(bbox_x_max_px=3000, equivalent_diameter_um=50.0)
    both = coarsening.fit(pd.concat([regions, cut]), index, bootstrap=0)
    pd.testing.assert_frame_equal(both, coarsening.fit(regions, index, bootstrap=0))


def test_growth_shows_the_points_of_the_fit():
    table = coarsening.growth(*series())
    assert table["time_h"].tolist() == list(TIMES)
    np.testing.assert_allclose(table["mean_radius_um"], np.cbrt(0.008 + 0.004 * np.array(TIMES)), rtol=0.03)
    spread = 0.215 * table["mean_radius_um"] / np.sqrt(800)  # LSW: standard deviation 0.215 of the mean
    np.testing.assert_allclose(table["mean_radius_error_um"], spread, rtol=0.1)


def test_two_times_make_no_fit():
    row = coarsening.fit(*series(times=(0.0, 4.0))).iloc[0]
    assert row["times"] == 2 and np.isnan(row["exponent"])


def test_a_study_without_times_or_regions_is_told_so():
    regions, index = series(number=10)
    with pytest.raises(BadItem, match="time_h"):
        coarsening.fit(regions, index.drop(columns="time_h"))
    with pytest.raises(BadItem, match="no regions"):
        coarsening.fit(pd.DataFrame({"item": pd.Series(dtype=str)}), index)


def test_every_column_has_a_meaning():
    tables = series(number=20)
    assert {*coarsening.fit(*tables, bootstrap=2), *coarsening.growth(*tables)} <= set(MEANING)
