"""Meaning and unit of the columns of equilibria."""

MEANING = {
    "database": "thermodynamic database",
    "T_K": "temperature, K",
    "P_Pa": "pressure, Pa",
    "temperature_k": "temperature, K; of a transition 0 where there is none",
    "structure": "structure of a phase, whatever its database calls it: fcc_a1 is gamma, l1_2 gamma prime",
    "set_index": "number of the set of composition, for a phase that is stable in several",
    "ordered": "whether the sublattices of the phase differ",
    "np_mole": "part of all atoms that is in the phase, 0 to 1; no fraction of volume",
    "volume_fraction": "part of the volume that is the phase, 0 to 1; empty where molar volumes are not known",
    "gm": "Gibbs energy of what is stable, J per mole of atoms",
    "solver": "program that solved the equilibrium",
    "version": "version of that program",
    "db_sha": "SHA-256 of the database",
    "calphad": "fraction of the phase at equilibrium",
    "basis": "what that fraction counts: volume, or atoms where molar volumes are not known",
    "calphad_spread": "half the range of that over the databases; empty with one",
    "agrees": "whether the fraction at equilibrium lies in the measured interval, widened by that spread",
    "tie": "number of a tie line or triangle",
    "phases": "number of phases in equilibrium",
}
