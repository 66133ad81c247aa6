"""Crystals and compositions: structures, graphs, potentials, orientations."""
