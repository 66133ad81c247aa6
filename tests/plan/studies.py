"""Studies for the tests of the plan."""

from pathlib import Path

from matlens.plan import study

IMAGES = {"gamma_prime": {"ages_h": [1, 2], "images": 1, "size_px": [64, 64]}, "shards": 2}


def made(name="mine", ingest=IMAGES, **sections) -> dict:
    """Validate a study as if it had been read from its file."""
    return study.validate({"title": name, "ingest": ingest, **sections}, Path(f"config/studies/{name}.yaml"))
