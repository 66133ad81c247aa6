"""Meaning and unit of the columns of models of microstructure and of generated images."""

from matlens import columns

MEANING = {
    columns.TRUE_LIFE: "model: mean life of an object, in frames",
    columns.TRUE_DIFFUSION: "model: diffusion coefficient of an object, in square pixels per frame",
    "handedness": "model: 1 for a rule of growth, -1 for its mirror image",
    "seed_radius_px": "model: mean radius of the seed, in pixels",
    "laser_power_w": "model: power of the laser, in watts",
    "scan_speed_mm_s": "model: speed of the laser, in millimetres per second",
    "true_lath_width_px": "model: mean width of the laths by the law of the model, in pixels",
    "condition": "conditions that were asked for; all: over all of them",
    "place": "where the condition lies: trained, interpolated between trained ones, or extrapolated beyond them",
    "real_to_real": "the same value for real images compared with as many others; empty if there are too few",
    "ratio": "value over real_to_real; 1: as good as real images",
    "generated": "generated images behind the value; for slopes, conditions",
    "real": "real images behind the value; for slopes, conditions",
    "measured_fraction": "fraction of the measured phase in the generated image",
    "nearest_item": "item of the training image that is most like the generated one, over shifts and mirror images",
    "nearest_position": "position of that image among the training images, counted from 0",
    "nearest_correlation": "correlation with that image; 1: a copy",
}
