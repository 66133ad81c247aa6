"""Run jobs: entry point, rejected items, workers, logs, records of files, provenance."""
