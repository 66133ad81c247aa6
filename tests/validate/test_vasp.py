"""VASP without VASP: inputs of published sets without pseudopotentials, and a strict reading of real outputs."""

import gzip
import re
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem
from matlens.validate import collect_results, references, vasp, vasp_output, vasp_settings, verdicts

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
    "real-space projectors": (b'name="LREAL">Auto', b'name="LREAL">F', "LREAL was False, not Auto"),
    "another fine grid": (b'name="ADDGRID">F', b'name="ADDGRID">T', "ADDGRID was True, which was not asked"),
    "no aspherical terms": (b'name="LASPH">T', b'name="LASPH">F', "LASPH was False, not True"),
    "no gradient of correlation": (b'name="AGGAC">1.0', b'name="AGGAC">0.0', "AGGAC was 0.0, which was not asked"),
    "another meta-GGA": (b"</incar>", b'<i type="string" name="METAGGA">R2SCAN</i></incar>', "METAGGA was R2scan"),
    "other moments to begin with": (b'"MAGMOM">0.6', b'"MAGMOM">-0.6', "MAGMOM, the moments to begin with"),
    "a virtual crystal": (b"</incar>", b'<v name="VCA">0.5</v></incar>', "VCA was"),
    "a tag that nobody knows": (b"</incar>", b'<i name="VDW_S8">1.5</i></incar>', "VDW_S8 was 1.5, which was not"),
    "a shape that is held": (b'name="ISIF">3', b'name="ISIF">2', "ISIF was 2, not 3"),
    "molecular dynamics": (b'name="IBRION">2', b'name="IBRION">0', "IBRION was 0, which is no relaxation"),
    "a density that is held": (b'name="ALGO">Fast', b'name="ALGO">Eigenval', "does not iterate"),
    "wave functions that are held": (b'name="IALGO">68', b'name="IALGO">3', "IALGO was 3, which does not iterate"),
    "potentials of LDA": (b"PAW_PBE Si ", b"PAW Si ", "of the family PAW, not PAW_PBE"),
    "potentials of GW": (b"PAW_PBE Si ", b"PAW_PBE Si_GW ", "pseudopotentials Si_GW, not Si"),
    "atoms that are held": (
        b'<structure name="initialpos">',
        b'<structure name="initialpos"><varray name="selective" type="logical"><v> F F F </v><v> T T T </v></varray>',
        "selective dynamics",
    ),
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


def part(xml: bytes, begin: bytes, end: bytes, at: int = 0) -> tuple[int, int]:
    """Return where the `at`-th part of an XML begins and ends."""
    places = [one.start() for one in re.finditer(re.escape(begin), xml)]
    return places[at], xml.index(end, places[at]) + len(end)


def scaled(xml: bytes, factor: float) -> bytes:
    """Scale the cells of a part of an XML."""

    def larger(found):
        return found[1] + b" ".join(b"%.8f" % (factor * float(x)) for x in found[2].split()) + b"</v>"

    begin, end = part(xml, b'<varray name="basis">', b"</varray>")
    return xml[:begin] + re.sub(rb"(<v>)([^<]*)</v>", larger, xml[begin:end]) + xml[end:]


def step(xml: bytes) -> tuple[int, int]:
    return part(xml, b"<calculation>", b"</calculation>")


def test_a_file_whose_parts_are_of_several_runs_is_refused(folder):
    """Each is a well-formed file of a converged relaxation, with the title of the input."""
    run(folder)
    whole = collect_results.results(folder.path)["vasprun.xml"]
    begin, end = step(whole)
    only, final = whole[begin:end], part(whole, b'<structure name="finalpos">', b"</structure>")
    first = only.replace(b"-10.8", b"-11.2")
    scf = part(whole, b"<scstep>", b"</scstep>", -1)
    told = {
        "a step of another volume": (whole[:begin] + scaled(only, 1.03) + whole[end:], "of another structure"),
        "the last steps lost": (
            whole[: final[0]] + scaled(whole[final[0] : final[1]], 1.03) + whole[final[1] :],
            "of another structure",
        ),
        "the energy of another step": (
            whole[: scf[1]] + whole[scf[1] :].replace(b"-10.8", b"-11.8"),
            "energies disagree",
        ),
        "one electronic step": (
            whole[:begin] + re.sub(rb"(?:<scstep>.*?</scstep>){4}", b"", only) + whole[end:],
            "too few to show",
        ),
        "no electronic step": (
            whole[:begin] + re.sub(rb"<scstep>.*</scstep>", b"", only) + whole[end:],
            "cannot be judged|too few to show",
        ),
        "the free energy as that of zero width": (
            whole.replace(b'"e_0_energy">-10.8', b'"e_0_energy">-10.9'),
            "by tetrahedra",
        ),
        "a last step that lies higher": (whole[:begin] + first + whole[begin:], "meV/atom above where it began"),
    }
    outputs = collect_results.results(folder.path)
    assert vasp.judge(folder.made.manifest, outputs)["status"] == "accepted"
    outputs["OUTCAR"] = outputs["OUTCAR"].replace(b"-10.8", b"-10.9")
    assert "OUTCAR is of another run" in vasp.judge(folder.made.manifest, outputs)["reason"]
    for name, (data, word) in told.items():
        assert data != whole, name
        found = vasp.judge(folder.made.manifest, {"vasprun.xml": data})
        assert found["status"] == "rejected" and re.search(word, found["reason"]), f"{name}: {found['reason']}"


