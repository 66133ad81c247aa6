"""VASP without VASP: inputs of published sets without pseudopotentials, and a strict reading of real outputs."""

import gzip
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from matlens.job.batch import BadItem
from matlens.validate import collect_results, vasp

CANDIDATE = {"item": "si", "formula": "Si", "name": "si", "reason": "", "predicted": {}}


def test_a_hand_off_names_its_pseudopotentials_and_has_none(tmp_path, hand_over, silicon):
    folder = hand_over(tmp_path / "v", vasp.prepare(CANDIDATE, silicon()))
    names = {path.name for path in folder.path.iterdir()}
    assert {"INCAR", "POSCAR", "KPOINTS", "POTCAR.spec", "run.sh", "job.slurm", "manifest.json"} <= names
    assert "POTCAR" not in names
    assert (folder.path / "POTCAR.spec").read_text().split() == ["Si"]
    assert "ENCUT = 520" in (folder.path / "INCAR").read_text()


@pytest.fixture
def folder(tmp_path, hand_over, silicon):
    """Hand silicon to a stand-in for VASP, with pseudopotentials that only their titles are true of."""
    (tmp_path / "potentials/Si").mkdir(parents=True)
    (tmp_path / "potentials/Si/POTCAR").write_text("PAW_PBE Si 05Jan2001\n")
    return hand_over(tmp_path / "v", vasp.prepare(CANDIDATE, silicon()))


def programs(folder, how: str = "") -> dict[str, str]:
    program = f"{sys.executable} {Path(__file__).with_name('fake_vasp.py')}"
    return {"VASP": program, "VASP_PP_PATH": str(folder.path.parent / "potentials"), "FAKE_VASP": how}


def run(folder, how: str = "") -> int:
    return folder.run(**programs(folder, how))


def stop(folder, how: str) -> None:
    """Run a hand-off until it has taken a step, and stop it as a scheduler does before its time is over."""
    job = folder.start(**programs(folder, how))
    end = time.monotonic() + 60
    while not (folder.path / "began").exists():
        assert time.monotonic() < end, "it never began"
        time.sleep(0.05)
    job.send_signal(signal.SIGUSR1)
    job.communicate(timeout=60)
    assert job.returncode == 143 and collect_results.state(folder.path)["state"] == "TERMINATED"


def verdict(folder) -> dict:
    return collect_results.outcome(folder.path, {"sha256": folder.sha256, "reason": ""}, vasp.judge)


def test_a_run_of_what_was_handed_over_is_accepted_with_its_values(folder):
    assert run(folder) == 0
    found = verdict(folder)
    assert found["status"] == "accepted", found["reason"]
    assert found["values"]["lattice_constant_a"][0] == pytest.approx(5.43)
    assert found["values"]["energy_ev_per_atom"][0] == pytest.approx(-5.4)


def test_electrons_that_do_not_converge_climb_the_ladder(folder):
    assert run(folder, "stubborn") == 0
    assert re.findall(r"retry=(\w+)", (folder.path / "attempts.log").read_text()) == ["mixing", "diagonalisation"]
    assert verdict(folder)["status"] == "accepted"


@pytest.mark.parametrize("how", ["unconverged", "cut"])
def test_a_run_that_never_converges_fails_whatever_its_flags_say(folder, how):
    assert run(folder, how) == 1
    found = verdict(folder)
    assert found["status"] == "failed" and "not converged" in found["reason"]


def test_a_relaxation_that_was_stopped_goes_on_from_where_its_atoms_were(folder):
    stop(folder, "slow")
    assert verdict(folder)["status"] == "failed"
    assert run(folder) == 0
    found = verdict(folder)
    assert found["status"] == "accepted", found["reason"]
    assert found["values"]["lattice_constant_a"][0] == pytest.approx(1.005 * 5.43)
    assert "after cause=walltime retry=restart" in (folder.path / "attempts.log").read_text()
    results = collect_results.results(folder.path)
    results[vasp.CONTINUED] = results[vasp.CONTINUED].replace(b"Si", b"Ge")
    assert "it went on from another one" in vasp.judge(folder.made.manifest, results)["reason"]
    del results[vasp.CONTINUED]
    assert "it is of another cell" in vasp.judge(folder.made.manifest, results)["reason"]


def test_a_relaxation_that_was_stopped_while_it_wrote_begins_anew(folder):
    stop(folder, "torn")
    assert run(folder) == 0
    assert verdict(folder)["values"]["lattice_constant_a"][0] == pytest.approx(5.43)
    assert not (folder.path / "results" / vasp.CONTINUED).exists()


