"""Molecules: SMILES, bonds that break, and environments of bonds."""
