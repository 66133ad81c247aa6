"""Detections over time in, tracks out."""
