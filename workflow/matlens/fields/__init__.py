"""Labels in, tensor fields out.

A method is `solve(problem, *, options)`: it takes a `problem.Problem`, a periodic cell of labelled voxels with
properties and a mean load, and returns a `methods.Field`, strain and stress or gradient and flux; a field that has not
converged is a BadItem. It has the options `tol`, `iterations` and `scheme`, by which its effective values and residuals
are computed, too.

A trained method is `solve(problem, model, scheme, *, options)`; it has `learn` and `prepare` as in every stage that
learns (see `matlens.learn.lessons`). Its truths are the fields of the method that its option `truth` names, by default
the first solver of the study. A control is a function of the same kind that names what else it takes: `truth`, the
field of the method, or `scheme`. Controls are computed for every item that is judged, beside each method: no table
shows a method alone.
"""

from matlens.fields.settings import SETTINGS as SETTINGS
from matlens.nets import FIELD_NETS

SOLVERS = {"fft": "matlens.fields.methods:fft", "stokes": "matlens.fields.methods:flow"}
METHODS = {**SOLVERS, **dict.fromkeys(FIELD_NETS, "matlens.fields.networks:solve")}
NETWORKS = FIELD_NETS
LEARNERS = {
    **dict.fromkeys(FIELD_NETS, "matlens.fields.network_learning:learn"),
    "pix2pix": "matlens.fields.network_learning:learn_against",
}
LESSONS = "matlens.fields.lessons:samples"
PREPARES = dict.fromkeys(FIELD_NETS, "matlens.fields.networks:prepare")
CONTROLS = {
    "uniform": "matlens.fields.methods:uniform",
    "phase_means": "matlens.fields.methods:phase_means",
    "cut": "matlens.fields.methods:cut",
}
