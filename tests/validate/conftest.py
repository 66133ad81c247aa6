"""Hand-offs of a crystal to a stand-in for pw.x, and runs of them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matlens.crystal.structures import Crystal
from matlens.validate import collect_results, fits, gpaw, handoff, qe

FAKE = Path(__file__).with_name("fake_pw.py")
UPF = '<UPF version="2.0.1">\n<PP_HEADER element="{0}" functional="PBE" is_ultrasoft="F" wfc_cutoff="30.0"/>\n</UPF>\n'


def cubic_silicon(side: float = 5.43) -> Crystal:
    """Return the cubic cell of silicon."""
    half = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    return Crystal(side * np.eye(3), np.full(8, 14), np.concatenate([half, half + 0.25]))


def heard() -> None:
    """Let a program receive SIGINT, even if the tests run in the background of a shell, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _target(link: Path) -> Path | None:
    try:
        return link.readlink()
    except OSError:  # it has ended, or is of another user
        return None


class Folder:
    """A hand-off, and what a person does with it."""

    def __init__(self, path: Path, made: handoff.Handoff):
        self.path, self.made = path, made
        self.sha256, self.inputs = handoff.write(path, made, {})

    def start(self, how: str = "", **environment: str) -> subprocess.Popen:
        env = {**os.environ, "PW": f"{sys.executable} {FAKE}", "FAKE_PW": how, **environment}
        return subprocess.Popen(
            ["sh", "run.sh"], cwd=self.path, env=env, stderr=subprocess.PIPE, text=True, preexec_fn=heard
        )

    def run(self, how: str = "", seconds: float = 600, **environment: str) -> int:
        job = self.start(how, **environment)
        try:
            job.communicate(timeout=seconds)
        finally:
            if job.poll() is None:  # the engine would go on by itself
                job.terminate()
                job.wait(timeout=120)
        return job.returncode

    def processes(self) -> list[str]:
        """Return the processes that work in the folder (Linux)."""
        return [link.parent.name for link in Path("/proc").glob("[0-9]*/cwd") if _target(link) == self.path.resolve()]

    def outcome(self, **limits) -> dict:
        handed = {"sha256": self.sha256, "reason": ""}
        return collect_results.outcome(self.path, handed, lambda m, r: qe.judge(m, r, **limits))


@pytest.fixture
def silicon():
    """Return a function that makes the cubic cell of silicon for a side in angstrom."""
    return cubic_silicon


@pytest.fixture
def hand_over():
    """Return a function that writes a hand-off into a folder, to be run."""
    return Folder


@pytest.fixture
def pseudo(tmp_path):
    """Make a folder of pseudopotentials that only their headers are true of."""
    folder = tmp_path / "pseudo"
    folder.mkdir()
    for symbol in ("Si", "Al"):
        (folder / f"{symbol}.upf").write_text(UPF.format(symbol))
    return str(folder)


@pytest.fixture
def prepare(pseudo):
    """Prepare a crystal for pw.x."""

    def make(item: str = "si", crystal: Crystal | None = None, **options):
        candidate = {"item": item, "formula": "Si", "name": "si", "reason": "first of the list", "predicted": {}}
        return qe.prepare(candidate, crystal or cubic_silicon(), pseudopotential_folder=pseudo, **options)

    return make


@pytest.fixture
def folder(tmp_path, prepare):
    return Folder(tmp_path / "handoff" / "si", prepare())


GPAW_LOG = """
Input parameters:
  convergence: {{density: 1e-05,
                energy: 1e-06}}
  eigensolver: dav
  kpts: {{gamma: True,
         size: {mesh}}}
  maxiter: 200
  mode: {{ecut: 700.0,
         name: pw}}
  occupations: {{fixmagmom: False,
                name: fermi-dirac,
                width: 0.1}}
  spinpol: False
  xc: PBE

System changes: positions, numbers, cell, pbc, initial_charges, initial_magmoms

species:
  Si:
    name: Silicon
    id: f
    Z: 14.0

Spin-paired calculation

Densities:
  Total Charge: 0.000000

Converged after 12 iterations.

Entropy (-ST):   -0.002000
--------------------------
Free energy:     {free:.6f}
Extrapolated:    {energy:.6f}
"""  # in the words of GPAW 22.8


@pytest.fixture
def gpaw_answers(silicon):
    """Make the manifest of silicon and the answers that GPAW would give to it."""
    made = gpaw.prepare({"item": "si", "formula": "Si", "name": "si", "reason": "", "predicted": {}}, silicon())
    manifest, results = made.manifest, {}
    for name, scale in manifest["scales"].items():
        cell = np.array(manifest["structure"]["cell_a"]) * scale
        x = 40.0 / abs(np.linalg.det(cell))
        energy = -10.0 + 9 / 8 * 90.0 / fits.GPA * 40.0 * (x ** (2 / 3) - 1) ** 2
        pressure = 1.5 * 90.0 * (x ** (7 / 3) - x ** (5 / 3))
        answer = {
            "energy_ev": energy, "forces_ev_a": np.zeros((2, 3)).tolist(),
            "stress_gpa": (-pressure * np.eye(3)).tolist(),
            "cell_a": cell.tolist(), "species": manifest["structure"]["species"],
            "frac": manifest["structure"]["frac"], "magnetisation": 0.0, "absolute_magnetisation": 0.0,
            "converged": True, "iterations": 12,
            "k_points": manifest["settings"]["k_points"], "settings": manifest["settings"], "setups": {"Si": "f"},
            "used": {"charge": 0.0, "smearing": "fermi-dirac", "k_offset": [0.0] * 3, "setups": {}, "extras": {}},
            "versions": {"gpaw": "22.8.0"}, "request": manifest["request_sha256"], "volume": name,
        }  # fmt: skip
        results[f"{name}.json"] = json.dumps(answer).encode()
        log = GPAW_LOG.format(mesh=manifest["settings"]["k_points"], energy=energy, free=energy - 0.001)
        results[f"{name}.txt"] = log.encode()
    return manifest, results


@pytest.fixture
def judged(folder):
    """Run the stand-in once; give its manifest and results."""
    assert folder.run() == 0
    return json.loads((folder.path / "manifest.json").read_text()), collect_results.results(folder.path)