def test_energies_at_zero_width_follow_the_law_of_their_smearing():
    """Gauss: the mean of both; Methfessel-Paxton of first order: a third of the way (manual of VASP)."""
    found = {"parameters": {"ISMEAR": 0}, "incar": {}, "whole": True, "free_ev": -10.0}
    for kind, zero in ((0, -9.7), (-1, -9.7), (1, -9.8), (2, -9.85)):
        about = {**found, "parameters": {"ISMEAR": kind}, "energies": [-10.0, -9.4, zero]}
        assert vasp_output._disagreements(about) == []
        for other in (-10.0, -9.4):
            assert (
                "by the law of its smearing" in vasp_output._disagreements({**about, "energies": [-10, -9.4, other]})[0]
            )


def relaxed(xml: bytes, change) -> bytes:
    """Add a last step to an answer of one step, with a structure that `change` makes of that handed over."""
    begin, end = step(xml)
    return xml[:end] + change(xml[begin:end]) + change(xml[end:])


def test_a_relaxation_that_leaves_its_phase_or_its_plane_waves_is_refused_or_named(folder):
    """A cut-off of the first cell is (V0 / V)^(2/3) of it in the last: 4 % less at 2 % in length, 13 % less at 7 %."""
    run(folder)
    whole = collect_results.results(folder.path)["vasprun.xml"]

    def verdict_of(change) -> dict:
        return vasp.judge(folder.made.manifest, {"vasprun.xml": relaxed(whole, change)})

    for factor, status, word in (
        (1.01, "accepted", ""),
        (1.02, "accepted", "caution: its plane waves, those of the first cell, have a cut-off 4 % lower"),
        (0.97, "accepted", "have a cut-off 6 % higher"),
        (1.07, "rejected", "have a cut-off 13 % lower"),
        (1.25, "rejected", "the relaxed structure is another: a vector of its cell changed"),
    ):
        found = verdict_of(lambda one, factor=factor: scaled(one, factor))
        assert found["status"] == status and word in found["reason"], (factor, found)
    begin, end = part(whole, b'<varray name="positions">', b"</varray>", -1)
    atom = re.findall(rb"<v>[^<]*</v>", whole[begin:end])[1]
    for shift, status in ((0.02, "accepted"), (0.3, "rejected")):
        places = b"<v>%s</v>" % b" ".join(b"%.6f" % (float(x) + shift) for x in atom[3:-4].split())
        found = verdict_of(lambda one, places=places: one.replace(atom, places))
        assert found["status"] == status and ("an atom moved by" in found["reason"]) == (status == "rejected")
    basis = rb'(<varray name="basis"><v>)[^ ]+'
    found = verdict_of(lambda one: re.sub(basis, rb"\g<1>0.05", one))
    assert "lattice_constant_a" not in found["values"] and "no single lattice constant" in found["reason"]


def test_a_mesh_by_spacing_is_that_of_the_cell(silicon):
    """VASP takes a file KPOINTS before KSPACING, which it reports all the same."""
    made = vasp.prepare(CANDIDATE, silicon(), input_set="MP24RelaxSet").manifest
    from pymatgen.core import Lattice, Structure

    assert made["k_points"] is None and made["settings"]["KSPACING"] == 0.22
    half = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    start = Structure(Lattice(5.43 * half), ["Si", "Si"], [[0.0] * 3, [0.25] * 3])
    for mesh, wrong in (([10, 10, 10], False), ([9, 9, 9], True), ([2, 2, 2], True)):
        said = vasp_settings._mesh(made, {"k_points": mesh, "start": start})
        assert bool(said) == wrong, (mesh, said)


