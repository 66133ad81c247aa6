"""Active learning: choose the next round of candidates from the verdicts so far.

A method is `score(..., *, options)`: a score for every candidate without a verdict, the highest are evaluated next. Its
positional arguments name the inputs that it needs: `mean` and `std` (n,) of the surrogate, in standard
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
CONTROLS = ("random",)  # random choice, the baseline
SURROGATES = {
    "gaussian_process": "matlens.acquire.surrogates:gaussian_process",
    "forest": "matlens.acquire.surrogates:forest",
    "network": "matlens.acquire.surrogates:network",
}
ORACLES = {  # engines of `validate` that a loop can use
    "index": "matlens.validate.known:validate",
    "measured": "matlens.validate.known:measured",
    "calphad": "matlens.validate.calphad:validate",
    "chgnet": "matlens.validate.potential:validate",
    "gpaw": "matlens.validate.gpaw:judge",
    "qe": "matlens.validate.qe:judge",
}
BY_HAND = "measured"  # the oracle whose values people fill in
OUTPUTS = ("rounds", "asked", "transfer")
SPREAD = "_spread"  # suffix of the column with the uncertainty of a value
CANDIDATES = ("round", "replicate", "item", "score", "expected", "std", "probability_feasible", "reason")
