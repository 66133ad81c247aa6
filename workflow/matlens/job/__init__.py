"""What surrounds the work of a job: entry point, rejected items, workers, logs, provenance."""
