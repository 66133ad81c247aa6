"""Ingest of CIF files, one thread: files per CPU-second from a folder to checked crystals, beside pymatgen's parser.

    python benchmarks/cif_speed.py [--crystals 300]

The files are written by pymatgen from crystals of the public set matbench_log_gvrh_kvrh, once with the operations of
their space group, once without symmetry. Ingest lists the folder, reads each file and checks the crystal.
"""

import argparse
import gzip
import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))
NEEDS = {"set": "matbench_log_gvrh_kvrh"}
PEER = 40  # files that pymatgen is timed on


def write(folder: Path, count: int, symmetry: float | None) -> None:
    """Write every k-th crystal of the set as a CIF file; symmetry: tolerance in angstrom, None: P 1."""
    from matlens.ingest.formats.common import matrix
    from matlens.store import catalog
    from pymatgen.core import Lattice, Structure
    from pymatgen.io.cif import CifWriter

    with gzip.open(catalog.find(NEEDS["set"], "structures.jsonl.gz"), "rt") as lines:
        rows = [json.loads(line) for line in lines]
    for number, row in enumerate(rows[:: max(1, len(rows) // count)][:count]):
        made = Structure(Lattice(matrix(*row["cell"])), row["species"], row["frac"])
        CifWriter(made, symprec=symmetry).write_file(folder / f"{number:05d}.cif")


def ingest(folder: Path) -> tuple[int, int]:
    """List and read all files of a folder; returns the numbers of crystals and of atoms."""
    from matlens.ingest.crystals import structures

    found = [structures.read(row)[0] for row in structures.plan(path=str(folder)).to_dict("records")]
    return len(found), sum(len(one.species) for one in found)


def peer(folder: Path) -> None:
    """Read some files by pymatgen."""
    from pymatgen.core import Structure

    for path in sorted(folder.iterdir())[:PEER]:
        Structure.from_file(path)


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crystals", type=int, default=300)
    count = parser.parse_args().crystals
    warnings.simplefilter("ignore")
    for words, symmetry in (("operations listed", 0.01), ("without symmetry", None)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write(folder, count, symmetry)
            ingest(folder)  # compiles and imports
            times = []
            for _ in range(3):
                start = time.process_time()
                crystals, atoms = ingest(folder)
                times.append(time.process_time() - start)
            start = time.process_time()
            peer(folder)
            other = PEER / (time.process_time() - start)
            rate = crystals / min(times)
            print(f"{words}: {crystals} files, {atoms / crystals:.0f} atoms each: {rate:.0f} files per CPU-second, "
                  f"{rate / other:.1f} times pymatgen's {other:.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
