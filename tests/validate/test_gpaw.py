"""Results of GPAW are checked before they are used; GPAW itself runs where it is installed."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from matlens.crystal.structures import Crystal
from matlens.validate import collect_results, gpaw, references

CANDIDATE = {"item": "si", "formula": "Si", "name": "si", "reason": "", "predicted": {}}


def changed(results: dict, name: str = "v03", **values) -> dict:
    answer = json.loads(results[f"{name}.json"])
    settings = {**answer["settings"], **values.pop("settings", {})}
    used = {**answer["used"], **values.pop("used", {})}
    return {**results, f"{name}.json": json.dumps({**answer, "settings": settings, "used": used, **values}).encode()}


def test_answers_to_the_question_are_accepted(gpaw_answers):
    found = gpaw.judge(*gpaw_answers)
    assert found["status"] == "accepted", found["reason"]
    assert found["values"]["bulk_modulus_gpa"][0] == pytest.approx(90.0, rel=0.02)


def test_a_data_set_of_known_error_is_named(gpaw_answers):
    """The fingerprint is that of Cu.PBE of GPAW's own data sets, 11 electrons."""
    manifest, results = gpaw_answers
    assert "data set" not in gpaw.judge(manifest, results)["reason"]
    for name in manifest["scales"]:
        results = changed(results, name, setups={"Cu": "f1c4d45d90492f1bbfdcb091e8418fdf"})
    found = gpaw.judge(manifest, results)
    assert found["status"] == "accepted" and "caution: the PAW data set of Cu with 11 electrons" in found["reason"]


def copper(side: float = 3.63) -> Crystal:
    places = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    return Crystal(side * np.eye(3), np.full(4, 29), places)


def test_a_data_set_of_known_error_is_replaced_for_its_element_and_functional_alone(silicon):
    made = {name: gpaw.prepare(CANDIDATE, *args) for name, args in {"Cu": [copper()], "Si": [silicon()]}.items()}
    asked = {name: json.loads(one.files["request.json"])["data_sets"] for name, one in made.items()}
    assert asked["Cu"]["Cu"]["instead_of"] in gpaw.DATA_SETS and asked["Si"] == {}
    assert json.loads(gpaw.prepare(CANDIDATE, copper(), functional="LDA").files["request.json"])["data_sets"] == {}
    known = {name: references.energies(one.settings, ["Cu", "Si"]) for name, one in made.items()}
    assert known["Cu"]["Si"] == known["Si"]["Si"] and known["Cu"]["Cu"] != known["Si"]["Cu"]


def test_the_script_makes_the_data_set_of_copper_once(tmp_path, hand_over):
    folder = real(tmp_path, hand_over, copper())
    python = Path(shutil.which("gpaw")).read_text().partition("\n")[0].removeprefix("#!").strip()
    made, times = folder.path / "data_sets/Cu.PBE", set()
    for _ in range(2):
        subprocess.run([python, "gpaw_eos.py", "data-sets"], cwd=folder.path, check=True, capture_output=True)
        assert b'core="10.0" valence="19.0"' in made.read_bytes()
        assert [path.name for path in made.parent.iterdir()] == ["Cu.PBE"]
        times.add(made.stat().st_mtime_ns)
    assert len(times) == 1


@pytest.mark.slow
def test_copper_by_the_engine_itself(tmp_path, hand_over):
    """All-electron PBE, by the default settings: 11.95 A^3 an atom and 140 GPa, within 2 %."""
    folder = real(tmp_path, hand_over, copper())
    assert folder.run() == 0
    found = collect_results.outcome(folder.path, {"sha256": folder.sha256, "reason": ""}, gpaw.judge)
    assert found["status"] == "accepted" and not found["reason"], found["reason"]
    assert found["values"]["volume_a3_per_atom"][0] == pytest.approx(11.95, rel=0.02)
    assert found["values"]["bulk_modulus_gpa"][0] == pytest.approx(140.0, rel=0.02)


