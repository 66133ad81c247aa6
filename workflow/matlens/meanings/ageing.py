"""Meaning and unit of the columns of coarsening."""

MEANING = {
    "series": "value of the column that separates series; empty for one series",
    "times": "number of times in the series",
    "mean_radius_px": "mean radius, in pixels",
    "mean_radius_um": "mean radius, in micrometres",
    "mean_radius_error_px": "standard error of the mean radius, in pixels",
    "mean_radius_error_um": "standard error of the mean radius, in micrometres",
    "exponent": "exponent n of r^n - r0^n = K t",
    "exponent_low": "lower end of its 95 % interval",
    "exponent_high": "upper end of its 95 % interval",
    "initial_radius_px": "r0 of r^3 - r0^3 = K t, in pixels",
    "initial_radius_um": "r0 of r^3 - r0^3 = K t, in micrometres",
    "rate_px3_per_h": "K of r^3 - r0^3 = K t, in cubic pixels per hour",
    "rate_low_px3_per_h": "lower end of K of r^3 - r0^3 = K t, in cubic pixels per hour",
    "rate_high_px3_per_h": "upper end of K of r^3 - r0^3 = K t, in cubic pixels per hour",
    "rate_um3_per_h": "K of r^3 - r0^3 = K t, in cubic micrometres per hour",
    "rate_low_um3_per_h": "lower end of K of r^3 - r0^3 = K t, in cubic micrometres per hour",
    "rate_high_um3_per_h": "upper end of K of r^3 - r0^3 = K t, in cubic micrometres per hour",
}
