"""Labels in, tensor fields out.

A method is `solve(problem, *, options)`: it takes a `problem.Problem`, a periodic cell of labelled voxels with
properties and a mean load, and returns a `methods.Field`, strain and stress or gradient and flux; a field that has not
converged is a BadItem. It has the options `tol`, `iterations` and `scheme`, by which its effective values and residuals
are computed, too. A control is a function of the same kind that names what else it takes: `truth`, the field of the
method, or `scheme`. Controls are computed for every item, beside each method: no table shows a method alone.
"""

from matlens.fields.settings import SETTINGS as SETTINGS

METHODS = {
    "fft": "matlens.fields.methods:fft",
}
CONTROLS = {
    "uniform": "matlens.fields.methods:uniform",
    "phase_means": "matlens.fields.methods:phase_means",
    "cut": "matlens.fields.methods:cut",
}
