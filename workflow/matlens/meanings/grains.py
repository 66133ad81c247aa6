"""Meaning and unit of the columns of grain size after ASTM E112."""

MEANING = {
    "procedure": "procedure of ASTM E112: lines, circles or planimetric",
    "direction_deg": "direction of the test lines, counter-clockwise from x, in degrees; empty for all",
    "fields": "number of test lines (lines) or of fields (circles, planimetric)",
    "blocks": "blocks of the image whose scatter makes the interval, each several grains wide",
    "grains_per_field": "mean number of grains a field; ASTM E112 asks for at least 50",
    "counted": "intersections (lines, circles) or grains (planimetric) counted",
    "test_length_px": "length of the test lines, in pixels",
    "test_area_px2": "area of the fields, in pixels",
    "mean_lineal_intercept_px": "test length over intersections, in pixels",
    "mean_lineal_intercept_ci95_px": "half width of its 95 % interval, in pixels",
    "grains_per_px2": "grains per area, per square pixel",
    "grains_ci95_per_px2": "half width of its 95 % interval, per square pixel",
    "relative_accuracy_percent": "half width of the 95 % interval over the value, in percent",
    "g_number": "ASTM grain size number G",
    "g_number_low": "G at the coarse end of the 95 % interval",
    "g_number_high": "G at the fine end of the 95 % interval",
}
