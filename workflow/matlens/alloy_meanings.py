"""Meaning and unit of the columns of ordered alloys and of databases fitted to them; part of `column_meanings`."""

MEANING = {
    "lattice": "lattice whose points the atoms of an ordered alloy occupy",
    "superlattice": "nine integers: three vectors of the cell, each in primitive vectors of the lattice",
    "arrangement": "elements of the points of the cell, in the order of their coordinates",
    "pair_mismatch": "mean deviation of the pair correlations of four shells from those of a random alloy, 0 to 1",
    "quasi_random": "whether the arrangement is the most random-like one of its size and composition",
    "pair": "two elements, in the order of the alphabet",
    "mole_fraction": "mole fraction of the second element of the pair",
    "role": "use of a cell in a fit: ordered (met exactly) or quasi_random (least squares)",
    "energy_mev_per_atom": "formation energy from the elements in fcc, in meV per atom",
    "fitted_mev_per_atom": "the same by the fitted model, in meV per atom",
    "left_out_error_mev_per_atom": "energy minus its prediction by a fit without the cell, in meV per atom",
    "transition": "order below a temperature at a mole fraction of 1/4, 1/2 or 3/4, or demixing at any",
    "temperature_k": "temperature of the transition, K; 0: none",
    "low_k": "smallest temperature over refits to cells drawn with replacement, K",
    "high_k": "largest of them, K",
}