WRONG = {
    "another title": (b'name="SYSTEM">matlens', b'name="SYSTEM">mine', "stale or foreign"),
    "other electrons": (b'name="ISPIN">2', b'name="ISPIN">1', "ISPIN was 1, not 2"),
    "a wide threshold": (b'name="EDIFF">0.0001', b'name="EDIFF">0.1', "EDIFF was 0.1, not 0.0001"),
    "a low cut-off": (b'name="ENMAX">520', b'name="ENMAX">400', "the cut-off was 400.0 eV"),
    "other k points": (b'name="divisions">', b'name="divisions">1', "the k points were"),
    "another smearing": (b'name="ISMEAR">-5', b'name="ISMEAR">0', "ISMEAR was 0, not -5"),
    "a charge": (b'name="NELECT">8.0', b'name="NELECT">7.0', "total charge +1 e"),
    "a dispersion correction": (b'name="LUSE_VDW">F', b'name="LUSE_VDW">T', "LUSE_VDW was True, which was not asked"),
    "a hybrid functional": (b'name="LHFCALC">F', b'name="LHFCALC">T', "LHFCALC was True, which was not asked"),
    "D3": (b"</incar>", b'<i type="int" name="IVDW">11</i></incar>', "IVDW was 11, which was not asked"),
    "energies of a density that was read": (
        b"</incar>",
        b'<i type="int" name="ICHARG">11</i></incar>',
        "ICHARG was 11, which was not asked",
    ),
    "a pressure": (b"</incar>", b'<i name="PSTRESS">50.0</i></incar>', "PSTRESS was 50.0, which was not asked"),
    "a solvent": (b"</incar>", b'<i type="logical" name="LSOL">T</i></incar>', "LSOL was T"),
    "a low precision": (b"</incar>", b'<i type="string" name="PREC">Low</i></incar>', "PREC was Low, not Accurate"),
    "another functional": (b'name="GGA">--', b'name="GGA">PS', "GGA was Ps, which was not asked"),
    "a Hubbard U": (b"</incar>", b'<i type="logical" name="LDAU">T</i></incar>', "LDAU was True, which was not asked"),
    "another mesh": (b'param="Gamma"', b'param="Monkhorst-Pack"', "of style M"),
    "a static run": (b'name="NSW">99', b'name="NSW">0', "were not relaxed"),
    "other pseudopotentials": (b"PAW_PBE Si ", b"PAW_PBE Si_sv ", "pseudopotentials Si_sv, not Si"),
    "another element": (b"<c>Si</c><c>1</c>", b"<c>Ge</c><c>1</c>", "wrong structure"),
    "no energy": (b"-10.8", b"0.0", "its energy is 0"),
    "a force that is no number": (b'"forces"><v>0.0', b'"forces"><v>nan', "largest force is nan"),
    "no stress": (b'name="stress"', b'name="strain"', "stress is missing"),
    "steps that were all taken": (b'name="NELM">100', b'name="NELM">5', "not self-consistent"),
}


def test_answers_to_other_questions_are_rejected_with_the_reason(folder):
    run(folder)
    results = collect_results.results(folder.path)
    for name, (old, new, word) in WRONG.items():
        assert old in results["vasprun.xml"], name
        changed = {"vasprun.xml": results["vasprun.xml"].replace(old, new)}
        found = vasp.judge(folder.made.manifest, changed)
        assert found["status"] == "rejected" and word in found["reason"], f"{name}: {found['reason']}"


def test_settings_on_top_of_the_set_are_kept_and_a_set_that_fails_says_so(silicon):
    made = vasp.prepare(CANDIDATE, silicon(), incar={"ENCUT": 600})
    assert "ENCUT = 600" in made.files["INCAR"] and made.manifest["settings"]["ENCUT"] == 600
    with pytest.raises(BadItem, match="NoSuchSet makes no inputs"):
        vasp.prepare(CANDIDATE, silicon(), input_set="NoSuchSet")


def test_without_pseudopotentials_or_program_a_folder_says_what_to_set(tmp_path, hand_over, silicon):
    folder = hand_over(tmp_path / "v", vasp.prepare(CANDIDATE, silicon()))
    assert folder.run(VASP="no-vasp") == 69
    assert "no-vasp" in collect_results.state(folder.path)["message"]
    assert folder.run(VASP="true") == 69
    assert "VASP_PP_PATH" in collect_results.state(folder.path)["message"]
    (tmp_path / "potentials/Si").mkdir(parents=True)
    (tmp_path / "potentials/Si/POTCAR").write_text("licensed")
    assert folder.run(VASP="true", VASP_PP_PATH=str(tmp_path / "potentials")) == 1
    assert "not converged" in collect_results.state(folder.path)["message"]


def test_forces_are_looked_at_whatever_the_run_says_of_itself(data):
    found = vasp.read((data("dft/vasp_edge") / "vasprun_max_force.xml").read_bytes())
    assert found["electronic"] and found["ionic"]  # what pymatgen concludes
    said = "; ".join(vasp.problems(found, 0.05, 1e9))
    assert "largest force is 0.717" in said
    assert vasp.problems(found, 1.0, 1e9) == []


def test_electrons_that_did_not_converge_are_seen(data):
    packed = data("dft/vasp_edge") / "vasprun_unconverged_electronic.xml.gz"
    found = vasp.read(gzip.decompress(packed.read_bytes()))
    assert "not self-consistent" in vasp.problems(found, 1e9, 1e9)[0]


@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_no_result(data, part):
    whole = (data("dft/vasp_edge") / "vasprun_max_force.xml").read_bytes()
    with pytest.raises(BadItem, match="cut off or damaged"):
        vasp.read(whole[: int(part * len(whole))])


def test_a_real_output_of_another_structure_is_refused(data, silicon):
    made = vasp.prepare(CANDIDATE, silicon())
    whole = (data("dft/vasp_edge") / "vasprun_max_force.xml").read_bytes()
    found = vasp.judge(made.manifest, {"vasprun.xml": whole}, force_ev_a=10.0, stress_gpa=1e9)
    assert found["status"] == "rejected"
    for word in ("stale or foreign", "wrong structure", "pseudopotentials"):
        assert word in found["reason"]