WRONG = {
    "stale": ({"request": "0" * 64}, "stale or foreign"),
    "another volume": ({"volume": "v02"}, "stale or foreign"),
    "not converged": ({"converged": False}, "not self-consistent"),
    "at the last iteration": ({"iterations": 200}, "not self-consistent"),
    "zero": ({"energy_ev": 0.0}, "its energy is 0"),
    "another energy": ({"energy_ev": -11.0}, "disagree"),
    "other atoms": ({"species": [32, 32]}, "of other atoms"),
    "another cell": ({"cell_a": np.eye(3).tolist()}, "of another cell"),
    "a low cut-off": ({"settings": {"cutoff_ev": 300.0}}, "the cut-off was 300 eV"),
    "wide thresholds": ({"settings": {"threshold_ev": 1e-2}}, "thresholds of self-consistency were widened"),
    "other k points": ({"k_points": [1, 1, 1]}, "k points"),
    "another version": ({"versions": {"gpaw": "26.7.0"}}, "differ in versions"),
    "other setups": ({"setups": {"Si": "g"}}, "differ in setups"),
    "a charge": ({"used": {"charge": 1.0}}, "total charge 1.0"),
    "gaussian smearing": ({"used": {"smearing": "gaussian"}}, "kind of smearing gaussian"),
    "an offset of the mesh": ({"used": {"k_offset": [0.5, 0.5, 0.5]}}, "offset of the mesh of k points"),
    "a Hubbard U": ({"used": {"setups": {"Si": ":p,2.0"}}}, "setups (DFT+U)"),
    "a dispersion correction": ({"used": {"extras": {"correction": "D3"}}}, "correction (dispersion or other)"),
    "forces": ({"forces_ev_a": np.ones((2, 3)).tolist()}, "largest force"),
    "wide smearing": ({"settings": {"smearing_ev": 1.0}}, "the smearing was 1 eV, not 0.1 eV"),
    "narrow smearing": ({"settings": {"smearing_ev": 0.01}}, "the smearing was 0.01 eV, not 0.1 eV"),
    "spin": ({"settings": {"spin": True}}, "k points, spin or functional"),
    "another functional": ({"settings": {"functional": "LDA"}}, "k points, spin or functional"),
    "forces that are missing": ({"forces_ev_a": []}, "cannot be read"),
    "a force that is no number": ({"forces_ev_a": [[0.0, 0.0, float("nan")], [0.0, 0.0, 0.0]]}, "cannot be read"),
    "atoms nowhere": ({"frac": [[float("nan")] * 3] * 2}, "cannot be read"),
    "atoms of no element": ({"species": [999, 999]}, "of other atoms"),
    "convergence by word": ({"converged": "yes"}, "not self-consistent"),
    "an energy that is no number": ({"energy_ev": None}, "cannot be read"),
}


def test_other_answers_are_rejected_with_the_reason(gpaw_answers):
    manifest, results = gpaw_answers
    for name, (values, word) in WRONG.items():
        found = gpaw.judge(manifest, changed(results, **values))
        assert found["status"] == "rejected" and word in found["reason"], f"{name}: {found['reason']}"


LOGS = {  # a log of another run than the result says, line by line as GPAW 22.8 writes it
    "finite differences": ("  mode: {ecut: 700.0,\n         name: pw}\n", "", "the mode fd, not plane waves"),
    "atomic orbitals": ("mode: {ecut: 700.0,\n         name: pw}", "mode: lcao", "the mode lcao, not plane waves"),
    "a low cut-off": ("ecut: 700.0", "ecut: 300.0", "the log names the cut-off 300 eV, the result 700 eV"),
    "LDA, which is named by no line": ("  xc: PBE\n", "", "the functional LDA, not PBE"),
    "another functional": ("xc: PBE", "xc: PBEsol", "the functional PBEsol, not PBE"),
    "other k points": ("size: [", "size: [1", "the log names the k points"),
    "an offset of the mesh": ("gamma: True", "gamma: False", "another offset of the mesh"),
    "a wide smearing": ("width: 0.1}", "width: 0.5}", "the log names width 0.5, the result 0.1"),
    "gaussian smearing": ("name: fermi-dirac", "name: methfessel-paxton", "the smearing methfessel-paxton"),
    "a fixed moment": ("fixmagmom: False", "fixmagmom: True", "a fixed moment"),
    "wide thresholds": ("energy: 1e-06", "energy: 0.01", "the log names energy 0.01, the result 1e-06"),
    "a charge": ("eigensolver: dav", "charge: 1\n  eigensolver: dav", "was not asked for: charge"),
    "a charge that is in no parameter": ("Total Charge: 0.0", "Total Charge: 1.0", "the total charge 1.0"),
    "no symmetry": ("spinpol: False", "symmetry: off", "was not asked for: symmetry"),
    "another data set": ("id: f\n", "id: 0123abcd\n", "other data sets than the result: Si"),
    "spin": ("Spin-paired", "Spin-polarized", "another treatment of spin"),
    "the free energy for that of zero width": ("Free energy:     -", "Free energy:     -1", "not that at zero width"),
    "electrons that did not converge": ("Converged after", "Did not converge after", "not self-consistent"),
}


