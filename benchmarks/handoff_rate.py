"""How fast candidates are handed over: a thousand self-contained folders for Quantum ESPRESSO, on one thread."""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from matlens.crystal.structures import Crystal
from matlens.validate import handoff, qe

HEADER = '<PP_HEADER element="{0}" functional="PBE" is_ultrasoft="F" wfc_cutoff="45.0"/>'
UPF = f'<UPF version="2.0.1">\n{HEADER}\n{{1}}</UPF>\n'
FACES = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
KILOBYTES = 100  # of a pseudopotential


def main() -> None:
    """Print the wall and CPU time of all folders, and the share of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=1000)
    count = parser.parse_args().candidates
    with tempfile.TemporaryDirectory() as place:
        pseudo = Path(place, "pseudo")
        pseudo.mkdir()
        for symbol in ("Al", "Ni"):
            (pseudo / f"{symbol}.upf").write_text(UPF.format(symbol, "0.0 " * 256 * KILOBYTES))
        qe.prepare(_candidate(0), _crystal(0), pseudopotential_folder=str(pseudo))  # imports are not counted
        wall, cpu, seen = time.perf_counter(), time.process_time(), {}
        for number in range(count):
            made = qe.prepare(_candidate(number), _crystal(number), pseudopotential_folder=str(pseudo))
            made = handoff.promised(made, qe.judge, {}, {})
            handoff.write(Path(place, "handoff", f"c{number:04d}"), made, seen)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{count} hand-offs: {cpu:.2f} CPU-s, {wall:.2f} s wall, {1e3 * cpu / count:.2f} ms each")


def _candidate(number: int) -> dict:
    return {"item": f"c{number}", "formula": "Ni3Al", "name": f"c{number:04d}", "reason": "", "predicted": {}}


def _crystal(number: int) -> Crystal:
    return Crystal((3.4 + 3e-4 * number) * np.eye(3), np.array([13, 28, 28, 28]), FACES)


if __name__ == "__main__":
    main()
