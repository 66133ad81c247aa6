"""Candidates and the verdicts so far in, the next round of candidates out.

A method is `score(..., *, options)`: a number for every candidate without a verdict, the highest are asked next. Its
positional arguments say what it takes of the stage's offers: `mean` and `std` (n,) of the surrogate, in standard
deviations of the known values and with larger as better; `best` so far, likewise; `x` (n, f) and `known_x` (k, f)
standardised features; `count` wanted; `rng`. Several objectives reach a method as one, by random weights.
"""

METHODS = {
    "expected_improvement": "matlens.acquire.criteria:expected_improvement",
    "upper_confidence_bound": "matlens.acquire.criteria:upper_confidence_bound",
    "thompson": "matlens.acquire.criteria:thompson",
    "uncertainty": "matlens.acquire.criteria:uncertainty",
    "diversity": "matlens.acquire.criteria:diversity",
    "greedy": "matlens.acquire.criteria:greedy",
    "random": "matlens.acquire.criteria:random",
}
CONTROLS = ("random",)  # what a choice is worth: verdicts on candidates drawn blindly
SURROGATES = {
    "gaussian_process": "matlens.acquire.surrogates:gaussian_process",
    "forest": "matlens.acquire.surrogates:forest",
    "network": "matlens.acquire.surrogates:network",
}
ORACLES = {  # engines of `validate` that a loop can ask
    "index": "matlens.validate.known:validate",
    "calphad": "matlens.validate.calphad:validate",
    "chgnet": "matlens.validate.potential:validate",
    "gpaw": "matlens.validate.gpaw:judge",
    "qe": "matlens.validate.qe:judge",
}
ARTEFACTS = ("rounds", "asked", "transfer")
SPREAD = "_spread"  # ends the name of the column with the uncertainty of a value
CANDIDATES = ("round", "replicate", "item", "score", "expected", "std", "probability_feasible", "reason")
