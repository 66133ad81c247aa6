"""Geometry in, tensor fields out.

`solve(labels, ..., *, options)` takes a label image and the properties of its phases and returns arrays with one
component per first index, on the grid of the labels.
"""
