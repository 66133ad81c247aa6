"""Meaning and unit of the columns of fields."""

MEANING = {
    "field": "field that is judged: that of the method, or of a control",
    "solved_by": "solver that stands in for a network, for an item unlike those learned from; empty if none does",
    "below_linear_kernel": "fraction of the items whose value is below that of the linear kernel",
    "row": "first component of an effective value: xx of C_xxyy, x of k_xy; or bulk, shear, tortuosity, "
    "kozeny_carman, stress_intensity",
    "column": "second component of an effective value",
    "reuss": "lower bound by the fractions of the phases alone (Reuss)",
    "voigt": "upper bound by the fractions of the phases alone (Voigt)",
    "hashin_shtrikman_low": "lower bound of Hashin and Shtrikman, of an isotropic body; empty where there is none",
    "hashin_shtrikman_high": "upper bound of Hashin and Shtrikman, of an isotropic body; empty where there is none",
    "mean": "mean over the item, in the unit",
    "percentile_99": "99th percentile over the item, in the unit",
    "maximum": "largest value there, in the unit; with a zone, its average over that",
    "rate_m_per_s": "rate of a crack by slip and dissolution, m/s",
    "rate_low_m_per_s": "lower limit of the 90 % interval of that rate, m/s",
    "rate_high_m_per_s": "upper limit of the 90 % interval of that rate, m/s",
}
