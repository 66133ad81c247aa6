"""Check a profile before the run starts."""

import sys
from pathlib import Path

from matlens.job import entry
from matlens.plan import profiles


def main(name: str, submits: str = "") -> None:
    """Exit with a message if the profile, its plugin or its scheduler is absent."""
    sys.exit(profiles.fault(name, Path("profiles"), bool(submits)) or None)


if __name__ == "__main__":
    entry.run(main)
