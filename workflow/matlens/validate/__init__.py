"""Judge candidates by physics codes: candidates in, verdicts out.

An engine that runs in this process is a function of METHODS: `validate(..., *, options)` returns a dict with `values`,
{quantity: (value, unit, uncertainty or None)}, and, where it is not simply accepted, `status` and `reason`. An engine
that runs elsewhere is two functions that share one set of options: `prepare(..., *, options)` of HANDOFFS returns a
Handoff, the files of a folder that anybody can run, and `judge(handoff, results, *, options)` of JUDGES says what its
results are worth, in the same dict. Positional arguments say what an engine takes of a candidate: `candidate` (dict:
item, formula, name (its folder), predicted, score, ...), `crystal` (Crystal) or `composition` (mole fractions by
symbol). BadItem says why a candidate cannot be done; the others go on. An engine of BATCHES takes all candidates of a
job at once, as a table, and has its own script and rule.
"""

from matlens.crystal import POTENTIALS

METHODS = dict.fromkeys(POTENTIALS, "matlens.validate.potential:validate")
BATCHES = {
    "calphad": "matlens.validate.calphad:validate",
    "index": "matlens.validate.known:validate",
    "measured": "matlens.validate.known:measured",
}
TABLES = ("index", "measured")  # engines that look up values in the index
COMPARISONS = {  # measured phase fractions compared with those at equilibrium
    "bridge": "matlens.validate.bridge:bridge",
}
DIAGRAMS = {
    "diagram": "matlens.validate.diagram:tie_lines",
}
HANDOFFS = {
    "qe": "matlens.validate.qe:prepare",
    "gpaw": "matlens.validate.gpaw:prepare",
    "vasp": "matlens.validate.vasp:prepare",
    "thermocalc": "matlens.validate.external_calphad:thermocalc",
    "opencalphad": "matlens.validate.external_calphad:opencalphad",
}
JUDGES = {
    "qe": "matlens.validate.qe:judge",
    "gpaw": "matlens.validate.gpaw:judge",
    "vasp": "matlens.validate.vasp:judge",
    "thermocalc": "matlens.validate.external_calphad:judge",
    "opencalphad": "matlens.validate.external_calphad:judge",
}
# What must be there for the workflow itself to run a folder; an engine that is not here is only handed over.
PROGRAMS = {
    "qe": "pw.x",
    "gpaw": "gpaw",
}
NEEDS = {  # what an engine works on: crystals or compositions
    **dict.fromkeys(POTENTIALS, "crystals"),
    "qe": "crystals",
    "gpaw": "crystals",
    "vasp": "crystals",
    "calphad": "compositions",
    "thermocalc": "compositions",
    "opencalphad": "compositions",
}
STRAINED = (*POTENTIALS, "qe", "gpaw")  # engines with the option `elastic_strains`
CONSTANTS = {f"c{i + 1}{j + 1}_gpa": (i, j) for i in range(6) for j in range(i, 6)}  # Voigt's notation
ELASTIC = (  # what they compute with `elastic_strains`
    *CONSTANTS,
    "elastic_eigenvalue_gpa",
    "bulk_modulus_voigt_gpa",
    "bulk_modulus_reuss_gpa",
    "bulk_modulus_vrh_gpa",
    "shear_modulus_voigt_gpa",
    "shear_modulus_reuss_gpa",
    "shear_modulus_vrh_gpa",
    "young_modulus_vrh_gpa",
    "poisson_ratio_vrh",
    "universal_anisotropy",
)
STABILITY = ("formation_energy_ev_per_atom", "energy_above_hull_ev_per_atom")  # these need energies of elements
QUANTITIES = (  # what engines for crystals compute
    "energy_ev_per_atom",
    "formation_energy_ev_per_atom",
    "energy_above_hull_ev_per_atom",
    "volume_a3_per_atom",
    "lattice_constant_a",
    "bulk_modulus_gpa",
    "bulk_modulus_derivative",
    "magnetisation_mu_b_per_atom",
    *ELASTIC,
)
ACCEPTED, REJECTED, FAILED, PENDING = STATUSES = ("accepted", "rejected", "failed", "pending")
