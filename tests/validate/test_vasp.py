"""VASP without VASP: inputs of published sets without pseudopotentials, and a strict reading of real outputs."""

import gzip

import pytest
from matlens.batch import BadItem
from matlens.validate import handoff, vasp

CANDIDATE = {"item": "si", "formula": "Si", "name": "si", "reason": "", "predicted": {}}


def test_a_hand_off_names_its_pseudopotentials_and_has_none(tmp_path, hand_over, silicon):
    folder = hand_over(tmp_path / "v", vasp.prepare(CANDIDATE, silicon()))
    names = {path.name for path in folder.path.iterdir()}
    assert {"INCAR", "POSCAR", "KPOINTS", "POTCAR.spec", "run.sh", "job.slurm", "manifest.json"} <= names
    assert "POTCAR" not in names
    assert (folder.path / "POTCAR.spec").read_text().split() == ["Si"]
    assert "ENCUT = 520" in (folder.path / "INCAR").read_text()


def test_settings_on_top_of_the_set_are_kept_and_a_set_that_fails_says_so(silicon):
    made = vasp.prepare(CANDIDATE, silicon(), incar={"ENCUT": 600})
    assert "ENCUT = 600" in made.files["INCAR"] and made.manifest["settings"]["ENCUT"] == 600
    with pytest.raises(BadItem, match="NoSuchSet makes no inputs"):
        vasp.prepare(CANDIDATE, silicon(), input_set="NoSuchSet")


def test_without_pseudopotentials_or_program_a_folder_says_what_to_set(tmp_path, hand_over, silicon):
    folder = hand_over(tmp_path / "v", vasp.prepare(CANDIDATE, silicon()))
    assert folder.run(VASP="no-vasp") == 69
    assert "no-vasp" in handoff.state(folder.path)["message"]
    assert folder.run(VASP="true") == 69
    assert "VASP_PP_PATH" in handoff.state(folder.path)["message"]
    (tmp_path / "potentials/Si").mkdir(parents=True)
    (tmp_path / "potentials/Si/POTCAR").write_text("licensed")
    assert folder.run(VASP="true", VASP_PP_PATH=str(tmp_path / "potentials")) == 1
    assert "not converged" in handoff.state(folder.path)["message"]


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
