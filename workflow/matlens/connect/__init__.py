"""Structures in, graphs out."""
