"""Elements of compounds are computed along, by the settings of their compound; formation energies and hulls follow."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from matlens import registry
from matlens.crystal import element_structures
from matlens.crystal.structures import Crystal
from matlens.validate import HANDOFFS, JUDGES, cells, collect_results, references, registration, verdicts

DOJO = Path(__file__).resolve().parents[2] / "data/raw/pseudodojo"
UPF = '<UPF version="2.0.1">\n<PP_HEADER element="{0}" functional="PBE" is_ultrasoft="F" wfc_cutoff="{1}"/>\n</UPF>\n'
HALF = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
SIC = Crystal(4.36 * HALF, np.array([14, 6], np.uint8), np.array([[0.0, 0, 0], [0.25, 0.25, 0.25]]))
SILICON = Crystal(5.43 * HALF, np.array([14, 14], np.uint8), np.array([[0.0, 0, 0], [0.25, 0.25, 0.25]]))
CANDIDATES = {
    "SiC": {"item": "SiC", "formula": "SiC", "name": "SiC", "composition": {"Si": 0.5, "C": 0.5}},
    "Si": {"item": "Si", "formula": "Si", "name": "Si", "composition": {"Si": 1.0}},
}


def candidate(name: str) -> dict:
    return {**CANDIDATES[name], "reason": "", "predicted": {}, "ranked": []}


@pytest.fixture
def folder(tmp_path):
    """Return a folder of pseudopotentials whose recommended cut-offs differ: C 60 Ry, Si 30 Ry."""
    for symbol, cutoff in {"Si": 30.0, "C": 60.0}.items():
        (tmp_path / f"{symbol}.upf").write_text(UPF.format(symbol, cutoff))
    return str(tmp_path)


def handed(names, folder, place, add=True, accept=None):
    options = {"pseudopotential_folder": folder, "hints": "file"}
    known = {"SiC": SIC, "Si": SILICON}
    chosen = [candidate(name) for name in names]
    return registration.hand_over(chosen, known, "qe", options, accept or {}, place, add).set_index("item")


def test_elements_follow_with_the_cut_off_and_the_pseudopotential_of_their_compound(folder, tmp_path):
    table = handed(["SiC"], folder, tmp_path / "out")
    assert list(table.index) == ["SiC", "element Si", "element C"] and (table["reason"] == "").all()
    assert list(table["reference"]) == ["", "true", "true"]
    compound = json.loads(table.loc["SiC", "settings"])
    assert json.loads(table.loc["element Si", "settings"]) == {"Si": compound["Si"]}
    assert json.loads(table.loc["element C", "settings"]) == {"C": compound["C"]}
    manifest = json.loads((tmp_path / "out/element-Si/manifest.json").read_text())
    assert manifest["settings"]["cutoff_ry"] == 60.0 and "SiC" in manifest["why"]


def test_an_element_among_the_candidates_is_repeated_only_if_its_settings_differ(folder, tmp_path):
    table = handed(["SiC", "Si"], folder, tmp_path / "out")  # Si alone takes 30 Ry
    assert list(table.index) == ["SiC", "Si", "element Si", "element C"]
    same = handed(["SiC", "Si"], folder, tmp_path / "same", add=False)
    assert list(same.index) == ["SiC", "Si"]


def test_elements_follow_by_themselves_only_where_a_limit_needs_them(folder, tmp_path):
    limit = {"energy_above_hull_ev_per_atom": {"max": 0.05}}
    assert len(handed(["SiC"], folder, tmp_path / "a", None, limit)) == 3
    assert len(handed(["SiC"], folder, tmp_path / "b", None, {"bulk_modulus_gpa": {"min": 1.0}})) == 1


def test_an_element_without_a_simple_structure_is_named(folder, tmp_path):
    (Path(folder) / "O.upf").write_text(UPF.format("O", 50.0))
    rocksalt = Crystal(4.2 * HALF, np.array([14, 8], np.uint8), np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]]))
    oxide = {**candidate("SiC"), "item": "SiO", "formula": "SiO", "name": "SiO", "composition": {"Si": 0.5, "O": 0.5}}
    options = {"pseudopotential_folder": folder, "hints": "file"}
    table = registration.hand_over([oxide], {"SiO": rocksalt}, "qe", options, {}, tmp_path / "o", True).set_index(
        "item"
    )
    assert "no simple structure of O" in table.loc["element O", "reason"] and not table.loc["element Si", "reason"]


def test_spin_of_an_element_is_that_of_its_compound():
    prepare = registry.load(HANDOFFS, "gpaw")
    nial = Crystal(2.88 * np.eye(3), np.array([28, 13], np.uint8), np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]]))
    one = {**candidate("SiC"), "item": "NiAl", "formula": "NiAl", "composition": {"Ni": 0.5, "Al": 0.5}}
    settings = prepare(one, nial).settings
    found = {ref.candidate["formula"]: ref for ref in references.wanted([(one, settings)], prepare, {})}
    aluminium = prepare(found["Al"].candidate, element_structures.structure("Al"), **found["Al"].options)
    assert settings["spin"] is True
    assert references.energies(aluminium.settings, ["Al"])["Al"] == references.energies(settings, ["Al"])["Al"]


def test_structures_are_the_known_ones():
    """Space groups of the stable structures at room temperature."""
    for symbol, group in {"Cu": 225, "Fe": 229, "Mg": 194, "Si": 227, "In": 139, "Sb": 166}.items():
        assert cells.primitive(element_structures.structure(symbol))[2] == group, symbol
    assert all(element_structures.structure(symbol) is None for symbol in ("O", "N", "Mn", "He", "Xx"))


def test_an_energy_above_the_hull_is_that_by_hand_and_ignores_rejected_compounds():
    told = {
        name: {"status": status, "reason": "", "values": {"energy_ev_per_atom": (energy, "eV/atom", None)}}
        for name, energy, status in [
            ("A", 0.0, "accepted"), ("B", 0.0, "accepted"), ("AB", -0.4, "accepted"), ("A3B", -0.1, "accepted"),
            ("AB3", -0.9, "rejected"),
        ]
    }  # fmt: skip
    shares = {
        "A": {"A": 1.0}, "B": {"B": 1.0}, "AB": {"A": 0.5, "B": 0.5}, "A3B": {"A": 0.75, "B": 0.25},
        "AB3": {"A": 0.25, "B": 0.75},
    }  # fmt: skip
    verdicts.add_formation(told, shares, {})
    above = {name: told[name]["values"].get(verdicts.ABOVE_HULL, (np.nan,))[0] for name in told}
    assert above["AB"] == pytest.approx(0.0, abs=1e-9) and above["A3B"] == pytest.approx(0.1)
    assert above["AB3"] == pytest.approx(0.0, abs=1e-9) and np.isnan(above["A"])
    assert not any("its hull is that of the elements" in told[name]["reason"] for name in ("AB", "A3B", "AB3"))


def test_a_hull_without_another_compound_says_so():
    """The phase that would be below it was not computed: an energy of 0 above such a hull is no proof."""
    told = {
        name: {"status": "accepted", "reason": "", "values": {"energy_ev_per_atom": (energy, "eV/atom", None)}}
        for name, energy in (("A", 0.0), ("B", 0.0), ("C", 0.0), ("AB", -0.4), ("AC", -0.2))
    }
    shares = {
        "A": {"A": 1.0}, "B": {"B": 1.0}, "C": {"C": 1.0}, "AB": {"A": 0.5, "B": 0.5}, "AC": {"A": 0.5, "C": 0.5},
    }  # fmt: skip
    verdicts.add_formation(told, shares, {})
    for name in ("AB", "AC"):
        assert told[name]["values"][verdicts.ABOVE_HULL][0] == 0.0
        assert f"no other compound of A, {name[1]} was computed" in told[name]["reason"]


@pytest.mark.slow
def test_silicon_carbide_by_quantum_espresso_has_its_formation_energy(tmp_path):
    """The value is that of a run at the recommended cut-offs, against diamond; it holds the path from files to it."""
    if not shutil.which("pw.x"):
        pytest.skip("pw.x is not installed: apt-get install quantum-espresso")
    if not DOJO.is_dir():
        pytest.skip("no pseudopotentials: make pseudopotentials")
    options = {"pseudopotential_folder": str(DOJO), "k_spacing_per_a": 0.4, "points": 5}
    table = registration.hand_over([candidate("SiC")], {"SiC": SIC}, "qe", options, {}, tmp_path, True)
    outcomes = {}
    for row in table.to_dict("records"):
        place = tmp_path / row["slug"]
        assert collect_results.run(place, run=True, minutes=60) == "FINISHED"
        outcomes[row["item"]] = collect_results.outcome(
            place, row, lambda m, r: registry.load(JUDGES, "qe")(m, r, fit_mev_per_atom=3.0)
        )
    parts = {row["item"]: json.loads(row["composition"]) for row in table.to_dict("records")}
    verdicts.add_formation(outcomes, parts, {r["item"]: json.loads(r["settings"]) for r in table.to_dict("records")})
    values = outcomes["SiC"]["values"]
    assert values[verdicts.FORMATION][0] == pytest.approx(-0.275, abs=0.01), outcomes
    assert values[verdicts.ABOVE_HULL][0] == pytest.approx(0.0, abs=1e-9)
