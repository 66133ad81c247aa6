"""Decisions before any job: studies, code inputs, resources, profiles. No job imports this package."""
