"""Say before anything else why a run cannot go where a profile says."""

import sys
from pathlib import Path

from matlens.job import entry
from matlens.plan import profiles


def main(name: str, submits: str = "") -> None:
    """End with a message where there is no such profile, or its plugin or its scheduler is not here."""
    sys.exit(profiles.fault(name, Path("profiles"), bool(submits)) or None)


if __name__ == "__main__":
    entry.run(main)