def test_energies_with_u_and_of_other_releases_are_not_subtracted_from_others(silicon):
    """An oxide by U and a metal without, or potentials of two releases, differ by up to electronvolts."""
    iron = Crystal(2.87 * np.eye(3), np.array([26, 26]), np.array([[0.0] * 3, [0.5] * 3]))
    half = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    oxide = Crystal(4.3 * half, np.array([26, 8]), np.array([[0.0] * 3, [0.5] * 3]))
    settings = {name: vasp.prepare(CANDIDATE, one).settings for name, one in (("Fe", iron), ("FeO", oxide))}
    of = {name: references.energies(one, ["Fe"])["Fe"] for name, one in settings.items()}
    assert of["Fe"] != of["FeO"]
    told = {
        name: {
            "status": "accepted",
            "reason": "",
            "values": {"energy_ev_per_atom": (-5.0, "eV/atom", None)},
            "used": used,
        }
        for name, used in (("Si", {"Si": "520 eV, 05Jan2001"}), ("SiSi", {"Si": "520 eV, 02Apr1999"}))
    }
    shares = {"Si": {"Si": 1.0}, "SiSi": {"Si": 0.5, "C": 0.5}, "C": {"C": 1.0}}
    told["C"] = {**told["Si"], "used": {}}
    verdicts.add_formation(told, shares, {})
    assert verdicts.FORMATION not in told["SiSi"]["values"]
    assert "no formation energy" in told["SiSi"]["reason"]


def test_energies_of_an_element_compare_with_those_of_its_compounds():
    """Only the potential of the element itself counts, not those of the others in the cell."""
    nickel = Crystal(3.52 * np.eye(3), np.array([28]), np.zeros((1, 3)))
    alloy = Crystal(2.88 * np.eye(3), np.array([28, 13]), np.array([[0.0] * 3, [0.5] * 3]))
    of = [references.energies(vasp.prepare(CANDIDATE, one).settings, ["Ni"]) for one in (nickel, alloy)]
    assert of[0] == of[1]


OUTPUT = {"LHYPERFINE": True, "LNABLA": True, "CSHIFT": 0.1, "LWAVEH5": True, "NPACO": 256, "APACO": 16.0}
UNUSED = {"LDAUTYPE": 2, "LDAUU": [3.0], "DIPOL": [0.5, 0.5, 0.5], "SAXIS": [0.0, 0.0, 1.0]}


def test_tags_that_change_no_energy_are_no_reason():
    for key, value in {**OUTPUT, **UNUSED, "METAGGA": ""}.items():
        assert vasp_settings._tags({}, {key: value}, {key: value}) == [], key
    for main, key in (("LDAU", "LDAUU"), ("IDIPOL", "DIPOL"), ("LSORBIT", "SAXIS")):
        used = {main: True, key: UNUSED[key]}
        said = vasp_settings._tags({main: True}, used, used)
        assert said == [f"{key} was {UNUSED[key]}, which was not asked for"]


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
    found = vasp_output.read((data("dft/vasp_edge") / "vasprun_max_force.xml").read_bytes())
    assert found["electronic"] and found["ionic"]  # what pymatgen concludes
    said = "; ".join(vasp_output.problems(found, 0.05, 1e9))
    assert "largest force is 0.717" in said
    assert vasp_output.problems(found, 1.0, 1e9) == []


@pytest.mark.parametrize("name", ["vasprun_max_force.xml", "vasprun_unconverged_electronic.xml.gz"])
def test_true_outputs_have_the_settings_that_they_were_given(data, name):
    """Outputs of VASP 5.2 and 5.3 with their own INCAR as what was asked for, and with one tag of it taken away."""
    body = (data("dft/vasp_edge") / name).read_bytes()
    found = vasp_output.read(gzip.decompress(body) if name.endswith("gz") else body)
    made = {
        "settings": dict(found["incar"]), "k_points": found["k_points"], "k_offset": found["k_offset"],
        "functional": "PBE", "pseudopotentials": [one.split()[1] for one in found["potentials"]],
    }  # fmt: skip
    assert vasp_settings.differences(made, found) == [] and vasp_output._disagreements(found) == []
    for key in ("ISMEAR", "LREAL", "MAGMOM", "PREC", "ISPIN"):
        less = {**made, "settings": {one: value for one, value in made["settings"].items() if one != key}}
        assert any(key in said for said in vasp_settings.differences(less, found)), key


def test_electrons_that_did_not_converge_are_seen(data):
    packed = data("dft/vasp_edge") / "vasprun_unconverged_electronic.xml.gz"
    found = vasp_output.read(gzip.decompress(packed.read_bytes()))
    assert "not self-consistent" in vasp_output.problems(found, 1e9, 1e9)[0]


@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_no_result(data, part):
    whole = (data("dft/vasp_edge") / "vasprun_max_force.xml").read_bytes()
    with pytest.raises(BadItem, match="cut off or damaged"):
        vasp_output.read(whole[: int(part * len(whole))])


def test_a_real_output_of_another_structure_is_refused(data, silicon):
    made = vasp.prepare(CANDIDATE, silicon())
    whole = (data("dft/vasp_edge") / "vasprun_max_force.xml").read_bytes()
    found = vasp.judge(made.manifest, {"vasprun.xml": whole}, force_ev_a=10.0, stress_gpa=1e9)
    assert found["status"] == "rejected"
    for word in ("stale or foreign", "wrong structure", "pseudopotentials"):
        assert word in found["reason"]
