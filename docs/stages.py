"""Write the table of stages into docs/stages.md, from the stage table. Run: make docs"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from matlens.plan import outputs  # noqa: E402

PAGE = ROOT / "docs/stages.md"


def main() -> None:
    """Replace the first table of the page."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("|"))
    last = next(k for k in range(first, len(lines) + 1) if k == len(lines) or not lines[k].startswith("|"))
    PAGE.write_text("\n".join([*lines[:first], *outputs.stage_table(), *lines[last:]]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
