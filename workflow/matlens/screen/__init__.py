"""Predicted properties in, a shortlist with reasons out.

A method is `score(..., *, options)`: a number for every candidate that meets the criteria, the highest are best. Its
positional arguments say what it takes of the stage's offers: `values` (n, m), larger is better; `weights` (m,); `rng`.
"""

METHODS = {
    "weighted": "matlens.screen.ranking:weighted",
    "pareto": "matlens.screen.ranking:pareto",
    "random": "matlens.screen.ranking:random",
}
CONTROLS = ("random",)
OUTPUTS = ("shortlist", "excluded")
