"""Crystals and compositions: structures, graphs, potentials, orientations."""

POTENTIALS = {  # universal interatomic potentials; each entry is a `matlens.crystal.potentials.Potential`
    "chgnet": "matlens.crystal.potentials:CHGNET",
}