def test_a_log_of_another_run_is_rejected_with_the_reason(gpaw_answers):
    manifest, results = gpaw_answers
    log = results["v03.txt"].decode()
    for name, (old, new, word) in LOGS.items():
        assert old in log, name
        found = gpaw.judge(manifest, {**results, "v03.txt": log.replace(old, new).encode()})
        assert found["status"] == "rejected" and word in found["reason"], f"{name}: {found['reason']}"


def test_a_formation_energy_is_none_of_other_data_sets(gpaw_answers):
    manifest, results = gpaw_answers
    used = gpaw.judge(manifest, results)["used"]
    for name in manifest["scales"]:
        log = results[f"{name}.txt"].replace(b"id: f\n", b"id: g\n")
        results = {**changed(results, name, setups={"Si": "g"}), f"{name}.txt": log}
    assert used["Si"] == "700 eV, f" and gpaw.judge(manifest, results)["used"]["Si"] == "700 eV, g"


def test_answers_that_are_missing_or_cut_off_are_rejected(gpaw_answers):
    manifest, results = gpaw_answers
    assert "missing" in gpaw.judge(manifest, {k: v for k, v in results.items() if k != "v01.json"})["reason"]
    assert "cannot be read" in gpaw.judge(manifest, {**results, "v01.json": results["v01.json"][:99]})["reason"]
    assert "log is cut off" in gpaw.judge(manifest, {**results, "v01.txt": b"Converged after 3"})["reason"]


def real(tmp_path, hand_over, crystal, **options):
    if not shutil.which("gpaw"):
        pytest.skip("GPAW is not installed: apt-get install gpaw gpaw-data")
    return hand_over(tmp_path / "real", gpaw.prepare(CANDIDATE, crystal, **options))


def test_a_script_without_gpaw_is_not_run_and_says_what_to_set(tmp_path, hand_over, silicon):
    folder = hand_over(tmp_path / "none", gpaw.prepare(CANDIDATE, silicon()))
    assert folder.run(GPAW_PYTHON="", PATH="/usr/bin:/bin", PYTHONHOME="/nowhere") == 69
    assert "GPAW_PYTHON" in collect_results.state(folder.path)["message"]


@pytest.mark.slow
def test_silicon_by_the_engine_itself(tmp_path, hand_over, silicon):
    """All-electron PBE, by the default settings: 20.45 A^3 an atom and 88.5 GPa, within 2 %."""
    folder = real(tmp_path, hand_over, silicon(5.47))
    assert folder.run() == 0
    handed = {"sha256": folder.sha256, "reason": ""}
    found = collect_results.outcome(folder.path, handed, gpaw.judge)
    assert found["status"] == "accepted", found["reason"]
    assert found["values"]["volume_a3_per_atom"][0] == pytest.approx(20.45, rel=0.02)
    assert found["values"]["bulk_modulus_gpa"][0] == pytest.approx(88.5, rel=0.02)


def test_electrons_that_do_not_converge_climb_the_ladder(tmp_path, hand_over, silicon):
    """One iteration is never enough: GPAW raises, and each rung is tried once."""
    made = gpaw.prepare(CANDIDATE, silicon(), cutoff_ev=350.0, k_spacing_per_a=1.0, points=5)
    request = json.loads(made.files["request.json"])
    request["settings"]["maxiter"] = 3
    files = {**made.files, "request.json": json.dumps(request), "ladder.txt": "again electrons one maxiter 4\n"}
    folder = real(tmp_path, hand_over, silicon())
    folder = hand_over(tmp_path / "few", made._replace(files=files))
    assert folder.run() == 1
    assert (folder.path / "attempts.log").read_text().count("retry=again") == 1
    assert "KohnShamConvergenceError" in collect_results.state(folder.path)["message"]
