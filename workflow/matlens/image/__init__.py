"""Spatial statistics of label images, shared by the stages that measure them and those that make them."""
