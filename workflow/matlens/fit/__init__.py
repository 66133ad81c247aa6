"""Fit a thermodynamic database: energies of ordered and random-like alloys in, database, errors and transitions out.

A method is `fit(index, energies, *, options)`. `index`: of a study with superlattices; `energies`: of formation, by
item, eV per atom. It returns a `matlens.fit.sublattices.Result`.
"""

METHODS = {
    "compound_energy": "matlens.fit.compound_energy:fit",
    "cluster_expansion": "matlens.fit.cluster_expansion:fit",
}
