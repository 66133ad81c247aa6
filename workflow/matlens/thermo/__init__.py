"""Thermodynamic databases, phases and their equilibria."""
