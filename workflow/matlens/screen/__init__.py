"""Make a shortlist with reasons from predicted properties.

A method is `score(..., *, options)`: a score for every candidate that meets the criteria, higher is better. Its
positional arguments name the inputs that it needs: `values` (n, m), larger is better; `weights` (m,); `rng`.
"""

METHODS = {
    "weighted": "matlens.screen.ranking:weighted",
    "pareto": "matlens.screen.ranking:pareto",
    "random": "matlens.screen.ranking:random",
}
CONTROLS = ("random",)
OUTPUTS = ("shortlist", "excluded")
