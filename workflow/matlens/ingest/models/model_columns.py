"""Numbers that each model of microstructure writes into the index; a study is checked by them before the first job."""

from collections.abc import Mapping

from matlens import columns

REGIONS, FRACTION, MODEL = columns.TRUE_REGIONS, columns.TRUE_FRACTION, columns.TRUE_MODEL_FRACTION
RADIUS, SECTION = columns.TRUE_RADIUS, columns.TRUE_SECTION_RADIUS
SIZES = ("true_mean_radius_um", "true_rate_um3_per_h", "true_exponent")
NUMBERS = {
    "gamma_prime": (columns.TIME, RADIUS, *SIZES, FRACTION, MODEL, REGIONS, SECTION),
    "polycrystal": ("grains", REGIONS, "true_mean_diameter_px"),
    "dual_phase": (MODEL, FRACTION),
    "spinodal": ("model_time", FRACTION, "true_domain_size_px", "true_energy"),
    "fibres": (MODEL, FRACTION, REGIONS, RADIUS),
    "porous": (MODEL, FRACTION, RADIUS),
    "slits": (columns.TRUE_LENGTH, FRACTION, columns.TRUE_INTENSITY),
    "aged_alloys": (MODEL, FRACTION, REGIONS, SECTION),  # and a mole fraction for every element
    "laths": ("laser_power_w", "scan_speed_mm_s", FRACTION, MODEL, "true_lath_width_px", REGIONS),
    "hot_working": (
        columns.TEMPERATURE, "log10_strain_rate_per_s", "strain", "initial_grain_um", FRACTION, MODEL,
        "true_new_grain_px",
    ),
    "growth": ("handedness", "seed_radius_px", FRACTION),
    "loops": (REGIONS, RADIUS),
    "loops_video": (columns.TRUE_LIFE, columns.TRUE_DIFFUSION, columns.TRUE_EXPONENT),
    "scenes": (),
    "voids_video": (columns.SECONDS, columns.TEMPERATURE, columns.TRUE_SHRINKAGE),
    "ripening": (columns.TIME, RADIUS, "true_exponent"),
    "line_space": (REGIONS, columns.TRUE_PITCH, columns.TRUE_WIDTH),
    "cracked_particles": (REGIONS, FRACTION),
    "polyhedra": (REGIONS, RADIUS),
    "atom_columns": (REGIONS,),
    "anode": (FRACTION,),
}  # fmt: skip
EVERY = {name for names in NUMBERS.values() for name in names}


def columns_of(method: str, *, elements: Mapping | None = None, balance: str = "") -> list[str]:
    """List the numbers that a model writes into the index; `elements`, `balance`: of a model of alloys."""
    return [*NUMBERS[method], *(f"x_{symbol}" for symbol in (*(elements or ()), balance) if symbol)]
