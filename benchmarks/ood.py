"""Crystals unlike those learned from: one table and one figure of those studies omee2024_ood_* that have run.

    make run STUDIES=omee2024_ood_jdft2d,omee2024_ood_dielectric    # and the others
    python benchmarks/ood.py [--results results] [--table benchmarks/ood.csv] [--figure docs/ood.svg]

A row of the table is a model on the clusters of one scheme: the mean error over clusters with its 95 % interval, by
bootstrap, and beside it what published models reach in distribution. How many clusters were left out is in `folds`.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

import pandas as pd
from figures import ood, style
from matlens.store import io

NEEDS = {"study": "omee2024_ood_*"}


def main() -> None:
    """Join the tables that are there, print and write them, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in {"results": "results", "table": "benchmarks/ood.csv", "figure": "docs/ood.svg"}.items():
        parser.add_argument(f"--{name}", type=Path, default=default)
    chosen = parser.parse_args()
    found = sorted(chosen.results.glob("omee2024_ood_*/tables/ood.csv"))
    if not found:
        sys.exit(f"no omee2024_ood_*/tables/ood.csv in {chosen.results}; run one of these studies first")
    table = pd.concat([io.read_csv(path) for path in found], ignore_index=True)
    print(table.to_string(index=False, float_format="{:.4g}".format))
    io.write_csv(chosen.table, table)
    with style.context():
        io.write_text(chosen.figure, style.svg(ood.draw(table)))


if __name__ == "__main__":
    main()
